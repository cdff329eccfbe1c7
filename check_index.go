package bucketlite

import (
	"context"
	"fmt"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
)

// checkIndexes compares the indexes with the objects of each bucket. The rules that
// need no objects are among the rowRules.
func (c *checker) checkIndexes() error {
	var partitions []int64
	err := c.readLong("SELECT DISTINCT partition FROM indexes WHERE status <> 'DROPPING' ORDER BY +partition", nil,
		func() { partitions = nil }, func(r engine.Row) { partitions = append(partitions, r.Int(0)) })
	for i := 0; i < len(partitions) && err == nil; i++ {
		err = c.checkIndexesOf(partitions[i])
	}
	return err
}

// checkIndexesOf compares the indexes of a partition with its objects, in one snapshot. Of
// an index that is being built, it checks the finished part.
func (c *checker) checkIndexesOf(partition int64) error {
	var bucket *checkedBucket
	var found []index.Comparison
	err := c.store.db.ReadAside(c.ctx, func(ctx context.Context, conn *engine.Conn) error {
		return conn.Snapshot(func() error {
			found = nil
			var err error
			if bucket, err = c.selectBucket(conn, partition); err != nil {
				return err
			}
			if !bucket.there || bucket.def == nil { // another rule reports it
				return nil
			}
			found, err = index.Compare(ctx, conn, bucket.indexed())
			return err
		})
	})
	for i := 0; i < len(found) && err == nil; i++ {
		err = c.judgeIndex(bucket, &found[i])
	}
	return err
}

// judgeIndex reports a faulty index. A rebuild repairs any fault, unless a change of the
// schema prepares the index.
func (c *checker) judgeIndex(bucket *checkedBucket, found *index.Comparison) error {
	num := found.Index.Num
	p := Problem{Subject: bucket.subject + ": " + indexOf(found.Index).String()}
	repair := func(tx *commit.Tx) error { return index.Rebuild(tx, bucket.num, num) }
	switch {
	case found.Lost > 0:
		p.Rule, p.Message = "index.text", fmt.Sprintf("%d of %d sampled objects are not found by their texts", found.Lost, found.Looked)
		repair = func(tx *commit.Tx) error {
			_, err := tx.Exec(rebuildTexts, num)
			tx.Raise(commit.Background)
			return err
		}
	case found.Want != found.Got:
		p.Rule, p.Message = "index.entry", fmt.Sprintf("%d entries expected, got %d", found.Want, found.Got)
	case found.Differ:
		p.Rule, p.Message = "index.entry", fmt.Sprintf("its %d entries differ from those of its objects", found.Got)
	case found.Many || found.Cut:
		p.Rule, p.Message = "index.flags", "its flags say that its entries are complete, but they are not"
		repair = func(tx *commit.Tx) error { return index.Admit(tx, num, found.Many, found.Cut) }
	default:
		return nil
	}
	if c.repairs() && bucket.current {
		if err := c.write(repair); err != nil {
			return err
		}
		p.Repaired = true
	}
	c.add(p)
	return nil
}
