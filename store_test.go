package bucketlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

func TestOptionsRefused(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]*bucketlite.Options{
		"unknown durability":     {Durability: 7},
		"negative durability":    {Durability: -1},
		"negative busy timeout":  {BusyTimeout: -1},
		"negative object bytes":  {MaxObjectBytes: -1},
		"negative content bytes": {MaxBlobBytes: -1},
		"negative page bytes":    {MaxPageBytes: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			st, err := bucketlite.Open(context.Background(), path, opts)
			if st != nil || !errors.Is(err, bucketlite.ErrBadRequest) {
				t.Errorf("got %v, %v, want ErrBadRequest", st, err)
			}
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("stat: got %v, want no file", err)
			}
		})
	}
}

func TestOptionsLimits(t *testing.T) {
	t.Parallel()
	// {"k":"k","v":""} is 16 bytes.
	withValue := func(size int) bucketlite.ObjectInput { return storetest.Item("k", strings.Repeat("v", size-16)) }
	withBlob := func(size int) bucketlite.ObjectInput { return storetest.ItemWithDoc("k", strings.Repeat("d", size)) }
	withData := func(size int) bucketlite.ObjectInput {
		in := storetest.Item("k", "")
		in.Blobs = []bucketlite.BlobInput{{Property: "doc", Data: "data:text/plain," + strings.Repeat("d", size)}}
		return in
	}
	small := &bucketlite.Options{MaxObjectBytes: 100, MaxBlobBytes: 100}
	for name, tt := range map[string]struct {
		opts *bucketlite.Options
		in   bucketlite.ObjectInput
		want error
	}{
		"default, largest object":    {nil, withValue(16 << 20), nil},
		"default, too large object":  {nil, withValue(16<<20 + 1), bucketlite.ErrTooLarge},
		"default, streamed blob":     {nil, withBlob(33 << 20), nil},
		"default, largest data":      {nil, withData(32 << 20), nil},
		"default, too large data":    {nil, withData(32<<20 + 1), bucketlite.ErrTooLarge},
		"given, largest object":      {small, withValue(100), nil},
		"given, too large object":    {small, withValue(101), bucketlite.ErrTooLarge},
		"given, largest blob":        {small, withBlob(100), nil},
		"given, too large blob":      {small, withBlob(101), bucketlite.ErrTooLarge},
		"zero options are defaults":  {&bucketlite.Options{}, withValue(1 << 20), nil},
		"relaxed durability":         {&bucketlite.Options{Durability: bucketlite.DurabilityNormal}, withValue(100), nil},
		"others do not touch limits": {&bucketlite.Options{BusyTimeout: time.Second}, withBlob(1 << 20), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := storetest.Items(t, storetest.OpenMemory(t, tt.opts))
			if _, err := b.Put(context.Background(), tt.in, nil); !errors.Is(err, tt.want) {
				t.Errorf("put: got %v, want %v", err, tt.want)
			}
			storetest.WantExact(t, b)
		})
	}
}

func TestOptionsAreCopied(t *testing.T) {
	t.Parallel()
	opts := &bucketlite.Options{MaxObjectBytes: 100}
	st := storetest.OpenMemory(t, opts)
	opts.MaxObjectBytes = 1
	storetest.PutItem(t, storetest.Items(t, st), storetest.Item("k", "v"))
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := t.TempDir()
	file := func(name string, make func(path string)) string {
		path := filepath.Join(dir, name)
		make(path)
		return path
	}
	statement := func(query string) func(string) {
		return func(path string) {
			if _, err := storetest.OpenRaw(t, path).Exec(query); err != nil {
				t.Fatal(err)
			}
		}
	}
	newer := file("newer.db", func(path string) {
		st, err := bucketlite.Open(ctx, path, nil)
		if err == nil {
			err = st.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		statement("PRAGMA user_version = 1000")(path)
	})
	noError := errors.New("any")
	for name, tt := range map[string]struct {
		path string
		opts *bucketlite.Options
		want error
	}{
		"database of another application": {file("stranger.db", statement("CREATE TABLE t (a)")), nil, bucketlite.ErrNotAStore},
		"no database": {file("text.db", func(path string) {
			if err := os.WriteFile(path, bytes.Repeat([]byte("text\n"), 1000), 0o666); err != nil {
				t.Fatal(err)
			}
		}), nil, bucketlite.ErrNotAStore},
		"newer":                    {newer, nil, bucketlite.ErrNewFormat},
		"newer, read-only":         {newer, &bucketlite.Options{ReadOnly: true}, bucketlite.ErrNewFormat},
		"older, read-only":         {"testdata/formats/1.db", &bucketlite.Options{ReadOnly: true}, bucketlite.ErrOldFormat},
		"directory":                {dir, nil, noError},
		"no such directory":        {filepath.Join(dir, "none", "test.db"), nil, fs.ErrNotExist},
		"no such file, read-only":  {filepath.Join(dir, "none.db"), &bucketlite.Options{ReadOnly: true}, fs.ErrNotExist},
		"memory, read-only":        {":memory:", &bucketlite.Options{ReadOnly: true}, noError},
		"empty path":               {"", nil, noError},
		"path with NUL":            {filepath.Join(dir, "a\x00b"), nil, noError},
		"question mark in its way": {filepath.Join(dir, "none?", "a.db"), nil, fs.ErrNotExist},
	} {
		t.Run(name, func(t *testing.T) {
			before, _ := os.ReadFile(tt.path)
			st, err := bucketlite.Open(ctx, tt.path, tt.opts)
			if st != nil || err == nil || tt.want != noError && !errors.Is(err, tt.want) {
				t.Fatalf("got %v, %v, want error %v", st, err, tt.want)
			}
			if quoted := fmt.Sprintf("%q", tt.path); !strings.Contains(err.Error(), quoted) || !strings.HasPrefix(err.Error(), "bucketlite: ") {
				t.Errorf("message: got %q, want it to name %s and the package", err, quoted)
			}
			if after, _ := os.ReadFile(tt.path); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestOpenCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	path := filepath.Join(t.TempDir(), "test.db")
	if _, err := bucketlite.Open(ctx, path, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat: got %v, want no file", err)
	}
}

// With a clock and a source of entropy of one's own, everything a store makes up
// by itself can be foretold.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for range 2 {
		st := storetest.OpenMemory(t, &bucketlite.Options{Now: storetest.NewManualClock().Now, Entropy: rand.NewChaCha8([32]byte{1})})
		b := storetest.Items(t, st)
		o := storetest.PutItem(t, b, storetest.ItemWithDoc("k", "text"))
		info, err := b.Info(ctx)
		if err != nil {
			t.Fatal(err)
		}
		task, err := b.Delete(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{
			storetest.Namespace(t, st).ID(), b.ID(), o.ID, o.Blobs[0].ID, task.ID,
			info.CreatedAt.Format(time.RFC3339Nano), info.UpdatedAt.Format(time.RFC3339Nano), info.LastUploadAt.Format(time.RFC3339Nano),
			o.CreatedAt.Format(time.RFC3339Nano), o.UpdatedAt.Format(time.RFC3339Nano), task.CreatedAt.Format(time.RFC3339Nano),
		}
		at := "2024-05-06T07:08:09.123456Z"
		want := []string{
			"ns_01HX6BPE13DBK7GFTFQSVVZRJ4", "bkt_01HX6BPE13DBK7GFTFQXESPAGQ", "obj_01HX6BPE13DBK7GFTFR2BZ5389",
			"blob_01HX6BPE13DBK7GFTFQZBC0P50", "task_01HX6BPE13DBK7GFTFR3EHGMP9",
			at, at, at, at, at, at,
		}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

func TestIDsRise(t *testing.T) {
	t.Parallel()
	// The first number of each millisecond is all ones, so the second overflows.
	ones := &bytes.Buffer{}
	ones.Write(bytes.Repeat([]byte{0xff}, 10))
	for name, tt := range map[string]struct {
		step    time.Duration
		entropy io.Reader
	}{
		"clock moves":               {time.Millisecond, nil},
		"clock stands still":        {0, nil},
		"clock goes back":           {-time.Hour, nil},
		"clock goes far back":       {-20 * 365 * 24 * time.Hour, nil},
		"millisecond's ids used up": {0, io.MultiReader(ones, rand.NewChaCha8([32]byte{}))},
		"no entropy to speak of":    {0, zeros{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := storetest.NewManualClock()
			b := storetest.Bucket(t, storetest.OpenMemory(t, &bucketlite.Options{Now: c.Now, Entropy: tt.entropy}), bucketlite.BucketConfig{})
			before := ""
			for range 50 {
				c.Add(tt.step)
				id := storetest.PutItem(t, b, bucketlite.ObjectInput{}).ID
				if id <= before {
					t.Fatalf("got %s after %s", id, before)
				}
				before = id
			}
		})
	}
}

func TestIDsRiseInEachGoroutine(t *testing.T) {
	t.Parallel()
	st := storetest.OpenMemory(t)
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{})
	const goroutines, puts = 8, 50
	ids := make([][]string, goroutines)
	err := storetest.AtOnce(goroutines, func(g int) error {
		for range puts {
			res, err := b.Put(context.Background(), bucketlite.ObjectInput{}, nil)
			if err != nil {
				return err
			}
			ids[g] = append(ids[g], res.Object.ID)
		}
		if !slices.IsSorted(ids[g]) {
			return fmt.Errorf("ids: got %q, want them to rise", ids[g])
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	all := slices.Concat(ids...)
	slices.Sort(all)
	if got, want := len(slices.Compact(all)), goroutines*puts; got != want {
		t.Errorf("distinct ids: got %d, want %d", got, want)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestEntropyFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	_, err := bucketlite.Open(context.Background(), ":memory:", &bucketlite.Options{Entropy: failingReader{broken}})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

func TestCloseTwice(t *testing.T) {
	t.Parallel()
	for name, st := range map[string]*bucketlite.Store{"file": storetest.Open(t), "memory": storetest.OpenMemory(t)} {
		for range 3 {
			if err := st.Close(); err != nil {
				t.Errorf("%s: got %v, want nil", name, err)
			}
		}
	}
}

// Close must not wait for a caller's loop, and the loop must learn of it.
func TestCloseEndsIterators(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, n := range []int{3, 250} {
		for name, st := range map[string]*bucketlite.Store{"file": storetest.Open(t), "memory": storetest.OpenMemory(t)} {
			t.Run(fmt.Sprint(name, " ", n), func(t *testing.T) {
				t.Parallel()
				b := storetest.Items(t, st)
				storetest.PutItems(t, b, n, 1)
				met := 0
				var end error
				for _, err := range b.Objects(ctx, bucketlite.Query{}) {
					if err != nil {
						end = err
						continue
					}
					if met++; met == 2 {
						if err := st.Close(); err != nil {
							t.Error(err)
						}
					}
				}
				if met != 2 || !errors.Is(end, bucketlite.ErrClosed) {
					t.Errorf("got %d objects and %v, want 2 and ErrClosed", met, end)
				}
			})
		}
	}
}

func TestCloseEndsWait(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.HoldTasks(t, path)
	task, err := b.Delete(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := st.Wait(context.Background(), task.ID)
		ended <- err
	}()
	if err := st.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, bucketlite.ErrClosed) {
		t.Errorf("wait: got %v, want ErrClosed", err)
	}
}

// Every put that Close overtakes either was stored or says that it was not.
func TestCloseAmidPuts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	const goroutines = 8
	acknowledged := make([][]string, goroutines)
	begun := make(chan struct{}, goroutines)
	done := make(chan error)
	go func() {
		done <- storetest.AtOnce(goroutines, func(g int) error {
			for i := 0; ; i++ {
				k := fmt.Sprintf("%d-%d", g, i)
				if _, err := b.Put(context.Background(), storetest.Item(k, ""), nil); errors.Is(err, bucketlite.ErrClosed) {
					return nil
				} else if err != nil {
					return err
				}
				if acknowledged[g] = append(acknowledged[g], k); i == 5 {
					begun <- struct{}{}
				}
			}
		})
	}()
	for range goroutines {
		<-begun
	}
	if err := st.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	want := slices.Concat(acknowledged...)
	slices.Sort(want)
	if got := storetest.ItemKeys(t, storetest.ReopenItems(t, path)); !slices.Equal(got, want) {
		t.Errorf("got %d keys, want the %d that were acknowledged", len(got), len(want))
	}
	storetest.WantSound(t, path)
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	ctx := context.Background()
	for name, path := range map[string]string{"file": filepath.Join(t.TempDir(), "test.db"), "memory": ":memory:"} {
		before := runtime.NumGoroutine()
		st, err := bucketlite.Open(ctx, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		b := storetest.Items(t, st)
		storetest.PutItems(t, b, 1000, 10)
		if _, err := b.Delete(ctx); err != nil {
			t.Fatal(err)
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		if !storetest.GoroutinesFallTo(before) {
			t.Errorf("%s: goroutines: got %d, want %d", name, runtime.NumGoroutine(), before)
		}
	}
}

// Every method that reads or writes is in calls, so that none is forgotten by
// the tests that go through them.
func TestCallsAreComplete(t *testing.T) {
	t.Parallel()
	// These use only their receiver and their arguments.
	pure := []string{"Store.Close", "Namespace.ID", "Namespace.Name", "Namespace.String",
		"Bucket.ID", "Bucket.Name", "Bucket.String", "Bucket.UniqueKey", "Bucket.Validate",
		"Bucket.PutChange", "Bucket.PatchChange", "Bucket.DeleteChange",
		"Store.Err",     // it has no context, and tests of its own
		"Store.Process"} // it runs for as long as it can, and has tests of its own
	for _, v := range []any{&bucketlite.Store{}, &bucketlite.Namespace{}, &bucketlite.Bucket{}} {
		typ := reflect.TypeOf(v)
		for i := range typ.NumMethod() {
			name := typ.Elem().Name() + "." + typ.Method(i).Name
			if _, ok := storetest.Calls[name]; !ok && !slices.Contains(pure, name) {
				t.Errorf("%s is not in calls", name)
			}
		}
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := storetest.OpenFixture(t, storetest.NewFixture(t), nil)
	if err := f.Store.Close(); err != nil {
		t.Fatal(err)
	}
	for name, call := range storetest.Calls {
		if err := call.Do(ctx, f); !errors.Is(err, bucketlite.ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", name, err)
		}
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := storetest.NewFixture(t)
	f := storetest.OpenFixture(t, path, &bucketlite.Options{ReadOnly: true})
	before := storetest.Snapshot(t, f.Bucket)
	for name, call := range storetest.Calls {
		want := error(nil)
		if call.Writes {
			want = bucketlite.ErrReadOnly
		}
		if err := call.Do(ctx, f); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
	storetest.WantSnapshot(t, f.Bucket, before)
	// It sees what others write meanwhile.
	storetest.PutItem(t, storetest.ReopenItems(t, path), storetest.Item("new", ""))
	if _, err := f.Bucket.ObjectByKey(ctx, map[string]any{"k": "new"}); err != nil {
		t.Error(err)
	}
}

func TestCancelledBefore(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f := storetest.OpenFixture(t, storetest.NewFixture(t), nil)
	before := storetest.Snapshot(t, f.Bucket)
	for name, call := range storetest.Calls {
		if err := call.Do(ctx, f); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want %v", name, err, context.Canceled)
		}
	}
	storetest.WantSnapshot(t, f.Bucket, before)
}

// The calls do succeed if nothing is in the way.
func TestCallsSucceed(t *testing.T) {
	t.Parallel()
	path := storetest.NewFixture(t)
	for name, call := range storetest.Calls {
		if err := call.Do(context.Background(), storetest.OpenFixture(t, storetest.CopyFile(t, path), nil)); err != nil {
			t.Errorf("%s: got %v, want nil", name, err)
		}
	}
}

// Err says why a store takes no more writes, and only then.
func TestErr(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	readOnly := bucketlite.Options{ReadOnly: true}
	bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Path: path})
	var faults bucketlitetest.Faults
	tests := []struct {
		name string
		open *bucketlitetest.Options
		do   func(*bucketlite.Store)
		want error
	}{
		{"open", nil, func(*bucketlite.Store) {}, nil},
		{"memory", &bucketlitetest.Options{Path: ":memory:"}, func(*bucketlite.Store) {}, nil},
		{"read-only", &bucketlitetest.Options{Path: path, Store: &readOnly}, func(*bucketlite.Store) {}, nil},
		{"closed", nil, func(st *bucketlite.Store) { st.Close() }, bucketlite.ErrClosed},
		{"outcome unknown", &bucketlitetest.Options{Faults: &faults}, func(st *bucketlite.Store) {
			faults.LoseCommit(1, true)
			st.CreateNamespace(context.Background(), bucketlite.NamespaceConfig{Name: "lost"})
		}, bucketlite.ErrReadOnly},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			st := bucketlitetest.NewStoreWith(t, test.open)
			if err := st.Err(); err != nil {
				t.Errorf("before: got %v, want nil", err)
			}
			test.do(st)
			if err := st.Err(); !errors.Is(err, test.want) || test.want != nil && !strings.HasPrefix(err.Error(), "bucketlite: ") {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// A file with two names is refused unless that is allowed.
func TestAllowLinks(t *testing.T) {
	t.Parallel()
	path := storetest.NewFixture(t)
	if err := os.Link(path, path+".link"); err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{false, true} {
		st, err := bucketlite.Open(t.Context(), path, &bucketlite.Options{ReadOnly: readOnly})
		if err == nil && runtime.GOOS != "windows" {
			st.Close()
			t.Errorf("read-only %t: got no error, want one", readOnly)
		}
		st, err = bucketlite.Open(t.Context(), path, &bucketlite.Options{ReadOnly: readOnly, AllowLinks: true})
		if err != nil {
			t.Fatalf("read-only %t, allowed: %v", readOnly, err)
		}
		st.Close()
	}
}
