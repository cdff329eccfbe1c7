package bucketlite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// Explanation says how a page of a query is found. It is of one moment: it changes
// with the objects there are, and with the versions of this package.
type Explanation struct {
	// Indexes are those that are used; none if every object is looked at until the
	// page is full.
	Indexes []Index `json:"indexes"`
	// Objects is how many objects there are to look at. If the results are in
	// order of creation, or in that of an index, looking ends when the page is full.
	Objects int64 `json:"objects"`
	// Sorts tells that the objects that are wanted must be sorted, and thus be known,
	// before the first of them.
	Sorts bool `json:"sorts"`
}

// String returns the explanation for people, as in "looks up 12 objects by the value
// index of category, and sorts them".
func (e *Explanation) String() string {
	var b strings.Builder
	switch names := make([]string, len(e.Indexes)); {
	case len(e.Indexes) > 0:
		for i, index := range e.Indexes {
			names[i] = index.String()
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

// Explain tells how [Bucket.List] would find the page that q asks for. Errors: those
// of List.
func (b *Bucket) Explain(ctx context.Context, q Query) (*Explanation, error) {
	c, err := q.compile(b.store, list{kind: "objects", owner: b.num}, b.types)
	if err != nil {
		return nil, err
	}
	var e *Explanation
	err = b.store.readLong(ctx, func(ctx context.Context, conn *engine.Conn) error {
		return conn.Snapshot(func() error {
			if err := b.permit(conn, readObjects); err != nil {
				return err
			}
			how, err := b.choose(ctx, conn, c, false)
			if err != nil {
				return err
			}
			e = &Explanation{Indexes: []Index{}, Sorts: len(c.order) > 0 && how.walk == nil}
			for _, i := range how.used {
				if !slices.Contains(e.Indexes, i.Index) {
					e.Indexes = append(e.Indexes, i.Index)
				}
			}
			e.Objects, err = how.objects(b, conn)
			return err
		})
	})
	return e, err
}

// objects returns how many objects there are to look at.
func (how *choice) objects(b *Bucket, conn *engine.Conn) (n int64, err error) {
	switch how.source.from {
	case theseObjects:
		return how.most, nil
	case keyObjects:
		_, err = conn.QueryRow("SELECT count(*) FROM entries WHERE idx = ? AND key = ?", []any{how.source.args[3], how.source.args[2]},
			func(r engine.Row) { n = r.Int(0) })
		return n, err
	}
	return b.objectCount(conn)
}
