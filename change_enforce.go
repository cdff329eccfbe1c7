package bucketlite

import (
	"slices"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/schema"
)

// enforce brings the next schema into force. The bucket takes over the partition with the
// objects' next form, if there is one.
func (b *Bucket) enforce(tx *commit.Tx, state *commit.Bucket, stored *storedDefinition, next *nextDefinition) error {
	if err := tx.Flush(); err != nil {
		return err
	}
	_, err := tx.Exec("UPDATE buckets SET schema = ?, rules = ?, schema_version = ?, updated_at = ? WHERE num = ?",
		stored.schema, int64(stored.rules), stored.version, tx.Now(), b.num)
	if err != nil {
		return err
	}
	switch {
	case state.Next.Partition != 0:
		err = turnOver(tx, state, next.opts)
	case next.change.Effect == schema.Rewrites:
		err = followFields(tx, state, next.opts)
	default:
		err = index.Retype(tx, state, b.def.plan, next.plan)
	}
	if err != nil {
		return err
	}
	tx.Note(string(EventBucketUpdated), state.Place, "")
	return state.Redefine(tx, commit.Next{})
}

// turnOver makes the partition that the change has prepared that of the bucket. It costs the
// same for any number of objects.
func turnOver(tx *commit.Tx, state *commit.Bucket, opts SchemaChangeOptions) error {
	wanted, err := nextIndexes(tx, state, opts) // indexes may have been created and dropped
	if err != nil {
		return err
	}
	if err := leavePartition(tx, state.Num, state.Partition); err != nil {
		return err
	}
	var objects, upload int64
	_, err = tx.QueryRow("UPDATE buckets SET partition = ? WHERE num = ? RETURNING object_count, last_upload_at", []any{state.Next.Partition, state.Num},
		func(r engine.Row) { objects, upload = r.Int(0)+state.Objects, max(r.Int(1), state.Upload) })
	if err != nil {
		return err
	}
	var at any
	if upload != 0 {
		at = upload
	}
	if err := state.Reset(tx, objects, state.Next.Size, at); err != nil {
		return err
	}
	if err := state.Enter(tx, state.Next.Partition); err != nil {
		return err
	}
	state.ForgetIndexes(true)
	return arrangeIndexes(tx, state, wanted)
}

// followFields gives a bucket without objects the indexes that it is to have after a change.
func followFields(tx *commit.Tx, state *commit.Bucket, opts SchemaChangeOptions) error {
	wanted, err := nextIndexes(tx, state, opts)
	if err != nil {
		return err
	}
	return arrangeIndexes(tx, state, wanted)
}

// arrangeIndexes adds the wanted indexes that the bucket lacks, and drops the others.
func arrangeIndexes(tx *commit.Tx, state *commit.Bucket, wanted []Index) error {
	indexes, err := index.Load(tx, state)
	if err != nil {
		return err
	}
	for _, w := range wanted {
		is := func(i *index.Index) bool { return i.Kind == string(w.Kind) && i.Path == w.Path }
		if !slices.ContainsFunc(indexes, is) {
			if err := index.Add(tx, state, string(w.Kind), w.Path); err != nil {
				return err
			}
		}
	}
	for _, i := range indexes {
		is := func(w Index) bool { return i.Kind == string(w.Kind) && i.Path == w.Path }
		if !slices.ContainsFunc(wanted, is) {
			if err := index.Drop(tx, state, i.Kind, i.Path); err != nil {
				return err
			}
		}
	}
	return nil
}

// nextIndexes returns the indexes that the bucket is to have after a change, with the new
// names of their paths.
func nextIndexes(tx *commit.Tx, state *commit.Bucket, opts SchemaChangeOptions) (wanted []Index, err error) {
	indexes, err := index.Load(tx, state)
	for _, i := range indexes {
		path, kept := opts.follow(i.Path)
		w := Index{Kind: IndexKind(i.Kind), Path: path}
		if kept && !slices.Contains(wanted, w) {
			wanted = append(wanted, w)
		}
	}
	return wanted, err
}
