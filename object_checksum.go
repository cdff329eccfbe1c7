package bucketlite

import (
	"encoding/binary"
	"hash/crc32"
	"sync"
	"unsafe"
)

// The checksum of an object's row covers the row's seq, id, version, unique key, key
// prefix, times, fields and blobs. It does not cover the status and the error, which
// statements for many rows change, nor values that follow from the others: the size,
// and the partition, which is part of the seq. NULL and an empty value count as the
// same. A row without a time of expiry has the checksum that it had in older formats.
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
	sum = crc32.Update(sum, castagnoli, bytesOf(o.blobs))
	if !o.object.ExpiresAt.IsZero() {
		binary.LittleEndian.PutUint64(head[:], uint64(o.object.ExpiresAt.UnixMicro()))
		sum = crc32.Update(sum, castagnoli, head[:8])
	}
	return int64(sum)
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
