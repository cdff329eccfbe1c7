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
	var buckets []int64
	err := c.readLong("SELECT DISTINCT partition FROM indexes WHERE status <> 'DROPPING' ORDER BY +partition", nil,
		func() { buckets = nil }, func(r engine.Row) { buckets = append(buckets, r.Int(0)) })
	for i := 0; i < len(buckets) && err == nil; i++ {
		err = c.checkIndexesOf(buckets[i])
	}
	return err
}

// checkIndexesOf compares the indexes of a bucket with its objects, in one snapshot. Of
// an index that is being built, it checks the finished part.
func (c *checker) checkIndexesOf(num int64) error {
	subject := ""
	var found []index.Comparison
	err := c.store.db.ReadAside(c.ctx, func(ctx context.Context, conn *engine.Conn) error {
		return conn.Snapshot(func() error {
			found = nil
			bucket, err := c.selectBucket(conn, num)
			if err != nil {
				return err
			}
			subject = bucket.subject
			if !bucket.there || bucket.def == nil { // another rule reports it
				return nil
			}
			found, err = index.Compare(ctx, conn, index.Bucket{Num: num, Plan: bucket.def.plan})
			return err
		})
	})
	for i := 0; i < len(found) && err == nil; i++ {
		err = c.judgeIndex(num, subject, &found[i])
	}
	return err
}

// judgeIndex reports a faulty index. A rebuild repairs any fault.
func (c *checker) judgeIndex(bucket int64, subject string, found *index.Comparison) error {
	num := found.Index.Num
	p := Problem{Subject: subject + ": " + indexOf(found.Index).String()}
	repair := func(tx *commit.Tx) error { return index.Rebuild(tx, bucket, num) }
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
	if c.repairs() {
		if err := c.write(repair); err != nil {
			return err
		}
		p.Repaired = true
	}
	c.add(p)
	return nil
}
