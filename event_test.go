package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// The events of each call.
func TestEventKinds(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for kind, path := range map[string]string{"file": filepath.Join(t.TempDir(), "test.db"), "memory": ":memory:"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			clock := storetest.NewManualClock()
			st := storetest.OpenPath(t, path, &bucketlite.Options{Now: clock.Now})
			var ns *bucketlite.Namespace
			var b, other *bucketlite.Bucket
			named := func(k, id string) bucketlite.ObjectInput { in := storetest.Item(k, ""); in.ID = id; return in }
			refused := func(want error, err error) error {
				if errors.Is(err, want) {
					return nil
				}
				return errors.Join(errors.New("not refused as it should be"), err)
			}
			names := func(id string) string {
				switch {
				case id == "":
					return ""
				case id == ns.ID():
					return "ns"
				case b != nil && id == b.ID():
					return "b"
				case other != nil && id == other.ID():
					return "other"
				}
				return "?"
			}
			for _, tt := range []struct {
				name string
				do   func() error
				want []string // with names for the ids of namespaces and buckets, "?" for others
			}{
				{"create a namespace", func() (err error) {
					ns, err = st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "test"})
					return err
				}, []string{"namespace.created ns"}},
				{"name taken", func() error {
					return refused(bucketlite.ErrExists, storetest.ErrorOf(st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "test"})))
				}, nil},
				{"update a namespace", func() error {
					return storetest.ErrorOf(ns.Update(ctx, bucketlite.NamespaceUpdate{Description: new("d")}))
				}, []string{"namespace.updated ns"}},
				{"create a bucket", func() (err error) {
					b, err = ns.CreateBucket(ctx, storetest.ItemsConfig("items"))
					return err
				}, []string{"bucket.created ns/b"}},
				{"update a bucket", func() error {
					return storetest.ErrorOf(b.Update(ctx, bucketlite.BucketUpdate{Name: new("renamed")}))
				}, []string{"bucket.updated ns/b"}},
				{"another bucket", func() (err error) {
					other, err = ns.CreateBucket(ctx, storetest.ItemsConfig("other"))
					return err
				}, []string{"bucket.created ns/other"}},

				{"put", func() error { return storetest.ErrorOf(b.Put(ctx, named("1", "one"), nil)) }, []string{"object.created ns/b/one"}},
				{"replace", func() error { return storetest.ErrorOf(b.Put(ctx, storetest.Item("1", "v"), nil)) }, []string{"object.updated ns/b/one"}},
				{"key taken", func() error {
					return refused(bucketlite.ErrExists, storetest.ErrorOf(b.Put(ctx, storetest.Item("1", "v"), &bucketlite.PutOptions{Policy: bucketlite.Insert})))
				}, nil},
				{"invalid", func() error {
					return refused(bucketlite.ErrInvalid, storetest.ErrorOf(b.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"k": 7}}, nil)))
				}, nil},
				{"patch", func() error { return storetest.ErrorOf(b.Patch(ctx, "one", storetest.Item("1", "w"), nil)) }, []string{"object.updated ns/b/one"}},
				{"patch that changes the version alone", func() error { return storetest.ErrorOf(b.Patch(ctx, "one", storetest.Item("1", "w"), nil)) }, []string{"object.updated ns/b/one"}},
				{"patch of another version", func() error {
					return refused(bucketlite.ErrConflict, storetest.ErrorOf(b.Patch(ctx, "one", storetest.Item("1", "x"), &bucketlite.PatchOptions{IfVersion: 1})))
				}, nil},
				{"batch", func() error {
					return storetest.PutManyError(b.PutMany(ctx, []bucketlite.ObjectInput{named("2", "two"), storetest.Item("1", ""), storetest.Item("2", "")}, nil))
				}, []string{"object.created ns/b/two", "object.updated ns/b/one", "object.updated ns/b/two"}},
				{"batch of which one is refused", func() error {
					res, err := b.PutMany(ctx, []bucketlite.ObjectInput{named("3", "three"), storetest.Item("2", ""), named("4", "four")},
						&bucketlite.PutManyOptions{Policy: bucketlite.Insert})
					if err == nil && len(res.Failed) == 1 {
						err = res.Failed[0].Err
					}
					return refused(bucketlite.ErrExists, err)
				}, []string{"object.created ns/b/three", "object.created ns/b/four"}},
				{"atomic batch", func() error {
					return storetest.PutManyError(b.PutMany(ctx, []bucketlite.ObjectInput{storetest.Item("3", ""), storetest.Item("4", "")}, &bucketlite.PutManyOptions{Atomic: true}))
				}, []string{"object.updated ns/b/three", "object.updated ns/b/four"}},
				{"atomic batch of which one is refused", func() error {
					return refused(bucketlite.ErrExists, storetest.ErrorOf(b.PutMany(ctx, []bucketlite.ObjectInput{named("5", "five"), storetest.Item("4", "")},
						&bucketlite.PutManyOptions{Policy: bucketlite.Insert, Atomic: true})))
				}, nil},
				{"empty batch", func() error { return storetest.PutManyError(b.PutMany(ctx, nil, nil)) }, nil},
				{"delete an object", func() error { return b.DeleteObject(ctx, "four", nil) },
					[]string{"object.deleted ns/b/four"}},
				{"delete it again", func() error { return refused(bucketlite.ErrNotFound, b.DeleteObject(ctx, "four", nil)) }, nil},

				{"activate what is active", func() error { return b.Activate(ctx) }, nil},
				{"unlock what is not locked", func() error { return b.Unlock(ctx) }, nil},
				{"lock", func() error { return b.Lock(ctx) }, []string{"bucket.locked ns/b"}},
				{"lock again", func() error { return b.Lock(ctx) }, nil},
				{"put what is locked", func() error {
					return refused(bucketlite.ErrLocked, storetest.ErrorOf(b.Put(ctx, storetest.Item("1", ""), nil)))
				}, nil},
				{"archive what is locked", func() error { return refused(bucketlite.ErrLocked, b.Archive(ctx)) }, nil},
				{"delete what is locked", func() error { return refused(bucketlite.ErrLocked, storetest.ErrorOf(ns.Delete(ctx))) }, nil},
				{"unlock", func() error { return b.Unlock(ctx) }, []string{"bucket.unlocked ns/b"}},
				{"suspend", func() error { return b.Suspend(ctx) }, []string{"bucket.suspended ns/b"}},
				{"archive", func() error { return b.Archive(ctx) }, []string{"bucket.archived ns/b"}},
				{"activate", func() error { return b.Activate(ctx) }, []string{"bucket.activated ns/b"}},

				{"delete a bucket", func() error { return storetest.ErrorOf(other.Delete(ctx)) },
					[]string{"bucket.deleted ns/other"}},
				{"its deletion ends", func() error {
					var last *bucketlite.Task
					for task, err := range st.Tasks(ctx, bucketlite.TaskQuery{}) {
						if last = task; err != nil {
							return err
						}
					}
					return storetest.ErrorOf(st.Wait(ctx, last.ID))
				}, nil},
				{"two buckets more", func() error {
					for _, name := range []string{"c", "d"} {
						if _, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: name}); err != nil {
							return err
						}
					}
					return nil
				}, []string{"bucket.created ns/?", "bucket.created ns/?"}},
				{"delete a namespace", func() error {
					task, err := ns.Delete(ctx)
					if err != nil {
						return err
					}
					if _, err := b.Delete(ctx); err != nil && !errors.Is(err, bucketlite.ErrNotFound) {
						return err
					}
					return storetest.ErrorOf(st.Wait(ctx, task.ID))
				}, []string{"bucket.deleted ns/b", "bucket.deleted ns/?", "bucket.deleted ns/?", "namespace.deleted ns"}},
			} {
				before, now := storetest.EventCursor(t, st), clock.Add(time.Second)
				if err := tt.do(); err != nil {
					t.Fatalf("%s: %v", tt.name, err)
				}
				var got []string
				for _, e := range storetest.EventsAfter(t, st, before) {
					if !e.At.Equal(now) || e.At.Location() != time.UTC {
						t.Errorf("%s: at: got %v, want %v", tt.name, e.At, now)
					}
					subject := names(e.NamespaceID)
					for _, id := range []string{names(e.BucketID), e.ObjectID} {
						if id != "" {
							subject += "/" + id
						}
					}
					got = append(got, string(e.Kind)+" "+subject)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tt.name, diff)
				}
			}
			storetest.WantNumbered(t, storetest.EventsAfter(t, st, ""), 1)
		})
	}
}

func TestEventJSON(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		event bucketlite.Event
		want  string
	}{
		"object": {
			bucketlite.Event{Seq: 7, Cursor: "c", Kind: bucketlite.EventObjectCreated, NamespaceID: "n", BucketID: "b", ObjectID: "o", At: time.Unix(0, 0).UTC()},
			`{"seq":7,"cursor":"c","kind":"object.created","namespace_id":"n","bucket_id":"b","object_id":"o","at":"1970-01-01T00:00:00Z"}`,
		},
		"namespace": {
			bucketlite.Event{Seq: 1, Cursor: "c", Kind: bucketlite.EventNamespaceCreated, NamespaceID: "n", At: time.Unix(0, 0).UTC()},
			`{"seq":1,"cursor":"c","kind":"namespace.created","namespace_id":"n","at":"1970-01-01T00:00:00Z"}`,
		},
	} {
		got, err := json.Marshal(tt.event)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, tt.want)
		}
	}
}

// Old events go, but never the newest, and numbers never start again.
func TestEventRetention(t *testing.T) {
	t.Parallel()
	for _, keep := range []int{1, 40, 3000} {
		opts := &bucketlite.Options{EventRetention: keep, Durability: bucketlite.DurabilityNormal}
		for kind, path := range map[string]string{"file": filepath.Join(t.TempDir(), "test.db"), "memory": ":memory:"} {
			t.Run(fmt.Sprint(kind, " ", keep), func(t *testing.T) {
				t.Parallel()
				ctx := storetest.Patience(t)
				st := storetest.OpenPath(t, path, opts)
				b := storetest.Items(t, st)
				old := storetest.EventCursor(t, st)
				for i := range 50 {
					storetest.PutItem(t, b, storetest.Item(fmt.Sprint(i), ""))
				}
				storetest.PutItems(t, b, 2*keep, 1)
				if !storetest.Eventually(func() bool {
					return errors.Is(storetest.FirstError(st.Watch(ctx, storetest.After(old))), bucketlite.ErrCursorExpired)
				}) {
					t.Fatal("the oldest events are still there")
				}
				// By a sixteenth they may be too many before the collector hears of it, by
				// as many before it begins, and then it takes no row that has some to keep.
				most := keep + 2*max(1, keep/16) + 500
				var events []bucketlite.Event
				if !storetest.Eventually(func() (settled bool) {
					var err error
					events, err = storetest.ReadEvents(st, "", storetest.EventCursor(t, st))
					return err == nil && len(events) <= most // the oldest may go while they are read
				}) {
					t.Fatalf("got %d events, want at most %d", len(events), most)
				}
				if len(events) < keep {
					t.Errorf("got %d events, want at least %d", len(events), keep)
				}
				newest := events[len(events)-1]
				if want := int64(2 + 50 + 2*keep); newest.Seq != want {
					t.Errorf("newest: got event %d, want %d", newest.Seq, want)
				}
				storetest.WantNumbered(t, events, events[0].Seq)
				if path == ":memory:" {
					return
				}
				if err := st.Close(); err != nil {
					t.Fatal(err)
				}
				st = storetest.OpenPath(t, path, opts)
				storetest.PutItem(t, storetest.ReopenItems(t, path), storetest.Item("after", ""))
				if got := storetest.TakeEvents(t, 1, st.Watch(ctx, storetest.After(newest.Cursor))); got[0].Seq != newest.Seq+1 {
					t.Errorf("after reopening: got event %d, want %d", got[0].Seq, newest.Seq+1)
				}
				storetest.WantSound(t, path)
			})
		}
	}
}

// Damage is reported after the events before it.
func TestWatchDamaged(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"unreadable": "UPDATE events SET data = x'00' WHERE last = 4",
		"cut short":  "UPDATE events SET data = substr(data, 1, length(data) - 1) WHERE last = 4",
		"empty":      "UPDATE events SET data = x'' WHERE last = 4",
		"miscounted": "UPDATE events SET data = CAST(data || data AS BLOB) WHERE last = 4",
		"missing":    "DELETE FROM events WHERE last = 4",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Items(t, st)
			for i := range 3 {
				storetest.PutItem(t, b, storetest.Item(fmt.Sprint(i), ""))
			}
			storetest.Execute(t, storetest.OpenRaw(t, path), damage)
			n := 0
			for e, err := range st.Watch(storetest.Patience(t), storetest.FromStart) {
				if err != nil {
					storetest.WantError(t, err, bucketlite.ErrCorrupt)
					break
				}
				if n++; e.Seq != int64(n) || n > 3 {
					t.Errorf("got event %d after %d, want an error after 3", e.Seq, n-1)
				}
			}
			if n != 3 {
				t.Errorf("got %d events, want 3", n)
			}
		})
	}
}

// The file knows each kind by a number, which package commit keeps.
func TestEventKindNumbers(t *testing.T) {
	t.Parallel()
	want := []bucketlite.EventKind{
		bucketlite.EventNamespaceCreated, bucketlite.EventNamespaceUpdated, bucketlite.EventNamespaceDeleted,
		bucketlite.EventBucketCreated, bucketlite.EventBucketUpdated, bucketlite.EventBucketDeleted,
		bucketlite.EventBucketLocked, bucketlite.EventBucketUnlocked, bucketlite.EventBucketArchived,
		bucketlite.EventBucketSuspended, bucketlite.EventBucketActivated,
		bucketlite.EventObjectCreated, bucketlite.EventObjectUpdated, bucketlite.EventObjectDeleted, bucketlite.EventObjectProcessed,
		"object.deleted/expired", "object.deleted/retention",
	}
	var got []bucketlite.EventKind
	for _, kind := range commit.Kinds() {
		got = append(got, bucketlite.EventKind(kind))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
