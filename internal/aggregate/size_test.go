package aggregate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/aggregate"
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// The count is that of the heap: no run grows it by much more than the limit, and none
// is refused while it holds only a fraction.
func TestBytesAreThoseOfTheHeap(t *testing.T) {
	const limit = 24 << 20
	text := func(i int) string { return fmt.Sprintf("value %d", i) }
	tests := map[string]struct {
		form string
		doc  func(i int) query.Map
	}{
		"groups": {`{"group_by":[{"field":"k"}],"aggregations":[{"function":"count","alias":"n"}]}`,
			func(i int) query.Map { return query.Map{"k": text(i)} }},
		"groups of many columns and metrics": {`{"group_by":[{"field":"k"},{"field":"a"},{"field":"b"}],"aggregations":[{"function":"sum","field":"x","alias":"s"},{"function":"avg","field":"x","alias":"v"},
			{"function":"min","field":"k","alias":"m"},{"function":"first","field":"k","alias":"f"},{"function":"count_distinct","field":"k","alias":"d"}]}`,
			func(i int) query.Map {
				return query.Map{"k": text(i), "a": json.Number(fmt.Sprint(i)), "b": true, "x": json.Number(fmt.Sprint(i) + ".5")}
			}},
		"groups by objects": {`{"group_by":[{"field":"k"}],"aggregations":[{"function":"count","alias":"n"}]}`,
			func(i int) query.Map { return query.Map{"k": map[string]any{"a": text(i), "b": []any{text(i)}}} }},
		"long keys": {`{"group_by":[{"field":"k"}],"aggregations":[{"function":"count","alias":"n"}]}`,
			func(i int) query.Map { return query.Map{"k": text(i) + strings.Repeat("x", 10_000)} }},
		"distinct values": {`{"group_by":[{"field":"none"}],"aggregations":[{"function":"count_distinct","field":"k","alias":"n"}]}`,
			func(i int) query.Map { return query.Map{"k": json.Number(fmt.Sprint(i))} }},
		"a list of objects": {`{"group_by":[{"field":"none"}],"aggregations":[{"function":"push","field":"k","alias":"n"}]}`,
			func(i int) query.Map { return query.Map{"k": map[string]any{"a": text(i), "b": true}} }},
		"a set": {`{"group_by":[{"field":"none"}],"aggregations":[{"function":"add_to_set","field":"k","alias":"n"}]}`,
			func(i int) query.Map { return query.Map{"k": text(i)} }},
		"small sets": {`{"group_by":[{"field":"k"}],"aggregations":[{"function":"add_to_set","field":"k","alias":"n"}]}`,
			func(i int) query.Map { return query.Map{"k": text(i)} }},
		"few groups of the result": {`{"group_by":[{"field":"k"}],"aggregations":[{"function":"count","alias":"n"}],"sort_by":"k","limit":10}`,
			func(i int) query.Map { return query.Map{"k": text(i)} }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			run := plan(t, test.form).Start(aggregate.Limits{Groups: 1e9, Values: 1e9, Bytes: limit / 4 * 3})
			var err error
			n := 0
			runtime.GC()
			before := storetest.Heap()
			peak := storetest.HeapPeak(func() {
				for ; err == nil; n++ {
					err = run.Add(test.doc(n))
				}
			})
			runtime.GC()
			held := storetest.Heap() - before
			runtime.KeepAlive(run)
			var over aggregate.LimitError
			if !errors.As(err, &over) {
				t.Fatal(err)
			}
			t.Logf("refused after %d documents: %.1f MiB held, %.1f at the peak, of %d", n, mib(held), mib(peak), limit>>20)
			if peak > 2*limit { // half again on a machine that is not busy
				t.Errorf("the heap grew by %.1f MiB, want at most %d", mib(peak), 2*limit>>20)
			}
			if held > limit || held < limit/5 {
				t.Errorf("%.1f MiB are held, want about three quarters of %d", mib(held), limit>>20)
			}
		})
	}
}

// Results count like what was kept for them.
func TestResultsAreCounted(t *testing.T) {
	const limit = 24 << 20
	form := `{"group_by":[{"field":"k"}],"aggregations":[{"function":"count","alias":"n"}]%s}`
	const groups = 30_000
	for name, test := range map[string]struct {
		rest  string
		bytes int
		want  int // 0: refused
	}{
		"all":         {"", limit / 4 * 3, 0},
		"more memory": {"", 4 * limit, groups},
		"a few":       {`,"limit":100`, limit / 4 * 3, 100},
	} {
		run := plan(t, fmt.Sprintf(form, test.rest)).Start(aggregate.Limits{Groups: 1e9, Values: 1e9, Bytes: test.bytes})
		for i := range groups {
			if err := run.Add(query.Map{"k": fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		var rows []aggregate.Row
		var err error
		before := storetest.Heap()
		storetest.HeapPeak(func() { rows, err = run.Results() })
		runtime.GC()
		t.Logf("%s: %d results take %.1f MiB: %v", name, len(rows), mib(storetest.Heap()-before), err)
		var over aggregate.LimitError
		if len(rows) != test.want || (test.want == 0) != errors.As(err, &over) {
			t.Errorf("%s: got %d results, %v, want %d", name, len(rows), err, test.want)
		}
	}
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }
