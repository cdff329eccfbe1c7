package bucketlite

import (
	"context"
	"errors"

	"github.com/bucketlite/bucketlite/internal/aggregate"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/query"
)

// Limits of an aggregation, including its result. If one is exceeded, the error is
// [ErrTooLarge]; use a narrower Filter, fewer groups or collected values, or a
// smaller Limit.
const (
	MaxAggregateGroups = 1_000_000 // groups, before Having and Limit apply
	MaxAggregateValues = 1_000_000 // collected and distinct values, in all groups
	MaxAggregateBytes  = 256 << 20 // memory for groups, values and the result
)

// keptBytes limits the live memory of an aggregation. The rest of MaxAggregateBytes
// is left for garbage: the collector lets the heap grow to twice its live size.
const keptBytes = MaxAggregateBytes / 4 * 3

// Aggregation describes how to group objects and what to compute for each group.
//
// Objects are processed in order of creation. Those that match Filter are unwound and
// grouped, and the metrics are computed. Then Having removes groups, SortBy orders
// the rest, and Limit cuts them off.
//
// Paths are those of a [Filter]. Null counts as absent. Text values are equal if they
// are identical, including letter case. Numbers are equal if their values are, and so
// are instants in fields of type [DateTime]; the result shows them as the first
// object has them.
//
// The JSON form is that of the hosted service's ObjectAggregationRequest, with a
// [Filter] as filters. Faults are reported together, as a [*QueryError].
type Aggregation struct {
	// GroupBy lists the paths to group by: at most 20, and at least one unless there
	// are RangeBuckets.
	GroupBy []GroupBy `json:"group_by"`
	// Metrics are computed for each group: 1 to 50, with distinct names.
	Metrics []Metric `json:"aggregations"`
	// Filter selects the objects; the zero Filter selects all.
	Filter Filter `json:"filters,omitzero"`
	// Having selects the groups that satisfy all of its conditions, at most 50.
	Having []Having `json:"having,omitempty"`
	// Unwind is a path to an array. Each element counts as one object that has the
	// element in place of the array, so that paths through the array lead to that
	// element only: with "blobs", blobs.property is the property of one blob. Arrays
	// along the path are unwound too. An object whose value is null, absent or an
	// empty array does not count. A value that is not an array counts as its only
	// element.
	Unwind string `json:"unwind,omitempty"`
	// RangeBuckets group by ranges of numbers, in addition to GroupBy; at most 20.
	RangeBuckets []RangeBucket `json:"range_buckets,omitempty"`
	// SortBy is the name of a metric, else the name of a group key, else the path of
	// a GroupBy. Null comes last in either direction. Groups that are equal in it, or
	// all groups if SortBy is empty, are in ascending order of their keys.
	SortBy string `json:"sort_by,omitempty"`
	// SortDirection is "asc" or "desc"; empty means "desc".
	SortDirection SortDirection `json:"sort_direction,omitempty"`
	// Limit is the maximum number of groups in the result; 0 means all.
	Limit int `json:"limit,omitempty"`
}

// GroupBy is a path by which to group objects.
//
// An array is one value. If the path leads through an array, the value is the array
// of the values found in its elements. To count each element by itself, use
// [Aggregation].Unwind.
type GroupBy struct {
	// Field is the path.
	Field string `json:"field"`
	// Alias is the name of the key in the result. Default: Field.
	Alias string `json:"alias,omitempty"`
	// DateTrunc groups by the start of the year, month, week, day, hour, minute or
	// second, in UTC, as in "2024-05-06T00:00:00Z". Weeks start on Monday. A declared
	// field must be of type [Date] or [DateTime]. In an undeclared field, text that
	// is a date or datetime counts, and any other value counts as null.
	DateTrunc DateUnit `json:"date_trunc,omitempty"`
	// DatePart groups by a number: the year, month (1–12), week of ISO 8601 (1–53),
	// day of the month, day of the week (1–7, Sunday is 1) or of the year (1–366),
	// hour, minute or second, in UTC. The path is as for DateTrunc. DatePart and
	// DateTrunc exclude each other.
	DatePart DateUnit `json:"date_part,omitempty"`
}

// DateUnit is a unit of time.
type DateUnit string

// The units. UnitDayOfWeek and UnitDayOfYear are valid only in [GroupBy].DatePart.
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

// RangeBucket is a path by which to group objects, into ranges of numbers. Its key in
// the result has the path as its name.
//
// The boundaries 0, 60 and 300 make the ranges "0-60" and "60-300". A boundary
// belongs to the range below it: 60 is in "0-60", and 0 is in no range. Numbers
// outside all ranges, values that are no numbers, and absent values go to the Default
// bucket.
type RangeBucket struct {
	// Field is the path. A declared field must have a number type.
	Field string `json:"field"`
	// Boundaries are 1 to 100 numbers in strictly ascending order. A range is named
	// after its
	// two boundaries, as they are written.
	Boundaries []any `json:"boundaries"`
	// Default names the bucket of all other values. Empty means "other".
	Default string `json:"default_bucket,omitempty"`
}

// Metric is a value to compute over the objects of each group.
//
// The function applies to all values of the path, including those inside arrays,
// except nulls.
type Metric struct {
	// Function is the function to compute.
	Function AggregateFunction `json:"function"`
	// Field is the path. Only [MetricCount] works without one.
	Field string `json:"field,omitempty"`
	// DistinctField is another name for Field, for [MetricCountDistinct].
	DistinctField string `json:"distinct_field,omitempty"`
	// Alias is the name of the metric in the result.
	Alias string `json:"alias"`
}

// AggregateFunction is the function of a [Metric].
type AggregateFunction string

// The functions. Values are ordered as by a [Sort]; arrays have no order.
const (
	// MetricCount counts the objects, or with a path its values.
	MetricCount AggregateFunction = aggregate.Count
	// MetricCountDistinct counts the distinct values.
	MetricCountDistinct AggregateFunction = aggregate.CountDistinct
	// MetricSum is the sum of the numbers, 0 without any; other values are ignored. A
	// path declared as a type other than a number is refused. The sum of integers
	// within 64 bits is exact. Otherwise it is the 64-bit float nearest to the exact
	// sum, or null if no float is that large.
	MetricSum AggregateFunction = aggregate.Sum
	// MetricAvg is the 64-bit float nearest to the sum, divided by the count of
	// numbers; null without any. Otherwise it is like MetricSum.
	MetricAvg AggregateFunction = aggregate.Avg
	// MetricMin is the smallest value, null without any.
	MetricMin AggregateFunction = aggregate.Min
	// MetricMax is the largest value, null without any.
	MetricMax AggregateFunction = aggregate.Max
	// MetricFirst is the first value of the oldest object that has one; else null.
	MetricFirst AggregateFunction = aggregate.First
	// MetricLast is the last value of the newest object that has one; else null.
	MetricLast AggregateFunction = aggregate.Last
	// MetricPush is the list of all values.
	MetricPush AggregateFunction = aggregate.Push
	// MetricAddToSet is the list of distinct values, in order of first occurrence.
	MetricAddToSet AggregateFunction = aggregate.AddToSet
)

// Having is a condition on a group. A value whose type differs from Value's is
// neither equal to it, nor less, nor greater. Comparison of text is exact.
type Having struct {
	// Field is the name of a metric whose value is not a list, else the name of a
	// group key, else the path of a GroupBy.
	Field string `json:"field"`
	// Operator is "gt", "gte", "lt", "lte", "eq" or "ne".
	Operator string `json:"operator"`
	// Value is a number or string, or a time for a datetime.
	Value any `json:"value"`
}

// AggregateResult is the result of an [Aggregation]. It belongs to the caller. Its
// JSON form is that of the hosted service's ObjectAggregationResponse.
type AggregateResult struct {
	// Groups are the selected groups, in order.
	Groups []AggregateGroup `json:"results"`
	// TotalGroups is the length of Groups.
	TotalGroups int `json:"total_groups"`
}

// AggregateGroup is one group. Values have the types of an [Object]'s Fields: numbers
// are [json.Number].
type AggregateGroup struct {
	// Group holds the group's keys, by name.
	Group map[string]any `json:"group"`
	// Metrics are the computed values, by name.
	Metrics map[string]any `json:"metrics"`
}

// Int returns a metric as an int64, or 0 if it is not a whole number within 64 bits.
func (g AggregateGroup) Int(alias string) int64 {
	n, _ := query.NumOf(g.Metrics[alias])
	i, _ := n.Int()
	return i
}

// Float returns a metric as the nearest float64, or 0 if it is not a number.
func (g AggregateGroup) Float(alias string) float64 {
	n, _ := query.NumOf(g.Metrics[alias])
	return n.Float()
}

// Aggregate groups the bucket's objects and computes the metrics of each group. It
// reads a consistent snapshot of the bucket, and each object once.
//
// Errors: a [*QueryError], which matches [ErrBadRequest]; [ErrTooLarge] if there are
// too many groups or values; [ErrNotActive] if the bucket is suspended;
// [ErrNotFound].
func (b *Bucket) Aggregate(ctx context.Context, a Aggregation) (*AggregateResult, error) {
	var result *AggregateResult
	err := b.following(ctx, func(b *Bucket) (err error) {
		result, err = b.aggregate(ctx, a)
		return err
	})
	return result, err
}

func (b *Bucket) aggregate(ctx context.Context, a Aggregation) (*AggregateResult, error) {
	plan, c, err := a.compile(b)
	if err != nil {
		return nil, err
	}
	var run *aggregate.Run
	err = b.store.readLong(ctx, func(ctx context.Context, conn *engine.Conn) error {
		run = plan.Start(aggregate.Limits{Groups: MaxAggregateGroups, Values: MaxAggregateValues, Bytes: keptBytes})
		return conn.Snapshot(func() error {
			if err := b.readable(conn); err != nil {
				return err
			}
			how, err := index.Choose(ctx, conn, b.indexed(), &c.Query, true)
			if err != nil {
				return err
			}
			return how.Visit(ctx, conn, plan.Roots(), func(doc *index.Document) error {
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

// compile compiles a to a plan, and its Filter to a query.
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
		faults.Unsatisfiable = bad.Unsatisfiable && len(faults.Issues) == 0
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
