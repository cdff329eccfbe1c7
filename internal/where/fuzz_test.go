package where_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
	"github.com/bucketlite/bucketlite/internal/where"
)

// A text is a filter that can be printed and read again as the same, and that the JSON
// form can express; or it has a fault at a place in it.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`duration > 5000 and language = "en"`, `not (a = 1 or b != 'it''s') and c not in (1, "x", null)`,
		`"first name" starts with "é" or meta.'x y'.z ends with "\n"`, `a matches '^\d+$' and a not contains "x" and a has words "red shoe"`,
		`a exists and b not exists or c is null and d is not null`, `a = 1e400`, `a in (`, `(((((`, `a = "\ud800"`, "a\x00", `not not not a<>-0.5e-3`,
		`a && b`, `a..b = 1`, `and and and`, `in in (1)`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := where.Parse(text)
		if err != nil {
			var bad *where.Error
			if !errors.As(err, &bad) || bad.Message == "" || bad.Offset < 0 || bad.Offset > len(text) || bad.Line < 1 || bad.Column < 1 {
				t.Fatalf("got error %#v, want a place in a text of %d bytes", err, len(text))
			}
			return
		}
		printed := print(e)
		again, err := where.Parse(printed)
		if err != nil {
			t.Fatalf("%q, printed as %q: %v", text, printed, err)
		}
		if !again.Equal(e) {
			t.Fatalf("%q, printed as %q: got %s, want %s", text, printed, again.Append(nil), e.Append(nil))
		}
		form, err := value.Parse(e.Append(nil), query.Limits())
		if err != nil {
			t.Fatal(err)
		}
		if same, err := query.Parse(form); err != nil || !same.Equal(e) {
			t.Fatalf("JSON form %s: got %v, %v", e.Append(nil), same, err)
		}
	})
}

// words are the operators that print writes as words.
var words = map[query.Op]string{
	query.Eq: "=", query.Ne: "!=", query.Lt: "<", query.Lte: "<=", query.Gt: ">", query.Gte: ">=",
	query.In: "in", query.NotIn: "not in", query.Contains: "contains", query.StartsWith: "starts with",
	query.EndsWith: "ends with", query.Regex: "matches", query.Words: "has words",
}

// print writes a filter that came from Parse.
func print(e *query.Expr) string {
	switch e.Op {
	case query.Not:
		return "not " + inParentheses(e.Args[0])
	case query.And, query.Or:
		parts := make([]string, len(e.Args))
		for i, arg := range e.Args {
			parts[i] = inParentheses(arg)
		}
		return strings.Join(parts, " "+strings.ToLower(string(e.Op))+" ")
	}
	path := literal(e.Path)
	switch e.Op {
	case query.Exists:
		return path + map[any]string{true: " exists", false: " not exists"}[e.Value]
	case query.IsNull:
		return path + map[any]string{true: " is null", false: " is not null"}[e.Value]
	}
	if list, ok := e.Value.([]any); ok {
		values := slices.Collect(func(yield func(string) bool) {
			for _, v := range list {
				yield(literal(v))
			}
		})
		return path + " " + words[e.Op] + " (" + strings.Join(values, ", ") + ")"
	}
	return path + " " + words[e.Op] + " " + literal(e.Value)
}

func inParentheses(e *query.Expr) string {
	if e.Op == query.And || e.Op == query.Or {
		return "(" + print(e) + ")"
	}
	return print(e)
}

// literal writes text in either quotes, by its length, so that both are read.
func literal(v any) string {
	switch v := v.(type) {
	case json.Number:
		return string(v)
	case string:
		if utf8.RuneCountInString(v)%2 == 0 {
			return "'" + strings.ReplaceAll(v, "'", "''") + "'"
		}
	}
	return string(value.Append(nil, v))
}
