package bucketlite_test

import (
	"context"
	"errors"
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
	storetest.Must(t, b.Suspend(ctx))
	_, err = b.Count(ctx, bucketlite.Filter{})
	storetest.WantError(t, err, bucketlite.ErrNotActive)
	storetest.Must(t, storetest.ErrorOf(b.Delete(ctx)))
	if !storetest.Eventually(func() bool { _, err = b.Count(ctx, bucketlite.Filter{}); return errors.Is(err, bucketlite.ErrNotFound) }) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}
