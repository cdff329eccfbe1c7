package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// A bucket with an inferred schema is created if somebody says so.
func TestInferAsks(t *testing.T) {
	t.Parallel()
	data, err := filepath.Abs("../../examples/quickstart/data/items.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for answer, created := range map[string]bool{"y\n": true, "n\n": false, "": false} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			db := newStore(t, lineSchema, "")
			var out, errs strings.Builder
			a := newApp(strings.NewReader(answer), &out, &errs)
			a.asks = true
			code := a.run(t.Context(), []string{"bucket", "create", "media", "--infer", data, "--db", db})
			if want := `Create bucket "media" with this schema? [y/N] `; !strings.Contains(errs.String(), want) {
				t.Errorf("got %q, want the question %q", errs.String(), want)
			}
			wantCode, wantGet := exitOK, exitOK
			if !created {
				wantCode, wantGet = exitFailure, exitNotFound
			}
			if code != wantCode {
				t.Errorf("exit code %d, want %d", code, wantCode)
			}
			if r := command(t, "", "bucket", "get", "media", "--db", db); r.code != wantGet {
				t.Errorf("bucket get afterwards: exit code %d, want %d", r.code, wantGet)
			}
		})
	}
}

// put into a bucket that does not exist creates it if somebody says so.
func TestPutOffers(t *testing.T) {
	t.Parallel()
	data, err := filepath.Abs("../../examples/quickstart/data/items.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for answer, created := range map[string]bool{"y\n": true, "n\n": false} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			db := newStore(t, lineSchema, "")
			var out, errs strings.Builder
			a := newApp(strings.NewReader(answer), &out, &errs)
			a.asks = true
			code := a.run(t.Context(), []string{"put", "media", data, "--db", db})
			if want := `Create bucket "media" with these fields? [y/N] `; !strings.Contains(errs.String(), want) {
				t.Errorf("got %q, want the question %q", errs.String(), want)
			}
			want := exitOK
			if !created {
				want = exitNotFound
			}
			if code != want {
				t.Errorf("exit code %d, want %d\n%s", code, want, errs.String())
			}
			if got := strings.Contains(out.String(), "created         202"); got != created {
				t.Errorf("got %q, want 202 created: %v", out.String(), created)
			}
		})
	}
}
