package bucketlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// loss is a disk that fails under one of a store's commits.
type loss struct {
	mu   sync.Mutex
	left int  // commits until then; 0 for never
	kept bool // the commit takes effect all the same
}

// lose makes the n-th commit from now fail.
func (l *loss) lose(n int, kept bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left, l.kept = n, kept
}

// struck reports whether the commit has failed, and forgets about it if not.
func (l *loss) struck() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.left = 0 }()
	return l.left == 0
}

func (l *loss) commit(commit func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.left == 0:
		return commit()
	case l.left > 1:
		l.left--
		return commit()
	}
	l.left = 0
	if l.kept {
		if err := commit(); err != nil {
			return err
		}
	}
	return engine.ErrDisk
}

// openLossy opens a store whose disk can be made to fail.
func openLossy(t testing.TB, path string, opts *bucketlite.Options) (*bucketlite.Store, *loss) {
	t.Helper()
	l := &loss{}
	st, err := bucketlite.Open(engine.WithCommitHook(context.Background(), l.commit), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st, l
}

var keptOrNot = map[string]bool{"kept": true, "gone": false}

// contentsOf is all that the calls change. The lists of a file's tables by themselves
// would do, were it not for what the background does to them.
func contentsOf(t *testing.T, f *fixture) string {
	t.Helper()
	db := raw(t, f.path)
	var all strings.Builder
	for _, query := range []string{
		"SELECT id, name, delete_task IS NULL FROM namespaces", "SELECT id, name, status, locked FROM buckets WHERE status <> 'IN_PROGRESS'",
		"SELECT id, key, fields, blobs FROM object", "SELECT id, status, hash FROM uploads", "SELECT id, status, total FROM batches",
		"SELECT id, type FROM tasks", "SELECT bucket, kind, path FROM indexes WHERE status <> 'DROPPING'",
	} {
		all.WriteString(dump(t, db, query+" ORDER BY 1"))
	}
	return all.String()
}

// The verdict on a call whose commit is lost is that nobody knows, whether it took
// effect or not. If the call is told anything else, that is what the file says.
func TestVerdictOnLostCommit(t *testing.T) {
	t.Parallel()
	for name, kept := range keptOrNot {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			original := newFixture(t)
			for _, name := range slices.Sorted(maps.Keys(calls)) {
				call := calls[name]
				if !call.writes {
					continue
				}
				path := copyFile(t, original)
				st, l := openLossy(t, path, nil)
				f := fixtureOf(t, st)
				f.path = path
				before := contentsOf(t, f)
				l.lose(1, kept)
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				err := call.do(ctx, f)
				cancel()
				struck := l.struck()
				if err := st.Close(); err != nil {
					t.Errorf("%s: close: %v", name, err)
				}
				f = openFixtureAgain(t, path)
				changed := contentsOf(t, f) != before
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
func openFixtureAgain(t *testing.T, path string) *fixture {
	t.Helper()
	return &fixture{st: openPath(t, path), path: path}
}

// manyInputs are enough for three slices of a batch, which are three commits.
func manyInputs() []bucketlite.ObjectInput {
	in := make([]bucketlite.ObjectInput, 600)
	for i := range in {
		in[i] = item(fmt.Sprintf("%03d", i), "v")
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
	bad[100] = item("bad", "v")
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
				st, l := openLossy(t, path, nil)
				b, in := items(t, st), tt.inputs
				if in == nil {
					b, in = films(t, st), streams(3)
				}
				execute(t, raw(t, path), `CREATE TRIGGER bad BEFORE INSERT ON object WHEN new.fields ->> '$.k' = 'bad'
					BEGIN SELECT RAISE(ABORT, 'test error'); END`)
				l.lose(tt.n, kept)
				r, err := b.PutMany(context.Background(), in, &bucketlite.PutManyOptions{Atomic: tt.atomic})
				if !l.struck() {
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
				again, err := namespace(t, openPath(t, path)).Bucket(context.Background(), b.Name())
				if err != nil {
					t.Fatal(err)
				}
				there := keysOf(t, again)
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
		in[i] = filmInput(fmt.Sprint(i), bytes.NewReader(film(uint64(i), mib)))
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
			st, l := openLossy(t, path, nil)
			b := items(t, st)
			id := createUpload(t, b, docUpload("k")).ID
			writeUpload(t, b, id, "document")
			l.lose(2, kept) // after that of the call
			task, err := b.ConfirmUploads(ctx, confirmations(id))
			if err != nil {
				t.Fatal(err)
			}
			if !eventually(l.spent) {
				t.Fatal("the task was not carried on")
			}
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
			st = openPath(t, path)
			ended, err := st.Wait(ctx, task.ID)
			if err != nil || ended.Status != bucketlite.StatusCompleted {
				t.Errorf("got %+v, %v, want the task completed", ended, err)
			}
			wantSound(t, path)
		})
	}
}

// spent reports whether the commit has failed.
func (l *loss) spent() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left == 0
}

// A call waits for another process once, however many writes it makes.
func TestBusyOnce(t *testing.T) {
	t.Parallel()
	const timeout = 200 * time.Millisecond
	path := filepath.Join(t.TempDir(), "a.db")
	st := openPath(t, path, &bucketlite.Options{BusyTimeout: timeout})
	b, f := items(t, st), films(t, st)
	release := foreignLock(t, path)
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
