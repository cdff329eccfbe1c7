package aggregate

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// The rules a Spec can break.
const (
	ruleRequired  = "required"  // something must be there
	ruleUnknown   = "unknown"   // a function, operator or name that does not exist
	ruleEnum      = "enum"      // a word is none of those allowed
	ruleType      = "type"      // a value or a declaration has another type
	rulePath      = "path"      // a path cannot be used
	ruleName      = "name"      // a name cannot be used
	ruleDuplicate = "duplicate" // a name is taken
	ruleExclusive = "exclusive" // two things exclude each other
	ruleOrder     = "order"     // boundaries do not rise
	ruleCount     = "count"     // there are too many of something
	ruleMinimum   = "minimum"   // a number is too small
)

// Plan is a Spec made ready for use. It is safe for concurrent use.
type Plan struct {
	roots   []string // the members of documents that are read
	unwind  *path
	columns []column
	metrics []metric
	having  []condition
	sort    *cell
	asc     bool
	limit   int
}

// A path leads from a document's root.
type path struct {
	root int // index in Plan.roots
	rest []string
	typ  query.Type
}

// A metric is a function of the values at a path.
type metric struct {
	alias    string
	function string
	path     *path // nil to count documents
}

// A cell is a column or a metric of a group.
type cell struct {
	metric bool
	index  int
}

// A condition compares a cell with a value: a query.Num, string or query.Instant.
type condition struct {
	cell
	op    string
	value any
}

// Roots returns the names of the members of documents that the plan reads.
func (p *Plan) Roots() []string { return p.roots }

// Compile checks spec, the types of whose paths types tells. The error is a
// [*query.Error] with every fault, whose places are in the hosted service's form of
// an aggregation.
func Compile(spec Spec, types query.Types) (*Plan, error) {
	c := compiler{plan: &Plan{limit: spec.Limit}, types: types, groups: make(map[string]cell), metrics: make(map[string]cell)}
	if len(spec.GroupBy)+len(spec.Ranges) == 0 {
		c.fault("group_by", ruleRequired, "at least one field to group by is required")
	}
	if c.few("group_by", len(spec.GroupBy), MaxGroupBy) {
		for i, g := range spec.GroupBy {
			c.group(fmt.Sprintf("group_by[%d]", i), g)
		}
	}
	if len(spec.Metrics) == 0 {
		c.fault("aggregations", ruleRequired, "at least one aggregation is required")
	}
	// Ranges come before the metrics, as all that groups are made by does.
	if c.few("range_buckets", len(spec.Ranges), MaxRanges) {
		for i, r := range spec.Ranges {
			c.ranges(fmt.Sprintf("range_buckets[%d]", i), r)
		}
	}
	if c.few("aggregations", len(spec.Metrics), MaxMetrics) {
		for i, m := range spec.Metrics {
			c.metric(fmt.Sprintf("aggregations[%d]", i), m)
		}
	}
	if spec.Unwind != "" {
		c.plan.unwind = c.path("unwind", spec.Unwind)
	}
	if c.few("having", len(spec.Having), MaxHaving) {
		for i, h := range spec.Having {
			c.condition(fmt.Sprintf("having[%d]", i), h)
		}
	}
	c.order(spec)
	if spec.Limit < 0 {
		c.fault("limit", ruleMinimum, "1 or more expected, got %d", spec.Limit)
	}
	if len(c.err.Faults) > 0 {
		return nil, &c.err
	}
	return c.plan, nil
}

type compiler struct {
	plan  *Plan
	types query.Types
	err   query.Error

	groups, metrics map[string]cell // by their names

	paths  []string // of the columns that are not of ranges
	broken bool     // some column or metric has no name that could be asked for
}

func (c *compiler) fault(at, rule, format string, args ...any) {
	if len(c.err.Faults) == value.MaxFaults {
		c.err.Omitted++
		return
	}
	c.err.Faults = append(c.err.Faults, value.Fault{Path: at, Rule: rule, Message: fmt.Sprintf(format, args...)})
}

// few reports whether there are no more than most of something.
func (c *compiler) few(at string, n, most int) bool {
	if n > most {
		c.fault(at, ruleCount, "at most %d expected, got %d", most, n)
		c.broken = true
	}
	return n <= most
}

// path returns the path that text is, or nil after a fault.
func (c *compiler) path(at, text string) *path {
	if text == "" {
		c.fault(at, ruleRequired, "a path is required")
		return nil
	}
	segments, err := query.ParsePath(text)
	if err != nil {
		c.fault(at, rulePath, "%v", err)
		return nil
	}
	p := &path{rest: segments[1:], typ: query.Type{Many: true}}
	if c.types != nil {
		p.typ = c.types(segments)
	}
	if p.root = slices.Index(c.plan.roots, segments[0]); p.root < 0 {
		p.root = len(c.plan.roots)
		c.plan.roots = append(c.plan.roots, segments[0])
	}
	return p
}

// name gives a cell its name, which no other of names may have.
func (c *compiler) name(names map[string]cell, at, name string, as cell) {
	switch _, taken := names[name]; {
	case name == "":
		c.fault(at, ruleRequired, "a name is required")
	case !utf8.ValidString(name) || strings.IndexByte(name, 0) >= 0:
		c.fault(at, ruleName, "a name must be valid UTF-8 without U+0000")
	case len(name) > MaxAlias && utf8.RuneCountInString(name) > MaxAlias:
		c.fault(at, ruleName, "a name has at most %d characters, got %d", MaxAlias, utf8.RuneCountInString(name))
	case taken:
		c.fault(at, ruleDuplicate, "the name %s is taken", value.Show(name))
	default:
		names[name] = as
		return
	}
	c.broken = true
}

func (c *compiler) group(at string, g Group) {
	k := column{name: g.Alias, trunc: g.Trunc, part: g.Part}
	nameAt := at + ".alias"
	if k.name == "" {
		k.name, nameAt = g.Field, at+".field"
	}
	if k.path = c.path(at+".field", g.Field); k.path == nil {
		c.broken = true
	}
	if k.name != "" && (k.path != nil || g.Alias != "") {
		c.name(c.groups, nameAt, k.name, cell{index: len(c.plan.columns)})
	}
	c.unit(at+".date_trunc", g.Trunc, truncUnits)
	c.unit(at+".date_part", g.Part, partUnits)
	switch {
	case g.Trunc != "" && g.Part != "":
		c.fault(at+".date_part", ruleExclusive, "date_trunc and date_part exclude each other")
	case g.Trunc != "" || g.Part != "":
		c.expect(at+".field", k.path, "a date or datetime", query.Date, query.DateTime)
	}
	c.plan.columns = append(c.plan.columns, k)
	c.paths = append(c.paths, g.Field)
}

func (c *compiler) unit(at, unit string, units []string) {
	if unit != "" && !oneOf(unit, units) {
		c.fault(at, ruleEnum, "one of %s expected, got %s", strings.Join(units, " "), value.Show(unit))
	}
}

// expect adds a fault if the declared kind of a path is none of the kinds.
func (c *compiler) expect(at string, p *path, what string, kinds ...query.Kind) {
	if p != nil && p.typ.Kind != query.Undeclared && !slices.Contains(kinds, p.typ.Kind) {
		c.fault(at, ruleType, "%s expected, but the field is declared as %s", what, declared[p.typ.Kind])
	}
}

// declared are the kinds as messages name them.
var declared = map[query.Kind]string{
	query.String: "a string", query.Number: "a number", query.Boolean: "a boolean", query.Date: "a date", query.DateTime: "a datetime",
	query.Other: "something else",
}

func (c *compiler) ranges(at string, r Range) {
	k := column{name: r.Field, path: c.path(at+".field", r.Field), ranges: &ranges{other: r.Default}}
	if k.path == nil {
		c.broken = true
	} else {
		c.name(c.groups, at+".field", r.Field, cell{index: len(c.plan.columns)})
		c.expect(at+".field", k.path, "a number", query.Number)
	}
	if k.ranges.other == "" {
		k.ranges.other = DefaultRange
	}
	c.boundaries(at, k.ranges, r.Boundaries)
	if slices.Contains(k.ranges.names, k.ranges.other) {
		c.fault(at+".default_bucket", ruleDuplicate, "the name %s is that of a range", value.Show(k.ranges.other))
	}
	c.plan.columns = append(c.plan.columns, k)
}

func (c *compiler) boundaries(at string, r *ranges, boundaries []any) {
	at += ".boundaries"
	if len(boundaries) == 0 {
		c.fault(at, ruleRequired, "at least one boundary is required")
	}
	if !c.few(at, len(boundaries), MaxBoundaries) {
		return
	}
	before := ""
	for i, b := range boundaries {
		at := fmt.Sprintf("%s[%d]", at, i)
		v, ok := c.plain(at, b)
		if !ok {
			return
		}
		n, ok := query.NumOf(v)
		if !ok {
			c.fault(at, ruleType, "a number expected, got %s", value.Show(v))
			return
		}
		text := string(value.AppendNumber(nil, v))
		if i > 0 {
			if n.Compare(r.bounds[i-1]) <= 0 {
				c.fault(at, ruleOrder, "a number above %s expected, got %s", before, text)
				return
			}
			r.names = append(r.names, before+"-"+text)
		}
		r.bounds = append(r.bounds, n)
		before = text
	}
}

// plain returns a Go value as a plain value.
func (c *compiler) plain(at string, v any) (any, bool) {
	return value.Plain(v, nil, value.Limits{MaxBytes: query.MaxString}, func(path value.Path, rule, message string) {
		place := at
		if rest := path.String(); rest != "" && rest[0] != '[' {
			place += "." + rest
		} else {
			place += rest
		}
		c.fault(place, rule, "%s", message)
	})
}

func (c *compiler) metric(at string, m Metric) {
	k := metric{alias: m.Alias, function: m.Function}
	c.name(c.metrics, at+".alias", m.Alias, cell{true, len(c.plan.metrics)})
	field, fieldAt := m.Field, at+".field"
	switch {
	case m.Function == "":
		c.fault(at+".function", ruleRequired, "a function is required")
	case !oneOf(m.Function, functions):
		c.fault(at+".function", ruleUnknown, "unknown function %s, the functions are %s", value.Show(m.Function), strings.Join(functions, " "))
	case m.DistinctField == "":
	case m.Function == CountDistinct:
		field, fieldAt = m.DistinctField, at+".distinct_field"
	default:
		c.fault(at+".distinct_field", ruleExclusive, "only %s takes a distinct_field", CountDistinct)
	}
	if field != "" || oneOf(m.Function, functions) && m.Function != Count {
		k.path = c.path(fieldAt, field)
	}
	if m.Function == Sum || m.Function == Avg {
		c.expect(fieldAt, k.path, "a number", query.Number)
	}
	c.plan.metrics = append(c.plan.metrics, k)
}

// cell returns the cell called name: a metric, or else a column, or else the only
// column whose path that is.
func (c *compiler) cell(at, name string) (cell, bool) {
	if name == "" {
		c.fault(at, ruleRequired, "the name of a group or an aggregation is required")
		return cell{}, false
	}
	for _, names := range []map[string]cell{c.metrics, c.groups} {
		if k, ok := names[name]; ok {
			return k, true
		}
	}
	i := slices.Index(c.paths, name)
	if i >= 0 && !slices.Contains(c.paths[i+1:], name) {
		return cell{index: i}, true
	}
	// The name may belong to a group or metric with faults of its own.
	if !c.broken {
		c.fault(at, ruleUnknown, "no group or aggregation is called %s", value.Show(name))
	}
	return cell{}, false
}

func (c *compiler) condition(at string, h Having) {
	k := condition{op: h.Operator}
	var ok bool
	if k.cell, ok = c.cell(at+".field", h.Field); ok {
		k.value = c.comparand(at+".value", k.cell, h.Value)
	}
	switch {
	case h.Operator == "":
		c.fault(at+".operator", ruleRequired, "an operator is required")
	case !oneOf(h.Operator, operators):
		c.fault(at+".operator", ruleUnknown, "unknown operator %s, the operators are %s", value.Show(h.Operator), strings.Join(operators, " "))
	}
	c.plan.having = append(c.plan.having, k)
}

// comparand checks a value that a cell is compared with.
func (c *compiler) comparand(at string, k cell, v any) any {
	v, ok := c.plain(at, v)
	if !ok {
		return nil
	}
	kind := c.plan.kind(k)
	if kind == query.Other {
		c.fault(at, ruleType, "a list cannot be compared")
		return nil
	}
	s, isText := v.(string)
	n, isNumber := query.NumOf(v)
	switch {
	case kind == query.DateTime:
		if instant, ok := query.ParseInstant(s); ok && isText {
			return instant
		}
		c.fault(at, ruleType, "a datetime expected, got %s", value.Show(v))
	case kind == query.Number && !isNumber:
		c.fault(at, ruleType, "a number expected, got %s", value.Show(v))
	case kind == query.String && !isText:
		c.fault(at, ruleType, "a string expected, got %s", value.Show(v))
	case isText:
		return s
	case isNumber:
		return n
	default:
		c.fault(at, ruleType, "a number or string expected, got %s", value.Show(v))
	}
	return nil
}

// kind returns the kind of a cell's values: numbers, strings, datetimes, lists,
// which are Other, or Undeclared.
func (p *Plan) kind(k cell) query.Kind {
	var at *path
	if k.metric {
		m := p.metrics[k.index]
		switch m.function {
		case Count, CountDistinct, Sum, Avg:
			return query.Number
		case Push, AddToSet:
			return query.Other
		}
		at = m.path
	} else {
		k := p.columns[k.index]
		switch {
		case k.part != "":
			return query.Number
		case k.trunc != "":
			return query.DateTime
		case k.ranges != nil:
			return query.String
		}
		at = k.path
	}
	if at != nil && at.typ.Kind == query.DateTime {
		return query.DateTime
	}
	return query.Undeclared
}

func (c *compiler) order(spec Spec) {
	switch spec.Direction {
	case "", Descending:
	case Ascending:
		c.plan.asc = true
	default:
		c.fault("sort_direction", ruleEnum, "%q or %q expected, got %s", Ascending, Descending, value.Show(spec.Direction))
	}
	if spec.SortBy == "" {
		return
	}
	k, ok := c.cell("sort_by", spec.SortBy)
	if !ok {
		return
	}
	if c.plan.kind(k) == query.Other {
		c.fault("sort_by", ruleType, "groups cannot be sorted by a list")
		return
	}
	c.plan.sort = &k
}
