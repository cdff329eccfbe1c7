package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/querytest"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/bucketlite/bucketlite/internal/value"
)

// bulkModel is what a test knows of a bucket while writers and changes by query work on it.
type bulkModel struct {
	b    *bucketlite.Bucket
	step int

	mu      sync.Mutex
	states  map[string][]map[string]any // of each object, the newest last, without its mark
	updates map[string]int              // by writers, in this step
	gone    map[string]bool             // deleted by writers
	created map[string]bool             // in this step
	next    int
}

// Random filters select what to delete or to patch while other writers change the same
// objects. A slow evaluation of the filter tells which objects must have been changed, and
// which must not.
func TestBulkModel(t *testing.T) {
	t.Parallel()
	steps := 14
	if *storetest.Long {
		steps = 300
	}
	rng := storetest.NewRand(t)
	r := querytest.New(rng.Uint64())
	ctx := context.Background()
	st := storetest.Open(t, bucketlite.WithSteps(bucketlite.Options{}, nil, 7))
	m := &bulkModel{b: storetest.Bucket(t, st, bucketlite.BucketConfig{}), states: make(map[string][]map[string]any), gone: make(map[string]bool)}
	storetest.Ensure(t, m.b, "s", "n", "tags", "any.x")
	storetest.EnsureText(t, m.b, "s")
	changed := int64(0)
	for m.step = range steps {
		m.updates, m.created = make(map[string]int), make(map[string]bool)
		for len(m.states)-len(m.gone) < 60 {
			storetest.Must(t, m.create(ctx, r))
		}
		before := maps.Clone(m.states)
		m.created = make(map[string]bool)
		form := r.Filter(2)
		filter, err := bucketlite.ParseFilter(value.Append(nil, form))
		storetest.Must(t, err)
		m.checkCounted(t, form, filter, 1+r.IntN(70))
		cursor := storetest.EventCursor(t, st)
		ended := make(chan struct{})
		var writers sync.WaitGroup
		for g := range r.IntN(3) {
			own := querytest.New(rng.Uint64())
			writers.Go(func() {
				for n := 0; n < 200; n++ {
					select {
					case <-ended:
						return
					default:
					}
					if err := m.write(ctx, own); err != nil {
						t.Errorf("writer %d: %v", g, err)
						return
					}
				}
			})
		}
		deletes := r.IntN(3) == 0
		result, err := m.change(ctx, filter, deletes)
		close(ended)
		writers.Wait()
		storetest.Must(t, err)
		changed += result.Changed
		events := storetest.EventsAfter(t, st, cursor)
		if deletes {
			m.checkDeleted(t, form, before, events, result)
		} else {
			m.checkPatched(t, form, before, events, result)
		}
		storetest.WantExact(t, m.b)
		storetest.WantNoProblem(t, st)
		if t.Failed() {
			t.Fatalf("step %d: filter %s", m.step, value.Append(nil, form))
		}
	}
	t.Logf("%d objects changed in %d steps", changed, steps)
}

// checkCounted compares what the filter selects, up to some number of objects, and in
// reverse, with the model.
func (m *bulkModel) checkCounted(t *testing.T, form any, f bucketlite.Filter, most int) {
	t.Helper()
	ctx := context.Background()
	var want []string
	for id, states := range m.states {
		if matches(form, states[len(states)-1]) {
			want = append(want, id)
		}
	}
	n, err := m.b.CountUpTo(ctx, bucketlite.Query{Filter: f}, int64(most))
	if storetest.Must(t, err); n != int64(min(most, len(want))) {
		t.Errorf("got a count of %d up to %d, want it of %d objects", n, most, len(want))
	}
	var got, forwards []string
	for _, reverse := range []bool{false, true} {
		got, forwards = nil, got
		for o, err := range m.b.Objects(ctx, bucketlite.Query{Filter: f, Reverse: reverse}) {
			storetest.Must(t, err)
			got = append(got, o.ID)
		}
	}
	if slices.Reverse(got); !slices.Equal(got, forwards) {
		t.Errorf("got %q in reverse, want the reverse of %q", got, forwards)
	}
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// change deletes or marks what the filter selects.
func (m *bulkModel) change(ctx context.Context, f bucketlite.Filter, deletes bool) (*bucketlite.BulkResult, error) {
	q, opts := bucketlite.Query{Filter: f}, &bucketlite.BulkOptions{All: true}
	if deletes {
		return m.b.DeleteObjects(ctx, q, opts)
	}
	return m.b.PatchObjects(ctx, q, bucketlite.ObjectInput{Fields: map[string]any{"mark": m.step}}, opts)
}

// create puts an object.
func (m *bulkModel) create(ctx context.Context, r querytest.Random) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := fmt.Sprint("o", m.next)
	m.next++
	res, err := m.b.Put(ctx, bucketlite.ObjectInput{ID: id, Fields: r.Document()}, nil)
	if err == nil {
		m.states[id] = []map[string]any{unmarked(res.Object)}
		m.created[id] = true
	}
	return err
}

// write changes, deletes or creates an object. Writers take turns, so that the model knows
// the order of their changes.
func (m *bulkModel) write(ctx context.Context, r querytest.Random) error {
	if r.IntN(6) == 0 {
		return m.create(ctx, r)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	ids := slices.Sorted(maps.Keys(m.states))
	id := ids[r.IntN(len(ids))]
	if r.IntN(8) == 0 {
		err := m.b.DeleteObject(ctx, id, nil)
		if err == nil {
			m.gone[id] = true
		}
		return unlessGone(err)
	}
	o, err := m.b.Patch(ctx, id, bucketlite.ObjectInput{Fields: r.Document()}, nil)
	if err == nil {
		m.states[id] = append(slices.Clone(m.states[id]), unmarked(o))
		m.updates[id]++
	}
	return unlessGone(err)
}

func unlessGone(err error) error {
	if errors.Is(err, bucketlite.ErrNotFound) {
		return nil
	}
	return err
}

// unmarked returns the fields of an object, without its mark.
func unmarked(o *bucketlite.Object) map[string]any {
	fields := maps.Clone(o.Fields)
	delete(fields, "mark")
	return fields
}

// matches reports whether the filter selects the fields.
func matches(form any, fields map[string]any) bool {
	return querytest.Matches(form, fields, func(string) string { return "" })
}

// touched reports whether a writer has changed the object in this step.
func (m *bulkModel) touched(id string, before map[string][]map[string]any) bool {
	return m.gone[id] || len(m.states[id]) != len(before[id])
}

// checkDeleted compares what a deletion has done with the model.
func (m *bulkModel) checkDeleted(t *testing.T, form any, before map[string][]map[string]any, events []bucketlite.Event, result *bucketlite.BulkResult) {
	t.Helper()
	deleted := make(map[string]bool)
	for _, e := range events {
		if e.Kind == bucketlite.EventObjectDeleted && !m.gone[e.ObjectID] {
			deleted[e.ObjectID] = true
		}
	}
	if int64(len(deleted)) != result.Changed || result.Matched != result.Changed || result.Failed != 0 {
		t.Errorf("got %+v, want %d objects deleted", result, len(deleted))
	}
	for id := range deleted {
		if states := m.states[id]; !matches(form, states[len(states)-1]) {
			t.Errorf("object %s was deleted, but does not match: %v", id, states[len(states)-1])
		}
	}
	for id, states := range before {
		if !m.touched(id, before) && matches(form, states[0]) != deleted[id] {
			t.Errorf("object %s: deleted %t, want the opposite: %v", id, deleted[id], states[0])
		}
	}
	for id := range m.states {
		if m.gone[id] || deleted[id] {
			delete(m.states, id)
			delete(m.gone, id)
		}
	}
	m.settle()
}

// checkPatched compares what a patch has done with the model.
func (m *bulkModel) checkPatched(t *testing.T, form any, before map[string][]map[string]any, events []bucketlite.Event, result *bucketlite.BulkResult) {
	t.Helper()
	updates := make(map[string]int)
	for _, e := range events {
		if e.Kind == bucketlite.EventObjectUpdated {
			updates[e.ObjectID]++
		}
	}
	patched := int64(0)
	for id := range m.states {
		if patches := updates[id] - m.updates[id]; patches > 1 {
			t.Errorf("object %s was patched %d times", id, patches)
		} else {
			patched += int64(patches)
		}
		if m.gone[id] {
			delete(m.states, id)
			delete(m.gone, id)
			continue
		}
		o, err := m.b.Object(context.Background(), id)
		storetest.Must(t, err)
		states := m.states[id]
		if last := states[len(states)-1]; !value.Equal(unmarked(o), last) {
			t.Errorf("object %s: got %v, want %v", id, o.Fields, last)
		}
		marked := fmt.Sprint(o.Fields["mark"]) == fmt.Sprint(m.step)
		if marked != (updates[id]-m.updates[id] == 1) {
			t.Errorf("object %s: marked %t, but %d updates of which %d are by writers", id, marked, updates[id], m.updates[id])
		}
		some := slices.ContainsFunc(states, func(f map[string]any) bool { return matches(form, f) })
		all := !slices.ContainsFunc(states, func(f map[string]any) bool { return !matches(form, f) })
		if marked && !some || !marked && all && !m.created[id] {
			t.Errorf("object %s: marked %t, matches in some state %t, in all %t: %v", id, marked, some, all, states)
		}
	}
	if patched != result.Changed || result.Matched != result.Changed || result.Failed != 0 {
		t.Errorf("got %+v, want %d objects patched", result, patched)
	}
	m.settle()
}

// settle forgets all states except the last of each object.
func (m *bulkModel) settle() {
	for id, states := range m.states {
		m.states[id] = states[len(states)-1:]
	}
}
