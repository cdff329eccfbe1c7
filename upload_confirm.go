package bucketlite

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/schema"
)

// ConfirmUploadOptions configure [Bucket.ConfirmUpload]. Nil selects the defaults.
type ConfirmUploadOptions struct {
	// ETag, unless empty, is the expected etag of the bytes, their SHA-256 in
	// hexadecimal, with or without quotes. If the bytes have another, the error is
	// [ErrConflict].
	ETag string `json:"etag"`
	// Size, unless 0, is the expected number of bytes. If there is another number,
	// the error is [ErrConflict].
	Size int64 `json:"file_size_bytes"`
}

// ConfirmUpload completes a pending upload whose bytes have been written. Unless
// CreateObject is false, it stores an object in the same transaction: ObjectMetadata
// holds its fields, and the bytes are its blob. If an object has the unique key
// already, ConfirmUpload patches it instead, if the upload's policy allows that. It
// merges the fields, and replaces the blob of the same property, or adds it to an
// array of files.
//
// Confirming again returns the same upload. If ConfirmUpload fails, the upload does
// not change, and can be confirmed later, until it expires.
//
// Errors: [ErrNotFound], also for an object to be updated; [ErrConflict] if the bytes
// are not written or not the expected ones, or if the upload was canceled, has
// expired or was skipped; [ErrExists] if the key is taken and the policy is [Insert];
// [ErrInvalid] if the object does not conform to the schema; [ErrLocked];
// [ErrNotActive].
func (b *Bucket) ConfirmUpload(ctx context.Context, id string, opts *ConfirmUploadOptions) (*Upload, error) {
	c := &confirmer{bucket: b, id: id}
	if opts != nil {
		c.opts = *opts
	}
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	return c.row.decode(b)
}

// confirmer is one confirmation. The caller's goroutine prepares the object; the
// writer checks that the preparation is still valid.
type confirmer struct {
	bucket *Bucket
	id     string
	opts   ConfirmUploadOptions
	job    *confirmJob // the job of the task that confirms the upload, or nil

	row    uploadRow // the upload, in the end as stored
	in     UploadInput
	key    []byte   // of the object, if it may exist
	put    *putter  // stores a new object, or nil
	patch  *patcher // patches an existing object, or nil
	policy Policy   // Insert without a unique key
}

// run confirms the upload. If another write invalidates the preparation, run starts
// again. After a few attempts the writer merges, so that run can only be delayed
// further by an object that is created and deleted all the time.
func (c *confirmer) run(ctx context.Context) error {
	return c.bucket.following(ctx, func(b *Bucket) error {
		c.bucket = b
		err := errMoved
		for try := 0; errors.Is(err, errMoved); try++ {
			if err = c.prepare(ctx, try < 3); err == nil {
				err = b.store.write(ctx, c.write)
			}
		}
		return err
	})
}

// prepare reads the upload and its object, and computes the object to store.
func (c *confirmer) prepare(ctx context.Context, merge bool) error {
	b := c.bucket
	c.put, c.patch, c.key = nil, nil, nil
	if err := b.store.read(ctx, c.load); err != nil {
		return err
	}
	if c.row.status == StatusCompleted || !*c.in.CreateObject {
		return nil
	}
	names := append(memberPaths(c.in.ObjectMetadata), c.in.Property)
	if message, err := b.removal(ctx, 0, c.row.created, names); err != nil {
		return err
	} else if message != "" {
		return c.row.conflict(b, "%s after the upload was created", message)
	}
	object := &ObjectInput{Fields: c.in.ObjectMetadata, Blobs: []BlobInput{{Property: c.in.Property, UploadID: c.id}}}
	if c.policy = c.in.Policy; b.def.key == nil {
		c.policy = Insert
	}
	holder := ""
	if c.policy != Insert {
		if c.key = b.def.key.Encode(new(schema.Validation), c.in.ObjectMetadata); len(c.key) == 0 {
			return errorf("%s: upload %q: %w: its object has no key", b, c.id, ErrCorrupt)
		}
		err := b.store.read(ctx, func(conn *engine.Conn) (err error) {
			holder, err = keyHolder(conn, b.def.partition, c.key)
			return err
		})
		if err != nil {
			return err
		}
	}
	if holder == "" {
		c.put = &putter{bucket: b, in: object, opts: PutOptions{Policy: Insert}, upload: &c.row}
		return c.put.prepare(ctx)
	}
	c.patch = &patcher{bucket: b, id: holder, in: object, upload: &c.row}
	if err := c.patch.judge(ctx); err != nil || !merge {
		return err
	}
	if err := b.store.read(ctx, c.patch.load); errors.Is(err, ErrNotFound) {
		return errMoved
	} else if err != nil {
		return err
	}
	return c.patch.merge()
}

// load reads the upload, and checks that it can be confirmed.
func (c *confirmer) load(conn *engine.Conn) error {
	b := c.bucket
	u, err := b.selectUpload(conn, writeObjects, c.id)
	if err != nil { // a confirmed upload is returned even if the bucket is read-only
		done, e := b.selectUpload(conn, readObjects, c.id)
		if e != nil || done.status != StatusCompleted {
			return err
		}
		u = done
	}
	if u.status != StatusCompleted && u.status != StatusProcessing {
		if err := u.open(b, b.store.now()); err != nil {
			return err
		}
	}
	if u.hash == nil {
		return u.conflict(b, "its bytes have not been written")
	}
	hash := hex.EncodeToString(u.hash)
	if etag := bareETag(c.opts.ETag); etag != "" && !strings.EqualFold(etag, hash) {
		return u.conflict(b, "its bytes have the etag %q, not %q", hash, etag)
	}
	if c.opts.Size != 0 && c.opts.Size != u.size {
		return u.conflict(b, "it has %d bytes, not %d", u.size, c.opts.Size)
	}
	c.row = *u
	c.in, err = u.input(b)
	return err
}

// bareETag returns an etag without the quotes and the weakness prefix of HTTP.
func bareETag(etag string) string {
	return strings.Trim(strings.TrimPrefix(etag, "W/"), `"`)
}

// write confirms the upload and stores its object. The object's blob takes over the
// upload's reference to the bytes.
func (c *confirmer) write(tx *commit.Tx) error {
	b := c.bucket
	if err := c.job.check(tx); err != nil {
		return err
	}
	seen := c.row.hash
	if err := c.load(tx.Conn); err != nil {
		return err
	}
	if c.row.status == StatusCompleted {
		return c.job.succeed(tx, &c.row)
	}
	state, err := b.defined(tx)
	if err != nil {
		return err
	}
	if !bytes.Equal(c.row.hash, seen) {
		return errMoved // other bytes have been written
	}
	u, now := &c.row, b.store.now()
	if *c.in.CreateObject {
		if u.object, err = c.store(tx); err != nil {
			return err
		}
		state.Upload = max(state.Upload, now)
		if err := content.DropHash(tx, u.hash); err != nil {
			return err
		}
		u.holds = false
	}
	ended := timeOf(now)
	u.status, u.ended = StatusCompleted, &ended
	if err := u.saveStatus(tx); err != nil {
		return err
	}
	return c.job.succeed(tx, u)
}

// store creates the object, or patches the one that has the key, and returns its id.
func (c *confirmer) store(tx *commit.Tx) (id string, err error) {
	holder := ""
	if c.policy != Insert {
		if holder, err = keyHolder(tx.Conn, c.bucket.def.partition, c.key); err != nil {
			return "", err
		}
	}
	switch {
	case holder == "" && c.policy == Update:
		return "", notFound("%s: object with %s", c.bucket, c.bucket.def.key.Describe(c.in.ObjectMetadata))
	case holder == "" && c.put == nil, holder != "" && (c.patch == nil || c.patch.id != holder):
		return "", errMoved
	case holder == "":
		err = c.put.put(tx)
		return c.put.stored.object.ID, err
	}
	err = c.patch.patch(tx)
	return holder, err
}
