package bucketlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// checkTotals checks that the totals in the newest row of events can be read. Otherwise
// neither the statistics nor the clock of a bucket is known. A repair drops them, and the
// rules of each bucket then compare its own row with a recount.
func (c *checker) checkTotals() error {
	err := c.read(commit.CheckTotals)
	if !errors.Is(err, commit.ErrTotals) {
		return err
	}
	p := Problem{Rule: "bucket.totals", Subject: "buckets", Message: err.Error()}
	if c.repairs() {
		err := c.write(func(tx *commit.Tx) (err error) {
			p.Repaired, err = tx.DropTotals()
			return err
		})
		if err != nil {
			return err
		}
	}
	c.add(p)
	return nil
}

// checkTally compares the counts by hour of creation and by status with the objects that
// they have, in one snapshot. The background counts the objects again if they differ.
func (c *checker) checkTally(num int64, subject string) error {
	var problems []Problem
	err := c.store.db.ReadAside(c.ctx, func(ctx context.Context, conn *engine.Conn) error {
		return conn.Snapshot(func() error {
			problems = nil
			recorded, err := commit.ReadCounts(conn, num, math.MinInt64)
			if errors.Is(err, commit.ErrTotals) { // checkTotals has reported it
				return nil
			}
			if err != nil || recorded == nil {
				return err
			}
			actual, err := commit.Recount(ctx, conn, recorded.Partition, recorded.Reached, commit.Untallied)
			if err == nil {
				problems = compareTallies(subject, &recorded.Tally, actual)
			}
			return err
		})
	})
	if err != nil || len(problems) == 0 {
		return err
	}
	if c.repairs() {
		if err := c.write(func(tx *commit.Tx) error { return retally(tx, num) }); err != nil {
			return err
		}
	}
	for _, p := range problems {
		p.Repaired = c.repairs()
		c.add(p)
	}
	return nil
}

// checkSizes compares the counts by size with the objects, in one snapshot.
func (c *checker) checkSizes(num int64, subject string) error {
	problem := ""
	err := c.store.db.ReadAside(c.ctx, func(ctx context.Context, conn *engine.Conn) error {
		return conn.Snapshot(func() (err error) {
			problem, err = commit.CheckSizes(ctx, conn, num)
			return err
		})
	})
	if errors.Is(err, commit.ErrTotals) { // checkTotals has reported it
		return nil
	}
	if err != nil || problem == "" {
		return err
	}
	p := Problem{Rule: "bucket.sizes", Subject: subject, Message: problem}
	if c.repairs() {
		err := c.write(func(tx *commit.Tx) error {
			state, err := tx.Bucket(num)
			if err != nil || state == nil {
				return err
			}
			return state.RecountSizes(tx)
		})
		if err != nil {
			return err
		}
		p.Repaired = true
	}
	c.add(p)
	return nil
}

func retally(tx *commit.Tx, bucket int64) error {
	state, err := tx.Bucket(bucket)
	if err != nil || state == nil {
		return err
	}
	return state.Retally(tx)
}

// compareTallies returns a problem for the hours and one for the statuses, if any differ.
func compareTallies(subject string, recorded, actual *commit.Tally) (problems []Problem) {
	hours := make(map[int64][2]commit.Hour)
	statuses := make(map[string][2]int64)
	for side, t := range []*commit.Tally{recorded, actual} {
		for _, h := range t.Hours() {
			both := hours[h.Hour]
			both[side] = h
			hours[h.Hour] = both
		}
		for _, s := range t.Statuses() {
			both := statuses[s.Status]
			both[side] = s.Objects
			statuses[s.Status] = both
		}
	}
	different, first := 0, int64(math.MaxInt64)
	for hour, both := range hours {
		if both[0] != both[1] {
			different++
			first = min(first, hour)
		}
	}
	if different > 0 {
		both := hours[first]
		problems = append(problems, Problem{Rule: "bucket.growth", Subject: subject, Message: fmt.Sprintf(
			"%d objects of %d bytes are recorded as created in the hour from %s, but there are %d of %d bytes; %d hours differ", both[0].Objects, both[0].Size,
			time.Unix(first*3600, 0).UTC().Format(time.RFC3339), both[1].Objects, both[1].Size, different)})
	}
	for _, s := range append(recorded.Statuses(), actual.Statuses()...) {
		if both := statuses[s.Status]; both[0] != both[1] {
			return append(problems, Problem{Rule: "bucket.statuses", Subject: subject,
				Message: fmt.Sprintf("%d objects are recorded with status %s, but there are %d", both[0], s.Status, both[1])})
		}
	}
	return problems
}
