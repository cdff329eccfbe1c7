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
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// PatchOptions adjust [Bucket.Patch]. Nil means the defaults.
type PatchOptions struct {
	// IfVersion, unless 0, makes the call a [ErrConflict] if the object has another version.
	IfVersion int64
}

// DeleteObjectOptions adjust [Bucket.DeleteObject]. Nil means the defaults.
type DeleteObjectOptions struct {
	// IfVersion, unless 0, makes the call a [ErrConflict] if the object has another version.
	IfVersion int64
}

// Patch merges in into the object with the id and returns what is stored then. A
// field given takes the place of the stored one as a whole; a null removes it,
// or the blobs of a file property, unless it is required or part of the key.
// Blobs given take the place of those of the same property. Defaults do not
// apply. The result must conform to the schema; it may have another unique key,
// if that is free.
//
// Errors: as [Bucket.Put], and [ErrNotFound].
func (b *Bucket) Patch(ctx context.Context, id string, in ObjectInput, opts *PatchOptions) (*Object, error) {
	if opts == nil {
		opts = &PatchOptions{}
	}
	if len(in.Blobs) > 0 {
		ctx = engine.WaitOnce(ctx) // there may be content to be staged
	}
	p := &patcher{bucket: b, id: id, in: &in, ifVersion: opts.IfVersion}
	stored := false
	defer func() {
		if !stored { // refused, or a reader has panicked
			b.store.stage.Release(ctx, p.contents...)
		}
	}()
	if err := p.run(ctx); err != nil {
		return nil, err
	}
	stored = true
	content.EndRenewals(p.contents)
	return p.stored.decode(b, nil)
}

// errMoved says that the object a patch was merged with has changed.
var errMoved = errors.New("the object has changed")

// patcher is one Patch.
type patcher struct {
	bucket    *Bucket
	id        string
	in        *ObjectInput
	ifVersion int64
	upload    *uploadRow // the one that is being confirmed: its blob joins those of an array

	given    map[string]any // the user's fields; null removes
	reserved map[string]any
	blobs    []Blob
	contents []*content.Content
	own      judge  // what is wrong with the patch by itself
	links    []link // blobs that are to be brought in
	read     int    // how many of the contents came with the patch

	base   objectRow // what is patched
	merged *merged   // base after the patch; nil if that is the writer's work
	stored objectRow // what the writer stored
}

// merged is an object after a patch, ready to be stored.
type merged struct {
	data    schema.Fields
	key     []byte
	blobs   []Blob
	encoded any
	gone    []Blob // stored blobs that are replaced or removed
}

// run patches the object. Merging and judging is the caller's work, so it is done
// on a copy read beforehand. If the object changes meanwhile that was in vain;
// after a few times the writer does it, which cannot be overtaken. Only a patch
// that can be merged is worth fetching for.
func (p *patcher) run(ctx context.Context) error {
	if err := p.judge(ctx); err != nil {
		return err
	}
	s := p.bucket.store
	err := errMoved
	for try := 0; errors.Is(err, errMoved); try++ {
		p.merged = nil
		if try < 3 {
			if err := s.read(ctx, p.load); err != nil {
				return err
			}
			if err := p.merge(); err != nil {
				return err
			}
		}
		if len(p.links) > 0 {
			if err := p.fetch(ctx, try >= 3); err != nil {
				return err
			}
			if p.merged != nil { // without what has been fetched
				if err := p.merge(); err != nil {
					return err
				}
			}
		}
		err = s.write(ctx, p.patch)
	}
	return err
}

// judge judges the patch by itself. Its fields are judged with the object's, and
// what is wrong is said together.
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
	builder := blobBuilder{ctx: ctx, bucket: b, judge: j, upload: p.upload}
	defer func() { p.blobs, p.contents = builder.blobs, builder.contents }() // also if a reader panics
	err := builder.build(p.in.Blobs)
	if err == nil && !j.Any() {
		p.links, p.read = b.links(p.in, builder.blobs), len(builder.contents)
	}
	return err
}

// fetch brings in what the patch refers to. Unless anew, content is kept of base.
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
	_, err = b.fetch(ctx, p.links, p.blobs, stored, anew)
	return err
}

// load reads the object to be patched.
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

// merge works out what base is to become.
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

// mergeFields returns the stored fields, which it may change, with the patch's.
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

// isRequired reports whether a null for the field is refused; what is stored
// then stays, so that it is not found missing as well.
func (p *patcher) isRequired(name string) bool {
	f := p.bucket.def.plan.Field(name)
	return f != nil && f.Required
}

// mergeBlobs returns the blobs after the patch, and those whose reference to
// content goes. Of a stored blob that stands in for one of the same content the
// reference goes too, in exchange for that one's.
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

// sameBlobs reports whether two lists have the same blobs of a property, by id and
// in the same order.
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

// joins reports whether the patch's blobs of the property take their place beside
// the stored ones, not replacing them.
func (p *patcher) joins(property string) bool {
	f := p.bucket.def.plan.Field(property)
	return p.upload != nil && f != nil && f.Type == schema.Array
}

// patch writes the merged object.
func (p *patcher) patch(tx *commit.Tx) error {
	b := p.bucket
	state, err := b.permitted(tx, writeObjects)
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
	if p.merged == nil {
		p.base = *row
		if err := p.merge(); err != nil {
			return err
		}
		defer func() { p.merged = nil }() // merged again if the writer runs it again
	} else if row.object.Version != p.base.object.Version {
		return errMoved
	}
	m := p.merged
	moved, err := p.moves(tx, row, m.key)
	if err == nil {
		err = checkContents(tx, p.contents)
	}
	if err != nil {
		return err
	}
	o := row.object
	if !bytes.Equal(m.data.JSONB, row.fields) || m.encoded != nilIfBlank(row.blobs) {
		o.Status, o.Error = StatusDraft, ""
	}
	if p.in.KeyPrefix != "" {
		o.KeyPrefix = p.in.KeyPrefix
	}
	key := row.key
	if moved {
		key = m.key
	}
	p.stored = newRow(o, key, m.data, m.blobs, m.encoded)
	if err := p.bucket.overwrite(tx, state, &p.stored, row); err != nil {
		return err
	}
	return exchange(tx, o.ID, p.contents, m.gone)
}

// moves reports whether the object gets another key, and refuses one that
// another object has.
func (p *patcher) moves(tx *commit.Tx, row *objectRow, key []byte) (bool, error) {
	if key == nil {
		return false, nil
	}
	b := p.bucket
	holder, err := keyHolder(tx.Conn, b.num, key)
	switch {
	case err != nil || holder == "":
		return true, err
	case holder == row.object.ID:
		return false, nil
	}
	return false, &ConflictError{Subject: b.String(), ExistingID: holder, Exists: true,
		Reason: fmt.Sprintf("the unique key is taken by object %q", holder)}
}

// DeleteObject deletes the object with the id. Its content goes when no other
// object shares it. An object whose row is damaged can be deleted too, unless
// IfVersion is given; then [Store.Check] may find references to content that are
// counted too high, and repairs them.
//
// Errors: [ErrNotFound], [ErrConflict] on another version, [ErrLocked], [ErrNotActive],
// [ErrCorrupt].
func (b *Bucket) DeleteObject(ctx context.Context, id string, opts *DeleteObjectOptions) error {
	if opts == nil {
		opts = &DeleteObjectOptions{}
	}
	return b.store.free(ctx, func(tx *commit.Tx) error {
		state, err := b.permitted(tx, writeObjects)
		if err != nil {
			return err
		}
		row, err := b.findObject(tx.Conn, id)
		if err == nil && opts.IfVersion != 0 {
			err = row.intact(b) // its version may be what is damaged
		}
		if err != nil {
			return err
		}
		if err := checkVersion(b, &row.object, opts.IfVersion); err != nil {
			return err
		}
		blobs, err := decodeBlobs(row.blobs)
		if err != nil && !row.damaged {
			return errorf("%s: object %q: %w: %v", b, id, ErrCorrupt, err)
		} else if err != nil {
			blobs = nil // what they refer to stays until Check repairs the counts
		}
		if _, err := tx.Exec("DELETE FROM object WHERE seq = ?", row.object.seq); err != nil {
			return err
		}
		if row.damaged {
			err = b.unindex(tx, state, row.object.seq)
		} else if state.Indexed {
			err = b.reindex(tx, state, row.object.seq, row.row(), nil)
		}
		if err != nil {
			return err
		}
		state.Tick()
		state.Objects--
		state.Size -= row.object.Size
		tx.Note(string(EventObjectDeleted), state.Place, id)
		return dropContents(tx, blobs)
	})
}
