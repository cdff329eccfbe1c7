package aggregate_test

import (
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/querytest"
)

// Random aggregations must make the same groups of random documents as the naive
// evaluator does.
func TestRandom(t *testing.T) {
	t.Parallel()
	r := random(t)
	const rounds = 4000
	groups, several := 0, 0
	for range rounds {
		form := r.Aggregation()
		docs := make([]map[string]any, r.IntN(40))
		for i := range docs {
			docs[i] = r.Document()
		}
		want := querytest.Aggregate(form, docs, querytest.Kind)
		e, err := query.Parse(form["filters"])
		if err != nil {
			t.Fatal(err)
		}
		filter, err := query.Compile(e, declared)
		if err != nil {
			t.Fatal(err)
		}
		var wanted []map[string]any
		for _, doc := range docs {
			if filter.Match(query.Map(doc), new(query.Work)) {
				wanted = append(wanted, doc)
			}
		}
		got := aggregated(t, specOf(form), declared, wanted)
		if text(got) != text(want) {
			t.Fatalf("%s of %s:\ngot  %s\nwant %s", text(form), text(anyOf(docs)), text(got), text(want))
		}
		if groups += len(got); len(got) > 1 {
			several++
		}
	}
	// A test of aggregations that make next to nothing would prove little.
	if groups < 2*rounds || several < rounds/4 {
		t.Errorf("%d groups in all, %d times several, in %d rounds", groups, several, rounds)
	}
}

func anyOf(docs []map[string]any) []any {
	list := make([]any, len(docs))
	for i, doc := range docs {
		list[i] = doc
	}
	return list
}
