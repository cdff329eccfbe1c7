package querytest

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// absent stands for the value that a path does not lead to.
type absent struct{}

// Matches reports whether doc matches the filter whose JSON form is given, one
// that has no faults. kind tells the schema type that is declared for a path, or
// for its elements if it leads through arrays; "" if there is none.
func Matches(filter any, doc map[string]any, kind func(path string) string) bool {
	return matches(filter, doc, kind, false)
}

func matches(filter any, doc map[string]any, kind func(string) string, caseSensitive bool) bool {
	if filter == nil {
		return true
	}
	members := filter.(map[string]any)
	if b, ok := members["case_sensitive"].(bool); ok {
		caseSensitive = b
	}
	if path, ok := members["field"].(string); ok && isCondition(members) {
		c := condition{path: path, op: "eq", caseSensitive: caseSensitive}
		if op, ok := members["operator"].(string); ok {
			c.op = op
		}
		c.value = members["value"]
		return c.holds(doc, kind)
	}
	inner := func(f any) bool { return matches(f, doc, kind, caseSensitive) }
	for name, v := range members {
		ok := true
		switch {
		case name == "case_sensitive":
		case name == "AND" && v != nil:
			ok = !slices.ContainsFunc(v.([]any), func(f any) bool { return !inner(f) })
		case name == "OR" && v != nil:
			ok = slices.ContainsFunc(v.([]any), inner)
		case name == "NOT" && v != nil:
			list, isList := v.([]any)
			if !isList {
				list = []any{v}
			}
			ok = !slices.ContainsFunc(list, inner)
		case name == "AND", name == "OR", name == "NOT":
		default:
			c := condition{path: name, op: "eq", value: v, caseSensitive: caseSensitive}
			ok = c.holds(doc, kind)
		}
		if !ok {
			return false
		}
	}
	return true
}

func isCondition(members map[string]any) bool {
	others := false
	for name := range members {
		switch name {
		case "operator", "value":
			return true
		case "field", "case_sensitive":
		default:
			others = true
		}
	}
	return !others
}

type condition struct {
	path, op      string
	value         any
	caseSensitive bool
}

func (c condition) holds(doc map[string]any, kind func(string) string) bool {
	switch c.op {
	case "ne":
		c.op = "eq"
		return !c.holds(doc, kind)
	case "nin":
		c.op = "in"
		return !c.holds(doc, kind)
	case "exists", "is_null":
		if c.value == false {
			c.value = true
			return !c.holds(doc, kind)
		}
	}
	isTime := kind(c.path) == "datetime"
	for _, v := range reached(doc, strings.Split(c.path, ".")) {
		if c.test(v, isTime) {
			return true
		}
	}
	return false
}

// reached returns all that the segments lead to from v: arrays themselves too,
// before their elements, and absent where they lead nowhere.
func reached(v any, segments []string) []any {
	if list, ok := v.([]any); ok {
		var all []any
		if len(segments) == 0 {
			all = append(all, v)
		} else if len(list) == 0 {
			all = append(all, absent{})
		}
		for _, item := range list {
			all = append(all, reached(item, segments)...)
		}
		return all
	}
	if len(segments) == 0 {
		return []any{v}
	}
	object, _ := v.(map[string]any)
	member, ok := object[segments[0]]
	if !ok {
		return []any{absent{}}
	}
	return reached(member, segments[1:])
}

func (c condition) test(v any, isTime bool) bool {
	_, isAbsent := v.(absent)
	isNull := isAbsent || v == nil
	switch c.op {
	case "exists":
		return !isAbsent
	case "is_null":
		return isNull
	case "eq":
		return isNull && c.value == nil || !isNull && c.value != nil && c.equal(v, c.value, isTime)
	case "in":
		for _, item := range c.value.([]any) {
			one := condition{op: "eq", value: item, caseSensitive: c.caseSensitive}
			if one.test(v, isTime) {
				return true
			}
		}
		return false
	case "gt", "lt", "gte", "lte":
		return c.compares(v, isTime)
	}
	s, ok := v.(string)
	if !ok {
		return false
	}
	return c.testText(s, c.value.(string))
}

func (c condition) testText(s, part string) bool {
	if c.op == "regex" {
		if !c.caseSensitive {
			part = "(?i:" + part + ")"
		}
		return regexp.MustCompile(part).MatchString(s)
	}
	if c.caseSensitive {
		s, part = norm.NFC.String(s), norm.NFC.String(part)
	} else {
		s, part = fold(s), fold(part)
	}
	switch c.op {
	case "contains":
		return strings.Contains(s, part)
	case "starts_with":
		return strings.HasPrefix(s, part)
	case "ends_with":
		return strings.HasSuffix(s, part)
	case "text":
		wanted, has := words(part), words(s)
		for _, word := range wanted {
			if !slices.Contains(has, word) {
				return false
			}
		}
		return len(wanted) > 0
	}
	panic(fmt.Sprintf("querytest: unknown operator %q", c.op))
}

func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

// equal reports whether two values, of which none is absent, are equal.
func (c condition) equal(a, b any, isTime bool) bool {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		switch {
		case !ok:
			return false
		case isTime:
			return parseTime(a).Equal(parseTime(b))
		case c.caseSensitive:
			return a == b
		}
		return fold(a) == fold(b)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, func(a, b any) bool { return c.equal(a, b, false) })
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name := range a {
			if v, ok := b[name]; !ok || !c.equal(a[name], v, false) {
				return false
			}
		}
		return true
	case nil, bool:
		return a == b
	}
	x, y := number(a), number(b)
	return x != nil && y != nil && x.Cmp(y) == 0
}

func (c condition) compares(v any, isTime bool) bool {
	var order int
	if s, ok := v.(string); ok {
		t, ok := c.value.(string)
		switch {
		case !ok:
			return false
		case isTime:
			order = parseTime(s).Compare(parseTime(t))
		case c.caseSensitive:
			order = strings.Compare(s, t)
		default:
			order = strings.Compare(fold(s), fold(t))
		}
	} else {
		x, y := number(v), number(c.value)
		if x == nil || y == nil {
			return false
		}
		order = x.Cmp(y)
	}
	switch c.op {
	case "gt":
		return order > 0
	case "lt":
		return order < 0
	case "gte":
		return order >= 0
	}
	return order <= 0
}

// number returns the value of v: exactly if it is a whole number within 64 bits,
// else as a 64-bit float; nil if it is no number.
func number(v any) *big.Rat {
	n, ok := v.(json.Number)
	if !ok {
		return nil
	}
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		panic(fmt.Sprintf("querytest: no number: %q", n))
	}
	if r.IsInt() && r.Num().IsInt64() {
		return r
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		panic(err)
	}
	return new(big.Rat).SetFloat64(f)
}

func parseTime(s string) time.Time {
	t, ok := datetime(s)
	if !ok {
		panic(fmt.Sprintf("querytest: no datetime: %q", s))
	}
	return t
}

// datetime reads a datetime in each of its forms.
func datetime(s string) (time.Time, bool) {
	for _, clock := range []string{"15:04:05", "15:04"} {
		for _, zone := range []string{"", "Z07:00", "Z0700"} {
			if t, err := time.Parse("2006-01-02T"+clock+zone, s); err == nil {
				return t, true
			}
		}
	}
	return time.Time{}, false
}

// fold normalises s to form C and replaces every character by one that stands for all it is folded with:
// for letters of ASCII the lower case, else the upper case or, if that is longer,
// the lowest.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		orbit := []rune{r}
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			orbit = append(orbit, f)
		}
		slices.Sort(orbit)
		lowest := orbit[0]
		if lowest <= unicode.MaxASCII {
			return unicode.ToLower(lowest)
		}
		i := slices.IndexFunc(orbit, unicode.IsUpper)
		if i >= 0 && utf8.RuneLen(orbit[i]) <= utf8.RuneLen(lowest) {
			return orbit[i]
		}
		return lowest
	}, norm.NFC.String(s))
}
