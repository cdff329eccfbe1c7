package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// doc is an input with a document at a URL.
func doc(url string) bucketlite.ObjectInput {
	return bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "doc", Data: url}}}
}

// A URL whose content the object has already is fetched again only if an earlier change of
// the set, or another call, changes the object.
func TestApplyFetches(t *testing.T) {
	t.Parallel()
	const url, other = "https://example.com/a", "https://example.com/b"
	tests := []struct {
		name    string
		changes func(s *shop) []bucketlite.Change
		asked   []string
		docs    string // of the objects of items, then of notes
	}{
		{"a patch keeps it", func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.notes.PutChange(item("n", ""), nil), s.items.PatchChange("a", doc(url), nil)}
		}, nil, "a=text of a | n="},
		{"a put keeps it", func(s *shop) []bucketlite.Change {
			in := item("a", "new")
			in.Blobs = doc(url).Blobs
			return []bucketlite.Change{s.items.PutChange(in, nil), s.notes.PutChange(item("n", ""), nil)}
		}, nil, "a=text of a | n="},
		{"a patch after a change", func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.items.PatchChange("a", setV("1"), nil), s.items.PatchChange("a", doc(url), nil)}
		}, []string{url}, "a=text of a |"},
		{"a put after a change", func(s *shop) []bucketlite.Change {
			in := item("a", "new")
			in.Blobs = doc(url).Blobs
			return []bucketlite.Change{s.items.PatchChange("a", setV("1"), nil), s.items.PutChange(in, nil)}
		}, []string{url}, "a=text of a |"},
		{"after a deletion", func(s *shop) []bucketlite.Change {
			in := item("a", "new")
			in.Blobs = doc(url).Blobs
			return []bucketlite.Change{s.items.DeleteChange("a", nil), s.items.PutChange(in, nil)}
		}, []string{url}, "a=text of a |"},
		{"a patch of a new object", func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.notes.PutChange(item("n", ""), nil), s.notes.PatchChange("n", doc(other), nil), s.notes.PatchChange("n", doc(url), nil)}
		}, []string{other, url}, "a=text of a | n=text of a"},
		{"another URL", func(s *shop) []bucketlite.Change {
			return []bucketlite.Change{s.items.PatchChange("a", doc(other), nil), s.items.PatchChange("a", setV("1"), nil)}
		}, []string{other}, "a=text of b |"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			src := newSources()
			src.add(url, []byte("text of a"), bucketlite.Fetched{})
			src.add(other, []byte("text of b"), bucketlite.Fetched{})
			s := openShop(t, storetest.OpenMemory(t, &bucketlite.Options{Fetcher: src}))
			in := item("a", "old")
			in.Blobs = doc(url).Blobs
			storetest.Put(t, s.items, in, bucketlite.Insert)
			src.wantAsked(t, url)
			if _, err := s.Apply(t.Context(), test.changes(s)...); err != nil {
				t.Fatal(err)
			}
			src.wantAsked(t, test.asked...)
			var docs []string
			for _, b := range []*bucketlite.Bucket{s.items, s.notes} {
				var list []string
				for o, err := range b.Objects(t.Context(), bucketlite.Query{}) {
					storetest.Must(t, err)
					text := ""
					if len(o.Blobs) > 0 {
						data, err := storetest.ReadBlob(b, o.ID, "doc")
						storetest.Must(t, err)
						text = string(data)
					}
					list = append(list, o.ID+"="+text)
				}
				docs = append(docs, strings.Join(list, ", "))
			}
			if got := strings.TrimSpace(strings.Join(docs, " | ")); got != test.docs {
				t.Errorf("got documents %q, want %q", got, test.docs)
			}
			storetest.WantNoProblem(t, s.Store)
		})
	}
}

// A refused set, and one whose reader panics, give up what they have staged.
func TestApplyReleasesContent(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/test.db"
	s := openShop(t, storetest.OpenPath(t, path))
	put(t, s.items, "a")
	long := func(k string) bucketlite.Change {
		return s.notes.PutChange(storetest.ItemWithDoc(k, strings.Repeat(k+" ", 300_000)), nil)
	}
	for name, last := range map[string]bucketlite.Change{
		"refused ahead":              s.items.PutChange(bucketlite.ObjectInput{Fields: map[string]any{"n": "one"}}, nil),
		"refused in the transaction": s.items.PutChange(item("a", ""), &bucketlite.PutOptions{IfAbsent: true}),
		"a panic": s.notes.PutChange(bucketlite.ObjectInput{Fields: map[string]any{"k": "p"}, Blobs: []bucketlite.BlobInput{{Property: "doc",
			Reader: readerFunc(func([]byte) (int, error) { panic("no bytes") })}}}, nil),
	} {
		func() {
			defer func() { recover() }()
			if _, err := s.Apply(t.Context(), long("x"), long("y"), last); err == nil {
				t.Errorf("%s: got no error", name)
			}
		}()
	}
	storetest.WantStored(t, s.Store, path, 0)
	if _, err := s.Apply(t.Context(), long("x"), long("y")); err != nil {
		t.Fatal(err)
	}
	storetest.WantStored(t, s.Store, path, 1_200_000)
	if _, err := s.Apply(t.Context(), s.notes.DeleteChange(idOf(t, s.notes, "x"), nil), s.notes.DeleteChange(idOf(t, s.notes, "y"), nil)); err != nil {
		t.Fatal(err)
	}
	storetest.WantStored(t, s.Store, path, 0)
}

// idOf returns the id of the object with a key.
func idOf(t testing.TB, b *bucketlite.Bucket, k string) string {
	t.Helper()
	o, err := b.ObjectByKey(t.Context(), map[string]any{"k": k})
	if err != nil {
		t.Fatal(err)
	}
	return o.ID
}

// A set whose context ends before it has its turn has no effect.
func TestApplyCancelled(t *testing.T) {
	t.Parallel()
	s := openShop(t, storetest.Open(t))
	put(t, s.items, "a")
	before := s.seen(t)
	ctx, cancel := context.WithCancel(t.Context())
	in := item("n", "")
	in.Blobs = []bucketlite.BlobInput{{Property: "doc", Reader: readerFunc(func([]byte) (int, error) {
		cancel()
		return 0, io.EOF
	})}}
	_, err := s.Apply(ctx, s.items.DeleteChange("a", nil), s.notes.PutChange(in, nil))
	if err != context.Canceled {
		t.Errorf("got error %v, want %v itself", err, context.Canceled)
	}
	s.wantSeen(t, before)
}

// A put with Process hands the object over with the set, or not at all.
func TestApplyProcess(t *testing.T) {
	t.Parallel()
	s := openShop(t, storetest.Open(t))
	put(t, s.items, "a")
	process := &bucketlite.PutOptions{Process: true}
	before := s.seen(t)
	_, err := s.Apply(t.Context(), s.notes.PutChange(item("n", ""), process), s.items.PatchChange("x", setV("1"), nil))
	storetest.WantError(t, err, bucketlite.ErrNotFound)
	s.wantSeen(t, before)
	results, err := s.Apply(t.Context(), s.items.PatchChange("a", setV("1"), nil), s.notes.PutChange(item("n", ""), process))
	storetest.Must(t, err)
	storetest.WantEqual(t, "status", results[1].Object.Status, bucketlite.StatusPending)
	storetest.WantBatch(t, s.Store, s.notes, results[1].BatchID, bucketlite.StatusPending)
	storetest.Process(t, s.Store, func(context.Context, *bucketlite.Job) error { return nil }, bucketlite.ProcessOptions{})
	storetest.WantStatus(t, s.notes, "n", bucketlite.StatusCompleted)
	storetest.WantNoProblem(t, s.Store)
}

// A set beside a change of a schema keeps the objects' next form up to date, and so does one
// that fails.
func TestApplyBesideSchemaChange(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"checked = 0", "true"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			c := startChange(t, 10, when)
			config := storetest.ItemsConfig("items")
			other := storetest.Bucket(t, c.st, config)
			ids := storetest.ObjectIDs(t, c.b)
			set := func(i int) []bucketlite.Change {
				return []bucketlite.Change{
					c.b.PutChange(storetest.Input(t, fmt.Sprintf(`{"k":"new%d","l":["x","y"]}`, i)), nil),
					c.b.PatchChange(ids[2*i], storetest.Input(t, `{"l":["z"]}`), nil),
					other.PutChange(storetest.Item(fmt.Sprint(i), ""), nil),
					c.b.DeleteChange(ids[2*i+1], nil),
				}
			}
			_, err := c.st.Apply(context.Background(), append(set(0), c.b.DeleteChange(ids[1], nil))...)
			storetest.WantError(t, err, bucketlite.ErrNotFound)
			for i := range 3 {
				if _, err := c.st.Apply(context.Background(), set(i)...); err != nil {
					t.Error(err)
				}
				_, err := c.st.Apply(context.Background(), set(i)...)
				if at := (*bucketlite.ChangeError)(nil); !errors.As(err, &at) || at.Index != 3 {
					t.Errorf("got error %v, want one of the deletion of what is deleted", err)
				}
			}
			c.end(t)
			if got := storetest.MustStats(t, c.b).ObjectCount; got != 10 {
				t.Errorf("got %d objects, want 10", got)
			}
		})
	}
}

// A set that exceeds a bucket's limits deletes its oldest objects, before it returns.
func TestApplyMakesRoom(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t, bucketlite.WithoutBackground(bucketlite.Options{}))
	limited := storetest.Bucket(t, st, bucketlite.BucketConfig{Retention: bucketlite.Retention{MaxBytes: 6000}})
	other := storetest.Bucket(t, st, storetest.ItemsConfig("items"))
	var inputs []bucketlite.ObjectInput
	for i := range 300 {
		inputs = append(inputs, sized(fmt.Sprint(i), 20))
	}
	storetest.Must(t, storetest.PutManyError(limited.PutMany(ctx, inputs, nil)))
	set := []bucketlite.Change{limited.PutChange(sized("big", 5000), nil), other.PutChange(storetest.Item("k", ""), nil)}
	before := storetest.Snapshot(t, limited)
	_, err := st.Apply(ctx, append(set, other.DeleteChange("x", nil))...)
	storetest.WantError(t, err, bucketlite.ErrNotFound)
	storetest.WantSnapshot(t, limited, before)
	if _, err := st.Apply(ctx, set...); err != nil {
		t.Fatal(err)
	}
	if got := storetest.MustStats(t, limited); got.TotalSize != 6000 || got.ObjectCount != 51 {
		t.Errorf("got %d objects of %d bytes, want 51 of 6000", got.ObjectCount, got.TotalSize)
	}
	_, err = st.Apply(ctx, set[1], limited.PutChange(sized("bigger", 6001), nil))
	storetest.WantError(t, err, bucketlite.ErrTooLarge)
	storetest.WantExact(t, limited)
	storetest.WantNoProblem(t, st)
}
