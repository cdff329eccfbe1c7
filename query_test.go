package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"regexp"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// lists are the lists of a store, each of which yields ids by pages and one by one.
type lists struct {
	page map[string]func(q bucketlite.Query) (ids []string, next string, err error)
	each map[string]func(q bucketlite.Query) (ids []string, err error)
}

// newLists makes a store with n of everything, in two namespaces.
func newLists(t *testing.T, n int) *lists {
	t.Helper()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	l := &lists{
		page: make(map[string]func(q bucketlite.Query) ([]string, string, error)),
		each: make(map[string]func(q bucketlite.Query) ([]string, error)),
	}
	namespaceID := func(i *bucketlite.NamespaceInfo) string { return i.ID }
	taskID := func(i *bucketlite.Task) string { return i.ID }
	for i := range n {
		ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: fmt.Sprint(i)})
		if err != nil {
			t.Fatal(err)
		}
		for j := range n {
			b, err := ns.CreateBucket(ctx, storetest.ItemsConfig(fmt.Sprint("gone", j)))
			if err == nil {
				_, err = b.Delete(ctx)
			}
			if err != nil {
				t.Fatal(err)
			}
			if i > 1 {
				break
			}
			if b, err = ns.CreateBucket(ctx, storetest.ItemsConfig(fmt.Sprint(j))); err != nil {
				t.Fatal(err)
			}
			if j < 2 {
				storetest.PutItems(t, b, n, 1)
				for range n {
					storetest.CreateUpload(t, b, storetest.DocUpload("k"))
				}
				addList(l, fmt.Sprintf("uploads %d.%d", i, j), b.ListUploads, b.Uploads, func(u *bucketlite.Upload) string { return u.ID })
				addList(l, fmt.Sprintf("objects %d.%d", i, j), b.List, b.Objects, func(o *bucketlite.Object) string { return o.ID })
				var failing *bucketlite.Batch
				for range n {
					failing = storetest.CreateBatch(t, b, storetest.ObjectIDs(t, b)...)
				}
				addList(l, fmt.Sprintf("batches %d.%d", i, j), storetest.BatchPages(b), func(ctx context.Context, q bucketlite.Query) iter.Seq2[*bucketlite.Batch, error] {
					return b.Batches(ctx, bucketlite.BatchQuery{Query: q})
				}, func(k *bucketlite.Batch) string { return k.ID })
				if _, err := b.SubmitBatch(ctx, failing.ID); err != nil {
					t.Fatal(err)
				}
				addList(l, fmt.Sprintf("failed jobs %d.%d", i, j), func(ctx context.Context, q bucketlite.Query) (*bucketlite.Page[*bucketlite.FailedJob], error) {
					return b.ListFailedJobs(ctx, failing.ID, q)
				}, func(ctx context.Context, q bucketlite.Query) iter.Seq2[*bucketlite.FailedJob, error] {
					return b.FailedJobs(ctx, failing.ID, q)
				}, func(j *bucketlite.FailedJob) string { return j.ObjectID })
			}
		}
		if i < 2 {
			addList(l, fmt.Sprint("buckets ", i), ns.ListBuckets, ns.Buckets, func(i *bucketlite.BucketInfo) string { return i.ID })
		}
	}
	storetest.Process(t, st, func(context.Context, *bucketlite.Job) error {
		return &bucketlite.JobError{Message: "no", Permanent: true}
	}, bucketlite.ProcessOptions{})
	addList(l, "namespaces", st.ListNamespaces, st.Namespaces, namespaceID)
	for _, q := range []bucketlite.TaskQuery{{}, {Type: bucketlite.DeleteBucketTask}} {
		addList(l, fmt.Sprint("tasks ", q.Type),
			func(ctx context.Context, page bucketlite.Query) (*bucketlite.Page[*bucketlite.Task], error) {
				q.Query = page
				return st.ListTasks(ctx, q)
			},
			func(ctx context.Context, page bucketlite.Query) iter.Seq2[*bucketlite.Task, error] {
				q.Query = page
				return st.Tasks(ctx, q)
			}, taskID)
	}
	return l
}

func addList[T any, S ~func(func(T, error) bool)](l *lists, name string, page func(context.Context, bucketlite.Query) (*bucketlite.Page[T], error),
	each func(context.Context, bucketlite.Query) S, id func(T) string) {
	ctx := context.Background()
	l.page[name] = func(q bucketlite.Query) (ids []string, next string, err error) {
		p, err := page(ctx, q)
		if err != nil {
			return nil, "", err
		}
		for _, r := range p.Results {
			ids = append(ids, id(r))
		}
		return ids, p.Next, nil
	}
	l.each[name] = func(q bucketlite.Query) (ids []string, err error) {
		for r, err := range each(ctx, q) {
			if err != nil {
				return ids, err
			}
			ids = append(ids, id(r))
		}
		return ids, nil
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	const n = 6
	for name, page := range newLists(t, n).page {
		all, next, err := page(bucketlite.Query{})
		if err != nil || next != "" || len(all) < n || !slices.IsSorted(all) {
			t.Errorf("%s: got %q, %q, %v, want at least %d in order of creation", name, all, next, err, n)
		}
		for limit := 1; limit <= len(all)+1; limit++ {
			var got []string
			for q := (bucketlite.Query{Limit: limit}); ; {
				ids, next, err := page(q)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				got = append(got, ids...)
				if more := len(got) < len(all); more != (next != "") || more && len(ids) != limit {
					t.Fatalf("%s: after %d of %d: got page of %d and next %q", name, len(got), len(all), len(ids), next)
				}
				if next == "" {
					break
				}
				if !regexp.MustCompile("^[A-Za-z0-9_-]+$").MatchString(next) {
					t.Errorf("%s: cursor: got %q", name, next)
				}
				q.Cursor = next
			}
			if !slices.Equal(got, all) {
				t.Errorf("%s: pages of %d: got %q, want %q", name, limit, got, all)
			}
		}
	}
}

func TestEach(t *testing.T) {
	t.Parallel()
	lists := newLists(t, 6)
	for name, each := range lists.each {
		all, _, err := lists.page[name](bucketlite.Query{})
		if err != nil {
			t.Fatal(err)
		}
		_, cursor, err := lists.page[name](bucketlite.Query{Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			q    bucketlite.Query
			want []string
		}{
			{bucketlite.Query{}, all},
			{bucketlite.Query{Limit: 1}, all[:1]},
			{bucketlite.Query{Limit: len(all) - 1}, all[:len(all)-1]},
			{bucketlite.Query{Limit: len(all)}, all},
			{bucketlite.Query{Limit: 1001}, all},
			{bucketlite.Query{Limit: 1e9}, all},
			{bucketlite.Query{Cursor: cursor}, all[2:]},
			{bucketlite.Query{Cursor: cursor, Limit: 3}, all[2:5]},
		} {
			if got, err := each(tt.q); err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%s: %+v: got %q, %v, want %q", name, tt.q, got, err, tt.want)
			}
		}
		for _, q := range []bucketlite.Query{{Limit: -1}, {Limit: -1e9}, {Cursor: "x"}} {
			if got, err := each(q); got != nil || !errors.Is(err, bucketlite.ErrBadRequest) {
				t.Errorf("%s: %+v: got %q, %v, want ErrBadRequest", name, q, got, err)
			}
		}
	}
}

func TestEachOverPages(t *testing.T) {
	t.Parallel()
	b := storetest.Items(t, storetest.OpenMemory(t))
	storetest.PutItems(t, b, 1050, 1)
	for limit, want := range map[int]int{0: 1050, 99: 99, 100: 100, 101: 101, 200: 200, 1000: 1000, 1049: 1049, 1050: 1050, 1051: 1050, 1e9: 1050} {
		objects := b.Objects(context.Background(), bucketlite.Query{Limit: limit})
		for range 2 { // a sequence begins anew each time
			got := 0
			for o, err := range objects {
				if err != nil {
					t.Fatal(err)
				}
				if k := fmt.Sprint(got); o.Fields["k"] != k {
					t.Fatalf("limit %d: got key %v, want %s", limit, o.Fields["k"], k)
				}
				got++
			}
			if got != want {
				t.Errorf("limit %d: got %d objects, want %d", limit, got, want)
			}
		}
	}
}

// A sorted iteration reads larger pages.
func TestSortedEachOverPages(t *testing.T) {
	t.Parallel()
	b := storetest.Items(t, storetest.OpenMemory(t))
	storetest.PutItems(t, b, 1050, 1)
	var all []string
	for i := range 1050 {
		all = append(all, fmt.Sprint(i))
	}
	slices.Sort(all)
	slices.Reverse(all)
	for _, tt := range []struct{ limit, offset int }{{0, 0}, {1, 0}, {999, 0}, {1000, 0}, {1001, 0}, {1049, 0}, {1e9, 0}, {0, 7}, {1000, 7}, {1e9, 1049}, {0, 1050}, {0, 10_000}} {
		want := all[min(tt.offset, len(all)):]
		if tt.limit > 0 {
			want = want[:min(tt.limit, len(want))]
		}
		var got []string
		for o, err := range b.Objects(context.Background(), bucketlite.Query{Limit: tt.limit, Offset: tt.offset, Sort: []bucketlite.Sort{bucketlite.Desc("k")}, Total: true}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, o.Fields["k"].(string))
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d, offset %d: got %d objects, want %d", tt.limit, tt.offset, len(got), len(want))
		}
	}
}

func TestPageLimits(t *testing.T) {
	t.Parallel()
	for name, page := range newLists(t, 2).page {
		for limit, valid := range map[int]bool{0: true, 1: true, 1000: true, -1: false, 1001: false, 1e9: false, -1e9: false} {
			_, _, err := page(bucketlite.Query{Limit: limit})
			_, _, sortedErr := page(bucketlite.Query{Limit: limit, Sort: []bucketlite.Sort{bucketlite.Asc("created_at")}})
			for _, err := range []error{err, sortedErr} {
				if errors.Is(err, bucketlite.ErrBadRequest) == valid || valid && err != nil {
					t.Errorf("%s: limit %d: got %v, want it valid: %t", name, limit, err, valid)
				}
			}
		}
	}
	b := storetest.Items(t, storetest.OpenMemory(t))
	storetest.PutItems(t, b, 1001, 1)
	for limit, want := range map[int]int{0: 100, 1: 1, 999: 999, 1000: 1000} {
		page, err := b.List(context.Background(), bucketlite.Query{Limit: limit})
		if err != nil || len(page.Results) != want || page.Next == "" {
			t.Errorf("limit %d: got %d objects, %v, want %d", limit, len(page.Results), err, want)
		}
	}
}

func TestCursorRefused(t *testing.T) {
	t.Parallel()
	here, there := newLists(t, 3), newLists(t, 3)
	cursors := func(l *lists) map[string]string {
		cursors := make(map[string]string)
		for name, page := range l.page {
			_, next, err := page(bucketlite.Query{Limit: 1})
			if err != nil || next == "" {
				t.Fatalf("%s: got %q, %v", name, next, err)
			}
			cursors[name] = next
		}
		return cursors
	}
	refused := func(name, what, cursor string) {
		t.Helper()
		ids, next, err := here.page[name](bucketlite.Query{Cursor: cursor})
		if ids != nil || next != "" || !errors.Is(err, bucketlite.ErrBadRequest) {
			t.Errorf("%s: cursor of %s: got %q, %v, want ErrBadRequest", name, what, ids, err)
		}
	}
	own := cursors(here)
	for name := range here.page {
		for other, cursor := range own {
			if other != name {
				refused(name, other, cursor)
			}
		}
		for other, cursor := range cursors(there) {
			refused(name, other+" elsewhere", cursor)
		}
		cursor := own[name]
		for i := range len(cursor) {
			for _, c := range []string{"A", "B", "_", "-", "=", "+", "/", " ", "\n", "\x00", "é", ""} {
				if tampered := cursor[:i] + c + cursor[i+1:]; tampered != cursor {
					refused(name, fmt.Sprintf("itself with %q at %d", c, i), tampered)
				}
			}
			if i > 0 {
				refused(name, "itself, cut short", cursor[:i])
			}
		}
		for _, more := range []string{"A", "=", "==", "\n", "AAAA", cursor} {
			refused(name, "itself with more", cursor+more)
		}
	}
}

// A cursor outlives the object it points to, the store and its position in time.
func TestCursorStaysGood(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, 10, 1)
	page, err := b.List(ctx, bucketlite.Query{Limit: 4})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range page.Results {
		if err := b.DeleteObject(ctx, o.ID, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	b = storetest.ReopenItems(t, path)
	storetest.PutItem(t, b, storetest.Item("late", ""))
	var got []string
	for o, err := range b.Objects(ctx, bucketlite.Query{Cursor: page.Next}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.Fields["k"].(string))
	}
	if want := []string{"4", "5", "6", "7", "8", "9", "late"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Order is that of creation: not of ids, not of keys, and not touched by changes.
func TestOrderIsCreation(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.OpenMemory(t))
	want := []string{"z", "b", "0", "a", "Z", "_", "c"}
	for _, id := range want {
		in := storetest.Item("key of "+id, "")
		in.ID = id
		storetest.PutItem(t, b, in)
	}
	for _, id := range []string{"b", "z", "c"} {
		storetest.PutItem(t, b, storetest.Item("key of "+id, "replaced"))
		if _, err := b.Patch(ctx, id, bucketlite.ObjectInput{Fields: map[string]any{"k": "0 " + id}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.DeleteObject(ctx, "a", nil); err != nil {
		t.Fatal(err)
	}
	in := storetest.Item("key of a", "")
	in.ID = "a"
	storetest.PutItem(t, b, in)
	want = append(slices.DeleteFunc(want, func(id string) bool { return id == "a" }), "a")
	var got []string
	for o, err := range b.Objects(ctx, bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// While others insert and delete, paging returns nothing twice, and misses nothing that
// is there all the while.
func TestPagingAmidChanges(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for kind, st := range map[string]*bucketlite.Store{"file": storetest.Open(t, &bucketlite.Options{Durability: bucketlite.DurabilityNormal}), "memory": storetest.OpenMemory(t)} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := storetest.Items(t, st)
			const n = 300
			for i := range n { // stayers between those that come and go
				storetest.PutItem(t, b, storetest.Item(fmt.Sprint("stays", i), ""))
				storetest.PutItem(t, b, storetest.Item(fmt.Sprint("0-", i), ""))
			}
			var stop atomic.Bool
			defer stop.Store(true)
			ended := make(chan error, 1)
			go func() {
				ended <- storetest.AtOnce(4, func(g int) error {
					for i := 0; !stop.Load(); i++ {
						k := fmt.Sprint(g, "-", i%n)
						if err := deleteKey(b, k); err != nil && !errors.Is(err, bucketlite.ErrNotFound) {
							return err
						}
						if _, err := b.Put(ctx, storetest.Item(k, ""), nil); err != nil {
							return err
						}
					}
					return nil
				})
			}()
			for _, limit := range []int{1, 7, 100} {
				met := make(map[string]bool)
				stayers := make(map[string]int)
				for q := (bucketlite.Query{Limit: limit}); stayers[fmt.Sprint("stays", n-1)] == 0; {
					page, err := b.List(ctx, q)
					if err != nil {
						t.Fatal(err)
					}
					for _, o := range page.Results {
						if met[o.ID] {
							t.Fatalf("pages of %d: met %s twice", limit, o.ID)
						}
						met[o.ID] = true
						stayers[o.Fields["k"].(string)]++
					}
					if q.Cursor = page.Next; page.Next == "" {
						break
					}
				}
				for i := range n {
					if k := fmt.Sprint("stays", i); stayers[k] != 1 {
						t.Errorf("pages of %d: met %s %d times, want 1", limit, k, stayers[k])
					}
				}
			}
			stop.Store(true)
			if err := <-ended; err != nil {
				t.Error(err)
			}
			storetest.WantExact(t, b)
		})
	}
}

// No statement is open while a loop's body runs, so it may do what it likes.
func TestLoopMayWrite(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	const n = 250
	for _, tt := range []struct {
		name string
		body func(b *bucketlite.Bucket, o *bucketlite.Object) error
		met  int // objects
		left int64
	}{
		{"patch", func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			return storetest.ErrorOf(b.Patch(ctx, o.ID, bucketlite.ObjectInput{Fields: map[string]any{"v": "patched"}}, nil))
		}, n, n},
		{"move key", func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			return storetest.ErrorOf(b.Patch(ctx, o.ID, bucketlite.ObjectInput{Fields: map[string]any{"k": "moved " + o.ID}}, nil))
		}, n, n},
		{"replace", func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			return storetest.ErrorOf(b.Put(ctx, storetest.Item(o.Fields["k"].(string), "replaced"), nil))
		}, n, n},
		{"delete", func(b *bucketlite.Bucket, o *bucketlite.Object) error { return b.DeleteObject(ctx, o.ID, nil) }, n, 0},
		{"replace by a new one", func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			k := o.Fields["k"].(string)
			if k[0] == '+' {
				return nil
			}
			return errors.Join(b.DeleteObject(ctx, o.ID, nil), storetest.ErrorOf(b.Put(ctx, storetest.Item("+"+k, ""), nil)))
		}, 2 * n, n},
		{"read and loop", func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			return errors.Join(storetest.ErrorOf(b.Object(ctx, o.ID)), storetest.ErrorOf(b.Stats(ctx)), storetest.LastError(b.Objects(ctx, bucketlite.Query{Limit: 3})))
		}, n, n},
	} {
		for kind, st := range map[string]*bucketlite.Store{"file": storetest.Open(t, &bucketlite.Options{Durability: bucketlite.DurabilityNormal}), "memory": storetest.OpenMemory(t)} {
			t.Run(tt.name+", "+kind, func(t *testing.T) {
				t.Parallel()
				b := storetest.Items(t, st)
				storetest.PutItems(t, b, n, 1)
				met := 0
				for o, err := range b.Objects(ctx, bucketlite.Query{}) {
					if err == nil {
						err = tt.body(b, o)
					}
					if err != nil {
						t.Fatal(err)
					}
					met++
				}
				if got := storetest.MustStats(t, b).ObjectCount; met != tt.met || got != tt.left {
					t.Errorf("got %d objects met and %d left, want %d and %d", met, got, tt.met, tt.left)
				}
				storetest.WantExact(t, b)
			})
		}
	}
}

// A loop learns of a change of state, and of a context's end, at its next page.
func TestLoopEnds(t *testing.T) {
	t.Parallel()
	st := storetest.OpenMemory(t)
	for name, tt := range map[string]struct {
		do   func(b *bucketlite.Bucket, cancel func()) error
		want error
	}{
		"suspended": {func(b *bucketlite.Bucket, cancel func()) error { return b.Suspend(context.Background()) }, bucketlite.ErrNotActive},
		"cancelled": {func(b *bucketlite.Bucket, cancel func()) error { cancel(); return nil }, context.Canceled},
		"archived":  {func(b *bucketlite.Bucket, cancel func()) error { return b.Archive(context.Background()) }, nil},
		"locked":    {func(b *bucketlite.Bucket, cancel func()) error { return b.Lock(context.Background()) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := storetest.Bucket(t, st, storetest.ItemsConfig(name))
			storetest.PutItems(t, b, 250, 1)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			met := 0
			var end error
			for _, err := range b.Objects(ctx, bucketlite.Query{}) {
				if end = err; err != nil {
					continue
				}
				if met++; met == 1 {
					if err := tt.do(b, cancel); err != nil {
						t.Fatal(err)
					}
				}
			}
			if !errors.Is(end, tt.want) || tt.want == nil && met != 250 || met > 250 {
				t.Errorf("got %d objects and %v, want %v", met, end, tt.want)
			}
		})
	}
}

func TestEmptyPages(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	if page, err := st.ListNamespaces(ctx, bucketlite.Query{}); err != nil || len(page.Results) != 0 || page.Next != "" {
		t.Errorf("namespaces: got %+v, %v", page, err)
	}
	if page, err := st.ListTasks(ctx, bucketlite.TaskQuery{}); err != nil || len(page.Results) != 0 || page.Next != "" {
		t.Errorf("tasks: got %+v, %v", page, err)
	}
	if page, err := storetest.Namespace(t, st).ListBuckets(ctx, bucketlite.Query{}); err != nil || len(page.Results) != 0 || page.Next != "" {
		t.Errorf("buckets: got %+v, %v", page, err)
	}
	if page, err := storetest.Items(t, st).List(ctx, bucketlite.Query{}); err != nil || len(page.Results) != 0 || page.Next != "" {
		t.Errorf("objects: got %+v, %v", page, err)
	}
}
