package aggregate

import (
	"encoding/json"
	"strconv"

	"github.com/bucketlite/bucketlite/internal/query"
)

// An accumulator computes a metric of one group.
type accumulator interface {
	// add takes a value, which is not nil and must be copied if it is kept; or nil
	// for a document if the metric is about no values.
	add(r *Run, m *metric, v any) error
	// show returns the result as a plain value.
	show() any
}

func (m *metric) newAccumulator() accumulator {
	switch m.function {
	case Count:
		return &counter{}
	case Sum:
		return &total{}
	case Avg:
		return &average{}
	case Min:
		return &extreme{wanted: -1}
	case Max:
		return &extreme{wanted: 1}
	case First:
		return &edge{}
	case Last:
		return &edge{last: true}
	case Push:
		return &list{}
	case AddToSet:
		return &set{}
	}
	return &distinct{}
}

// A counter counts documents or values.
type counter struct{ n int64 }

func (c *counter) add(*Run, *metric, any) error {
	c.n++
	return nil
}

func (c *counter) show() any { return json.Number(strconv.FormatInt(c.n, 10)) }

// A total is the sum of the numbers.
type total struct{ sum }

func (t *total) add(_ *Run, _ *metric, v any) error {
	if n, ok := query.NumOf(v); ok {
		t.sum.add(n)
	}
	return nil
}

// An average is the sum of the numbers, divided by how many they are.
type average struct {
	sum
	n int64
}

func (a *average) add(_ *Run, _ *metric, v any) error {
	if n, ok := query.NumOf(v); ok {
		a.sum.add(n)
		a.n++
	}
	return nil
}

func (a *average) show() any { return a.sum.average(a.n) }

// An extreme is the smallest or the largest value, the first of several that are
// equal.
type extreme struct {
	wanted int // what query.Compare says of a value and a worse one
	key    any // in the form that is compared; nil if there is none
	value  any
	size   int
}

func (e *extreme) add(r *Run, m *metric, v any) error {
	key := v
	switch x := v.(type) {
	case string:
		if m.path.typ.Kind == query.DateTime {
			if at, ok := query.ParseInstant(x); ok {
				key = at
			}
		}
	case map[string]any:
		key = query.Object(appendKey(nil, x, query.Undeclared))
	}
	if e.key != nil && query.Compare(key, e.key) != e.wanted {
		return nil
	}
	before := e.size
	e.value, e.size = keep(v)
	switch key := key.(type) {
	case string, json.Number:
		e.key = e.value
	default:
		e.key = key
	}
	if n, ok := query.NumOf(e.key); ok {
		e.key = n // so that its text is read once
	}
	return r.spend(0, e.size-before)
}

func (e *extreme) show() any { return e.value }

// An edge is the first or the last value.
type edge struct {
	last  bool
	value any
	size  int
}

func (e *edge) add(r *Run, _ *metric, v any) error {
	if e.value != nil && !e.last {
		return nil
	}
	before := e.size
	e.value, e.size = keep(v)
	return r.spend(0, e.size-before)
}

func (e *edge) show() any { return e.value }

// A list has all the values.
type list struct{ values []any }

func (l *list) add(r *Run, _ *metric, v any) error {
	v, size := keep(v)
	l.values = append(l.values, v)
	return r.spend(1, listSize+size)
}

func (l *list) show() any {
	if l.values == nil {
		return []any{}
	}
	return l.values
}

// A distinct counts the values that differ from each other.
type distinct struct{ keys map[string]struct{} }

func (d *distinct) add(r *Run, m *metric, v any) error {
	_, err := d.isNew(r, m, v)
	return err
}

// isNew reports whether v differs from all the values before.
func (d *distinct) isNew(r *Run, m *metric, v any) (bool, error) {
	r.scratch = appendKey(r.scratch[:0], v, m.path.typ.Kind)
	if _, ok := d.keys[string(r.scratch)]; ok {
		return false, nil
	}
	size := keySize + textSize(len(r.scratch))
	if d.keys == nil {
		d.keys = make(map[string]struct{})
		size += setSize
	}
	d.keys[string(r.scratch)] = struct{}{}
	return true, r.spend(1, size)
}

func (d *distinct) show() any { return json.Number(strconv.Itoa(len(d.keys))) }

// A set has the values that differ from each other, as they came first.
type set struct {
	distinct
	list
}

func (s *set) add(r *Run, m *metric, v any) error {
	isNew, err := s.isNew(r, m, v)
	if err != nil || !isNew {
		return err
	}
	return s.list.add(r, m, v)
}

func (s *set) show() any { return s.list.show() }
