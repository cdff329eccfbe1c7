package commit

import (
	"cmp"
	"context"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// The tables hours and status_counts hold the tallies of partitions up to the last fold,
// and the running totals hold the changes since. All statements about tallies are in this file.

// Untallied is the value of [Bucket.Reached] while no object is in the tallies.
const Untallied = 1 << ClockBits

// joinUntallied joins the progress of the count AS u to a bucket's row AS b.
const joinUntallied = "LEFT JOIN untallied u ON u.partition = b.partition"

// Added counts a new object, whose position is the last one.
func (b *Bucket) Added(position, createdAt, size int64, status string) {
	b.Objects++
	b.Size += size
	b.pending.add(position, size)
	b.count(position, createdAt, 1, size, status)
}

// Removed counts an object that is deleted.
func (b *Bucket) Removed(position, createdAt, size int64, status string) {
	b.Objects--
	b.Size -= size
	if b.pending.has(position) {
		b.pending.remove(size)
	} else {
		b.sizes.add(size, -1)
	}
	b.count(position, createdAt, -1, -size, status)
}

// count adds to the tallies, unless they lack the object.
func (b *Bucket) count(position, createdAt, objects, size int64, status string) {
	if position >= b.Reached {
		b.tally.AddHour(HourOf(createdAt), objects, size)
		b.tally.AddStatus(status, objects)
	}
}

// Changed counts the change of an object's size, from an old to a new one, and status.
func (b *Bucket) Changed(position, createdAt, old, size int64, from, to string) {
	grown := size - old
	b.Size += grown
	if b.pending.has(position) {
		b.pending.change(old, size)
	} else if grown != 0 {
		b.sizes.add(old, -1)
		b.sizes.add(size, 1)
	}
	if position < b.Reached {
		return
	}
	if grown != 0 {
		b.tally.AddHour(HourOf(createdAt), 0, grown)
	}
	if from != to {
		b.tally.AddStatus(from, -1)
		b.tally.AddStatus(to, 1)
	}
}

// Restated counts the change of the status of objects that are all in the tallies.
func (b *Bucket) Restated(from, to string, objects int64) {
	if from == to || objects == 0 {
		return
	}
	b.Tick() // so that the running totals are beyond the ones before
	b.tally.AddStatus(from, -objects)
	b.tally.AddStatus(to, objects)
}

// foldTally adds the running tally to the tables.
func (b *Bucket) foldTally(tx *Tx) error {
	err := saveTally(tx, b.Partition, &b.tally)
	b.tally.clear()
	return err
}

// saveTally adds a tally to the tables.
func saveTally(tx *Tx, partition int64, t *Tally) error {
	for _, h := range t.Hours() {
		_, err := tx.Exec(`
INSERT INTO hours (partition, hour, objects, size) VALUES (?, ?, ?, ?)
ON CONFLICT (partition, hour) DO UPDATE SET objects = hours.objects + excluded.objects, size = hours.size + excluded.size`, partition, h.Hour, h.Objects, h.Size)
		if err == nil && h.Objects < 0 {
			_, err = tx.Exec("DELETE FROM hours WHERE partition = ? AND hour = ? AND objects = 0 AND size = 0", partition, h.Hour)
		}
		if err != nil {
			return err
		}
	}
	for _, s := range t.Statuses() {
		_, err := tx.Exec(`
INSERT INTO status_counts (partition, status, objects) VALUES (?, ?, ?)
ON CONFLICT (partition, status) DO UPDATE SET objects = status_counts.objects + excluded.objects`, partition, s.Status, s.Objects)
		if err != nil {
			return err
		}
	}
	return nil
}

// Retally discards the tallies of the bucket's objects. The background counts the objects
// again, unless the bucket is being deleted.
func (b *Bucket) Retally(tx *Tx) error {
	b.tally.clear()
	if err := b.fold(tx); err != nil {
		return err
	}
	if err := ForgetTallies(tx, b.Partition); err != nil {
		return err
	}
	return b.tallyAnew(tx)
}

// Enter makes a partition that has no tallies, and exact sizes, that of the bucket. The caller has written
// it to the bucket's row.
func (b *Bucket) Enter(tx *Tx, partition int64) error {
	b.Partition, b.pending, b.sizes = partition, pending{}, nil
	return b.tallyAnew(tx)
}

func (b *Bucket) tallyAnew(tx *Tx) error {
	b.Reached = Untallied
	tx.Raise(Background)
	_, err := tx.Exec("INSERT INTO untallied (partition, reached) VALUES (?, ?) ON CONFLICT (partition) DO UPDATE SET reached = excluded.reached", b.Partition, b.Reached)
	return err
}

// ForgetTallies deletes the tallies of a partition.
func ForgetTallies(tx *Tx, partition int64) error {
	for _, statement := range []string{
		"DELETE FROM hours WHERE partition = ?", "DELETE FROM status_counts WHERE partition = ?", "DELETE FROM untallied WHERE partition = ?",
	} {
		if _, err := tx.Exec(statement, partition); err != nil {
			return err
		}
	}
	return nil
}

// NextUntallied returns the number of a bucket with objects that the tallies lack, or 0.
func NextUntallied(conn *engine.Conn) (bucket int64, err error) {
	_, err = conn.QueryRow("SELECT b.num FROM untallied u JOIN buckets b ON b.partition = u.partition WHERE b.status <> 'IN_PROGRESS' LIMIT 1", nil,
		func(r engine.Row) { bucket = r.Int(0) })
	return bucket, err
}

// TallySome adds the newest objects that the tallies lack to them, up to a number of
// objects.
func (b *Bucket) TallySome(tx *Tx, most int64) error {
	if b.Reached == 0 || b.Deleting() {
		return nil
	}
	var t Tally
	n, last := int64(0), int64(0)
	err := tx.Query("SELECT seq, created_at, size, status FROM object WHERE seq > ? AND seq < ? ORDER BY seq DESC LIMIT ?",
		[]any{Seq(b.Partition, 0), Seq(b.Partition, b.Reached), most}, func(r engine.Row) error {
			n, last = n+1, r.Int(0)
			t.AddHour(HourOf(r.Int(1)), 1, r.Int(2))
			t.AddStatus(r.Text(3), 1)
			return nil
		})
	if err != nil {
		return err
	}
	if err := saveTally(tx, b.Partition, &t); err != nil {
		return err
	}
	if n < most {
		b.Reached = 0
		_, err = tx.Exec("DELETE FROM untallied WHERE partition = ?", b.Partition)
		return err
	}
	b.Reached = Position(last)
	_, err = tx.Exec("UPDATE untallied SET reached = ? WHERE partition = ?", b.Reached, b.Partition)
	return err
}

// Counted is what is known of a bucket's objects without reading them.
type Counted struct {
	Counts    // of all objects
	Partition int64
	Reached   int64 // the position from which on the objects are in Tally
	Tally     Tally
}

// ReadCounts returns the counts of a bucket, or nil if there is no such bucket. The tally
// may lack hours before a first one. Errors: [ErrTotals]. The caller has a snapshot.
func ReadCounts(conn *engine.Conn, bucket, firstHour int64) (*Counted, error) {
	var c Counted
	var corrupt error
	found, err := conn.QueryRow("SELECT b.partition, coalesce(u.reached, 0), "+CountColumns+" FROM buckets b "+joinUntallied+" WHERE b.num = ?", []any{bucket},
		func(r engine.Row) {
			c.Partition, c.Reached = r.Int(0), r.Int(1)
			c.Counts, corrupt = scanCounts(r, 2, &c.Tally)
		})
	if err = cmp.Or(err, corrupt); err != nil || !found {
		return nil, err
	}
	err = conn.Query("SELECT hour, objects, size FROM hours WHERE partition = ? AND hour >= ?", []any{c.Partition, firstHour}, func(r engine.Row) error {
		c.Tally.AddHour(r.Int(0), r.Int(1), r.Int(2))
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = conn.Query("SELECT status, objects FROM status_counts WHERE partition = ?", []any{c.Partition}, func(r engine.Row) error {
		c.Tally.AddStatus(r.Text(0), r.Int(1))
		return nil
	})
	return &c, err
}

// Recount returns the tally of the objects of a partition from one position up to another.
func Recount(ctx context.Context, conn *engine.Conn, partition, from, to int64) (*Tally, error) {
	var t Tally
	add := engine.NewCallback(ctx, func(r engine.Row) (any, error) {
		t.AddHour(HourOf(r.Int(0)), 1, r.Int(1))
		t.AddStatus(r.Text(2), 1)
		return nil, nil
	})
	defer add.Release()
	err := conn.LongQuery(ctx, "SELECT count(bucketlite_callback(?3, created_at, size, status)) FROM object WHERE seq >= ?1 AND seq < ?2",
		[]any{Seq(partition, from), Seq(partition, to), add.Token()}, func(engine.Row) error { return nil })
	if err != nil && add.Err() != nil {
		err = add.Err()
	}
	return &t, err
}
