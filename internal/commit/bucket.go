package commit

import (
	"cmp"
	"maps"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// ClockBits is the number of low bits of an object's seq, its position in the order
// of creation. They hold the value of the bucket's clock at the object's creation;
// the high bits hold the object's partition.
const ClockBits = 40

// Position returns the low bits of a seq: the object's position in its partition, which
// it keeps in every other.
func Position(seq int64) int64 { return seq & (1<<ClockBits - 1) }

// Seq returns the seq of an object at a position in a partition.
func Seq(partition, position int64) int64 { return partition<<ClockBits + position }

// Bucket is a bucket's state inside the running transaction. Changes of its totals
// are written when the transaction ends.
type Bucket struct {
	Place
	Num    int64 // buckets.num
	Name   string
	Status string
	Locked bool
	Gone   bool // its row was deleted in this transaction

	Definition int64 // counts the changes of what its writers must satisfy
	Partition  int64 // of its objects
	Next       Next  // what a change of its schema prepares

	Retention Retention // the bucket's limits
	Passed    Passed    // the oldest objects, if they must wait before they can be deleted

	Objects int64 // change of the object count since the last fold
	Size    int64 // change of the total size since the last fold
	Upload  int64 // latest upload since the last fold, 0 for none

	Reached int64 // the position from which on the objects are in the tallies

	Replacing bool // the last put replaced an object

	Indexed bool // it may have indexes
	Indexes any  // the cache of the index code, nil until the indexes are read

	folded  totals // the bucket's totals at the last fold
	tally   Tally  // changes since the last fold
	commits int64  // that have changed something since the last fold
	pending pending
	sizes   sizes // changes of the counts of objects that are not pending

	clock int64 // counts changes: it numbers creations and versions
	dirty bool  // the transaction has changed something
}

// Retention holds the limits of a bucket. Zero is none.
type Retention struct {
	MaxAge     int64 // microseconds
	MaxObjects int64
	MaxBytes   int64
}

// totals are the count and the total size of a bucket's objects.
type totals struct{ objects, size int64 }

// Passed is the point that the removal of the oldest objects has reached. It holds the
// objects with versions up to this one that have to stay for a while.
type Passed struct {
	Version       int64
	Objects, Size int64 // of the objects that stay
}

// Excess returns how many objects and bytes the bucket has beyond its limits, without the
// objects that have been passed.
func (b *Bucket) Excess(passed Passed) (objects, size int64) {
	r := &b.Retention
	if r.MaxObjects > 0 {
		objects = max(0, b.folded.objects+b.Objects-passed.Objects-r.MaxObjects)
	}
	if r.MaxBytes > 0 {
		size = max(0, b.folded.size+b.Size-passed.Size-r.MaxBytes)
	}
	return objects, size
}

// Next is the partition in which a change of a bucket's schema prepares the new form of
// the objects. The zero Next is none.
type Next struct {
	Partition int64
	Reached   int64 // the position down to which the objects have their new form
	Size      int64 // the total size of the objects in the partition
	Indexes   any   // the cache of the index code for the partition

	sizes sizes
	dirty bool
}

// Has reports whether the object at a position has its new form in the partition, or is to
// get it from its writer.
func (n *Next) Has(position int64) bool { return n.Partition != 0 && position >= n.Reached }

// Added counts a new object in the partition.
func (n *Next) Added(size int64) {
	n.Size, n.dirty = n.Size+size, true
	n.sizes.add(size, 1)
}

// Removed counts an object that is deleted from the partition.
func (n *Next) Removed(size int64) {
	n.Size, n.dirty = n.Size-size, true
	n.sizes.add(size, -1)
}

// Reach records that the objects down to a position have their new form.
func (n *Next) Reach(position int64) { n.Reached, n.dirty = position, true }

const selectBucket = `
SELECT b.name, b.status, b.is_locked, b.clock, b.id, (SELECT id FROM namespaces WHERE num = b.namespace),
    EXISTS (SELECT 1 FROM indexes WHERE partition = b.partition AND status <> 'DROPPING'),
    b.definition, b.partition, c.partition, c.reached, c.size,
    b.object_count, b.total_size, coalesce(u.reached, 0), r.max_age, r.max_objects, r.max_bytes
FROM buckets b LEFT JOIN schema_changes c ON c.bucket = b.num AND c.since IS NULL
LEFT JOIN retention r ON r.bucket = b.num ` + joinUntallied + ` WHERE b.num = ?`

// Bucket returns the state of the bucket, or nil if there is no such bucket. It reads
// the state on first use.
func (tx *Tx) Bucket(num int64) (*Bucket, error) {
	if b := tx.known(num); b != nil {
		if b.Gone {
			return nil, nil
		}
		return b, nil
	}
	if err := tx.readNewest(); err != nil {
		return nil, err
	}
	b := &Bucket{Num: num}
	found, err := tx.QueryRow(selectBucket, []any{num}, func(r engine.Row) {
		b.Name, b.Status, b.Locked = r.Text(0), r.Text(1), r.Int(2) != 0
		b.clock = r.Int(3)
		b.Place = Place{Namespace: r.Text(5), Bucket: r.Text(4)}
		b.Indexed = r.Int(6) != 0
		b.Definition, b.Partition = r.Int(7), r.Int(8)
		b.Next = Next{Partition: r.Int(9), Reached: r.Int(10), Size: r.Int(11)}
		b.folded = totals{r.Int(12), r.Int(13)}
		b.Reached = r.Int(14)
		b.Retention = Retention{MaxAge: r.Int(15), MaxObjects: r.Int(16), MaxBytes: r.Int(17)}
	})
	if err != nil || !found {
		return nil, err
	}
	if err := b.resume(tx.newest.running); err != nil {
		return nil, err
	}
	tx.buckets = append(tx.buckets, b)
	return b, nil
}

// known returns the state of the bucket if the transaction holds it, or nil.
func (tx *Tx) known(num int64) *Bucket {
	for _, b := range tx.buckets {
		if b.Num == num {
			return b
		}
	}
	return nil
}

// states returns copies of the states that the transaction holds.
func (tx *Tx) states() []Bucket {
	states := make([]Bucket, len(tx.buckets))
	for i, b := range tx.buckets {
		states[i] = *b
		states[i].tally = b.tally.clone()
		states[i].sizes, states[i].Next.sizes = maps.Clone(b.sizes), maps.Clone(b.Next.sizes)
	}
	return states
}

// restore puts the states back that [Tx.states] has returned. Buckets that were read since
// may have changed before their rows are rolled back, so they are forgotten.
func (tx *Tx) restore(states []Bucket) {
	clear(tx.buckets[len(states):])
	tx.buckets = tx.buckets[:len(states)]
	for i, b := range tx.buckets {
		*b = states[i]
		b.ForgetIndexes(b.Indexed) // the cached indexes are shared with the copy, and may have changed
		b.Next.Indexes = nil
	}
}

// CountObjects returns the number of a bucket's objects, and whether the bucket
// exists.
func CountObjects(conn *engine.Conn, num int64) (n int64, exists bool, err error) {
	var c Counts
	var corrupt error
	exists, err = conn.QueryRow("SELECT "+CountColumns+" FROM buckets b WHERE b.num = ?", []any{num}, func(r engine.Row) { c, corrupt = ScanCounts(r, 0) })
	return c.Objects, exists, cmp.Or(err, corrupt)
}

// Redefine records that what the bucket's writers must satisfy has changed, together with
// the row of the pending change that next describes.
func (b *Bucket) Redefine(tx *Tx, next Next) error {
	b.Definition++
	b.Next = next
	_, err := tx.Exec("UPDATE buckets SET definition = ? WHERE num = ?", b.Definition, b.Num)
	return err
}

// Clock returns the number of the bucket's last change.
func (b *Bucket) Clock() int64 { return b.clock }

// Deleting reports whether the bucket is being deleted.
func (b *Bucket) Deleting() bool { return b.Status == "IN_PROGRESS" }

// Tick counts one change of the bucket's objects and returns its number.
func (b *Bucket) Tick() int64 {
	b.dirty = true
	b.clock++
	return b.clock
}

// Advance moves the clock forward to a version that an object has.
func (b *Bucket) Advance(version int64) {
	if b.clock < version {
		b.clock, b.dirty = version, true
	}
}

// ForgetIndexes makes the next use read the indexes again; any is false if the bucket
// has none.
func (b *Bucket) ForgetIndexes(any bool) { b.Indexes, b.Indexed = nil, any }

// ReloadStatus reads the status of the transaction's buckets again, after a statement
// that has changed some of them.
func (tx *Tx) ReloadStatus() error {
	for _, b := range tx.buckets {
		_, err := tx.QueryRow("SELECT status FROM buckets WHERE num = ?", []any{b.Num}, func(r engine.Row) { b.Status = r.Text(0) })
		if err != nil {
			return err
		}
	}
	return nil
}
