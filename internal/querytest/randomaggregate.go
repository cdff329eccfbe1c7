package querytest

import (
	"encoding/json"
	"fmt"
	"slices"
)

var functions = []string{"count", "count_distinct", "sum", "avg", "min", "max", "first", "last", "push", "add_to_set"}

// Aggregation returns the JSON form of an aggregation without faults.
func (r Random) Aggregation() map[string]any {
	request := make(map[string]any)
	var names []string               // of values that are not lists
	kinds := make(map[string]string) // of what is called so: number, datetime or text; "" for any
	var groups []any
	for i := range r.IntN(4) {
		path := pick(r, Paths)
		g := map[string]any{"field": path}
		kind := ""
		if Kind(path) == "datetime" {
			kind = "datetime"
		}
		if k := Kind(path); (k == "" || k == "date" || k == "datetime") && !r.oneIn(3) {
			if r.oneIn(2) {
				g["date_trunc"] = pick(r, []string{"year", "month", "week", "day", "hour", "minute", "second"})
				kind = "datetime"
			} else {
				g["date_part"] = pick(r, []string{"year", "month", "week", "day", "dayOfWeek", "dayOfYear", "hour", "minute", "second"})
				kind = "number"
			}
		}
		name := path
		if slices.Contains(names, path) || r.oneIn(2) {
			name = fmt.Sprint("g", i)
			g["alias"] = name
		}
		names, kinds[name] = append(names, name), kind
		groups = append(groups, g)
	}
	var ranges []any
	if len(groups) == 0 || r.oneIn(4) {
		path := pick(r, []string{"n", "i", "events.n", "any", "any.x", "list", "tags", "missing"})
		if !slices.Contains(names, path) {
			names, kinds[path] = append(names, path), "text"
			ranges = append(ranges, r.ranges(path))
		}
	}
	if len(groups)+len(ranges) == 0 {
		return r.Aggregation()
	}
	request["group_by"], request["range_buckets"] = groups, ranges
	var metrics []any
	var aliases []string
	for i := range 1 + r.IntN(4) {
		m, kind := r.metric()
		name := fmt.Sprint("m", i)
		if same := pick(r, append(names, name)); r.oneIn(6) && !slices.Contains(aliases, same) {
			name = same // which then means the metric
		}
		m["alias"] = name
		metrics, aliases = append(metrics, m), append(aliases, name)
		names = slices.DeleteFunc(names, func(n string) bool { return n == name })
		if kind != "list" {
			names, kinds[name] = append(names, name), kind
		}
	}
	if len(names) == 0 {
		return r.Aggregation()
	}
	request["aggregations"] = metrics
	if r.oneIn(3) {
		request["filters"] = r.Filter(2)
	}
	if r.oneIn(3) {
		request["unwind"] = pick(r, Paths)
	}
	request["having"] = r.list(r.IntN(3), func() any {
		name := pick(r, names)
		h := map[string]any{"field": name, "operator": pick(r, []string{"gt", "gte", "lt", "lte", "eq", "ne"})}
		switch kind := kinds[name]; {
		case kind == "datetime":
			h["value"] = r.time()
		case kind == "text":
			h["value"] = pick(r, []string{"other", "rest", "0-5", "5-1000", "", "a"})
		case kind == "number", r.oneIn(2):
			h["value"] = pick(r, []any{r.number(), json.Number("1"), json.Number("2")})
		default:
			h["value"] = r.text()
		}
		return h
	})
	if r.oneIn(2) {
		request["sort_by"] = pick(r, names)
	}
	if r.oneIn(2) {
		request["sort_direction"] = pick(r, []string{"asc", "desc"})
	}
	if r.oneIn(4) {
		request["limit"] = json.Number(fmt.Sprint(1 + r.IntN(5)))
	}
	return request
}

// metric returns a metric without its alias, and what it is.
func (r Random) metric() (m map[string]any, kind string) {
	function, path := pick(r, functions), pick(r, Paths)
	m = map[string]any{"function": function}
	switch function {
	case "sum", "avg":
		path = pick(r, []string{"n", "i", "events.n", "any", "any.x", "list", "tags", "events.more.x", "missing"})
		kind = "number"
	case "count", "count_distinct":
		kind = "number"
	case "push", "add_to_set":
		kind = "list"
	default:
		if Kind(path) == "datetime" {
			kind = "datetime"
		}
	}
	switch {
	case function == "count" && r.oneIn(2):
	case function == "count_distinct" && r.oneIn(2):
		m["distinct_field"] = path
	default:
		m["field"] = path
	}
	return m, kind
}

func (r Random) ranges(path string) map[string]any {
	bounds := []any{}
	for range 1 + r.IntN(5) {
		bounds = append(bounds, r.number())
	}
	slices.SortFunc(bounds, func(a, b any) int { return number(a).Cmp(number(b)) })
	bounds = slices.CompactFunc(bounds, func(a, b any) bool { return number(a).Cmp(number(b)) == 0 })
	buckets := map[string]any{"field": path, "boundaries": bounds}
	if r.oneIn(2) {
		buckets["default_bucket"] = pick(r, []any{"rest", nil})
	}
	return buckets
}
