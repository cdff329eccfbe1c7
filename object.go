package bucketlite

import (
	"bytes"
	"maps"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/jobs"
	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Object is a stored object. It belongs to the caller.
//
// The JSON form is that of the hosted service's ObjectResponse: the user's fields and
// the system's members together at the root. If a query had a [Query].Select, then
// Fields, Blobs and the JSON form hold only the selected members.
type Object struct {
	// ID is unique in the bucket.
	ID string
	// BucketID is the bucket's id.
	BucketID string
	// KeyPrefix is the storage path given by the user, or empty.
	KeyPrefix string
	// Fields are the user's fields. Numbers are [json.Number], exactly as given.
	Fields map[string]any
	// Blobs are the object's blobs, in the given order.
	Blobs []Blob
	// Status is StatusDraft until the object is processed, and again after its
	// content changes.
	Status Status
	// Error is the reason why processing failed, or empty.
	Error string
	// CreatedAt and UpdatedAt are in UTC, with microsecond precision.
	CreatedAt, UpdatedAt time.Time
	// Version increases with every change of the object. It is unique among all
	// states of all objects of the bucket, so it can guard an update; see
	// [PutOptions].IfVersion.
	Version int64
	// Size is the size of the fields as compact JSON, plus the sizes of the blobs'
	// stored content and inline data, in bytes.
	Size int64

	seq    int64           // position in the order of creation
	chosen value.Selection // members that a query selected; nil for all
}

// MarshalJSON returns the object's JSON form.
func (o Object) MarshalJSON() ([]byte, error) {
	doc := make(map[string]any, len(o.Fields)+9)
	maps.Copy(doc, o.Fields)
	doc["object_id"] = o.ID
	doc["bucket_id"] = o.BucketID
	doc["status"] = string(o.Status)
	doc["created_at"] = o.CreatedAt
	doc["updated_at"] = o.UpdatedAt
	doc["blobs"] = o.Blobs
	if o.Blobs == nil {
		doc["blobs"] = []any{}
	}
	if o.KeyPrefix != "" {
		doc["key_prefix"] = o.KeyPrefix
	}
	if o.Error != "" {
		doc["error"] = o.Error
	}
	var issues []Issue
	plain, ok := value.Plain(doc, nil, objectFormLimits, appendTo(&issues))
	if !ok {
		return nil, newValidationError("object", issues)
	}
	if o.chosen != nil {
		doc = o.chosen.Members(plain.(map[string]any))
		doc["object_id"], doc["bucket_id"] = o.ID, o.BucketID
		plain = doc
	}
	return value.Append(nil, plain), nil
}

// objectFormLimits limit an object's JSON form. Inline data may nest as deep as
// fields, and starts four levels down.
var objectFormLimits = value.Limits{MaxDepth: value.DefaultMaxDepth + 4, MaxBytes: 1 << 30}

// ObjectInput is the input of Put and Patch.
//
// The JSON form is that of the hosted service's CreateObjectRequest: fields at the
// root, together with blobs, key_prefix and object_id. An [Object]'s JSON form is
// valid too, and keeps the object's blobs.
type ObjectInput struct {
	// ID is the object's id: 1 to 128 of A–Z a–z 0–9 _ -. If it is empty, a new
	// object gets a new id, and an object found by its unique key keeps its own.
	ID string
	// KeyPrefix is a storage path, stored and returned unchanged. Empty keeps the
	// stored one.
	KeyPrefix string
	// Fields are the user's fields. Values may have any Go type that has a JSON form,
	// except []byte: use a blob. A system member of [Object]'s JSON form is ignored
	// if it equals the stored value, and refused otherwise. Put and Patch do not
	// change the map.
	Fields map[string]any
	// Blobs are the object's blobs. When Put replaces an object, nil keeps the stored
	// blobs, and any other list, even an empty one, replaces them. Patch replaces the
	// blobs of the properties that Blobs names, and keeps the others.
	Blobs []BlobInput
	// SkipDuplicates keeps stored blobs, with their ids and metadata, that would be
	// replaced by equal bytes: a blob whose content equals that of a stored blob of
	// the same property is skipped, and the stored blob takes its place. Each stored
	// blob does so once. References and inline data do not count as content.
	SkipDuplicates bool
	// KeepReference stores URLs as references even if there is an [Options].Fetcher.
	// Its JSON name is "canonicalize_source", with the opposite meaning.
	KeepReference bool
	// Refetch fetches every URL. Without it, a URL that the stored object has for the
	// same property, with content, keeps that content. Its JSON name is
	// "force_remirror".
	Refetch bool
}

// UnmarshalJSON decodes the JSON form strictly. Duplicate members, lone surrogates,
// NUL, invalid UTF-8 and numbers out of range are refused with a [*ValidationError]
// that names the path.
func (in *ObjectInput) UnmarshalJSON(data []byte) error {
	v, err := value.Parse(data, value.Limits{MaxDepth: objectFormLimits.MaxDepth, MaxBytes: maxInputBytes})
	if err != nil {
		return &ValidationError{Subject: "object", Issues: syntaxIssues(nil, err)}
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return &ValidationError{Subject: "object", Issues: []Issue{{"", ruleType, "object expected, got " + value.Show(v)}}}
	}
	j := &judge{}
	*in = ObjectInput{Fields: doc}
	in.ID, _ = takeString(j, doc, "object_id")
	in.KeyPrefix, _ = takeString(j, doc, "key_prefix")
	in.SkipDuplicates = orElse(takeBool(j, doc, "skip_duplicates", nil), false)
	in.KeepReference = !orElse(takeBool(j, doc, "canonicalize_source", nil), true)
	in.Refetch = orElse(takeBool(j, doc, "force_remirror", nil), false)
	if blobs, ok := doc["blobs"]; ok && !areStored(blobs) {
		delete(doc, "blobs")
		in.Blobs = blobInputs(j, blobs)
	}
	return j.err("object")
}

// areStored reports whether v lists blobs in [Object]'s form. Such blobs are compared
// with the stored ones, not stored.
func areStored(v any) bool {
	list, _ := v.([]any)
	for _, item := range list {
		blob, _ := item.(map[string]any)
		if blob["blob_id"] == nil || blob["data"] != nil || blob["upload_id"] != nil {
			return false
		}
	}
	return len(list) > 0
}

// takeString removes a system member that is a string or null from doc.
func takeString(j *judge, doc map[string]any, name string) (string, bool) {
	v, ok := doc[name]
	if !ok {
		return "", false
	}
	delete(doc, name)
	s, ok := v.(string)
	if !ok && v != nil {
		j.fault(value.Path{{Name: name}}, ruleType, "string expected, got "+value.Show(v))
	}
	return s, ok
}

// objectColumns are the columns of object AS o that objectRow reads. For each query
// the driver copies each column's name and declared type. An expression with a name
// of one byte avoids both copies, which cost more than two columns.
const objectColumns = "+o.seq x, +o.id x, +o.version x, +o.size x, +o.status x, +o.error x, +o.key_prefix x, " +
	"+o.created_at x, +o.updated_at x, +o.fields x, +o.blobs x, +o.key x, +o.sum x"

// objectRow is a stored object. Its JSON is decoded after the connection is released.
type objectRow struct {
	object Object
	fields []byte // in the form of schema.Fields
	blobs  string // "" if there are none
	key    []byte // encoded unique key, nil if there is none

	unsummed bool // it has no checksum, as in rows of older formats
	damaged  bool // it does not match its checksum
}

// row returns the object as its indexes see it.
func (o *objectRow) row() engine.Row {
	v := &o.object
	return index.Stored{
		Fields: o.fields, ID: v.ID, KeyPrefix: v.KeyPrefix, Status: string(v.Status), Error: v.Error,
		CreatedAt: v.CreatedAt.UnixMicro(), UpdatedAt: v.UpdatedAt.UnixMicro(), Blobs: o.blobs,
	}.Row()
}

// newRow returns the row of an object with a unique key, fields and blobs; encoded is
// the stored form of blobs. It computes the object's size.
func newRow(o Object, key []byte, fields schema.Fields, blobs []Blob, encoded any) objectRow {
	o.Size = fields.Size() + blobBytes(blobs)
	text, _ := encoded.(string)
	return objectRow{object: o, fields: fields.JSONB, blobs: text, key: key}
}

// scan reads objectColumns, starting at column i.
func (o *objectRow) scan(r engine.Row, i int) {
	o.object = Object{
		seq: r.Int(i), ID: r.Text(i + 1), Version: r.Int(i + 2), Size: r.Int(i + 3),
		Status: Status(r.Text(i + 4)), Error: r.Text(i + 5), KeyPrefix: r.Text(i + 6),
		CreatedAt: timeOf(r.Int(i + 7)), UpdatedAt: timeOf(r.Int(i + 8)),
	}
	o.fields, o.blobs, o.key = r.Bytes(i+9), r.Text(i+10), r.Bytes(i+11)
	o.unsummed = r.Null(i + 12)
	o.damaged = !o.unsummed && r.Int(i+12) != o.checksum()
}

// decode returns the object with the chosen members; nil chooses all. A row that is
// damaged or cannot be decoded is ErrCorrupt, since this package never writes one.
func (o *objectRow) decode(b *Bucket, chosen value.Selection) (*Object, error) {
	if err := o.intact(b); err != nil {
		return nil, err
	}
	object := o.object
	object.BucketID, object.chosen = b.id, chosen
	var err error
	if object.Fields, err = jsonb.ParseSelected(o.fields, chosen); err == nil {
		err = o.decodeBlobs(&object, chosen)
	}
	if err != nil {
		return nil, o.corrupt(b, err)
	}
	return &object, nil
}

// decodeBlobs adds the blobs to the object, if they are chosen, and removes their
// inline data from its fields.
func (o *objectRow) decodeBlobs(object *Object, chosen value.Selection) (err error) {
	if chosen.Has("blobs") {
		object.Blobs, err = decodeBlobs(o.blobs)
		takeInline(object.Fields, object.Blobs)
		return err
	}
	inline, err := inlineNames(o.blobs)
	for _, name := range inline {
		delete(object.Fields, name)
	}
	return err
}

// corrupt returns the error for an object that cannot be decoded.
func (o *objectRow) corrupt(b *Bucket, err error) error {
	return errorf("bucket %q: object %q: %w: %v", b.name, o.object.ID, ErrCorrupt, err)
}

// SQLite rewrites an index if an UPDATE names its column, even with the same value.
// So indexed columns are named only if they change.
const (
	insertObject = `
INSERT INTO object (seq, bucket, id, key, version, size, status, key_prefix, created_at, updated_at, fields, blobs, sum)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	updateObject = "UPDATE object SET version = ?, status = ?, error = ?, key_prefix = ?, updated_at = ?, fields = ?, blobs = ?, sum = ? WHERE seq = ?"
	updateSize   = "UPDATE object SET size = ? WHERE seq = ?"
	updateKey    = "UPDATE object SET key = ? WHERE seq = ?"
)

// insert writes a new row with its checksum. It reports false, and writes nothing, if
// the id or key is taken.
func (o *objectRow) insert(tx *commit.Tx, bucket int64) (bool, error) {
	v := &o.object
	n, err := tx.Exec(insertObject, v.seq, bucket, v.ID, nilIfEmpty(o.key), v.Version, v.Size, string(v.Status),
		nilIfBlank(v.KeyPrefix), v.CreatedAt.UnixMicro(), v.UpdatedAt.UnixMicro(), o.fields, nilIfBlank(o.blobs), o.checksum())
	return n > 0, err
}

// update writes the row over old. It sets the checksum, unless the row is unsummed.
func (o *objectRow) update(tx *commit.Tx, old *objectRow) error {
	v := &o.object
	var sum any
	if !o.unsummed {
		sum = o.checksum()
	}
	_, err := tx.Exec(updateObject, v.Version, string(v.Status), nilIfBlank(v.Error), nilIfBlank(v.KeyPrefix),
		v.UpdatedAt.UnixMicro(), o.fields, nilIfBlank(o.blobs), sum, v.seq)
	if err == nil && v.Size != old.object.Size {
		_, err = tx.Exec(updateSize, v.Size, v.seq)
	}
	if err == nil && !bytes.Equal(o.key, old.key) {
		_, err = tx.Exec(updateKey, nilIfEmpty(o.key), v.seq)
	}
	return err
}

// overwrite writes row over old, with a new version and update time.
func (b *Bucket) overwrite(tx *commit.Tx, state *commit.Bucket, row, old *objectRow) error {
	o := &row.object
	o.Version, o.UpdatedAt = state.Tick(), timeOf(tx.Now())
	err := row.update(tx, old)
	tx.Note(string(EventObjectUpdated), state.Place, o.ID)
	if err == nil && o.Status != StatusDraft {
		err = jobs.FollowVersion(tx, o.seq, old.object.Version, o.Version)
	}
	if err == nil && state.Indexed {
		err = index.Update(tx, state, b.indexed(), o.seq, old.row(), row.row())
	}
	if err != nil {
		return err
	}
	state.Size += o.Size - old.object.Size
	return nil
}
