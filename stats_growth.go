package bucketlite

import (
	"context"
	"errors"
	"slices"
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
// in any status of the bucket.
//
// Growth reads counts, of one row for each hour since from in which objects were created.
// It reads objects in three cases. If objects were put since to, and to is not a full
// hour, it reads the objects from the newest to the first that was created in the hour of
// to. After a change of the schema that rewrites the objects, and after an upgrade of the
// file, the background counts them again, and until then Growth reads those that are not
// counted yet. While the bucket is being deleted, Growth reads all that are left.
//
// Errors: [ErrBadRequest] if from is not before to, for any other unit, or if there
// are more than [MaxGrowth] units; [ErrNotFound].
func (b *Bucket) Growth(ctx context.Context, from, to time.Time, unit DateUnit) ([]Growth, error) {
	empty, err := unitsOf(from, to, unit)
	if err != nil {
		return nil, err
	}
	var g *growing
	err = b.readCounts(ctx, func() int64 {
		g = newGrowing(empty, to.UTC(), unit)
		return commit.HourOf(g.begins[0])
	}, func(ctx context.Context, conn *engine.Conn, c *commit.Counted) error { return g.count(ctx, conn, c) })
	if err != nil {
		return nil, err
	}
	return g.units, nil
}

// errReadsObjects ends a short read that would have to read objects.
var errReadsObjects = errors.New("objects must be read")

// readCounts calls f in a snapshot with the counts of the bucket since an hour that begin
// returns. First it lends f a connection for short reads, and no context. If f returns
// errReadsObjects, it begins again with a connection for long ones.
func (b *Bucket) readCounts(ctx context.Context, begin func() int64, f func(context.Context, *engine.Conn, *commit.Counted) error) error {
	read := func(ctx context.Context, conn *engine.Conn) error {
		return conn.Snapshot(func() error {
			c, err := commit.ReadCounts(conn, b.num, begin())
			if err == nil && c == nil {
				err = b.gone()
			}
			if err != nil {
				return err
			}
			return f(ctx, conn, c)
		})
	}
	err := b.store.read(ctx, func(conn *engine.Conn) error { return read(nil, conn) })
	if errors.Is(err, errReadsObjects) {
		err = b.store.readLong(ctx, read)
	}
	return err
}

// growing computes the values of the units between two times.
type growing struct {
	units   []Growth
	unit    DateUnit
	begins  []int64 // of the units, in microseconds
	to      int64   // in microseconds
	end     time.Time
	missing []float64 // byte-hours of each unit before its objects were created
	since   Growth    // the objects created since the first unit began
	last    int       // the unit of the last object
}

// newGrowing returns a growing for a copy of the units.
func newGrowing(empty []Growth, to time.Time, unit DateUnit) *growing {
	g := &growing{units: slices.Clone(empty), unit: unit, to: to.UnixMicro(), end: to, begins: make([]int64, len(empty)), missing: make([]float64, len(empty))}
	for i := range g.units {
		g.begins[i] = g.units[i].Time.UnixMicro()
	}
	return g
}

// count computes the values from the counts, and from the objects that are not counted.
func (g *growing) count(ctx context.Context, conn *engine.Conn, c *commit.Counted) error {
	hours := c.Tally.Hours()
	for _, h := range hours {
		g.add(h.Hour*commit.HourMicros, h.Objects, h.Size)
	}
	if err := g.takeLate(ctx, conn, c, hours); err != nil {
		return err
	}
	if err := g.addUncounted(ctx, conn, c); err != nil {
		return err
	}
	before := Growth{Objects: c.Objects - g.since.Objects, Size: c.Size - g.since.Size}
	for i := range g.units {
		u := &g.units[i]
		u.Objects += before.Objects
		u.Size += before.Size
		u.ByteHours = float64(u.Size)*g.endOf(i).Sub(u.Time).Hours() - g.missing[i]
		before = *u
	}
	return nil
}

// add counts objects created at a time.
func (g *growing) add(at, objects, size int64) {
	if at < g.begins[0] {
		return
	}
	g.since.Objects += objects
	g.since.Size += size
	if at < g.to {
		g.place(at, objects, size)
	}
}

// place adds objects to the unit in which they were created.
func (g *growing) place(at, objects, size int64) {
	i := g.last
	if at < g.begins[i] || i+1 < len(g.begins) && at >= g.begins[i+1] {
		i = sort.Search(len(g.begins), func(n int) bool { return g.begins[n] > at }) - 1
		g.last = i
	}
	g.units[i].Objects += objects
	g.units[i].Size += size
	g.missing[i] += float64((at-g.begins[i])/commit.HourMicros) * float64(size)
}

// takeLate takes the objects out that were created since the end, in the hour of the end.
func (g *growing) takeLate(ctx context.Context, conn *engine.Conn, c *commit.Counted, hours []commit.Hour) error {
	hour := commit.HourOf(g.to)
	i := slices.IndexFunc(hours, func(h commit.Hour) bool { return h.Hour == hour })
	if i < 0 || hour*commit.HourMicros == g.to || c.Upload < g.to {
		return nil
	}
	if ctx == nil {
		return errReadsObjects
	}
	left := hours[i].Objects
	err := conn.LongQuery(ctx, "SELECT created_at, size FROM object WHERE seq >= ? AND seq < ? ORDER BY seq DESC",
		[]any{commit.Seq(c.Partition, c.Reached), commit.Seq(c.Partition+1, 0)}, func(r engine.Row) error {
			if at := r.Int(0); commit.HourOf(at) == hour {
				left--
				if at >= g.to {
					g.place(hour*commit.HourMicros, -1, -r.Int(1))
				}
			}
			if left == 0 { // clocks go back, so an older object may be as late
				return errEnough
			}
			return nil
		})
	if err == errEnough {
		return nil
	}
	return err
}

// addUncounted adds the objects that are not counted.
func (g *growing) addUncounted(ctx context.Context, conn *engine.Conn, c *commit.Counted) error {
	if c.Reached == 0 {
		return nil
	}
	if ctx == nil {
		return errReadsObjects
	}
	add := engine.NewCallback(ctx, func(r engine.Row) (any, error) {
		g.add(r.Int(0), 1, r.Int(1))
		return nil, nil
	})
	defer add.Release()
	err := conn.LongQuery(ctx, "SELECT count(bucketlite_callback(?3, created_at, size)) FROM object WHERE seq > ?1 AND seq < ?2",
		[]any{commit.Seq(c.Partition, 0), commit.Seq(c.Partition, c.Reached), add.Token()}, func(engine.Row) error { return nil })
	if err != nil && add.Err() != nil {
		return add.Err()
	}
	return err
}

// endOf returns the end of a unit.
func (g *growing) endOf(i int) time.Time {
	if next := nextUnit(g.units[i].Time, g.unit); next.Before(g.end) {
		return next
	}
	return g.end
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
