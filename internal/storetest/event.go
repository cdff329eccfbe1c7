package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// FromStart watches all events there are.
var FromStart = &bucketlite.WatchOptions{FromStart: true}

// EventCursor returns the point after the newest event.
func EventCursor(t testing.TB, st *bucketlite.Store) string {
	t.Helper()
	cursor, err := st.EventCursor(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return cursor
}

// EventsAfter returns the events there are after a point, or from the start for "".
func EventsAfter(t testing.TB, st *bucketlite.Store, after string) []bucketlite.Event {
	t.Helper()
	events, err := ReadEvents(st, after, EventCursor(t, st))
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// ReadEvents returns the events between two points.
func ReadEvents(st *bucketlite.Store, after, end string) (events []bucketlite.Event, err error) {
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

// TakeEvents returns the first n events of a watch.
func TakeEvents(t testing.TB, n int, watch func(func(bucketlite.Event, error) bool)) []bucketlite.Event {
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

// WantNumbered fails unless the events have the numbers from first on.
func WantNumbered(t testing.TB, events []bucketlite.Event, first int64) {
	t.Helper()
	for i, e := range events {
		if e.Seq != first+int64(i) {
			t.Fatalf("event %d: got number %d, want %d: %+v", i, e.Seq, first+int64(i), e)
		}
	}
}

// LiveObjects returns the ids of the objects of a bucket that are there after the
// events, sorted. It fails if the events make no sense.
func LiveObjects(t testing.TB, events []bucketlite.Event, bucketID string) []string {
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

// ObjectIDs returns the ids of the bucket's objects in order of creation.
func ObjectIDs(t testing.TB, b *bucketlite.Bucket) []string {
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

// Patience returns a context that ends only if a test is stuck.
func Patience(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// After are options for a watch from a point on.
func After(cursor string) *bucketlite.WatchOptions {
	return &bucketlite.WatchOptions{After: cursor}
}
