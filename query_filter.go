package bucketlite

import (
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Filter selects members of a list. The zero Filter selects all. A Filter is
// immutable and safe for concurrent use.
//
// A filter is a condition, made by [Eq] and the like, or a group, made by [And], [Or]
// and [Not]. A condition applies to a path: the name of a field, or of a system
// member such as object_id, status, created_at or blobs, followed by names of nested
// members, with dots between them, as in "meta.author.name" or
// "blobs.details.mime_type". If a path leads through an array, the condition holds if
// it holds for any element.
//
// Numbers are compared by value, 5 equal to 5.0 and 64-bit integers exactly; fields
// of type [DateTime] as instants; and strings without regard to case, unless
// [Filter.CaseSensitive] is used. Values of different types are never equal, and
// neither is less than the other.
//
// Unicode has two encodings of é: one character, and e with an accent, which file names
// from macOS have. They are the same text, in Unicode's normalisation form C, for every
// comparison without regard to case, for [Contains], [StartsWith], [EndsWith] and
// [Words], and for [Query].Search. Other case-sensitive comparisons, [Regex], sorting and
// unique keys distinguish them.
//
// Values may be any Go values that an object's Fields may hold, and are copied.
// Faults of values, paths and patterns are reported together when the filter is used
// or marshaled, as a [*QueryError].
//
// The JSON form is that of the hosted service's LogicalOperator: groups are {"AND":
// […]}, {"OR": […]} and {"NOT": […]}, conditions are {"field", "operator", "value"},
// and both may have "case_sensitive". An object with any other members requires each
// of these to be equal: {"title": "Red sneaker"}.
type Filter struct {
	expr *query.Expr
}

// ParseFilter decodes the JSON form of a filter, strictly. Null and an empty object
// make the zero Filter. The text may begin with a byte order mark, as for
// [ObjectInput.UnmarshalJSON]. The error is a [*QueryError] with all faults.
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

// Eq matches if the value at path equals v. A nil v is like [IsNull]. An array or
// object v is compared as a whole, and also with each element of an array.
func Eq(path string, v any) Filter { return newCondition(path, query.Eq, v) }

// Ne matches if [Eq] does not, also if there is no value.
func Ne(path string, v any) Filter { return newCondition(path, query.Ne, v) }

// Gt matches if the value at path is greater than v, which is a number, a string or,
// for a field of type [DateTime], a time.
func Gt(path string, v any) Filter { return newCondition(path, query.Gt, v) }

// Lt is like [Gt], for values less than v.
func Lt(path string, v any) Filter { return newCondition(path, query.Lt, v) }

// Gte is like [Gt], for values greater than or equal to v.
func Gte(path string, v any) Filter { return newCondition(path, query.Gte, v) }

// Lte is like [Gt], for values less than or equal to v.
func Lte(path string, v any) Filter { return newCondition(path, query.Lte, v) }

// In matches if the value at path equals one of values, in the sense of [Eq]. Without
// values it matches nothing. Use In[any] for values of several types.
func In[T any](path string, values ...T) Filter { return newCondition(path, query.In, asAny(values)) }

// NotIn matches if [In] does not, also if there is no value. Without values it
// matches everything.
func NotIn[T any](path string, values ...T) Filter {
	return newCondition(path, query.NotIn, asAny(values))
}

// Contains matches if the string at path contains text.
func Contains(path, text string) Filter { return newCondition(path, query.Contains, text) }

// StartsWith matches if the string at path begins with text.
func StartsWith(path, text string) Filter { return newCondition(path, query.StartsWith, text) }

// EndsWith matches if the string at path ends with text.
func EndsWith(path, text string) Filter { return newCondition(path, query.EndsWith, text) }

// Regex matches if the string at path contains a match of a regular expression, in
// the syntax of package regexp, of at most 1000 characters. Use ^ and $ to match the
// whole string.
//
// All expressions of a filter may compile to at most 100,000 instructions; more are a
// fault of the filter. If the instructions of one expression, times the bytes of the
// string, exceed 50,000,000, the call fails with [ErrTooLarge], which names the
// object, the path and both numbers.
func Regex(path, pattern string) Filter { return newCondition(path, query.Regex, pattern) }

// Exists matches if there is a value at path. Null is a value.
func Exists(path string) Filter { return newCondition(path, query.Exists, true) }

// IsNull matches if the value at path is null or absent.
func IsNull(path string) Filter { return newCondition(path, query.IsNull, true) }

// Words matches if the string at path has every word of text, in any order. A word is
// a run of letters, digits and marks. If text has no words, it matches nothing.
func Words(path, text string) Filter { return newCondition(path, query.Words, text) }

// And matches if all filters match. Without filters it matches everything.
func And(filters ...Filter) Filter { return newGroup(query.And, filters) }

// Or matches if any of the filters matches. Without filters it matches nothing.
func Or(filters ...Filter) Filter { return newGroup(query.Or, filters) }

// Not matches if none of the filters matches. Without filters it matches everything.
func Not(filters ...Filter) Filter { return newGroup(query.Not, filters) }

// CaseSensitive returns a copy of f that distinguishes upper and lower case.
func (f Filter) CaseSensitive() Filter { return Filter{f.expr.MindCase(true)} }

// MarshalJSON returns the filter's JSON form, with the operator and value of every
// condition. The error is a [*QueryError].
func (f Filter) MarshalJSON() ([]byte, error) {
	if err := f.expr.Check(); err != nil {
		return nil, queryError("filter", filterPath, err)
	}
	return f.expr.Append(nil), nil
}

// UnmarshalJSON decodes the JSON form, as [ParseFilter] does.
func (f *Filter) UnmarshalJSON(data []byte) error {
	parsed, err := ParseFilter(data)
	if err == nil {
		*f = parsed
	}
	return err
}

// String returns a readable form of the filter, as in
//
//	title eq "Red sneaker" and not (seconds gt 60)
//
// A long form is truncated.
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

// compile compiles f for a list whose paths have the given types; nil matches
// everything. caseSensitive is the default for conditions that do not set their own
// sensitivity.
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

// filterPath is the path of the filter in the JSON form of a query.
var filterPath = value.Path{{Name: "filters"}}

// queryError converts an error of package query to one about subject, with its paths
// below path.
func queryError(subject string, path value.Path, err error) error {
	e := &QueryError{Subject: subject}
	e.add(path, err)
	return e
}
