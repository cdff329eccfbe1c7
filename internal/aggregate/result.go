package aggregate

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/query"
)

// Row is a group and its metrics, as plain values by their names. Numbers are
// json.Number, except those that documents had in another type.
type Row struct {
	Group, Metrics map[string]any
}

// Results returns the groups that the plan wants, in the order that it wants: as it
// sorts them; equal rows, or all without one, are in ascending order of the keys.
// The results count towards the limits of the run: the error is a [LimitError].
func (r *Run) Results() ([]Row, error) {
	var found []sorted
	for _, g := range r.groups {
		if r.wants(g) {
			by := r.sortKey(g)
			if err := r.spend(0, textSize(len(by))); err != nil {
				return nil, err
			}
			found = append(found, sorted{g, by})
		}
	}
	slices.SortFunc(found, func(a, b sorted) int {
		return cmp.Or(a.compare(b, r.plan.asc), strings.Compare(a.key, b.key))
	})
	if r.plan.limit > 0 && len(found) > r.plan.limit {
		found = found[:r.plan.limit]
	}
	if r.bytes+len(found)*r.plan.rowSize() > r.limits.Bytes {
		return nil, LimitError(fmt.Sprintf("%d groups take more than %d bytes of memory as results; set a lower limit, or narrow the filter", len(found), r.limits.Bytes))
	}
	rows := make([]Row, len(found))
	for i, g := range found {
		rows[i] = r.row(g.group)
	}
	return rows, nil
}

// sorted is a group with its sort key, empty if that is null.
type sorted struct {
	*group
	by []byte
}

// compare has nulls last in either direction.
func (a sorted) compare(b sorted, asc bool) int {
	order := bytes.Compare(a.by, b.by)
	if len(a.by) == 0 || len(b.by) == 0 || !asc {
		return -order
	}
	return order
}

func (r *Run) sortKey(g *group) []byte {
	k := r.plan.sort
	if k == nil {
		return nil
	}
	v := r.value(g, *k)
	switch {
	case v == nil:
		return nil
	case !k.metric:
		return r.plan.columns[k.index].appendKey(nil, v)
	}
	return appendKey(nil, v, r.plan.kind(*k))
}

// value returns the value of a group in a cell.
func (r *Run) value(g *group, k cell) any {
	if k.metric {
		return g.metrics[k.index].show()
	}
	return g.columns[k.index]
}

func (r *Run) wants(g *group) bool {
	for _, c := range r.plan.having {
		v := r.value(g, c.cell)
		if !c.metric {
			if i, ok := v.(rangeIndex); ok {
				v = r.plan.columns[c.index].ranges.name(int(i))
			}
		}
		if !c.holds(v) {
			return false
		}
	}
	return true
}

// holds reports whether the condition holds for v. A value of another type than the
// condition's is neither equal nor less nor greater.
func (c *condition) holds(v any) bool {
	var order int
	same := false
	switch want := c.value.(type) {
	case query.Num:
		var n query.Num
		if n, same = query.NumOf(v); same {
			order = n.Compare(want)
		}
	case string:
		var s string
		if s, same = v.(string); same {
			order = strings.Compare(s, want)
		}
	case query.Instant:
		at, ok := v.(query.Instant)
		if s, isText := v.(string); isText {
			at, ok = query.ParseInstant(s)
		}
		if same = ok; same {
			order = at.Compare(want)
		}
	}
	switch c.op {
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

func (r *Run) row(g *group) Row {
	row := Row{make(map[string]any, len(g.columns)), make(map[string]any, len(g.metrics))}
	for i := range r.plan.columns {
		k := &r.plan.columns[i]
		row.Group[k.name] = k.show(g.columns[i])
	}
	for i := range r.plan.metrics {
		row.Metrics[r.plan.metrics[i].alias] = g.metrics[i].show()
	}
	return row
}
