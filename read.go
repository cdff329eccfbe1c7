package bucketlite

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Object returns the object with the id, or [ErrNotFound]. Objects of a
// suspended bucket cannot be read: [ErrNotActive].
func (b *Bucket) Object(ctx context.Context, id string) (*Object, error) {
	return b.readObject(ctx, "o.id = ?2", id, func() error { return b.noObject(id) })
}

// ObjectByKey returns the object whose unique key has these values. Errors: those
// of Object, and [ErrBadRequest] if key does not hold exactly the key's fields,
// each with a value that can be one.
func (b *Bucket) ObjectByKey(ctx context.Context, key map[string]any) (*Object, error) {
	if b.def.key == nil {
		return nil, badRequest("%s has no unique key", b)
	}
	fields, encoded, err := b.encodeKey(key)
	if err != nil {
		return nil, err
	}
	return b.readObject(ctx, "o.key = ?2", encoded, func() error {
		return notFound("%s: object with %s", b, b.def.key.describe(fields))
	})
}

// encodeKey judges the values of a key that is asked for, and returns them as
// plain values and encoded.
func (b *Bucket) encodeKey(key map[string]any) (fields map[string]any, encoded []byte, err error) {
	j := &judge{}
	plain, ok := value.Plain(key, nil, b.store.opts.objectLimits(), j.fault)
	fields, _ = plain.(map[string]any)
	if ok {
		for _, f := range b.def.key.fields {
			path := value.Path{{Name: f.name}}
			if v := fields[f.name]; v == nil {
				j.fault(path, ruleRequired, "required")
			} else if want := f.mismatch(v); want != "" {
				j.fault(path, ruleType, want+", got "+found(v))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if !b.def.key.covers(name) {
				j.fault(value.Path{{Name: name}}, ruleKey, "not a field of the unique key")
			}
		}
	}
	if len(j.issues) == 0 {
		encoded = b.def.key.encode(j, fields)
	}
	if err := b.refusal(j); err != nil {
		return nil, nil, badRequest("unique key: %w", err)
	}
	return fields, encoded, nil
}

// Objects iterates over the bucket's objects in order of creation. The loop's
// body may write to the bucket: no statement is open while it runs. Objects
// created meanwhile are met, since they come last; one deleted or changed
// meanwhile may be met as it was up to 100 objects earlier. An error ends the
// iteration; if the store is closed it is [ErrClosed].
func (b *Bucket) Objects(ctx context.Context, q Query) iter.Seq2[*Object, error] {
	return each(ctx, b.store, q, b.List)
}

// List returns one page of the bucket's objects, in order of creation. Paging
// through a bucket meets every object that is there all the while exactly once.
func (b *Bucket) List(ctx context.Context, q Query) (*Page[*Object], error) {
	limit, err := q.limit()
	if err != nil {
		return nil, err
	}
	l := list{"objects", b.num}
	after, err := b.store.position(l, q)
	if err != nil {
		return nil, err
	}
	var rows []objectRow
	err = b.store.read(ctx, func(c *engine.Conn) error {
		rows = make([]objectRow, 0, min(limit, DefaultLimit)+1)
		return b.selectObjects(c, max(after, b.num<<clockBits), limit+1, &rows)
	})
	if err != nil {
		return nil, err
	}
	objects := make([]*Object, len(rows))
	for i := range rows {
		if objects[i], err = rows[i].decode(b); err != nil {
			return nil, err
		}
	}
	return page(b.store, l, objects, limit, func(o *Object) int64 { return o.seq }), nil
}

// selectObjects reads the objects that come after a seq. The outer join yields
// one row without an object for a bucket that has none, so that one statement,
// and thus one snapshot, answers both whether they may be read and what they are.
func (b *Bucket) selectObjects(c *engine.Conn, after int64, limit int, rows *[]objectRow) error {
	found := false
	err := c.Query("SELECT b.name, b.status, b.locked, "+objectColumns+`
FROM buckets b LEFT JOIN objects o ON o.seq > ?2 AND o.seq < ?3
WHERE b.num = ?1 ORDER BY o.seq LIMIT ?4`, []any{b.num, after, (b.num + 1) << clockBits, int64(limit)}, func(r engine.Row) error {
		if !found {
			found = true
			if err := permit(r.Text(0), Status(r.Text(1)), r.Int(2) != 0, readObjects); err != nil {
				return err
			}
		}
		if !r.Null(3) {
			*rows = append(*rows, objectRow{})
			(*rows)[len(*rows)-1].scan(r, 3)
		}
		return nil
	})
	if err == nil && !found {
		err = b.gone()
	}
	return err
}

func (b *Bucket) readObject(ctx context.Context, where string, arg any, missing func() error) (*Object, error) {
	var row *objectRow
	err := b.store.read(ctx, func(c *engine.Conn) (err error) {
		row, err = b.selectObject(c, readObjects, where, arg)
		return err
	})
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, missing()
	}
	return row.decode(b)
}

// selectObject reads one object, and whether the bucket allows the access, in
// one statement. It returns nil if there is no such object.
func (b *Bucket) selectObject(c *engine.Conn, a access, where string, arg any) (*objectRow, error) {
	var row *objectRow
	var refusal error
	found, err := c.QueryRow("SELECT b.name, b.status, b.locked, "+objectColumns+`
FROM buckets b LEFT JOIN objects o ON o.bucket = b.num AND `+where+`
WHERE b.num = ?1`, []any{b.num, arg}, func(r engine.Row) {
		if refusal = permit(r.Text(0), Status(r.Text(1)), r.Int(2) != 0, a); refusal == nil && !r.Null(3) {
			row = &objectRow{}
			row.scan(r, 3)
		}
	})
	if err == nil && !found {
		err = b.gone()
	}
	if err == nil {
		err = refusal
	}
	return row, err
}

// findObject reads the object with the id in a transaction that has already
// looked at the bucket's state.
func (b *Bucket) findObject(c *engine.Conn, id string) (*objectRow, error) {
	var row objectRow
	found, err := c.QueryRow("SELECT "+objectColumns+" FROM objects o WHERE o.bucket = ? AND o.id = ?",
		[]any{b.num, id}, func(r engine.Row) { row.scan(r, 0) })
	if err == nil && !found {
		err = b.noObject(id)
	}
	return &row, err
}

func (b *Bucket) noObject(id string) error {
	return notFound("%s: object %s", b, found(id))
}

// gone says that the bucket has been deleted since its handle was made.
func (b *Bucket) gone() error { return notFound("%s", b) }
