package bucketlite

import (
	"context"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Object returns the object with the id. Errors: [ErrNotFound], [ErrNotActive] if the
// bucket is suspended, [ErrCorrupt] if the object does not match its checksum.
func (b *Bucket) Object(ctx context.Context, id string) (*Object, error) {
	return b.readObject(ctx, "o.id = ?2", id, func() error { return b.noObject(id) })
}

// ObjectByKey returns the object whose unique key has these values, such as
// {"sku": "A-1"}. Strings are compared exactly, with their case. Errors: those of
// [Bucket.Object], and [ErrBadRequest] if the bucket has no unique key, or key does not hold a
// valid value for exactly each of its fields.
func (b *Bucket) ObjectByKey(ctx context.Context, key map[string]any) (*Object, error) {
	if b.def.key == nil {
		return nil, badRequest("%s has no unique key", b)
	}
	var o *Object
	err := b.following(ctx, func(b *Bucket) error {
		fields, encoded, err := b.encodeKey(key)
		if err != nil {
			return err
		}
		o, err = b.readObject(ctx, "o.key = ?2", encoded, func() error {
			return notFound("%s: object with %s", b, b.def.key.Describe(fields))
		})
		return err
	})
	return o, err
}

// encodeKey validates the values of a unique key, and returns them as plain values
// and encoded.
func (b *Bucket) encodeKey(key map[string]any) (fields map[string]any, encoded []byte, err error) {
	j := &judge{}
	plain, ok := value.Plain(key, nil, b.store.opts.objectLimits(), j.fault)
	fields, _ = plain.(map[string]any)
	if ok {
		encoded = b.def.key.EncodeOnly(&j.Validation, fields)
	}
	if err := b.refusal(j); err != nil {
		return nil, nil, badRequest("unique key: %w", &bare{err})
	}
	return fields, encoded, nil
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
	return row.decode(b, nil)
}

// selectObject reads one object and checks the bucket's access in a single statement.
// It returns nil if there is no such object.
func (b *Bucket) selectObject(c *engine.Conn, a access, where string, arg any) (*objectRow, error) {
	var row *objectRow
	var refusal error
	found, err := c.QueryRow("SELECT b.name, b.status, b.is_locked, "+objectColumns+`
FROM buckets b LEFT JOIN object o ON o.partition = b.partition AND `+where+`
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
	if err == nil && row != nil {
		err = row.intact(b)
	}
	return row, err
}

// findObject reads the object with the id in a transaction that has already checked
// the bucket's state and definition. The row may be damaged.
func (b *Bucket) findObject(c *engine.Conn, id string) (*objectRow, error) {
	var row objectRow
	found, err := c.QueryRow("SELECT "+objectColumns+" FROM object o WHERE o.partition = ? AND o.id = ?",
		[]any{b.def.partition, id}, func(r engine.Row) { row.scan(r, 0) })
	if err == nil && !found {
		err = b.noObject(id)
	}
	return &row, err
}

func (b *Bucket) noObject(id string) error {
	return notFound("%s: object %s", b, value.Show(id))
}
