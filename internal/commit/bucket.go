package commit

import "github.com/bucketlite/bucketlite/internal/engine"

// maxDeltas is how many delta rows a bucket may have before they are folded
// into its own row. More would make statistics slower to read, fewer would
// rewrite the bucket's row more often.
const maxDeltas = 256

// Bucket is a bucket as the running transaction sees it. What an operation changes in
// its totals is written when the transaction ends.
type Bucket struct {
	Place
	Num    int64 // buckets.num
	Name   string
	Status string
	Locked bool
	Gone   bool // its row was deleted in this transaction

	Objects int64 // change of the object count since the last fold
	Size    int64 // change of the total size since then
	Upload  int64 // latest upload since then, 0 for none

	Replacing bool // the last put found its key taken

	Indexed bool // it has, or may have, indexes
	Indexes any  // what the index code keeps of them, nil if they are still to be read

	clock int64 // counts changes: it numbers creations and versions
	rank  int64 // delta rows since the last fold
	dirty bool  // the transaction has changed something
}

const selectBucket = `
SELECT b.name, b.status, b.locked, max(b.clock, ifnull(d.clock, 0)), d.rank, d.objects, d.size, d.last_upload_at,
    b.id, (SELECT id FROM namespaces WHERE num = b.namespace),
    EXISTS (SELECT 1 FROM indexes WHERE bucket = b.num AND status <> 'DROPPING')
FROM buckets b ` + JoinDelta + ` WHERE b.num = ?`

// JoinDelta adds a bucket's newest delta row AS d to its row AS b.
const JoinDelta = "LEFT JOIN deltas d ON d.bucket = b.num AND d.clock = (SELECT max(clock) FROM deltas WHERE bucket = b.num)"

// Bucket returns the state of the bucket, reading it on first use. A bucket
// that does not exist is nil.
func (tx *Tx) Bucket(num int64) (*Bucket, error) {
	for _, b := range tx.buckets {
		if b.Num == num {
			if b.Gone {
				return nil, nil
			}
			return b, nil
		}
	}
	b := &Bucket{Num: num}
	found, err := tx.QueryRow(selectBucket, []any{num}, func(r engine.Row) {
		b.Name, b.Status, b.Locked = r.Text(0), r.Text(1), r.Int(2) != 0
		b.clock, b.rank, b.Objects, b.Size, b.Upload = r.Int(3), r.Int(4), r.Int(5), r.Int(6), r.Int(7)
		b.Place = Place{Namespace: r.Text(9), Bucket: r.Text(8)}
		b.Indexed = r.Int(10) != 0
	})
	if err != nil || !found {
		return nil, err
	}
	tx.buckets = append(tx.buckets, b)
	return b, nil
}

// Clock returns the number of the bucket's last change.
func (b *Bucket) Clock() int64 { return b.clock }

// Tick counts one change of the bucket's objects and returns its number.
func (b *Bucket) Tick() int64 {
	b.dirty = true
	b.clock++
	return b.clock
}

// Advance moves the clock to a version that has been given out, if it is behind.
func (b *Bucket) Advance(version int64) {
	if b.clock < version {
		b.clock, b.dirty = version, true
	}
}

// ForgetIndexes has the indexes read again when they are next needed, if the
// bucket may have any.
func (b *Bucket) ForgetIndexes(any bool) { b.Indexes, b.Indexed = nil, any }

// Flush writes what has changed in the buckets' totals so far: one delta row for each
// bucket that the transaction touched, or the fold of those there are.
func (tx *Tx) Flush() error {
	for _, b := range tx.buckets {
		if !b.dirty || b.Gone {
			continue
		}
		if err := b.save(tx); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bucket) save(tx *Tx) error {
	var upload any
	if b.Upload != 0 {
		upload = b.Upload
	}
	b.dirty = false
	if b.rank++; b.rank > maxDeltas {
		return b.fold(tx, `
UPDATE buckets SET clock = ?, object_count = object_count + ?, total_size = total_size + ?,
    last_upload_at = nullif(max(ifnull(last_upload_at, 0), ifnull(?, 0)), 0), stats_updated_at = ?
WHERE num = ?`, b.Objects, b.Size, upload)
	}
	_, err := tx.Exec("INSERT INTO deltas (bucket, clock, rank, objects, size, last_upload_at) VALUES (?, ?, ?, ?, ?, ?)",
		b.Num, b.clock, b.rank, b.Objects, b.Size, upload)
	return err
}

// Reset sets the bucket's totals to what was counted. The latest upload is nil if there
// was none.
func (b *Bucket) Reset(tx *Tx, objects, size int64, upload any) error {
	return b.fold(tx, "UPDATE buckets SET clock = ?, object_count = ?, total_size = ?, last_upload_at = ?, stats_updated_at = ? WHERE num = ?",
		objects, size, upload)
}

// fold writes totals to the bucket's own row, and deletes the delta rows.
func (b *Bucket) fold(tx *Tx, update string, objects, size int64, upload any) error {
	if _, err := tx.Exec(update, b.clock, objects, size, upload, tx.Now(), b.Num); err != nil {
		return err
	}
	b.rank, b.Objects, b.Size, b.Upload = 0, 0, 0, 0
	_, err := tx.Exec("DELETE FROM deltas WHERE bucket = ?", b.Num)
	return err
}

// ReloadStatus reads the status of the transaction's buckets again, after a statement
// that changed some of them.
func (tx *Tx) ReloadStatus() error {
	for _, b := range tx.buckets {
		_, err := tx.QueryRow("SELECT status FROM buckets WHERE num = ?", []any{b.Num}, func(r engine.Row) { b.Status = r.Text(0) })
		if err != nil {
			return err
		}
	}
	return nil
}
