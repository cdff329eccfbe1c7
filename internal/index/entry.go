package index

import (
	"bytes"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/schema"
)

// Update updates the indexes of one of the bucket's partitions, that of b, after a change of
// an object. The rows are those of [Stored.Row]: old is nil for a new object, new is nil for
// a deleted one.
func Update(tx *commit.Tx, state *commit.Bucket, b Bucket, seq int64, old, new engine.Row) error {
	indexes, err := loadOf(tx, state, b.Partition)
	if err != nil || len(indexes) == 0 {
		return err
	}
	before, after := b.document(old), b.document(new)
	texts := false
	for _, i := range indexes {
		if i.Kind == Text {
			texts = true
		} else if err := i.update(tx, b.Plan, seq, before, after); err != nil {
			return err
		}
	}
	if texts {
		return updateText(tx, indexes, seq, before, after)
	}
	return nil
}

// Remove removes an object from the indexes of its partition without knowing its entries,
// since its row is damaged. It reads the indexes as a whole.
func Remove(tx *commit.Tx, state *commit.Bucket, seq int64) error {
	indexes, err := loadOf(tx, state, seq>>commit.ClockBits)
	for n := 0; n < len(indexes) && err == nil; n++ {
		if i := indexes[n]; i.Kind == Text {
			err = deleteText(tx, seq)
		} else {
			err = deleteEntriesOf(tx, i.Num, seq)
		}
	}
	return err
}

// update replaces the entries of an object. While the index is being built, the new entries
// may exist already, and the old ones may not exist yet.
func (i *Index) update(tx *commit.Tx, plan *schema.Plan, seq int64, before, after *Document) error {
	old, sure := i.entries(plan, before)
	new, _ := i.entries(plan, after)
	return i.exchange(tx, seq, old, new, sure)
}

// exchange replaces the entries of an object; sure is false if they may not be the old ones.
func (i *Index) exchange(tx *commit.Tx, seq int64, old, new query.Entries, sure bool) error {
	for _, key := range missing(old.Keys, new.Keys) {
		if err := deleteEntry(tx, i.Num, key, seq); err != nil {
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
		if err := insertEntry(tx, i.Num, key, seq); err != nil {
			return err
		}
	}
	return nil
}

// entries returns the entries of a document, none for nil, and whether it can be read. An
// unreadable document must not keep others from being indexed, or itself from being
// replaced.
func (i *Index) entries(plan *schema.Plan, doc *Document) (e query.Entries, ok bool) {
	if doc == nil {
		return e, true
	}
	if i.Kind == Age {
		return query.Entries{Keys: [][]byte{ageKey(doc.row.Int(9))}}, true
	}
	e = query.EntriesOf(doc, i.path, TypeOf(plan, i.path))
	if doc.err != nil {
		doc.err = nil
		return query.Unreadable(), false
	}
	return e, true
}

// admit sets flags in the index's row that no object has needed before.
func (i *Index) admit(tx *commit.Tx, e query.Entries) error {
	if (!e.Many || i.many) && (!e.Cut || i.cut) {
		return nil
	}
	i.many, i.cut = i.many || e.Many, i.cut || e.Cut
	return Admit(tx, i.Num, e.Many, e.Cut)
}

// missing returns the keys that are not in others. Both are sorted.
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
