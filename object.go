package bucketlite

import (
	"bytes"
	"encoding/json"
	"maps"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jobs"
	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Object is an object as it is stored. It belongs to the caller.
//
// Its JSON form is that of the hosted service's ObjectResponse: the user's
// fields stand flat at the root, beside the system's members. An object that came
// with a [Query].Select has of Fields, Blobs and its JSON form what was selected.
type Object struct {
	// ID is unique in the bucket.
	ID string
	// BucketID is the bucket's id.
	BucketID string
	// KeyPrefix is the storage path given by the user, if any.
	KeyPrefix string
	// Fields are the user's fields. Numbers are [json.Number], exactly as given.
	Fields map[string]any
	// Blobs are the object's blobs, in the order given.
	Blobs []Blob
	// Status is DRAFT until the object is processed, and again after a change of
	// its content.
	Status Status
	// Error says why processing failed, if it did.
	Error string
	// CreatedAt and UpdatedAt are in UTC, in microseconds.
	CreatedAt, UpdatedAt time.Time
	// Version rises with every change of the object. No two states of a bucket's
	// objects share one, so it can guard an update; see [PutOptions].IfVersion.
	Version int64
	// Size is the bytes of the fields as compact JSON, plus those of the blobs'
	// stored content and inline data.
	Size int64

	seq    int64           // place in the order of creation
	chosen value.Selection // what a query selected; nil for all
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

// objectFormLimits bound an object's JSON form: inline data may nest as deep as
// fields, and stands four levels down.
var objectFormLimits = value.Limits{MaxDepth: value.DefaultMaxDepth + 4, MaxBytes: 1 << 30}

// ObjectInput is what Put stores, or what Patch merges.
//
// Its JSON form is that of the hosted service's CreateObjectRequest: fields flat
// at the root, beside blobs, key_prefix and object_id. [Object]'s JSON form is
// one too, which keeps the object's blobs.
type ObjectInput struct {
	// ID is the object's id: 1 to 128 of A–Z a–z 0–9 _ -. Empty means a new one,
	// or that of the object the unique key names.
	ID string
	// KeyPrefix is a storage path, kept and returned. Empty keeps what is stored.
	KeyPrefix string
	// Fields are the user's fields. Besides what [encoding/json] decodes into,
	// any Go value that has a JSON form will do; []byte has none, use a blob. A
	// member of [Object]'s JSON form that is the system's is ignored if it equals
	// what is stored, and refused otherwise. Put and Patch do not change the map.
	Fields map[string]any
	// Blobs are the object's blobs. When Put replaces an object, nil keeps the
	// stored blobs, and a list, even an empty one, replaces them. Patch sets the
	// blobs of the properties named and keeps the others.
	Blobs []BlobInput
	// SkipDuplicates keeps stored blobs as they are, with id and metadata, where
	// Put or Patch would replace them by the same bytes: a blob in Blobs whose
	// content is that of a stored blob of the same property is skipped, and the
	// stored one stands in its place. Each stored blob stands in once. References
	// and inline data are no content.
	SkipDuplicates bool
	// KeepReference leaves URLs as references even if there is an [Options].Fetcher.
	// Its JSON name is "canonicalize_source", with the opposite meaning.
	KeepReference bool
	// Refetch fetches again what was fetched before: without it, a URL that the
	// stored object has for the same property, with the bytes, keeps those bytes.
	// Its JSON name is "force_remirror".
	Refetch bool
}

// objectLimits bound an object's JSON form before anything else looks at it.
// Blob data stands in it as base64.
func (o *Options) objectLimits() value.Limits {
	return value.Limits{MaxBytes: o.MaxObjectBytes}
}

// maxInputBytes bounds the JSON form of an input, before it is known whose
// limits it will meet: fields and inline blobs of the largest useful size.
const maxInputBytes = 256 << 20

// UnmarshalJSON reads the JSON form strictly: duplicate members, lone
// surrogates, NUL, invalid UTF-8 and numbers out of range are refused with a
// [*ValidationError] that names the place.
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

// areStored reports whether v lists blobs in the form [Object] gives them, which
// are not to be stored but to be compared with what is.
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

// takeString takes a system member that is a string, or null, out of doc.
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

// takeBool takes a member that is a boolean out of doc; nil if it is absent or null.
func takeBool(j *judge, doc map[string]any, name string, path value.Path) *bool {
	v := doc[name]
	delete(doc, name)
	if b, ok := v.(bool); ok {
		return &b
	}
	if v != nil {
		j.fault(path.Member(name), ruleType, "boolean expected, got "+value.Show(v))
	}
	return nil
}

// objectColumns are what objectRow reads, of object AS o. For each query the driver
// copies the name and the declared type of each column; an expression with a name of one
// byte spares it both, which are more than two columns cost.
const objectColumns = "+o.seq x, +o.id x, +o.version x, +o.size x, +o.status x, +o.error x, +o.key_prefix x, " +
	"+o.created_at x, +o.updated_at x, +o.fields x, +o.blobs x, +o.key x, +o.sum x"

// objectRow is a stored object before its JSON is decoded, which happens after
// the connection has been given back.
type objectRow struct {
	object Object
	fields []byte // as in schema.Fields
	blobs  string // "" if there are none
	key    []byte // encoded unique key, nil if there is none

	unsummed bool // it has no checksum, as rows of older formats
	damaged  bool // it was read with a checksum that it does not match
}

// newRow returns the row of an object with a unique key, fields, and blobs that are
// also encoded, which make its size.
func newRow(o Object, key []byte, fields schema.Fields, blobs []Blob, encoded any) objectRow {
	o.Size = fields.Size() + blobBytes(blobs)
	text, _ := encoded.(string)
	return objectRow{object: o, fields: fields.JSONB, blobs: text, key: key}
}

// scan reads objectColumns from column i on.
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

// decode returns the object with the members that are chosen; nil chooses all. What is
// damaged, or cannot be decoded, was not written by us.
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

// decodeBlobs adds the blobs to the object, if they are chosen, and takes their inline
// data out of its fields.
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

// corrupt says that the object cannot be decoded.
func (o *objectRow) corrupt(b *Bucket, err error) error {
	return errorf("bucket %q: object %q: %w: %v", b.name, o.object.ID, ErrCorrupt, err)
}

func decodeBlobs(stored string) ([]Blob, error) {
	if stored == "" {
		return nil, nil
	}
	var blobs []Blob
	d := json.NewDecoder(bytes.NewReader([]byte(stored)))
	d.UseNumber()
	err := d.Decode(&blobs)
	return blobs, err
}

// A bucket's clock fills the low bits of an object's seq, its number the high ones.
const clockBits = 40

// An index is rewritten if its column is named, even if the value stays, so
// indexed columns are named only when they change.
const (
	insertObject = `
INSERT INTO object (seq, bucket, id, key, version, size, status, key_prefix, created_at, updated_at, fields, blobs, sum)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	updateObject = "UPDATE object SET version = ?, status = ?, error = ?, key_prefix = ?, updated_at = ?, fields = ?, blobs = ?, sum = ? WHERE seq = ?"
	updateSize   = "UPDATE object SET size = ? WHERE seq = ?"
	updateKey    = "UPDATE object SET key = ? WHERE seq = ?"
)

// insert writes a new row with its checksum, and reports whether its id and key
// were free.
func (o *objectRow) insert(tx *commit.Tx, bucket int64) (bool, error) {
	v := &o.object
	n, err := tx.Exec(insertObject, v.seq, bucket, v.ID, nilIfEmpty(o.key), v.Version, v.Size, string(v.Status),
		nilIfBlank(v.KeyPrefix), v.CreatedAt.UnixMicro(), v.UpdatedAt.UnixMicro(), o.fields, nilIfBlank(o.blobs), o.checksum())
	return n > 0, err
}

// update writes the row over old, with its checksum unless it is to have none.
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

// overwrite writes row over old, with a new version and time.
func (b *Bucket) overwrite(tx *commit.Tx, state *commit.Bucket, row, old *objectRow) error {
	o := &row.object
	o.Version, o.UpdatedAt = state.Tick(), timeOf(tx.Now())
	err := row.update(tx, old)
	tx.Note(string(EventObjectUpdated), state.Place, o.ID)
	if err == nil && o.Status != StatusDraft {
		err = jobs.FollowVersion(tx, o.seq, old.object.Version, o.Version)
	}
	if err == nil && state.Indexed {
		err = b.reindex(tx, state, o.seq, old.row(), row.row())
	}
	if err != nil {
		return err
	}
	state.Size += o.Size - old.object.Size
	return nil
}

func nilIfEmpty(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func nilIfBlank(s string) any {
	if s == "" {
		return nil
	}
	return s
}
