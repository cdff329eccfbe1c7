package bucketlite

import "time"

// ObjectSum returns the checksum of an object's row.
func ObjectSum(seq int64, id string, version int64, key []byte, keyPrefix string, createdAt, updatedAt int64, fields []byte, blobs string) int64 {
	row := objectRow{key: key, fields: fields, blobs: blobs, object: Object{seq: seq, ID: id, Version: version, KeyPrefix: keyPrefix,
		CreatedAt: timeOf(createdAt), UpdatedAt: timeOf(updatedAt)}}
	return row.checksum()
}

// SetStageLease shortens the lease of a store's staged content, which no test can
// wait for. It must be called before anything is staged.
func SetStageLease(s *Store, d time.Duration) { s.stageLease = d }
