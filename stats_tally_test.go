package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// wantTallies fails unless the bucket's growth and the counts by status are those of its
// objects, one by one.
func wantTallies(t *testing.T, b *bucketlite.Bucket, r *rand.Rand) {
	t.Helper()
	ctx := context.Background()
	var objects []*bucketlite.Object
	statuses := make(map[bucketlite.Status]int64)
	var first, last time.Time
	for o, err := range b.Objects(ctx, bucketlite.Query{Limit: 1000}) {
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, o)
		statuses[o.Status]++
		if first.IsZero() || o.CreatedAt.Before(first) {
			first = o.CreatedAt
		}
		if o.CreatedAt.After(last) {
			last = o.CreatedAt
		}
	}
	if got, err := b.StatusCounts(ctx); err != nil || !cmp.Equal(got, statuses, cmpopts.EquateEmpty()) {
		t.Errorf("statuses: got %v, %v, want %v", got, err, statuses)
	}
	if len(objects) == 0 {
		first, last = time.Unix(1e9, 0), time.Unix(1e9+1, 0)
	}
	span := int64(last.Sub(first)) + int64(3*time.Hour)
	units := []bucketlite.DateUnit{bucketlite.UnitHour, bucketlite.UnitDay, bucketlite.UnitWeek, bucketlite.UnitMonth}
	for _, unit := range units {
		from := first.Add(time.Duration(r.Int64N(span)) - time.Hour)
		to := from.Add(1 + time.Duration(r.Int64N(span)))
		switch r.IntN(3) {
		case 0:
			to = from.Truncate(time.Hour).Add(time.Duration(1+r.IntN(100)) * time.Hour)
		case 1:
			if n := len(objects); n > 0 { // the time of an object, which does not count
				to = objects[n-1-r.IntN(min(n, 10))].CreatedAt
			}
		}
		if !from.Before(to) {
			from = to.Add(-time.Duration(1 + r.Int64N(span)))
		}
		got, err := b.Growth(ctx, from, to, unit)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]bucketlite.Growth, len(got))
		for i := range got {
			end := to
			if i+1 < len(got) {
				end = got[i+1].Time
			}
			want[i].Time = got[i].Time
			for _, o := range objects {
				if !o.CreatedAt.Before(end) {
					continue
				}
				begin := got[i].Time
				if at := o.CreatedAt.UTC().Truncate(time.Hour); at.After(begin) {
					begin = at
				}
				want[i].Objects++
				want[i].Size += o.Size
				want[i].ByteHours += float64(o.Size) * end.Sub(begin).Hours()
			}
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 1e-6)); diff != "" {
			t.Errorf("growth from %s to %s by %s (-want +got):\n%s", from, to, unit, diff)
		}
	}
}

// tallyModel is a bucket that two stores change.
type tallyModel struct {
	t     *testing.T
	r     *rand.Rand
	clock *storetest.ManualClock
	path  string
	st    []*bucketlite.Store
	b     []*bucketlite.Bucket
	more  []*bucketlite.Bucket // others, so many that the newest events cannot carry the changes of all
	field string               // the present name of a field that schema changes rename
	next  int
}

// Stats, Growth and StatusCounts are exact after each of many random calls, through two stores
// that have the same file open, while the background counts objects again.
func TestCountsAreExact(t *testing.T) {
	t.Parallel()
	steps := 400
	if *storetest.Long {
		steps = 4000
	}
	m := &tallyModel{t: t, r: storetest.NewRand(t), clock: storetest.NewManualClock(), path: t.TempDir() + "/test.db", field: "v0"}
	var works atomic.Int64
	for i := range 2 {
		opts := bucketlite.WithSteps(bucketlite.Options{Now: m.clock.Now, Durability: bucketlite.DurabilityNormal}, func() bool { return works.Add(1)%3 > 0 }, 7)
		m.st = append(m.st, storetest.OpenPath(t, m.path, opts))
		if i == 0 {
			storetest.Bucket(t, m.st[0], bucketlite.BucketConfig{Schema: m.schema(), UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert}})
		}
		b, err := storetest.Namespace(t, m.st[i]).Bucket(context.Background(), "objects")
		if err != nil {
			t.Fatal(err)
		}
		m.b = append(m.b, b)
	}
	for i := range 40 {
		m.more = append(m.more, storetest.Bucket(t, m.st[0], storetest.ItemsConfig(fmt.Sprint("more", i))))
	}
	for step := range steps {
		name := m.step()
		wantTallies(t, m.b[m.r.IntN(2)], m.r)
		storetest.WantExact(t, m.b[m.r.IntN(2)])
		if step%40 == 0 {
			storetest.WantNoProblem(t, m.st[0])
		}
		if t.Failed() {
			t.Fatalf("after step %d, %s", step, name)
		}
	}
	storetest.WantNoProblem(t, m.st[0])
	storetest.WantSound(t, m.path)
}

func (m *tallyModel) schema() bucketlite.Schema {
	return storetest.Schema(m.t, `"k":{"type":"string"},"`+m.field+`":{"type":"string"}`)
}

func (m *tallyModel) item(k int) bucketlite.ObjectInput {
	return bucketlite.ObjectInput{Fields: map[string]any{"k": fmt.Sprint(k), m.field: strings.Repeat("v", m.r.IntN(50))}}
}

// some returns the keys of some objects, which may exist.
func (m *tallyModel) some(n int) (inputs []bucketlite.ObjectInput) {
	for _, k := range m.r.Perm(60)[:n] {
		inputs = append(inputs, m.item(k))
	}
	return inputs
}

// ids returns the ids of up to n objects.
func (m *tallyModel) ids(b *bucketlite.Bucket, n int) (ids []string) {
	for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
		if err != nil {
			m.t.Fatal(err)
		}
		ids = append(ids, o.ID)
	}
	m.r.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return ids[:min(n, len(ids))]
}

// step does one random call, and returns its name.
func (m *tallyModel) step() string {
	ctx, t, r := context.Background(), m.t, m.r
	m.clock.Add(time.Duration(r.Int64N(int64(3*time.Hour))) - 40*time.Minute) // it may go back
	i := r.IntN(2)
	st, b := m.st[i], m.b[i]
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	switch n := r.IntN(100); {
	case n < 40:
		for _, in := range m.some(1 + r.IntN(8)) {
			must(storetest.ErrorOf(b.Put(ctx, in, nil)))
		}
		return "puts"
	case n < 50:
		must(storetest.PutManyError(b.PutMany(ctx, m.some(20), nil)))
		return "PutMany"
	case n < 55:
		in := m.some(20)
		in[19].Fields["k"] = 5
		_, err := b.PutMany(ctx, in, &bucketlite.PutManyOptions{Atomic: true})
		storetest.WantError(t, err, bucketlite.ErrInvalid)
		return "refused PutMany"
	case n < 60:
		in := m.some(10)
		var changes []bucketlite.Change
		for _, one := range in {
			changes = append(changes, b.PutChange(one, nil))
		}
		if n%2 == 0 {
			changes = append(changes, b.DeleteChange("none", nil))
		}
		_, err := st.Apply(ctx, changes...)
		if (err != nil) != (n%2 == 0) {
			t.Fatalf("Apply: got %v", err)
		}
		return "Apply"
	case n < 68:
		for _, id := range m.ids(b, 3) {
			must(storetest.ErrorOf(b.Patch(ctx, id, bucketlite.ObjectInput{Fields: map[string]any{m.field: strings.Repeat("p", r.IntN(40))}}, nil)))
		}
		return "patches"
	case n < 76:
		for _, id := range m.ids(b, 4) {
			must(b.DeleteObject(ctx, id, nil))
		}
		return "deletions"
	case n < 79:
		must(storetest.ErrorOf(b.DeleteObjects(ctx, bucketlite.Query{Filter: bucketlite.Gte("k", "5")}, nil)))
		return "DeleteObjects"
	case n < 82:
		must(storetest.ErrorOf(b.PatchObjects(ctx, bucketlite.Query{Filter: bucketlite.Lt("k", "2")}, bucketlite.ObjectInput{Fields: map[string]any{m.field: "by query"}}, nil)))
		return "PatchObjects"
	case n < 85:
		if ids := m.ids(b, 5); len(ids) > 0 {
			storetest.Submit(t, b, ids...)
		}
		return "submission"
	case n < 87:
		for k, err := range b.Batches(ctx, bucketlite.BatchQuery{}) {
			must(err)
			if !k.Done() {
				must(storetest.ErrorOf(b.CancelBatch(ctx, k.ID)))
			}
		}
		return "CancelBatch"
	case n < 92:
		storetest.Process(t, st, func(context.Context, *bucketlite.Job) error {
			if m.next++; m.next%3 == 0 {
				return errors.New("no")
			}
			return nil
		}, bucketlite.ProcessOptions{Concurrency: 1, MaxAttempts: 1})
		return "Process"
	case n < 95:
		old := m.field
		m.field = fmt.Sprint("v", len(old)+r.IntN(1000))
		if m.field == old {
			return "nothing"
		}
		must(storetest.ErrorOf(b.ChangeSchema(ctx, m.schema(), &bucketlite.SchemaChangeOptions{Rename: map[string]string{old: m.field}})))
		return "ChangeSchema"
	case n < 97:
		storetest.Execute(t, storetest.OpenRaw(t, m.path), storetest.Uncount)
		return "uncounted"
	case n < 98:
		for _, other := range m.more {
			must(storetest.ErrorOf(other.Put(ctx, storetest.Item(fmt.Sprint(r.IntN(5)), strings.Repeat("o", r.IntN(9))), nil)))
		}
		return "puts elsewhere"
	}
	for range 300 { // folds
		must(storetest.ErrorOf(b.Put(ctx, m.item(r.IntN(60)), nil)))
	}
	return "many puts"
}
