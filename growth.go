package bucketlite

import (
	"context"
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// MaxGrowth is how many units of time [Bucket.Growth] tells of at most.
const MaxGrowth = 10_000

// Growth is how large a bucket had become by the end of a unit of time, counting only
// what it still has: an object that has been deleted since is in none of them, and
// one that has been changed has its present size in all.
type Growth struct {
	// Time is when the unit began, in UTC.
	Time time.Time `json:"time_bucket"`
	// Objects is the number of objects created by its end, Size the sum of their
	// sizes; see [Object].Size.
	Objects int64 `json:"object_count"`
	Size    int64 `json:"total_size_bytes"`
	// ByteHours is for how many hours how many bytes were there during the unit: 10
	// bytes during the last two of its hours are 20. An object counts from the
	// beginning of the hour it was created in.
	ByteHours float64 `json:"-"`
}

// Growth tells at one moment how the bucket grew between two times: one [Growth] for
// each hour, day, week, month or year of UTC, from that which from is in. Weeks begin
// on Monday. Of the last one only what is before to counts. It can be read whatever
// the bucket's status, and looks at every object.
//
// Errors: [ErrBadRequest] if from is not before to, for another unit, or if there are
// more than [MaxGrowth] of them; [ErrNotFound].
func (b *Bucket) Growth(ctx context.Context, from, to time.Time, unit DateUnit) ([]Growth, error) {
	empty, err := unitsOf(from, to, unit)
	if err != nil {
		return nil, err
	}
	var units []Growth
	err = b.store.readLong(ctx, func(ctx context.Context, conn *engine.Conn) error {
		units = append([]Growth(nil), empty...)
		return conn.Snapshot(func() error {
			exists, err := conn.QueryRow("SELECT 1 FROM buckets WHERE num = ?", []any{b.num}, nil)
			if err == nil && !exists {
				err = b.gone()
			}
			if err != nil {
				return err
			}
			return b.grow(ctx, conn, units, to.UTC(), unit)
		})
	})
	if err != nil {
		return nil, err
	}
	return units, nil
}

// grow fills in what the units have.
func (b *Bucket) grow(ctx context.Context, conn *engine.Conn, units []Growth, to time.Time, unit DateUnit) error {
	end := func(i int) time.Time {
		if next := nextUnit(units[i].Time, unit); next.Before(to) {
			return next
		}
		return to
	}
	// What is older than the first unit was there when that began.
	first := units[0].Time.UnixMicro()
	i := 0
	err := conn.LongQuery(ctx, `
SELECT (max(created_at, ?3) - ?3) / ?5 AS hour, count(*), sum(size)
FROM object WHERE seq > ?1 AND seq < ?2 AND created_at < ?4 GROUP BY hour ORDER BY hour`,
		[]any{b.num << clockBits, (b.num + 1) << clockBits, first, to.UnixMicro(), time.Hour.Microseconds()}, func(r engine.Row) error {
			at := timeOf(first + r.Int(0)*time.Hour.Microseconds())
			for i+1 < len(units) && !at.Before(units[i+1].Time) {
				i++
			}
			units[i].Objects += r.Int(1)
			units[i].Size += r.Int(2)
			units[i].ByteHours += float64(r.Int(2)) * end(i).Sub(at).Hours()
			return nil
		})
	var before Growth
	for i := range units {
		units[i].Objects += before.Objects
		units[i].Size += before.Size
		units[i].ByteHours += float64(before.Size) * end(i).Sub(units[i].Time).Hours()
		before = units[i]
	}
	return err
}

// unitsOf returns the units between two times, in each of which there is nothing.
func unitsOf(from, to time.Time, unit DateUnit) ([]Growth, error) {
	if !from.Before(to) {
		return nil, badRequest("growth: a time before %s expected, got %s", to.Format(time.RFC3339Nano), from.Format(time.RFC3339Nano))
	}
	at, ok := unitBegin(from.UTC(), unit)
	if !ok {
		return nil, badRequest("growth: hour, day, week, month or year expected, got %s", found(string(unit)))
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

// unitBegin returns when the unit that t is in began, if there is such a unit.
func unitBegin(t time.Time, unit DateUnit) (time.Time, bool) {
	year, month, day := t.Date()
	hour := 0
	switch unit {
	case Hour:
		hour = t.Hour()
	case Day:
	case Week:
		day -= (int(t.Weekday()) + 6) % 7
	case Month:
		day = 1
	case Year:
		month, day = 1, 1
	default:
		return t, false
	}
	return time.Date(year, month, day, hour, 0, 0, 0, time.UTC), true
}

// nextUnit returns when the unit after that which began at t begins.
func nextUnit(t time.Time, unit DateUnit) time.Time {
	switch unit {
	case Hour:
		return t.Add(time.Hour)
	case Day:
		return t.AddDate(0, 0, 1)
	case Week:
		return t.AddDate(0, 0, 7)
	case Month:
		return t.AddDate(0, 1, 0)
	}
	return t.AddDate(1, 0, 0)
}
