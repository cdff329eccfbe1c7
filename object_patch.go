package bucketlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// PatchOptions configure [Bucket.Patch]. Nil selects the defaults.
type PatchOptions struct {
	// IfVersion, unless 0, is the version that the object must have; else the error
	// is [ErrConflict].
	IfVersion int64
}

// DeleteObjectOptions configure [Bucket.DeleteObject]. Nil selects the defaults.
type DeleteObjectOptions struct {
	// IfVersion, unless 0, is the version that the object must have; else the error
	// is [ErrConflict].
	IfVersion int64
}

// Patch merges in into the object with the id, and returns the object as stored. A
// given field replaces the stored field as a whole. A null removes the field, or the
// blobs of a file property, and is refused for a required field or one of the unique
// key. Given blobs replace the stored blobs of the same property. Defaults do not
// apply. The result must conform to the schema. It may have a different unique key,
// if that key is free.
//
// Errors: those of [Bucket.Put], and [ErrNotFound].
func (b *Bucket) Patch(ctx context.Context, id string, in ObjectInput, opts *PatchOptions) (*Object, error) {
	return b.patch(ctx, id, in, opts, false)
}

// patch is Patch. With keepStatus, an object with other content does not become a draft.
func (b *Bucket) patch(ctx context.Context, id string, in ObjectInput, opts *PatchOptions, keepStatus bool) (*Object, error) {
	if opts == nil {
		opts = &PatchOptions{}
	}
	if len(in.Blobs) > 0 {
		ctx = engine.WaitOnce(ctx) // content may have to be staged
	}
	in.keepReaders()
	var p *patcher
	stored := false
	defer func() {
		if !stored { // refused, or a reader has panicked
			b.store.stage.Release(ctx, in.keptContents()...)
		}
	}()
	err := b.following(ctx, func(b *Bucket) error {
		p = &patcher{bucket: b, id: id, in: &in, ifVersion: opts.IfVersion, keepStatus: keepStatus}
		return p.store(ctx)
	})
	if err != nil {
		return nil, err
	}
	stored = true
	b.payRoom(ctx, p.stored.owed)
	return p.stored.decode(b, nil)
}

// errMoved reports that the object has changed since it was read.
var errMoved = errors.New("the object has changed")

// patcher is one Patch call.
type patcher struct {
	bucket     *Bucket
	id         string
	in         *ObjectInput
	ifVersion  int64
	keepStatus bool
	upload     *uploadRow // the upload that is being confirmed, or nil: its blob is added to those of an array

	given    map[string]any // the user's fields; null removes one
	reserved map[string]any
	blobs    []Blob
	contents []*content.Content
	own      judge  // the faults of the patch by itself
	links    []link // blobs to fetch
	read     int    // the number of contents that came with the patch
	keeps    bool   // some link keeps content of base
	inSet    bool   // the writer merges anew if the object has changed

	base   objectRow // the object to patch
	merged *merged   // base after the patch; nil if the writer is to merge
	stored objectRow // the object that the writer stored
}

// merged is an object after a patch, ready to be stored.
type merged struct {
	data    schema.Fields
	key     []byte
	blobs   []Blob
	encoded any
	gone    []Blob // stored blobs that are replaced or removed
}

// store runs the patch. If that fails, it releases the patch's contents.
func (p *patcher) store(ctx context.Context) error {
	stored := false
	defer func() {
		if !stored { // refused, or a fetcher has panicked
			p.release(ctx)
		}
	}()
	if err := p.run(ctx); err != nil {
		return err
	}
	stored = true
	content.EndRenewals(p.contents)
	return nil
}

// release gives up the patch's contents, except what was read from readers that may be
// needed again.
func (p *patcher) release(ctx context.Context) {
	p.bucket.store.stage.Release(ctx, p.in.withoutKept(p.contents)...)
}

// run patches the object. The caller's goroutine merges and validates, to keep the
// writer free, so it works on a copy. If the object changes meanwhile, run starts
// again. After a few attempts the writer merges, inside its transaction. URLs are
// fetched only for a patch that can be merged.
func (p *patcher) run(ctx context.Context) error {
	if err := p.judge(ctx); err != nil {
		return err
	}
	s := p.bucket.store
	err := errMoved
	for try := 0; errors.Is(err, errMoved); try++ {
		p.merged = nil
		if try < 3 {
			if err := p.mergeAhead(ctx); err != nil {
				return err
			}
		}
		if len(p.links) > 0 {
			if err := p.fetch(ctx, try >= 3); err != nil {
				return err
			}
			if p.merged != nil { // it has been merged without the fetched content
				if err := p.merge(); err != nil {
					return err
				}
			}
		}
		err = s.write(ctx, p.patch)
	}
	return err
}

// mergeAhead merges the patch before the writer runs.
func (p *patcher) mergeAhead(ctx context.Context) error {
	if err := p.bucket.store.read(ctx, p.load); err != nil {
		return err
	}
	return p.merge()
}

// judge validates the patch by itself. The fields are validated later, with the
// object's; all faults are reported together.
func (p *patcher) judge(ctx context.Context) error {
	b := p.bucket
	put := &putter{bucket: b, in: p.in}
	j := &p.own
	j.NoDefaults = true
	if !put.takeFields(j) {
		return b.refusal(j)
	}
	p.given, p.reserved = put.given, put.reserved
	if p.in.ID != "" {
		if p.reserved == nil {
			p.reserved = make(map[string]any)
		}
		p.reserved["object_id"] = p.in.ID
	}
	value.Plain(p.in.KeyPrefix, value.Path{{Name: "key_prefix"}}, b.store.opts.objectLimits(), j.fault)
	p.in.judgeExpiry(j, b.store.opts.Now)
	builder := blobBuilder{ctx: ctx, bucket: b, judge: j, upload: p.upload}
	defer func() { p.blobs, p.contents = builder.blobs, builder.contents }() // also if a reader panics
	err := builder.build(p.in.Blobs)
	if err == nil && !j.Any() {
		p.links, p.read = b.links(p.in, builder.blobs), len(builder.contents)
	}
	return err
}

// fetch fetches the patch's links. Unless anew is set, links keep content of base.
func (p *patcher) fetch(ctx context.Context, anew bool) error {
	b := p.bucket
	if b.store.db.ReadOnly() {
		return public(ErrReadOnly)
	}
	stored, err := decodeBlobs(p.base.blobs)
	if err != nil {
		return errorf("%s: object %q: %w: %v", b, p.id, ErrCorrupt, err)
	}
	own := p.contents[:p.read]
	defer func() { p.contents = withLinks(own, p.links) }() // also if a fetcher panics
	p.keeps, err = b.fetch(ctx, p.links, p.blobs, stored, anew)
	return err
}

// load reads the object to patch.
func (p *patcher) load(c *engine.Conn) error {
	row, err := p.bucket.selectObject(c, writeObjects, "o.id = ?2", p.id)
	if err == nil && row == nil {
		err = p.bucket.noObject(p.id)
	}
	if err == nil {
		p.base = *row
	}
	return err
}

// merge computes the patched object from base.
func (p *patcher) merge() error {
	b := p.bucket
	if err := checkVersion(b, &p.base.object, p.ifVersion); err != nil {
		return err
	}
	if err := checkReserved(b, p.reserved, &p.base); err != nil {
		return err
	}
	old, err := p.base.decode(b, nil)
	if err != nil {
		return err
	}
	m := &merged{}
	j := &judge{}
	j.Faults, j.NoDefaults = p.own.Clone(), true
	fields := p.mergeFields(j, old.Fields)
	m.blobs, m.gone = p.mergeBlobs(old.Blobs)
	fields, _ = b.def.validate(j, fields, m.blobs, false)
	m.key = b.def.key.Encode(&j.Validation, fields)
	if err := b.refusal(j); err != nil {
		return err
	}
	if m.data, err = b.encodeFields(fields, m.blobs); err != nil {
		return err
	}
	if m.encoded, err = encodeBlobs(m.blobs); err != nil {
		return errorf("%s: encode blobs: %w", b, err)
	}
	p.merged = m
	return nil
}

// mergeFields merges the patch into the stored fields, which it may change.
func (p *patcher) mergeFields(j *judge, fields map[string]any) map[string]any {
	for _, name := range slices.Sorted(maps.Keys(p.given)) {
		v := p.given[name]
		if v != nil {
			fields[name] = v
			continue
		}
		if p.isRequired(name) {
			j.fault(value.Path{{Name: name}}, ruleRequired, "required, it cannot be removed")
			continue
		}
		delete(fields, name)
	}
	return fields
}

// isRequired reports whether a null for the field is refused. The stored value then
// stays, so that the field is not reported as missing too.
func (p *patcher) isRequired(name string) bool {
	f := p.bucket.def.plan.Field(name)
	return f != nil && f.Required
}

// mergeBlobs returns the blobs after the patch, and the blobs whose references to
// content are dropped. These include a stored blob that replaces an equal one of the
// patch, since the patch's content adds a reference.
func (p *patcher) mergeBlobs(stored []Blob) (blobs, gone []Blob) {
	given, same := p.blobs, func(string) bool { return false }
	if p.in.SkipDuplicates {
		given = standIns(p.blobs, stored)
		same = func(property string) bool { return sameBlobs(given, stored, property) }
	}
	for _, old := range stored {
		v, isGiven := p.given[old.Property]
		replaced := hasBlob(given, old.Property) && !p.joins(old.Property)
		removed := isGiven && v == nil && !p.isRequired(old.Property)
		if replaced || removed {
			gone = append(gone, old)
		}
		if !replaced && !removed || replaced && same(old.Property) {
			blobs = append(blobs, old)
		}
	}
	for _, blob := range given {
		if !same(blob.Property) {
			blobs = append(blobs, blob)
		}
	}
	return blobs, gone
}

// sameBlobs reports whether two lists have the same blobs of a property, by id and in
// the same order.
func sameBlobs(a, b []Blob, property string) bool {
	ids := func(blobs []Blob) (ids []string) {
		for i := range blobs {
			if blobs[i].Property == property {
				ids = append(ids, blobs[i].ID)
			}
		}
		return ids
	}
	return slices.Equal(ids(a), ids(b))
}

// joins reports whether the patch's blobs of the property are added to the stored
// ones instead of replacing them.
func (p *patcher) joins(property string) bool {
	f := p.bucket.def.plan.Field(property)
	return p.upload != nil && f != nil && f.Type == schema.Array
}

// patch writes the merged object.
func (p *patcher) patch(tx *commit.Tx) error {
	b := p.bucket
	state, err := b.defined(tx)
	if err != nil {
		return err
	}
	row, err := b.findObject(tx.Conn, p.id)
	if err == nil {
		err = row.intact(b)
	}
	if err != nil {
		return err
	}
	return p.patchRow(tx, state, row)
}

// patchRow is patch for the object's row as it is in the transaction.
func (p *patcher) patchRow(tx *commit.Tx, state *commit.Bucket, row *objectRow) error {
	b := p.bucket
	same := row.object.Version == p.base.object.Version
	switch {
	case p.merged != nil && same:
	case p.merged != nil && !p.inSet, p.keeps && !same:
		return errMoved
	default:
		p.base, p.merged = *row, nil // what was merged ahead is not of this row, also if the merge fails
		if err := p.merge(); err != nil {
			return err
		}
		defer func() { p.merged = nil }() // to be merged again if the writer runs this twice
	}
	m := p.merged
	moved, err := p.moves(tx.Conn, row, m.key)
	if err == nil {
		err = checkContents(tx, p.contents)
	}
	if err != nil {
		return err
	}
	o := row.object
	if !p.keepStatus && (!bytes.Equal(m.data.JSONB, row.fields) || m.encoded != nilIfBlank(row.blobs)) {
		o.Status, o.Error = StatusDraft, ""
	}
	if p.in.KeyPrefix != "" {
		o.KeyPrefix = p.in.KeyPrefix
	}
	if p.in.NeverExpires || !p.in.ExpiresAt.IsZero() {
		o.ExpiresAt = p.in.expiry()
	}
	key := row.key
	if moved {
		key = m.key
	}
	p.stored = newRow(o, key, m.data, m.blobs, m.encoded)
	return b.overwrite(tx, state, &p.stored, row, p.contents, m.gone)
}

// moves reports whether the object gets another key. It returns an error if another
// object has that key.
func (p *patcher) moves(c *engine.Conn, row *objectRow, key []byte) (bool, error) {
	if key == nil {
		return false, nil
	}
	b := p.bucket
	holder, err := keyHolder(c, b.def.partition, key)
	switch {
	case err != nil || holder == "":
		return true, err
	case holder == row.object.ID:
		return false, nil
	}
	return false, &ConflictError{Subject: b.String(), ExistingID: holder, Exists: true,
		Reason: fmt.Sprintf("the unique key is taken by object %q", holder)}
}

// DeleteObject deletes the object with the id. Its content is deleted once no object
// or upload shares it. An object whose row is damaged can be deleted too, unless
// IfVersion is given. [Store.Check] may then find counts of references that are too
// high, and repairs them.
//
// Errors: [ErrNotFound], [ErrConflict] if the object has another version,
// [ErrLocked], [ErrNotActive], [ErrCorrupt].
func (b *Bucket) DeleteObject(ctx context.Context, id string, opts *DeleteObjectOptions) error {
	if opts == nil {
		opts = &DeleteObjectOptions{}
	}
	return b.following(ctx, func(b *Bucket) error {
		return b.store.free(ctx, func(tx *commit.Tx) error { return b.deleteObject(tx, id, *opts) })
	})
}

func (b *Bucket) deleteObject(tx *commit.Tx, id string, opts DeleteObjectOptions) error {
	state, err := b.defined(tx)
	if err != nil {
		return err
	}
	row, err := b.findObject(tx.Conn, id)
	if err == nil && opts.IfVersion != 0 {
		err = row.intact(b) // the damage may be in the version
	}
	if err != nil {
		return err
	}
	if err := checkVersion(b, &row.object, opts.IfVersion); err != nil {
		return err
	}
	return b.deleteRow(tx, state, row)
}

// deleteRow deletes an object whose row has been read in the transaction. It returns a
// refusal before its first write.
func (b *Bucket) deleteRow(tx *commit.Tx, state *commit.Bucket, row *objectRow) error {
	return b.deleteNoted(tx, state, row, string(EventObjectDeleted))
}

// deleteNoted is deleteRow with an event of any kind.
func (b *Bucket) deleteNoted(tx *commit.Tx, state *commit.Bucket, row *objectRow, event string) error {
	blobs, err := decodeBlobs(row.blobs)
	if err != nil && !row.damaged {
		return errorf("%s: object %q: %w: %v", b, row.object.ID, ErrCorrupt, err)
	} else if err != nil {
		blobs = nil // their content stays until Check repairs the counts of references
	}
	if err := row.delete(tx); err != nil {
		return err
	}
	if row.damaged {
		err = index.Remove(tx, state, row.object.seq)
	} else if state.Indexed {
		err = index.Update(tx, state, b.indexed(), row.object.seq, row.row(), nil)
	}
	if err != nil {
		return err
	}
	state.Tick()
	gone := &row.object
	state.Removed(commit.Position(gone.seq), gone.CreatedAt.UnixMicro(), gone.Size, string(gone.Status))
	tx.Note(event, state.Place, row.object.ID)
	if err := b.deleteNext(tx, state, row.object.seq); err != nil {
		return err
	}
	return dropContents(tx, blobs)
}
