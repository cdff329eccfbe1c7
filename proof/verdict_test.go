package proof_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

var keptOrNot = map[string]bool{"kept": true, "gone": false}

// storedBy is all that the calls change. The lists of a file's tables by themselves
// would do, were it not for what the background does to them.
func storedBy(t *testing.T, f *storetest.Fixture) string {
	t.Helper()
	db := storetest.OpenRaw(t, f.Path)
	var all strings.Builder
	for _, query := range []string{
		"SELECT id, name, delete_task IS NULL FROM namespaces", "SELECT id, name, status, is_locked FROM buckets WHERE status <> 'IN_PROGRESS'",
		"SELECT id, key, fields, blobs FROM object", "SELECT id, status, hash FROM uploads", "SELECT id, status, total FROM batches",
		"SELECT id, type FROM tasks", "SELECT partition, kind, path FROM indexes WHERE status <> 'DROPPING'",
	} {
		all.WriteString(storetest.Dump(t, db, query+" ORDER BY 1"))
	}
	return all.String()
}

// The verdict on a call whose commit is lost is that nobody knows, whether it took
// effect or not. Any other verdict agrees with the file.
func TestVerdictOnLostCommit(t *testing.T) {
	t.Parallel()
	for name, kept := range keptOrNot {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			original := storetest.NewFixture(t)
			for _, name := range slices.Sorted(maps.Keys(storetest.Calls)) {
				call := storetest.Calls[name]
				if !call.Writes {
					continue
				}
				path := storetest.CopyFile(t, original)
				st, l := storetest.OpenLossy(t, path, nil)
				f := storetest.FixtureOf(t, st)
				f.Path = path
				before := storedBy(t, f)
				l.Lose(1, kept)
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				err := call.Do(ctx, f)
				cancel()
				struck := l.Struck()
				if err := st.Close(); err != nil {
					t.Errorf("%s: close: %v", name, err)
				}
				f = openFixtureAgain(t, path)
				changed := storedBy(t, f) != before
				switch {
				case struck && !errors.Is(err, bucketlite.ErrOutcomeUnknown):
					t.Errorf("%s: got %v, want ErrOutcomeUnknown", name, err)
				case struck && changed && !kept:
					t.Errorf("%s: the commit that was lost is there", name)
				case !struck && (err != nil || changed):
					t.Errorf("%s: got %v and a change (%t) without a commit, want none", name, err, changed)
				}
			}
		})
	}
}

// openFixtureAgain opens a file of which a call may have changed anything.
func openFixtureAgain(t *testing.T, path string) *storetest.Fixture {
	t.Helper()
	return &storetest.Fixture{Store: storetest.OpenPath(t, path), Path: path}
}

// manyInputs are enough for three slices of a batch, which are three commits.
func manyInputs() []bucketlite.ObjectInput {
	in := make([]bucketlite.ObjectInput, 600)
	for i := range in {
		in[i] = storetest.Item(fmt.Sprintf("%03d", i), "v")
	}
	return in
}

// verdicts are the keys of a batch's inputs by what the result says of them.
func verdicts(in []bucketlite.ObjectInput, r *bucketlite.PutManyResult) map[string][]string {
	got := make(map[string][]string)
	for _, s := range r.Succeeded {
		got["stored"] = append(got["stored"], in[s.Index].Fields["k"].(string))
	}
	for _, f := range r.Failed {
		kind := "nothing happened"
		if errors.Is(f.Err, bucketlite.ErrOutcomeUnknown) {
			kind = "unknown"
		}
		got[kind] = append(got[kind], in[f.Index].Fields["k"].(string))
	}
	return got
}

// Whatever commit of a batch is lost, each of its inputs has a verdict that is true
// after reopening: what was not stored is not there, what was stored is.
func TestPutManyVerdicts(t *testing.T) {
	t.Parallel()
	plain := manyInputs()
	bad := slices.Clone(plain[:250]) // its slice fails as a whole, so each is put alone
	bad[100] = storetest.Item("bad", "v")
	for name, tt := range map[string]struct {
		inputs  []bucketlite.ObjectInput // nil for three streams, of two pieces each
		atomic  bool
		n       int // the commit that is lost
		stored  int // inputs
		unknown int
		there   int // objects, if the commit took effect
	}{
		"first slice":          {inputs: plain, n: 1, unknown: 250, there: 250},
		"second slice":         {inputs: plain, n: 2, stored: 250, unknown: 250, there: 500},
		"last slice":           {inputs: plain, n: 3, stored: 500, unknown: 100, there: 600},
		"atomic":               {inputs: plain, atomic: true, n: 1, there: 600},
		"first alone":          {inputs: bad, n: 1, unknown: 1, there: 1},
		"alone":                {inputs: bad, n: 50, stored: 49, unknown: 1, there: 50},
		"last alone":           {inputs: bad, n: 249, stored: 248, unknown: 1, there: 249},
		"a piece of a stream":  {n: 2, unknown: 1},
		"objects with streams": {n: 7, unknown: 3, there: 3},
	} {
		for kind, kept := range keptOrNot {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "a.db")
				st, l := storetest.OpenLossy(t, path, nil)
				b, in := storetest.Items(t, st), tt.inputs
				if in == nil {
					b, in = storetest.Films(t, st), streams(3)
				}
				storetest.Execute(t, storetest.OpenRaw(t, path), `CREATE TRIGGER bad BEFORE INSERT ON object WHEN new.fields ->> '$.k' = 'bad'
					BEGIN SELECT RAISE(ABORT, 'test error'); END`)
				l.Lose(tt.n, kept)
				r, err := b.PutMany(context.Background(), in, &bucketlite.PutManyOptions{Atomic: tt.atomic})
				if !l.Struck() {
					t.Fatalf("got fewer than %d commits", tt.n)
				}
				if want := map[bool]error{true: bucketlite.ErrOutcomeUnknown}[tt.atomic]; !errors.Is(err, want) {
					t.Fatalf("got %v, want %v", err, want)
				}
				got := verdicts(in, r)
				if len(got["unknown"]) != tt.unknown || len(got["stored"]) != tt.stored {
					t.Errorf("got %d stored and %d unknown, want %d and %d", len(got["stored"]), len(got["unknown"]), tt.stored, tt.unknown)
				}
				if err := st.Close(); err != nil {
					t.Fatal(err)
				}
				again, err := storetest.Namespace(t, storetest.OpenPath(t, path)).Bucket(context.Background(), b.Name())
				if err != nil {
					t.Fatal(err)
				}
				there := storetest.ItemKeys(t, again)
				for _, k := range got["stored"] {
					if !slices.Contains(there, k) {
						t.Errorf("%q was stored and is not there", k)
					}
				}
				for _, k := range got["nothing happened"] {
					if slices.Contains(there, k) {
						t.Errorf("%q was not stored and is there", k)
					}
				}
				want := tt.stored
				if kept {
					want = tt.there
				}
				if len(there) != want {
					t.Errorf("got %d objects after reopening, want %d", len(there), want)
				}
			})
		}
	}
}

// streams are inputs with content of two pieces each.
func streams(n int) []bucketlite.ObjectInput {
	in := make([]bucketlite.ObjectInput, n)
	for i := range in {
		in[i] = storetest.FilmInput(fmt.Sprint(i), bytes.NewReader(storetest.Film(uint64(i), storetest.MiB)))
	}
	return in
}

// A lost commit says nothing of the upload that a task was to confirm: it is not
// among the task's failures.
func TestConfirmTaskAfterLostCommit(t *testing.T) {
	t.Parallel()
	for name, kept := range keptOrNot {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			path := filepath.Join(t.TempDir(), "a.db")
			st, l := storetest.OpenLossy(t, path, nil)
			b := storetest.Items(t, st)
			id := storetest.CreateUpload(t, b, storetest.DocUpload("k")).ID
			storetest.WriteUpload(t, b, id, "document")
			l.Lose(2, kept) // after that of the call
			task, err := b.ConfirmUploads(ctx, storetest.Confirmations(id))
			if err != nil {
				t.Fatal(err)
			}
			if !storetest.Eventually(l.Spent) {
				t.Fatal("the task was not carried on")
			}
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
			st = storetest.OpenPath(t, path)
			ended, err := st.Wait(ctx, task.ID)
			if err != nil || ended.Status != bucketlite.StatusCompleted {
				t.Errorf("got %+v, %v, want the task completed", ended, err)
			}
			storetest.WantSound(t, path)
		})
	}
}

// A call waits for another process once, however many writes it makes.
func TestBusyOnce(t *testing.T) {
	t.Parallel()
	const timeout = 200 * time.Millisecond
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path, &bucketlite.Options{BusyTimeout: timeout})
	b, f := storetest.Items(t, st), storetest.Films(t, st)
	release := storetest.ForeignLock(t, path)
	defer release()
	for name, call := range map[string]func() (*bucketlite.PutManyResult, error){
		"few":     func() (*bucketlite.PutManyResult, error) { return b.PutMany(t.Context(), manyInputs()[:10], nil) },
		"slices":  func() (*bucketlite.PutManyResult, error) { return b.PutMany(t.Context(), manyInputs(), nil) },
		"streams": func() (*bucketlite.PutManyResult, error) { return f.PutMany(t.Context(), streams(10), nil) },
	} {
		start := time.Now()
		r, err := call()
		took := time.Since(start)
		if err != nil || len(r.Succeeded) > 0 {
			t.Errorf("%s: got %+v, %v, want no error and nothing stored", name, r, err)
			continue
		}
		for _, failed := range r.Failed {
			if !errors.Is(failed.Err, bucketlite.ErrBusy) {
				t.Errorf("%s: input %d: got %v, want ErrBusy", name, failed.Index, failed.Err)
			}
		}
		if took < timeout || took > 5*timeout {
			t.Errorf("%s: got ErrBusy after %v, want it after about %v, once for all", name, took, timeout)
		}
	}
}
