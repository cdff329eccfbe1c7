package bucketlite

import (
	"context"
	"errors"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/query"
)

// errScan reports that a page cannot be found by a short read.
var errScan = errors.New("page needs a scan")

// readPage calls f to find a page of objects, in a short read if possible. Scans wait
// for one another, and pages should not wait for scans. The cost of a page is known
// once the query is planned. So readPage calls f for a short read first, and if f
// returns errScan, again for a long read. In a short read f must read no more than a
// page.
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
// index for it. A total needs a scan, and a regular expression may.
func (c *compiledQuery) mayBeShort() bool {
	if c.IsAll() {
		return true
	}
	return !c.total && c.Search == nil &&
		!c.Filter.Root.Any(func(n *query.Node) bool { return n.Op == query.Regex })
}
