package main

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestConfirm has somebody be asked before anything is deleted.
func TestConfirm(t *testing.T) {
	t.Parallel()
	for answer, deleted := range map[string]bool{
		"y\n": true, "yes\n": true, " Y \r\n": true, "y": true, "n\n": false, "\n": false, "": false, "yesterday\n": false,
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			db := newStore(t, lineSchema, "")
			must(t, lines(0, 3), "put", "things", "-", "--db", db)
			var out, errs strings.Builder
			a := newApp(strings.NewReader(answer), &out, &errs)
			a.asks = true
			code := a.run(t.Context(), []string{"bucket", "delete", "things", "--db", db})
			if want := `Delete bucket "things" with 3 objects (69 B)? [y/N] `; !strings.HasPrefix(errs.String(), want) {
				t.Errorf("question: %q, want %q", errs.String(), want)
			}
			want, listed := exitOK, exitNotFound
			if !deleted {
				want, listed = exitFailure, exitOK
			}
			if code != want {
				t.Errorf("exit code %d, want %d", code, want)
			}
			if r := command(t, "", "ls", "things", "--db", db); r.code != listed {
				t.Errorf("ls afterwards: exit code %d, want %d", r.code, listed)
			}
		})
	}
}

// More than 100 objects are changed by query only after a question.
func TestConfirmByQuery(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		objects  int
		answer   string
		question string
		code     int
		left     string
	}{
		"few":      {100, "n\n", "", exitOK, "0"},
		"agreed":   {101, "y\n", `Delete 101 objects of bucket "things"? [y/N] `, exitOK, "0"},
		"declined": {101, "n\n", `Delete 101 objects of bucket "things"? [y/N] bucketlite: nothing was deleted` + "\n", exitFailure, "101"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newStore(t, lineSchema, "")
			must(t, lines(0, tt.objects), "put", "things", "-", "--db", db)
			var out, errs strings.Builder
			a := newApp(strings.NewReader(tt.answer), &out, &errs)
			a.asks = true
			if code := a.run(t.Context(), []string{"delete", "things", "--all", "--db", db}); code != tt.code || errs.String() != tt.question {
				t.Errorf("got exit code %d, %q, want %d, %q", code, errs.String(), tt.code, tt.question)
			}
			if r := command(t, "", "query", "things", "--count", "--db", db); strings.TrimSpace(r.stdout) != tt.left {
				t.Errorf("got %s objects left, want %s", r.stdout, tt.left)
			}
		})
	}
}

func TestPatientReader(t *testing.T) {
	t.Parallel()
	if err := iotest.TestReader(newPatientReader(t.Context(), strings.NewReader(lines(0, 5000))), []byte(lines(0, 5000))); err != nil {
		t.Error(err)
	}
	broken := newPatientReader(t.Context(), io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	got, err := io.ReadAll(broken)
	if string(got) != "ab" || err != io.ErrUnexpectedEOF {
		t.Errorf("got %q, %v; want the bytes and the reader's error", got, err)
	}
}
