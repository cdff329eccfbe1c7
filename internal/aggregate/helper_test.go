package aggregate_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"github.com/bucketlite/bucketlite/internal/aggregate"
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/querytest"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/bucketlite/bucketlite/internal/value"
)

// random returns a Random whose seed is shown if the test fails.
func random(t *testing.T) querytest.Random {
	t.Helper()
	s := *storetest.Seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("replay with -seed=%d", s)
	return querytest.New(s)
}

// tree reads JSON text.
func tree(t testing.TB, text string) any {
	t.Helper()
	v, err := value.Parse([]byte(text), value.Limits{MaxDepth: 1000})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func text(v any) string { return string(value.Append(nil, v)) }

// specOf returns the Spec whose JSON form is given, without its filters.
func specOf(form any) aggregate.Spec {
	m := form.(map[string]any)
	str := func(m any, name string) string { s, _ := m.(map[string]any)[name].(string); return s }
	list := func(name string) []any { l, _ := m[name].([]any); return l }
	spec := aggregate.Spec{Unwind: str(m, "unwind"), SortBy: str(m, "sort_by"), Direction: str(m, "sort_direction")}
	for _, g := range list("group_by") {
		spec.GroupBy = append(spec.GroupBy, aggregate.Group{Field: str(g, "field"), Alias: str(g, "alias"), Trunc: str(g, "date_trunc"), Part: str(g, "date_part")})
	}
	for _, r := range list("range_buckets") {
		bounds, _ := r.(map[string]any)["boundaries"].([]any)
		spec.Ranges = append(spec.Ranges, aggregate.Range{Field: str(r, "field"), Boundaries: bounds, Default: str(r, "default_bucket")})
	}
	for _, x := range list("aggregations") {
		spec.Metrics = append(spec.Metrics, aggregate.Metric{Function: str(x, "function"), Field: str(x, "field"), DistinctField: str(x, "distinct_field"), Alias: str(x, "alias")})
	}
	for _, h := range list("having") {
		spec.Having = append(spec.Having, aggregate.Having{Field: str(h, "field"), Operator: str(h, "operator"), Value: h.(map[string]any)["value"]})
	}
	if n, ok := value.Int(m["limit"]); ok {
		spec.Limit = int(n)
	}
	return spec
}

// many are limits that no test but those of limits comes near to.
var many = aggregate.Limits{Groups: 1e6, Values: 1e6, Bytes: 1 << 30}

// aggregated returns the groups that an aggregation makes of docs, as the hosted
// service's results.
func aggregated(t testing.TB, spec aggregate.Spec, types query.Types, docs []map[string]any) []any {
	t.Helper()
	plan, err := aggregate.Compile(spec, types)
	if err != nil {
		t.Fatalf("%+v: %v", spec, err)
	}
	run := plan.Start(many)
	var l lender
	for _, doc := range docs {
		if err := run.Add(query.Map(l.lend(doc).(map[string]any))); err != nil {
			t.Fatalf("%+v: %v", spec, err)
		}
		l.spoil()
	}
	results := []any{}
	rows, err := run.Results()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		results = append(results, map[string]any{"group": row.Group, "metrics": row.Metrics})
	}
	return results
}

// A lender lends documents whose texts are spoilt once they are given back, as
// those that lie in SQLite's memory are.
type lender struct{ texts [][]byte }

func (l *lender) spoil() {
	for _, text := range l.texts {
		for i := range text {
			text[i] = '!'
		}
	}
	l.texts = l.texts[:0]
}

func (l *lender) text(s string) string {
	if s == "" {
		return s
	}
	b := []byte(s)
	l.texts = append(l.texts, b)
	return unsafe.String(&b[0], len(b))
}

func (l *lender) lend(v any) any {
	switch v := v.(type) {
	case string:
		return l.text(v)
	case json.Number:
		return json.Number(l.text(string(v)))
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = l.lend(item)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, item := range v {
			object[l.text(name)] = l.lend(item)
		}
		return object
	}
	return v
}

// faultsOf returns the places and rules of an error's faults, as "path: rule".
func faultsOf(t testing.TB, err error) (list []string) {
	t.Helper()
	var bad *query.Error
	if err != nil && !errors.As(err, &bad) {
		t.Fatalf("got error %v of type %T, want *query.Error", err, err)
	}
	if err == nil {
		return nil
	}
	for _, f := range bad.Faults {
		if f.Message == "" {
			t.Errorf("%s: %s: no message", f.Path, f.Rule)
		}
		list = append(list, f.Path+": "+f.Rule)
	}
	return list
}

// declared is what the documents of the querytest package are declared as.
func declared(path []string) query.Type {
	t := query.Type{Many: path[0] == "stamps" || path[0] == "events"}
	switch querytest.Kind(strings.Join(path, ".")) {
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
