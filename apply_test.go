package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// shop is a store with three buckets: items and notes have the unique key k, logs have none.
type shop struct {
	*bucketlite.Store
	items, notes, logs *bucketlite.Bucket
}

func openShop(t testing.TB, st *bucketlite.Store) *shop {
	t.Helper()
	logs := storetest.ItemsConfig("logs")
	logs.UniqueKey = nil
	return &shop{st, storetest.Items(t, st), storetest.Bucket(t, st, storetest.ItemsConfig("notes")), storetest.Bucket(t, st, logs)}
}

func (s *shop) buckets() []*bucketlite.Bucket {
	return []*bucketlite.Bucket{s.items, s.notes, s.logs}
}

// seen returns everything that can be seen of the shop.
func (s *shop) seen(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	for _, bucket := range s.buckets() {
		fmt.Fprintln(&b, storetest.Snapshot(t, bucket))
	}
	stats, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&b, "content", stats.ContentBytes, "events", storetest.EventCursor(t, s.Store))
	return b.String()
}

// wantSeen fails unless the shop is as it was.
func (s *shop) wantSeen(t testing.TB, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(s.seen(t), "\n")); diff != "" {
		t.Errorf("the store changed (-before +after):\n%s", diff)
	}
}

// item is an input with the id and the key.
func item(id, v string) bucketlite.ObjectInput {
	in := storetest.Item(id, v)
	in.ID = id
	return in
}

// setV is an input that sets v.
func setV(v string) bucketlite.ObjectInput {
	return bucketlite.ObjectInput{Fields: map[string]any{"v": v}}
}

// put stores an item with the id and the value "old" and returns its version.
func put(t testing.TB, b *bucketlite.Bucket, id string) int64 {
	t.Helper()
	return storetest.Put(t, b, item(id, "old"), bucketlite.Insert).Version
}

// Every change sees those before it, and each result is the object as that change left it.
func TestApplyInOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		changes func(s *shop) []bucketlite.Change
		results string
		objects string
	}{
		{"nothing", func(s *shop) []bucketlite.Change { return nil }, "", "items: a=old | notes: | logs:"},
		{"one of each", func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{
				s.items.PatchChange("a", setV("new"), nil),
				s.notes.PutChange(item("n", "note"), nil),
				s.logs.PutChange(item("l", "log"), nil),
			}
		}, "a=new, n=note created, l=log created", "items: a=new | notes: n=note | logs: l=log"},
		{"put, then patch", func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.notes.PutChange(item("n", "1"), nil), s.notes.PatchChange("n", setV("2"), nil)}
		}, "n=1 created, n=2", "items: a=old | notes: n=2 | logs:"},
		{"patch after patch", func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{
				s.items.PatchChange("a", bucketlite.ObjectInput{Fields: map[string]any{"n": 1}}, nil),
				s.items.PatchChange("a", setV("2"), nil),
				s.items.PatchChange("a", bucketlite.ObjectInput{Fields: map[string]any{"n": nil}}, nil),
				s.items.PatchChange("a", setV("3"), nil),
			}
		}, "a=old, a=2, a=2, a=3", "items: a=3 | notes: | logs:"},
		{"delete, then put of the same key", func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{
				s.items.DeleteChange("a", nil),
				s.items.PutChange(bucketlite.ObjectInput{ID: "b", Fields: map[string]any{"k": "a", "v": "1"}}, &bucketlite.PutOptions{IfAbsent: true}),
			}
		}, "-, b=1 created", "items: b=1 | notes: | logs:"},
		{"put of the same key twice", func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.items.PutChange(storetest.Item("a", "1"), nil), s.items.PutChange(storetest.Item("a", "2"), nil)}
		}, "a=1, a=2", "items: a=2 | notes: | logs:"},
		{"put, then delete", func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.logs.PutChange(item("l", "1"), nil), s.logs.DeleteChange("l", nil)}
		}, "l=1 created, -", "items: a=old | notes: | logs:"},
		{"a key moves to another object", func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{
				s.items.PatchChange("a", bucketlite.ObjectInput{Fields: map[string]any{"k": "z"}}, nil),
				s.items.PutChange(bucketlite.ObjectInput{ID: "b", Fields: map[string]any{"k": "a", "v": "1"}}, nil),
			}
		}, "a=old, b=1 created", "items: a=old, b=1 | notes: | logs:"},
		{"a patch that is valid only after an earlier change", func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{
				s.items.DeleteChange("a", nil),
				s.items.PutChange(item("a", "1"), nil),
				s.items.PatchChange("a", bucketlite.ObjectInput{Fields: map[string]any{"v": "2", "status": "DRAFT"}}, nil),
			}
		}, "-, a=1 created, a=2", "items: a=2 | notes: | logs:"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := openShop(t, storetest.OpenMemory(t))
			storetest.IndexItems(t, s.items)
			put(t, s.items, "a")
			results, err := s.Apply(t.Context(), test.changes(s)...)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range results {
				switch {
				case r.Object == nil:
					got = append(got, "-")
				case r.Created:
					got = append(got, fmt.Sprintf("%s=%s created", r.Object.ID, r.Object.Fields["v"]))
				default:
					got = append(got, fmt.Sprintf("%s=%s", r.Object.ID, r.Object.Fields["v"]))
				}
			}
			if got := strings.Join(got, ", "); got != test.results {
				t.Errorf("results: got %s, want %s", got, test.results)
			}
			if got := s.objects(t); got != test.objects {
				t.Errorf("objects: got %s, want %s", got, test.objects)
			}
			storetest.WantNoProblem(t, s.Store)
		})
	}
}

// objects returns the ids and values of the objects of each bucket.
func (s *shop) objects(t testing.TB) string {
	t.Helper()
	var all []string
	for _, b := range s.buckets() {
		var list []string
		for o, err := range b.Objects(t.Context(), bucketlite.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, fmt.Sprintf("%s=%v", o.ID, o.Fields["v"]))
		}
		all = append(all, strings.TrimSpace(b.Name()+": "+strings.Join(list, ", ")))
	}
	return strings.Join(all, " | ")
}

// A set that is refused has no effect on any bucket, and names the change.
func TestApplyRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 200_000)
	other := openShop(t, storetest.OpenMemory(t))
	tests := []struct {
		name    string
		prepare func(t *testing.T, s *shop)
		changes func(s *shop) []bucketlite.Change
		index   int
		want    error
	}{
		{name: "an invalid object", changes: func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.notes.PutChange(item("n", ""), nil), s.items.PutChange(bucketlite.ObjectInput{Fields: map[string]any{"k": "x", "n": "one"}}, nil)}
		}, index: 1, want: bucketlite.ErrInvalid},
		{name: "an invalid patch", changes: func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.notes.PutChange(item("n", ""), nil), s.items.PatchChange("a", bucketlite.ObjectInput{Fields: map[string]any{"n": "one"}}, nil)}
		}, index: 1, want: bucketlite.ErrInvalid},
		{name: "an invalid patch of a new object", changes: func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.notes.PutChange(item("n", ""), nil), s.notes.PatchChange("n", bucketlite.ObjectInput{Fields: map[string]any{"n": "one"}}, nil)}
		}, index: 1, want: bucketlite.ErrInvalid},
		{name: "a missing object", changes: func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.items.PutChange(item("a", "1"), nil), s.items.PatchChange("x", setV("1"), nil)}
		}, index: 1, want: bucketlite.ErrNotFound},
		{name: "an object that is deleted", changes: func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.items.DeleteChange("a", nil), s.notes.PutChange(item("n", ""), nil), s.items.DeleteChange("a", nil)}
		}, index: 2, want: bucketlite.ErrNotFound},
		{name: "a patch of what is deleted", changes: func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.items.DeleteChange("a", nil), s.items.PatchChange("a", setV("1"), nil)}
		}, index: 1, want: bucketlite.ErrNotFound},
		{name: "a key that an earlier change has taken", changes: func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.notes.PutChange(item("n", ""), nil), s.notes.PutChange(storetest.Item("n", ""), &bucketlite.PutOptions{IfAbsent: true})}
		}, index: 1, want: bucketlite.ErrExists},
		{name: "policy update of a free key", changes: func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.items.PatchChange("a", setV("1"), nil), s.notes.PutChange(item("n", ""), &bucketlite.PutOptions{Policy: bucketlite.Update})}
		}, index: 1, want: bucketlite.ErrNotFound},
		{name: "guards that exclude each other", changes: func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.notes.PutChange(item("n", ""), &bucketlite.PutOptions{IfAbsent: true, IfVersion: 1})}
		}, index: 0, want: bucketlite.ErrBadRequest},
		{name: "a locked bucket", prepare: func(t *testing.T, s *shop) { storetest.Must(t, s.logs.Lock(t.Context())) },
			changes: func(s *shop) []bucketlite.Change {
				return []bucketlite.Change{s.items.DeleteChange("a", nil), s.notes.PutChange(item("n", ""), nil), s.logs.PutChange(item("l", ""), nil)}
			}, index: 2, want: bucketlite.ErrLocked},
		{name: "an archived bucket", prepare: func(t *testing.T, s *shop) { storetest.Must(t, s.logs.Archive(t.Context())) },
			changes: func(s *shop) []bucketlite.Change {
				return []bucketlite.Change{s.items.PatchChange("a", setV("1"), nil), s.logs.PatchChange("l", setV("1"), nil)}
			}, index: 1, want: bucketlite.ErrNotActive},
		{name: "a bucket of another store", changes: func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.items.DeleteChange("a", nil), other.notes.PutChange(item("n", ""), nil)}
		}, index: 1, want: bucketlite.ErrBadRequest},
		{name: "an empty change", changes: func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.items.DeleteChange("a", nil), {}}
		}, index: 1, want: bucketlite.ErrBadRequest},
		{name: "content of a reader, then a missing object", changes: func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.notes.PutChange(storetest.ItemWithDoc("n", long), nil), s.items.DeleteChange("x", nil)}
		}, index: 1, want: bucketlite.ErrNotFound},
		{name: "a reader that fails", changes: func(s *shop) []bucketlite.Change {
			broken := storetest.Item("b", "")
			broken.Blobs = []bucketlite.BlobInput{{Property: "doc", Reader: brokenReader{}}}
			return []bucketlite.Change{s.items.DeleteChange("a", nil), s.notes.PutChange(storetest.ItemWithDoc("n", long), nil), s.notes.PutChange(broken, nil)}
		}, index: 2, want: errBroken},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := openShop(t, storetest.OpenMemory(t))
			storetest.IndexItems(t, s.items)
			put(t, s.items, "a")
			if test.prepare != nil {
				test.prepare(t, s)
			}
			before := s.seen(t)
			results, err := s.Apply(t.Context(), test.changes(s)...)
			storetest.WantError(t, err, test.want)
			var at *bucketlite.ChangeError
			if !errors.As(err, &at) || at.Index != test.index {
				t.Errorf("got error %v, want a ChangeError of change %d", err, test.index)
			} else if prefix := fmt.Sprintf("bucketlite: changes[%d]: ", test.index); !strings.HasPrefix(err.Error(), prefix) || strings.Count(err.Error(), "bucketlite: ") > 1 {
				t.Errorf("got text %q, want it to begin with %q and to say bucketlite once", err, prefix)
			}
			if results != nil {
				t.Errorf("got results %v, want none", results)
			}
			s.wantSeen(t, before)
			// The counts continue from the stored ones.
			for _, b := range s.buckets() {
				storetest.Must(t, errors.Join(b.Unlock(t.Context()), b.Activate(t.Context())))
				put(t, b, "after")
				storetest.Snapshot(t, b)
			}
			storetest.WantNoProblem(t, s.Store)
		})
	}
}

var errBroken = errors.New("broken")

type brokenReader struct{}

func (brokenReader) Read(p []byte) (int, error) { return 0, errBroken }

// A version guards an object against all others, but not against the set itself.
func TestApplyGuards(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		changes func(s *shop, version int64) []bucketlite.Change
		index   int // of the change that is refused, or -1
		text    string
	}{
		{"patches of one object", func(s *shop, v int64) []bucketlite.Change {
			return []bucketlite.Change{
				s.items.PatchChange("a", setV("1"), &bucketlite.PatchOptions{IfVersion: v}),
				s.items.PatchChange("a", setV("2"), &bucketlite.PatchOptions{IfVersion: v}),
				s.items.PutChange(storetest.Item("a", "3"), &bucketlite.PutOptions{IfVersion: v}),
				s.items.DeleteChange("a", &bucketlite.DeleteObjectOptions{IfVersion: v}),
			}
		}, -1, ""},
		{"a guard after a change without", func(s *shop, v int64) []bucketlite.Change {
			return []bucketlite.Change{
				s.items.PutChange(storetest.Item("a", "1"), nil),
				s.items.PatchChange("a", setV("2"), &bucketlite.PatchOptions{IfVersion: v}),
			}
		}, -1, ""},
		{"a stale patch", func(s *shop, v int64) []bucketlite.Change {
			return []bucketlite.Change{s.notes.PutChange(item("n", ""), nil), s.items.PatchChange("a", setV("1"), &bucketlite.PatchOptions{IfVersion: v - 1})}
		}, 1, "has version 2, not 1"},
		{"a stale put", func(s *shop, v int64) []bucketlite.Change {
			return []bucketlite.Change{s.notes.PutChange(item("n", ""), nil), s.items.PutChange(storetest.Item("a", "1"), &bucketlite.PutOptions{IfVersion: v - 1})}
		}, 1, "has version 2, not 1"},
		{"a stale deletion", func(s *shop, v int64) []bucketlite.Change {
			return []bucketlite.Change{s.notes.PutChange(item("n", ""), nil), s.items.DeleteChange("a", &bucketlite.DeleteObjectOptions{IfVersion: v - 1})}
		}, 1, "has version 2, not 1"},
		{"a stale guard after a change", func(s *shop, v int64) []bucketlite.Change {
			return []bucketlite.Change{s.items.PatchChange("a", setV("1"), nil), s.items.PatchChange("a", setV("2"), &bucketlite.PatchOptions{IfVersion: v - 1})}
		}, 1, "had version 2 before the set, not 1"},
		{"the version that only the set has seen", func(s *shop, v int64) []bucketlite.Change {
			return []bucketlite.Change{s.items.PatchChange("a", setV("1"), nil), s.items.PatchChange("a", setV("2"), &bucketlite.PatchOptions{IfVersion: v + 1})}
		}, 1, "had version 2 before the set, not 3"},
		{"a guard on a new object", func(s *shop, v int64) []bucketlite.Change {
			return []bucketlite.Change{s.notes.PutChange(item("n", ""), nil), s.notes.DeleteChange("n", &bucketlite.DeleteObjectOptions{IfVersion: 1})}
		}, 1, "is new in the set"},
		{"a guard on a deleted object", func(s *shop, v int64) []bucketlite.Change {
			return []bucketlite.Change{
				s.items.PatchChange("a", setV("1"), nil), s.items.DeleteChange("a", nil),
				s.items.PutChange(storetest.Item("a", "1"), &bucketlite.PutOptions{IfVersion: v}),
			}
		}, 2, "IfVersion is 2, but an earlier change has deleted the object"},
		{"a guard of one bucket in another", func(s *shop, v int64) []bucketlite.Change {
			return []bucketlite.Change{s.items.PatchChange("a", setV("1"), nil), s.notes.PatchChange("n", setV("1"), &bucketlite.PatchOptions{IfVersion: v})}
		}, 1, "has version 1, not 2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := openShop(t, storetest.OpenMemory(t))
			put(t, s.items, "first")
			v := put(t, s.items, "a")
			if strings.Contains(test.name, "another") {
				put(t, s.notes, "n")
			}
			before := s.seen(t)
			_, err := s.Apply(t.Context(), test.changes(s, v)...)
			if test.index < 0 {
				storetest.Must(t, err)
				return
			}
			var at *bucketlite.ChangeError
			var conflict *bucketlite.ConflictError
			if !errors.As(err, &at) || at.Index != test.index || !errors.As(err, &conflict) || !conflict.Version || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got error %v, want a conflict of versions of change %d with %q", err, test.index, test.text)
			}
			s.wantSeen(t, before)
		})
	}
}

// The events of a set have consecutive numbers, even if others write beside it.
func TestApplyEvents(t *testing.T) {
	t.Parallel()
	s := openShop(t, storetest.OpenMemory(t))
	start := storetest.EventCursor(t, s.Store)
	storetest.Must(t, storetest.AtOnce(8, func(i int) error {
		for n := range 10 {
			id := fmt.Sprintf("%d-%d", i, n)
			_, err := s.Apply(context.Background(), s.items.PutChange(item(id, ""), nil), s.notes.PutChange(item(id, ""), nil), s.logs.PutChange(item(id, ""), nil))
			if err == nil {
				_, err = s.logs.Put(context.Background(), item("x"+id, ""), nil)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
	events := storetest.EventsAfter(t, s.Store, start)
	sets := 0
	for i, e := range events {
		if e.BucketID != s.items.ID() {
			continue
		}
		sets++
		for n, b := range s.buckets() {
			if next := events[i+n]; next.Seq != e.Seq+int64(n) || next.BucketID != b.ID() || next.ObjectID != e.ObjectID {
				t.Fatalf("event %d after %+v: got %+v, want that of bucket %s", n, e, next, b.Name())
			}
		}
	}
	if sets != 80 {
		t.Errorf("got the events of %d sets, want 80", sets)
	}
}

func TestApplyLimits(t *testing.T) {
	t.Parallel()
	s := openShop(t, storetest.OpenMemory(t))
	changes := make([]bucketlite.Change, bucketlite.MaxChanges+1)
	for i := range changes {
		changes[i] = s.items.PutChange(storetest.Item(fmt.Sprint(i), ""), nil)
	}
	before := s.seen(t)
	_, err := s.Apply(t.Context(), changes...)
	storetest.WantError(t, err, bucketlite.ErrTooLarge)
	s.wantSeen(t, before)
	if _, err = s.Apply(t.Context(), changes[1:]...); err != nil {
		t.Fatal(err)
	}

	mib := strings.Repeat("v", 1<<20)
	staged := func(k string) bucketlite.Change {
		return s.notes.PutChange(storetest.ItemWithDoc(k, mib), nil)
	}
	held := func(k string) bucketlite.Change {
		in := storetest.Item(k, "")
		in.Blobs = []bucketlite.BlobInput{{Property: "doc", Data: "data:text/plain," + mib}}
		return s.notes.PutChange(in, nil)
	}
	fields := func(k string) bucketlite.Change { return s.notes.PutChange(storetest.Item(k, mib), nil) }
	patch := func(k string) bucketlite.Change { return s.notes.PatchChange("big", setV(mib), nil) }
	put(t, s.notes, "big")
	for name, test := range map[string]struct {
		change func(k string) bucketlite.Change
		most   int // changes of 1 MiB
	}{
		"fields": {fields, 15}, "content in memory": {held, 15}, "content of readers": {staged, 40}, "one object again and again": {patch, 15},
	} {
		t.Run(name, func(t *testing.T) {
			set := func(n int) (changes []bucketlite.Change) {
				for i := range n {
					changes = append(changes, test.change(fmt.Sprintf("%s %d", name, i)))
				}
				return changes
			}
			if test.most < 20 {
				before := s.seen(t)
				_, err := s.Apply(t.Context(), set(test.most+2)...)
				storetest.WantError(t, err, bucketlite.ErrTooLarge)
				s.wantSeen(t, before)
			}
			if _, err := s.Apply(t.Context(), set(test.most)...); err != nil {
				t.Errorf("%d changes of 1 MiB: %v", test.most, err)
			}
		})
	}
	storetest.WantNoProblem(t, s.Store)
}

// Code of the caller may use the store, even one in memory, whose one connection takes turns.
func TestApplyRunsCodeOutsideTheLock(t *testing.T) {
	t.Parallel()
	var s *shop
	calls := 0
	use := func() error {
		calls++
		_, err := s.Apply(context.Background(), s.logs.PutChange(storetest.Item(fmt.Sprint(calls), ""), nil))
		return err
	}
	s = openShop(t, storetest.OpenMemory(t, &bucketlite.Options{Fetcher: fetcherFunc(func(ctx context.Context, url string) (*bucketlite.Fetched, error) {
		return nil, use()
	})}))
	put(t, s.items, "a")
	in := bucketlite.ObjectInput{Fields: map[string]any{"k": "n", "v": marshaler(func() ([]byte, error) { return []byte(`"v"`), use() })}}
	in.Blobs = []bucketlite.BlobInput{{Property: "doc", Reader: readerFunc(func(p []byte) (int, error) { return 0, errors.Join(use(), errBroken) })}}
	_, err := s.Apply(t.Context(), s.notes.PutChange(in, nil))
	storetest.WantError(t, err, errBroken)
	in.Blobs = []bucketlite.BlobInput{{Property: "doc", Data: "https://example.com/a"}}
	if _, err = s.Apply(t.Context(), s.items.PatchChange("a", setV("1"), nil), s.notes.PutChange(in, nil)); err != nil {
		t.Fatal(err)
	}
	if calls < 4 {
		t.Errorf("got %d calls by the caller's code, want 4 or more", calls)
	}
}

type fetcherFunc func(ctx context.Context, url string) (*bucketlite.Fetched, error)

func (f fetcherFunc) Fetch(ctx context.Context, url string) (*bucketlite.Fetched, error) {
	return f(ctx, url)
}

type marshaler func() ([]byte, error)

func (m marshaler) MarshalJSON() ([]byte, error) { return m() }

type readerFunc func(p []byte) (int, error)

func (r readerFunc) Read(p []byte) (int, error) { return r(p) }

// A set whose buckets get another schema while it is prepared follows all of them.
func TestApplyFollowsSchemas(t *testing.T) {
	t.Parallel()
	s := openShop(t, storetest.Open(t))
	put(t, s.items, "a")
	changed := false
	change := func() {
		if changed {
			return
		}
		changed = true
		for _, b := range s.buckets() {
			if _, err := b.ChangeSchema(context.Background(), storetest.LooserItems(), nil); err != nil {
				t.Error(err)
			}
		}
	}
	text := strings.NewReader("a text")
	in := bucketlite.ObjectInput{ID: "n", Fields: map[string]any{"k": "n", "n": 1.5}, Blobs: []bucketlite.BlobInput{{Property: "doc", Reader: readerFunc(func(p []byte) (int, error) {
		change()
		return text.Read(p)
	})}}}
	log := bucketlite.ObjectInput{ID: "l", Fields: map[string]any{"n": 2.5}}
	half := bucketlite.ObjectInput{Fields: map[string]any{"n": 0.5}}
	results, err := s.Apply(t.Context(), s.logs.PutChange(item("x", ""), nil), s.notes.PutChange(item("y", ""), nil),
		s.items.PatchChange("a", bucketlite.ObjectInput{Blobs: in.Blobs}, nil), s.items.PatchChange("a", half, nil), s.logs.PutChange(log, nil))
	if err != nil {
		t.Fatal(err)
	}
	storetest.WantFields(t, results[3].Object, `{"k":"a","v":"old","n":0.5}`)
	storetest.WantFields(t, results[4].Object, `{"n":2.5}`)
	if got := len(results[3].Object.Blobs); got != 1 {
		t.Errorf("got %d blobs, want the one that was read before the schema changed", got)
	}
}
