package query_test

import (
	"errors"
	"flag"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/querytest"
	"github.com/bucketlite/bucketlite/internal/value"
	"github.com/google/go-cmp/cmp"
)

var seed = flag.Uint64("seed", 0, "seed of the random tests, 0 for a new one")

// random returns a Random whose seed is shown if the test fails.
func random(t *testing.T) querytest.Random {
	t.Helper()
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("replay with -seed=%d", s)
	return querytest.New(s)
}

// tree reads JSON text.
func tree(t testing.TB, text string) any {
	t.Helper()
	v, err := value.Parse([]byte(text), value.Limits{MaxDepth: 10000})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func document(t testing.TB, text string) query.Map {
	t.Helper()
	return tree(t, text).(map[string]any)
}

// parsed returns the filter of a JSON text.
func parsed(t testing.TB, text string) *query.Expr {
	t.Helper()
	e, err := query.Parse(tree(t, text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

// compiled returns the predicate of a JSON text, of which types are declared.
func compiled(t testing.TB, text string, types query.Types) *query.Predicate {
	t.Helper()
	p, err := query.Compile(parsed(t, text), types)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

// faultsOf returns the places and rules of an error's faults, as "path: rule".
func faultsOf(t testing.TB, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var bad *query.Error
	if !errors.As(err, &bad) {
		t.Fatalf("got error %v of type %T, want *query.Error", err, err)
	}
	var list []string
	for _, f := range bad.Faults {
		if f.Message == "" {
			t.Errorf("%s: %s: no message", f.Path, f.Rule)
		}
		list = append(list, f.Path+": "+f.Rule)
	}
	return list
}

func wantFaults(t testing.TB, err error, want ...string) {
	t.Helper()
	if got := faultsOf(t, err); !slices.Equal(got, want) {
		t.Errorf("faults: got %q, want %q (%v)", got, want, err)
	}
}

// declared is what the documents of the querytest package are declared as.
func declared(path []string) query.Type {
	name := path[0]
	for _, segment := range path[1:] {
		name += "." + segment
	}
	t := query.Type{Many: path[0] == "stamps" || path[0] == "events"}
	switch querytest.Kind(name) {
	case "string":
		t.Kind = query.String
	case "number", "integer":
		t.Kind = query.Number
	case "boolean":
		t.Kind = query.Boolean
	case "date":
		t.Kind = query.Date
	case "datetime":
		t.Kind = query.DateTime
	case "object":
		t.Kind = query.Other
	default:
		t.Many = true
	}
	return t
}

// wantEqual fails unless got equals want, and shows where they differ.
func wantEqual[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(query.Num{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
