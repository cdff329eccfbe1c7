package bucketlite_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A filter of a text finds what the same filter of Go finds.
func TestParseWhere(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `
		"k": {"type": "string", "required": true}, "n": {"type": "number"}, "at": {"type": "datetime"}, "tags": {"type": "array", "items": {"type": "string"}},
		"first name": {"type": "string"}, "meta": {"type": "object"}`)})
	for _, text := range []string{
		`{"k": "a", "n": 9007199254740993, "at": "2024-01-01T00:00:00Z", "tags": ["red", "blue"], "first name": "Ada"}`,
		`{"k": "b", "n": 9007199254740992, "at": "2024-06-01T12:00:00+02:00", "meta": {"author": {"name": "O'Hara"}}}`,
		`{"k": "c", "tags": ["green"], "meta": {"author": null}}`,
	} {
		storetest.Put(t, b, storetest.Input(t, text), "")
	}
	for where, want := range map[string]string{
		`n = 9007199254740993`:                                     "a",
		`n >= 9007199254740992.0 and n < 9007199254740993`:         "b",
		`not n exists`:                                             "c",
		`n is null or tags = "RED"`:                                "a c",
		`at > "2024-06-01T09:59:59Z"`:                              "b",
		`tags in ("green", "blue") and k != "c"`:                   "a",
		`"first name" starts with "ad"`:                            "a",
		`meta.author.name = 'O''Hara'`:                             "b",
		`meta.author is null and not (k = "a" or k = "b")`:         "c",
		`k matches '^[ab]$' and tags not contains "r"`:             "b",
		`status = "DRAFT" and created_at > "2020-01-01T00:00:00Z"`: "a b c",
	} {
		filter, err := bucketlite.ParseWhere(where)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		var found []string
		for o, err := range b.Objects(context.Background(), bucketlite.Query{Filter: filter}) {
			if err != nil {
				t.Fatalf("%s: %v", where, err)
			}
			found = append(found, o.Fields["k"].(string))
		}
		if got := strings.Join(found, " "); got != want {
			t.Errorf("%s: got %q, want %q", where, got, want)
		}
	}
}

func TestParseWhereError(t *testing.T) {
	t.Parallel()
	_, err := bucketlite.ParseWhere("a = 1 and\n é = x")
	var bad *bucketlite.WhereError
	if !errors.As(err, &bad) || !errors.Is(err, bucketlite.ErrBadRequest) {
		t.Fatalf("got %v, want a *WhereError that is ErrBadRequest", err)
	}
	if bad.Offset != 16 || bad.Line != 2 || bad.Column != 6 {
		t.Errorf("got offset %d, line %d, column %d, want 16, 2, 6", bad.Offset, bad.Line, bad.Column)
	}
	if got, want := err.Error(), `bucketlite: where: line 2, character 6: got x, want a value; text stands in quotes: "x"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
