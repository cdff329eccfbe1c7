package querytest

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Aggregate returns the groups that the aggregation whose JSON form is given, one
// without faults, makes of docs. Each has the members group and metrics. For kind
// see [Matches].
func Aggregate(request map[string]any, docs []map[string]any, kind func(path string) string) []any {
	var groups []*group
	for _, doc := range docs {
		if !Matches(request["filters"], doc, kind) {
			continue
		}
		units := []any{doc}
		if path, ok := request["unwind"].(string); ok {
			units = unwound(doc, strings.Split(path, "."))
		}
		for _, unit := range units {
			by := groupedBy(request, unit, kind)
			i := slices.IndexFunc(groups, func(g *group) bool { return compareAll(g.by, by) == 0 })
			if i < 0 {
				i = len(groups)
				groups = append(groups, &group{by: by})
			}
			groups[i].docs = append(groups[i].docs, unit)
		}
	}
	for _, g := range groups {
		for _, m := range items(request, "aggregations") {
			g.metrics = append(g.metrics, measure(m, g.docs, kind))
		}
	}
	for _, h := range items(request, "having") {
		groups = slices.DeleteFunc(groups, func(g *group) bool { return !g.has(h, kind) })
	}
	by, _ := request["sort_by"].(string)
	slices.SortFunc(groups, func(a, b *group) int {
		if by != "" {
			x, y := a.named(by), b.named(by)
			order := compareAny(x.sort, y.sort)
			if x.sort != nil && y.sort != nil && request["sort_direction"] != "asc" {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
		return compareAll(a.by, b.by)
	})
	if n, ok := request["limit"].(json.Number); ok {
		limit, err := strconv.Atoi(string(n))
		if err != nil {
			panic(err)
		}
		groups = groups[:min(limit, len(groups))]
	}
	results := []any{}
	for _, g := range groups {
		results = append(results, map[string]any{"group": shown(g.by), "metrics": shown(g.metrics)})
	}
	return results
}

type group struct {
	by      []named
	docs    []any
	metrics []named
}

// named is what a group has under a name.
type named struct {
	name, field string
	show        any
	sort        any // as compareAny takes it
}

func shown(all []named) map[string]any {
	m := make(map[string]any)
	for _, n := range all {
		m[n.name] = n.show
	}
	return m
}

func (g *group) named(name string) named {
	all := slices.Concat(g.metrics, g.by)
	if i := slices.IndexFunc(all, func(n named) bool { return n.name == name }); i >= 0 {
		return all[i]
	}
	return all[slices.IndexFunc(all, func(n named) bool { return n.field == name })]
}

func (g *group) has(having map[string]any, kind func(string) string) bool {
	n := g.named(having["field"].(string))
	have, want := n.sort, prepared(having["value"], false)
	if s, ok := n.show.(string); ok {
		have = s
		if t, ok := n.sort.(time.Time); ok {
			have, want = t, parseTime(want.(string))
		}
	}
	same := have != nil && place(have) == place(want)
	order := 0
	if same {
		order = compare(have, want)
	}
	switch having["operator"] {
	case "eq":
		return same && order == 0
	case "ne":
		return !same || order != 0
	case "gt":
		return same && order > 0
	case "gte":
		return same && order >= 0
	case "lt":
		return same && order < 0
	}
	return same && order <= 0
}

// items returns the objects in a list.
func items(request map[string]any, name string) []map[string]any {
	list, _ := request[name].([]any)
	objects := make([]map[string]any, len(list))
	for i, item := range list {
		objects[i] = item.(map[string]any)
	}
	return objects
}

// unwound returns v once for each element of the arrays on the way to what the
// segments lead to, and at its end.
func unwound(v any, segments []string) (all []any) {
	list, isList := v.([]any)
	switch {
	case v == nil:
	case isList && len(segments) == 0:
		return list
	case isList:
		for _, item := range list {
			all = append(all, unwound(item, segments)...)
		}
	case len(segments) == 0:
		return []any{v}
	default:
		object, _ := v.(map[string]any)
		for _, part := range unwound(object[segments[0]], segments[1:]) {
			one := maps.Clone(object)
			one[segments[0]] = part
			all = append(all, one)
		}
	}
	return all
}

func groupedBy(request map[string]any, doc any, kind func(string) string) (all []named) {
	for _, g := range items(request, "group_by") {
		path := g["field"].(string)
		n := named{name: path, field: path}
		if alias, ok := g["alias"].(string); ok {
			n.name = alias
		}
		v := whole(doc, strings.Split(path, "."))
		if _, ok := v.(absent); ok {
			v = nil
		}
		t, isTime := anyTime(v)
		switch {
		case g["date_trunc"] == nil && g["date_part"] == nil:
			n.show, n.sort = v, prepared(v, kind(path) == "datetime")
		case !isTime:
		case g["date_trunc"] != nil:
			begin := beginOf(t, g["date_trunc"].(string))
			n.show, n.sort = begin.Format("2006-01-02T15:04:05Z"), begin
		default:
			n.show = json.Number(strconv.Itoa(partOf(t, g["date_part"].(string))))
			n.sort = number(n.show)
		}
		all = append(all, n)
	}
	for _, r := range items(request, "range_buckets") {
		path := r["field"].(string)
		bounds := r["boundaries"].([]any)
		at := len(bounds)
		name, ok := r["default_bucket"].(string)
		if !ok {
			name = "other"
		}
		if v := number(whole(doc, strings.Split(path, "."))); v != nil {
			for i := range len(bounds) - 1 {
				if number(bounds[i]).Cmp(v) < 0 && v.Cmp(number(bounds[i+1])) <= 0 {
					at, name = i, string(bounds[i].(json.Number)+"-"+bounds[i+1].(json.Number))
				}
			}
		}
		all = append(all, named{name: path, show: name, sort: new(big.Rat).SetInt64(int64(at))})
	}
	return all
}

// whole returns what the segments lead to, or a list of that for each element of an
// array.
func whole(v any, segments []string) any {
	if len(segments) == 0 {
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		if member, ok := v[segments[0]]; ok {
			return whole(member, segments[1:])
		}
	case []any:
		list := []any{}
		for _, item := range v {
			item = whole(item, segments)
			if _, ok := item.(absent); !ok {
				list = append(list, item)
			}
		}
		return list
	}
	return absent{}
}

// anyTime returns the time that a date or datetime is.
func anyTime(v any) (time.Time, bool) {
	s, _ := v.(string)
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, true
	}
	t, ok := datetime(s)
	return t.UTC(), ok
}

func beginOf(t time.Time, unit string) time.Time {
	month, day, hour, minute, second := t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second()
	switch unit {
	case "year":
		month, day, hour, minute, second = 1, 1, 0, 0, 0
	case "month":
		day, hour, minute, second = 1, 0, 0, 0
	case "week":
		for t.Weekday() != time.Monday {
			t = t.AddDate(0, 0, -1)
		}
		month, day, hour, minute, second = t.Month(), t.Day(), 0, 0, 0
	case "day":
		hour, minute, second = 0, 0, 0
	case "hour":
		minute, second = 0, 0
	case "minute":
		second = 0
	}
	return time.Date(t.Year(), month, day, hour, minute, second, 0, time.UTC)
}

func partOf(t time.Time, unit string) int {
	_, week := t.ISOWeek()
	return map[string]int{
		"year": t.Year(), "month": int(t.Month()), "week": week, "day": t.Day(), "dayOfWeek": 1 + int(t.Weekday()),
		"dayOfYear": t.YearDay(), "hour": t.Hour(), "minute": t.Minute(), "second": t.Second(),
	}[unit]
}

// measure computes a metric.
func measure(m map[string]any, docs []any, kind func(string) string) named {
	n := named{name: m["alias"].(string)}
	path, hasPath := m["field"].(string)
	if distinct, ok := m["distinct_field"].(string); ok {
		path, hasPath = distinct, true
	}
	var values, sorts, sets []any
	sum := new(big.Rat)
	allWhole, numbers := true, 0
	for _, doc := range docs {
		if !hasPath {
			break
		}
		for _, v := range reached(doc, strings.Split(path, ".")) {
			switch v.(type) {
			case nil, absent, []any:
				continue
			}
			sort := prepared(v, kind(path) == "datetime")
			if !slices.ContainsFunc(sorts, func(s any) bool { return compareAny(s, sort) == 0 }) {
				sets = append(sets, v)
			}
			values, sorts = append(values, v), append(sorts, sort)
			if r := number(v); r != nil {
				sum.Add(sum, r)
				numbers++
				allWhole = allWhole && r.IsInt() && r.Num().IsInt64()
			}
		}
	}
	pick := -1
	switch m["function"] {
	case "count":
		n.show = json.Number(strconv.Itoa(len(docs)))
		if hasPath {
			n.show = json.Number(strconv.Itoa(len(values)))
		}
	case "count_distinct":
		n.show = json.Number(strconv.Itoa(len(sets)))
	case "sum":
		if n.show = floatOf(sum); allWhole {
			n.show = json.Number(sum.Num().String())
		}
	case "avg":
		if numbers == 0 {
			break
		}
		count := new(big.Rat).SetInt64(int64(numbers))
		if f, _ := sum.Float64(); !math.IsInf(f, 0) {
			nearest := new(big.Rat).SetFloat64(f)
			n.show = floatOf(nearest.Quo(nearest, count))
		} else {
			n.show = floatOf(sum.Quo(sum, count))
		}
	case "min", "max":
		for i := range values {
			if pick < 0 || m["function"] == "min" && compareAny(sorts[i], sorts[pick]) < 0 ||
				m["function"] == "max" && compareAny(sorts[i], sorts[pick]) > 0 {
				pick = i
			}
		}
	case "first":
		pick = min(0, len(values)-1)
	case "last":
		pick = len(values) - 1
	case "push":
		n.show = append([]any{}, values...)
	case "add_to_set":
		n.show = append([]any{}, sets...)
	}
	if pick >= 0 {
		n.show, n.sort = values[pick], sorts[pick]
	} else if number(n.show) != nil {
		n.sort = number(n.show)
	}
	return n
}

// floatOf returns the number of the nearest float, or nil if that is infinite.
func floatOf(r *big.Rat) any {
	f, _ := r.Float64()
	if math.IsInf(f, 0) {
		return nil
	}
	text, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	return json.Number(text)
}

// prepared returns v as compareAny takes it.
func prepared(v any, isTime bool) any {
	switch x := v.(type) {
	case json.Number:
		return number(x)
	case string:
		if isTime {
			return parseTime(x)
		}
	}
	return v
}

// compareAny compares any two values: scalars, then arrays, objects and nothing.
func compareAny(a, b any) int {
	if x, y := placeAmongAny(a), placeAmongAny(b); x != y || a == nil {
		return cmp.Compare(x, y)
	}
	switch a := a.(type) {
	case []any:
		b := b.([]any)
		for i := range min(len(a), len(b)) {
			if order := compareAny(prepared(a[i], false), prepared(b[i], false)); order != 0 {
				return order
			}
		}
		return cmp.Compare(len(a), len(b))
	case map[string]any:
		b := b.(map[string]any)
		x, y := slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(b))
		for i := range min(len(x), len(y)) {
			if order := strings.Compare(x[i], y[i]); order != 0 {
				return order
			}
			if order := compareAny(prepared(a[x[i]], false), prepared(b[x[i]], false)); order != 0 {
				return order
			}
		}
		return cmp.Compare(len(x), len(y))
	}
	return compare(a, b)
}

func placeAmongAny(v any) int {
	switch v.(type) {
	case []any:
		return 100
	case map[string]any:
		return 101
	case nil:
		return 102
	}
	return place(v)
}

func compareAll(a, b []named) int {
	for i := range a {
		if order := compareAny(a[i].sort, b[i].sort); order != 0 {
			return order
		}
	}
	return 0
}
