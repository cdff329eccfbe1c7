package bucketlite

import (
	"reflect"
	"time"
)

// ObjectSum returns the checksum of an object's row.
func ObjectSum(seq int64, id string, version int64, key []byte, keyPrefix string, createdAt, updatedAt int64, fields []byte, blobs string, expiresAt int64) int64 {
	row := objectRow{key: key, fields: fields, blobs: blobs, object: Object{seq: seq, ID: id, Version: version, KeyPrefix: keyPrefix,
		CreatedAt: timeOf(createdAt), UpdatedAt: timeOf(updatedAt)}}
	if expiresAt != 0 {
		row.object.ExpiresAt = timeOf(expiresAt)
	}
	return row.checksum()
}

// WithStageLease returns options of a store whose staged content has a lease of d, since
// no test can wait for the default.
func WithStageLease(o Options, d time.Duration) *Options {
	o.stageLease = d
	return &o
}

// WithIdleTime returns options of a store that looks every d for what needs rest or was
// left by other stores.
func WithIdleTime(o Options, d time.Duration) *Options {
	o.idleTime = d
	return &o
}

// WithoutBackground returns options of a store that does no background work, so that only
// the test's own calls read its clock.
func WithoutBackground(o Options) *Options {
	o.mayWork = func() bool { return false }
	return &o
}

// KeepsReserve reports whether a store knows that its file has a reserve.
func KeepsReserve(s *Store) bool { return s.reserve.kept.Load() }

// WithSteps returns options of a store that does background work only when mayWork says so,
// and that works on changes of a schema, and of objects by query, in slices of so many
// objects.
func WithSteps(o Options, mayWork func() bool, rows int) *Options {
	o.mayWork, o.changeRows, o.idleTime = mayWork, rows, time.Millisecond
	return &o
}

// SchemaOfType is [SchemaOf] for a type that only reflection knows.
func SchemaOfType(of reflect.Type) (Schema, error) { return schemaOfType(of) }
