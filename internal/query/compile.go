package query

// Kind is what the values at a path are declared to be.
type Kind uint8

// The kinds of declared values.
const (
	Undeclared Kind = iota
	String
	Number
	Boolean
	Date
	DateTime
	Other // objects, files, and arrays of anything
)

// Type is what is known of the values at a path.
type Type struct {
	// Kind is that of the value, or of the elements if it is an array.
	Kind Kind
	// Many tells that the path may lead through an array or end in one, and so
	// to any number of values. Of an undeclared path it is always so.
	Many bool
}

// Types tells the type of a path, given as its segments.
type Types func(path []string) Type

// Predicate is a filter made ready for use. It is safe for concurrent use.
type Predicate struct {
	// Root is the whole filter.
	Root *Node
}

// Node is a group or condition of a [Predicate]. It must not be changed.
type Node struct {
	// Op is And, Or or Not, or a condition's operator. That is never Ne or Nin,
	// nor Eq with null: they are here as Eq and In, negated, and as IsNull.
	Op Op
	// Negated turns a condition into its opposite.
	Negated bool
	// Nodes are the members of a group.
	Nodes []*Node

	// Path is what a condition is about, and Type what is declared of it.
	Path []string
	Type Type
	// CaseSensitive tells whether the case of letters matters.
	CaseSensitive bool
	// Value is what a condition compares with, prepared:
	//
	//   - for Eq: a bool, Num, string, Instant or *Whole;
	//   - for Gt, Lt, Gte and Lte: a Num, string or Instant;
	//   - for In: a *Set;
	//   - for Contains, StartsWith and EndsWith: a string;
	//   - for Regex: a *regexp.Regexp;
	//   - for HasWords: a *WordSet;
	//   - for Exists and IsNull: nil.
	//
	// Strings are folded unless CaseSensitive. It is an Instant exactly if the
	// Type's Kind is DateTime.
	Value any
}

// Compile checks e against the types that types declares, none if it is nil, and
// prepares it. An error is an [*Error] with every fault; those of types are at
// the condition's value.
func Compile(e *Expr, types Types) (*Predicate, error) { panic("query: to be written") }

// Match reports whether doc matches the filter.
func (p *Predicate) Match(doc Doc) bool { return p.Root.Match(doc) }

// Match reports whether doc matches the part of a filter that n is.
func (n *Node) Match(doc Doc) bool { panic("query: to be written") }

// Doc is a document to be matched.
type Doc interface {
	// Member returns the member of the document's root that is called name, a
	// plain value, and whether there is one.
	Member(name string) (v any, ok bool)
}

// Map is a document that is a map.
type Map map[string]any

// Member returns m[name].
func (m Map) Member(name string) (any, bool) {
	v, ok := m[name]
	return v, ok
}

// Num is a number as filters and sorting compare it: exactly if it is a whole
// number within 64 bits, however it is written, and otherwise as the nearest
// 64-bit float. Two are equal by == if and only if their values are.
type Num struct {
	i int64
	f float64
}

// Instant is a point in time: Unix seconds, and the nanoseconds past them.
type Instant struct {
	Sec   int64
	Nanos int32
}

// Whole is an array or object that is compared as a whole.
type Whole struct{ key string }

// Set is the list of an In, by type and without repetitions.
type Set struct {
	// Null, False and True tell whether those are in the list.
	Null, False, True bool
	Nums              []Num
	Strings           []string
	Instants          []Instant
	Wholes            []*Whole
}

// WordSet are the words that a text must have.
type WordSet struct {
	// Words are they, sorted and without repetitions.
	Words []string
}

// NumOf returns the number v is, of any plain number type.
func NumOf(v any) (Num, bool) { panic("query: to be written") }

// Compare returns -1, 0 or 1 for a less than, equal to or greater than b.
func (a Num) Compare(b Num) int { panic("query: to be written") }

// ParseInstant reads a datetime.
func ParseInstant(s string) (Instant, bool) { panic("query: to be written") }

// Compare orders the values that documents are sorted by: false, true, numbers,
// strings by code point, instants, objects by their compact JSON, and last nil,
// for what is absent or null.
func Compare(a, b any) int { panic("query: to be written") }

// AppendKey appends bytes for v to dst that have the order of [Compare].
func AppendKey(dst []byte, v any) []byte { panic("query: to be written") }

// Values returns all that path leads to in doc, through arrays.
func Values(doc Doc, path []string) []any { panic("query: to be written") }

// SortValue returns what doc is sorted by.
func SortValue(doc Doc, path []string, t Type, desc bool) any { panic("query: to be written") }

// Fold returns the form of s that it shares with all strings that differ from
// it only in case.
func Fold(s string) string { panic("query: to be written") }

// AppendFold appends the folded form of s to dst.
func AppendFold(dst []byte, s string) []byte { panic("query: to be written") }
