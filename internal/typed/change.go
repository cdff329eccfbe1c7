package typed

import (
	"iter"
	"maps"
	"slices"

	"github.com/bucketlite/bucketlite/internal/value"
)

// Change returns the fields of an object that differ between two values of the struct, in
// the form of a patch: a field that is gone is nil. stored are the object's own fields, of
// which the struct may know only some; before and after are what [Record.Encode] returns,
// in plain values. The patch keeps every member that the struct does not know. A list from
// which it cannot tell whose members those are is a fault.
func (r *Record) Change(f *value.Faults, stored, before, after map[string]any) map[string]any {
	c := changer{faults: f}
	patch := make(map[string]any)
	for i := range r.Fields {
		m := &r.Fields[i]
		was, had := before[m.Name]
		is, has := after[m.Name]
		if had == has && value.Equal(was, is) {
			continue
		}
		patch[m.Name] = c.merge(value.Path{{Name: m.Name}}, m.node, stored[m.Name], was, is)
	}
	return patch
}

// changer merges a changed value into the stored one.
type changer struct{ faults *value.Faults }

// merge returns the stored value with what has changed between was and is.
func (c *changer) merge(path value.Path, n *node, stored, was, is any) any {
	if value.Equal(was, is) {
		return stored
	}
	switch n = n.target(); n.kind {
	case kindRecord:
		known, ok := stored.(map[string]any)
		after, isObject := is.(map[string]any)
		if ok && isObject {
			before, _ := was.(map[string]any)
			return c.record(path, n.record, known, before, after)
		}
	case kindSlice, kindArray:
		known, ok := stored.([]any)
		before, wasList := was.([]any)
		after, isList := is.([]any)
		if ok && wasList && isList && len(known) == len(before) {
			return c.list(path, n.elem, known, before, after)
		}
	case kindMap:
		known, ok := stored.(map[string]any)
		before, wasObject := was.(map[string]any)
		after, isObject := is.(map[string]any)
		if ok && wasObject && isObject {
			merged := make(map[string]any, len(after))
			for name, v := range after {
				merged[name] = c.merge(slices.Clip(path).Member(name), n.elem, known[name], before[name], v)
			}
			return merged
		}
	}
	return is
}

// record keeps the members of the stored object that the struct does not know.
func (c *changer) record(path value.Path, r *Record, stored, was, is map[string]any) map[string]any {
	merged := make(map[string]any, len(stored))
	for name, v := range stored {
		if r.named[name] == nil {
			merged[name] = v
		}
	}
	for i := range r.Fields {
		m := &r.Fields[i]
		after, has := is[m.Name]
		before, had := was[m.Name]
		old, known := stored[m.Name]
		switch {
		case had == has && value.Equal(before, after):
			if known {
				merged[m.Name] = old
			}
		case has:
			merged[m.Name] = c.merge(slices.Clip(path).Member(m.Name), m.node, old, before, after)
		}
	}
	return merged
}

// list keeps what the struct does not know of the elements. An element that is as before
// keeps it wherever it is now, and a changed one in its place. If elements were changed and
// have moved, nobody knows which has become which.
func (c *changer) list(path value.Path, n *node, stored, was, is []any) []any {
	merged := make([]any, len(is))
	places := make(map[string][]int, len(was)) // of the elements before
	for i, v := range was {
		key := string(value.AppendKey(nil, v))
		places[key] = append(places[key], i)
	}
	var changed []int
	for i, v := range is {
		key := string(value.AppendKey(nil, v))
		if at := places[key]; len(at) > 0 {
			merged[i], places[key] = stored[at[0]], at[1:]
		} else {
			merged[i] = v
			changed = append(changed, i)
		}
	}
	gone := slices.Sorted(flatten(places))
	if slices.Equal(changed, gone) && len(was) == len(is) {
		for _, i := range changed {
			merged[i] = c.merge(slices.Clip(path).Item(i), n, stored[i], was[i], is[i])
		}
		return merged
	}
	for _, i := range gone {
		if len(changed) == 0 {
			break // they were removed
		}
		if at := unknown(slices.Clip(path).Item(i), n, stored[i]); at != "" {
			c.faults.Addf(path, ruleType, "elements have changed and moved, and the Go type does not know %s, which would be lost", at)
			break
		}
	}
	return merged
}

// flatten returns the numbers in the lists of a map.
func flatten(lists map[string][]int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, list := range lists {
			for _, n := range list {
				if !yield(n) {
					return
				}
			}
		}
	}
}

// unknown returns the path of a member of the stored value that the Go type does not know,
// or "" if it knows all.
func unknown(path value.Path, n *node, stored any) string {
	switch n = n.target(); n.kind {
	case kindRecord:
		members, _ := stored.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(members)) {
			at := slices.Clip(path).Member(name)
			m := n.record.named[name]
			if m == nil {
				return at.String()
			}
			if found := unknown(at, m.node, members[name]); found != "" {
				return found
			}
		}
	case kindSlice, kindArray:
		items, _ := stored.([]any)
		for i, v := range items {
			if found := unknown(slices.Clip(path).Item(i), n.elem, v); found != "" {
				return found
			}
		}
	case kindMap:
		members, _ := stored.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if found := unknown(slices.Clip(path).Member(name), n.elem, members[name]); found != "" {
				return found
			}
		}
	}
	return ""
}
