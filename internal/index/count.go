package index

import (
	"context"
	"math"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/query"
)

// Count counts the objects that match q, before and after its position. If possible, it
// counts entries and reads no objects. Unless most is 0, it stops at most.
func Count(ctx context.Context, conn *engine.Conn, b Bucket, q *query.Query, most int64) (int64, error) {
	all := query.Query{Filter: q.Filter, Search: q.Search, Limit: int(min(most, math.MaxInt))}
	n, ok, err := countEntries(ctx, conn, b.Partition, &all, most)
	if err != nil || ok {
		return n, err
	}
	// A count that ends early is planned like a page of as many objects.
	c, err := Choose(ctx, conn, b, &all, most == 0 || most > maxLookupAll)
	if err != nil {
		return 0, err
	}
	if most == 0 {
		return c.visit(ctx, conn, nil, nil)
	}
	return c.count(ctx, conn)
}

// countEntries counts the objects that match q without reading any, up to most unless that
// is 0. That is possible if q is a single condition with exactly one entry for each matching
// object.
func countEntries(ctx context.Context, conn *engine.Conn, partition int64, q *query.Query, most int64) (n int64, ok bool, err error) {
	ch, err := newChooser(ctx, conn, partition, q, true)
	conjuncts := conjuncts(q)
	if err != nil || q.Search != nil || len(conjuncts) != 1 {
		return 0, false, err
	}
	i, spans := ch.spans(conjuncts[0])
	if i == nil || i.many || i.cut || !conjuncts[0].IsExact() {
		return 0, false, nil
	}
	for _, span := range spans {
		text, args := "SELECT count(*) FROM entries WHERE idx = ? AND key >= ? AND key < ?", []any{i.Num, span.Low, span.High}
		if most != 0 {
			text, args = "SELECT count(*) FROM (SELECT 1 FROM entries WHERE idx = ? AND key >= ? AND key < ? LIMIT ? + 0)", append(args, most-n)
		}
		if _, err := conn.QueryRow(text, args, func(r engine.Row) { n += r.Int(0) }); err != nil {
			return 0, false, err
		}
	}
	return n, true, nil
}

// count counts the objects that match the query, up to its limit.
func (c *Choice) count(ctx context.Context, conn *engine.Conn) (n int64, err error) {
	s := c.newScan(ctx, nil)
	defer s.release()
	err = conn.LongQuery(ctx, "SELECT count(*) FROM (SELECT 1 FROM "+c.source.from+" AND "+s.call()+" LIMIT ?7 + 0)", s.args(&c.source, c.query.Limit), func(r engine.Row) error {
		n = r.Int(0)
		return nil
	})
	return n, s.err(conn, err)
}
