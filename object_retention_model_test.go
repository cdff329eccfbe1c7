package bucketlite_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// kept is an item that a bucket has according to the model.
type kept struct {
	k       string
	size    int64
	order   int // of the last change
	changed time.Time
	expires time.Time
}

// retentionModel is a bucket of items, its limits and what is expected of it.
type retentionModel struct {
	t      *testing.T
	r      *rand.Rand
	path   string
	clock  *storetest.ManualClock
	st     *bucketlite.Store
	b      *bucketlite.Bucket
	limits bucketlite.Retention
	items  []kept
	order  int
	log    []string
}

// A bucket with limits and with objects that expire has after each of many random calls
// what a list has that is searched as a whole.
func TestRetentionModel(t *testing.T) {
	t.Parallel()
	steps := 120
	if *storetest.Long {
		steps = 3000
	}
	m := &retentionModel{t: t, r: storetest.NewRand(t), path: t.TempDir() + "/test.db", clock: storetest.NewManualClock()}
	m.open()
	m.b = storetest.Items(t, m.st)
	for range steps {
		m.step()
		if t.Failed() {
			t.Fatalf("after %s", strings.Join(m.log[max(0, len(m.log)-12):], "; "))
		}
	}
	storetest.WantNoProblem(t, m.st)
	storetest.WantSound(t, m.path)
}

func (m *retentionModel) open() {
	m.st = storetest.OpenPath(m.t, m.path, bucketlite.WithIdleTime(bucketlite.Options{Now: m.clock.Now}, 2*time.Millisecond))
}

func (m *retentionModel) note(format string, args ...any) {
	m.log = append(m.log, fmt.Sprintf(format, args...))
}

func (m *retentionModel) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Error(err)
	}
}

// step makes one call, and compares.
func (m *retentionModel) step() {
	ctx := context.Background()
	switch n := m.r.IntN(20); {
	case n < 9:
		m.put()
	case n < 12 && len(m.items) > 0:
		m.patch()
	case n == 12 && len(m.items) > 0:
		i := m.r.IntN(len(m.items))
		m.note("delete %s", m.items[i].k)
		m.must(m.b.DeleteObject(ctx, m.object(m.items[i].k).ID, nil))
		m.items = slices.Delete(m.items, i, i+1)
	case n < 17:
		m.note("the clock moves")
		m.clock.Add(time.Duration(m.r.IntN(8_000_000)) * time.Microsecond)
	case n == 17:
		m.limits = bucketlite.Retention{
			MaxAge:     time.Duration(m.r.IntN(3)) * 10 * time.Second,
			MaxObjects: int64(m.r.IntN(4)) * 5,
			MaxBytes:   int64(m.r.IntN(3)) * 600,
		}
		m.note("limits %+v", m.limits)
		_, err := m.b.Update(ctx, bucketlite.BucketUpdate{Retention: &m.limits})
		m.must(err)
	case n == 18:
		m.note("reopen")
		m.must(m.st.Close())
		m.open()
		b, err := storetest.Namespace(m.t, m.st).Bucket(ctx, "items")
		m.must(err)
		m.b = b
	case n == 19:
		m.note("locked while the clock moves")
		m.must(m.b.Lock(ctx))
		m.clock.Add(time.Duration(m.r.IntN(3_000_000)) * time.Microsecond)
		m.must(m.b.Unlock(ctx))
	}
	m.expire()
	m.compare()
}

// input returns an input of a random size, which may expire.
func (m *retentionModel) input(k string) bucketlite.ObjectInput {
	in := storetest.Item(k, strings.Repeat("x", 1+m.r.IntN(200)))
	if m.r.IntN(3) == 0 {
		in.ExpiresAt = m.clock.Now().Add(time.Duration(1+m.r.IntN(20_000_000)) * time.Microsecond).Truncate(time.Microsecond)
	}
	return in
}

func (m *retentionModel) put() {
	in := m.input(fmt.Sprint(m.r.IntN(30)))
	m.note("put %s, expires %v", in.Fields["k"], in.ExpiresAt)
	res, err := m.b.Put(context.Background(), in, nil)
	if m.must(err); err != nil {
		return
	}
	k := in.Fields["k"].(string)
	m.items = slices.DeleteFunc(m.items, func(i kept) bool { return i.k == k })
	m.order++
	m.items = append(m.items, kept{k, res.Object.Size, m.order, m.clock.Add(0), in.ExpiresAt})
}

func (m *retentionModel) patch() {
	i := &m.items[m.r.IntN(len(m.items))]
	in := m.input(i.k)
	in.NeverExpires = in.ExpiresAt.IsZero() && m.r.IntN(3) == 0
	m.note("patch %s, expires %v, never %t", i.k, in.ExpiresAt, in.NeverExpires)
	o, err := m.b.Patch(context.Background(), m.object(i.k).ID, in, nil)
	if m.must(err); err != nil {
		return
	}
	m.order++
	i.size, i.order, i.changed = o.Size, m.order, m.clock.Add(0)
	if in.NeverExpires || !in.ExpiresAt.IsZero() {
		i.expires = in.ExpiresAt
	}
}

func (m *retentionModel) object(k string) *bucketlite.Object {
	m.t.Helper()
	o, err := m.b.ObjectByKey(context.Background(), map[string]any{"k": k})
	if err != nil {
		m.t.Fatalf("%s: %v, after %s", k, err, strings.Join(m.log[max(0, len(m.log)-12):], "; "))
	}
	return o
}

// expire deletes from the model what the bucket is to delete.
func (m *retentionModel) expire() {
	now := m.clock.Add(0)
	m.items = slices.DeleteFunc(m.items, func(i kept) bool { return !i.expires.IsZero() && !i.expires.After(now) })
	slices.SortFunc(m.items, func(a, b kept) int { return cmp.Compare(a.order, b.order) })
	for len(m.items) > 0 {
		size := int64(0)
		for _, i := range m.items {
			size += i.size
		}
		l := m.limits
		old := l.MaxAge > 0 && !m.items[0].changed.Add(l.MaxAge).After(now)
		if !old && (l.MaxObjects == 0 || int64(len(m.items)) <= l.MaxObjects) && (l.MaxBytes == 0 || size <= l.MaxBytes) {
			return
		}
		m.items = m.items[1:]
	}
}

// compare waits until the bucket has what the model has.
func (m *retentionModel) compare() {
	m.t.Helper()
	var want []string
	for _, i := range m.items {
		want = append(want, i.k)
	}
	slices.Sort(want)
	var got []string
	if !storetest.Eventually(func() bool { got = storetest.ItemKeys(m.t, m.b); slices.Sort(got); return slices.Equal(got, want) }) {
		m.t.Errorf("got %q, want %q", got, want)
	}
}
