package bucketlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// PutOptions configure [Bucket.Put]. Nil selects the defaults.
type PutOptions struct {
	// Policy decides between creating and replacing, depending on the unique key.
	// Default: the bucket's DefaultPolicy. It is ignored if the bucket has no unique
	// key.
	Policy Policy
	// IfVersion, unless 0, is the version that the object to replace must have. If it
	// has another version, or does not exist, the error is [ErrConflict].
	IfVersion int64
	// IfAbsent creates an object or fails: if its unique key or its id is taken, the
	// error is [ErrExists], whatever the bucket's DefaultPolicy. IfAbsent excludes
	// IfVersion and policy [Update]. Default: false.
	IfAbsent bool
	// Process hands the object to [Store.Process] in the same commit, as
	// [Bucket.SubmitBatch] does, in a batch of its own. The stored object is PENDING. If
	// the object is put once more before it has been processed, both batches process it.
	// For a stream of objects, [ProcessOptions].Drafts takes fewer batches. Default: false.
	Process bool
}

// PutResult is the result of [Bucket.Put].
type PutResult struct {
	// Object is the object as stored.
	Object *Object
	// Created is true if the object is new, and false if it replaced another.
	Created bool
	// BatchID names the batch that processes the object, if the options have Process.
	BatchID string
}

// Put stores an object that conforms to the bucket's schema. Without a unique key,
// Put creates a new object. With one, the policy decides: if the key is free, Put
// creates an object; if it is taken, Put replaces the stored object's fields. The
// stored object keeps its id, its created_at and, unless in.Blobs is non-nil, its
// blobs.
//
// Errors: [ErrInvalid] with all faults of the input, [ErrTooLarge], [ErrBadRequest]
// if there is no policy, [ErrExists], [ErrConflict], [ErrNotFound] with policy
// [Update] and a free key, [ErrLocked], [ErrNotActive], and [ErrCorrupt] if the
// object to replace is damaged.
func (b *Bucket) Put(ctx context.Context, in ObjectInput, opts *PutOptions) (*PutResult, error) {
	if opts == nil {
		opts = &PutOptions{}
	}
	if len(in.Blobs) > 0 {
		ctx = engine.WaitOnce(ctx) // content may have to be staged
	}
	in.keepReaders()
	var p *putter
	stored := false
	defer func() {
		if !stored { // refused, or a reader or fetcher has panicked
			b.store.stage.Release(ctx, in.keptContents()...)
		}
	}()
	err := b.following(ctx, func(b *Bucket) (err error) {
		if p, err = b.prepare(ctx, &in, *opts); err == nil {
			err = p.store(ctx)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	stored = true
	b.payRoom(ctx, p.stored.owed)
	return p.result()
}

// Validate validates an object as [Bucket.Put] does, without writing to the store. It
// does not check rules that depend on stored objects, does not fetch URLs, and refuses
// blobs with a Reader. Errors: [ErrInvalid], [ErrTooLarge], [ErrBadRequest].
func (b *Bucket) Validate(ctx context.Context, in ObjectInput) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range in.Blobs {
		if in.Blobs[i].Reader != nil {
			return badRequest("validate: blobs[%d] has a reader, which can be read only once", i)
		}
	}
	return b.following(ctx, func(b *Bucket) error {
		p := &putter{bucket: b, in: &in, opts: PutOptions{Policy: Insert}, judging: true}
		err := p.judge(ctx)
		if err == nil && b.def.next != nil {
			err = p.judgeNext()
		}
		if err == nil && b.redefined(ctx) {
			err = errRedefined
		}
		return err
	})
}

// judgeNext validates a validated input by the schema that is being prepared.
func (p *putter) judgeNext() error {
	b := p.bucket
	data, err := b.encodeFields(p.fields, p.blobs)
	if err != nil {
		return err
	}
	encoded, err := encodeBlobs(p.blobs)
	if err != nil {
		return errorf("%s: encode blobs: %w", b, err)
	}
	row := newRow(Object{}, p.key, data, p.blobs, encoded)
	_, issues, err := b.def.next.convert(&row, nil, nil)
	if err == nil && len(issues) > 0 {
		err = b.invalidNext(issues)
	}
	return err
}

// putter is one Put: the validated and encoded input, made in the caller's goroutine,
// and the writer's result. An input that keeps stored blobs is validated as if there
// were none; if there are some, the writer validates it again with them.
type putter struct {
	bucket  *Bucket
	in      *ObjectInput
	opts    PutOptions
	upload  *uploadRow // the upload that is being confirmed, or nil
	judging bool       // nothing will be written

	given      map[string]any // the user's fields, before defaults
	reserved   map[string]any // system members among the given fields
	id         string         // of the object, if it is created
	fields     map[string]any // the user's fields, with defaults, in plain values
	data       schema.Fields  // fields in stored form
	answer     map[string]any // a copy of fields as they read back
	key        []byte
	blobs      []Blob // nil keeps the stored blobs
	encoded    any    // blobs in stored form
	contents   []*content.Content
	incomplete error // the faults of fields that need stored blobs; nil if they need none

	links    []link // blobs to fetch
	read     int    // the number of contents that came with the input
	keptFrom int64  // the version of the object whose content links keep, or 0
	batched  bool   // earlier inputs or changes of the same call may change the stored object

	process *handover // of this object alone, or nil

	// Set by the writer, each time it runs.
	stored   objectRow
	own      bool // the stored fields are data
	created  bool
	replaced int64  // the version that the object had before, 0 if it is created
	batch    string // id of the batch that processes the object, or ""
}

// prepare validates and encodes an input. The result can be written any number of
// times. If it is not written, the caller must release its contents.
func (b *Bucket) prepare(ctx context.Context, in *ObjectInput, opts PutOptions) (*putter, error) {
	p := &putter{bucket: b, in: in, opts: opts}
	ready := false
	defer func() {
		if !ready { // refused, or a reader has panicked
			p.release(ctx)
		}
	}()
	if err := p.prepare(ctx); err != nil {
		return nil, err
	}
	ready = true
	return p, nil
}

// store writes a prepared input. If that fails, it releases the input's contents.
func (p *putter) store(ctx context.Context) error {
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

// release gives up the input's contents, except what was read from readers that may be
// needed again.
func (p *putter) release(ctx context.Context) {
	p.bucket.store.stage.Release(ctx, p.in.withoutKept(p.contents)...)
}

func (p *putter) prepare(ctx context.Context) (err error) {
	b := p.bucket
	if p.opts.Policy, err = p.policy(); err != nil {
		return err
	}
	if err := p.judge(ctx); err != nil {
		return err
	}
	if p.data, err = b.encodeFields(p.fields, p.blobs); err != nil {
		return err
	}
	p.answer = jsonb.Copy(p.fields) // now: what is stored is what is answered, whatever becomes of the input
	if p.encoded, err = encodeBlobs(p.blobs); err != nil {
		return errorf("%s: encode blobs: %w", b, err)
	}
	if p.id = p.in.ID; p.id == "" {
		p.id, err = b.store.newID(ident.ObjectPrefix)
	}
	if err == nil {
		p.process, err = b.store.newHandoverIf(p.opts.Process)
	}
	p.links, p.read = b.links(p.in, p.blobs), len(p.contents)
	return err
}

// policy checks the guards of the call, and returns the policy that they and the bucket
// lead to.
func (p *putter) policy() (Policy, error) {
	key, opts := p.bucket.def.unique, &p.opts
	switch {
	case opts.IfVersion < 0:
		return "", badRequest("IfVersion: got %d, want 0 or more", opts.IfVersion)
	case opts.IfAbsent && opts.IfVersion != 0:
		return "", badRequest("IfAbsent and IfVersion exclude each other")
	case key == nil, opts.IfAbsent && opts.Policy == "":
		return Insert, nil
	}
	policy, err := key.policy(opts.Policy)
	switch {
	case err != nil || !opts.IfAbsent:
		return policy, err
	case policy == Update:
		return "", badRequest("IfAbsent and policy update exclude each other")
	}
	return Insert, nil
}

// run fetches the input's links, then writes the object. If links keep stored
// content, and the object has changed meanwhile, it tries again. After a few times it
// fetches all links, so that the write no longer depends on stored content.
func (p *putter) run(ctx context.Context) error {
	for try := 0; ; try++ {
		if err := p.fetch(ctx, try >= 3); err != nil {
			return err
		}
		if err := p.bucket.store.write(ctx, p.put); !errors.Is(err, errMoved) {
			return err
		}
	}
}

// judge validates the input and fills in p, or returns all faults.
func (p *putter) judge(ctx context.Context) error {
	b, in := p.bucket, p.in
	j := &judge{}
	if !p.takeFields(j) {
		return b.refusal(j)
	}
	if in.ID != "" && !ident.IsObject(in.ID) {
		j.fault(value.Path{{Name: "object_id"}}, ruleName, "1 to 128 of A-Z a-z 0-9 _ - expected, got "+value.Show(in.ID))
	}
	if in.KeyPrefix != "" {
		value.Plain(in.KeyPrefix, value.Path{{Name: "key_prefix"}}, b.store.opts.objectLimits(), j.fault)
	}
	in.judgeExpiry(j, b.store.opts.Now)
	if in.Blobs != nil {
		builder := blobBuilder{ctx: ctx, bucket: b, judge: j, upload: p.upload, judging: p.judging}
		defer func() { p.contents = builder.contents }() // also if a reader panics
		if err := builder.build(in.Blobs); err != nil {
			return err
		}
		p.blobs = builder.blobs
	}
	own := j.Any() // a fault that stored blobs cannot resolve
	p.fields = p.conform(j, p.blobs, false)
	p.key = b.def.key.Encode(&j.Validation, p.fields)
	err := b.refusal(j)
	if err == nil || own || p.blobs != nil || p.opts.Policy == Insert {
		return err
	}
	// A stored blob may supply a missing field.
	partial := &judge{}
	p.conform(partial, nil, true)
	b.def.key.Encode(&partial.Validation, p.fields)
	if e := b.refusal(partial); e != nil || !j.Any() {
		return err
	}
	p.incomplete = err
	return nil
}

// conform validates the given fields together with blobs, which may be only some of
// the object's.
func (p *putter) conform(j *judge, blobs []Blob, partial bool) map[string]any {
	fields, _ := p.bucket.def.validate(j, p.given, blobs, partial)
	return fields
}

// takeFields separates the given fields from the system members among them, as plain
// values, and reports whether it could.
func (p *putter) takeFields(j *judge) bool {
	p.given = p.in.Fields
	p.takeReserved()
	fields, ok := value.Plain(p.given, nil, p.bucket.store.opts.objectLimits(), j.fault)
	p.given, _ = fields.(map[string]any)
	if p.reserved != nil {
		reserved, plain := value.Plain(p.reserved, nil, objectFormLimits, j.fault)
		p.reserved, _ = reserved.(map[string]any)
		ok = ok && plain
	}
	return ok
}

// put stores the object in the writer's transaction, and hands it over if that is wanted. It
// makes every check that can refuse the object before its first write.
func (p *putter) put(tx *commit.Tx) error {
	if err := p.place(tx); err != nil {
		return err
	}
	return p.process.processStored(tx, p)
}

// place is put without handing the object over.
func (p *putter) place(tx *commit.Tx) error {
	state, err := p.bucket.defined(tx)
	if err != nil {
		return err
	}
	// An INSERT finds out at once whether the key is free. While a bucket's objects
	// are being put a second time, the key is likely to be taken.
	guess := p.opts.Policy == Insert || p.opts.Policy == Upsert && !state.Replacing
	if guess && p.bucket.def.next == nil && p.opts.IfVersion == 0 && p.incomplete == nil && p.reserved == nil && p.keptFrom == 0 {
		done, err := p.insert(tx, state)
		if done || err != nil {
			return err
		}
	}
	old, err := p.existing(tx)
	if err == nil {
		err = p.admit(old)
	}
	switch {
	case err != nil:
		return err
	case p.keptFrom != 0 && (old == nil || old.object.Version != p.keptFrom):
		return errMoved
	case old == nil:
		return p.create(tx, state)
	}
	return p.replace(tx, state, old)
}

// admit checks the input against the stored object with its key or id; old is nil if
// there is none.
func (p *putter) admit(old *objectRow) error {
	b := p.bucket
	if old == nil {
		switch {
		case p.opts.Policy == Update:
			return notFound("%s: object with %s", b, b.def.key.Describe(p.fields))
		case p.opts.IfVersion != 0:
			return &ConflictError{Subject: b.String(), Reason: fmt.Sprintf("IfVersion is %d, but there is no object yet", p.opts.IfVersion), Version: true}
		case p.incomplete != nil:
			return p.incomplete
		}
		return checkReserved(b, p.reserved, nil)
	}
	o := &old.object
	switch {
	case p.opts.Policy == Insert:
		return p.taken(o.ID)
	case p.in.ID != "" && p.in.ID != o.ID:
		return &ConflictError{Subject: b.String(), ExistingID: o.ID, Exists: true,
			Reason: fmt.Sprintf("object %q has %s, so %q cannot", o.ID, b.def.key.Describe(p.fields), p.in.ID)}
	}
	if err := checkVersion(b, o, p.opts.IfVersion); err != nil {
		return err
	}
	return checkReserved(b, p.reserved, old)
}

// create is put for a free key.
func (p *putter) create(tx *commit.Tx, state *commit.Bucket) error {
	done, err := p.insert(tx, state)
	if err == nil && !done {
		return p.taken(p.id) // the id is taken, by an object with another key
	}
	return err
}

// insert writes a new object. It reports false if the id or key is taken.
func (p *putter) insert(tx *commit.Tx, state *commit.Bucket) (done bool, err error) {
	b := p.bucket
	now := b.store.now()
	clock := state.Clock() + 1
	if clock >= 1<<commit.ClockBits {
		return false, errorf("%s: %w: its counter of changes is at its limit", b, ErrFull)
	}
	if err := checkContents(tx, p.contents); err != nil {
		return false, err
	}
	row := newRow(Object{
		ID: p.id, BucketID: b.id, KeyPrefix: p.in.KeyPrefix, Status: StatusDraft, Version: clock,
		CreatedAt: timeOf(now), UpdatedAt: timeOf(now), ExpiresAt: p.in.expiry(), seq: commit.Seq(state.Partition, clock),
	}, p.key, p.data, p.blobs, p.encoded)
	o := &row.object
	if err := b.checkRoom(state, o); err != nil {
		return false, err
	}
	next, err := b.foresee(tx, state, &row, p.contents)
	if err != nil {
		return false, err
	}
	if done, err := row.insert(tx, state.Partition); err != nil || !done {
		return false, err
	}
	if err := adopt(tx, p.contents, o.ID); err != nil {
		return false, err
	}
	if err := b.insertNext(tx, state, next); err != nil {
		return false, err
	}
	if state.Indexed {
		if err := index.Update(tx, state, b.indexed(), o.seq, nil, row.row()); err != nil {
			return false, err
		}
	}
	state.Tick()
	state.Added(clock, now, o.Size, string(o.Status))
	state.Upload = max(state.Upload, now)
	state.Replacing = false
	tx.Note(string(EventObjectCreated), state.Place, o.ID)
	tx.Raise(commit.Drafts)
	b.noteExpiry(tx, o)
	row.owed, err = b.makeRoom(tx, state, o.Version, o.Size)
	p.stored, p.own, p.created, p.replaced = row, true, true, 0
	return true, err
}

// existing returns the stored object that has the input's key, or its id if it has no
// key; nil if there is none.
func (p *putter) existing(tx *commit.Tx) (*objectRow, error) {
	where, arg := "o.key = ?", any(p.key)
	if p.key == nil {
		where, arg = "o.id = ?", p.id
	}
	var row objectRow
	found, err := tx.QueryRow("SELECT "+objectColumns+" FROM object o WHERE o.partition = ? AND "+where,
		[]any{p.bucket.def.partition, arg}, func(r engine.Row) { row.scan(r, 0) })
	if err != nil || !found {
		return nil, err
	}
	return &row, row.intact(p.bucket)
}

// replace replaces a stored object by the input.
func (p *putter) replace(tx *commit.Tx, state *commit.Bucket, old *objectRow) error {
	b := p.bucket
	o := old.object
	stored, err := decodeBlobs(old.blobs)
	if err != nil {
		return errorf("%s: object %q: %w: %v", b, o.ID, ErrCorrupt, err)
	}
	data, blobs, encoded, own := p.data, p.blobs, p.encoded, true
	if p.blobs == nil {
		if data, err = p.dataBeside(stored); err != nil {
			return err
		}
		blobs, encoded, own = stored, nilIfBlank(old.blobs), len(stored) == 0
	} else if p.in.SkipDuplicates {
		blobs = standIns(p.blobs, stored)
		if encoded, err = encodeBlobs(blobs); err != nil {
			return errorf("%s: encode blobs: %w", b, err)
		}
	}
	if !bytes.Equal(data.JSONB, old.fields) || p.blobs != nil && encoded != nilIfBlank(old.blobs) {
		o.Status, o.Error = StatusDraft, ""
	}
	if p.in.KeyPrefix != "" {
		o.KeyPrefix = p.in.KeyPrefix
	}
	o.ExpiresAt = p.in.expiry()
	if err := checkContents(tx, p.contents); err != nil {
		return err
	}
	row := newRow(o, old.key, data, blobs, encoded)
	if p.blobs == nil {
		stored = nil // they stay
	}
	// A stored blob that replaces an equal one in the input shares its content, so its
	// reference is dropped and added again.
	if err := b.overwrite(tx, state, &row, old, p.contents, stored); err != nil {
		return err
	}
	state.Upload = max(state.Upload, row.object.UpdatedAt.UnixMicro())
	state.Replacing = true
	p.stored, p.own, p.created, p.replaced = row, own, false, old.object.Version
	return nil
}

// standIns returns blobs, each replaced by a stored blob that has the same property
// and content. It uses each stored blob once.
func standIns(blobs, stored []Blob) []Blob {
	type key struct{ property, hash string }
	same := make(map[key][]Blob)
	for _, old := range stored {
		if old.Details.Hash != "" {
			k := key{old.Property, old.Details.Hash}
			same[k] = append(same[k], old)
		}
	}
	blobs = slices.Clone(blobs)
	for i := range blobs {
		k := key{blobs[i].Property, blobs[i].Details.Hash}
		if list := same[k]; len(list) > 0 {
			blobs[i], same[k] = list[0], list[1:]
		}
	}
	return blobs
}

// dataBeside returns the stored form of the fields, validated together with stored
// blobs.
func (p *putter) dataBeside(stored []Blob) (schema.Fields, error) {
	if len(stored) == 0 {
		return p.data, p.incomplete
	}
	j := &judge{}
	fields := p.conform(j, stored, false)
	if err := p.bucket.refusal(j); err != nil {
		return schema.Fields{}, err
	}
	return p.bucket.encodeFields(fields, stored)
}

// taken returns the error for a key or id that an object has.
func (p *putter) taken(existing string) error {
	b := p.bucket
	reason := fmt.Sprintf("object %q already exists", existing)
	if b.def.key != nil && existing != p.in.ID {
		reason = fmt.Sprintf("%s is taken by object %q", b.def.key.Describe(p.fields), existing)
	}
	return &ConflictError{Subject: b.String(), Reason: reason, ExistingID: existing, Exists: true}
}

// result returns the stored object.
func (p *putter) result() (*PutResult, error) {
	o, err := p.object()
	if err != nil {
		return nil, err
	}
	return &PutResult{Object: o, Created: p.created, BatchID: p.batch}, nil
}

// object returns the stored object, as it reads back. Unless stored blobs had a say in
// them, its fields are those of the input. It may be called once: the object belongs to
// the caller.
func (p *putter) object() (*Object, error) {
	if !p.own {
		return p.stored.decode(p.bucket, nil)
	}
	return p.stored.with(p.bucket, p.answer, nil)
}

// checkVersion returns an error if a stored object does not have the version that a
// call expects.
func checkVersion(b *Bucket, o *Object, ifVersion int64) error {
	if ifVersion == 0 || ifVersion == o.Version {
		return nil
	}
	return &ConflictError{Subject: b.String(), ExistingID: o.ID, Version: true, stored: o.Version,
		Reason: fmt.Sprintf("object %q has version %d, not %d", o.ID, o.Version, ifVersion)}
}
