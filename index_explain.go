package bucketlite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
)

// Explanation describes how a page of a query is found. It is a snapshot: it depends
// on the stored objects, and on the version of this package.
type Explanation struct {
	// Indexes are the indexes used. Without any, objects are scanned until the page
	// is full.
	Indexes []Index `json:"indexes"`
	// Objects is the number of objects to examine. If the results are in order of
	// creation, or in that of an index, the query ends when the page is full.
	Objects int64 `json:"objects"`
	// Sorts is true if all matching objects must be found and sorted before the first
	// result.
	Sorts bool `json:"sorts"`
	// Notes are remarks about the query; see [Bucket.Notes].
	Notes []string `json:"notes,omitempty"`
}

// String returns a readable form of the explanation, as in "looks up 12 objects by
// the value index of category, and sorts them".
func (e *Explanation) String() string {
	var b strings.Builder
	switch names := make([]string, len(e.Indexes)); {
	case len(e.Indexes) > 0:
		for i, used := range e.Indexes {
			names[i] = used.String()
		}
		noun := "objects"
		if e.Objects == 1 {
			noun = "object"
		}
		fmt.Fprintf(&b, "looks up %d %s by the %s", e.Objects, noun, strings.Join(names, ", the "))
	default:
		fmt.Fprintf(&b, "examines all %d objects", e.Objects)
	}
	if e.Sorts {
		b.WriteString(", and sorts them")
	}
	return b.String()
}

// Explain returns the way in which [Bucket.List] finds the page of q. Errors: those
// of List.
func (b *Bucket) Explain(ctx context.Context, q Query) (*Explanation, error) {
	var e *Explanation
	err := b.following(ctx, func(b *Bucket) (err error) {
		e, err = b.explain(ctx, q)
		return err
	})
	return e, err
}

func (b *Bucket) explain(ctx context.Context, q Query) (e *Explanation, err error) {
	c, err := q.compile(b.store, list{kind: "objects", owner: b.num}, b.types)
	if err != nil {
		return nil, err
	}
	err = b.store.readLong(ctx, func(ctx context.Context, conn *engine.Conn) error {
		return conn.Snapshot(func() error {
			if err := b.readable(conn); err != nil {
				return err
			}
			how, err := index.Choose(ctx, conn, b.indexed(), &c.Query, false)
			if err != nil {
				return err
			}
			e = &Explanation{Indexes: []Index{}, Sorts: how.Sorts(), Notes: b.notes(q, c)}
			for _, i := range how.Used() {
				if used := indexOf(i); !slices.Contains(e.Indexes, used) {
					e.Indexes = append(e.Indexes, used)
				}
			}
			e.Objects, err = how.Objects(conn)
			return err
		})
	})
	return e, err
}
