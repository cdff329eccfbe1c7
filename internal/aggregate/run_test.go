package aggregate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/aggregate"
	"github.com/bucketlite/bucketlite/internal/query"
)

func plan(t testing.TB, form string) *aggregate.Plan {
	t.Helper()
	p, err := aggregate.Compile(specOf(tree(t, form)), times)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// untilTooMuch adds documents of which the i-th has a c and an n of its own, and
// returns how many it took.
func untilTooMuch(t *testing.T, form string, limits aggregate.Limits, doc func(i int) query.Map) int {
	t.Helper()
	run := plan(t, form).Start(limits)
	for i := range 10_000 {
		if err := run.Add(doc(i)); err != nil {
			var limit aggregate.LimitError
			if !errors.As(err, &limit) {
				t.Fatalf("got %v of type %T", err, err)
			}
			return i
		}
	}
	return 10_000
}

func TestLimits(t *testing.T) {
	t.Parallel()
	own := func(i int) query.Map { return query.Map{"c": fmt.Sprint(i), "n": json.Number(fmt.Sprint(i))} }
	same := func(i int) query.Map { return query.Map{"c": "c", "n": json.Number("1")} }
	long := func(i int) query.Map { return query.Map{"n": strings.Repeat("x", 1000) + fmt.Sprint(i)} }
	rising := func(i int) query.Map { return query.Map{"n": fmt.Sprintf("%04d", i) + strings.Repeat("x", 1000)} }
	const all = 10_000
	form := func(function string) string {
		return `{"group_by":[{"field":"c"}],"aggregations":[{"function":"` + function + `","field":"n","alias":"k"}]}`
	}
	tests := []struct {
		name   string
		form   string
		limits aggregate.Limits
		doc    func(int) query.Map
		least  int
		most   int
	}{
		{"groups", form("count"), aggregate.Limits{Groups: 100, Values: all, Bytes: 1 << 30}, own, 100, 100},
		{"one group", form("count"), aggregate.Limits{Groups: 1, Values: 0, Bytes: 1000}, same, all, all},
		{"bytes of groups", form("count"), aggregate.Limits{Groups: all, Values: all, Bytes: 100_000}, own, 200, 500},
		{"push", form("push"), aggregate.Limits{Groups: all, Values: 100, Bytes: 1 << 30}, same, 100, 100},
		{"push in many groups", form("push"), aggregate.Limits{Groups: all, Values: 100, Bytes: 1 << 30}, own, 100, 100},
		{"bytes of push", form("push"), aggregate.Limits{Groups: all, Values: all, Bytes: 100_000}, long, 75, 100},
		{"count_distinct", form("count_distinct"), aggregate.Limits{Groups: all, Values: 100, Bytes: 1 << 30}, own, 100, 100},
		{"count_distinct of the same", form("count_distinct"), aggregate.Limits{Groups: all, Values: 1, Bytes: 1 << 30}, same, all, all},
		{"bytes of count_distinct", form("count_distinct"), aggregate.Limits{Groups: all, Values: all, Bytes: 100_000}, long, 70, 100},
		{"add_to_set of the same", form("add_to_set"), aggregate.Limits{Groups: 1, Values: 2, Bytes: 1 << 30}, same, all, all},
		{"bytes of add_to_set", form("add_to_set"), aggregate.Limits{Groups: all, Values: all, Bytes: 100_000}, long, 40, 50},
		// These replace what they keep.
		{"max", form("max"), aggregate.Limits{Groups: 1, Values: 0, Bytes: 3000}, rising, all, all},
		{"last", form("last"), aggregate.Limits{Groups: 1, Values: 0, Bytes: 3000}, rising, all, all},
		{"bytes of first", form("first"), aggregate.Limits{Groups: all, Values: all, Bytes: 100_000},
			func(i int) query.Map { d := long(i); d["c"] = fmt.Sprint(i); return d }, 55, 90},
		{"bytes of min", form("min"), aggregate.Limits{Groups: all, Values: all, Bytes: 100_000},
			func(i int) query.Map { d := long(i); d["c"] = fmt.Sprint(i); return d }, 55, 90},
		{"unwound", `{"unwind":"n","group_by":[{"field":"n"}],"aggregations":[{"function":"count","alias":"k"}]}`, aggregate.Limits{Groups: 5, Values: all, Bytes: 1 << 30},
			func(i int) query.Map { return query.Map{"n": []any{2 * i, 2*i + 1}} }, 2, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := untilTooMuch(t, tt.form, tt.limits, tt.doc); got < tt.least || got > tt.most {
				t.Errorf("got %d documents, want %d to %d", got, tt.least, tt.most)
			}
		})
	}
}

// A document of a group that is known costs no memory, whatever is computed of it.
func TestAddAllocs(t *testing.T) {
	run := plan(t, `{"group_by":[{"field":"c"},{"field":"i"},{"field":"m.b"},{"field":"x","date_part":"hour"}],"range_buckets":[{"field":"n","boundaries":[0,1,10,1000]}],"aggregations":[
		{"function":"count","alias":"count"},{"function":"sum","field":"n","alias":"sum"},{"function":"avg","field":"n","alias":"avg"},{"function":"min","field":"n","alias":"min"},
		{"function":"max","field":"c","alias":"max"},{"function":"first","field":"c","alias":"first"},{"function":"count_distinct","field":"n","alias":"distinct"},{"function":"add_to_set","field":"m.list","alias":"set"}
	]}`).Start(many)
	var doc query.Doc = query.Map{
		"c": "shoes", "i": json.Number("12345"), "n": json.Number("481.75"), "x": "2024-03-01T12:00:00Z",
		"m": map[string]any{"b": true, "list": []any{"a", "b", json.Number("1")}},
	}
	add := func() {
		if err := run.Add(doc); err != nil {
			t.Fatal(err)
		}
	}
	add()
	if n := testing.AllocsPerRun(1000, add); n != 0 {
		t.Errorf("a document allocates %v times, want 0", n)
	}
}

func TestRoots(t *testing.T) {
	t.Parallel()
	got := plan(t, `{"unwind":"blobs.x","group_by":[{"field":"a.b"},{"field":"a.c"}],"range_buckets":[{"field":"n","boundaries":[1]}],
		"aggregations":[{"function":"sum","field":"blobs.details.size_bytes","alias":"s"},{"function":"count","alias":"k"}]}`).Roots()
	if want := "[a n blobs]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func BenchmarkAdd(b *testing.B) {
	run := plan(b, `{"group_by":[{"field":"c"}],"aggregations":[{"function":"count","alias":"k"},{"function":"sum","field":"n","alias":"s"},{"function":"avg","field":"n","alias":"a"}]}`).Start(many)
	var docs [8]query.Doc
	for i := range docs {
		docs[i] = query.Map{"c": fmt.Sprint("category ", i%4), "n": json.Number(fmt.Sprintf("%d.75", 100*i))}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := run.Add(docs[i%len(docs)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
	if rows, err := run.Results(); len(rows) != min(i, 4) {
		b.Fatal(rows, err)
	}
}
