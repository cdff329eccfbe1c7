package commit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// The table sizes holds how many objects of a partition have each size, and so the largest
// and the smallest size. A new object would cost it a statement, so the newest objects of a
// bucket are pending: the running totals have their least and their greatest size. They are
// counted together, after some hundred objects and when the bucket is folded. An older
// object that changes is counted in the same commit. All statements about sizes are in this
// file.

// maxPending is the number of pending objects after which they are counted.
const maxPending = 256

// Pending are the newest objects of a bucket, which the table sizes lacks.
type Pending struct {
	Objects  int64
	After    int64 // their positions are beyond
	Min, Max int64 // the least and the greatest of their sizes
}

// pending are the pending objects of a bucket in the transaction.
type pending struct {
	Pending
	stale bool // the object that had the least or the greatest size may be gone
}

// has reports whether the object at a position is pending.
func (p *pending) has(position int64) bool { return p.Objects > 0 && position > p.After }

// add adds the object at a position, which is the newest one.
func (p *pending) add(position, size int64) {
	if p.Objects == 0 {
		*p = pending{Pending: Pending{After: position - 1, Min: size, Max: size}}
	}
	p.Objects++
	p.Min, p.Max = min(p.Min, size), max(p.Max, size)
}

// remove removes an object.
func (p *pending) remove(size int64) {
	p.Objects--
	p.stale = p.stale || size == p.Min || size == p.Max
}

// change changes the size of an object.
func (p *pending) change(from, to int64) {
	if from == to {
		return
	}
	p.remove(from)
	if p.Objects++; p.Objects == 1 {
		p.Min, p.Max, p.stale = to, to, false
		return
	}
	p.Min, p.Max = min(p.Min, to), max(p.Max, to)
}

// sizes are changes of the numbers of objects, by size.
type sizes map[int64]int64

func (s *sizes) add(size, objects int64) {
	if *s == nil {
		*s = make(sizes)
	}
	(*s)[size] += objects
}

// save adds the changes to the table.
func (s *sizes) save(tx *Tx, partition int64) error {
	if len(*s) == 0 {
		return nil
	}
	for _, size := range slices.Sorted(maps.Keys(*s)) {
		n := (*s)[size]
		if n == 0 {
			continue
		}
		_, err := tx.Exec(`
INSERT INTO sizes (partition, size, objects) VALUES (?, ?, ?)
ON CONFLICT (partition, size) DO UPDATE SET objects = sizes.objects + excluded.objects`, partition, size, n)
		if err == nil && n < 0 {
			_, err = tx.Exec("DELETE FROM sizes WHERE partition = ? AND size = ? AND objects = 0", partition, size)
		}
		if err != nil {
			return err
		}
	}
	clear(*s)
	return nil
}

// saveSizes writes the changes of objects that are not pending.
func (b *Bucket) saveSizes(tx *Tx) error { return b.sizes.save(tx, b.Partition) }

// CountPending counts the pending objects of the bucket.
func (b *Bucket) CountPending(tx *Tx) error {
	if b.pending.Objects > 0 {
		_, err := tx.Exec(`
INSERT INTO sizes (partition, size, objects) SELECT ?, size, count(*) FROM object WHERE seq > ? AND seq < ? GROUP BY size
ON CONFLICT (partition, size) DO UPDATE SET objects = sizes.objects + excluded.objects`, b.Partition, Seq(b.Partition, b.pending.After), Seq(b.Partition+1, 0))
		if err != nil {
			return err
		}
	}
	b.pending = pending{}
	return nil
}

// Discard counts an object of a bucket that is being deleted, and so has no pending ones.
func (b *Bucket) Discard(size int64) {
	b.Objects--
	b.Size -= size
	b.sizes.add(size, -1)
}

// RecountSizes counts the sizes of the bucket's objects anew.
func (b *Bucket) RecountSizes(tx *Tx) error {
	if err := tx.Flush(); err != nil {
		return err
	}
	if err := b.fold(tx); err != nil { // so that none is pending
		return err
	}
	for _, partition := range []int64{b.Partition, b.Next.Partition} {
		if _, err := tx.Exec("DELETE FROM sizes WHERE partition = ?", partition); err != nil {
			return err
		}
		_, err := tx.Exec("INSERT INTO sizes (partition, size, objects) SELECT partition, size, count(*) FROM object WHERE partition = ? GROUP BY size", partition)
		if err != nil {
			return err
		}
	}
	return nil
}

// CheckSizes compares the counts by size with the objects of a bucket, and with those that a
// change of its schema prepares. It returns a difference, or "". Errors: [ErrTotals]. The
// caller has a snapshot.
func CheckSizes(ctx context.Context, conn *engine.Conn, bucket int64) (problem string, err error) {
	var partitions []int64
	var counts Counts
	var corrupt error
	_, err = conn.QueryRow("SELECT b.partition, c.partition, "+CountColumns+
		" FROM buckets b LEFT JOIN schema_changes c ON c.bucket = b.num AND c.since IS NULL WHERE b.num = ?", []any{bucket}, func(r engine.Row) {
		partitions = []int64{r.Int(0), r.Int(1)}
		counts, corrupt = ScanCounts(r, 2)
	})
	if err = cmp.Or(err, corrupt); err != nil {
		return "", err
	}
	for i, partition := range partitions {
		p, last := Pending{}, int64(math.MaxInt64)
		if i == 0 && counts.Pending.Objects > 0 {
			p, last = counts.Pending, Seq(partition, counts.Pending.After)
		}
		err := conn.LongQuery(ctx, `
SELECT size, sum(actual), sum(recorded)
FROM (SELECT size, count(*) AS actual, 0 AS recorded FROM object WHERE partition = ?1 AND seq <= ?2 GROUP BY size
    UNION ALL SELECT size, 0, objects FROM sizes WHERE partition = ?1)
GROUP BY size HAVING sum(actual) <> sum(recorded) LIMIT 1`, []any{partition, last}, func(r engine.Row) error {
			problem = fmt.Sprintf("%d objects of %d bytes are recorded, but there are %d", r.Int(2), r.Int(0), r.Int(1))
			return nil
		})
		if err != nil || problem != "" {
			return problem, err
		}
		actual := Pending{After: p.After}
		_, err = conn.QueryRow("SELECT count(*), min(size), max(size) FROM object WHERE partition = ? AND seq > ?", []any{partition, last},
			func(r engine.Row) { actual.Objects, actual.Min, actual.Max = r.Int(0), r.Int(1), r.Int(2) })
		if err != nil {
			return "", err
		}
		if actual != p {
			return fmt.Sprintf("the newest %d objects of %d to %d bytes are recorded, but there are %d of %d to %d", p.Objects, p.Min, p.Max,
				actual.Objects, actual.Min, actual.Max), nil
		}
	}
	return "", nil
}

// forgetSlice is the number of rows of sizes to delete in one transaction.
const forgetSlice = 2000

// ForgetSizes deletes a slice of the rows of a partition, and reports whether none is left.
func ForgetSizes(tx *Tx, partition int64) (done bool, err error) {
	n, err := tx.Exec("DELETE FROM sizes WHERE partition = ?1 AND size IN (SELECT size FROM sizes WHERE partition = ?1 ORDER BY size LIMIT ?2)",
		partition, int64(forgetSlice))
	return err == nil && n < forgetSlice, err
}

// SizeColumns are the columns that [Counts.ScanSizes] reads, of buckets AS b.
const SizeColumns = "(SELECT max(size) FROM sizes WHERE partition = b.partition), (SELECT min(size) FROM sizes WHERE partition = b.partition)"

// ScanSizes reads [SizeColumns], starting at column i, and returns the sizes of the largest
// and the smallest object, 0 if there is none.
func (c *Counts) ScanSizes(r engine.Row, i int) (largest, smallest int64) {
	largest, smallest = r.Int(i), r.Int(i+1)
	switch {
	case c.Pending.Objects == 0:
	case r.Null(i):
		largest, smallest = c.Pending.Max, c.Pending.Min
	default:
		largest, smallest = max(largest, c.Pending.Max), min(smallest, c.Pending.Min)
	}
	return largest, smallest
}
