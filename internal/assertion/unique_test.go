package assertion

import (
	"encoding/json"
	"testing"
)

// Numbers are compared in about the space they are written in. A million times
// 1e999, each written out, would take a gigabyte.
func TestUniqueKeyIsShort(t *testing.T) {
	t.Parallel()
	for _, n := range []any{json.Number("1.5e300"), json.Number("1e-300"), json.Number("150e298"), 1.5e300} {
		if key := appendKey(nil, n); len(key) > 20 {
			t.Errorf("key of %v: got %d bytes, want at most 20", n, len(key))
		}
	}
	a, b := appendKey(nil, json.Number("1.5e300")), appendKey(nil, 150e298)
	if string(a) != string(b) {
		t.Errorf("keys of equal numbers: got %s and %s", a, b)
	}
}
