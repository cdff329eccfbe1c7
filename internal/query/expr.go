package query

import (
	"bytes"
	"encoding/json"

	"slices"

	"github.com/bucketlite/bucketlite/internal/value"
)

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
	NotIn      Op = "nin" // not In
	Contains   Op = "contains"
	StartsWith Op = "starts_with"
	EndsWith   Op = "ends_with"
	Regex      Op = "regex"
	Exists     Op = "exists"
	IsNull     Op = "is_null"
	Words      Op = "text"
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

// maxValueDepth is how deep a value may nest: as deep as stored values.
const maxValueDepth = value.DefaultMaxDepth

// Limits bounds the JSON text of a filter, so that every filter Parse takes can
// be read.
func Limits() value.Limits {
	return value.Limits{MaxDepth: 2*MaxDepth + 1 + maxValueDepth, MaxBytes: MaxBytes}
}

// isGroup reports whether o joins filters.
func (o Op) isGroup() bool { return o == And || o == Or || o == Not }

// Expr is a filter as it was written: a group of filters, or a condition. A nil
// Expr is the filter that everything matches. It is never changed once made, and
// may be part of several others.
type Expr struct {
	// Op is the operator of a group or condition.
	Op Op
	// Args are the members of a group.
	Args []*Expr
	// Path and Value are the two sides of a condition. The value is plain, and
	// its numbers are json.Number.
	Path  string
	Value any
	// CaseSensitive tells whether a condition, or every condition in a group
	// that does not itself say so, minds the case of letters. Nil says nothing.
	CaseSensitive *bool

	// steps lead from where a group stands in the text it was parsed from to
	// its members. Nil if they stand as in the canonical form.
	steps []value.Path
	// short tells that a condition was written in short, as the member of an
	// object.
	short bool
	// faults are the faults of its source.
	faults []exprFault
}

// An exprFault is a fault whose path begins where its Expr stands.
type exprFault struct {
	path          value.Path
	rule, message string
}

// Condition returns the condition that op holds between the value at path and v,
// which may be any Go value that value.Plain takes. It is copied. Whatever is
// wrong with it is for [Compile] to say.
func Condition(path string, op Op, v any) *Expr {
	e := &Expr{Op: op, Path: path}
	lim := value.Limits{MaxDepth: maxValueDepth, MaxBytes: MaxBytes}
	plain, ok := value.Plain(v, value.Path{{Name: "value"}}, lim, func(at value.Path, rule, message string) {
		if len(e.faults) < value.MaxFaults {
			e.faults = append(e.faults, exprFault{slices.Clone(at), rule, message})
		}
	})
	if ok {
		e.Value = normal(plain)
	}
	return e
}

// normal returns a copy of the plain value v whose numbers are json.Number.
func normal(v any) any {
	switch v := v.(type) {
	case nil, bool, string, json.Number:
		return v
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = normal(item)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, item := range v {
			object[name] = normal(item)
		}
		return object
	}
	return json.Number(value.AppendNumber(nil, v))
}

// Group returns what op, which is And, Or or Not, makes of args.
func Group(op Op, args ...*Expr) *Expr {
	return &Expr{Op: op, Args: slices.Clone(args)}
}

// MindCase returns e with the case of letters minded, or not, by every condition
// in it that does not itself say so.
func (e *Expr) MindCase(mind bool) *Expr {
	c := Expr{Op: And}
	if e != nil {
		c = *e
	}
	c.CaseSensitive = &mind
	return &c
}

// Check reports the faults of e, as far as can be known without declared
// types. The error is an [*Error] with every fault, whose places are those in
// the text e was parsed from, or else in its canonical form.
func (e *Expr) Check() error {
	_, err := Compile(e, nil)
	return err
}

// JSON returns the canonical JSON form of e as a plain value: every condition an
// object with field, operator and value, every group one with AND, OR or NOT.
// Parse makes an equal Expr of it. The Expr must be one that [Expr.Check] passes.
// The value shares memory with e.
func (e *Expr) JSON() any {
	form := make(map[string]any)
	if e == nil {
		return form
	}
	if e.CaseSensitive != nil {
		form["case_sensitive"] = *e.CaseSensitive
	}
	if !e.Op.isGroup() {
		form["field"], form["operator"], form["value"] = e.Path, string(e.Op), e.Value
		return form
	}
	if e.Op == And && len(e.Args) == 0 {
		return form
	}
	args := make([]any, len(e.Args))
	for i, arg := range e.Args {
		args[i] = arg.JSON()
	}
	form[string(e.Op)] = args
	return form
}

// Append appends the text of the canonical JSON form to dst.
func (e *Expr) Append(dst []byte) []byte { return value.Append(dst, e.JSON()) }

// Equal reports whether e and o are written alike, wherever they stood, and so
// mean the same. Numbers are alike if they are equal.
func (e *Expr) Equal(o *Expr) bool {
	if e == nil || o == nil {
		return e.isEverything() && o.isEverything()
	}
	mindful := e.CaseSensitive != nil
	return e.Op == o.Op && e.Path == o.Path && value.Equal(e.Value, o.Value) &&
		mindful == (o.CaseSensitive != nil) && (!mindful || *e.CaseSensitive == *o.CaseSensitive) &&
		slices.EqualFunc(e.Args, o.Args, (*Expr).Equal)
}

// isEverything reports whether e is written as the filter that everything matches.
func (e *Expr) isEverything() bool {
	return e == nil || e.Op == And && len(e.Args) == 0 && e.CaseSensitive == nil
}

// String returns e for people, as in: title eq "x" and not (n gt 5 or n lt 1). Long
// text is cut short.
func (e *Expr) String() string {
	w := exprWriter{}
	w.expr(e, true)
	return string(w.text)
}

// exprWriter writes an Expr for people until it is long enough.
type exprWriter struct {
	text []byte
	full bool
}

const maxExprText = 2000

func (w *exprWriter) write(s string) {
	if w.full {
		return
	}
	if w.text = append(w.text, s...); len(w.text) > maxExprText {
		w.text = append(bytes.ToValidUTF8(w.text[:maxExprText], nil), "…"...)
		w.full = true
	}
}

// expr writes e, in parentheses if it needs them where it is not on top.
func (w *exprWriter) expr(e *Expr, top bool) {
	switch {
	case w.full:
		return
	case e == nil:
		w.write("everything")
		return
	case !e.Op.isGroup():
		w.condition(e)
	case len(e.Args) == 0 && e.Op == Or:
		w.write("nothing")
	case len(e.Args) == 0:
		w.write("everything")
	default:
		w.group(e, top)
	}
	if e.CaseSensitive != nil {
		if *e.CaseSensitive {
			w.write(" (case sensitive)")
		} else {
			w.write(" (case insensitive)")
		}
	}
}

func (w *exprWriter) group(e *Expr, top bool) {
	word := " and "
	if e.Op != And {
		word = " or "
	}
	if e.Op == Not {
		w.write("not ")
	}
	one := len(e.Args) == 1
	bare := e.Op != Not && e.CaseSensitive == nil && (top || one)
	if !bare {
		w.write("(")
	}
	for i, arg := range e.Args {
		if i > 0 {
			w.write(word)
		}
		w.expr(arg, one && (top || !bare))
		if w.full {
			return
		}
	}
	if !bare {
		w.write(")")
	}
}

func (w *exprWriter) condition(e *Expr) {
	w.write(e.Path)
	w.write(" ")
	w.write(string(e.Op))
	w.write(" ")
	w.write(string(value.Append(nil, e.Value)))
}
