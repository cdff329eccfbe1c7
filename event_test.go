package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/google/go-cmp/cmp"
)

var fromStart = &bucketlite.WatchOptions{FromStart: true}

// eventCursor returns the point after the newest event.
func eventCursor(t testing.TB, st *bucketlite.Store) string {
	t.Helper()
	cursor, err := st.EventCursor(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return cursor
}

// eventsAfter returns the events there are after a point, or from the start for "".
func eventsAfter(t testing.TB, st *bucketlite.Store, after string) []bucketlite.Event {
	t.Helper()
	events, err := readEvents(st, after, eventCursor(t, st))
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// readEvents returns the events between two points.
func readEvents(st *bucketlite.Store, after, end string) (events []bucketlite.Event, err error) {
	if end == after {
		return nil, nil
	}
	for e, err := range st.Watch(context.Background(), &bucketlite.WatchOptions{After: after, FromStart: after == ""}) {
		if err != nil {
			return nil, err
		}
		if events = append(events, e); e.Cursor == end {
			break
		}
	}
	return events, nil
}

// take returns the first n events of a watch.
func take(t testing.TB, n int, watch func(func(bucketlite.Event, error) bool)) []bucketlite.Event {
	t.Helper()
	events := make([]bucketlite.Event, 0, n)
	for e, err := range watch {
		if err != nil {
			t.Fatalf("after %d events: %v", len(events), err)
		}
		if events = append(events, e); len(events) == n {
			break
		}
	}
	return events
}

// wantNumbered fails unless the events have the numbers from first on.
func wantNumbered(t testing.TB, events []bucketlite.Event, first int64) {
	t.Helper()
	for i, e := range events {
		if e.Seq != first+int64(i) {
			t.Fatalf("event %d: got number %d, want %d: %+v", i, e.Seq, first+int64(i), e)
		}
	}
}

// liveObjects returns the ids of the objects of a bucket that are there after the
// events, sorted. It fails if the events make no sense.
func liveObjects(t testing.TB, events []bucketlite.Event, bucketID string) []string {
	t.Helper()
	live := make(map[string]bool)
	for _, e := range events {
		if e.BucketID != bucketID || e.ObjectID == "" {
			continue
		}
		if created := e.Kind == bucketlite.EventObjectCreated; live[e.ObjectID] == created {
			t.Errorf("%+v: the object was there: %t", e, live[e.ObjectID])
		}
		if live[e.ObjectID] = true; e.Kind == bucketlite.EventObjectDeleted {
			delete(live, e.ObjectID)
		}
	}
	ids := make([]string, 0, len(live))
	for id := range live {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// wantReplayed fails unless all events of the store lead to just these objects of
// a bucket.
func wantReplayed(t testing.TB, st *bucketlite.Store, b *bucketlite.Bucket, ids []string) {
	t.Helper()
	events := eventsAfter(t, st, "")
	wantNumbered(t, events, 1)
	ids = slices.Clone(ids)
	slices.Sort(ids)
	if diff := cmp.Diff(ids, liveObjects(t, events, b.ID())); diff != "" {
		t.Errorf("objects after all events (-want +got):\n%s", diff)
	}
}

// idsOf returns the ids of the bucket's objects in order of creation.
func idsOf(t testing.TB, b *bucketlite.Bucket) []string {
	t.Helper()
	var ids []string
	for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, o.ID)
	}
	return ids
}

// What each call leaves in the feed.
func TestEventKinds(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for kind, path := range map[string]string{"file": filepath.Join(t.TempDir(), "test.db"), "memory": ":memory:"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			clock := newManualClock()
			st := openPath(t, path, &bucketlite.Options{Now: clock.now})
			var ns *bucketlite.Namespace
			var b, other *bucketlite.Bucket
			named := func(k, id string) bucketlite.ObjectInput { in := item(k, ""); in.ID = id; return in }
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
					return refused(bucketlite.ErrExists, second(st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "test"})))
				}, nil},
				{"update a namespace", func() error {
					return second(ns.Update(ctx, bucketlite.NamespaceUpdate{Description: new("d")}))
				}, []string{"namespace.updated ns"}},
				{"create a bucket", func() (err error) {
					b, err = ns.CreateBucket(ctx, itemsConfig("items"))
					return err
				}, []string{"bucket.created ns/b"}},
				{"update a bucket", func() error {
					return second(b.Update(ctx, bucketlite.BucketUpdate{Name: new("renamed")}))
				}, []string{"bucket.updated ns/b"}},
				{"another bucket", func() (err error) {
					other, err = ns.CreateBucket(ctx, itemsConfig("other"))
					return err
				}, []string{"bucket.created ns/other"}},

				{"put", func() error { return second(b.Put(ctx, named("1", "one"), nil)) }, []string{"object.created ns/b/one"}},
				{"replace", func() error { return second(b.Put(ctx, item("1", "v"), nil)) }, []string{"object.updated ns/b/one"}},
				{"key taken", func() error {
					return refused(bucketlite.ErrExists, second(b.Put(ctx, item("1", "v"), &bucketlite.PutOptions{Policy: bucketlite.Insert})))
				}, nil},
				{"invalid", func() error {
					return refused(bucketlite.ErrInvalid, second(b.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"k": 7}}, nil)))
				}, nil},
				{"patch", func() error { return second(b.Patch(ctx, "one", item("1", "w"), nil)) }, []string{"object.updated ns/b/one"}},
				{"patch that changes the version alone", func() error { return second(b.Patch(ctx, "one", item("1", "w"), nil)) }, []string{"object.updated ns/b/one"}},
				{"patch of another version", func() error {
					return refused(bucketlite.ErrConflict, second(b.Patch(ctx, "one", item("1", "x"), &bucketlite.PatchOptions{IfVersion: 1})))
				}, nil},
				{"batch", func() error {
					return batchError(b.PutMany(ctx, []bucketlite.ObjectInput{named("2", "two"), item("1", ""), item("2", "")}, nil))
				}, []string{"object.created ns/b/two", "object.updated ns/b/one", "object.updated ns/b/two"}},
				{"batch of which one is refused", func() error {
					res, err := b.PutMany(ctx, []bucketlite.ObjectInput{named("3", "three"), item("2", ""), named("4", "four")},
						&bucketlite.PutManyOptions{Policy: bucketlite.Insert})
					if err == nil && len(res.Failed) == 1 {
						err = res.Failed[0].Err
					}
					return refused(bucketlite.ErrExists, err)
				}, []string{"object.created ns/b/three", "object.created ns/b/four"}},
				{"atomic batch", func() error {
					return batchError(b.PutMany(ctx, []bucketlite.ObjectInput{item("3", ""), item("4", "")}, &bucketlite.PutManyOptions{Atomic: true}))
				}, []string{"object.updated ns/b/three", "object.updated ns/b/four"}},
				{"atomic batch of which one is refused", func() error {
					return refused(bucketlite.ErrExists, second(b.PutMany(ctx, []bucketlite.ObjectInput{named("5", "five"), item("4", "")},
						&bucketlite.PutManyOptions{Policy: bucketlite.Insert, Atomic: true})))
				}, nil},
				{"empty batch", func() error { return batchError(b.PutMany(ctx, nil, nil)) }, nil},
				{"delete an object", func() error { return b.DeleteObject(ctx, "four", nil) },
					[]string{"object.deleted ns/b/four"}},
				{"delete it again", func() error { return refused(bucketlite.ErrNotFound, b.DeleteObject(ctx, "four", nil)) }, nil},

				{"activate what is active", func() error { return b.Activate(ctx) }, nil},
				{"unlock what is not locked", func() error { return b.Unlock(ctx) }, nil},
				{"lock", func() error { return b.Lock(ctx) }, []string{"bucket.locked ns/b"}},
				{"lock again", func() error { return b.Lock(ctx) }, nil},
				{"put what is locked", func() error { return refused(bucketlite.ErrLocked, second(b.Put(ctx, item("1", ""), nil))) }, nil},
				{"archive what is locked", func() error { return refused(bucketlite.ErrLocked, b.Archive(ctx)) }, nil},
				{"delete what is locked", func() error { return refused(bucketlite.ErrLocked, second(ns.Delete(ctx))) }, nil},
				{"unlock", func() error { return b.Unlock(ctx) }, []string{"bucket.unlocked ns/b"}},
				{"suspend", func() error { return b.Suspend(ctx) }, []string{"bucket.suspended ns/b"}},
				{"archive", func() error { return b.Archive(ctx) }, []string{"bucket.archived ns/b"}},
				{"activate", func() error { return b.Activate(ctx) }, []string{"bucket.activated ns/b"}},

				{"delete a bucket", func() error { return second(other.Delete(ctx)) },
					[]string{"bucket.deleted ns/other"}},
				{"its deletion ends", func() error {
					var last *bucketlite.Task
					for task, err := range st.Tasks(ctx, bucketlite.TaskQuery{}) {
						if last = task; err != nil {
							return err
						}
					}
					return second(st.Wait(ctx, last.ID))
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
					return second(st.Wait(ctx, task.ID))
				}, []string{"bucket.deleted ns/b", "bucket.deleted ns/?", "bucket.deleted ns/?", "namespace.deleted ns"}},
			} {
				before, now := eventCursor(t, st), clock.add(time.Second)
				if err := tt.do(); err != nil {
					t.Fatalf("%s: %v", tt.name, err)
				}
				var got []string
				for _, e := range eventsAfter(t, st, before) {
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
			wantNumbered(t, eventsAfter(t, st, ""), 1)
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
				ctx := patience(t)
				st := openPath(t, path, opts)
				b := items(t, st)
				old := eventCursor(t, st)
				for i := range 50 {
					putItem(t, b, item(fmt.Sprint(i), ""))
				}
				putItems(t, b, 2*keep, 1)
				if !eventually(func() bool {
					return errors.Is(first(st.Watch(ctx, after(old))), bucketlite.ErrCursorExpired)
				}) {
					t.Fatal("the oldest events are still there")
				}
				// By a sixteenth they may be too many before the collector hears of it, by
				// as many before it begins, and then it takes no row that has some to keep.
				most := keep + 2*max(1, keep/16) + 500
				var events []bucketlite.Event
				if !eventually(func() (settled bool) {
					var err error
					events, err = readEvents(st, "", eventCursor(t, st))
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
				wantNumbered(t, events, events[0].Seq)
				if path == ":memory:" {
					return
				}
				if err := st.Close(); err != nil {
					t.Fatal(err)
				}
				st = openPath(t, path, opts)
				putItem(t, reopenItems(t, path), item("after", ""))
				if got := take(t, 1, st.Watch(ctx, after(newest.Cursor))); got[0].Seq != newest.Seq+1 {
					t.Errorf("after reopening: got event %d, want %d", got[0].Seq, newest.Seq+1)
				}
				wantSound(t, path)
			})
		}
	}
}

// Damage is told, after what is before it was met.
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
			st := openPath(t, path)
			b := items(t, st)
			for i := range 3 {
				putItem(t, b, item(fmt.Sprint(i), ""))
			}
			execute(t, raw(t, path), damage)
			n := 0
			for e, err := range st.Watch(patience(t), fromStart) {
				if err != nil {
					wantError(t, err, bucketlite.ErrCorrupt)
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

// What happened to a bucket's objects, and its state, follow from the events.
func TestModelEvents(t *testing.T) {
	t.Parallel()
	steps := 600
	if *long {
		steps = 20_000
	}
	t.Logf("%d operations compared with their events, on a file and in memory", steps)
	for kind, path := range map[string]string{"memory": ":memory:", "file": filepath.Join(t.TempDir(), "test.db")} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSimulation(t, newRand(t), path)
			met := eventsAfter(t, s.handles[0].st, "")
			for step := range steps {
				if s.step(); step%20 > 0 && !t.Failed() {
					continue
				}
				met = append(met, eventsAfter(t, s.handles[s.r.IntN(len(s.handles))].st, met[len(met)-1].Cursor)...)
				wantNumbered(t, met, 1)
				s.compareEvents(met)
				if t.Failed() {
					t.Fatalf("step %d, after:\n%s", step, strings.Join(s.log, "\n"))
				}
			}
		})
	}
}

// compareEvents fails unless all events so far lead to what the model has.
func (s *simulation) compareEvents(events []bucketlite.Event) {
	s.t.Helper()
	ids := s.m.ids()
	slices.Sort(ids)
	if got := liveObjects(s.t, events, s.b.ID()); !slices.Equal(got, ids) {
		s.t.Errorf("objects: got %q, want %q", got, ids)
	}
	status, isLocked := bucketlite.StatusActive, false
	version := int64(0)
	versions := make(map[string]int64)
	for _, e := range events {
		switch e.Kind {
		case bucketlite.EventBucketLocked:
			isLocked = true
		case bucketlite.EventBucketUnlocked:
			isLocked = false
		case bucketlite.EventBucketArchived:
			status = bucketlite.StatusArchived
		case bucketlite.EventBucketSuspended:
			status = bucketlite.StatusSuspended
		case bucketlite.EventBucketActivated:
			status = bucketlite.StatusActive
		case bucketlite.EventObjectCreated, bucketlite.EventObjectUpdated, bucketlite.EventObjectDeleted:
			version++ // each of these, and nothing else, counts in a bucket's clock
			versions[e.ObjectID] = version
		}
	}
	if status != s.m.status || isLocked != s.m.locked {
		s.t.Errorf("got %s, locked %t, want %s, %t", status, isLocked, s.m.status, s.m.locked)
	}
	for i := range s.m.objects {
		if o := &s.m.objects[i]; versions[o.id] != o.version {
			s.t.Errorf("%s: got version %d, want %d", o.id, versions[o.id], o.version)
		}
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
	}
	var got []bucketlite.EventKind
	for _, kind := range commit.Kinds() {
		got = append(got, bucketlite.EventKind(kind))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
