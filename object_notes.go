package bucketlite

import (
	"context"
	"strings"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Notes returns remarks about a valid query of the bucket's objects, in words: the paths in
// its Filter, Sort and Select that the schema does not declare, although it declares others.
// They may be misspelled. Errors: those of [Bucket.List].
func (b *Bucket) Notes(ctx context.Context, q Query) (notes []string, err error) {
	err = b.following(ctx, func(b *Bucket) error {
		c, err := q.compile(b.store, list{kind: "objects", owner: b.num}, b.types)
		if err != nil {
			return err
		}
		notes = b.notes(q, c)
		return b.store.read(ctx, b.readable)
	})
	if err != nil {
		return nil, err
	}
	return notes, nil
}

// notes returns the notes of a compiled query.
func (b *Bucket) notes(q Query, c *compiledQuery) (notes []string) {
	note := func(part, path string) {
		notes = append(notes, part+": the schema declares no "+value.Show(path))
	}
	if c.Filter != nil {
		for _, path := range c.Filter.Unnamed() {
			note("filters", path)
		}
	}
	for _, by := range c.Order {
		if by.Type.Place != query.Open {
			note("sort", strings.Join(by.Path, "."))
		}
	}
	for _, path := range q.Select {
		if b.types(strings.Split(path, ".")).Place != query.Open && !b.isFile(path) {
			note("select", path)
		}
	}
	return notes
}

// isFile reports whether a path is a property of files, which queries cannot compare.
func (b *Bucket) isFile(path string) bool { return b.def.plan.File(path) != nil }
