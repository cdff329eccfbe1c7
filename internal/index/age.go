package index

import (
	"encoding/binary"
	"slices"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// An age index has an entry for each object of a bucket, with the object's version as its
// key. Each change of an object gives it a higher version, so the first entry is that of
// the object that has not changed for the longest time, whatever the clocks show.

// Aged is an object's entry in an age index.
type Aged struct{ Version, Seq int64 }

func ageKey(version int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(version)) }

// Ages returns the number of the age index among the indexes of a bucket. It reports false
// if there is none or if it is not ready.
func Ages(indexes []*Index) (num int64, ready bool) {
	n := slices.IndexFunc(indexes, func(i *Index) bool { return i.Kind == Age && i.Status == Ready })
	if n < 0 {
		return 0, false
	}
	return indexes[n].Num, true
}

// HasAges reports whether the bucket has an age index, which may be unfinished.
func HasAges(tx *commit.Tx, b *commit.Bucket) (bool, error) {
	indexes, err := Load(tx, b)
	return slices.ContainsFunc(indexes, func(i *Index) bool { return i.Kind == Age }), err
}

// Oldest returns the first entries of an age index after a version, at most limit.
func Oldest(c *engine.Conn, num, after int64, limit int) (oldest []Aged, err error) {
	err = c.Query("SELECT key, seq FROM entries WHERE idx = ? AND key > ? ORDER BY key LIMIT ?", []any{num, ageKey(after), int64(limit)},
		func(r engine.Row) error {
			key := r.Bytes(0)
			if len(key) == 8 { // otherwise the entry is damaged, which Check reports
				oldest = append(oldest, Aged{int64(binary.BigEndian.Uint64(key)), r.Int(1)})
			}
			return nil
		})
	return oldest, err
}
