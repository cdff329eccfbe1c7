package bucketlite

import (
	"context"
	"errors"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/query"
)

// errScan says that a page cannot be found by a short read.
var errScan = errors.New("the page takes a scan")

// readPage has f find a page of objects, by a short read if that is possible. Scans
// wait for one another, and pages should not wait for them. What a page takes is known
// when the query is planned, so f is called as if it were short, and if it returns
// errScan again as a long read. In a short read f must plan no more than a page.
func (s *Store) readPage(ctx context.Context, c *compiledQuery, f func(ctx context.Context, conn *engine.Conn, short bool) error) error {
	if c.mayBeShort() {
		err := s.read(ctx, func(conn *engine.Conn) error { return f(ctx, conn, true) })
		if !errors.Is(err, errScan) {
			return err
		}
	}
	return s.readLong(ctx, func(ctx context.Context, conn *engine.Conn) error { return f(ctx, conn, false) })
}

// mayBeShort reports whether a page of the query can be a short read, if there is an
// index for it. To count what is wanted takes a scan, and so may one regular expression.
func (c *compiledQuery) mayBeShort() bool {
	if c.IsAll() {
		return true
	}
	return !c.total && c.Search == nil &&
		!c.Filter.Root.Any(func(n *query.Node) bool { return n.Op == query.Regex })
}
