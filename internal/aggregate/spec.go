package aggregate

import "slices"

// Spec is an aggregation as it was asked for. Empty strings say nothing.
type Spec struct {
	GroupBy   []Group
	Ranges    []Range
	Metrics   []Metric
	Having    []Having
	Unwind    string // a path
	SortBy    string // the name of a group or metric
	Direction string // Ascending or Descending; empty means Descending
	Limit     int    // 0 for none
}

// Group is a path to group by.
type Group struct {
	Field string
	Alias string // empty means Field
	Trunc string // a unit: the instant at which it began
	Part  string // a unit: its number
}

// Range is a path to group by ranges of numbers.
type Range struct {
	Field      string
	Boundaries []any
	Default    string // empty means DefaultRange
}

// DefaultRange names the group of values in no range.
const DefaultRange = "other"

// Metric is a function computed over the documents of a group.
type Metric struct {
	Function      string
	Field         string
	DistinctField string // for CountDistinct, instead of Field
	Alias         string
}

// Having is a condition on a group.
type Having struct {
	Field    string // the name of a group or metric
	Operator string
	Value    any
}

// The directions of sorting.
const (
	Ascending  = "asc"
	Descending = "desc"
)

// The functions.
const (
	Count         = "count"
	CountDistinct = "count_distinct"
	Sum           = "sum"
	Avg           = "avg"
	Min           = "min"
	Max           = "max"
	First         = "first"
	Last          = "last"
	Push          = "push"
	AddToSet      = "add_to_set"
)

var functions = []string{Count, CountDistinct, Sum, Avg, Min, Max, First, Last, Push, AddToSet}

// The units of dates.
const (
	Year      = "year"
	Month     = "month"
	Week      = "week"
	Day       = "day"
	DayOfWeek = "dayOfWeek"
	DayOfYear = "dayOfYear"
	Hour      = "hour"
	Minute    = "minute"
	Second    = "second"
)

var (
	truncUnits = []string{Year, Month, Week, Day, Hour, Minute, Second}
	partUnits  = []string{Year, Month, Week, Day, DayOfWeek, DayOfYear, Hour, Minute, Second}
)

var operators = []string{"gt", "gte", "lt", "lte", "eq", "ne"}

// The bounds of a Spec.
const (
	MaxGroupBy    = 20  // paths to group by
	MaxRanges     = 20  // paths to group by ranges
	MaxMetrics    = 50  // metrics
	MaxHaving     = 50  // conditions on groups
	MaxBoundaries = 100 // boundaries of ranges
	MaxAlias      = 255 // characters of a name
)

// Limits bound the memory of a [Run].
type Limits struct {
	Groups int
	Values int // in lists and sets, of all groups
	Bytes  int // of memory, estimated, for groups and values
}

func oneOf(name string, names []string) bool { return slices.Contains(names, name) }
