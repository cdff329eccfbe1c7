package where_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
	"github.com/bucketlite/bucketlite/internal/where"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const a, b, c = `{"field":"a","operator":"eq","value":1}`, `{"field":"b","operator":"eq","value":2}`, `{"field":"c","operator":"eq","value":3}`
	tests := []struct{ name, text, want string }{
		{"two conditions", `duration > 5000 and language = "en"`,
			`{"AND":[{"field":"duration","operator":"gt","value":5000},{"field":"language","operator":"eq","value":"en"}]}`},
		{"or binds least", `a = 1 or b = 2 and c = 3`, `{"OR":[` + a + `,{"AND":[` + b + `,` + c + `]}]}`},
		{"parentheses", `(a = 1 or b = 2) and c = 3`, `{"AND":[{"OR":[` + a + `,` + b + `]},` + c + `]}`},
		{"needless parentheses", `((a = 1))`, a},
		{"not binds most", `not a = 1 and b = 2`, `{"AND":[{"NOT":[` + a + `]},` + b + `]}`},
		{"not of a group", `not (a = 1 or b = 2)`, `{"NOT":[{"OR":[` + a + `,` + b + `]}]}`},
		{"not not", `not not a = 1`, `{"NOT":[{"NOT":[` + a + `]}]}`},
		{"one group of many", `a = 1 or b = 2 or c = 3`, `{"OR":[` + a + `,` + b + `,` + c + `]}`},
		{"symbols", `a == 1 and a != 1 and a <> 1 and a < 1 and a <= 1 and a > 1 and a >= 1`,
			`{"AND":[` + conditions("eq ne ne lt lte gt gte") + `]}`},
		{"without spaces", `a=1 and(b=2)`, `{"AND":[` + a + `,` + b + `]}`},
		{"over lines", "\ta = 1\r\nand\n\n b = 2 ", `{"AND":[` + a + `,` + b + `]}`},
		{"upper case", `a = 1 AND NOT b IN (2) OR c IS NOT NULL`,
			`{"OR":[{"AND":[` + a + `,{"NOT":[{"field":"b","operator":"in","value":[2]}]}]},{"field":"c","operator":"is_null","value":false}]}`},
		{"in", `a in (1, "x", 'y', true, null)`, `{"field":"a","operator":"in","value":[1,"x","y",true,null]}`},
		{"in nothing", `a in ()`, `{"field":"a","operator":"in","value":[]}`},
		{"not in", `a not in (1)`, `{"field":"a","operator":"nin","value":[1]}`},
		{"texts", `a contains "x" and a starts with "x" and a ends with "x" and a matches "x" and a has words "x"`,
			`{"AND":[` + strings.ReplaceAll(conditions("contains starts_with ends_with regex text"), `:1}`, `:"x"}`) + `]}`},
		{"not of a text", `a not starts with "x"`, `{"NOT":[{"field":"a","operator":"starts_with","value":"x"}]}`},
		{"exists", `a exists and b not exists`, `{"AND":[{"field":"a","operator":"exists","value":true},{"field":"b","operator":"exists","value":false}]}`},
		{"null", `a is null and a = null`, `{"AND":[{"field":"a","operator":"is_null","value":true},{"field":"a","operator":"eq","value":null}]}`},
		{"constants", `a = TRUE or a = false`, `{"OR":[{"field":"a","operator":"eq","value":true},{"field":"a","operator":"eq","value":false}]}`},
		{"numbers", `a in (-0.5, 1e3, 9007199254740993, 0.10000000000000000000000000001)`,
			`{"field":"a","operator":"in","value":[-0.5,1e3,9007199254740993,0.10000000000000000000000000001]}`},
		{"date", `created_at >= "2024-01-01T00:00:00Z"`, `{"field":"created_at","operator":"gte","value":"2024-01-01T00:00:00Z"}`},
		{"escapes", `a = "\"\u00e9\\\n'"`, `{"field":"a","operator":"eq","value":"\"é\\\n'"}`},
		{"single quotes", `a matches '^\d+$' or a = 'it''s "x"'`,
			`{"OR":[{"field":"a","operator":"regex","value":"^\\d+$"},{"field":"a","operator":"eq","value":"it's \"x\""}]}`},
		{"empty text", `a = "" or a = ''`, `{"OR":[{"field":"a","operator":"eq","value":""},{"field":"a","operator":"eq","value":""}]}`},
		{"nested path", `meta.author.name = 1`, `{"field":"meta.author.name","operator":"eq","value":1}`},
		{"quoted names", `"first name" = 1 or meta.'last name' = 1 or "not".or = 1 or "5" = 1`,
			`{"OR":[{"field":"first name","operator":"eq","value":1},{"field":"meta.last name","operator":"eq","value":1},{"field":"not.or","operator":"eq","value":1},{"field":"5","operator":"eq","value":1}]}`},
		{"words as names", `in in (1) and contains contains "x" and is is null and exists exists`,
			`{"AND":[{"field":"in","operator":"in","value":[1]},{"field":"contains","operator":"contains","value":"x"},{"field":"is","operator":"is_null","value":true},{"field":"exists","operator":"exists","value":true}]}`},
		{"letters", `größe-in_mm2 = 1 or 名前 = 1`, `{"OR":[{"field":"größe-in_mm2","operator":"eq","value":1},{"field":"名前","operator":"eq","value":1}]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e, err := where.Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(e.Append(nil)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			form, err := value.Parse([]byte(test.want), query.Limits())
			if err != nil {
				t.Fatal(err)
			}
			same, err := query.Parse(form)
			if err != nil {
				t.Fatal(err)
			}
			if !same.Equal(e) {
				t.Errorf("the JSON form is another filter: %s", same)
			}
			again, err := where.Parse(print(e))
			if err != nil || !again.Equal(e) {
				t.Errorf("printed as %s: got %v, %v", print(e), again, err)
			}
		})
	}
}

// conditions returns conditions of these operators on the path a and the value 1.
func conditions(ops string) string {
	var list []string
	for op := range strings.FieldsSeq(ops) {
		list = append(list, fmt.Sprintf(`{"field":"a","operator":%q,"value":1}`, op))
	}
	return strings.Join(list, ",")
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		at         int // the character, or line*1000 and the character
		message    string
	}{
		{"empty", "", 1, "got the end, want a condition"},
		{"blank", " \n ", 2002, "got the end, want a condition"},
		{"no operator", `title`, 6, "got the end, want an operator: = != < <= > >= in contains"},
		{"no value", `title =`, 8, `got the end, want a value: a number, "text", true, false or null`},
		{"no condition after and", `a = 1 and`, 10, "got the end, want a condition"},
		{"no condition after or", `a = 1 or or b = 2`, 10, `got or, want a condition; a field of that name stands in quotes: "or"`},
		{"two conditions", `a = 1 b = 2`, 7, `got b, want "and", "or" or the end`},
		{"text without quotes", `lang = en`, 8, `got en, want a value; text stands in quotes: "en"`},
		{"date without quotes", `at > 2024-01-02T03:04:05Z`, 6, `got 2024-01-02T03:04:05Z, want a value; a date stands in quotes: "2024-01-02T03:04:05Z"`},
		{"number", `a = 05`, 5, "got 05, want a value; a number is written as in JSON: not a JSON number"},
		{"number without a digit before the point", `a = .5`, 5, "got .5, want a value; a number is written as in JSON"},
		{"number with a sign", `a = +5`, 5, "got +5, want a value; a number is written as in JSON"},
		{"number out of range", `a = 1e999`, 5, "number is out of range"},
		{"sum", `a = 1 + 1`, 7, `got +, want "and", "or" or the end`},
		{"and of another language", `a = 1 && b = 2`, 7, `got &&, want "and", "or" or the end; write "and"`},
		{"not of another language", `!a = 1`, 1, `got !, want a condition, such as duration > 60; write "not"`},
		{"match of another language", `a =~ "x"`, 3, `write "matches"`},
		{"unknown operator", `a like "x"`, 3, "got like, want an operator"},
		{"not before a symbol", `a not = 1`, 7, `got =, want one of: in contains "starts with"`},
		{"not before is", `a not is null`, 7, `got is, want one of: in`},
		{"half an operator", `a starts "x"`, 10, `got "x", want "with"`},
		{"is what", `a is 5`, 6, `got 5, want "null"`},
		{"list without parentheses", `a in 1`, 6, `got 1, want "(" and a list of values`},
		{"list without end", `a in (1, 2`, 11, `got the end, want "," or ")"`},
		{"list with a comma at its end", `a in (1,)`, 9, "got ), want a value"},
		{"list of lists", `a in ((1))`, 7, "got (, want a value"},
		{"parenthesis without end", `(a = 1`, 7, `got the end, want "and", "or" or ")"`},
		{"parenthesis without beginning", `a = 1)`, 6, `got ), want "and", "or" or the end`},
		{"text operator with a number", `a contains 5`, 12, "got 5, want text in quotes"},
		{"text without end", `a = "x`, 5, `got no second quote, want text to end with "`},
		{"single quotes without end", `a = 'x''`, 5, "got no second quote, want text to end with '"},
		{"escape", `a matches "\d"`, 11, "want the escapes of JSON, or text in single quotes"},
		{"half a surrogate pair", `a = "\ud800"`, 5, "surrogate"},
		{"control character", "a = \"x\ny\"", 5, "want the escapes of JSON"},
		{"NUL", "a = 'x\x00y'", 5, "U+0000"},
		{"not UTF-8", "é = 'x\xff'", 7, "got a byte that is not UTF-8"},
		{"regular expression", "a = 1 and\n  b matches '('", 2013, "missing closing )"},
		{"compared with true", `a < true`, 5, "got true"},
		{"path with an empty name", `a..b = 1`, 3, "got ., want a name"},
		{"path that ends in a point", `a. = 1`, 4, "got =, want a name"},
		{"quoted path with an empty name", `a = 1 and "a..b" = 1`, 11, "empty segment"},
		{"no name", `"" = 1`, 1, "a path must not be empty"},
		{"operator of another language as a path", `"$gt" = 1`, 1, "$gt"},
		{"value first", `5 = a`, 1, "got 5, want a condition"},
		{"only a parenthesis", `(`, 2, "got the end, want a condition"},
		{"second line", "a = 1\nand\n\tb ? 2", 3004, "got ?, want an operator"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := where.Parse(test.text)
			var bad *where.Error
			if !errors.As(err, &bad) {
				t.Fatalf("got %v, want an *Error", err)
			}
			at := bad.Column
			if bad.Line > 1 {
				at += 1000 * bad.Line
			}
			if at != test.at || !strings.Contains(bad.Message, test.message) {
				t.Errorf("got %d %q, want %d and %q in it", at, bad.Message, test.at, test.message)
			}
			if bad.Offset < bad.Column-1 || bad.Offset > len(test.text) {
				t.Errorf("offset: got %d, want at least %d and at most %d", bad.Offset, bad.Column-1, len(test.text))
			}
		})
	}
}

// A text at each bound is read. Beyond it there is an error, at the place where the text
// becomes too large.
func TestParseBounds(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return strings.Repeat("(", n) + "a = 1" + strings.Repeat(")", n) }
	negated := func(n int) string { return strings.Repeat("not ", n) + "a = 1" }
	grouped := func(n int) string {
		return strings.Repeat("(a = 1 or b = 2 and ", n) + "a = 1 or b = 2" + strings.Repeat(")", n)
	}
	many := func(n int) string { return strings.Repeat("a = 1 and ", n-1) + "a = 1" }
	listed := func(n int) string { return "a in (" + strings.Repeat("1, ", n-1) + "1)" }
	long := func(n int) string { return `a = "` + strings.Repeat("x", n) + `"` }
	tests := []struct {
		name string
		text func(int) string
		most int
		at   int // the character of the fault in one more
	}{
		{"parentheses", nested, 32, 34},
		{"negations", negated, 32, 0},
		{"groups", grouped, 16, 0},
		{"conditions", many, 1000, 10_001},
		{"values", listed, 10_000, 30_007},
		{"bytes of a text", long, 64 << 10, 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := where.Parse(test.text(test.most)); err != nil {
				t.Errorf("%d: %v", test.most, err)
			}
			for _, n := range []int{test.most + 1, 50 * test.most} {
				_, err := where.Parse(test.text(n))
				var bad *where.Error
				if !errors.As(err, &bad) {
					t.Fatalf("%d: got %v, want an *Error", n, err)
				}
				if test.at > 0 && n == test.most+1 && bad.Column != test.at {
					t.Errorf("%d: got character %d, want %d: %v", n, bad.Column, test.at, err)
				}
			}
		})
	}
	if _, err := where.Parse(strings.Repeat(" ", where.MaxBytes+1)); err == nil || !strings.Contains(err.Error(), "bytes") {
		t.Errorf("a text that is too long: got %v", err)
	}
}
