package bucketlite

import (
	"context"
	"fmt"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Change is a put, patch or deletion for [Store.Apply]. It may be applied any number of
// times, unless its input has a Reader.
type Change struct {
	kind      changeKind
	bucket    *Bucket
	id        string // of the object to patch or delete
	in        ObjectInput
	put       PutOptions
	ifVersion int64 // of a patch or a deletion
}

type changeKind int

const (
	noChange changeKind = iota
	putChange
	patchChange
	deleteChange
)

// PutChange returns a change that puts an object, as [Bucket.Put] does. It writes
// nothing; see [Store.Apply].
func (b *Bucket) PutChange(in ObjectInput, opts *PutOptions) Change {
	c := Change{kind: putChange, bucket: b, in: in}
	if opts != nil {
		c.put = *opts
	}
	return c
}

// PatchChange returns a change that patches the object with the id, as [Bucket.Patch]
// does. It writes nothing; see [Store.Apply].
func (b *Bucket) PatchChange(id string, in ObjectInput, opts *PatchOptions) Change {
	c := Change{kind: patchChange, bucket: b, id: id, in: in}
	if opts != nil {
		c.ifVersion = opts.IfVersion
	}
	return c
}

// DeleteChange returns a change that deletes the object with the id, as
// [Bucket.DeleteObject] does. It writes nothing; see [Store.Apply].
func (b *Bucket) DeleteChange(id string, opts *DeleteObjectOptions) Change {
	c := Change{kind: deleteChange, bucket: b, id: id}
	if opts != nil {
		c.ifVersion = opts.IfVersion
	}
	return c
}

// String returns the change in the form used in messages.
func (c Change) String() string {
	switch c.kind {
	case putChange:
		return fmt.Sprintf("%s: put", c.bucket)
	case patchChange:
		return fmt.Sprintf("%s: patch of object %s", c.bucket, value.Show(c.id))
	case deleteChange:
		return fmt.Sprintf("%s: deletion of object %s", c.bucket, value.Show(c.id))
	}
	return "no change"
}

// check returns an error if the change is not one for the store.
func (c *Change) check(s *Store) error {
	switch {
	case c.kind == noChange:
		return badRequest("an empty change: use PutChange, PatchChange or DeleteChange of a bucket")
	case c.bucket.store != s:
		return badRequest("%s belongs to another open store", c.bucket)
	}
	return nil
}

// step is a change with what it needs to be applied.
type step interface {
	target() *Bucket                            // with the definition that the step follows
	prepare(ctx context.Context) error          // validates the input and reads its readers
	isLinked() bool                             // whether there is anything to fetch
	fetch(ctx context.Context, anew bool) error // fetches links; unless anew is set, they may keep stored content
	apply(tx *commit.Tx, seen *history) error   // may run any number of times
	size() int64                                // as far as it is known; see [MaxChangeBytes]
	release(ctx context.Context)                // releases contents, except those of readers
	owed() int64                                // see [Bucket.payRoom]
	result() (ChangeResult, error)              // after apply; the contents now belong to the object
}

// step returns a new step of the change, by the bucket's latest known definition. If
// follows is set, an earlier change of the set is in the same bucket.
func (c *Change) step(follows bool) step {
	b := c.bucket.current()
	switch c.kind {
	case putChange:
		return &putStep{putter{bucket: b, in: &c.in, opts: c.put, batched: follows}, c.put.IfVersion}
	case patchChange:
		return &patchStep{patcher{bucket: b, id: c.id, in: &c.in, ifVersion: c.ifVersion, inSet: true}, c.ifVersion, follows}
	}
	return &deleteStep{b, c.id, c.ifVersion}
}

// contentBytes returns the bytes of contents that are in memory.
func contentBytes(contents []*content.Content) (size int64) {
	for _, c := range contents {
		size += int64(len(c.Data))
	}
	return size
}

// encodedBytes returns the size of blobs in stored form.
func encodedBytes(blobs any) int64 {
	text, _ := blobs.(string)
	return int64(len(text))
}

// putStep is a put in a set.
type putStep struct {
	putter
	guard int64 // IfVersion, as given
}

func (p *putStep) target() *Bucket { return p.bucket }
func (p *putStep) isLinked() bool  { return len(p.links) > 0 }

func (p *putStep) apply(tx *commit.Tx, seen *history) error {
	p.opts.IfVersion = seen.guard(p.bucket, p.guard)
	if err := p.put(tx); err != nil {
		return seen.explain(p.bucket, p.guard, err)
	}
	seen.note(p.bucket, p.replaced, p.stored.object.Version)
	return nil
}

func (p *putStep) size() int64 {
	return int64(len(p.data.JSONB)) + encodedBytes(p.encoded) + contentBytes(p.contents)
}

func (p *putStep) owed() int64 { return p.stored.owed }

func (p *putStep) result() (ChangeResult, error) {
	content.EndRenewals(p.contents)
	o, err := p.object()
	return ChangeResult{o, p.created, p.batch}, err
}

// patchStep is a patch in a set. It is merged ahead, to keep the transaction short, and
// merged again in the transaction if the object has changed, be it by an earlier change.
type patchStep struct {
	patcher
	guard   int64 // IfVersion, as given
	follows bool  // an earlier change of the set is in the same bucket
}

func (p *patchStep) target() *Bucket { return p.bucket }
func (p *patchStep) isLinked() bool  { return len(p.links) > 0 }

func (p *patchStep) prepare(ctx context.Context) error {
	if err := p.judge(ctx); err != nil {
		return err
	}
	return p.merging(p.mergeAhead(ctx))
}

// merging returns the error of merging ahead, unless an earlier change of the set may
// make the patch possible. Then the transaction decides.
func (p *patchStep) merging(err error) error {
	if err != nil {
		if p.merged = nil; !p.follows || !ours(err) {
			return err
		}
	}
	if !p.isLinked() {
		p.base.fields = nil // they may be long, and are not needed again
	}
	return nil
}

func (p *patchStep) fetch(ctx context.Context, anew bool) error {
	if err := p.patcher.fetch(ctx, anew); err != nil || p.merged == nil {
		return err
	}
	p.ifVersion = p.guard
	return p.merging(p.merge())
}

func (p *patchStep) apply(tx *commit.Tx, seen *history) error {
	p.ifVersion = seen.guard(p.bucket, p.guard)
	if err := p.patch(tx); err != nil {
		return seen.explain(p.bucket, p.guard, err)
	}
	seen.note(p.bucket, p.base.object.Version, p.stored.object.Version)
	if p.merged == nil {
		p.base.fields = nil
	}
	return nil
}

func (p *patchStep) size() int64 {
	size := contentBytes(p.contents)
	if m := p.merged; m != nil {
		return size + int64(len(m.data.JSONB)) + encodedBytes(m.encoded)
	}
	return size + int64(len(p.stored.fields)+len(p.stored.blobs))
}

func (p *patchStep) owed() int64 { return p.stored.owed }

func (p *patchStep) result() (ChangeResult, error) {
	content.EndRenewals(p.contents)
	o, err := p.stored.decode(p.bucket, nil)
	return ChangeResult{Object: o}, err
}

// deleteStep is a deletion in a set.
type deleteStep struct {
	bucket *Bucket
	id     string
	guard  int64 // IfVersion, as given
}

func (d *deleteStep) target() *Bucket                   { return d.bucket }
func (d *deleteStep) prepare(context.Context) error     { return nil }
func (d *deleteStep) isLinked() bool                    { return false }
func (d *deleteStep) fetch(context.Context, bool) error { return nil }
func (d *deleteStep) size() int64                       { return 0 }
func (d *deleteStep) owed() int64                       { return 0 }
func (d *deleteStep) release(context.Context)           {}
func (d *deleteStep) result() (ChangeResult, error)     { return ChangeResult{}, nil }

func (d *deleteStep) apply(tx *commit.Tx, seen *history) error {
	err := d.bucket.deleteObject(tx, d.id, DeleteObjectOptions{IfVersion: seen.guard(d.bucket, d.guard)})
	return seen.explain(d.bucket, d.guard, err)
}
