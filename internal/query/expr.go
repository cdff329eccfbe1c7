package query

// Op is an operator, under the name it has in a filter's JSON form.
type Op string

// The operators that join filters.
const (
	And Op = "AND" // all of them; of none: everything
	Or  Op = "OR"  // any of them; of none: nothing
	Not Op = "NOT" // none of them; of none: everything
)

// The operators of conditions.
const (
	Eq         Op = "eq"
	Ne         Op = "ne" // not Eq
	Gt         Op = "gt"
	Lt         Op = "lt"
	Gte        Op = "gte"
	Lte        Op = "lte"
	In         Op = "in"
	Nin        Op = "nin" // not In
	Contains   Op = "contains"
	StartsWith Op = "starts_with"
	EndsWith   Op = "ends_with"
	Regex      Op = "regex"
	Exists     Op = "exists"
	IsNull     Op = "is_null"
	HasWords   Op = "text"
)

// The bounds of a filter.
const (
	MaxDepth      = 32       // groups within groups, with the outermost
	MaxConditions = 1000     // and as many groups
	MaxValues     = 10_000   // elements of all arrays in values
	MaxString     = 64 << 10 // bytes of a string in a value
	MaxPattern    = 1000     // characters of a regular expression
	MaxBytes      = 1 << 20  // bytes of the JSON form
)

// Expr is a filter as it was written: a group of filters, or a condition. A nil
// Expr is the filter that everything matches. It is never changed once made, and
// may be part of several others.
type Expr struct {
	// Op is the operator of a group or condition.
	Op Op
	// Args are the members of a group.
	Args []*Expr
	// Path and Value are what a condition compares. The value is plain, and
	// its numbers are json.Number.
	Path  string
	Value any
	// CaseSensitive tells whether a condition, or every condition in a group
	// that does not itself say so, minds the case of letters. Nil says nothing.
	CaseSensitive *bool

}

// Condition returns the condition that op holds between what is at path and v,
// which may be any Go value that value.Plain takes and is copied. Whatever is
// wrong with them is for [Compile] to say.
func Condition(path string, op Op, v any) *Expr { panic("query: to be written") }

// Group returns what op, which is And, Or or Not, makes of args.
func Group(op Op, args ...*Expr) *Expr { panic("query: to be written") }

// Parse reads a filter from the plain value that is its JSON form, and checks
// what can be known without declared types. An error is an [*Error] with every
// fault. A null is a filter that everything matches.
func Parse(v any) (*Expr, error) { panic("query: to be written") }

// Check reports what is wrong with e, as far as can be known without declared
// types. The error is an [*Error] with every fault, whose places are those in
// the text e was parsed from, or else in its canonical form.
func (e *Expr) Check() error { panic("query: to be written") }

// JSON returns the canonical JSON form of e as a plain value: every condition an
// object with field, operator and value, every group one with AND, OR or NOT.
// Parse makes an equal Expr of it, if e has no faults.
func (e *Expr) JSON() any { panic("query: to be written") }

// Append appends the text of the canonical JSON form to dst.
func (e *Expr) Append(dst []byte) []byte { panic("query: to be written") }

// Equal reports whether e and o are written alike, wherever they stood. Numbers
// are alike if they are equal.
func (e *Expr) Equal(o *Expr) bool { panic("query: to be written") }
