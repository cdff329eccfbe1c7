package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/record"
)

const lineSchema = `{"properties": {"n": {"type": "integer"}, "text": {"type": "string"}}}`

// TestKilledPut kills a running load, runs it again, and expects every line to be
// there once: with a unique key by the key, without one by the state that was kept.
func TestKilledPut(t *testing.T) {
	t.Parallel()
	const total = 6000
	for name, c := range map[string]struct {
		key, policy string
		lines       string
	}{
		"no key":          {"", "", lines(0, total)},
		"insert":          {"n", "insert", lines(0, total)},
		"upsert":          {"n", "upsert", lines(0, total)},
		"ids of the user": {"", "", withIDs(total)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newStore(t, lineSchema, c.key)
			dir := t.TempDir()
			state, input := filepath.Join(dir, "put.state"), filepath.Join(dir, "input.jsonl")
			if err := os.WriteFile(input, []byte(c.lines), 0o666); err != nil {
				t.Fatal(err)
			}
			args := []string{"put", "things", "-", "--db", db, "--resume", state, "--policy", c.policy}

			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			process := exec.Command(self, args...)
			process.Env = append(os.Environ(), "BUCKETLITE_TEST_RUN=1")
			stdin, err := process.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := process.Start(); err != nil {
				t.Fatal(err)
			}
			// It gets half of the lines, and is killed when it has stored some.
			written := make(chan struct{})
			go func() {
				defer close(written)
				io.WriteString(stdin, c.lines[:len(c.lines)/2])
			}()
			deadline := time.Now().Add(time.Minute)
			for stateLines(state) < 1000 && time.Now().Before(deadline) {
				time.Sleep(time.Millisecond)
			}
			if err := process.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			process.Wait()
			<-written
			before := stateLines(state)
			if before < 1000 || before >= total {
				t.Fatalf("the state says %d lines, want a part of %d", before, total)
			}
			// The worst moment to die: a commit is done, but not recorded. The record
			// is set back by some lines that are stored.
			setBack(t, state, c.lines, before-500)

			f, err := os.Open(input)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var out strings.Builder
			var errs strings.Builder
			code := newApp(f, &out, &errs).run(t.Context(), append(args, "--json"))
			if code != exitOK {
				t.Fatalf("second run: exit code %d\n%s", code, errs.String())
			}
			var sum bucketlite.ImportReport
			if err := json.Unmarshal([]byte(out.String()), &sum); err != nil {
				t.Fatal(err)
			}
			if sum.After != before-500 || sum.Records != total || sum.Refused != 0 {
				t.Errorf("second run: %+v, want it to continue after line %d and end with %d", sum, before-500, total)
			}
			seen := map[json.Number]int{}
			objects, _ := contents(t, db, "things")
			for _, o := range objects {
				seen[o.Fields["n"].(json.Number)]++
			}
			if len(objects) != total || len(seen) != total {
				t.Errorf("%d objects of %d lines, want %d of each", len(objects), len(seen), total)
			}
		})
	}
}

func withIDs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"object_id\": \"id-%d\", \"n\": %d, \"text\": \"line\"}\n", i, i)
	}
	return b.String()
}

// putState is the file of --resume.
type putState struct {
	Position record.Position         `json:"position"`
	Counts   bucketlite.ImportCounts `json:"counts"`
}

// stateLines returns how many lines a state says are stored.
func stateLines(path string) int {
	var s putState
	text, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(text, &s) != nil {
		return 0
	}
	return s.Position.Line
}

// setBack makes a state say that fewer lines are stored.
func setBack(t *testing.T, path, input string, to int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var s putState
	var all map[string]any
	if err := errors.Join(json.Unmarshal(text, &s), json.Unmarshal(text, &all)); err != nil {
		t.Fatal(err)
	}
	l := record.NewLines(strings.NewReader(input), 0)
	for range to {
		if _, err := l.Next(); err != nil {
			t.Fatal(err)
		}
	}
	lost := int64(s.Position.Line - to)
	s.Counts.Records -= lost
	s.Counts.Created -= lost
	all["position"], all["counts"] = l.Position(), s.Counts
	if text, err = json.Marshal(all); err == nil {
		err = os.WriteFile(path, text, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestInterrupted interrupts commands that wait for input or for an event; they must
// end in order.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		some bool // there is some input, and no end of it
	}{
		"watch": {[]string{"watch"}, false},
		"put":   {[]string{"put", "things", "-"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newStore(t, lineSchema, "")
			r, w := io.Pipe()
			defer w.Close()
			ctx, cancel := context.WithCancel(t.Context())
			var out, errs strings.Builder
			done := make(chan int)
			go func() { done <- newApp(r, &out, &errs).run(ctx, append(c.args, "--db", db)) }()
			if c.some {
				io.WriteString(w, lines(0, 10)) // returns when it has been read
			}
			cancel()
			select {
			case code := <-done:
				if code != exitInterrupted {
					t.Errorf("exit code %d, want %d: %s", code, exitInterrupted, errs.String())
				}
				if !strings.HasPrefix(errs.String(), "bucketlite: interrupted") {
					t.Errorf("standard error: %q, want it to say that it was interrupted", errs.String())
				}
			case <-time.After(time.Minute):
				t.Fatal("it continues")
			}
		})
	}
}

// TestStopsAtTheBucketsFault has a load end, and not refuse each line, when it is
// the bucket that takes none.
func TestStopsAtTheBucketsFault(t *testing.T) {
	t.Parallel()
	db := newStore(t, lineSchema, "")
	must(t, "", "bucket", "lock", "things", "--db", db)
	r := command(t, lines(0, 5000), "put", "things", "-", "--db", db)
	if r.code != exitState {
		t.Errorf("exit code %d, want %d", r.code, exitState)
	}
	if n := strings.Count(r.stderr, "\n"); n != 1 {
		t.Errorf("%d lines on standard error, want 1: %s", n, r.stderr)
	}
	must(t, "", "bucket", "unlock", "things", "--db", db)
}
