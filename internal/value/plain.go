package value

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Report receives a fault: its place, the broken rule, and a message for people. The path is good only until the call returns.
type Report func(path Path, rule, message string)

// maxFaults is how many faults of one value are reported. A Go value can
// contain itself many times over and have no end of them.
const maxFaults = 1000

// Plain makes a plain value of any Go value. A value that is plain already is
// returned as it is. Otherwise the containers on the way to a part that is not
// are copied, and the part becomes
//
//   - a time.Time: text as in RFC 3339, in UTC if its own zone has no such form;
//   - a json.RawMessage: the value [Parse] reads from it, or nil if it is nil;
//   - a value of a named string, bool or number type: that of the basic type;
//   - a pointer: its target, or nil;
//   - an array, slice or map with string keys: []any or map[string]any, which
//     are empty if it is nil;
//   - anything else, and whatever implements json.Marshaler or
//     encoding.TextMarshaler: the value parsed from what json.Marshal makes of
//     it. (That replaces invalid UTF-8 within such a value by U+FFFD.)
//
// Faults are reported with their paths, which begin with path, in the order of
// member names and items. The rules are those of [SyntaxError], and "type" for
// a value without a JSON form, such as a function, or a []byte, whose meaning would
// have to be guessed. MaxBytes bounds the length of all strings and names plus
// one for every value, which is less than the JSON text would be long. Beyond
// it, or after a thousand faults, the rest of v goes unchecked.
//
// Plain reports false, and no value, if there was anything to report.
func Plain(v any, path Path, lim Limits, report Report) (any, bool) {
	lim = lim.withDefaults()

	// Nearly every value is sound, so the first pass looks for nothing but
	// the existence of a fault and keeps neither paths nor an order. Only the
	// second one, if it comes to that, pays for them.
	w := walker{limits: lim, depth: lim.MaxDepth, budget: lim.MaxBytes}
	if v, _ := w.value(v); !w.failed {
		return v, true
	}
	if report == nil {
		return nil, false
	}
	w = walker{limits: lim, depth: lim.MaxDepth, budget: lim.MaxBytes, report: report, path: slices.Clone(path)}
	if v, _ := w.value(v); !w.failed {
		return v, true
	}
	return nil, false
}

// walker visits a Go value and everything in it. Its methods return the plain form of
// their argument, and whether that differs from the argument.
type walker struct {
	limits Limits
	depth  int // how much deeper to go
	budget int // how many more bytes to take
	faults int
	failed bool // there was a fault
	stop   bool // there is no point in going on

	// Without a report the walk stops at the first fault and has no path.
	report Report
	path   Path
}

func (w *walker) fail(rule, message string) {
	w.failAt(w.path, rule, message)
}

func (w *walker) failAt(path Path, rule, message string) {
	w.failed = true
	if w.report == nil {
		w.stop = true
		return
	}
	w.report(path, rule, message)
	w.faults++
	if rule == ruleSize || w.faults == maxFaults {
		w.stop = true
	}
}

func (w *walker) push(s Segment) {
	if w.report != nil {
		w.path = append(w.path, s)
	}
}

func (w *walker) pop() {
	if w.report != nil {
		w.path = w.path[:len(w.path)-1]
	}
}

// spend takes n bytes from the budget.
func (w *walker) spend(n int) bool {
	if n > w.budget {
		w.fail(ruleSize, w.limits.exceeded())
		return false
	}
	w.budget -= n
	return true
}

func (w *walker) value(v any) (any, bool) {
	if !w.spend(1) {
		return nil, false
	}
	return w.visit(v)
}

// visit is value for a part that the budget has been charged for.
func (w *walker) visit(v any) (any, bool) {
	switch x := v.(type) {
	case nil, bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
	case string:
		w.text(x)
	case json.Number:
		w.number(x)
	case float64:
		w.float(x)
	case float32:
		w.float(float64(x))
	case []any:
		if a, changed := w.array(x, false); changed {
			return a, true
		}
	case map[string]any:
		if m, changed := w.object(x, false); changed {
			return m, true
		}
	default:
		return w.convert(v), true
	}
	return v, false
}

func (w *walker) text(s string) {
	switch {
	case !w.spend(len(s)):
	case !utf8.ValidString(s):
		w.fail(ruleUTF8, messageUTF8)
	case strings.IndexByte(s, 0) >= 0:
		w.fail(ruleNUL, messageNUL)
	}
}

func (w *walker) number(n json.Number) {
	if err := CheckNumber(string(n)); err != nil {
		w.fail(ruleNumber, err.Error())
	}
}

func (w *walker) float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		w.fail(ruleNumber, "number is not finite")
	}
}

// enter goes one level deeper, if that is allowed. The caller comes back up.
func (w *walker) enter() bool {
	if w.depth == 0 {
		w.fail(ruleDepth, messageDepth)
		return false
	}
	w.depth--
	return true
}

// array visits the items of a. They may be replaced in place if the walker
// owns a.
func (w *walker) array(a []any, owned bool) ([]any, bool) {
	if !w.enter() {
		return nil, false
	}
	out := a
	for i, item := range a {
		w.push(Segment{Index: i, IsIndex: true})
		x, changed := w.value(item)
		w.pop()
		if w.stop {
			break
		}
		if changed {
			if !owned {
				out = slices.Clone(a)
				owned = true
			}
			out[i] = x
		}
	}
	w.depth++
	return out, owned
}

// object visits the members of m. They may be replaced in place if the walker
// owns m.
func (w *walker) object(m map[string]any, owned bool) (map[string]any, bool) {
	if !w.enter() {
		return nil, false
	}
	out := m
	visit := func(name string, item any) {
		w.push(Segment{Name: name})
		w.text(name)
		x, changed := w.value(item)
		w.pop()
		if changed && !w.stop {
			if !owned {
				out = maps.Clone(m)
				owned = true
			}
			out[name] = x
		}
	}
	if w.report == nil {
		for name, item := range m {
			if visit(name, item); w.stop {
				break
			}
		}
	} else {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if visit(name, m[name]); w.stop {
				break
			}
		}
	}
	w.depth++
	return out, owned
}
