package value_test

import (
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/value"
)

func TestShow(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		v    any
		want string
	}{
		"null":                {nil, "null"},
		"number":              {int64(12), "12"},
		"string":              {"12s", `"12s"`},
		"string with quotes":  {`a"b`, `"a\"b"`},
		"object":              {map[string]any{"secret": true}, "an object"},
		"array":               {[]any{int64(1)}, "an array"},
		"as long as is shown": {strings.Repeat("a", 60), `"` + strings.Repeat("a", 60) + `"`},
		"longer":              {strings.Repeat("a", 61), `"` + strings.Repeat("a", 60) + `…"`},
		"cut inside a letter": {strings.Repeat("a", 59) + "é", `"` + strings.Repeat("a", 59) + `…"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := value.Show(test.v); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
