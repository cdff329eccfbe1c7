package bucketlite

import (
	"context"
	"errors"
	"slices"

	"github.com/bucketlite/bucketlite/internal/aggregate"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/query"
)

// The bounds of what an aggregation keeps while it runs. Beyond them it is
// [ErrTooLarge]; a narrower Filter, fewer things to group by or to collect, or a smaller
// Limit may help. Results count too.
const (
	MaxAggregateGroups = 1_000_000 // groups, before Having and Limit
	MaxAggregateValues = 1_000_000 // values that are collected or told apart, in all groups
	MaxAggregateBytes  = 256 << 20 // memory for all that, and for the result
)

// keptBytes is what an aggregation keeps at most. The rest is for what the garbage
// collector has not collected yet: it lets the heap grow to twice what is kept.
const keptBytes = MaxAggregateBytes / 4 * 3

// Aggregation says how objects are grouped, and what is computed over each group.
//
// Objects are taken in the order of creation. Those the Filter wants are unwound,
// grouped and computed over; then groups are left out by Having, sorted, and cut
// off at Limit.
//
// Paths are those of a [Filter]. Null is the same as nothing at all. Text is the
// same if it is the same to the letter, upper and lower case told apart; numbers
// and, in fields of type [DateTime], instants are the same however they are written,
// and shown as they came first.
//
// Its JSON form is that of the hosted service's ObjectAggregationRequest, with a
// [Filter] for filters. What is wrong with it is a [*QueryError] that names every
// fault.
type Aggregation struct {
	// GroupBy says what objects are grouped by: at most 20 paths, and at least one
	// if there are no RangeBuckets.
	GroupBy []GroupBy `json:"group_by"`
	// Metrics are computed over each group: 1 to 50, under different names.
	Metrics []Metric `json:"aggregations"`
	// Filter says which objects count; the zero Filter wants all.
	Filter Filter `json:"filters,omitzero"`
	// Having says which groups are wanted: those for which all of it holds, at
	// most 50 conditions.
	Having []Having `json:"having,omitempty"`
	// Unwind is a path to an array. Each of its elements is counted as an object
	// that has this element there instead of the array, so that paths from there on
	// lead to the element alone: with "blobs", blobs.property is a property of one
	// blob. Arrays on the way are unwound as well. An object with null or nothing
	// there, or with an empty array, does not count at all; what is no array is
	// its own only element.
	Unwind string `json:"unwind,omitempty"`
	// RangeBuckets group by ranges of numbers, beside GroupBy; at most 20.
	RangeBuckets []RangeBucket `json:"range_buckets,omitempty"`
	// SortBy is the name of a metric, or else of what is grouped by, or else the
	// path of a GroupBy, to sort groups by. What is null comes last in either direction. What is equal, or
	// everything if SortBy is empty, is in ascending order of what it is grouped by.
	SortBy string `json:"sort_by,omitempty"`
	// SortDirection is "asc" or "desc"; empty means "desc".
	SortDirection SortDirection `json:"sort_direction,omitempty"`
	// Limit is the most groups wanted; 0 means all.
	Limit int `json:"limit,omitempty"`
}

// GroupBy is a path to group objects by.
//
// An array is taken as a whole. If the path leads through an array, it is the array
// of what is found in each element. To count each element by itself, see
// [Aggregation].Unwind.
type GroupBy struct {
	// Field is the path.
	Field string `json:"field"`
	// Alias is the name in the result. Empty means Field.
	Alias string `json:"alias,omitempty"`
	// DateTrunc groups by the time at which the year, month, week, day, hour,
	// minute or second began, in UTC, as in "2024-05-06T00:00:00Z". Weeks begin on
	// Mondays. The path must not be declared as anything but a [Date] or [DateTime];
	// where nothing is declared, text that is one counts, and all else as null.
	DateTrunc DateUnit `json:"date_trunc,omitempty"`
	// DatePart groups by a number: the year, month (1–12), week of ISO 8601
	// (1–53), day of the month, day of the week (1–7, Sunday is 1) or year (1–366),
	// hour, minute or second, in UTC. For the path see DateTrunc, which it excludes.
	DatePart DateUnit `json:"date_part,omitempty"`
}

// DateUnit is a unit of time.
type DateUnit string

// The units. DayOfWeek and DayOfYear are for [GroupBy].DatePart alone.
const (
	UnitYear      DateUnit = aggregate.Year
	UnitMonth     DateUnit = aggregate.Month
	UnitWeek      DateUnit = aggregate.Week
	UnitDay       DateUnit = aggregate.Day
	UnitDayOfWeek DateUnit = aggregate.DayOfWeek
	UnitDayOfYear DateUnit = aggregate.DayOfYear
	UnitHour      DateUnit = aggregate.Hour
	UnitMinute    DateUnit = aggregate.Minute
	UnitSecond    DateUnit = aggregate.Second
)

// RangeBucket is a path to group objects by, into ranges of numbers. It is called
// by the path in the result.
//
// The boundaries 0, 60 and 300 make the ranges "0-60" and "60-300". A boundary
// belongs to the range below it: 60 is in "0-60", and 0, which has no range below
// it, is in none. What is in none is in the Default bucket, as is whatever is not a
// number, or not there.
type RangeBucket struct {
	// Field is the path. It must not be declared as anything but a number.
	Field string `json:"field"`
	// Boundaries are 1 to 100 numbers, each above the one before. A range is named
	// by two of them as they are written.
	Boundaries []any `json:"boundaries"`
	// Default names the bucket of what is in no range. Empty means "other".
	Default string `json:"default_bucket,omitempty"`
}

// Metric is what is computed over the objects of a group.
//
// A function takes all the values that the path leads to, through arrays, but no
// nulls.
type Metric struct {
	// Function is what to compute.
	Function AggregateFunction `json:"function"`
	// Field is the path. Only [Count] can do without.
	Field string `json:"field,omitempty"`
	// DistinctField is another name for the Field of a [MetricCountDistinct].
	DistinctField string `json:"distinct_field,omitempty"`
	// Alias is the name in the result.
	Alias string `json:"alias"`
}

// AggregateFunction is what a [Metric] computes.
type AggregateFunction string

// The functions. The order of values is that of a [Sort]; arrays have none.
const (
	// MetricCount is the number of objects, or with a path that of values.
	MetricCount AggregateFunction = aggregate.Count
	// MetricCountDistinct is the number of different values.
	MetricCountDistinct AggregateFunction = aggregate.CountDistinct
	// MetricSum is the sum of the numbers, 0 if there are none; other values are left out,
	// and a path that is declared as something else is refused. It is exact for
	// whole numbers within 64 bits. If there are others it is the 64-bit float
	// nearest to the exact sum, and null if there is none so large.
	MetricSum AggregateFunction = aggregate.Sum
	// MetricAvg is the 64-bit float nearest to the sum, divided by the number of numbers,
	// null if there are none. Otherwise it is like Sum.
	MetricAvg AggregateFunction = aggregate.Avg
	// MetricMin is the smallest value, null if there are none.
	MetricMin AggregateFunction = aggregate.Min
	// MetricMax is the largest value, null if there are none.
	MetricMax AggregateFunction = aggregate.Max
	// MetricFirst is the first value, of the oldest object that has any; else null.
	MetricFirst AggregateFunction = aggregate.First
	// MetricLast is the last value, of the newest object that has any; else null.
	MetricLast AggregateFunction = aggregate.Last
	// MetricPush is the list of all values.
	MetricPush AggregateFunction = aggregate.Push
	// MetricAddToSet is the list of the different values, each where it came first.
	MetricAddToSet AggregateFunction = aggregate.AddToSet
)

// Having is a condition on a group. A value of another type than Value is neither
// equal to it nor less nor greater. Text is compared to the letter.
type Having struct {
	// Field is the name of a metric that is not a list, or else of what is grouped
	// by, or else the path of a GroupBy.
	Field string `json:"field"`
	// Operator is "gt", "gte", "lt", "lte", "eq" or "ne".
	Operator string `json:"operator"`
	// Value is a number or string, or for what is a datetime a time.
	Value any `json:"value"`
}

// AggregateResult is the result of an [Aggregation]. Its JSON form is that of the
// hosted service's ObjectAggregationResponse. It belongs to the caller.
type AggregateResult struct {
	// Groups are the groups that were wanted, in order.
	Groups []AggregateGroup `json:"results"`
	// TotalGroups is how many Groups there are.
	TotalGroups int `json:"total_groups"`
}

// AggregateGroup is one group. Values are as in an [Object]'s Fields: numbers are
// [json.Number].
type AggregateGroup struct {
	// Group is what its objects have in common, by name.
	Group map[string]any `json:"group"`
	// Metrics are what was computed over them, by name.
	Metrics map[string]any `json:"metrics"`
}

// Int returns a metric that is a whole number within 64 bits, else 0.
func (g AggregateGroup) Int(alias string) int64 {
	n, _ := query.NumOf(g.Metrics[alias])
	i, _ := n.Int()
	return i
}

// Float returns a metric that is a number as the nearest 64-bit float, else 0.
func (g AggregateGroup) Float(alias string) float64 {
	n, _ := query.NumOf(g.Metrics[alias])
	return n.Float()
}

// Aggregate groups the bucket's objects and computes over each group. It looks at
// the bucket at one moment, and at each object once.
//
// Errors: a [*QueryError], which is [ErrBadRequest]; [ErrTooLarge] if there are too
// many groups or values; [ErrNotActive] while the bucket is suspended; [ErrNotFound].
func (b *Bucket) Aggregate(ctx context.Context, a Aggregation) (*AggregateResult, error) {
	plan, c, err := a.compile(b)
	if err != nil {
		return nil, err
	}
	var run *aggregate.Run
	err = b.store.readLong(ctx, func(ctx context.Context, conn *engine.Conn) error {
		run = plan.Start(aggregate.Limits{Groups: MaxAggregateGroups, Values: MaxAggregateValues, Bytes: keptBytes})
		return conn.Snapshot(func() error {
			if err := b.permit(conn, readObjects); err != nil {
				return err
			}
			return b.visit(ctx, conn, c, func(doc *rowDoc) error {
				if err := run.Add(doc); err != nil {
					return errorf("%s: %w: %v", b, ErrTooLarge, err)
				}
				return nil
			})
		})
	})
	if err != nil {
		return nil, err
	}
	rows, err := run.Results()
	if err != nil {
		return nil, errorf("%s: %w: %v", b, ErrTooLarge, err)
	}
	result := &AggregateResult{Groups: make([]AggregateGroup, len(rows)), TotalGroups: len(rows)}
	for i, row := range rows {
		result.Groups[i] = AggregateGroup(row)
	}
	return result, nil
}

// visit calls f with each object that c wants, in order of creation, amid a snapshot.
func (b *Bucket) visit(ctx context.Context, conn *engine.Conn, c *compiledQuery, f func(*rowDoc) error) error {
	how, err := b.choose(ctx, conn, c, true)
	if err != nil {
		return err
	}
	s := b.newScan(ctx, c)
	defer s.release()
	s.visit = f
	_, err = s.count(ctx, conn, how.source)
	return err
}

// compile judges a, and returns besides the query for the objects that count.
func (a Aggregation) compile(b *Bucket) (*aggregate.Plan, *compiledQuery, error) {
	faults := &QueryError{Subject: "aggregation"}
	plan, err := aggregate.Compile(a.spec(), b.types)
	if err != nil {
		faults.add(nil, err)
	}
	c, err := Query{Filter: a.Filter}.compile(b.store, list{}, b.types)
	var bad *QueryError
	switch {
	case errors.As(err, &bad):
		for _, issue := range bad.Issues {
			faults.issue(issue)
		}
		faults.Omitted += bad.Omitted
	case err != nil:
		return nil, nil, err
	}
	if len(faults.Issues) > 0 {
		return nil, nil, faults
	}
	c.system = c.system || slices.ContainsFunc(plan.Roots(), func(name string) bool { return inSystem([]string{name}) })
	return plan, c, nil
}

func (a Aggregation) spec() aggregate.Spec {
	spec := aggregate.Spec{Unwind: a.Unwind, SortBy: a.SortBy, Direction: string(a.SortDirection), Limit: a.Limit}
	for _, g := range a.GroupBy {
		spec.GroupBy = append(spec.GroupBy, aggregate.Group{Field: g.Field, Alias: g.Alias, Trunc: string(g.DateTrunc), Part: string(g.DatePart)})
	}
	for _, r := range a.RangeBuckets {
		spec.Ranges = append(spec.Ranges, aggregate.Range(r))
	}
	for _, m := range a.Metrics {
		spec.Metrics = append(spec.Metrics, aggregate.Metric{Function: string(m.Function), Field: m.Field, DistinctField: m.DistinctField, Alias: m.Alias})
	}
	for _, h := range a.Having {
		spec.Having = append(spec.Having, aggregate.Having(h))
	}
	return spec
}
