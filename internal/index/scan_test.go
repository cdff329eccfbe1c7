package index_test

import (
	"context"
	"errors"
	"testing"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/query"
)

// endsAt is a context whose end is noticed when it is asked for the nth time.
type endsAt struct {
	context.Context
	n int
}

func (c *endsAt) Err() error {
	if c.n--; c.n < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// TestSortEnds ends a sorted scan at each point at which it asks for the context.
func TestSortEnds(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.putSome(900)
	ended := 0
	for n := range 20 {
		var err error
		f.read(func(c *engine.Conn) error {
			how, e := index.Choose(context.Background(), c, f.bucket, f.compile(nil, query.OrderBy{Path: []string{"n"}}), false)
			if e == nil {
				err = how.Find(&endsAt{context.Background(), n}, c, &page{limit: 100})
			}
			return e
		})
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			ended++
		case err != nil:
			t.Errorf("the context ends at its check %d: got %v, want the context's error", n, err)
		}
	}
	if ended < 3 {
		t.Errorf("got %d scans that ended early, want at least 3", ended)
	}
}
