package index

import (
	"context"
	"errors"
	"fmt"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/bucketlite/bucketlite/internal/query"
)

// A Matcher matches single objects with a query, without regard to its position. It serves
// one goroutine at a time.
type Matcher struct {
	bucket Bucket
	query  *query.Query
	doc    Document
	work   *query.Work
}

// NewMatcher returns a matcher for the objects of a bucket.
func NewMatcher(ctx context.Context, b Bucket, q *query.Query) *Matcher {
	return &Matcher{bucket: b, query: q, doc: Document{bucket: b.ID}, work: query.NewWork(ctx)}
}

// Match reports whether an object matches. The row is that of [Stored.Row]. The errors are
// those of [Choice.Find].
func (m *Matcher) Match(row engine.Row) (bool, error) {
	if m.query.IsAll() {
		return true, nil
	}
	m.doc.set(row)
	matches := m.query.Match(&m.doc, m.doc.size(), m.work)
	err := m.work.Err()
	var costly *pattern.WorkError
	switch {
	case errors.As(err, &costly):
		m.work = query.NewWork(context.Background())
		return false, fmt.Errorf("%s: object %q: %w: %w", &m.bucket, row.Text(1), engine.ErrTooLarge, err)
	case err != nil:
		return false, err
	case m.doc.err != nil:
		err, m.doc.err = m.doc.err, nil
		return false, fmt.Errorf("%s: object %q: %w: %v", &m.bucket, row.Text(1), engine.ErrCorrupt, err)
	}
	return matches, nil
}
