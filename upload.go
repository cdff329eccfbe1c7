package bucketlite

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// UploadInput announces an upload and describes its use. Its JSON form is that of the
// hosted service's CreateUploadRequest.
type UploadInput struct {
	// Filename is required: 1 to 255 characters, without a path.
	Filename string
	// ContentType is the MIME type of the bytes, required. It and the bytes are checked
	// as those of a blob are; see [BlobInput].MIMEType. application/octet-stream says
	// nothing.
	ContentType string
	// Size is the number of bytes, or 0 if unknown. If it is given, any other number
	// of bytes is refused.
	Size int64
	// ExpiresIn is the time, in seconds, during which the upload can be written and
	// confirmed: 60 to 86400. Default: 3600.
	ExpiresIn int64
	// Metadata is stored with the upload and returned; it does not become part of an
	// object.
	Metadata map[string]any
	// CreateObject tells whether confirming stores an object. If not, blobs can use
	// the confirmed upload by [BlobInput].UploadID. Nil means true.
	CreateObject *bool
	// ObjectMetadata holds the object's fields.
	ObjectMetadata map[string]any
	// Property is the file field, or array of files, of which the bytes are a value.
	// If an object is stored, the schema must declare it. Default: Filename without
	// its extension.
	Property string
	// Type, if given, must be the type of the field, or of its items, in any letter
	// case; see [BlobInput].Type. Default: that type, or without such a field the type
	// that ContentType suggests.
	Type FieldType
	// AllowDocument is that of [BlobInput].
	AllowDocument bool
	// FileHash is the SHA-256 of the bytes as 64 hexadecimal digits in lower case, or
	// empty if unknown. If it is given, other bytes are refused.
	FileHash string
	// SkipDuplicates lets an upload share bytes that were uploaded to the bucket
	// before, if they have its FileHash. Nil means true.
	SkipDuplicates *bool
	// Policy decides between creating and patching an object when the upload is
	// confirmed. It is not in the hosted service's form. Default: the bucket's
	// DefaultPolicy. It is ignored if the bucket has no unique key.
	Policy Policy
}

// UnmarshalJSON decodes the JSON form strictly, as [ObjectInput.UnmarshalJSON] does.
// Null counts as absent.
func (in *UploadInput) UnmarshalJSON(data []byte) error {
	v, err := value.Parse(data, value.Limits{MaxDepth: objectFormLimits.MaxDepth, MaxBytes: maxInputBytes})
	if err != nil {
		return &ValidationError{Subject: "upload", Issues: syntaxIssues(nil, err)}
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return &ValidationError{Subject: "upload", Issues: []Issue{{"", ruleType, "object expected, got " + value.Show(v)}}}
	}
	j := &judge{}
	*in = uploadInput(j, doc)
	return j.err("upload")
}

// uploadInput is the inverse of [UploadInput.document].
func uploadInput(j *judge, doc map[string]any) UploadInput {
	return UploadInput{
		Filename:       member[string](j, doc, "filename", "string"),
		ContentType:    member[string](j, doc, "content_type", "string"),
		Size:           integerMember(j, doc, "file_size_bytes"),
		ExpiresIn:      integerMember(j, doc, "presigned_url_expiration"),
		Metadata:       member[map[string]any](j, doc, "metadata", "object"),
		CreateObject:   boolMember(j, doc, "create_object_on_confirm"),
		ObjectMetadata: member[map[string]any](j, doc, "object_metadata", "object"),
		Property:       member[string](j, doc, "blob_property", "string"),
		Type:           FieldType(member[string](j, doc, "blob_type", "string")),
		FileHash:       member[string](j, doc, "file_hash", "string"),
		SkipDuplicates: boolMember(j, doc, "skip_duplicates"),
		Policy:         Policy(member[string](j, doc, "policy", "string")),
		AllowDocument:  member[bool](j, doc, "allow_document", "boolean"),
	}
}

// member returns a member of doc, or the zero T if it is absent or null.
func member[T any](j *judge, doc map[string]any, name, want string) T {
	v, ok := doc[name].(T)
	if !ok && doc[name] != nil {
		j.fault(value.Path{{Name: name}}, ruleType, want+" expected, got "+value.Show(doc[name]))
	}
	return v
}

func integerMember(j *judge, doc map[string]any, name string) int64 {
	n, ok := value.Int(doc[name])
	if !ok && doc[name] != nil {
		j.fault(value.Path{{Name: name}}, ruleType, "integer expected, got "+value.Show(doc[name]))
	}
	return n
}

func boolMember(j *judge, doc map[string]any, name string) *bool {
	v := member[bool](j, doc, name, "boolean")
	if doc[name] == nil {
		return nil
	}
	return &v
}

// document returns the JSON form of an input with all defaults filled in.
func (in *UploadInput) document() map[string]any {
	doc := map[string]any{
		"filename": in.Filename, "content_type": in.ContentType, "presigned_url_expiration": in.ExpiresIn,
		"create_object_on_confirm": *in.CreateObject, "skip_duplicates": *in.SkipDuplicates,
		"blob_property": in.Property, "blob_type": string(in.Type), "file_hash": in.FileHash, "policy": string(in.Policy),
	}
	if in.AllowDocument {
		doc["allow_document"] = true
	}
	if in.Size != 0 {
		doc["file_size_bytes"] = in.Size
	}
	if in.Metadata != nil {
		doc["metadata"] = in.Metadata
	}
	if in.ObjectMetadata != nil {
		doc["object_metadata"] = in.ObjectMetadata
	}
	return doc
}

// Upload is a snapshot of an upload. Its JSON form is that of the hosted service's
// UploadResponse.
//
// The status is StatusPending until the upload is confirmed, then StatusCompleted. It
// is StatusProcessing while a task is to confirm the upload, StatusCanceled after
// [Bucket.CancelUpload], StatusFailed if the upload expired, and StatusSkipped if its
// object existed when the upload was created. The record is deleted 30 days after the
// upload has ended. A completed upload whose bytes no object uses yet is kept, with
// its bytes, until the bucket is deleted.
type Upload struct {
	ID          string `json:"upload_id"`
	BucketID    string `json:"bucket_id"`
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
	// Size is the number of written bytes, before that the announced number, or 0 if
	// neither is known.
	Size int64 `json:"file_size_bytes,omitempty"`
	// PresignedURL is set by HTTP servers. This package leaves it empty.
	PresignedURL string `json:"presigned_url,omitempty"`
	// ExpiresIn is the time, in seconds, during which the upload can be written and
	// confirmed.
	ExpiresIn int64 `json:"presigned_url_expiration"`
	// Key is "<namespace id>/<bucket id>/<upload id>/<filename>".
	Key            string         `json:"s3_key"`
	Status         Status         `json:"status"`
	Metadata       map[string]any `json:"metadata"`
	CreateObject   bool           `json:"create_object_on_confirm"`
	ObjectMetadata map[string]any `json:"object_metadata,omitempty"`
	Property       string         `json:"blob_property,omitempty"`
	Type           FieldType      `json:"blob_type,omitempty"`
	// FileHash is the SHA-256 of the bytes in hexadecimal, as announced or as
	// computed.
	FileHash       string `json:"file_hash,omitempty"`
	SkipDuplicates bool   `json:"skip_duplicates"`
	// IsDuplicate is true if the bytes are those of the upload DuplicateOf, and need
	// not be sent.
	IsDuplicate bool   `json:"is_duplicate"`
	DuplicateOf string `json:"duplicate_of_upload_id,omitempty"`
	// SkippedUniqueKey is true if the object ExistingObjectID has the unique key.
	SkippedUniqueKey bool   `json:"skipped_unique_key"`
	ExistingObjectID string `json:"existing_object_id,omitempty"`
	// Message tells people why no bytes need to be sent, or why the upload failed.
	Message   string    `json:"message,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	// ExpiresAt is the time at which a pending upload fails.
	ExpiresAt time.Time `json:"expires_at"`
	// CompletedAt is the time when the upload was confirmed.
	CompletedAt *time.Time `json:"completed_at,omitempty"`
	// VerifiedAt is the time when the bytes were written, or found to exist already.
	VerifiedAt *time.Time `json:"verified_at,omitempty"`
	// ETag is the SHA-256 of the bytes in hexadecimal, in double quotes; empty until
	// they are written.
	ETag string `json:"etag,omitempty"`
	// ObjectID is the object that the upload was confirmed into, or the first that
	// uses it.
	ObjectID string `json:"object_id,omitempty"`
	// TaskID is the task that confirms or confirmed the upload, or empty.
	TaskID string `json:"task_id,omitempty"`
	// Policy is the policy for confirming the upload; empty if none applies.
	Policy Policy `json:"-"`

	num int64
}

// Upload returns the upload with the id. Errors: [ErrNotFound], [ErrNotActive] if the
// bucket is suspended.
func (b *Bucket) Upload(ctx context.Context, id string) (*Upload, error) {
	var row *uploadRow
	err := b.store.read(ctx, func(c *engine.Conn) (err error) {
		row, err = b.selectUpload(c, readObjects, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return row.decode(b)
}

// Uploads iterates over the bucket's uploads that match q, whatever their status.
func (b *Bucket) Uploads(ctx context.Context, q Query) iter.Seq2[*Upload, error] {
	return each(ctx, b.store, q, b.ListUploads)
}

// ListUploads returns one page of the bucket's uploads that match q. Query paths are
// those of [Upload]'s JSON form, such as status, filename, file_size_bytes,
// created_at and metadata.campaign. Search covers upload_id, filename and metadata.
//
// Errors: [ErrBadRequest], [ErrNotActive] if the bucket is suspended, [ErrNotFound].
func (b *Bucket) ListUploads(ctx context.Context, q Query) (*Page[*Upload], error) {
	return b.uploads().page(ctx, b.store, q)
}

func (b *Bucket) uploads() listing[*Upload] {
	return listing[*Upload]{
		list: list{kind: "uploads", owner: b.num}, types: timesIn("created_at", "expires_at", "completed_at", "verified_at"),
		texts: []string{"upload_id", "filename", "metadata"},
		num:   func(u *Upload) int64 { return u.num },
		read: func(c *engine.Conn, s span, each func(*Upload, int64) error) error {
			return b.selectUploads(c, readObjects, s.within("u.num", "?2")+" WHERE b.num = ?1"+s.order("u.num")+" LIMIT ?3", []any{b.num, s.start(), s.limit}, func(row *uploadRow) error {
				u, err := row.decode(b)
				if err != nil {
					return err
				}
				return each(u, int64(len(row.request)))
			})
		},
		count: counting("SELECT count(*) FROM uploads WHERE bucket = ?", b.num),
	}
}

// CancelUpload cancels a pending or failed upload, and drops its bytes. Canceling a
// canceled upload does nothing.
//
// Errors: [ErrNotFound], [ErrConflict] for an upload that is confirmed, being
// confirmed or skipped, [ErrLocked], [ErrNotActive].
func (b *Bucket) CancelUpload(ctx context.Context, id string) error {
	return b.store.free(ctx, func(tx *commit.Tx) error {
		u, err := b.selectUpload(tx.Conn, writeObjects, id)
		if err != nil {
			return err
		}
		switch u.status {
		case StatusCanceled:
			return nil
		case StatusPending, StatusFailed:
			return u.end(tx, StatusCanceled, b.store.now())
		}
		return u.conflict(b, "it is %s and cannot be canceled", u.status)
	})
}

// selectUpload reads the upload with the id, if the bucket allows the access.
func (b *Bucket) selectUpload(c *engine.Conn, a access, id string) (*uploadRow, error) {
	var row *uploadRow
	err := b.selectUploads(c, a, "u.id = ?2 WHERE b.num = ?1", []any{b.num, id}, func(u *uploadRow) error { row = u; return nil })
	if err == nil && row == nil {
		err = b.noUpload(id)
	}
	return row, err
}

// selectUploads reads uploads and checks the bucket's access in a single statement.
func (b *Bucket) selectUploads(c *engine.Conn, a access, where string, args []any, each func(*uploadRow) error) error {
	found := false
	err := c.Query("SELECT b.name, b.status, b.is_locked, n.id, "+uploadColumns+`
FROM buckets b JOIN namespaces n ON n.num = b.namespace LEFT JOIN uploads u ON u.bucket = b.num AND `+where, args, func(r engine.Row) error {
		if !found {
			found = true
			if err := permit(r.Text(0), Status(r.Text(1)), r.Int(2) != 0, a); err != nil {
				return err
			}
		}
		if r.Null(4) {
			return nil
		}
		u := &uploadRow{}
		u.scan(r, 4)
		u.namespace = r.Text(3)
		return each(u)
	})
	if err == nil && !found {
		err = b.gone()
	}
	return err
}

func (b *Bucket) noUpload(id string) error {
	return notFound("%s: upload %s", b, value.Show(id))
}

// input returns the upload's input. A request that cannot be decoded is ErrCorrupt,
// since this package never writes one.
func (u *uploadRow) input(b *Bucket) (UploadInput, error) {
	doc, err := value.ParseTrusted(u.request)
	if err == nil {
		j := &judge{}
		in := uploadInput(j, doc)
		if err = j.err("upload"); err == nil && in.CreateObject != nil && in.SkipDuplicates != nil {
			return in, nil
		}
	}
	return UploadInput{}, errorf("%s: upload %q: %w: %v", b, u.id, ErrCorrupt, err)
}

// decode returns the upload's current state.
func (u *uploadRow) decode(b *Bucket) (*Upload, error) {
	in, err := u.input(b)
	if err != nil {
		return nil, err
	}
	if u.expired(b.store.now()) { // as the collector will leave it
		ended := *u
		ended.status, ended.hash, ended.duplicateOf, ended.written = StatusFailed, nil, "", nil
		u = &ended
	}
	up := &Upload{
		num: u.num, ID: u.id, BucketID: b.id, Filename: in.Filename, ContentType: in.ContentType, Size: in.Size, ExpiresIn: in.ExpiresIn,
		Key: u.namespace + "/" + b.id + "/" + u.id + "/" + in.Filename, Status: u.status, Metadata: in.Metadata,
		CreateObject: *in.CreateObject, ObjectMetadata: in.ObjectMetadata, Property: in.Property, Type: in.Type,
		FileHash: in.FileHash, SkipDuplicates: *in.SkipDuplicates, IsDuplicate: u.duplicateOf != "", DuplicateOf: u.duplicateOf,
		CreatedAt: timeOf(u.created), ExpiresAt: timeOf(u.expires), VerifiedAt: u.written, TaskID: u.task, Policy: in.Policy,
	}
	if up.Metadata == nil {
		up.Metadata = map[string]any{}
	}
	if u.hash != nil {
		up.Size, up.FileHash = u.size, hex.EncodeToString(u.hash)
		up.ETag = `"` + up.FileHash + `"`
	}
	switch u.status {
	case StatusSkipped:
		up.SkippedUniqueKey, up.ExistingObjectID = true, u.object
		up.Message = fmt.Sprintf("object %q has the unique key: nothing needs to be sent", u.object)
	case StatusFailed:
		up.Message = "the upload expired before it was confirmed"
	case StatusCompleted:
		up.ObjectID, up.CompletedAt = u.object, u.ended
	}
	if up.IsDuplicate && up.Message == "" {
		up.Message = fmt.Sprintf("upload %q has the same bytes: nothing needs to be sent", u.duplicateOf)
	}
	return up, nil
}

// expired reports whether the time for confirming the upload is over.
func (u *uploadRow) expired(now int64) bool { return u.status == StatusPending && u.expires <= now }

// open returns nil if the upload can be written or confirmed, else the reason why
// not.
func (u *uploadRow) open(b *Bucket, now int64) error {
	switch {
	case u.expired(now), u.status == StatusFailed:
		return u.conflict(b, "it expired at %s", timeOf(u.expires).Format(time.RFC3339))
	case u.status == StatusPending:
		return nil
	case u.status == StatusSkipped:
		return &ConflictError{Subject: fmt.Sprintf("%s: upload %q", b, u.id), ExistingID: u.object, Exists: true,
			Reason: fmt.Sprintf("it was skipped, object %q has the unique key", u.object)}
	}
	return u.conflict(b, "it is %s", u.status)
}

// conflict returns an error for a call that conflicts with the upload's status.
func (u *uploadRow) conflict(b *Bucket, format string, args ...any) error {
	return &ConflictError{Subject: fmt.Sprintf("%s: upload %q", b, u.id), Reason: fmt.Sprintf(format, args...)}
}
