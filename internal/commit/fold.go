package commit

// maxDeltas is the number of delta rows of a bucket after which they are folded into
// the bucket's own row. More would make statistics slower to read, fewer would
// rewrite the bucket's row more often.
const maxDeltas = 256

// Flush writes the changes of the buckets' totals so far: a delta row for each
// changed bucket, or a fold of its delta rows. It also writes the progress of changes of
// their schemas.
func (tx *Tx) Flush() error {
	for _, b := range tx.buckets {
		if b.Gone {
			continue
		}
		if b.dirty {
			if err := b.save(tx); err != nil {
				return err
			}
		}
		if b.Next.dirty {
			if err := b.Next.save(tx, b.Num); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *Next) save(tx *Tx, bucket int64) error {
	n.dirty = false
	_, err := tx.Exec("UPDATE schema_changes SET reached = ?, size = ? WHERE bucket = ? AND since IS NULL", n.Reached, n.Size, bucket)
	return err
}

func (b *Bucket) save(tx *Tx) error {
	var upload any
	if b.Upload != 0 {
		upload = b.Upload
	}
	b.dirty = false
	if b.deltas++; b.deltas > maxDeltas {
		b.folded.objects += b.Objects
		b.folded.size += b.Size
		return b.fold(tx, `
UPDATE buckets SET clock = ?, object_count = object_count + ?, total_size = total_size + ?,
    last_upload_at = nullif(max(ifnull(last_upload_at, 0), ifnull(?, 0)), 0), stats_updated_at = ?
WHERE num = ?`, b.Objects, b.Size, upload)
	}
	_, err := tx.Exec("INSERT INTO deltas (bucket, clock, number, objects, size, last_upload_at, tally) VALUES (?, ?, ?, ?, ?, ?, ?)",
		b.Num, b.clock, b.deltas, b.Objects, b.Size, upload, b.tally.encode())
	if b.recent != nil {
		b.recent.AddTally(&b.tally)
	}
	b.tally.clear()
	return err
}

// Reset sets the bucket's totals to counted values. The latest upload is nil if there
// was none.
func (b *Bucket) Reset(tx *Tx, objects, size int64, upload any) error {
	b.folded = totals{objects, size}
	return b.fold(tx, "UPDATE buckets SET clock = ?, object_count = ?, total_size = ?, last_upload_at = ?, stats_updated_at = ? WHERE num = ?",
		objects, size, upload)
}

// fold writes totals to the bucket's own row, folds its tallies, and deletes its delta
// rows.
func (b *Bucket) fold(tx *Tx, update string, objects, size int64, upload any) error {
	if err := b.foldTally(tx); err != nil {
		return err
	}
	if _, err := tx.Exec(update, b.clock, objects, size, upload, tx.Now(), b.Num); err != nil {
		return err
	}
	b.deltas, b.Objects, b.Size, b.Upload = 0, 0, 0, 0
	_, err := tx.Exec("DELETE FROM deltas WHERE bucket = ?", b.Num)
	return err
}
