package bucketlite

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// MaxUploads is the maximum number of uploads of one [Bucket.CreateUploads] or
// [Bucket.ConfirmUploads].
const MaxUploads = 100

// Limits of [UploadInput].ExpiresIn, in seconds.
const (
	defaultExpiration = 3600
	minExpiration     = 60
	maxExpiration     = 86400
)

// CreateUploadsOptions configure [Bucket.CreateUploads]. Nil selects the defaults.
type CreateUploadsOptions struct {
	// Metadata and ObjectMetadata are added to each upload. An upload's own members
	// take precedence.
	Metadata       map[string]any `json:"shared_metadata"`
	ObjectMetadata map[string]any `json:"shared_object_metadata"`
}

// CreateUpload announces an upload. Then [Bucket.WriteUpload] writes its bytes, and
// [Bucket.ConfirmUpload] stores an object with them. CreateUpload checks all rules
// that do not depend on the bytes: whether the property accepts such a file, and
// whether the object's fields conform to the schema. If the object may exist, so that
// its fields are merged, required fields may be missing.
//
// With policy [Insert], if the unique key is taken, the status is StatusSkipped. If
// bytes with the FileHash were uploaded to the bucket before and are still stored,
// the upload shares them. It then needs no WriteUpload.
//
// Errors: [ErrInvalid] with all faults of the input, [ErrTooLarge], [ErrBadRequest]
// if there is no policy, [ErrLocked], [ErrNotActive].
func (b *Bucket) CreateUpload(ctx context.Context, in UploadInput) (*Upload, error) {
	var created *Upload
	err := b.following(ctx, func(b *Bucket) error {
		j := &judge{}
		d, err := b.draftUpload(j, nil, in)
		if err != nil {
			return err
		}
		uploads, err := b.createUploads(ctx, j, []*uploadDraft{d})
		if err == nil {
			created = uploads[0]
		}
		return err
	})
	return created, err
}

// CreateUploads is [Bucket.CreateUpload] for up to [MaxUploads] uploads in one
// transaction: it creates all of them, in order, or none. Paths of faults begin with
// the input's index, as in "uploads[3].filename".
func (b *Bucket) CreateUploads(ctx context.Context, inputs []UploadInput, opts *CreateUploadsOptions) ([]*Upload, error) {
	if opts == nil {
		opts = &CreateUploadsOptions{}
	}
	if len(inputs) > MaxUploads {
		return nil, errorf("%s: %w: got %d uploads, want at most %d", b, ErrTooLarge, len(inputs), MaxUploads)
	}
	var created []*Upload
	err := b.following(ctx, func(b *Bucket) (err error) {
		j := &judge{}
		drafts := make([]*uploadDraft, len(inputs))
		for i, in := range inputs {
			in.Metadata = withShared(in.Metadata, opts.Metadata)
			in.ObjectMetadata = withShared(in.ObjectMetadata, opts.ObjectMetadata)
			if drafts[i], err = b.draftUpload(j, value.Path{{Name: "uploads"}}.Item(i), in); err != nil {
				return err
			}
		}
		created, err = b.createUploads(ctx, j, drafts)
		return err
	})
	return created, err
}

// withShared returns own plus the members of shared that own lacks.
func withShared(own, shared map[string]any) map[string]any {
	if shared == nil {
		return own
	}
	merged := maps.Clone(shared)
	maps.Copy(merged, own)
	return merged
}

// createUploads writes drafts, unless the judge has faults.
func (b *Bucket) createUploads(ctx context.Context, j *judge, drafts []*uploadDraft) ([]*Upload, error) {
	if err := b.refusal(j); err != nil {
		return nil, err
	}
	for _, d := range drafts {
		if err := d.judgeStored(ctx); err != nil {
			return nil, err
		}
	}
	var rows []uploadRow
	err := b.store.write(ctx, func(tx *commit.Tx) error {
		rows = rows[:0]
		if _, err := b.defined(tx); err != nil {
			return err
		}
		for _, d := range drafts {
			if err := d.check(tx); err != nil {
				return err
			}
		}
		for _, d := range drafts {
			if err := d.write(tx); err != nil {
				return err
			}
			u, err := b.selectUpload(tx.Conn, writeObjects, d.id)
			if err != nil {
				return err
			}
			rows = append(rows, *u)
		}
		tx.Raise(commit.Background) // to end uploads that have expired meanwhile
		return nil
	})
	if err != nil {
		return nil, err
	}
	uploads := make([]*Upload, len(rows))
	for i := range rows {
		if uploads[i], err = rows[i].decode(b); err != nil {
			return nil, err
		}
	}
	return uploads, nil
}

// uploadDraft is an upload to be created: the input, validated and encoded in the
// caller's goroutine, and the results of the writer.
type uploadDraft struct {
	bucket  *Bucket
	id      string
	in      UploadInput   // defaults filled in
	request string        // in stored form
	field   *schema.Field // the rules for the bytes; nil if the schema has none
	key     []byte        // a key that must be free; nil if none must
	target  []byte        // the key of an object that may exist; nil if none may
	hash    []byte        // the hash of bytes that may be stored already; nil if that does not matter
	shared  string        // the MIME type of those bytes

	// Set by the writer, each time it runs.
	existing string     // the object that has the key
	original *uploadRow // the upload that has the bytes
}

// draftUpload validates an input, and reports faults below path to the judge.
func (b *Bucket) draftUpload(j *judge, path value.Path, in UploadInput) (d *uploadDraft, err error) {
	d = &uploadDraft{bucket: b, in: in}
	if err := d.takeDefaults(); err != nil {
		return nil, err
	}
	d.judgeFile(j, path)
	d.judgeType(j, path)
	plain, _ := value.Plain(d.in.Metadata, path.Member("metadata"), infoLimits, j.fault)
	d.in.Metadata, _ = plain.(map[string]any)
	plain, ok := value.Plain(d.in.ObjectMetadata, path.Member("object_metadata"), b.store.opts.objectLimits(), j.fault)
	d.in.ObjectMetadata, _ = plain.(map[string]any)
	if ok && *d.in.CreateObject {
		d.judgeObject(j, path.Member("object_metadata"))
	}
	if j.Any() {
		return d, nil
	}
	d.request = string(value.Append(nil, d.in.document()))
	d.id, err = b.store.newID(ident.UploadPrefix)
	return d, err
}

// takeDefaults fills in the defaults of the input.
func (d *uploadDraft) takeDefaults() (err error) {
	in := &d.in
	yes := true
	if in.CreateObject == nil {
		in.CreateObject = &yes
	}
	if in.SkipDuplicates == nil {
		in.SkipDuplicates = &yes
	}
	if in.ExpiresIn == 0 {
		in.ExpiresIn = defaultExpiration
	}
	if in.Property == "" {
		in.Property = strings.TrimSuffix(in.Filename, filepath.Ext(in.Filename))
	}
	switch unique := d.bucket.def.unique; {
	case unique == nil || !*in.CreateObject:
		in.Policy = ""
	default:
		in.Policy, err = unique.policy(in.Policy)
	}
	return err
}

// judgeFile checks the properties of the bytes, except their type.
func (d *uploadDraft) judgeFile(j *judge, path value.Path) {
	in := &d.in
	if in.Filename == "" {
		j.fault(path.Member("filename"), ruleRequired, "required")
	} else if err := checkFilename(in.Filename); err != nil {
		j.fault(path.Member("filename"), ruleName, err.Error())
	}
	d.field = d.bucket.def.plan.File(in.Property)
	limit := d.bucket.contentLimit(d.field)
	switch at := path.Member("file_size_bytes"); {
	case in.Size < 0:
		j.fault(at, "minimum", fmt.Sprintf("at least 1 expected, got %d", in.Size))
	case in.Size > limit:
		j.fault(at, ruleSize, fmt.Sprintf("%s, got %d", d.bucket.store.opts.atMost(limit), in.Size))
	}
	switch at := path.Member("presigned_url_expiration"); {
	case in.ExpiresIn < minExpiration:
		j.fault(at, "minimum", fmt.Sprintf("at least %d seconds expected, got %d", minExpiration, in.ExpiresIn))
	case in.ExpiresIn > maxExpiration:
		j.fault(at, "maximum", fmt.Sprintf("at most %d seconds expected, got %d", maxExpiration, in.ExpiresIn))
	}
	if in.FileHash == "" {
		return
	}
	hash, err := hex.DecodeString(in.FileHash)
	if err != nil || len(in.FileHash) != 64 || strings.ToLower(in.FileHash) != in.FileHash {
		j.fault(path.Member("file_hash"), "pattern", "64 hexadecimal digits in lower case expected, got "+value.Show(in.FileHash))
		return
	}
	// A text that must be validated has to be written.
	if *in.SkipDuplicates && (d.field == nil || !d.field.NeedsText()) {
		d.hash = hash
	}
}

// judgeType checks the property and the type of the file, and sets the type.
func (d *uploadDraft) judgeType(j *judge, path value.Path) {
	in := &d.in
	declared := d.bucket.def.plan.Field(in.Property)
	given := FieldType(strings.ToLower(string(in.Type)))
	switch {
	case d.field != nil:
		if given != "" && !schema.Names(string(given), d.field.Type) {
			j.fault(path.Member("blob_type"), ruleType, fmt.Sprintf("%s expected for %s, got %s", d.field.Type, value.Show(in.Property), value.Show(string(in.Type))))
		}
		given = FieldType(d.field.Type)
	case *in.CreateObject && in.Property == "":
		j.fault(path.Member("blob_property"), ruleProperty, missingProperty(in.Filename))
	case *in.CreateObject && declared == nil:
		j.fault(path.Member("blob_property"), ruleProperty, "not declared in the schema: "+value.Show(in.Property))
	case *in.CreateObject:
		j.fault(path.Member("blob_property"), ruleProperty, fmt.Sprintf("%s is of type %s, which holds no file", value.Show(in.Property), declared.Type))
	case utf8.RuneCountInString(in.Property) > maxNameLength:
		j.fault(path.Member("blob_property"), ruleName, "at most 255 characters expected")
	}
	value.Plain(in.Property, path.Member("blob_property"), infoLimits, j.fault)
	value.Plain(in.ContentType, path.Member("content_type"), infoLimits, j.fault)
	if given == "" {
		given = FieldType(schema.TypeFor(in.ContentType))
	} else if !schema.IsFile(string(given)) {
		j.fault(path.Member("blob_type"), ruleType, "one of "+strings.Join(schema.FileTypes(), ", ")+" expected, got "+value.Show(string(in.Type)))
	}
	in.Type = given
	if in.ContentType == "" {
		j.fault(path.Member("content_type"), ruleRequired, "required")
	} else if _, err := d.content().Type(string(given)); err != nil {
		j.fault(path.Member("content_type"), ruleMIME, err.Error())
	}
}

// missingProperty says why an upload has no property, not even that of its filename.
func missingProperty(filename string) string {
	if filename == "" {
		return "required, since there is no filename to take it from"
	}
	return "required, since the filename " + value.Show(filename) + " has no name in front of its extension"
}

// content returns what is known of the bytes before they come.
func (d *uploadDraft) content() schema.Content {
	return schema.Content{Declared: d.in.ContentType, Filename: d.in.Filename, Documents: d.in.AllowDocument}
}

// judgeObject checks the object that confirming will store. A new object must conform
// to the schema. An object that may be merged with a stored one may lack fields that
// the stored one has.
func (d *uploadDraft) judgeObject(j *judge, path value.Path) {
	b := d.bucket
	isNew := b.def.key == nil || d.in.Policy == Insert
	p := &putter{bucket: b, in: &ObjectInput{Fields: d.in.ObjectMetadata}}
	own := &judge{}
	if p.takeFields(own) {
		var blobs []Blob
		if isNew || d.bucket.def.plan.Field(d.in.Property) == d.field {
			blobs = []Blob{{Property: d.in.Property}} // an array of files may have further blobs
		}
		p.fields = p.conform(own, blobs, !isNew)
		p.key = b.def.key.Encode(&own.Validation, p.fields)
		switch {
		case d.in.Policy == Insert:
			d.key = p.key
		case *d.in.CreateObject:
			d.target = p.key
		}
		_, err := b.encodeFields(p.fields, nil)
		own.take(err)
		if isNew {
			own.take(checkReserved(b, p.reserved, nil))
		}
	}
	j.AddBelow(path, own.Faults)
}

// judgeStored checks stored bytes with the hash, if there are any, as those
// of the upload. It is done before the write, since it reads them.
func (d *uploadDraft) judgeStored(ctx context.Context) error {
	if d.hash == nil {
		return nil
	}
	var original uploadRow
	found := false
	err := d.bucket.store.read(ctx, func(c *engine.Conn) (err error) {
		found, err = c.QueryRow(sameBytes, []any{d.bucket.num, d.hash}, func(r engine.Row) { original.scan(r, 0) })
		return err
	})
	if err != nil || !found {
		d.hash = nil
		return err
	}
	f := d.field
	if f == nil {
		f = &schema.Field{Type: string(d.in.Type)}
	}
	bb := blobBuilder{ctx: ctx, bucket: d.bucket, judge: &judge{}, document: d.in.AllowDocument}
	d.shared = bb.storedMIME(contentPath, d.hash, original.size, d.content(), f)
	if bb.err != nil || bb.judge.Any() {
		d.hash = nil // others have to be written, which will say what is wrong
	}
	if errors.Is(bb.err, ErrNotFound) {
		return nil // deleted meanwhile
	}
	return bb.err
}

// sameBytes selects the first confirmed upload of a bucket that has bytes with a hash.
const sameBytes = "SELECT " + uploadColumns + ` FROM uploads u
WHERE u.bucket = ? AND u.hash = ? AND u.status = 'COMPLETED' AND EXISTS (SELECT 1 FROM contents c WHERE c.hash = u.hash)
ORDER BY u.num LIMIT 1`

// check looks up an object with the key, and stored bytes with the hash.
func (d *uploadDraft) check(tx *commit.Tx) error {
	d.existing, d.original = "", nil
	if d.key != nil {
		var err error
		if d.existing, err = keyHolder(tx.Conn, d.bucket.def.partition, d.key); err != nil || d.existing != "" {
			return err
		}
	}
	if d.hash == nil {
		return nil
	}
	var u uploadRow
	found, err := tx.QueryRow(sameBytes, []any{d.bucket.num, d.hash}, func(r engine.Row) { u.scan(r, 0) })
	if found && (d.in.Size == 0 || d.in.Size == u.size) {
		d.original = &u
	}
	return err
}

// write stores the upload.
func (d *uploadDraft) write(tx *commit.Tx) error {
	now := d.bucket.store.now()
	at := timeOf(now)
	u := uploadRow{id: d.id, status: StatusPending, request: d.request, object: d.existing, created: now, expires: now + d.in.ExpiresIn*1e6}
	switch {
	case d.existing != "":
		u.status, u.ended = StatusSkipped, &at
	case d.original != nil:
		u.hash, u.size, u.mimeType, u.duplicateOf, u.holds, u.written = d.hash, d.original.size, d.shared, d.original.id, true, &at
		if err := keepContent(tx, &content.Content{Hash: [32]byte(d.hash), Size: u.size, There: true}); err != nil {
			return err
		}
	}
	return u.insert(tx, d.bucket.num, d.target)
}
