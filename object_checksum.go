package bucketlite

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"sync"
	"unsafe"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// The checksum of an object's row covers the row's seq, id, version, unique key, key
// prefix, times, fields and blobs. It does not cover the status and the error, which
// statements for many rows change, nor values that follow from the others: the size,
// and the bucket, which is part of the seq. NULL and an empty value count as the
// same.
//
// [objectRow.insert] and [objectRow.update] are the only statements that write
// covered columns.

// sumHead is the first part of the checksum's input: four numbers and the lengths of
// five values, so that no two rows have the same encoding.
type sumHead [9 * 8]byte

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumHeads saves an allocation per row: the argument of crc32.Update escapes.
var sumHeads = sync.Pool{New: func() any { return new(sumHead) }}

// checksum computes the checksum of the row.
func (o *objectRow) checksum() int64 {
	head := sumHeads.Get().(*sumHead)
	defer sumHeads.Put(head)
	for i, n := range [...]int64{
		o.object.seq, o.object.Version, o.object.CreatedAt.UnixMicro(), o.object.UpdatedAt.UnixMicro(),
		int64(len(o.object.ID)), int64(len(o.key)), int64(len(o.object.KeyPrefix)), int64(len(o.fields)), int64(len(o.blobs)),
	} {
		binary.LittleEndian.PutUint64(head[8*i:], uint64(n))
	}
	sum := crc32.Update(0, castagnoli, head[:])
	sum = crc32.Update(sum, castagnoli, bytesOf(o.object.ID))
	sum = crc32.Update(sum, castagnoli, o.key)
	sum = crc32.Update(sum, castagnoli, bytesOf(o.object.KeyPrefix))
	sum = crc32.Update(sum, castagnoli, o.fields)
	return int64(crc32.Update(sum, castagnoli, bytesOf(o.blobs)))
}

// bytesOf returns the bytes of s without copying. They must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// intact returns an error if the row does not match its checksum.
func (o *objectRow) intact(b *Bucket) error {
	if !o.damaged {
		return nil
	}
	return errorf("bucket %q: object %q: %w: row does not match its checksum: delete the object or restore it from a backup, and run Check to find other damage",
		b.name, o.object.ID, ErrCorrupt)
}

// sumSlice is the number of rows of an older format that get a checksum per
// transaction.
const sumSlice = 200

// sumSome gives the next rows of an older format their checksums. It checks each
// object first, as Check does, since a checksum would vouch for damage too.
func (c *collector) sumSome() (worked bool, err error) {
	if c.summed {
		return false, nil
	}
	ctx := context.Background()
	k := &checker{store: c.store, ctx: ctx, buckets: c.sumBuckets}
	var after int64
	var page []checkedObject
	found := false
	err = c.store.read(ctx, func(conn *engine.Conn) error {
		return conn.Snapshot(func() (err error) {
			page = nil
			found, err = conn.QueryRow("SELECT summed FROM store WHERE summed IS NOT NULL", nil, func(r engine.Row) { after = r.Int(0) })
			if err == nil && found {
				page, err = k.selectObjects(conn, "SELECT o.bucket, "+objectColumns+" FROM object o WHERE o.seq > ? ORDER BY o.seq LIMIT ?",
					after, int64(sumSlice))
			}
			return err
		})
	})
	// A page that cannot be read is not retried until the store is reopened.
	c.summed = errors.Is(err, ErrCorrupt) || err == nil && !found
	if err != nil || !found {
		return false, err
	}
	c.sumBuckets = k.buckets
	sound := c.sound(page)
	return true, c.store.write(ctx, func(tx *commit.Tx) error {
		for _, o := range sound {
			if _, err := tx.Exec("UPDATE object SET sum = ? WHERE seq = ? AND sum IS NULL", o.checksum(), o.object.seq); err != nil {
				return err
			}
		}
		var last any // NULL after the last page
		if n := len(page); n > 0 {
			last = page[n-1].object.seq
		}
		_, err := tx.Exec("UPDATE store SET summed = ?1 WHERE ?1 IS NULL OR summed < ?1", last)
		return err
	})
}

// sound returns the objects of a page that have no checksum and no faults.
func (c *collector) sound(page []checkedObject) (sound []*checkedObject) {
	for i := range page {
		o := &page[i]
		if !o.unsummed {
			continue
		}
		if problems := o.judge().problems; len(problems) > 0 {
			c.store.opts.Logger.Warn("bucketlite: object gets no checksum, because it violates a rule; run Check", "problem", problems[0].String())
			continue
		}
		sound = append(sound, o)
	}
	return sound
}
