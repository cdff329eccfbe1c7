package index

import (
	"fmt"
	"strings"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/schema"
)

// The kinds of indexes, as stored.
const (
	Value = "value" // of the values at a path
	Text  = "text"  // of the strings at a path, or of all texts
	Age   = "age"   // of the versions, without a path; see [Oldest]
)

// The statuses of an index, as stored.
const (
	Building = "BUILDING"
	Ready    = "READY"
	Dropping = "DROPPING"
)

// Bucket is a bucket whose objects are indexed or queried.
type Bucket struct {
	Num       int64 // buckets.num
	Partition int64 // of its objects
	ID        string
	Name      string
	Plan      *schema.Plan // nil declares nothing
}

// String returns the bucket's name in the form used in messages.
func (b *Bucket) String() string { return fmt.Sprintf("bucket %q", b.Name) }

// Format is the version of the form in which entries and texts are compared. Version 2
// has texts in normalisation form C. An index of an older version is not used: it counts
// as being built, and is rebuilt in the background.
const Format int64 = 2

// Index is an index's state inside a transaction or a snapshot.
type Index struct {
	Num    int64
	Kind   string // [Value], [Text] or [Age]
	Path   string // empty for a text index of all texts and for an age index
	Status string // [Building] for an old one

	path      []string
	many, cut bool // see query.Entries; true of some object since the index was created
	old       bool // its format is older than Format
}

// Select reads the indexes of a partition, sorted by path, except those being dropped.
func Select(conn *engine.Conn, partition int64) (indexes []*Index, err error) {
	err = conn.Query("SELECT num, kind, path, status, many, cut, form FROM indexes WHERE partition = ? AND status <> 'DROPPING' ORDER BY path, kind DESC",
		[]any{partition}, func(r engine.Row) error {
			i := &Index{Num: r.Int(0), Kind: r.Text(1), Path: r.Text(2), Status: r.Text(3), many: r.Int(4) != 0, cut: r.Int(5) != 0}
			if i.Path != "" {
				i.path = strings.Split(i.Path, ".")
			}
			if i.old = r.Int(6) < Format; i.old {
				i.Status = Building
			}
			indexes = append(indexes, i)
			return nil
		})
	return indexes, err
}

// Load returns the bucket's indexes as [Select] does, from the transaction's cache if
// possible.
func Load(tx *commit.Tx, b *commit.Bucket) ([]*Index, error) {
	if indexes, ok := b.Indexes.([]*Index); ok || !b.Indexed {
		return indexes, nil
	}
	indexes, err := Select(tx.Conn, b.Partition)
	if err != nil {
		return nil, err
	}
	b.Indexes, b.Indexed = indexes, len(indexes) > 0
	return indexes, nil
}

// loadOf is Load for the partition that the bucket uses or for the one that a change of its
// schema prepares. Any other has no indexes.
func loadOf(tx *commit.Tx, b *commit.Bucket, partition int64) ([]*Index, error) {
	switch partition {
	case b.Partition:
		return Load(tx, b)
	case b.Next.Partition:
		if indexes, ok := b.Next.Indexes.([]*Index); ok {
			return indexes, nil
		}
		indexes, err := Select(tx.Conn, partition)
		if err == nil {
			b.Next.Indexes = indexes
		}
		return indexes, err
	}
	return nil, nil
}

// Progress returns how far the building of an index has come, from 0 to 1: the share of the
// positions of its partition that it has passed. It is 0 for an index that is to be rebuilt,
// and for one that does not exist.
func Progress(conn *engine.Conn, num int64) (share float64, err error) {
	var partition, built, form int64
	found, err := conn.QueryRow("SELECT partition, built, form FROM indexes WHERE num = ?", []any{num}, func(r engine.Row) {
		partition, built, form = r.Int(0), r.Int(1), r.Int(2)
	})
	if err != nil || !found || form < Format {
		return 0, err
	}
	first := commit.Seq(partition, 0)
	_, err = conn.QueryRow("SELECT max(seq) FROM object WHERE seq > ? AND seq < ?", []any{first, commit.Seq(partition+1, 0)}, func(r engine.Row) {
		if top := r.Int(0) - first; top > 0 {
			share = 1 - float64(min(built-first, top))/float64(top)
		}
	})
	return share, err
}

// Add adds an index that the bucket lacks. It is built from the newest existing object
// downwards, since later objects are indexed when they are written. Without objects it is
// ready at once.
func Add(tx *commit.Tx, b *commit.Bucket, kind, path string) error {
	if err := insertIndex(tx, b.Partition, kind, path); err != nil {
		return err
	}
	tx.Raise(commit.Background)
	b.ForgetIndexes(true)
	return nil
}

// Drop drops an index of the bucket, if there is one. Queries no longer use it, and it is
// deleted in the background.
func Drop(tx *commit.Tx, b *commit.Bucket, kind, path string) error {
	if err := markDropping(tx, "partition = ? AND kind = ? AND path = ?", b.Partition, kind, path); err != nil {
		return err
	}
	tx.Raise(commit.Background)
	b.ForgetIndexes(true)
	return nil
}

// Rebuild drops an index of a bucket and adds it again, unless it has been dropped or the
// bucket is being deleted.
func Rebuild(tx *commit.Tx, bucket, num int64) error {
	b, err := tx.Bucket(bucket)
	if err != nil || b == nil || b.Deleting() {
		return err
	}
	indexes, err := Load(tx, b)
	if err != nil {
		return err
	}
	for _, i := range indexes {
		if i.Num != num {
			continue
		}
		if err := markDropping(tx, "num = ?", num); err != nil {
			return err
		}
		return Add(tx, b, i.Kind, i.Path)
	}
	return nil
}

// Abandon drops all indexes of a partition.
func Abandon(tx *commit.Tx, partition int64) error {
	return markDropping(tx, "partition = ?", partition)
}

// Prepare adds an index to the partition that a change of the bucket's schema prepares. No
// object is in the partition yet.
func Prepare(tx *commit.Tx, b *commit.Bucket, kind, path string) error {
	b.Next.Indexes = nil
	return insertIndex(tx, b.Next.Partition, kind, path)
}

// Retype rebuilds the value indexes of the bucket whose paths have other types in another
// plan, since entries depend on the type.
func Retype(tx *commit.Tx, b *commit.Bucket, old, new *schema.Plan) error {
	indexes, err := Load(tx, b)
	for n := 0; n < len(indexes) && err == nil; n++ {
		if i := indexes[n]; i.Kind == Value && TypeOf(old, i.path).Kind != TypeOf(new, i.path).Kind {
			err = Rebuild(tx, b.Num, i.Num)
		}
	}
	return err
}
