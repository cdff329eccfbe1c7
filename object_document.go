package bucketlite

import (
	"iter"
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A rowDoc is a stored object as a query sees it, amid a statement and without
// decoding more of it than is asked for. What it returns may lie in memory that
// is SQLite's, and must be copied if it is kept.
type rowDoc struct {
	bucket *target
	row    engine.Row // what fieldColumns, or documentColumns, are
	err    error      // what made the stored form unreadable

	blobs     []any
	blobsRead bool
}

// The columns of object AS o that a rowDoc reads: for a query that is only about
// the user's fields, and for any other.
const (
	fieldColumns    = "o.fields"
	documentColumns = "o.fields, o.id, o.key_prefix, o.status, o.error, o.created_at, o.updated_at, o.blobs"
)

// set makes d the document of another row.
func (d *rowDoc) set(row engine.Row) {
	d.row, d.blobs, d.blobsRead = row, nil, false
}

// size returns the bytes of what is stored of the user's fields.
func (d *rowDoc) size() int {
	fields, _ := d.row[0].([]byte)
	return len(fields)
}

// failure says what made the stored form unreadable, if anything did.
func (d *rowDoc) failure() error {
	if d.err == nil {
		return nil
	}
	return errorf("%s: %w: %v", d.bucket, ErrCorrupt, d.err)
}

// Member returns the member of the object's JSON form that is called name.
func (d *rowDoc) Member(name string) (any, bool) {
	switch name {
	case "object_id":
		return d.row.Text(1), true
	case "bucket_id":
		return d.bucket.id, true
	case "key_prefix":
		return d.text(2)
	case "status":
		return d.text(3)
	case "error":
		return d.text(4)
	case "created_at":
		return timeOf(d.row.Int(5)).Format(time.RFC3339Nano), true
	case "updated_at":
		return timeOf(d.row.Int(6)).Format(time.RFC3339Nano), true
	case "blobs":
		return d.storedBlobs(), true
	}
	fields, _ := d.row[0].([]byte)
	v, ok, err := jsonb.Member(fields, name)
	if err != nil {
		d.err = err
	}
	return v, ok
}

// text returns a text column, which is absent if it is NULL.
func (d *rowDoc) text(i int) (any, bool) {
	if d.row.Null(i) {
		return nil, false
	}
	return d.row.Text(i), true
}

// storedBlobs returns the object's blobs as plain values. They are stored in their
// JSON form.
func (d *rowDoc) storedBlobs() []any {
	if d.blobsRead {
		return d.blobs
	}
	d.blobs, d.blobsRead = []any{}, true
	if text := d.row.Text(7); text != "" {
		// It is an object that the package reads.
		doc, err := value.ParseTrusted(`{"blobs":` + text + `}`)
		if err != nil {
			d.err = err
			return d.blobs
		}
		d.blobs, _ = doc["blobs"].([]any)
	}
	return d.blobs
}

// Texts are what a search looks at: the strings in the fields, at any depth, the
// object's id and key prefix, and the filenames of its blobs.
func (d *rowDoc) Texts() iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield(d.row.Text(1)) || !d.row.Null(2) && !yield(d.row.Text(2)) {
			return
		}
		fields, _ := d.row[0].([]byte)
		more := true
		err := jsonb.Strings(fields, func(s string) bool { more = yield(s); return more })
		if err != nil {
			d.err = err
			return
		}
		if !more || d.row.Null(7) {
			return
		}
		for _, name := range query.Values(query.Map{"blobs": d.storedBlobs()}, []string{"blobs", "details", "filename"}) {
			if s, ok := name.(string); ok && !yield(s) {
				return
			}
		}
	}
}

// inSystem reports whether a path leads to a member that is the system's, so that
// a rowDoc needs more than the fields.
func inSystem(path []string) bool {
	switch path[0] {
	case "object_id", "bucket_id", "key_prefix", "status", "error", "created_at", "updated_at", "blobs":
		return true
	}
	return false
}

// types tells what a path in the bucket's objects is declared to be.
func (t *target) types(path []string) query.Type {
	if len(path) > 1 && inSystem(path) {
		return query.Type{Many: true}
	}
	switch path[0] {
	case "object_id", "bucket_id", "key_prefix", "status", "error":
		return query.Type{Kind: query.String}
	case "created_at", "updated_at":
		return query.Type{Kind: query.DateTime}
	case "blobs":
		return query.Type{Many: true}
	}
	return t.def.plan.QueryType(path)
}
