package bucketlite

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
)

// repairSlice is how many rows are repaired in one transaction.
const repairSlice = 100

// repairs reports whether what is wrong is to be set right. In a file whose
// structure is damaged a write may make it worse.
func (c *checker) repairs() bool { return c.opts.Repair && !c.damaged }

// write runs a repair.
func (c *checker) write(op operation) error { return c.store.db.Write(c.ctx, c.store.used(op)) }

// repairRows runs a repair for the rows with the numbers, in slices. What it
// derives, it derives from what is there when it runs.
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

// recount sets a bucket's statistics to what is there. It goes on from the group's
// own state of the bucket, which others of the group may have changed.
func recount(tx *commit.Tx, num int64) error {
	state, err := tx.Bucket(num)
	if err != nil || state == nil {
		return err
	}
	if err := tx.Flush(); err != nil {
		return err
	}
	var s counted
	if _, err := tx.QueryRow(selectCounted, []any{num}, func(r engine.Row) { s.scan(r) }); err != nil || s.agrees() {
		return err
	}
	var upload any
	if latest := max(s.foldedUpload, s.deltaUpload); latest != 0 {
		upload = latest
	}
	return state.Reset(tx, s.actualObjects, s.actualSize, upload)
}

// advance moves a bucket's clock to a version that has been given out.
func advance(tx *commit.Tx, num, version int64) error {
	state, err := tx.Bucket(num)
	if err == nil && state != nil {
		state.Advance(version)
	}
	return err
}

// recountContent sets the counts of stored bytes to what is there; what the group
// has changed is not counted yet.
func recountContent(tx *commit.Tx) error {
	tx.Content.Total = -1
	_, err := tx.Exec("UPDATE store SET live_bytes = "+actualLive+" - ?, waiting_bytes = "+actualWaiting+" - ?", tx.Content.Live, tx.Content.Waiting)
	return err
}

// repairObjects sets right the sizes and keys of objects, and the inline data among
// their fields, and tells which rules
// of which subjects are no longer broken.
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

// repairObject judges an object once more and sets right what follows from it. A key
// that another object has is left: nobody can tell which of them is wrong.
func (c *checker) repairObject(tx *commit.Tx, seq int64) (done []Problem, err error) {
	objects, err := c.selectObjects(tx.Conn, "SELECT o.bucket, "+objectColumns+" FROM object o WHERE o.seq = ?", seq)
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
		if state != nil {
			state.Tick() // for a delta row of its own
			state.Size += *v.size - o.object.Size
		}
		done = append(done, Problem{Rule: "object.size", Subject: o.subject()})
	}
	if v.fields != nil {
		right.fields = v.fields
		state, err := tx.Bucket(o.bucket.num)
		if err != nil {
			return nil, err
		}
		if state != nil && state.Indexed {
			b := index.Bucket{Num: o.bucket.num, Plan: o.bucket.def.plan}
			if err := index.Update(tx, state, b, seq, o.row(), right.row()); err != nil {
				return nil, err
			}
		}
		done = append(done, Problem{Rule: "object.inline", Subject: o.subject()})
	}
	if v.wrongKey(o) {
		holder := ""
		if *v.key != nil {
			if holder, err = keyHolder(tx.Conn, o.bucket.num, *v.key); err != nil {
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

// repairReferences sets the counts of references right. The true count is known
// only after reading all objects, which takes too long for a transaction. So the
// contents are marked with a lease of this check's own; then what is wrong about
// their counts is measured, and corrected by as much where the mark still stands.
// Others change count and references together, which leaves what is wrong as it
// was; another check that repairs takes the mark away. The lease also keeps the
// collector off contents whose count is too low.
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

// eachSlice runs a repair for contents in slices.
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
