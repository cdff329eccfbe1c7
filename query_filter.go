package bucketlite

import (
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Filter says which members of a list are wanted. The zero Filter wants all. It
// never changes, and is safe for concurrent use.
//
// A filter is a condition, made by [Eq] and its like, or a group, made by [And],
// [Or] and [Not]. A condition is about a path: the name of a field, or of a
// member of the system such as object_id, status, created_at or blobs, and
// names of members within it, with dots between them, as in "meta.author.name" or
// "blobs.details.mime_type". A path leads through arrays: a condition holds if it
// holds for any of the elements.
//
// Numbers are compared by value, 5 like 5.0 and 64-bit integers exactly, fields
// of type [DateTime] as instants, and strings without regard to case, unless
// [Filter.CaseSensitive] says otherwise. Values of different types are never
// equal, and neither is less than the other.
//
// Values are Go values as they may stand in an object's Fields. They are copied.
// What is wrong with one, or with a path or a pattern, shows when the filter is
// used or marshalled, as a [*QueryError] that names every fault.
//
// Its JSON form is that of the hosted service's LogicalOperator: groups are
// {"AND": […]}, {"OR": […]} and {"NOT": […]}, conditions {"field", "operator",
// "value"}, and both may have "case_sensitive". An object of other members asks
// for each of them to be equal: {"title": "Red sneaker"}.
type Filter struct {
	expr *query.Expr
}

// ParseFilter reads the JSON form of a filter, strictly. The error is a
// [*QueryError] with every fault. Of null, or an object without members, it makes
// the zero Filter.
func ParseFilter(data []byte) (Filter, error) {
	v, err := value.Parse(data, query.Limits())
	if err != nil {
		return Filter{}, &QueryError{Subject: "filter", Issues: syntaxIssues(filterPath, err)}
	}
	e, err := query.Parse(v)
	if err != nil {
		return Filter{}, queryError("filter", filterPath, err)
	}
	if e.Equal(nil) {
		e = nil
	}
	return Filter{e}, nil
}

// Eq wants the value at path to be v. With nil it is [IsNull]; with an array or
// object it compares that as a whole, or with each element of an array.
func Eq(path string, v any) Filter { return newCondition(path, query.Eq, v) }

// Ne wants what [Eq] does not, the absence of a value included.
func Ne(path string, v any) Filter { return newCondition(path, query.Ne, v) }

// Gt wants the value at path to be greater than v, which is a number, a string
// or, for a field of type [DateTime], a time.
func Gt(path string, v any) Filter { return newCondition(path, query.Gt, v) }

// Lt is like [Gt] for less than v.
func Lt(path string, v any) Filter { return newCondition(path, query.Lt, v) }

// Gte is like [Gt] for greater than or equal to v.
func Gte(path string, v any) Filter { return newCondition(path, query.Gte, v) }

// Lte is like [Gt] for less than or equal to v.
func Lte(path string, v any) Filter { return newCondition(path, query.Lte, v) }

// In wants the value at path to be one of values, as [Eq] does. It wants nothing
// if there are none. Values of several types are an In[any].
func In[T any](path string, values ...T) Filter { return newCondition(path, query.In, asAny(values)) }

// NotIn wants what [In] does not, the absence of a value included. It wants
// everything if there are no values.
func NotIn[T any](path string, values ...T) Filter {
	return newCondition(path, query.NotIn, asAny(values))
}

// Contains wants the string at path to contain text.
func Contains(path, text string) Filter { return newCondition(path, query.Contains, text) }

// StartsWith wants the string at path to begin with text.
func StartsWith(path, text string) Filter { return newCondition(path, query.StartsWith, text) }

// EndsWith wants the string at path to end with text.
func EndsWith(path, text string) Filter { return newCondition(path, query.EndsWith, text) }

// Regex wants the string at path to have a match for a regular expression, in the
// syntax of the regexp package, of at most 1000 characters. It need not match all
// of the string; ^ and $ make it so.
//
// All the expressions of a filter compile to at most 100,000 instructions; more is a
// fault of the filter. If the instructions of one, times the bytes of a string that it
// is matched with, exceed 50,000,000, the call ends with [ErrTooLarge], which names the
// object, the path and both numbers.
func Regex(path, pattern string) Filter { return newCondition(path, query.Regex, pattern) }

// Exists wants a value at path. A null is one.
func Exists(path string) Filter { return newCondition(path, query.Exists, true) }

// IsNull wants no value at path, or null.
func IsNull(path string) Filter { return newCondition(path, query.IsNull, true) }

// Words wants the string at path to have every word of text, in any order. A
// word is a run of letters, digits and marks. It wants nothing if text has none.
func Words(path, text string) Filter { return newCondition(path, query.Words, text) }

// And wants what all the filters want, and everything if there are none.
func And(filters ...Filter) Filter { return newGroup(query.And, filters) }

// Or wants what any of the filters wants, and nothing if there are none.
func Or(filters ...Filter) Filter { return newGroup(query.Or, filters) }

// Not wants what none of the filters wants, and everything if there are none.
func Not(filters ...Filter) Filter { return newGroup(query.Not, filters) }

// CaseSensitive returns f with upper and lower case told apart.
func (f Filter) CaseSensitive() Filter { return Filter{f.expr.MindCase(true)} }

// MarshalJSON returns the filter's JSON form, in which every condition has its
// operator and value. The error is a [*QueryError].
func (f Filter) MarshalJSON() ([]byte, error) {
	if err := f.expr.Check(); err != nil {
		return nil, queryError("filter", filterPath, err)
	}
	return f.expr.Append(nil), nil
}

// UnmarshalJSON is [ParseFilter].
func (f *Filter) UnmarshalJSON(data []byte) error {
	parsed, err := ParseFilter(data)
	if err == nil {
		*f = parsed
	}
	return err
}

// String returns the filter for people, as in
//
//	title eq "Red sneaker" and not (seconds gt 60)
//
// It is cut short if it is long.
func (f Filter) String() string { return f.expr.String() }

func newCondition(path string, op query.Op, v any) Filter {
	return Filter{query.Condition(path, op, v)}
}

// asAny returns values as an array of any.
func asAny[T any](values []T) []any {
	items := make([]any, len(values))
	for i, v := range values {
		items[i] = v
	}
	return items
}

func newGroup(op query.Op, filters []Filter) Filter {
	args := make([]*query.Expr, len(filters))
	for i, f := range filters {
		args[i] = f.expr
	}
	return Filter{query.Group(op, args...)}
}

// compile checks f against the types of a list's paths, and prepares it; nil wants
// everything. Conditions that say nothing of case mind it if caseSensitive.
func (f Filter) compile(types query.Types, caseSensitive bool) (*query.Predicate, error) {
	e := f.expr
	if e.Equal(nil) {
		return nil, nil
	}
	if caseSensitive && e.CaseSensitive == nil {
		e = e.MindCase(true)
	}
	return query.Compile(e, types)
}

// filterPath is where the filter stands in the JSON form of a query.
var filterPath = value.Path{{Name: "filters"}}

// queryError turns an error of the query package into one about subject, which
// stands at path.
func queryError(subject string, path value.Path, err error) error {
	e := &QueryError{Subject: subject}
	e.add(path, err)
	return e
}
