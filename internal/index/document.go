package index

import (
	"iter"
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A Document is a stored object as a query sees it while a statement runs. Members are
// decoded on demand. Values may lie in SQLite's memory, and must be copied to be kept.
type Document struct {
	bucket string     // its id
	row    engine.Row // fieldColumns or documentColumns
	err    error      // the last error of decoding the row
	blobs  []any      // nil until they are decoded
}

// The columns of object AS o that a Document reads: for a query that refers only to the
// user's fields, and for any other.
const (
	fieldColumns    = "o.fields"
	documentColumns = "o.fields, o.id, o.key_prefix, o.status, o.error, o.created_at, o.updated_at, o.blobs, o.expires_at, o.version"
)

// Stored is the stored form of an object, as far as queries can refer to it.
type Stored struct {
	Fields    []byte // JSONB
	ID        string
	KeyPrefix string // "" is absent
	Status    string
	Error     string // "" is absent
	CreatedAt int64  // microseconds since 1970
	UpdatedAt int64
	Blobs     string // JSON; "" is none
	ExpiresAt any    // microseconds since 1970, or nil
	Version   int64
}

// Row returns the object as a row of documentColumns.
func (s Stored) Row() engine.Row {
	return engine.RowOf(s.Fields, s.ID, nilIfBlank(s.KeyPrefix), s.Status, nilIfBlank(s.Error), s.CreatedAt, s.UpdatedAt, nilIfBlank(s.Blobs), s.ExpiresAt, s.Version)
}

func nilIfBlank(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// document returns the document of a row of the bucket, or nil for nil.
func (b *Bucket) document(row engine.Row) *Document {
	if row == nil {
		return nil
	}
	return &Document{bucket: b.ID, row: row}
}

// set makes d the document of another row.
func (d *Document) set(row engine.Row) { d.row, d.blobs = row, nil }

// size returns the stored bytes of the user's fields.
func (d *Document) size() int {
	return d.row[0].Len()
}

// Member returns the named member of the object's JSON form.
func (d *Document) Member(name string) (any, bool) {
	switch name {
	case "object_id":
		return d.row.Text(1), true
	case "bucket_id":
		return d.bucket, true
	case "key_prefix":
		return d.text(2)
	case "status":
		return d.text(3)
	case "error":
		return d.text(4)
	case "created_at":
		return timeText(d.row.Int(5)), true
	case "updated_at":
		return timeText(d.row.Int(6)), true
	case "blobs":
		return d.storedBlobs(), true
	case "x-expires-at":
		if !d.row.Null(8) {
			return timeText(d.row.Int(8)), true
		}
		return nil, false
	}
	fields := d.row.Bytes(0)
	v, ok, err := jsonb.Member(fields, name)
	if err != nil {
		d.err = err
	}
	return v, ok
}

// text returns a text column, which is absent if it is NULL.
func (d *Document) text(i int) (any, bool) {
	if d.row.Null(i) {
		return nil, false
	}
	return d.row.Text(i), true
}

// timeText returns a time in the JSON form.
func timeText(micro int64) string { return time.UnixMicro(micro).UTC().Format(time.RFC3339Nano) }

// storedBlobs returns the object's blobs as plain values. They are stored as JSON.
func (d *Document) storedBlobs() []any {
	if d.blobs != nil {
		return d.blobs
	}
	d.blobs = []any{}
	if text := d.row.Text(7); text != "" {
		// The parser accepts only objects.
		doc, err := value.ParseTrusted(`{"blobs":` + text + `}`)
		if err != nil {
			d.err = err
		} else if blobs, _ := doc["blobs"].([]any); blobs != nil {
			d.blobs = blobs
		}
	}
	return d.blobs
}

// Texts iterates over the strings that a search covers: those in the fields, at any depth,
// the object's id and key prefix, and the filenames of its blobs.
func (d *Document) Texts() iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield(d.row.Text(1)) || !d.row.Null(2) && !yield(d.row.Text(2)) {
			return
		}
		fields := d.row.Bytes(0)
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

// InSystem reports whether a member of the object's JSON form is a system member, not a
// field.
func InSystem(member string) bool {
	switch member {
	case "object_id", "bucket_id", "key_prefix", "status", "error", "created_at", "updated_at", "blobs", "x-expires-at":
		return true
	}
	return false
}

// HasText reports whether text indexes may cover a system member: those whose texts change only
// when the object is written.
func HasText(member string) bool {
	switch member {
	case "object_id", "bucket_id", "key_prefix", "blobs":
		return true
	}
	return false
}

// TypeOf returns the declared type of a path in the objects of a bucket with the schema.
func TypeOf(plan *schema.Plan, path []string) query.Type {
	if len(path) > 1 && InSystem(path[0]) {
		if path[0] != "blobs" {
			return query.Type{Many: true, Place: query.Closed}
		}
		return query.Type{Many: true}
	}
	switch path[0] {
	case "object_id", "bucket_id", "key_prefix", "status", "error":
		return query.Type{Kind: query.String}
	case "created_at", "updated_at", "x-expires-at":
		return query.Type{Kind: query.DateTime}
	case "blobs":
		return query.Type{Many: true}
	}
	return plan.QueryType(path)
}

// needsSystem reports whether a query refers to system members.
func needsSystem(q *query.Query) bool {
	if q.Search != nil {
		return true
	}
	for i := range q.Order {
		if InSystem(q.Order[i].Path[0]) {
			return true
		}
	}
	return q.Filter != nil && q.Filter.Root.Any(func(n *query.Node) bool { return InSystem(n.Path[0]) })
}
