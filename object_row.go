package bucketlite

import (
	"bytes"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/jobs"
	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// objectColumns are the columns of object AS o that objectRow reads.
const objectColumns = "o.seq, o.id, o.version, o.size, o.status, o.error, o.key_prefix, " +
	"o.created_at, o.updated_at, o.fields, o.blobs, o.key, o.checksum, o.expires_at"

// objectRow is a stored object. Its JSON is decoded after the connection is released.
type objectRow struct {
	object Object
	fields []byte // in the form of schema.Fields
	blobs  string // "" if there are none
	key    []byte // encoded unique key, nil if there is none

	unsummed bool // it has no checksum, as in rows of older formats
	damaged  bool // it does not match its checksum

	owed int64 // bytes that the write of the row owes; see [Bucket.payRoom]
}

// row returns the object as its indexes see it.
func (o *objectRow) row() engine.Row {
	v := &o.object
	return index.Stored{
		Fields: o.fields, ID: v.ID, KeyPrefix: v.KeyPrefix, Status: string(v.Status), Error: v.Error,
		CreatedAt: v.CreatedAt.UnixMicro(), UpdatedAt: v.UpdatedAt.UnixMicro(), Blobs: o.blobs, ExpiresAt: nilIfNever(v.ExpiresAt), Version: v.Version,
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
	if !r.Null(i + 13) {
		o.object.ExpiresAt = timeOf(r.Int(i + 13))
	}
	o.unsummed = r.Null(i + 12)
	o.damaged = !o.unsummed && r.Int(i+12) != o.checksum()
}

// decode returns the object with the chosen members; nil chooses all. A row that is
// damaged or cannot be decoded is ErrCorrupt, since this package never writes one.
func (o *objectRow) decode(b *Bucket, chosen value.Selection) (*Object, error) {
	if err := o.intact(b); err != nil {
		return nil, err
	}
	fields, err := jsonb.ParseSelected(o.fields, chosen)
	if err != nil {
		return nil, o.corrupt(b, err)
	}
	return o.with(b, fields, chosen)
}

// with returns the object with its fields, which may include the inline data of blobs.
func (o *objectRow) with(b *Bucket, fields map[string]any, chosen value.Selection) (*Object, error) {
	object := o.object
	object.BucketID, object.Fields, object.chosen = b.id, fields, chosen
	if err := o.decodeBlobs(&object, chosen); err != nil {
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
INSERT INTO object (seq, partition, id, key, version, size, status, error, key_prefix, created_at, updated_at, fields, blobs, checksum, expires_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	updateObject = "UPDATE object SET version = ?, status = ?, error = ?, key_prefix = ?, updated_at = ?, fields = ?, blobs = ?, checksum = ? WHERE seq = ?"
	updateSize   = "UPDATE object SET size = ? WHERE seq = ?"
	updateKey    = "UPDATE object SET key = ? WHERE seq = ?"
	updateExpiry = "UPDATE object SET expires_at = ? WHERE seq = ?"
)

// insert writes a new row of a partition with its checksum. It reports false, and writes
// nothing, if the id or key is taken.
func (o *objectRow) insert(tx *commit.Tx, partition int64) (bool, error) {
	v := &o.object
	n, err := tx.Exec(insertObject, v.seq, partition, v.ID, nilIfEmpty(o.key), v.Version, v.Size, string(v.Status), nilIfBlank(v.Error),
		nilIfBlank(v.KeyPrefix), v.CreatedAt.UnixMicro(), v.UpdatedAt.UnixMicro(), o.fields, nilIfBlank(o.blobs), o.checksum(), nilIfNever(v.ExpiresAt))
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
	if err == nil && !v.ExpiresAt.Equal(old.object.ExpiresAt) {
		_, err = tx.Exec(updateExpiry, nilIfNever(v.ExpiresAt), v.seq)
	}
	return err
}

// saveSum stores the checksum of a row that has none.
func (o *objectRow) saveSum(tx *commit.Tx) error {
	_, err := tx.Exec("UPDATE object SET checksum = ? WHERE seq = ? AND checksum IS NULL", o.checksum(), o.object.seq)
	return err
}

// delete deletes the row alone.
func (o *objectRow) delete(tx *commit.Tx) error {
	_, err := tx.Exec("DELETE FROM object WHERE seq = ?", o.object.seq)
	return err
}

// overwrite writes row over old, with a new version and update time. It references the
// contents that are new, and drops those of the blobs that are gone.
func (b *Bucket) overwrite(tx *commit.Tx, state *commit.Bucket, row, old *objectRow, contents []*content.Content, gone []Blob) error {
	if err := b.checkRoom(state, &row.object); err != nil {
		return err
	}
	next, err := b.foresee(tx, state, row, contents)
	if err == nil {
		err = b.overwriteBoth(tx, state, row, old, next, contents, gone)
	}
	if err == nil {
		b.noteExpiry(tx, &row.object)
		row.owed, err = b.makeRoom(tx, state, row.object.Version, row.object.Size-old.object.Size)
	}
	return err
}

// overwriteBoth is overwrite with the object's next form, or nil.
func (b *Bucket) overwriteBoth(tx *commit.Tx, state *commit.Bucket, row, old *objectRow, next *nextRow, contents []*content.Content, gone []Blob) error {
	o := &row.object
	o.Version, o.UpdatedAt = state.Tick(), timeOf(tx.Now())
	if o.Status == StatusDraft {
		tx.Raise(commit.Drafts)
	}
	err := row.update(tx, old)
	tx.Note(string(EventObjectUpdated), state.Place, o.ID)
	if err == nil && o.Status != StatusDraft {
		err = jobs.FollowVersion(tx, b.num, o.seq, old.object.Version, o.Version)
	}
	if err == nil && state.Indexed {
		err = index.Update(tx, state, b.indexed(), o.seq, old.row(), row.row())
	}
	if err != nil {
		return err
	}
	state.Changed(commit.Position(o.seq), o.CreatedAt.UnixMicro(), old.object.Size, o.Size, string(old.object.Status), string(o.Status))
	if next == nil {
		return exchange(tx, o.ID, contents, gone)
	}
	next.object.Version, next.object.UpdatedAt = o.Version, o.UpdatedAt
	if err := adopt(tx, contents, o.ID); err != nil {
		return err
	}
	if err := b.updateNext(tx, state, next); err != nil {
		return err
	}
	return dropContents(tx, gone)
}
