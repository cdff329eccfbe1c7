package bucketlite

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
)

// repairSlice is the number of rows to repair in one transaction.
const repairSlice = 100

// repairs reports whether to repair problems. In a file with damaged structures a
// write may cause more damage.
func (c *checker) repairs() bool { return c.opts.Repair && !c.damaged }

// write runs a repair.
func (c *checker) write(op operation) error { return c.store.db.Write(c.ctx, c.store.used(op)) }

// repairRows runs a repair for the rows with the numbers, in slices. The repair
// derives values from the rows as they are when it runs.
func (c *checker) repairRows(statement string, nums []int64) error {
	for slice := range slices.Chunk(nums, repairSlice) {
		err := c.write(func(tx *commit.Tx) error {
			tx.Raise(commit.Background)
			for _, num := range slice {
				if _, err := tx.Exec(statement, num); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// recount sets a bucket's statistics to a recount. It uses the commit group's state
// of the bucket, which other operations of the group may have changed.
func recount(tx *commit.Tx, num int64) error {
	state, err := tx.Bucket(num)
	if err != nil || state == nil {
		return err
	}
	if err := tx.Flush(); err != nil {
		return err
	}
	var s counted
	var corrupt error
	if _, err := tx.QueryRow(selectCounted, []any{num}, func(r engine.Row) { corrupt = s.scan(r) }); err != nil || corrupt != nil || s.agrees() {
		return cmp.Or(err, corrupt)
	}
	var upload any
	if s.Upload != 0 {
		upload = s.Upload
	}
	return state.Reset(tx, s.actualObjects, s.actualSize, upload)
}

// advance moves a bucket's clock forward to a version that an object has.
func advance(tx *commit.Tx, num, version int64) error {
	state, err := tx.Bucket(num)
	if err == nil && state != nil {
		state.Advance(version)
	}
	return err
}

// recountContent sets the counts of stored bytes to a recount. It subtracts the
// changes of the current group, which are added at its commit.
func recountContent(tx *commit.Tx) error {
	tx.Content.Total = -1
	_, err := tx.Exec("UPDATE store SET live_bytes = "+actualLive+" - ?, waiting_bytes = "+actualWaiting+" - ?", tx.Content.Live, tx.Content.Waiting)
	return err
}

// repairObjects repairs the sizes, keys and inline data of objects, and returns the
// repaired problems, by rule and subject.
func (c *checker) repairObjects(seqs []int64) (map[Problem]bool, error) {
	repaired := make(map[Problem]bool)
	for slice := range slices.Chunk(seqs, repairSlice) {
		var done []Problem
		err := c.write(func(tx *commit.Tx) error {
			done = nil
			for _, seq := range slice {
				rules, err := c.repairObject(tx, seq)
				if err != nil {
					return err
				}
				done = append(done, rules...)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		for _, p := range done {
			repaired[p] = true
		}
	}
	return repaired, nil
}

// repairObject checks an object again and repairs derivable values. A key that
// another object has stays, since either object may be the wrong one.
func (c *checker) repairObject(tx *commit.Tx, seq int64) (done []Problem, err error) {
	objects, err := c.selectObjects(tx.Conn, "SELECT o.partition, "+objectColumns+" FROM object o WHERE o.seq = ?", seq)
	if err != nil || len(objects) == 0 {
		return nil, err
	}
	o := &objects[0]
	v := o.judge()
	right := o.objectRow
	if v.wrongSize(o) {
		right.object.Size = *v.size
		state, err := tx.Bucket(o.bucket.num)
		if err != nil {
			return nil, err
		}
		switch {
		case state == nil:
		case o.bucket.current:
			state.Tick() // so that the running totals are beyond the ones before
			state.Changed(commit.Position(seq), o.object.CreatedAt.UnixMicro(), o.object.Size, *v.size, string(o.object.Status), string(o.object.Status))
		case state.Next.Partition == o.bucket.partition:
			state.Next.Removed(o.object.Size)
			state.Next.Added(*v.size)
		}
		done = append(done, Problem{Rule: "object.size", Subject: o.subject()})
	}
	if v.fields != nil {
		right.fields = v.fields
		state, err := tx.Bucket(o.bucket.num)
		if err != nil {
			return nil, err
		}
		if state != nil {
			if err := index.Update(tx, state, o.bucket.indexed(), seq, o.row(), right.row()); err != nil {
				return nil, err
			}
		}
		done = append(done, Problem{Rule: "object.inline", Subject: o.subject()})
	}
	if v.wrongKey(o) {
		holder := ""
		if *v.key != nil {
			if holder, err = keyHolder(tx.Conn, o.bucket.partition, *v.key); err != nil {
				return nil, err
			}
		}
		if holder == "" {
			right.key = *v.key
			done = append(done, Problem{Rule: "object.key", Subject: o.subject()})
		}
	}
	if len(done) == 0 {
		return nil, nil
	}
	right.unsummed = o.unsummed && len(done) < len(v.problems)
	return done, right.update(tx, &o.objectRow)
}

// repairReferences corrects the recorded counts of references. The true count is
// known only after reading all objects, which takes too long for a transaction. So
// the contents are first marked with a lease of this check's own. Then the difference
// of each count is measured, and applied where the mark is still there. Others change
// a count and its references together, which leaves the difference unchanged; another
// repairing check removes the mark. The lease also keeps the collector away from
// contents whose count is too low.
func (c *checker) repairReferences(found []references) (map[int64]bool, error) {
	lease := time.Now().Add(content.DefaultLease).UnixMicro() + rand.Int64N(int64(content.DefaultLease/time.Microsecond))
	err := c.eachSlice(found, func(tx *commit.Tx, r references) error {
		return content.Mark(tx, r.num, lease)
	})
	if err != nil {
		return nil, err
	}
	if found, err = c.countReferences(0, lease); err != nil {
		return nil, err
	}
	repaired := make(map[int64]bool)
	err = c.eachSlice(found, func(tx *commit.Tx, r references) error {
		stands, err := content.Correct(tx, r.num, lease, r.counted-r.actual)
		if stands {
			repaired[r.num] = true
		}
		return err
	})
	return repaired, err
}

// eachSlice runs a repair for contents, in slices.
func (c *checker) eachSlice(contents []references, repair func(*commit.Tx, references) error) error {
	for slice := range slices.Chunk(contents, repairSlice) {
		err := c.write(func(tx *commit.Tx) error {
			tx.Raise(commit.Background)
			for _, r := range slice {
				if err := repair(tx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
