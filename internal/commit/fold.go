package commit

// Flush makes what statements read of the buckets exact: it folds the totals of each
// bucket that the transaction has changed into the bucket's row. It also writes the
// progress of changes of their schemas.
func (tx *Tx) Flush() error {
	for _, b := range tx.buckets {
		if b.dirty && !b.Gone {
			if err := b.fold(tx); err != nil {
				return err
			}
		}
	}
	return tx.saveNext()
}

// saveNext writes the progress of changes of schemas, and the sizes in their partitions.
func (tx *Tx) saveNext() error {
	for _, b := range tx.buckets {
		n := &b.Next
		if !n.dirty || b.Gone {
			continue
		}
		n.dirty = false
		_, err := tx.Exec("UPDATE schema_changes SET reached = ?, size = ? WHERE bucket = ? AND since IS NULL", n.Reached, n.Size, b.Num)
		if err == nil {
			err = n.sizes.save(tx, n.Partition)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fold adds the running totals of the bucket to its own row, and its tally and sizes to the
// tables.
func (b *Bucket) fold(tx *Tx) error {
	var upload any
	if b.Upload != 0 {
		upload = b.Upload
	}
	return b.write(tx, `
UPDATE buckets SET clock = ?, object_count = object_count + ?, total_size = total_size + ?,
    last_upload_at = nullif(max(coalesce(last_upload_at, 0), coalesce(?, 0)), 0), stats_updated_at = ?
WHERE num = ?`, b.Objects, b.Size, upload, totals{b.folded.objects + b.Objects, b.folded.size + b.Size})
}

// Reset sets the bucket's totals to counted values, and folds its tally. The latest upload
// is nil if there was none.
func (b *Bucket) Reset(tx *Tx, objects, size int64, upload any) error {
	return b.write(tx, "UPDATE buckets SET clock = ?, object_count = ?, total_size = ?, last_upload_at = ?, stats_updated_at = ? WHERE num = ?",
		objects, size, upload, totals{objects, size})
}

// write ends the running totals of the bucket by a statement that updates its row. The
// ones that the newest events carry end with it, since the row has their clock.
func (b *Bucket) write(tx *Tx, update string, objects, size int64, upload any, now totals) error {
	for _, save := range []func(*Tx) error{b.foldTally, b.saveSizes, b.CountPending} {
		if err := save(tx); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(update, b.clock, objects, size, upload, tx.Now(), b.Num); err != nil {
		return err
	}
	b.folded = now
	b.commits, b.Objects, b.Size, b.Upload = 0, 0, 0, 0
	b.dirty = false
	return nil
}
