package bucketlite

import (
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// While a change of a bucket's schema is being prepared, each write of an object must
// satisfy the schema in force and the next one. If the change rewrites objects, the write
// also keeps the object's next form up to date, once that has been prepared.

// nextRow is the row of an object in the form that a change of the schema gives it.
type nextRow struct {
	objectRow
	list []Blob
}

// reading calls f with a connection.
type reading func(f func(*engine.Conn) error) error

// convert returns a stored object in the form of the next schema, or nil if that is the
// same form. Issues are the faults of the object by the next schema. The contents are those
// that come with the object. If read is nil, stored texts are not checked.
func (n *nextDefinition) convert(row *objectRow, contents []*content.Content, read reading) (next *nextRow, issues []Issue, err error) {
	fields, err := jsonb.Parse(row.fields)
	if err != nil {
		return nil, nil, errorf("fields: %w: %v", ErrCorrupt, err)
	}
	blobs, err := decodeBlobs(row.blobs)
	if err != nil {
		return nil, nil, errorf("blobs: %w: %v", ErrCorrupt, err)
	}
	takeInline(fields, blobs)
	j := &judge{}
	j.NoDefaults, j.TrustCostly = true, true // as for every stored object
	fields = n.change.Apply(&j.Faults, fields, appendViews(nil, blobs))
	next = &nextRow{list: n.convertBlobs(j, blobs)}
	for i := range next.list {
		n.judgeBlob(j, blobsPath.Item(i), next.list, i)
	}
	if err := n.judgeTexts(j, next.list, contents, read); err != nil {
		return nil, nil, err
	}
	given := fields
	fields, changed := n.validate(j, given, next.list, false)
	if changed && !n.rewrites() {
		reportNulls(j, given, fields)
	}
	key := n.key.Encode(&j.Validation, fields)
	if j.Any() || !n.rewrites() {
		return nil, j.issues(), nil
	}
	encoded, err := encodeBlobs(next.list)
	if err != nil {
		return nil, nil, err
	}
	data := n.plan.Encode(fields, appendViews(nil, next.list))
	if data.TextSize > n.limit && int64(data.TextSize) > row.object.Size-blobBytes(blobs) { // it has not been so long before
		j.fault(nil, ruleSize, tooManyBytes(n.limit, data.TextSize))
		return nil, j.issues(), nil
	}
	next.objectRow = newRow(row.object, key, data, next.list, encoded)
	next.object.seq = commit.Seq(n.partition, commit.Position(row.object.seq))
	return next, nil, nil
}

// reportNulls reports the members of an object that a schema does not store as they are: those
// that are null, or have such members.
func reportNulls(j *judge, given, stored map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if v, kept := stored[name]; !kept || !value.Equal(given[name], v) {
			j.fault(value.Path{{Name: name}}, "null", "null, or with a null member, where the new schema declares a field: patch the object to remove it")
		}
	}
}

// convertBlobs returns the blobs that stay, with the names and types of their properties in
// the next schema.
func (n *nextDefinition) convertBlobs(j *judge, blobs []Blob) (list []Blob) {
	for i, b := range blobs {
		now, kept := n.change.Property(b.Property)
		if !kept {
			continue
		}
		if data, inline := b.Properties["data"]; inline {
			now := n.change.ApplyInline(&j.Faults, b.Property, data)
			if b.Details.Size == inlineSize(data) { // another size is a fault, which stays
				b.Details.Size = inlineSize(now)
			}
			b.Properties = maps.Clone(b.Properties)
			b.Properties["data"] = now
		}
		b.Property = now
		if t := n.change.Type(now); t != "" && !schema.FitsField(string(b.Type), t) {
			if b.Details.MIMEType != "" && schema.IsFile(t) && !schema.Fits(t, b.Details.MIMEType) {
				j.fault(blobsPath.Item(i), ruleMIME, fmt.Sprintf("the content is %s, which does not fit %s", b.Details.MIMEType, t))
			}
			b.Type = FieldType(t)
		}
		list = append(list, b)
	}
	return list
}

// judgeTexts checks the stored contents of the texts that the next schema restricts.
func (n *nextDefinition) judgeTexts(j *judge, blobs []Blob, contents []*content.Content, read reading) error {
	texts := n.change.Texts()
	if read == nil {
		return nil
	}
	for i := range blobs {
		b := &blobs[i]
		if b.Details.Hash == "" || !slices.Contains(texts, b.Property) {
			continue
		}
		f, path := n.plan.File(b.Property), blobsPath.Item(i)
		if f == nil {
			continue // another fault
		}
		if b.Details.Size > maxDataBytes {
			j.fault(path, ruleSize, fmt.Sprintf("at most %d bytes expected in a text that is validated", maxDataBytes))
			continue
		}
		data, err := textOf(b, contents, read)
		switch {
		case err != nil:
			return err
		case !utf8.Valid(data):
			j.fault(path, "utf8", "valid UTF-8 expected in a text field that is validated")
		default:
			f.Validate(&j.Validation, path, string(data))
		}
	}
	return nil
}

// textOf returns the stored content of a blob as a whole.
func textOf(b *Blob, contents []*content.Content, read reading) ([]byte, error) {
	var r io.ReaderAt
	for _, c := range contents {
		if hex.EncodeToString(c.Hash[:]) != b.Details.Hash {
			continue
		}
		if c.Data != nil {
			return c.Data, nil
		}
		if staged := c.Staged(read); staged != nil {
			r = staged
		}
	}
	if r == nil {
		var num int64
		found := false
		err := read(func(conn *engine.Conn) (err error) {
			num, found, err = content.Find(conn, b.Details.Hash)
			return err
		})
		if err == nil && !found {
			err = content.ErrGone
		}
		if err != nil {
			return nil, err
		}
		r = content.NewReader(num, b.Details.Size, read)
	}
	data := make([]byte, b.Details.Size)
	_, err := io.ReadFull(io.NewSectionReader(r, 0, b.Details.Size), data)
	return data, err
}

// foresee returns the next form of an object that is about to be written, or nil if the
// write has no next form to keep. It returns an error if the object violates the next
// schema. It must be called before the operation's first write.
func (b *Bucket) foresee(tx *commit.Tx, state *commit.Bucket, row *objectRow, contents []*content.Content) (*nextRow, error) {
	n := b.def.next
	if n == nil {
		return nil, nil
	}
	next, issues, err := n.convert(row, contents, func(f func(*engine.Conn) error) error { return f(tx.Conn) })
	if err != nil {
		return nil, row.corrupt(b, err)
	}
	if len(issues) > 0 {
		return nil, b.invalidNext(issues)
	}
	if next == nil || !state.Next.Has(commit.Position(row.object.seq)) {
		return nil, nil
	}
	return next, nil
}

// invalidNext returns the error for an object that violates the next schema.
func (b *Bucket) invalidNext(issues []Issue) error {
	return newValidationError(fmt.Sprintf("%s, which is changing to schema version %d", b, b.def.next.version), issues)
}

// nextIndexed returns what package index has to know of the partition of the next forms.
func (b *Bucket) nextIndexed() index.Bucket {
	of := b.indexed()
	of.Partition, of.Plan = b.def.next.partition, b.def.next.plan
	return of
}

// insertNext stores the next form of an object. Its contents must be stored.
func (b *Bucket) insertNext(tx *commit.Tx, state *commit.Bucket, next *nextRow) error {
	if next == nil {
		return nil
	}
	n := b.def.next
	done, err := next.insert(tx, n.partition)
	if err == nil && !done {
		err = errorf("%s: object %q: %w: its next form exists", b, next.object.ID, ErrCorrupt)
	}
	if err == nil {
		err = keepAll(tx, next.list)
	}
	if err == nil {
		err = index.Update(tx, state, b.nextIndexed(), next.object.seq, nil, next.row())
	}
	state.Next.Added(next.object.Size)
	return err
}

// updateNext replaces the next form of an object.
func (b *Bucket) updateNext(tx *commit.Tx, state *commit.Bucket, next *nextRow) error {
	if next == nil {
		return nil
	}
	old, blobs, err := b.findNext(tx, next.object.seq)
	if err != nil {
		return err
	}
	if old == nil {
		return errorf("%s: object %q: %w: its next form is missing", b, next.object.ID, ErrCorrupt)
	}
	if err := next.update(tx, old); err != nil {
		return err
	}
	if err := keepAll(tx, next.list); err != nil { // before the old ones are dropped, which may be the same
		return err
	}
	if err := dropContents(tx, blobs); err != nil {
		return err
	}
	state.Next.Removed(old.object.Size)
	state.Next.Added(next.object.Size)
	return index.Update(tx, state, b.nextIndexed(), next.object.seq, old.row(), next.row())
}

// deleteNext deletes the next form of the object with the seq, if there is one.
func (b *Bucket) deleteNext(tx *commit.Tx, state *commit.Bucket, seq int64) error {
	if !b.def.next.rewrites() || !state.Next.Has(commit.Position(seq)) {
		return nil
	}
	old, blobs, err := b.findNext(tx, commit.Seq(b.def.next.partition, commit.Position(seq)))
	if err != nil || old == nil {
		return err
	}
	if err := old.delete(tx); err != nil {
		return err
	}
	state.Next.Removed(old.object.Size)
	if err := index.Update(tx, state, b.nextIndexed(), old.object.seq, old.row(), nil); err != nil {
		return err
	}
	return dropContents(tx, blobs)
}

// findNext returns the next form of an object and its blobs, or nil.
func (b *Bucket) findNext(tx *commit.Tx, seq int64) (*objectRow, []Blob, error) {
	var row objectRow
	found, err := tx.QueryRow("SELECT "+objectColumns+" FROM object o WHERE o.seq = ?", []any{seq}, func(r engine.Row) { row.scan(r, 0) })
	if err != nil || !found {
		return nil, nil, err
	}
	blobs, err := decodeBlobs(row.blobs)
	if err != nil {
		return nil, nil, row.corrupt(b, err)
	}
	return &row, blobs, nil
}

// keepAll adds a reference to the stored content of each blob that has one.
func keepAll(tx *commit.Tx, blobs []Blob) error {
	for i := range blobs {
		if blobs[i].Details.Hash == "" {
			continue
		}
		c, err := keptContent(&blobs[i])
		if err == nil {
			err = keepContent(tx, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
