package assertion

import (
	"encoding/json"
	"testing"

	"github.com/bucketlite/bucketlite/internal/pattern"
)

// Bounds accept exactly those values of their kinds that the library accepts.
func TestBounds(t *testing.T) {
	t.Parallel()
	values := []any{json.Number("-1"), json.Number("0"), json.Number("5"), json.Number("6"), json.Number("9223372036854775807"), "", "abcde", "äöüßé", "abcdef", "äöüßéx",
		int64(-1), 0, int8(5), uint64(6), 5.0, float32(6)}
	for _, keywords := range []map[string]any{
		{"minimum": json.Number("0")}, {"maximum": json.Number("5")}, {"minLength": json.Number("5")}, {"maxLength": json.Number("5")},
		{"minimum": json.Number("0"), "maximum": json.Number("5"), "minLength": json.Number("1"), "maxLength": json.Number("5")},
	} {
		a, err := Compile(keywords, LatestRules)
		if err != nil || a.bounds == nil {
			t.Fatalf("%v: got %+v, %v, want bounds", keywords, a, err)
		}
		library, err := Compile(keywords, LatestRules)
		if err != nil {
			t.Fatal(err)
		}
		library.bounds = nil
		for _, v := range values {
			var allowance pattern.Allowance
			if got, want := a.bounds.accepts(v), library.Check(v, &allowance) == nil; got != want {
				t.Errorf("%v: %v: got %t, want %t", keywords, v, got, want)
			}
		}
	}
	for _, keywords := range []map[string]any{
		{"maximum": json.Number("5.5")}, {"maximum": json.Number("5"), "multipleOf": json.Number("2")}, {"maxLength": json.Number("5"), "format": "date"},
		{"maximum": json.Number("5"), "pattern": "a"},
	} {
		if a, err := Compile(keywords, LatestRules); err != nil || a.bounds != nil {
			t.Errorf("%v: got %+v, %v, want no bounds", keywords, a, err)
		}
	}
}
