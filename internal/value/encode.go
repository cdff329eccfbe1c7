package value

import (
	"fmt"
	"slices"
	"strings"
)

// Append appends the canonical JSON text of the plain value v to dst: without
// white space, members sorted by the bytes of their names, and nothing escaped
// in strings but what JSON requires. A nil slice is written as an empty array
// and a nil map as an empty object. Append panics if v is not plain.
func Append(dst []byte, v any) []byte {
	return appendValue(dst, v, false)
}

// AppendKey is like [Append] but writes numbers as [AppendNumberKey] does, so
// that two plain values have the same text if and only if they are equal.
func AppendKey(dst []byte, v any) []byte {
	return appendValue(dst, v, true)
}

func appendValue(dst []byte, v any, key bool) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		if v {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case string:
		return AppendString(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, item, key)
		}
		return append(dst, ']')
	case map[string]any:
		return appendObject(dst, v, key)
	}
	if !IsNumber(v) {
		panic(fmt.Sprintf("value: %T is not a plain type", v))
	}
	if key {
		return AppendNumberKey(dst, v)
	}
	return AppendNumber(dst, v)
}

type member struct {
	name  string
	value any
}

func appendObject(dst []byte, m map[string]any, key bool) []byte {
	// Most objects are small enough for their members to be sorted on the
	// stack. Sorting members rather than names spares looking each one up.
	var few [32]member
	members := few[:0]
	if len(m) > len(few) {
		members = make([]member, 0, len(m))
	}
	for name, v := range m {
		members = append(members, member{name, v})
	}
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })

	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, m.name)
		dst = append(dst, ':')
		dst = appendValue(dst, m.value, key)
	}
	return append(dst, '}')
}

// AppendString appends s to dst as a JSON string. It escapes the quotation
// mark, the backslash and control characters, and copies the rest as it is.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// Equal reports whether the plain values a and b are the same JSON value.
// Numbers are equal if their values are, whatever their types and texts.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	case string:
		b, ok := b.(string)
		return ok && a == b
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, Equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, v := range a {
			if w, ok := b[name]; !ok || !Equal(v, w) {
				return false
			}
		}
		return true
	}
	return IsNumber(a) && IsNumber(b) && equalNumbers(a, b)
}

// Clone returns a copy of the plain value v that shares no slice or map with
// it.
func Clone(v any) any {
	switch v := v.(type) {
	case []any:
		a := make([]any, len(v))
		for i, item := range v {
			a[i] = Clone(item)
		}
		return a
	case map[string]any:
		m := make(map[string]any, len(v))
		for name, item := range v {
			m[name] = Clone(item)
		}
		return m
	}
	return v
}
