package bucketlite

import (
	"bytes"
	"strings"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/query"
)

// loadIndexes returns the bucket's indexes, reading them on first use.
func loadIndexes(tx *commit.Tx, b *commit.Bucket) ([]*index, error) {
	if indexes, ok := b.Indexes.([]*index); ok || !b.Indexed {
		return indexes, nil
	}
	indexes, err := selectIndexes(tx.Conn, b.Num)
	if err != nil {
		return nil, err
	}
	b.Indexes, b.Indexed = indexes, len(indexes) > 0
	return indexes, nil
}

// rowOf returns an object as a rowDoc sees it.
func rowOf(o *Object, fields []byte, blobs any) engine.Row {
	return engine.Row{
		fields, o.ID, nilIfBlank(o.KeyPrefix), string(o.Status), nilIfBlank(o.Error),
		o.CreatedAt.UnixMicro(), o.UpdatedAt.UnixMicro(), blobs,
	}
}

// row returns a stored object as a rowDoc sees it.
func (o *objectRow) row() engine.Row { return rowOf(&o.object, o.fields, nilIfBlank(o.blobs)) }

// reindex brings the bucket's indexes up to date with an object that has changed.
// Of old and new, one is nil if the object is new, or gone.
func (t *target) reindex(tx *commit.Tx, state *commit.Bucket, seq int64, old, new engine.Row) error {
	indexes, err := loadIndexes(tx, state)
	if err != nil || len(indexes) == 0 {
		return err
	}
	before, after := t.document(old), t.document(new)
	texts := false
	for _, i := range indexes {
		if i.Kind == TextIndex {
			texts = true
		} else if err := i.update(tx, t, seq, before, after); err != nil {
			return err
		}
	}
	if texts {
		return t.updateText(tx, indexes, seq, before, after)
	}
	return nil
}

// unindex takes an object out of the bucket's indexes when its row no longer tells
// which entries it has. It reads those indexes as a whole.
func (t *target) unindex(tx *commit.Tx, state *commit.Bucket, seq int64) error {
	indexes, err := loadIndexes(tx, state)
	if err != nil {
		return err
	}
	for _, i := range indexes {
		statement, args := "DELETE FROM entries WHERE idx = ? AND seq = ?", []any{i.num, seq}
		if i.Kind == TextIndex {
			statement, args = "DELETE FROM texts WHERE rowid = ?", args[1:]
		}
		if _, err := tx.Exec(statement, args...); err != nil {
			return err
		}
	}
	return nil
}

// document returns the document of a row, nil of none.
func (t *target) document(row engine.Row) *rowDoc {
	if row == nil {
		return nil
	}
	return &rowDoc{bucket: t, row: row}
}

// update exchanges the entries of an object. They may be there already, or not
// yet, while the index is being built.
func (i *index) update(tx *commit.Tx, t *target, seq int64, before, after *rowDoc) error {
	old, sure := i.entries(t, before)
	new, _ := i.entries(t, after)
	for _, key := range missing(old.Keys, new.Keys) {
		if _, err := tx.Exec("DELETE FROM entries WHERE idx = ? AND key = ? AND seq = ?", i.num, key, seq); err != nil {
			return err
		}
	}
	if err := i.admit(tx, new); err != nil {
		return err
	}
	if !sure {
		old.Keys = nil
	}
	for _, key := range missing(new.Keys, old.Keys) {
		if _, err := tx.Exec("INSERT INTO entries (idx, key, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", i.num, key, seq); err != nil {
			return err
		}
	}
	return nil
}

// entries returns the entries of a document, none of nil, and whether it can be
// read. One that cannot must not keep others from being indexed, nor itself from
// being replaced.
func (i *index) entries(t *target, doc *rowDoc) (e query.Entries, ok bool) {
	if doc == nil {
		return e, true
	}
	e = query.EntriesOf(doc, i.path, t.types(i.path))
	if doc.err != nil {
		doc.err = nil
		return query.Unreadable(), false
	}
	return e, true
}

// admit notes in the index's row what it has not had before.
func (i *index) admit(tx *commit.Tx, e query.Entries) error {
	if (!e.Many || i.many) && (!e.Cut || i.cut) {
		return nil
	}
	i.many, i.cut = i.many || e.Many, i.cut || e.Cut
	_, err := tx.Exec("UPDATE indexes SET many = max(many, ?), cut = max(cut, ?) WHERE num = ?", e.Many, e.Cut, i.num)
	return err
}

// missing returns the keys that are not among others. Both are sorted.
func missing(keys, others [][]byte) (out [][]byte) {
	for _, key := range keys {
		for len(others) > 0 && bytes.Compare(others[0], key) < 0 {
			others = others[1:]
		}
		if len(others) == 0 || !bytes.Equal(others[0], key) {
			out = append(out, key)
		}
	}
	return out
}

// maxIndexedText is how many bytes of text an object may have in the text index.
// It bounds what one write does to it; a mebibyte may take more than a second.
const maxIndexedText = 256 << 10

// unindexedText is the text of an object that has more, or cannot be read. Every
// look into the index finds it.
const unindexedText = "\x01\x01\x01"

// updateText exchanges the text of an object.
func (t *target) updateText(tx *commit.Tx, indexes []*index, seq int64, before, after *rowDoc) error {
	old, new := t.textOf(indexes, before), t.textOf(indexes, after)
	if before != nil && after != nil && old == new && new != unindexedText {
		return nil
	}
	if before != nil {
		if _, err := tx.Exec("DELETE FROM texts WHERE rowid = ?", seq); err != nil {
			return err
		}
	}
	if after == nil {
		return nil
	}
	_, err := tx.Exec("INSERT INTO texts (rowid, text) VALUES (?, ?)", seq, new)
	return err
}

// textOf returns the folded text of a document that the text indexes are about.
func (t *target) textOf(indexes []*index, doc *rowDoc) string {
	if doc == nil {
		return ""
	}
	var text strings.Builder
	tooLong := false
	add := func(s string) bool {
		if tooLong = tooLong || text.Len()+len(s) > maxIndexedText; !tooLong {
			text.WriteString(query.Fold(s))
			text.WriteByte('\n') // which keeps apart what does not belong together
		}
		return !tooLong
	}
	for _, i := range indexes {
		switch {
		case i.Kind != TextIndex:
		case i.Path == "":
			doc.Texts()(add)
		default:
			for _, v := range query.Values(doc, i.path) {
				if s, ok := v.(string); ok {
					add(s)
				}
			}
		}
	}
	if tooLong || doc.err != nil {
		doc.err = nil
		return unindexedText
	}
	return text.String()
}
