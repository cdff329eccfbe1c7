package aggregate_test

import (
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
)

// objects reads a list of documents.
func objects(t testing.TB, text string) (docs []map[string]any) {
	t.Helper()
	for _, doc := range tree(t, text).([]any) {
		docs = append(docs, doc.(map[string]any))
	}
	return docs
}

// times declares the paths at and stamps as datetimes.
func times(path []string) query.Type {
	switch path[0] {
	case "at":
		return query.Type{Kind: query.DateTime}
	case "stamps":
		return query.Type{Kind: query.DateTime, Many: true}
	}
	return query.Type{Many: true}
}

// The rules, one by one. The wanted results are the groups in order, each with the
// values it is grouped by and its metrics.
func TestAggregate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, docs, form, want string
	}{
		{"groups", `[{"c":"a","n":1},{"c":"b","n":2},{"c":"a","n":3}]`,
			`{"group_by":[{"field":"c"}],"aggregations":[{"function":"count","alias":"k"},{"function":"sum","field":"n","alias":"s"}]}`,
			`[{"group":{"c":"a"},"metrics":{"k":2,"s":4}},{"group":{"c":"b"},"metrics":{"k":1,"s":2}}]`},
		{"nothing", `[]`,
			`{"group_by":[{"field":"c"}],"aggregations":[{"function":"count","alias":"k"}]}`,
			`[]`},
		{"null and absent are one", `[{},{"c":null},{"c":"a"}]`,
			`{"group_by":[{"field":"c"}],"aggregations":[{"function":"count","alias":"k"}]}`,
			`[{"group":{"c":"a"},"metrics":{"k":1}},{"group":{"c":null},"metrics":{"k":2}}]`},
		{"equal values are one, as first seen", `[{"c":5.0},{"c":5},{"c":"5"},{"c":"A"},{"c":"a"},{"c":9007199254740993},{"c":9007199254740992}]`,
			`{"group_by":[{"field":"c"}],"aggregations":[{"function":"count","alias":"k"}]}`,
			`[{"group":{"c":5.0},"metrics":{"k":2}},{"group":{"c":9007199254740992},"metrics":{"k":1}},{"group":{"c":9007199254740993},"metrics":{"k":1}},
			{"group":{"c":"5"},"metrics":{"k":1}},{"group":{"c":"A"},"metrics":{"k":1}},{"group":{"c":"a"},"metrics":{"k":1}}]`},
		{"instants", `[{"at":"2024-03-01T13:00:00+01:00"},{"at":"2024-03-01T12:00:00Z"},{"at":"2024-03-01T12:00:00.5Z"}]`,
			`{"group_by":[{"field":"at"}],"aggregations":[{"function":"count","alias":"k"},{"function":"count_distinct","field":"at","alias":"d"}]}`,
			`[{"group":{"at":"2024-03-01T13:00:00+01:00"},"metrics":{"k":2,"d":1}},{"group":{"at":"2024-03-01T12:00:00.5Z"},"metrics":{"k":1,"d":1}}]`},
		{"undeclared they are text", `[{"x":"2024-03-01T13:00:00+01:00"},{"x":"2024-03-01T12:00:00Z"}]`,
			`{"group_by":[{"field":"x"}],"aggregations":[{"function":"count","alias":"k"}]}`,
			`[{"group":{"x":"2024-03-01T12:00:00Z"},"metrics":{"k":1}},{"group":{"x":"2024-03-01T13:00:00+01:00"},"metrics":{"k":1}}]`},
		{"order of groups", `[{"c":{"a":1}},{"c":[2]},{"c":null},{"c":"x"},{"c":7},{"c":true},{"c":[1,5]},{"c":[]},{"c":{}}]`,
			`{"group_by":[{"field":"c"}],"aggregations":[{"function":"count","alias":"k"}]}`,
			`[{"group":{"c":true},"metrics":{"k":1}},{"group":{"c":7},"metrics":{"k":1}},{"group":{"c":"x"},"metrics":{"k":1}},{"group":{"c":[]},"metrics":{"k":1}},
			{"group":{"c":[1,5]},"metrics":{"k":1}},{"group":{"c":[2]},"metrics":{"k":1}},{"group":{"c":{}},"metrics":{"k":1}},{"group":{"c":{"a":1}},"metrics":{"k":1}},
			{"group":{"c":null},"metrics":{"k":1}}]`},
		{"arrays are taken as a whole", `[{"c":["a","b"]},{"c":["b","a"]},{"c":["a","b"]},{"c":"a"},{"c":[5,{"x":1.0}]},{"c":[5.0,{"x":1}]}]`,
			`{"group_by":[{"field":"c"}],"aggregations":[{"function":"count","alias":"k"}]}`,
			`[{"group":{"c":"a"},"metrics":{"k":1}},{"group":{"c":[5,{"x":1.0}]},"metrics":{"k":2}},{"group":{"c":["a","b"]},"metrics":{"k":2}},{"group":{"c":["b","a"]},"metrics":{"k":1}}]`},
		{"through arrays", `[{"e":[{"c":1},{},{"c":2},[{"c":3}],5]},{"e":[]},{"e":5}]`,
			`{"group_by":[{"field":"e.c"}],"aggregations":[{"function":"sum","field":"e.c","alias":"s"}]}`,
			`[{"group":{"e.c":[]},"metrics":{"s":0}},{"group":{"e.c":[1,2,[3]]},"metrics":{"s":6}},{"group":{"e.c":null},"metrics":{"s":0}}]`},
		{"several, with aliases", `[{"a":1,"m":{"b":"x"}},{"a":1,"m":{"b":"y"}},{"a":0,"m":{"b":"y"}},{"a":1,"m":{"b":"x"}}]`,
			`{"group_by":[{"field":"a"},{"field":"m.b","alias":"b"}],"aggregations":[{"function":"count","alias":"k"}]}`,
			`[{"group":{"a":0,"b":"y"},"metrics":{"k":1}},{"group":{"a":1,"b":"x"},"metrics":{"k":2}},{"group":{"a":1,"b":"y"},"metrics":{"k":1}}]`},

		{"unwind", `[{"k":1,"t":["a","b"]},{"k":2,"t":"a"},{"k":3,"t":[]},{"k":4},{"k":5,"t":null},{"k":6,"t":[null,["a"]]}]`,
			`{"unwind":"t","group_by":[{"field":"t"}],"aggregations":[{"function":"push","field":"k","alias":"k"}]}`,
			`[{"group":{"t":"a"},"metrics":{"k":[1,2]}},{"group":{"t":"b"},"metrics":{"k":[1]}},{"group":{"t":["a"]},"metrics":{"k":[6]}},{"group":{"t":null},"metrics":{"k":[6]}}]`},
		{"unwind objects", `[{"e":[{"c":"a","n":1},{"c":"b","n":2},{"c":"a","n":3}],"n":10}]`,
			`{"unwind":"e","group_by":[{"field":"e.c"}],"aggregations":[{"function":"sum","field":"e.n","alias":"s"},{"function":"sum","field":"n","alias":"t"}]}`,
			`[{"group":{"e.c":"a"},"metrics":{"s":4,"t":20}},{"group":{"e.c":"b"},"metrics":{"s":2,"t":10}}]`},
		{"unwind through arrays", `[{"e":[{"c":"x","t":[1,2]},{"c":"y","t":[3]},{"c":"z"},5,[{"c":"w","t":4}]]}]`,
			`{"unwind":"e.t","group_by":[{"field":"e.c"}],"aggregations":[{"function":"push","field":"e.t","alias":"t"}]}`,
			`[{"group":{"e.c":"w"},"metrics":{"t":[4]}},{"group":{"e.c":"x"},"metrics":{"t":[1,2]}},{"group":{"e.c":"y"},"metrics":{"t":[3]}}]`},

		{"count", `[{"n":1},{"n":null},{},{"n":[1,null,2,[3]]}]`,
			`{"group_by":[{"field":"none"}],"aggregations":[{"function":"count","alias":"docs"},{"function":"count","field":"n","alias":"values"}]}`,
			`[{"group":{"none":null},"metrics":{"docs":4,"values":4}}]`},
		{"count distinct", `[{"n":1},{"n":1.0},{"n":[1,2,null]},{"n":"1"},{"n":"a"},{"n":"A"},{}]`,
			`{"group_by":[{"field":"none"}],"aggregations":[{"function":"count_distinct","field":"n","alias":"a"},{"function":"count_distinct","distinct_field":"n","alias":"b"},
			{"function":"count_distinct","field":"x","distinct_field":"n","alias":"c"}]}`,
			`[{"group":{"none":null},"metrics":{"a":5,"b":5,"c":5}}]`},
		{"others than numbers are left out", `[{"n":1},{"n":"2"},{"n":true},{"n":{"n":3}},{"n":[4,"5"]}]`,
			`{"group_by":[{"field":"none"}],"aggregations":[{"function":"sum","field":"n","alias":"s"},{"function":"avg","field":"n","alias":"a"}]}`,
			`[{"group":{"none":null},"metrics":{"s":5,"a":2.5}}]`},
		{"none", `[{}]`,
			`{"group_by":[{"field":"none"}],"aggregations":[{"function":"sum","field":"n","alias":"sum"},{"function":"avg","field":"n","alias":"avg"},
			{"function":"min","field":"n","alias":"min"},{"function":"max","field":"n","alias":"max"},{"function":"first","field":"n","alias":"first"},
			{"function":"last","field":"n","alias":"last"},{"function":"push","field":"n","alias":"push"},{"function":"add_to_set","field":"n","alias":"set"},
			{"function":"count","field":"n","alias":"count"},{"function":"count_distinct","field":"n","alias":"distinct"}]}`,
			`[{"group":{"none":null},"metrics":{"avg":null,"count":0,"distinct":0,"first":null,"last":null,"max":null,"min":null,"push":[],"set":[],"sum":0}}]`},
		{"extremes", `[{"n":5,"at":"2024-03-01T12:00:00+02:00"},{"n":5.0,"at":"2024-03-01T11:00:00Z"},{"n":null,"at":"2024-03-01T10:00:00Z"},{"n":[7,-1.5],"at":null}]`,
			`{"group_by":[{"field":"none"}],"aggregations":[{"function":"min","field":"n","alias":"a"},{"function":"max","field":"n","alias":"b"},
			{"function":"min","field":"at","alias":"c"},{"function":"max","field":"at","alias":"d"}]}`,
			`[{"group":{"none":null},"metrics":{"a":-1.5,"b":7,"c":"2024-03-01T12:00:00+02:00","d":"2024-03-01T11:00:00Z"}}]`},
		{"extremes of equals", `[{"n":5.0},{"n":5},{"n":5.00}]`,
			`{"group_by":[{"field":"none"}],"aggregations":[{"function":"min","field":"n","alias":"a"},{"function":"max","field":"n","alias":"b"}]}`,
			`[{"group":{"none":null},"metrics":{"a":5.0,"b":5.0}}]`},
		{"extremes of types", `[{"n":"a"},{"n":1e300},{"n":false},{"n":{"x":1}},{"n":"B"}]`,
			`{"group_by":[{"field":"none"}],"aggregations":[{"function":"min","field":"n","alias":"a"},{"function":"max","field":"n","alias":"b"}]}`,
			`[{"group":{"none":null},"metrics":{"a":false,"b":{"x":1}}}]`},
		{"first and last", `[{},{"n":null},{"n":[1,2]},{"n":"x"},{"n":[3,4,null]},{"n":[]}]`,
			`{"group_by":[{"field":"none"}],"aggregations":[{"function":"first","field":"n","alias":"a"},{"function":"last","field":"n","alias":"b"}]}`,
			`[{"group":{"none":null},"metrics":{"a":1,"b":4}}]`},
		{"lists", `[{"n":2},{"n":[1,2.0,null]},{},{"n":{"x":[1]}},{"n":{"x":[1.0]}},{"n":"a"}]`,
			`{"group_by":[{"field":"none"}],"aggregations":[{"function":"push","field":"n","alias":"a"},{"function":"add_to_set","field":"n","alias":"b"}]}`,
			`[{"group":{"none":null},"metrics":{"a":[2,1,2.0,{"x":[1]},{"x":[1.0]},"a"],"b":[2,1,{"x":[1]},"a"]}}]`},

		{"ranges", `[{"n":-1},{"n":0},{"n":0.5},{"n":60},{"n":60.01},{"n":300},{"n":300.5},{"n":"5"},{"n":null},{},{"n":[5]}]`,
			`{"range_buckets":[{"field":"n","boundaries":[0,60,300]}],"aggregations":[{"function":"count","alias":"k"},{"function":"push","field":"n","alias":"n"}]}`,
			`[{"group":{"n":"0-60"},"metrics":{"k":2,"n":[0.5,60]}},{"group":{"n":"60-300"},"metrics":{"k":2,"n":[60.01,300]}},
			{"group":{"n":"other"},"metrics":{"k":7,"n":[-1,0,300.5,"5",5]}}]`},
		{"names of ranges", `[{"n":-1},{"n":0.5},{"n":1e3}]`,
			`{"range_buckets":[{"field":"n","boundaries":[-2.50,-0.5,0,1.0],"default_bucket":"viral"}],"aggregations":[{"function":"count","alias":"k"}]}`,
			`[{"group":{"n":"-2.50--0.5"},"metrics":{"k":1}},{"group":{"n":"0-1.0"},"metrics":{"k":1}},{"group":{"n":"viral"},"metrics":{"k":1}}]`},
		{"one boundary", `[{"n":-1},{"n":1}]`,
			`{"range_buckets":[{"field":"n","boundaries":[0]}],"aggregations":[{"function":"count","alias":"k"}]}`,
			`[{"group":{"n":"other"},"metrics":{"k":2}}]`},
		{"exact boundaries", `[{"n":9007199254740992},{"n":9007199254740993},{"n":9007199254740994}]`,
			`{"range_buckets":[{"field":"n","boundaries":[9007199254740992,9007199254740993,9007199254740994]}],"aggregations":[{"function":"count","alias":"k"}]}`,
			`[{"group":{"n":"9007199254740992-9007199254740993"},"metrics":{"k":1}},{"group":{"n":"9007199254740993-9007199254740994"},"metrics":{"k":1}},{"group":{"n":"other"},"metrics":{"k":1}}]`},
		{"ranges beside groups", `[{"c":"a","n":5},{"c":"b","n":15},{"c":"a","n":6}]`,
			`{"group_by":[{"field":"c"}],"range_buckets":[{"field":"n","boundaries":[0,10,20]}],"aggregations":[{"function":"count","alias":"k"}],"sort_by":"n","sort_direction":"desc"}`,
			`[{"group":{"c":"b","n":"10-20"},"metrics":{"k":1}},{"group":{"c":"a","n":"0-10"},"metrics":{"k":2}}]`},

		{"having", `[{"c":"a"},{"c":"b"},{"c":"b"},{"c":"d"},{"c":"d"},{"c":"d"}]`,
			`{"group_by":[{"field":"c"}],"aggregations":[{"function":"count","alias":"k"}],"having":[{"field":"k","operator":"gte","value":2},{"field":"c","operator":"ne","value":"d"}]}`,
			`[{"group":{"c":"b"},"metrics":{"k":2}}]`},
		{"having null", `[{"c":"a","n":1},{"c":"b"}]`,
			`{"group_by":[{"field":"c"}],"aggregations":[{"function":"avg","field":"n","alias":"a"}],"having":[{"field":"a","operator":"ne","value":2}],"sort_by":"a"}`,
			`[{"group":{"c":"a"},"metrics":{"a":1}},{"group":{"c":"b"},"metrics":{"a":null}}]`},
		{"having less than null", `[{"c":"a","n":1},{"c":"b"}]`,
			`{"group_by":[{"field":"c"}],"aggregations":[{"function":"avg","field":"n","alias":"a"}],"having":[{"field":"a","operator":"lt","value":2.0}]}`,
			`[{"group":{"c":"a"},"metrics":{"a":1}}]`},
		{"having an instant", `[{"c":"a","at":"2024-03-01T12:00:00+02:00"},{"c":"b","at":"2024-03-01T11:00:00Z"}]`,
			`{"group_by":[{"field":"c"}],"aggregations":[{"function":"max","field":"at","alias":"a"}],"having":[{"field":"a","operator":"lte","value":"2024-03-01T10:00:00Z"}]}`,
			`[{"group":{"c":"a"},"metrics":{"a":"2024-03-01T12:00:00+02:00"}}]`},
		{"having a month", `[{"at":"2024-03-01T12:00:00Z"},{"at":"2024-04-30T23:00:00-02:00"},{"at":"2024-02-01T00:00:00Z"}]`,
			`{"group_by":[{"field":"at","date_trunc":"month","alias":"m"}],"aggregations":[{"function":"count","alias":"k"}],"having":[{"field":"at","operator":"gte","value":"2024-03-01T01:00:00+01:00"}]}`,
			`[{"group":{"m":"2024-03-01T00:00:00Z"},"metrics":{"k":1}},{"group":{"m":"2024-05-01T00:00:00Z"},"metrics":{"k":1}}]`},
		{"having a range", `[{"n":5},{"n":15}]`,
			`{"range_buckets":[{"field":"n","boundaries":[0,10]}],"aggregations":[{"function":"count","alias":"k"}],"having":[{"field":"n","operator":"eq","value":"other"}]}`,
			`[{"group":{"n":"other"},"metrics":{"k":1}}]`},
		{"having another type", `[{"c":"5"},{"c":5},{"c":true}]`,
			`{"group_by":[{"field":"c"}],"aggregations":[{"function":"count","alias":"k"}],"having":[{"field":"c","operator":"gte","value":5}]}`,
			`[{"group":{"c":5},"metrics":{"k":1}}]`},

		{"sorted, descending by default", `[{"c":"a"},{"c":"b"},{"c":"b"},{"c":"c"}]`,
			`{"group_by":[{"field":"c"}],"aggregations":[{"function":"count","alias":"k"}],"sort_by":"k"}`,
			`[{"group":{"c":"b"},"metrics":{"k":2}},{"group":{"c":"a"},"metrics":{"k":1}},{"group":{"c":"c"},"metrics":{"k":1}}]`},
		{"sorted by a group", `[{"c":"a"},{"c":null},{"c":"b"},{"c":2},{"c":10}]`,
			`{"group_by":[{"field":"c","alias":"g"}],"aggregations":[{"function":"count","alias":"k"}],"sort_by":"g"}`,
			`[{"group":{"g":"b"},"metrics":{"k":1}},{"group":{"g":"a"},"metrics":{"k":1}},{"group":{"g":10},"metrics":{"k":1}},{"group":{"g":2},"metrics":{"k":1}},{"group":{"g":null},"metrics":{"k":1}}]`},
		{"nulls last", `[{"c":"a"},{"c":"b","n":2},{"c":"d","n":1}]`,
			`{"group_by":[{"field":"c"}],"aggregations":[{"function":"min","field":"n","alias":"m"}],"sort_by":"m","sort_direction":"asc"}`,
			`[{"group":{"c":"d"},"metrics":{"m":1}},{"group":{"c":"b"},"metrics":{"m":2}},{"group":{"c":"a"},"metrics":{"m":null}}]`},
		{"limit", `[{"c":"a"},{"c":"b"},{"c":"b"},{"c":"c"}]`,
			`{"group_by":[{"field":"c"}],"aggregations":[{"function":"count","alias":"k"}],"sort_by":"k","limit":2}`,
			`[{"group":{"c":"b"},"metrics":{"k":2}},{"group":{"c":"a"},"metrics":{"k":1}}]`},
		{"limit beyond", `[{"c":"a"}]`,
			`{"group_by":[{"field":"c"}],"aggregations":[{"function":"count","alias":"k"}],"limit":1000000000}`,
			`[{"group":{"c":"a"},"metrics":{"k":1}}]`},

		{"dates are days in UTC", `[{"x":"2024-03-01"},{"x":"2024-03-01T23:30:00-01:00"},{"x":"2024-03-01T23:30:00"},{"x":"2024-3-1"},{"x":5},{"x":["2024-03-01"]},{}]`,
			`{"group_by":[{"field":"x","date_trunc":"day"}],"aggregations":[{"function":"push","field":"x","alias":"x"}]}`,
			`[{"group":{"x":"2024-03-01T00:00:00Z"},"metrics":{"x":["2024-03-01","2024-03-01T23:30:00"]}},{"group":{"x":"2024-03-02T00:00:00Z"},"metrics":{"x":["2024-03-01T23:30:00-01:00"]}},
			{"group":{"x":null},"metrics":{"x":["2024-3-1",5,"2024-03-01"]}}]`},
		{"one path, two parts", `[{"x":"2024-03-01T10:00:00Z"},{"x":"2023-03-01T10:30:00Z"}]`,
			`{"group_by":[{"field":"x","date_part":"year","alias":"y"},{"field":"x","date_part":"hour","alias":"h"}],"aggregations":[{"function":"count","alias":"k"}]}`,
			`[{"group":{"y":2023,"h":10},"metrics":{"k":1}},{"group":{"y":2024,"h":10},"metrics":{"k":1}}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := aggregated(t, specOf(tree(t, tt.form)), times, objects(t, tt.docs))
			if want := text(tree(t, tt.want)); text(got) != want {
				t.Errorf("got  %s\nwant %s", text(got), want)
			}
		})
	}
}

// Unwinding does not change the caller's document.
func TestUnwindLeavesDocument(t *testing.T) {
	t.Parallel()
	doc := map[string]any{"a": map[string]any{"b": []any{"x", "y"}}}
	before := text(doc)
	spec := specOf(tree(t, `{"unwind":"a.b","group_by":[{"field":"a.b"}],"aggregations":[{"function":"count","alias":"k"}]}`))
	if got := aggregated(t, spec, nil, []map[string]any{doc, doc}); len(got) != 2 {
		t.Errorf("got %s", text(got))
	}
	if got := text(doc); got != before {
		t.Errorf("document: got %s, want %s", got, before)
	}
}
