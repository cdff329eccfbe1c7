package aggregate_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/aggregate"
)

func TestCompileFaults(t *testing.T) {
	t.Parallel()
	const count = `"aggregations":[{"function":"count","alias":"k"}]`
	tests := []struct {
		name, form string
		want       []string
	}{
		{"nothing", `{}`, []string{"group_by: required", "aggregations: required"}},
		{"nothing to group by", `{"group_by":[],"range_buckets":[],` + count + `}`, []string{"group_by: required"}},
		{"no path", `{"group_by":[{}],` + count + `}`, []string{"group_by[0].field: required"}},
		{"bad paths", `{"group_by":[{"field":"a..b"},{"field":"` + strings.Repeat("a.", 32) + `b"}],"unwind":".","range_buckets":[{"field":"` + strings.Repeat("x", 256) + `","boundaries":[1]}],"aggregations":[{"function":"sum","field":"a.","alias":"k"}]}`,
			[]string{"group_by[0].field: path", "group_by[1].field: path", "range_buckets[0].field: path", "aggregations[0].field: path", "unwind: path"}},
		{"the same group twice", `{"group_by":[{"field":"a"},{"field":"b","alias":"a"},{"field":"a"}],"range_buckets":[{"field":"a","boundaries":[1]}],` + count + `}`,
			[]string{"group_by[1].alias: duplicate", "group_by[2].field: duplicate", "range_buckets[0].field: duplicate"}},
		{"long name", `{"group_by":[{"field":"a","alias":"` + strings.Repeat("ä", 256) + `"}],` + count + `}`, []string{"group_by[0].alias: name"}},
		{"unknown units", `{"group_by":[{"field":"a","date_trunc":"decade"},{"field":"b","date_part":"Hour"},{"field":"d","date_trunc":"dayOfWeek"}],` + count + `}`,
			[]string{"group_by[0].date_trunc: enum", "group_by[1].date_part: enum", "group_by[2].date_trunc: enum"}},
		{"trunc and part", `{"group_by":[{"field":"at","date_trunc":"day","date_part":"hour"}],` + count + `}`, []string{"group_by[0].date_part: exclusive"}},
		{"dates of what is none", `{"group_by":[{"field":"s","date_trunc":"day"},{"field":"n","date_part":"hour"},{"field":"yes","date_part":"hour"},{"field":"events","date_trunc":"day"},
			{"field":"day","date_trunc":"day"},{"field":"at","date_trunc":"day"},{"field":"any","date_trunc":"day"},{"field":"stamps","date_trunc":"day"}],` + count + `}`,
			[]string{"group_by[0].field: type", "group_by[1].field: type", "group_by[2].field: type", "group_by[3].field: type"}},

		{"no function", `{"group_by":[{"field":"a"}],"aggregations":[{"alias":"k"},{"function":"median","field":"a","alias":"l"},{"function":"COUNT","alias":"m"}]}`,
			[]string{"aggregations[0].function: required", "aggregations[1].function: unknown", "aggregations[2].function: unknown"}},
		{"no alias", `{"group_by":[{"field":"a"}],"aggregations":[{"function":"count"}]}`, []string{"aggregations[0].alias: required"}},
		{"no field", `{"group_by":[{"field":"a"}],"aggregations":[{"function":"sum","alias":"1"},{"function":"avg","alias":"2"},{"function":"min","alias":"3"},{"function":"max","alias":"4"},{"function":"first","alias":"5"},
			{"function":"last","alias":"6"},{"function":"push","alias":"7"},{"function":"add_to_set","alias":"8"},{"function":"count_distinct","alias":"9"},{"function":"count","alias":"10"}]}`,
			[]string{"aggregations[0].field: required", "aggregations[1].field: required", "aggregations[2].field: required", "aggregations[3].field: required", "aggregations[4].field: required",
				"aggregations[5].field: required", "aggregations[6].field: required", "aggregations[7].field: required", "aggregations[8].field: required"}},
		{"the same alias twice", `{"group_by":[{"field":"a"}],"aggregations":[{"function":"count","alias":"k"},{"function":"count","alias":"a"},{"function":"count","alias":"k"}]}`,
			[]string{"aggregations[2].alias: duplicate"}},
		{"distinct field of others", `{"group_by":[{"field":"a"}],"aggregations":[{"function":"sum","field":"a","distinct_field":"b","alias":"k"},{"function":"count_distinct","distinct_field":"..","alias":"l"}]}`,
			[]string{"aggregations[0].distinct_field: exclusive", "aggregations[1].distinct_field: path"}},
		{"sums of no numbers", `{"group_by":[{"field":"a"}],"aggregations":[{"function":"sum","field":"s","alias":"1"},{"function":"avg","field":"at","alias":"2"},{"function":"sum","field":"day","alias":"3"},{"function":"sum","field":"yes","alias":"4"},
			{"function":"avg","field":"events","alias":"5"},{"function":"sum","field":"n","alias":"6"},{"function":"sum","field":"i","alias":"7"},{"function":"avg","field":"any","alias":"8"},{"function":"max","field":"s","alias":"9"}]}`,
			[]string{"aggregations[0].field: type", "aggregations[1].field: type", "aggregations[2].field: type", "aggregations[3].field: type", "aggregations[4].field: type"}},

		{"boundaries", `{"range_buckets":[{"field":"a"},{"field":"b","boundaries":[]},{"field":"c","boundaries":[1,2,2]},{"field":"d","boundaries":[2,1]},{"field":"e","boundaries":["1"]},{"field":"f","boundaries":[1,null]},{"field":"g","boundaries":[1,1.0]}],` + count + `}`,
			[]string{"range_buckets[0].boundaries: required", "range_buckets[1].boundaries: required", "range_buckets[2].boundaries[2]: order", "range_buckets[3].boundaries[1]: order", "range_buckets[4].boundaries[0]: type",
				"range_buckets[5].boundaries[1]: type", "range_buckets[6].boundaries[1]: order"}},
		{"ranges of no numbers", `{"range_buckets":[{"field":"s","boundaries":[1]},{"field":"n","boundaries":[1]}],` + count + `}`, []string{"range_buckets[0].field: type"}},
		{"default like a range", `{"range_buckets":[{"field":"n","boundaries":[0,5,10],"default_bucket":"5-10"}],` + count + `}`, []string{"range_buckets[0].default_bucket: duplicate"}},

		{"having", `{"group_by":[{"field":"a"}],"aggregations":[{"function":"count","alias":"k"},{"function":"push","field":"a","alias":"list"},{"function":"min","field":"at","alias":"first"}],"having":[{"field":"x","operator":"gt","value":1},
			{"field":"k","operator":"like","value":1},{"field":"k","operator":"gt","value":"1"},{"field":"list","operator":"eq","value":1},{"field":"first","operator":"eq","value":"yesterday"},{"field":"a","operator":"eq","value":null},
			{"field":"a","operator":"eq","value":[1]},{"field":"a","operator":"eq","value":true},{"operator":"eq","value":1},{"field":"k","value":1}]}`,
			[]string{"having[0].field: unknown", "having[1].operator: unknown", "having[2].value: type", "having[3].value: type", "having[4].value: type", "having[5].value: type", "having[6].value: type", "having[7].value: type",
				"having[8].field: required", "having[9].operator: required"}},
		{"having a range", `{"range_buckets":[{"field":"n","boundaries":[0,5]}],` + count + `,"having":[{"field":"n","operator":"gt","value":5}]}`, []string{"having[0].value: type"}},
		{"having what is itself at fault", `{"group_by":[{"field":"a..b","alias":"x"}],"aggregations":[{"function":"count","alias":""}],"having":[{"field":"y","operator":"gt","value":1}],"sort_by":"z"}`,
			[]string{"group_by[0].field: path", "aggregations[0].alias: required"}},

		{"sort", `{"group_by":[{"field":"a"}],` + count + `,"sort_by":"x","sort_direction":"down","limit":-1}`, []string{"sort_direction: enum", "sort_by: unknown", "limit: minimum"}},
		{"sort by a list", `{"group_by":[{"field":"a"}],"aggregations":[{"function":"add_to_set","field":"a","alias":"k"}],"sort_by":"k"}`, []string{"sort_by: type"}},
		{"sort by a path that is two", `{"group_by":[{"field":"at","date_part":"year","alias":"y"},{"field":"at","date_part":"month","alias":"m"}],` + count + `,"sort_by":"at"}`, []string{"sort_by: unknown"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			plan, err := aggregate.Compile(specOf(tree(t, tt.form)), declared)
			if got := faultsOf(t, err); !slices.Equal(got, tt.want) || plan != nil {
				t.Errorf("faults: got %q, want %q (%v)", got, tt.want, err)
			}
		})
	}
}

// Everything has a largest number.
func TestCompileBounds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		most int
		set  func(s *aggregate.Spec, n int)
		want string
	}{
		{"groups", 20, func(s *aggregate.Spec, n int) {
			s.GroupBy = nil
			for i := range n {
				s.GroupBy = append(s.GroupBy, aggregate.Group{Field: fmt.Sprint("a", i)})
			}
		}, "group_by: count"},
		{"metrics", 50, func(s *aggregate.Spec, n int) {
			s.Metrics = nil
			for i := range n {
				s.Metrics = append(s.Metrics, aggregate.Metric{Function: aggregate.Count, Alias: fmt.Sprint("m", i)})
			}
		}, "aggregations: count"},
		{"having", 50, func(s *aggregate.Spec, n int) {
			s.Having = slices.Repeat([]aggregate.Having{{Field: "a", Operator: "eq", Value: 1}}, n)
		}, "having: count"},
		{"ranges", 20, func(s *aggregate.Spec, n int) {
			for i := range n {
				s.Ranges = append(s.Ranges, aggregate.Range{Field: fmt.Sprint("r", i), Boundaries: []any{1}})
			}
		}, "range_buckets: count"},
		{"boundaries", 100, func(s *aggregate.Spec, n int) {
			bounds := make([]any, n)
			for i := range bounds {
				bounds[i] = i
			}
			s.Ranges = []aggregate.Range{{Field: "r", Boundaries: bounds}}
		}, "range_buckets[0].boundaries: count"},
		{"name", 255, func(s *aggregate.Spec, n int) {
			s.GroupBy = append(s.GroupBy, aggregate.Group{Field: "b", Alias: strings.Repeat("ä", n)})
		}, "group_by[1].alias: name"},
	}
	for _, tt := range tests {
		spec := aggregate.Spec{GroupBy: []aggregate.Group{{Field: "a"}}, Metrics: []aggregate.Metric{{Function: aggregate.Count, Alias: "k"}}}
		tt.set(&spec, tt.most)
		if _, err := aggregate.Compile(spec, nil); err != nil {
			t.Errorf("%d %s: %v", tt.most, tt.name, err)
		}
		spec.Ranges, spec.GroupBy = nil, spec.GroupBy[:1]
		tt.set(&spec, tt.most+1)
		if _, err := aggregate.Compile(spec, nil); !slices.Equal(faultsOf(t, err), []string{tt.want}) {
			t.Errorf("%d %s: got %v, want %s", tt.most+1, tt.name, err, tt.want)
		}
	}
}

// Values in Go that no JSON has are faults at their place, and those that it has
// in another form are as good.
func TestCompileGoValues(t *testing.T) {
	t.Parallel()
	type price float32
	spec := aggregate.Spec{
		Ranges:  []aggregate.Range{{Field: "n", Boundaries: []any{int8(-1), price(0.5), uint64(math.MaxUint64)}}},
		Metrics: []aggregate.Metric{{Function: aggregate.Count, Alias: "k"}},
	}
	got := aggregated(t, spec, nil, []map[string]any{{"n": 0.5}, {"n": 0.75}})
	if want := `[{"group":{"n":"-1-0.5"},"metrics":{"k":1}},{"group":{"n":"0.5-18446744073709551615"},"metrics":{"k":1}}]`; text(got) != want {
		t.Errorf("got %s, want %s", text(got), want)
	}
	spec.Ranges[0].Boundaries = []any{math.Inf(-1)}
	spec.Ranges = append(spec.Ranges, aggregate.Range{Field: "m", Boundaries: []any{0, math.NaN()}})
	spec.Having = []aggregate.Having{{Field: "k", Operator: "eq", Value: func() {}}, {Field: "k", Operator: "eq", Value: map[string]any{"a": "\xff"}}}
	spec.Metrics = append(spec.Metrics, aggregate.Metric{Function: aggregate.Count, Alias: "\xff"})
	_, err := aggregate.Compile(spec, nil)
	want := []string{"range_buckets[0].boundaries[0]: number", "range_buckets[1].boundaries[1]: number", "aggregations[1].alias: name", "having[0].value: type", "having[1].value.a: utf8"}
	if got := faultsOf(t, err); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// An error carries the first faults, and counts the others.
func TestFaultsAreBounded(t *testing.T) {
	t.Parallel()
	var spec aggregate.Spec
	spec.GroupBy = slices.Repeat([]aggregate.Group{{Field: "", Alias: "\xff", Trunc: "x", Part: "y"}}, 20)
	spec.Metrics = slices.Repeat([]aggregate.Metric{{}}, 50)
	_, err := aggregate.Compile(spec, nil)
	if got := faultsOf(t, err); len(got) != 100 || !strings.Contains(err.Error(), "more") {
		t.Errorf("got %d faults, %v", len(got), err)
	}
}
