package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

// form reads the members of a JSON object, or of a URL's query, and records their faults in
// its call. Null counts as absent. A member may have other names, and a boolean of a query
// may be another word: that is accepted with a warning.
type form struct {
	call *call
	in   string // "body" or "query"
	at   value.Path
	doc  map[string]any
	raw  map[string][]byte // the text of members that were not read, which are not in doc
}

// text returns a string, "" if it is absent.
func (f *form) text(name string, others ...string) string {
	return orZero(f.optionalText(name, others...))
}

// optionalText returns a string, nil if it is absent. An empty one of a query counts as
// absent: clients write all parameters that they know.
func (f *form) optionalText(name string, others ...string) *string {
	v, name := f.member(name, others)
	if v == nil || v == "" && f.in == "query" {
		return nil
	}
	s, ok := v.(string)
	if !ok {
		f.expected(name, "string", v)
	}
	return &s
}

// requiredText returns a string that must be there.
func (f *form) requiredText(name string, others ...string) string {
	s := f.optionalText(name, others...)
	if s == nil {
		f.fault(name, "required", "required")
	}
	return orZero(s)
}

// boolean returns a boolean, or otherwise if it is absent.
func (f *form) boolean(name string, otherwise bool) bool {
	v, name := f.member(name, nil)
	if v == nil {
		return otherwise
	}
	b, ok := v.(bool)
	if text, isText := v.(string); isText && f.in == "query" {
		if b, ok = truth(text); ok && text != strconv.FormatBool(b) {
			f.call.warn(f.at.Member(name).String() + ": " + strconv.FormatBool(b) + " expected")
		}
	}
	if !ok {
		f.expected(name, "boolean", v)
		return otherwise
	}
	return b
}

// has reports whether the form has a member, which is not null.
func (f *form) has(name string) bool { return f.doc[name] != nil }

// only refuses every member except the named ones. Elsewhere unknown members are ignored;
// this is for forms in which a misspelled guard or filter would change what it must not.
func (f *form) only(reason string, names ...string) {
	for _, name := range slices.Sorted(maps.Keys(f.doc)) {
		if !slices.Contains(names, name) {
			f.fault(name, "unsupported", reason)
		}
	}
}

// truth returns the boolean that a word of a query stands for.
func truth(word string) (b, ok bool) {
	switch strings.ToLower(word) {
	case "true", "t", "yes", "y", "on", "1":
		return true, true
	case "false", "f", "no", "n", "off", "0":
		return false, true
	}
	return false, false
}

// integer returns a whole number from least to most, or otherwise if it is absent.
func (f *form) integer(name string, least, most, otherwise int, others ...string) int {
	v, name := f.member(name, others)
	if v == nil {
		return otherwise
	}
	n, ok := value.Int(v)
	if f.in == "query" {
		n, ok = value.Int(number(v))
	}
	switch {
	case !ok:
		f.expected(name, "integer", v)
	case n < int64(least):
		f.fault(name, "minimum", fmt.Sprintf("%d or more expected, got %d", least, n))
	case n > int64(most):
		f.fault(name, "maximum", fmt.Sprintf("%d or less expected, got %d", most, n))
	default:
		return int(n)
	}
	return otherwise
}

// number returns a whole number in place of its digits.
func number(v any) any {
	text, _ := v.(string)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return v
	}
	return json.Number(strconv.FormatInt(n, 10))
}

// choice returns a string that is one of several, or otherwise if it is absent; if
// that is empty, it must be there.
func (f *form) choice(name, otherwise string, choices ...string) string {
	known := len(f.call.faults)
	s := f.optionalText(name)
	switch {
	case len(f.call.faults) > known: // no string
		return otherwise
	case s == nil && otherwise == "":
		f.fault(name, "required", "required")
	case s == nil:
		return otherwise
	case !slices.Contains(choices, *s):
		f.fault(name, "enum", strings.Join(choices, ", ")+" expected, got "+value.Show(*s))
	}
	return orZero(s)
}

// time returns a time, or otherwise if it is absent. One without a zone is in UTC, and
// without a time of day it is midnight.
func (f *form) time(name string, otherwise time.Time) time.Time {
	if v, _ := f.member(name, nil); v == "" {
		f.expected(name, "time", v)
	}
	s := f.optionalText(name)
	if s == nil {
		return otherwise
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateOnly} {
		t, err := time.Parse(layout, *s)
		if t = t.UTC(); err == nil && t.Year() >= 1 && t.Year() <= 9999 {
			return t
		}
	}
	f.fault(name, "format", "a time as 2006-01-02T15:04:05Z expected, got "+value.Show(*s))
	return otherwise
}

// size returns the size of a file, at least one byte, or 0 if it is absent.
func (f *form) size() int64 {
	v, name := f.fileSize()
	if v == nil {
		return 0
	}
	n, ok := value.Int(v)
	switch {
	case !ok:
		f.expected(name, "integer", v)
	case n < 1:
		f.fault(name, "minimum", fmt.Sprintf("1 or more expected, got %d", n))
	}
	return n
}

// fileSize returns the member that is the size of a file, and its name. Some clients call
// it file_size, and may write its digits as a string.
func (f *form) fileSize() (v any, name string) {
	v, name = f.member("file_size_bytes", []string{"file_size"})
	if name == "file_size" {
		v = number(v)
	}
	return v, name
}

// object returns an object, nil if it is absent.
func (f *form) object(name string, others ...string) map[string]any {
	v, name := f.member(name, others)
	if v == nil {
		return nil
	}
	doc, ok := v.(map[string]any)
	if !ok {
		f.expected(name, "object", v)
	}
	return doc
}

// list returns a list, nil if it is absent.
func (f *form) list(name string) []any {
	v, name := f.member(name, nil)
	if v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		f.expected(name, "array", v)
	}
	return list
}

// items returns the items of a list that was left as text, nil if it is absent.
func (f *form) items(name string) [][]byte {
	items, ok := value.Items(f.raw[name])
	if !ok {
		f.fault(name, "type", "array expected, got "+short(f.raw[name]))
	}
	return items
}

// texts returns a list of strings, nil if it is absent.
func (f *form) texts(name string) []string {
	list := f.list(name)
	if list == nil {
		return nil
	}
	texts := make([]string, len(list))
	for i, v := range list {
		s, ok := v.(string)
		if !ok {
			f.faultAt(f.at.Member(name).Item(i), "type", "string expected, got "+value.Show(v))
		}
		texts[i] = s
	}
	return texts
}

// integers returns a list of whole numbers, nil if it is absent.
func (f *form) integers(name string) []int64 {
	var numbers []int64
	for i, v := range f.list(name) {
		n, ok := value.Int(v)
		if !ok {
			f.faultAt(f.at.Member(name).Item(i), "type", "integer expected, got "+value.Show(v))
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// each calls read with a form for every object of a list.
func (f *form) each(name string, read func(*form)) {
	for i, v := range f.list(name) {
		at := append(value.Path(nil), f.at.Member(name).Item(i)...)
		doc, ok := v.(map[string]any)
		if !ok {
			f.faultAt(at, "type", "object expected, got "+value.Show(v))
			continue
		}
		read(&form{call: f.call, in: f.in, at: at, doc: doc})
	}
}

// take records the faults of a member. Paths in the errors begin at the member, or at a
// value that contains it.
func (f *form) take(name string, err error) { f.takeAt(f.at.Member(name).String(), err) }

// takeOthers records the faults of places that have none yet.
func (f *form) takeOthers(err error) {
	known := f.call.faults
	f.takeAt("", err)
	others := f.call.faults[len(known):]
	f.call.faults = slices.Clip(known)
	for _, other := range others {
		if !slices.ContainsFunc(known, func(k fault) bool { return k.in == other.in && k.Path == other.Path }) {
			f.call.faults = append(f.call.faults, other)
		}
	}
}

// takeAt is [form.take] for the value at a path; an empty path means the whole value.
func (f *form) takeAt(at string, err error) {
	var invalid *bucketlite.ValidationError
	var query *bucketlite.QueryError
	var issues []bucketlite.Issue
	switch {
	case err == nil:
		return
	case errors.As(err, &invalid):
		issues = invalid.Issues
	case errors.As(err, &query):
		issues = query.Issues
	default:
		issues = []bucketlite.Issue{{Rule: "type", Message: err.Error()}}
	}
	for _, issue := range issues {
		switch {
		case at == "":
		case issue.Path == "":
			issue.Path = at
		case strings.HasPrefix(issue.Path, "["):
			issue.Path = at + issue.Path
		case issue.Path != at && !strings.HasPrefix(issue.Path, at+".") && !strings.HasPrefix(issue.Path, at+"["):
			issue.Path = at + "." + issue.Path
		}
		f.call.faults = append(f.call.faults, fault{f.in, issue})
	}
}

// member returns a member by its name, or by another that some clients use, and the
// name it was found by.
func (f *form) member(name string, others []string) (v any, found string) {
	v, found = f.doc[name], name
	for _, other := range others {
		second := f.doc[other]
		switch {
		case second == nil:
		case v == nil:
			f.call.warn(f.at.Member(other).String() + ": " + name + " expected")
			v, found = second, other
		case !value.Equal(v, second):
			f.call.warn(f.at.Member(other).String() + ": ignored, " + found + " is given too")
		}
	}
	return v, found
}

func (f *form) expected(name, want string, v any) {
	f.fault(name, "type", want+" expected, got "+value.Show(v))
}

func (f *form) fault(name, rule, message string) { f.faultAt(f.at.Member(name), rule, message) }

func (f *form) faultAt(at value.Path, rule, message string) {
	f.call.faults = append(f.call.faults, fault{f.in, bucketlite.Issue{Path: at.String(), Rule: rule, Message: message}})
}

// short returns a text as messages show it, cut short if it is long.
func short(text []byte) string {
	const most = 60
	if len(text) > most {
		return strings.ToValidUTF8(string(text[:most]), "") + "…"
	}
	return string(text)
}

func orZero(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
