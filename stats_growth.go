package bucketlite

import (
	"context"
	"sort"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// MaxGrowth is the maximum number of units of time that [Bucket.Growth] returns.
const MaxGrowth = 10_000

// Growth is the size of a bucket at the end of a unit of time. Only objects that
// still exist count: a deleted object counts in no unit, and a changed object counts
// with its present size in all units.
type Growth struct {
	// Time is the start of the unit, in UTC.
	Time time.Time `json:"time_bucket"`
	// Objects is the number of objects created before the end of the unit, Size the
	// sum of their sizes; see [Object].Size.
	Objects int64 `json:"object_count"`
	Size    int64 `json:"total_size_bytes"`
	// ByteHours is the number of bytes times the hours that they were stored during
	// the unit: 10 bytes in its last two hours are 20. An object counts from the
	// start of the hour in which it was created.
	ByteHours float64 `json:"-"`
}

// Growth returns the growth of the bucket between two times, in one snapshot: one
// [Growth] for each hour, day, week, month or year in UTC, starting with the unit
// that contains from. Weeks start on Monday. The last unit ends at to. Growth works
// in any status of the bucket, and reads every object.
//
// Errors: [ErrBadRequest] if from is not before to, for any other unit, or if there
// are more than [MaxGrowth] units; [ErrNotFound].
func (b *Bucket) Growth(ctx context.Context, from, to time.Time, unit DateUnit) ([]Growth, error) {
	empty, err := unitsOf(from, to, unit)
	if err != nil {
		return nil, err
	}
	var units []Growth
	err = b.store.readLong(ctx, func(ctx context.Context, conn *engine.Conn) error {
		units = append([]Growth(nil), empty...)
		return conn.Snapshot(func() error {
			partition := int64(0)
			exists, err := conn.QueryRow("SELECT partition FROM buckets WHERE num = ?", []any{b.num}, func(r engine.Row) { partition = r.Int(0) })
			if err == nil && !exists {
				err = b.gone()
			}
			if err != nil {
				return err
			}
			return grow(ctx, conn, partition, units, to.UTC(), unit)
		})
	})
	if err != nil {
		return nil, err
	}
	return units, nil
}

// grow computes the values of the units from the objects of a partition.
func grow(ctx context.Context, conn *engine.Conn, partition int64, units []Growth, to time.Time, unit DateUnit) error {
	end := func(i int) time.Time {
		if next := nextUnit(units[i].Time, unit); next.Before(to) {
			return next
		}
		return to
	}
	begins := make([]int64, len(units)) // in microseconds
	for i := range units {
		begins[i] = units[i].Time.UnixMicro()
	}
	missing := make([]float64, len(units)) // byte-hours of a unit before its objects were created
	i := 0
	// GROUP BY would hold all their times and sizes in memory.
	add := engine.NewCallback(ctx, func(r engine.Row) (any, error) {
		at, size := max(r.Int(0), begins[0]), r.Int(1) // an older object existed when the first unit began
		if at < begins[i] || i+1 < len(begins) && at >= begins[i+1] {
			i = sort.Search(len(begins), func(n int) bool { return begins[n] > at }) - 1
		}
		units[i].Objects++
		units[i].Size += size
		missing[i] += float64((at-begins[i])/time.Hour.Microseconds()) * float64(size)
		return nil, nil
	})
	defer add.Release()
	err := conn.LongQuery(ctx, "SELECT count(bucketlite_callback(?4, created_at, size)) FROM object WHERE seq > ?1 AND seq < ?2 AND created_at < ?3",
		[]any{commit.Seq(partition, 0), commit.Seq(partition+1, 0), to.UnixMicro(), add.Token()}, func(engine.Row) error { return nil })
	if err != nil && add.Err() != nil {
		return add.Err()
	}
	var before Growth
	for i := range units {
		units[i].Objects += before.Objects
		units[i].Size += before.Size
		units[i].ByteHours = float64(units[i].Size)*end(i).Sub(units[i].Time).Hours() - missing[i]
		before = units[i]
	}
	return err
}

// unitsOf returns the units between two times, without their values.
func unitsOf(from, to time.Time, unit DateUnit) ([]Growth, error) {
	if !from.Before(to) {
		return nil, badRequest("growth: a time before %s expected, got %s", to.Format(time.RFC3339Nano), from.Format(time.RFC3339Nano))
	}
	at, ok := unitBegin(from.UTC(), unit)
	if !ok {
		return nil, badRequest("growth: hour, day, week, month or year expected, got %s", value.Show(string(unit)))
	}
	var units []Growth
	for ; at.Before(to); at = nextUnit(at, unit) {
		if len(units) == MaxGrowth {
			return nil, badRequest("growth: at most %d units expected between the two times", MaxGrowth)
		}
		units = append(units, Growth{Time: at})
	}
	return units, nil
}

// unitBegin returns the start of the unit that contains t. It reports false for an
// unknown unit.
func unitBegin(t time.Time, unit DateUnit) (time.Time, bool) {
	year, month, day := t.Date()
	hour := 0
	switch unit {
	case UnitHour:
		hour = t.Hour()
	case UnitDay:
	case UnitWeek:
		day -= (int(t.Weekday()) + 6) % 7
	case UnitMonth:
		day = 1
	case UnitYear:
		month, day = 1, 1
	default:
		return t, false
	}
	return time.Date(year, month, day, hour, 0, 0, 0, time.UTC), true
}

// nextUnit returns the end of the unit that starts at t.
func nextUnit(t time.Time, unit DateUnit) time.Time {
	switch unit {
	case UnitHour:
		return t.Add(time.Hour)
	case UnitDay:
		return t.AddDate(0, 0, 1)
	case UnitWeek:
		return t.AddDate(0, 0, 7)
	case UnitMonth:
		return t.AddDate(0, 1, 0)
	}
	return t.AddDate(1, 0, 0)
}
