package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// describe returns what OpenBucket finds, as text.
func describe(t *testing.T, st *bucketlite.Store, namespace, bucket string) string {
	t.Helper()
	ns, b, err := st.OpenBucket(t.Context(), namespace, bucket)
	switch {
	case errors.Is(err, bucketlite.ErrNotFound):
		return "not found"
	case err != nil:
		t.Fatal(err)
	}
	issues := b.Validate(t.Context(), bucketlite.ObjectInput{Fields: map[string]any{"title": "x", "year": "no number"}})
	return fmt.Sprint(ns.ID(), ns.Name(), b.ID(), b.Name(), issues)
}

// Whatever was opened before, OpenBucket finds what is so now, however the names, the
// schema or the bucket were changed, by this store or by another on the file.
func TestOpenBucketIsNeverStale(t *testing.T) {
	t.Parallel()
	type world struct {
		st *bucketlite.Store
		ns *bucketlite.Namespace
		b  *bucketlite.Bucket
	}
	// deleted waits for the end of a deletion, until which a bucket is found by its id.
	deleted := func(t *testing.T, w world, task *bucketlite.Task, err error) error {
		if err != nil {
			return err
		}
		_, err = w.st.Wait(t.Context(), task.ID)
		return err
	}
	config := bucketlite.BucketConfig{Name: "videos", Schema: storetest.Schema(t, `"title": {"type": "string"}`)}
	changes := map[string]func(t *testing.T, w world) error{
		"rename the bucket": func(t *testing.T, w world) error {
			_, err := w.b.Update(t.Context(), bucketlite.BucketUpdate{Name: new("films")})
			return err
		},
		"rename the namespace": func(t *testing.T, w world) error {
			_, err := w.ns.Update(t.Context(), bucketlite.NamespaceUpdate{Name: new("other")})
			return err
		},
		"change the schema": func(t *testing.T, w world) error {
			_, err := w.b.ChangeSchema(t.Context(), storetest.Schema(t, `"title": {"type": "string"}, "year": {"type": "integer"}`), nil)
			return err
		},
		"delete the bucket": func(t *testing.T, w world) error {
			task, err := w.b.Delete(t.Context())
			return deleted(t, w, task, err)
		},
		"delete the namespace": func(t *testing.T, w world) error {
			task, err := w.ns.Delete(t.Context())
			return deleted(t, w, task, err)
		},
		"another bucket of the name": func(t *testing.T, w world) error {
			task, err := w.b.Delete(t.Context())
			if err := deleted(t, w, task, err); err != nil {
				return err
			}
			_, err = w.ns.CreateBucket(t.Context(), config)
			return err
		},
		"names exchanged": func(t *testing.T, w world) error {
			second, err := w.ns.CreateBucket(t.Context(), bucketlite.BucketConfig{Name: "films"})
			for _, step := range []struct {
				b    *bucketlite.Bucket
				name string
			}{{w.b, "spare"}, {second, "videos"}, {w.b, "films"}} {
				if err == nil {
					_, err = step.b.Update(t.Context(), bucketlite.BucketUpdate{Name: &step.name})
				}
			}
			return err
		},
	}
	for name, change := range changes {
		for _, opts := range []struct {
			name   string
			change int // index of the store that changes
			*bucketlite.Options
		}{{"by this store", 0, nil}, {"by another store", 1, nil}, {"without header reads", 1, &bucketlite.Options{PlainIO: true}}} {
			t.Run(name+" "+opts.name, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "a.db")
				stores := []*bucketlite.Store{storetest.OpenPath(t, path, opts.Options), storetest.OpenPath(t, path, opts.Options)}
				if _, err := storetest.Namespace(t, stores[0]).CreateBucket(t.Context(), config); err != nil {
					t.Fatal(err)
				}
				ns, b, err := stores[opts.change].OpenBucket(t.Context(), "test", "videos")
				if err != nil {
					t.Fatal(err)
				}
				names := [][2]string{{"test", "videos"}, {"test", "films"}, {"other", "videos"}, {ns.ID(), "videos"}, {"test", b.ID()}, {ns.ID(), b.ID()}}
				for range 2 { // the second time from memory
					for _, n := range names {
						describe(t, stores[0], n[0], n[1])
					}
				}
				if err := change(t, world{stores[opts.change], ns, b}); err != nil {
					t.Fatal(err)
				}
				fresh := storetest.OpenPath(t, path)
				for _, n := range names {
					if got, want := describe(t, stores[0], n[0], n[1]), describe(t, fresh, n[0], n[1]); got != want {
						t.Errorf("%q: got %s, want %s", n, got, want)
					}
				}
			})
		}
	}
}

// A bucket that was opened before is refused by a store that is closed, and by a context
// that has ended.
func TestOpenBucketAgain(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPath(t, filepath.Join(t.TempDir(), "a.db"))
	storetest.Items(t, st)
	for range 2 {
		if _, _, err := st.OpenBucket(t.Context(), "test", "items"); err != nil {
			t.Fatal(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := st.OpenBucket(ended, "test", "items"); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: got %v, want its error", err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := st.OpenBucket(t.Context(), "test", "items"); !errors.Is(err, bucketlite.ErrClosed) {
		t.Errorf("of a closed store: got %v, want ErrClosed", err)
	}
}

// While others open it and write, a bucket is renamed back and forth. Each name counts from
// the moment at which its call returns.
func TestOpenBucketBesideRenames(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st, other := storetest.OpenPath(t, path), storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for _, s := range []*bucketlite.Store{st, other} {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				for _, name := range []string{"items", "things"} {
					_, found, err := s.OpenBucket(t.Context(), "test", name)
					if err == nil && i%10 == 0 {
						_, err = found.Put(t.Context(), storetest.Item(name, ""), &bucketlite.PutOptions{Policy: bucketlite.Upsert})
					}
					if err != nil && !errors.Is(err, bucketlite.ErrNotFound) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	names := []string{"items", "things"}
	for i := range 100 {
		now, before := names[(i+1)%2], names[i%2]
		if _, err := b.Update(t.Context(), bucketlite.BucketUpdate{Name: &now}); err != nil {
			t.Fatal(err)
		}
		for _, s := range []*bucketlite.Store{st, other} {
			if _, found, err := s.OpenBucket(t.Context(), "test", now); err != nil || found.ID() != b.ID() {
				t.Fatalf("rename %d: by the new name: got %v, %v", i, found, err)
			}
			if _, found, err := s.OpenBucket(t.Context(), "test", before); !errors.Is(err, bucketlite.ErrNotFound) {
				t.Fatalf("rename %d: by the old name: got %v, %v, want ErrNotFound", i, found, err)
			}
		}
	}
	close(done)
	wg.Wait()
}
