package aggregate

import (
	"fmt"
	"maps"

	"github.com/bucketlite/bucketlite/internal/query"
)

// Run carries out a plan. It serves one goroutine at a time.
type Run struct {
	plan   *Plan
	limits Limits

	slots  []any // the document's values at the plan's roots; nil for nothing
	groups map[string]*group

	key     []byte // of the document's group
	scratch []byte
	values  int // values kept, of Limits.Values
	bytes   int // and of Limits.Bytes
}

// A group is the state kept for the documents with the same key.
type group struct {
	key     string
	columns []any // the values they are grouped by; see column.derive
	metrics []accumulator
}

// Start begins to carry out the plan.
func (p *Plan) Start(limits Limits) *Run {
	return &Run{plan: p, limits: limits, slots: make([]any, len(p.roots)), groups: make(map[string]*group)}
}

// LimitError says which of the [Limits] has been passed.
type LimitError string

func (e LimitError) Error() string { return string(e) }

// Add takes another document. Values that the document returns are copied if they
// are kept. The error is a [LimitError]; after that the run is of no use.
func (r *Run) Add(doc query.Doc) error {
	for i, name := range r.plan.roots {
		r.slots[i] = nil
		if v, ok := doc.Member(name); ok {
			r.slots[i] = v
		}
	}
	u := r.plan.unwind
	if u == nil {
		return r.add()
	}
	return unwind(r.slots[u.root], u.rest, func(v any) error {
		r.slots[u.root] = v
		return r.add()
	})
}

// unwind calls f with each form of v in which the path rest, and every array on the way,
// leads to one element at a time. The argument of f is valid only until it
// returns.
func unwind(v any, rest []string, f func(any) error) error {
	switch x := v.(type) {
	case nil:
		return nil
	case []any:
		for _, item := range x {
			var err error
			if len(rest) == 0 {
				err = f(item)
			} else {
				err = unwind(item, rest, f)
			}
			if err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		if len(rest) == 0 {
			break
		}
		member, ok := x[rest[0]]
		if !ok {
			return nil
		}
		var copied map[string]any
		return unwind(member, rest[1:], func(v any) error {
			if copied == nil {
				copied = maps.Clone(x)
			}
			copied[rest[0]] = v
			return f(copied)
		})
	}
	if len(rest) > 0 {
		return nil
	}
	return f(v)
}

// add adds the document in the slots.
func (r *Run) add() error {
	r.key = r.key[:0]
	for i := range r.plan.columns {
		k := &r.plan.columns[i]
		r.key = k.appendKey(r.key, k.derive(r.standing(k.path)))
	}
	g := r.groups[string(r.key)]
	if g == nil {
		var err error
		if g, err = r.newGroup(); err != nil {
			return err
		}
	}
	for i := range r.plan.metrics {
		m := &r.plan.metrics[i]
		var err error
		if m.path == nil {
			err = g.metrics[i].add(r, m, nil)
		} else {
			err = r.feed(g.metrics[i], m, r.slots[m.path.root], m.path.rest)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// newGroup makes a group that begins with the document in the slots.
func (r *Run) newGroup() (*group, error) {
	g := &group{
		key:     string(r.key),
		columns: make([]any, len(r.plan.columns)),
		metrics: make([]accumulator, len(r.plan.metrics)),
	}
	size := groupSize + textSize(len(g.key)) + slotSize*len(g.columns)
	for i := range g.columns {
		k := &r.plan.columns[i]
		v, n := keep(k.derive(r.standing(k.path)))
		g.columns[i] = v
		size += n
	}
	for i := range g.metrics {
		g.metrics[i] = r.plan.metrics[i].newAccumulator()
		size += r.plan.metrics[i].accumulatorSize()
	}
	r.groups[g.key] = g
	if len(r.groups) > r.limits.Groups {
		return nil, LimitError(fmt.Sprintf("more than %d groups; narrow the filter, or group by fewer fields", r.limits.Groups))
	}
	return g, r.spend(0, size)
}

// spend counts kept values and bytes.
func (r *Run) spend(values, bytes int) error {
	r.values += values
	r.bytes += bytes
	switch {
	case r.values > r.limits.Values:
		return LimitError(fmt.Sprintf("more than %d values to collect; narrow the filter, or collect fewer fields", r.limits.Values))
	case r.bytes > r.limits.Bytes:
		return LimitError(fmt.Sprintf("groups and values take more than %d bytes of memory; narrow the filter, or group by and collect fewer fields", r.limits.Bytes))
	}
	return nil
}

// standing returns what stands at a path; nil for nothing.
func (r *Run) standing(p *path) any {
	v := r.slots[p.root]
	if len(p.rest) > 0 {
		v, _ = standing(v, p.rest)
	}
	return v
}

func standing(v any, rest []string) (any, bool) {
	if len(rest) == 0 {
		return v, true
	}
	switch x := v.(type) {
	case map[string]any:
		if member, ok := x[rest[0]]; ok {
			return standing(member, rest[1:])
		}
	case []any:
		all := []any{}
		for _, item := range x {
			if item, ok := standing(item, rest); ok {
				all = append(all, item)
			}
		}
		return all, true
	}
	return nil, false
}

// feed gives an accumulator all that the path rest leads to from v.
func (r *Run) feed(a accumulator, m *metric, v any, rest []string) error {
	switch x := v.(type) {
	case nil:
		return nil
	case []any:
		for _, item := range x {
			if err := r.feed(a, m, item, rest); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		if len(rest) > 0 {
			return r.feed(a, m, x[rest[0]], rest[1:])
		}
	}
	if len(rest) > 0 {
		return nil
	}
	return a.add(r, m, v)
}
