package bucketlite_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

func TestCount(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	indexed, plain := newExplained(t)
	for name, tt := range map[string]struct {
		filter bucketlite.Filter
		want   int64
	}{
		"all":        {bucketlite.Filter{}, 1000},
		"none":       {bucketlite.Eq("tenth", "class 11"), 0},
		"an equal":   {bucketlite.Eq("tenth", "class 3"), 100},
		"a range":    {bucketlite.And(bucketlite.Gte("n", 10), bucketlite.Lt("n", 20)), 10},
		"negated":    {bucketlite.Not(bucketlite.Eq("half", true)), 500},
		"an array":   {bucketlite.Eq("tags", "tag 3"), 50},
		"a group":    {bucketlite.Or(bucketlite.Eq("k", "1"), bucketlite.Eq("k", "2")), 2},
		"nothing is": {bucketlite.Or(), 0},
	} {
		for bucket, b := range map[string]*bucketlite.Bucket{"indexed": indexed, "plain": plain} {
			got, err := b.Count(ctx, tt.filter)
			if err != nil || got != tt.want {
				t.Errorf("%s, %s: got %d, %v, want %d", name, bucket, got, err, tt.want)
			}
			for _, most := range []int64{1, 2, 10, 99, 100, 101, 999, 1000, math.MaxInt64} {
				got, err := b.CountUpTo(ctx, bucketlite.Query{Filter: tt.filter}, most)
				if want := min(most, tt.want); err != nil || got != want {
					t.Errorf("%s, %s, up to %d: got %d, %v, want %d", name, bucket, most, got, err, want)
				}
			}
		}
	}
}

// The rest of a query does not change a count, and a search is counted, too.
func TestCountUpToOfQuery(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	indexed, plain := newExplained(t)
	for name, b := range map[string]*bucketlite.Bucket{"indexed": indexed, "plain": plain} {
		q := bucketlite.Query{Search: "Class 3", CaseSensitive: true}
		all, err := b.ListStats(ctx, q)
		storetest.Must(t, err)
		q.Sort, q.Reverse, q.Limit, q.Offset, q.Cursor, q.Total, q.Select = []bucketlite.Sort{bucketlite.Asc("n")}, true, 7, 3, "none", true, []string{"n"}
		for _, most := range []int64{1, all.Objects - 1, all.Objects, all.Objects + 1} {
			if got, err := b.CountUpTo(ctx, q, most); err != nil || got != min(most, all.Objects) {
				t.Errorf("%s, up to %d: got %d, %v, want it of %d objects", name, most, got, err, all.Objects)
			}
		}
	}
}

func TestCountRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.OpenMemory(t))
	storetest.PutItem(t, b, storetest.Item("a", "x"))
	_, err := b.Count(ctx, bucketlite.Regex("v", "("))
	storetest.WantError(t, err, bucketlite.ErrBadRequest)
	_, err = b.Count(ctx, bucketlite.Eq("n", "a text"))
	var never *bucketlite.QueryError
	if !errors.As(err, &never) || !never.Unsatisfiable {
		t.Errorf("got %v, want that no object can match", err)
	}
	for _, most := range []int64{0, -1, math.MinInt64} {
		_, err = b.CountUpTo(ctx, bucketlite.Query{}, most)
		storetest.WantError(t, err, bucketlite.ErrBadRequest)
	}
	storetest.Must(t, b.Suspend(ctx))
	_, err = b.CountUpTo(ctx, bucketlite.Query{}, 5)
	storetest.WantError(t, err, bucketlite.ErrNotActive)
	_, err = b.Count(ctx, bucketlite.Filter{})
	storetest.WantError(t, err, bucketlite.ErrNotActive)
	storetest.Must(t, storetest.ErrorOf(b.Delete(ctx)))
	if !storetest.Eventually(func() bool { _, err = b.Count(ctx, bucketlite.Filter{}); return errors.Is(err, bucketlite.ErrNotFound) }) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}
