package assertion

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/kaptinlin/jsonschema"
)

// A phrase words the failure of one keyword: before, the keyword's value, after,
// the value found.
type phrase struct {
	before string
	after  string // "" where neither value is shown
	unit   string // the unit of a size, "" if the keyword bounds no size
}

// The keys are the closed list of keywords.
var phrases = map[string]phrase{
	"minLength":        {"at least ", " expected, got ", "character"},
	"maxLength":        {"at most ", " expected, got ", "character"},
	"minItems":         {"at least ", " expected, got ", "item"},
	"maxItems":         {"at most ", " expected, got ", "item"},
	"minProperties":    {"at least ", " expected, got ", "member"},
	"maxProperties":    {"at most ", " expected, got ", "member"},
	"minimum":          {"at least ", " expected, got ", ""},
	"maximum":          {"at most ", " expected, got ", ""},
	"exclusiveMinimum": {"more than ", " expected, got ", ""},
	"exclusiveMaximum": {"less than ", " expected, got ", ""},
	"multipleOf":       {"a multiple of ", " expected, got ", ""},
	"uniqueItems":      {"items must be unique", "", ""},
	"pattern":          {"must match ", ", got ", ""},
	"format":           {"must be a valid ", ", got ", ""},
	"const":            {"must be ", ", got ", ""},
}

// Keywords returns the assertion keywords that are enforced where a field
// carries them, sorted. The list is closed; the slice is the caller's.
func Keywords() []string {
	return slices.Sorted(maps.Keys(phrases))
}

// IsKeyword reports whether name is one of [Keywords].
func IsKeyword(name string) bool {
	_, ok := phrases[name]
	return ok
}

// A Failure is one keyword that a value does not satisfy.
type Failure struct {
	Rule    string // the keyword
	Message string // the wanted and the found value
	Costly  bool   // it is not known whether the value satisfies it: to find out costs too much
}

// An Assertion is the compiled assertion keywords of one field. It never
// changes, and any number of goroutines may use it at once. The nil Assertion
// accepts every value.
type Assertion struct {
	rules   []rule  // sorted by keyword
	deep    bool    // whether the library looks inside an array or object
	copies  copies  // nil text: the library checks none of the rules
	bounds  *bounds // nil if there are other rules
	pattern pattern.Lazy
}

// A rule is one keyword of an Assertion.
type rule struct {
	keyword string
	message string // complete except the value found
	phrase  phrase
	format  func(string) bool // of the keyword format
}

// Compile returns the assertion of a field's keywords, which must be names from
// [Keywords] with values that [CheckDocument] accepts, by the rules. A null value
// counts as absent and a format that the rules do not know is not asserted; when
// nothing is left to assert, Compile returns nil and no error. A pattern is not parsed
// before it is needed. The map is not kept.
func Compile(keywords map[string]any, rules Rules) (*Assertion, error) {
	a := new(Assertion)
	schema := make(map[string]any, len(keywords))
	for name, v := range keywords {
		p, ok := phrases[name]
		switch {
		case !ok:
			return nil, fmt.Errorf("assertion: unknown keyword %q", name)
		case v == nil, name == "uniqueItems" && v == false:
			continue
		}
		if p.unit != "" {
			n, err := size(v)
			if err != nil {
				return nil, fmt.Errorf("assertion: %s: %w", name, err)
			}
			v = n
		}
		r := newRule(name, v)
		if name == "format" {
			format, ok := v.(string)
			if !ok {
				return nil, fmt.Errorf("assertion: %s: string expected, got %s", name, show(v))
			}
			if r.format = rules.format(format); r.format != nil {
				a.rules = append(a.rules, r)
			}
			continue // the library is not exact
		}
		a.rules = append(a.rules, r)
		switch name {
		case "uniqueItems":
			if v != true {
				return nil, fmt.Errorf("assertion: %s: boolean expected, got %s", name, show(v))
			}
			continue // see unique
		case "pattern":
			expr, ok := v.(string)
			if !ok {
				return nil, fmt.Errorf("assertion: %s: string expected, got %s", name, show(v))
			}
			a.pattern = pattern.Lazy(expr)
			continue // the library does not bound it
		case "const":
			a.deep = true
		}
		schema[name] = v
	}
	if len(a.rules) == 0 {
		return nil, nil
	}
	slices.SortFunc(a.rules, func(x, y rule) int { return cmp.Compare(x.keyword, y.keyword) })
	if len(schema) == 0 {
		return a, nil
	}
	if len(schema) == len(a.rules) {
		a.bounds = newBounds(schema)
	}

	var err error
	if a.copies.text, err = json.Marshal(schema); err != nil {
		return nil, fmt.Errorf("assertion: %w", err)
	}
	s, err := a.copies.compile()
	if err != nil {
		return nil, fmt.Errorf("assertion: %w", err)
	}
	a.copies.idle.Put(s)
	return a, nil
}

func newRule(keyword string, v any) rule {
	p := phrases[keyword]
	message := p.before
	switch {
	case p.unit != "":
		message += fmt.Sprint(v, " ", p.unit)
		if v != 1 {
			message += "s"
		}
	case keyword == "format":
		message += fmt.Sprint(v) // a name, which reads better without quotes
	case p.after != "":
		message += show(v)
	}
	return rule{keyword: keyword, message: message + p.after, phrase: p}
}

// Check returns the keywords v does not satisfy, sorted, or nil if there are
// none. A keyword that speaks of another type of value than v does not apply.
// A value that has no JSON form, such as a NaN, or a number too large to compute
// with, has one failure whose rule is "type". A string that is too long for the
// pattern, by the rest of the allowance, has a failure whose rule is "pattern".
func (a *Assertion) Check(v any, allowance *pattern.Allowance) []Failure {
	if a == nil || a.bounds.accepts(v) {
		return nil
	}
	in, ok := a.input(v)
	if !ok {
		return []Failure{unjudged(v)}
	}
	var result *jsonschema.EvaluationResult
	if a.copies.text != nil {
		result = a.copies.validate(in)
	}
	var failures []Failure
	for _, r := range a.rules {
		if r.keyword == "pattern" {
			failures = a.appendPattern(failures, r, v, allowance)
		} else if r.fails(v, result) {
			failures = append(failures, Failure{Rule: r.keyword, Message: r.message + r.found(v)})
		}
	}
	if failures == nil && result != nil && !result.IsValid() {
		return []Failure{unjudged(v)}
	}
	return failures
}

// appendPattern appends the failure of the pattern, if it fails.
func (a *Assertion) appendPattern(failures []Failure, r rule, v any, allowance *pattern.Allowance) []Failure {
	s, ok := v.(string)
	if !ok {
		return failures
	}
	found, err := a.pattern.Match(s, allowance)
	switch {
	case err != nil:
		return append(failures, Failure{Rule: r.keyword, Message: "cannot be checked: " + err.Error(), Costly: true})
	case !found:
		return append(failures, Failure{Rule: r.keyword, Message: r.message + r.found(v)})
	}
	return failures
}

// fails reports whether v breaks the rule, by the library's result if it was
// asked.
func (r rule) fails(v any, result *jsonschema.EvaluationResult) bool {
	switch r.keyword {
	case "uniqueItems":
		items, ok := v.([]any)
		return ok && !unique(items)
	case "format":
		s, ok := v.(string)
		return ok && !r.format(s)
	}
	return result.Errors[r.keyword] != nil
}

// input returns v in a form the library checks exactly: v itself or its JSON
// text. A json.Number is a mere string to the library, a float32 is widened
// before it is compared, and a NaN makes it panic; their text is exact, or does
// not exist.
func (a *Assertion) input(v any) (any, bool) {
	switch n := v.(type) {
	case nil, bool, string,
		int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return v, true
	case []any, map[string]any:
		if !a.deep {
			return v, true
		}
	case json.Number:
		if i, err := n.Int64(); err == nil {
			return i, true // as exact, and half the cost
		}
	case float32, float64:
	default:
		return nil, false
	}
	text, err := json.Marshal(v)
	return text, err == nil
}

// found words v as far as the rule is concerned.
func (r rule) found(v any) string {
	if r.phrase.after == "" {
		return ""
	}
	if r.phrase.unit == "" {
		return show(v)
	}
	switch v := v.(type) {
	case string:
		return strconv.Itoa(utf8.RuneCountInString(v))
	case []any:
		return strconv.Itoa(len(v))
	case map[string]any:
		return strconv.Itoa(len(v))
	}
	return show(v)
}

func unjudged(v any) Failure {
	return Failure{Rule: "type", Message: "cannot be checked, got " + show(v)}
}

// size returns the value of a keyword that bounds a size. The library converts
// these to int without looking, so that a maxLength of 1e30 would refuse the
// empty string: what no size reaches is lowered to what no size reaches either.
func size(v any) (int, error) {
	const most = min(1<<53, math.MaxInt)
	text, err := json.Marshal(v)
	if err != nil {
		return 0, err
	}
	// Beyond the range ParseFloat returns an infinity with its error.
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil && !math.IsInf(f, 1) || f < 0 || f != math.Trunc(f) {
		return 0, fmt.Errorf("non-negative integer expected, got %s", show(v))
	}
	if f >= most {
		return most, nil
	}
	return int(f), nil
}

// show returns v as compact JSON of at most 60 characters.
func show(v any) string {
	const most = 60
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	s := ""
	if err := enc.Encode(v); err != nil {
		s = fmt.Sprint(v)
	} else {
		s = strings.TrimSuffix(b.String(), "\n")
	}
	n, cut := 0, 0
	for i := range s {
		if n == most {
			return s[:cut] + "…"
		}
		if n++; n == most {
			cut = i
		}
	}
	return s
}

// A copies holds compiled copies of one schema. A compiled schema continues to
// compile while it validates, unguarded, so a copy serves one goroutine at a
// time.
type copies struct {
	text []byte
	idle sync.Pool
}

// compile returns a new copy. Its compiler is its own: a compiler remembers
// schemas, and would hand out one copy twice.
func (c *copies) compile() (*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	clear(compiler.Loaders) // they fetch over the network
	return compiler.Compile(c.text)
}

// validate checks v with a copy nobody else is using. The result is the
// caller's.
func (c *copies) validate(v any) *jsonschema.EvaluationResult {
	s, _ := c.idle.Get().(*jsonschema.Schema)
	if s == nil {
		var err error
		if s, err = c.compile(); err != nil {
			panic("assertion: " + err.Error()) // it compiled before
		}
	}
	result := s.Validate(v)
	c.idle.Put(s) // not deferred: a copy that panicked is not one to use again
	return result
}
