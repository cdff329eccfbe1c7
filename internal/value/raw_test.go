package value_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/value"
	"github.com/google/go-cmp/cmp"
)

func TestParseObject(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	for _, test := range []struct {
		name, text string
		object     map[string]any
		texts      map[string]string
		rule, path string
	}{
		{"without the member", `{"b":"x"}`, map[string]any{"b": "x"}, nil, "", ""},
		{"with it", `{"a": [1, {"b":2}] ,"b":"x"}`, map[string]any{"b": "x"}, map[string]string{"a": `[1, {"b":2}]`}, "", ""},
		{"null", `{"a":null,"b":"x"}`, map[string]any{"b": "x"}, nil, "", ""},
		{"further down it is a value", `{"b":{"a":"x"}}`, map[string]any{"b": map[string]any{"a": "x"}}, nil, "", ""},
		{"what is left is not read", `{"a":` + deep + `}`, map[string]any{}, map[string]string{"a": deep}, "", ""},
		{"a string", `{"a":"\ud800"}`, map[string]any{}, map[string]string{"a": `"\ud800"`}, "", ""},
		{"an escaped name", `{"\u0061":1}`, map[string]any{}, map[string]string{"a": "1"}, "", ""},
		{"null instead of an object", ` null `, nil, nil, "", ""},
		{"a list instead of an object", `[]`, nil, nil, "type", ""},
		{"twice", `{"a":1,"a":2}`, nil, nil, "duplicate", "a"},
		{"twice beside it", `{"a":1,"b":2,"b":2}`, nil, nil, "duplicate", "b"},
		{"malformed in it", `{"a":[1,}`, nil, nil, "json", ""},
		{"malformed after it", `{"a":[1]}x`, nil, nil, "json", ""},
		{"too deep beside it", `{"a":1,"b":` + deep + `}`, nil, nil, "depth", "b" + strings.Repeat("[0]", 99)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			object, texts, err := value.ParseObject([]byte(test.text), value.Limits{}, "a")
			var syntax *value.SyntaxError
			if test.rule != "" {
				if !errors.As(err, &syntax) || syntax.Rule != test.rule || syntax.Path != test.path {
					t.Fatalf("got %#v, want rule %q at %q", err, test.rule, test.path)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for name, text := range texts {
				got[name] = string(text)
			}
			if test.texts == nil {
				test.texts = map[string]string{}
			}
			if diff := cmp.Diff(test.object, object); diff != "" {
				t.Errorf("object (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.texts, got); diff != "" {
				t.Errorf("texts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestItems(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want []string
		ok   bool
	}{
		{"", nil, true},
		{"[]", nil, true},
		{"[ ]", nil, true},
		{`[1, {"a":[2]} ,"]" ]`, []string{"1", `{"a":[2]}`, `"]"`}, true},
		{`{"a":1}`, nil, false},
		{`"[]"`, nil, false},
		{"1", nil, false},
	} {
		items, ok := value.Items([]byte(test.text))
		var got []string
		for _, item := range items {
			got = append(got, string(item))
		}
		if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok {
			t.Errorf("%s: got ok %t, want %t (-want +got):\n%s", test.text, ok, test.ok, diff)
		}
	}
}

func TestAppendObject(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		object map[string]any
		texts  map[string][]byte
		want   string
	}{
		{nil, nil, `{}`},
		{map[string]any{"a": "x"}, nil, `{"a":"x"}`},
		{nil, map[string][]byte{"b": []byte("[ 1 ]")}, `{"b":[ 1 ]}`},
		{map[string]any{"a": nil, "c": true}, map[string][]byte{"\"": []byte("2"), "b": []byte("1")}, `{"\"":2,"b":1,"a":null,"c":true}`},
	} {
		if got := string(value.AppendObject(nil, test.object, test.texts)); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

// The count of values is that of the tree, whatever is between them and in strings.
func TestCount(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`1`: 1, `[]`: 1, `{}`: 1, ` [ ] `: 1, `[1]`: 2, `[1,2]`: 3, `[[],[]]`: 3, `{"a":{"b":[1,2]}}`: 5, "[\n\t{ \n}\r]": 2,
		`"[,{"`: 1, `["a,b","\"[","\\"]`: 4, `{"a,b":"c,d","e[":"\\\","}`: 3, `"`: 1, `"\`: 1, ``: 1,
	} {
		if got := value.Count([]byte(text)); got != want {
			t.Errorf("%s: got %d, want %d", text, got, want)
		}
	}
}
