package bucketlite_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/querytest"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// parseAggregation reads the JSON form of an aggregation.
func parseAggregation(t testing.TB, text string) (a bucketlite.Aggregation) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return a
}

// aggregated returns the JSON form of what an aggregation results in.
func aggregated(t testing.TB, b *bucketlite.Bucket, a bucketlite.Aggregation) string {
	t.Helper()
	res, err := b.Aggregate(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	if res.TotalGroups != len(res.Groups) {
		t.Errorf("total: got %d, want %d", res.TotalGroups, len(res.Groups))
	}
	return jsonText(t, res)
}

func jsonText(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// wantAggregated fails unless the aggregation with the JSON form results in the
// groups given, as the JSON text of a list.
func wantAggregated(t testing.TB, b *bucketlite.Bucket, form, want string) {
	t.Helper()
	read := func(text string) (v any) {
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return v
	}
	groups := read(want).([]any)
	expected := map[string]any{"results": groups, "total_groups": float64(len(groups))}
	if diff := cmp.Diff(expected, read(aggregated(t, b, parseAggregation(t, form)))); diff != "" {
		t.Errorf("%s (-want +got):\n%s", form, diff)
	}
}

// Random aggregations over a real store must result in what the naive evaluator
// makes of the same objects.
func TestAggregateRandom(t *testing.T) {
	t.Parallel()
	s := *storetest.Seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("replay with -seed=%d", s)
	r := querytest.New(s)
	ctx := context.Background()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Name: "random", Schema: storetest.Schema(t, storetest.RandomSchema)})
	var docs []map[string]any
	var inputs []bucketlite.ObjectInput
	for range 60 {
		docs = append(docs, r.Document())
		inputs = append(inputs, bucketlite.ObjectInput{Fields: docs[len(docs)-1]})
	}
	if err := storetest.PutManyError(b.PutMany(ctx, inputs, nil)); err != nil {
		t.Fatal(err)
	}
	groups := 0
	for range 500 {
		form := r.Aggregation()
		want := querytest.Aggregate(form, docs, querytest.Kind)
		text := jsonText(t, form)
		a := parseAggregation(t, text)
		if _, err := b.Aggregate(ctx, a); isUnsatisfiable(err) {
			if len(want) > 0 {
				t.Fatalf("%s: got %v, want %d groups", text, err, len(want))
			}
			continue
		}
		expected := jsonText(t, map[string]any{"results": want, "total_groups": len(want)})
		if got := aggregated(t, b, a); got != expected {
			t.Fatalf("%s:\ngot  %s\nwant %s", text, got, expected)
		}
		// A filter that is read from JSON and written again means the same.
		if got := aggregated(t, b, parseAggregation(t, jsonText(t, a))); got != expected {
			t.Fatalf("%s, as %s:\ngot  %s\nwant %s", text, jsonText(t, a), got, expected)
		}
		groups += len(want)
	}
	if groups < 1000 {
		t.Errorf("got %d groups in all, which proves little", groups)
	}
}

// isUnsatisfiable reports whether err says that no object can match a filter.
func isUnsatisfiable(err error) bool {
	var bad *bucketlite.QueryError
	return errors.As(err, &bad) && bad.Unsatisfiable
}

// The examples of the hosted service's documentation.
func TestAggregateExamples(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clock := storetest.NewManualClock() // 2024-05-06T07:08:09.123456Z
	st := storetest.OpenMemory(t, &bucketlite.Options{Now: clock.Now})
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "media", Schema: storetest.Schema(t, `"content_type":{"type":"string"},"metadata":{"type":"object","properties":{
		"user_id":{"type":"string"},"size":{"type":"integer"},"duration":{"type":"number"},"views":{"type":"integer"}}}`)})
	for i := range 12 {
		if i == 7 {
			clock.Add(24 * time.Hour)
		}
		contentType := "video/mp4"
		if i%3 == 0 {
			contentType = "image/png"
		}
		storetest.Put(t, b, bucketlite.ObjectInput{Fields: map[string]any{
			"content_type": contentType,
			"metadata":     map[string]any{"user_id": fmt.Sprint("u", i%5), "size": 100 * i, "duration": 60 * i, "views": i * i * i * 10},
		}}, "")
	}
	tests := []struct{ name, form, want string }{
		{"by status", `{"description":"Count objects by status","group_by":[{"alias":"status","field":"status"}],
			"aggregations":[{"alias":"total","function":"count"}],"sort_by":"total","sort_direction":"desc"}`,
			`[{"group":{"status":"DRAFT"},"metrics":{"total":12}}]`},
		{"daily", `{"aggregations":[{"alias":"uploads","function":"count"},{"alias":"unique_users","distinct_field":"metadata.user_id","function":"count_distinct"}],
			"group_by":[{"alias":"date","date_trunc":"day","field":"created_at"}],"sort_by":"date","sort_direction":"asc"}`,
			`[{"group":{"date":"2024-05-06T00:00:00Z"},"metrics":{"uploads":7,"unique_users":5}},{"group":{"date":"2024-05-07T00:00:00Z"},"metrics":{"uploads":5,"unique_users":5}}]`},
		{"sizes", `{"aggregations":[{"alias":"count","function":"count"},{"alias":"total_size","field":"metadata.size","function":"sum"},{"alias":"avg_size","field":"metadata.size","function":"avg"}],
			"group_by":[{"alias":"type","field":"content_type"}],"having":[{"field":"count","operator":"gte","value":5}],"sort_by":"total_size","sort_direction":"desc"}`,
			`[{"group":{"type":"video/mp4"},"metrics":{"count":8,"total_size":4800,"avg_size":600}}]`},
		{"durations", `{"group_by":[],"aggregations":[{"alias":"count","function":"count"}],
			"range_buckets":[{"boundaries":[0,60,300,600],"default_bucket":"over_600s","description":"Duration buckets","field":"metadata.duration"}]}`,
			`[{"group":{"metadata.duration":"0-60"},"metrics":{"count":1}},{"group":{"metadata.duration":"60-300"},"metrics":{"count":4}},
			{"group":{"metadata.duration":"300-600"},"metrics":{"count":5}},{"group":{"metadata.duration":"over_600s"},"metrics":{"count":2}}]`},
		{"views", `{"group_by":[{"field":"content_type"}],"aggregations":[{"alias":"count","function":"count"}],"filters":{"content_type":"IMAGE/png"},
			"range_buckets":[{"boundaries":[0,100,1000,10000],"default_bucket":null,"field":"metadata.views"}],"unwind":null,"having":null,"sort_by":null,"limit":null}`,
			`[{"group":{"content_type":"image/png","metadata.views":"100-1000"},"metrics":{"count":1}},{"group":{"content_type":"image/png","metadata.views":"1000-10000"},"metrics":{"count":2}},
			{"group":{"content_type":"image/png","metadata.views":"other"},"metrics":{"count":1}}]`},
		{"hours and the top", `{"group_by":[{"field":"created_at","alias":"hour","date_part":"hour","date_trunc":null},{"field":"metadata.user_id","alias":"user"}],
			"aggregations":[{"alias":"total_views","function":"sum","field":"metadata.views"}],"sort_by":"total_views","limit":2}`,
			`[{"group":{"hour":7,"user":"u1"},"metrics":{"total_views":15480}},{"group":{"hour":7,"user":"u0"},"metrics":{"total_views":11250}}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantAggregated(t, b, tt.form, tt.want) })
	}
	res, err := b.Aggregate(ctx, bucketlite.Aggregation{
		GroupBy: []bucketlite.GroupBy{{Field: "content_type"}},
		Metrics: []bucketlite.Metric{{Function: bucketlite.MetricAvg, Field: "metadata.size", Alias: "avg"}, {Function: bucketlite.MetricPush, Field: "metadata.size", Alias: "all"}},
		SortBy:  "content_type",
		Limit:   1,
		Filter:  bucketlite.Gt("created_at", clock.Add(0).Add(-time.Hour)),
	})
	if err != nil {
		t.Fatal(err)
	}
	g := res.Groups[0]
	storetest.WantEqual(t, "groups", len(res.Groups), 1)
	storetest.WantEqual(t, "values", []any{g.Float("avg"), g.Int("avg"), g.Int("all"), g.Float("none")}, []any{900.0, int64(900), int64(0), 0.0})
	storetest.WantEqual(t, "pushed values", len(g.Metrics["all"].([]any)), 4)
}

// The members that are the system's, blobs among them, can be unwound, grouped by
// and computed over like fields.
func TestAggregateSystem(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Name: "docs", Schema: storetest.Schema(t, `"note":{"type":"text"},"notes":{"type":"array","items":{"type":"text"}},"n":{"type":"integer"}`)})
	blob := func(property, data, filename string) bucketlite.BlobInput {
		return bucketlite.BlobInput{Property: property, Reader: strings.NewReader(data), Filename: filename}
	}
	storetest.Put(t, b, bucketlite.ObjectInput{ID: "a", KeyPrefix: "x", Fields: map[string]any{"n": 1}, Blobs: []bucketlite.BlobInput{blob("note", "one", "1.txt"), blob("notes", "seven77", "2.txt"), blob("notes", "seven77", "3.txt")}}, "")
	storetest.Put(t, b, bucketlite.ObjectInput{ID: "b", Fields: map[string]any{"n": 2}, Blobs: []bucketlite.BlobInput{blob("note", "four", "4.txt")}}, "")
	storetest.Put(t, b, bucketlite.ObjectInput{ID: "c", KeyPrefix: "x"}, "")
	wantAggregated(t, b, `{"unwind":"blobs","group_by":[{"field":"blobs.property","alias":"p"}],"aggregations":[{"function":"count","alias":"k"},
		{"function":"sum","field":"blobs.details.size_bytes","alias":"bytes"},{"function":"add_to_set","field":"object_id","alias":"ids"},{"function":"push","field":"blobs.details.filename","alias":"names"}]}`,
		`[{"group":{"p":"note"},"metrics":{"k":2,"bytes":7,"ids":["a","b"],"names":["1.txt","4.txt"]}},{"group":{"p":"notes"},"metrics":{"k":2,"bytes":14,"ids":["a"],"names":["2.txt","3.txt"]}}]`)
	wantAggregated(t, b, `{"group_by":[{"field":"key_prefix"}],"aggregations":[{"function":"count","alias":"k"},{"function":"sum","field":"blobs.details.size_bytes","alias":"bytes"},
		{"function":"count_distinct","field":"blobs.details.hash","alias":"contents"},{"function":"first","field":"object_id","alias":"id"}]}`,
		`[{"group":{"key_prefix":"x"},"metrics":{"k":2,"bytes":17,"contents":2,"id":"a"}},{"group":{"key_prefix":null},"metrics":{"k":1,"bytes":4,"contents":1,"id":"b"}}]`)
	// One about fields alone, except the filter.
	wantAggregated(t, b, `{"group_by":[{"field":"n"}],"aggregations":[{"function":"count","alias":"k"}],"filters":{"blobs.property":"NOTES"}}`, `[{"group":{"n":1},"metrics":{"k":1}}]`)
	wantAggregated(t, b, `{"group_by":[{"field":"bucket_id"},{"field":"error"}],"aggregations":[{"function":"max","field":"n","alias":"m"}]}`,
		`[{"group":{"bucket_id":"`+b.ID()+`","error":null},"metrics":{"m":2}}]`)
}

// Aggregates of open data, computed here by other means.
func TestAggregateItems(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Name: "items"})
	file, err := os.Open("examples/quickstart/data/items.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	byType, byTag := map[string]int{}, map[string]int{}
	longest := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		storetest.Put(t, b, storetest.Input(t, lines.Text()), "")
		var item struct {
			Mediatype, Title string
			Tags             []string
		}
		if err := json.Unmarshal(lines.Bytes(), &item); err != nil {
			t.Fatal(err)
		}
		byType[item.Mediatype]++
		longest[item.Mediatype] = max(longest[item.Mediatype], item.Title)
		for _, tag := range item.Tags {
			byTag[tag]++
		}
	}
	want := []any{}
	for _, name := range slices.Sorted(maps.Keys(byType)) {
		want = append(want, map[string]any{"group": map[string]any{"mediatype": name}, "metrics": map[string]any{"k": byType[name], "t": longest[name]}})
	}
	wantAggregated(t, b, `{"group_by":[{"field":"mediatype"}],"aggregations":[{"function":"count","alias":"k"},{"function":"max","field":"title","alias":"t"}]}`, jsonText(t, want))
	tags := slices.SortedFunc(maps.Keys(byTag), func(a, b string) int {
		if byTag[a] != byTag[b] {
			return byTag[b] - byTag[a]
		}
		return strings.Compare(a, b)
	})
	want = []any{}
	for _, tag := range tags[:10] {
		want = append(want, map[string]any{"group": map[string]any{"tags": tag}, "metrics": map[string]any{"k": byTag[tag]}})
	}
	wantAggregated(t, b, `{"unwind":"tags","group_by":[{"field":"tags"}],"aggregations":[{"function":"count","alias":"k"}],"sort_by":"k","limit":10}`, jsonText(t, want))
}

func TestAggregateFaults(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.OpenMemory(t))
	// All faults are reported at once, the filter's last.
	_, err := b.Aggregate(ctx, bucketlite.Aggregation{
		GroupBy:       []bucketlite.GroupBy{{Field: "v", DateTrunc: bucketlite.UnitDay}},
		Metrics:       []bucketlite.Metric{{Function: bucketlite.MetricCount, Alias: "k"}, {Function: bucketlite.MetricSum, Field: "v", Alias: "s"}},
		Filter:        bucketlite.And(bucketlite.Gt("n", nil), bucketlite.Regex("v", "(")),
		SortDirection: "up",
		Limit:         -1,
	})
	wantQueryError(t, err, "group_by[0].field: type", "aggregations[1].field: type", "sort_direction: enum", "limit: minimum", "filters.AND[0].value: type", "filters.AND[1].value: pattern")
	if !strings.HasPrefix(err.Error(), "bucketlite: aggregation: 6 faults: ") {
		t.Errorf("got %q", err)
	}
	_, err = b.Aggregate(ctx, bucketlite.Aggregation{})
	wantQueryError(t, err, "group_by: required", "aggregations: required")
}

func TestParseAggregationFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want []string
	}{
		{`5`, []string{": type"}},
		{`{"limit":1,"limit":2}`, []string{"limit: duplicate"}},
		{`{"group_by":{},"aggregations":"count","having":[5],"range_buckets":[{"boundaries":"1,2"},null],"unwind":["a"],"sort_by":1,"sort_direction":true}`,
			[]string{"group_by: type", "aggregations: type", "having[0]: type", "unwind: type", "range_buckets[0].boundaries: type", "range_buckets[1]: type", "sort_by: type", "sort_direction: type"}},
		{`{"group_by":[{"field":["a"],"alias":5,"date_trunc":{},"date_part":1}],"aggregations":[{"function":5,"field":5,"distinct_field":5,"alias":5}],"having":[{"field":5,"operator":5}]}`,
			[]string{"group_by[0].field: type", "group_by[0].alias: type", "group_by[0].date_trunc: type", "group_by[0].date_part: type", "aggregations[0].function: type",
				"aggregations[0].field: type", "aggregations[0].distinct_field: type", "aggregations[0].alias: type", "having[0].field: type", "having[0].operator: type"}},
		{`{"filters":{"OR":5,"AND":[{"field":"a","operator":"near","value":1}]}}`, []string{"filters.AND[0].operator: unknown", "filters.OR: type"}},
		{`{"filters":[]}`, []string{"filters: type"}},
		{`{"limit":0}`, []string{"limit: type"}},
		{`{"limit":-1}`, []string{"limit: type"}},
		{`{"limit":1.5}`, []string{"limit: type"}},
		{`{"limit":"5"}`, []string{"limit: type"}},
	}
	for _, tt := range tests {
		kept := bucketlite.Aggregation{Limit: 7}
		err := json.Unmarshal([]byte(tt.in), &kept)
		wantQueryError(t, err, tt.want...)
		if kept.Limit != 7 {
			t.Errorf("%s: got %+v, want it as it was", tt.in, kept)
		}
	}
	if err := new(bucketlite.Aggregation).UnmarshalJSON([]byte(`{"unwind":"\ud800"`)); err == nil {
		t.Error("got no error for broken JSON")
	}
	a := bucketlite.Aggregation{Limit: 7}
	if err := json.Unmarshal([]byte(`null`), &a); err != nil || a.Limit != 0 {
		t.Errorf("null: got %+v, %v", a, err)
	}
}

// An aggregation has one JSON form, whether it was built or read.
func TestAggregationRoundTrip(t *testing.T) {
	t.Parallel()
	built := bucketlite.Aggregation{
		GroupBy:       []bucketlite.GroupBy{{Field: "a"}, {Field: "at", Alias: "day", DateTrunc: bucketlite.UnitDay}, {Field: "at", Alias: "hour", DatePart: bucketlite.UnitHour}},
		Metrics:       []bucketlite.Metric{{Function: bucketlite.MetricCount, Alias: "k"}, {Function: bucketlite.MetricCountDistinct, DistinctField: "u", Alias: "u"}},
		Filter:        bucketlite.Gt("n", 5),
		Having:        []bucketlite.Having{{Field: "k", Operator: "gte", Value: 9007199254740993}},
		Unwind:        "tags",
		RangeBuckets:  []bucketlite.RangeBucket{{Field: "n", Boundaries: []any{0, 2.5, json.Number("10.00")}, Default: "rest"}},
		SortBy:        "k",
		SortDirection: bucketlite.SortAscending,
		Limit:         10,
	}
	const want = `{"group_by":[{"field":"a"},{"field":"at","alias":"day","date_trunc":"day"},{"field":"at","alias":"hour","date_part":"hour"}],` +
		`"aggregations":[{"function":"count","alias":"k"},{"function":"count_distinct","distinct_field":"u","alias":"u"}],` +
		`"filters":{"field":"n","operator":"gt","value":5},"having":[{"field":"k","operator":"gte","value":9007199254740993}],"unwind":"tags",` +
		`"range_buckets":[{"field":"n","boundaries":[0,2.5,10.00],"default_bucket":"rest"}],"sort_by":"k","sort_direction":"asc","limit":10}`
	if got := jsonText(t, built); got != want {
		t.Errorf("built: got %s, want %s", got, want)
	}
	if got := jsonText(t, parseAggregation(t, want)); got != want {
		t.Errorf("read: got %s, want %s", got, want)
	}
	if got, want := jsonText(t, bucketlite.AggregateResult{Groups: []bucketlite.AggregateGroup{}}), `{"results":[],"total_groups":0}`; got != want {
		t.Errorf("result: got %s, want %s", got, want)
	}
}

func TestAggregateRefusals(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	a := bucketlite.Aggregation{GroupBy: []bucketlite.GroupBy{{Field: "k"}}, Metrics: []bucketlite.Metric{{Function: bucketlite.MetricPush, Field: "list", Alias: "all"}}}
	st := storetest.OpenMemory(t)
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "large"})
	if got, want := aggregated(t, b, a), `{"results":[],"total_groups":0}`; got != want {
		t.Errorf("empty bucket: got %s, want %s", got, want)
	}
	storetest.Put(t, b, bucketlite.ObjectInput{Fields: map[string]any{"list": make([]bool, bucketlite.MaxAggregateValues+1)}}, "")
	if _, err := b.Aggregate(ctx, a); err == nil {
		t.Error("got no error for too many values")
	} else {
		storetest.WantError(t, err, bucketlite.ErrTooLarge)
	}
	// The connection, the only one here, is back.
	a.Metrics[0].Function = bucketlite.MetricAddToSet
	if got, want := aggregated(t, b, a), `{"results":[{"group":{"k":null},"metrics":{"all":[false]}}],"total_groups":1}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := b.Suspend(ctx); err != nil {
		t.Fatal(err)
	}
	storetest.WantError(t, storetest.ErrorOf(b.Aggregate(ctx, a)), bucketlite.ErrNotActive)
	task, err := b.Delete(ctx)
	if err == nil {
		_, err = st.Wait(ctx, task.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	storetest.WantError(t, storetest.ErrorOf(b.Aggregate(ctx, a)), bucketlite.ErrNotFound)
}

// An aggregation sees the bucket at one moment, whatever is written meanwhile.
func TestAggregateSnapshot(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.Open(t))
	storetest.PutItems(t, b, 500, 1)
	a := bucketlite.Aggregation{
		GroupBy: []bucketlite.GroupBy{{Field: "v"}},
		Metrics: []bucketlite.Metric{{Function: bucketlite.MetricCount, Alias: "k"}},
	}
	done := make(chan error, 1)
	go func() {
		var err error
		for i := range 20 {
			// All of them change in one transaction.
			var inputs []bucketlite.ObjectInput
			for k := range 500 {
				inputs = append(inputs, storetest.Item(fmt.Sprint(k), fmt.Sprint(i)))
			}
			if err = storetest.PutManyError(b.PutMany(ctx, inputs, &bucketlite.PutManyOptions{Atomic: true})); err != nil {
				break
			}
		}
		done <- err
	}()
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
		}
		res, err := b.Aggregate(ctx, a)
		if err != nil {
			t.Fatal(err)
		}
		if len(res.Groups) != 1 || res.Groups[0].Int("k") != 500 {
			t.Fatalf("got %v, want one group of 500", res.Groups)
		}
	}
}

// Whatever the JSON text, it is refused or carried out, and what is read can be
// written and read again.
func FuzzAggregation(f *testing.F) {
	for _, text := range []string{
		`{"group_by":[{"field":"v"}],"aggregations":[{"function":"count","alias":"k"}],"having":[{"field":"k","operator":"gt","value":0}],"sort_by":"k","limit":5}`,
		`{"group_by":[{"field":"created_at","date_trunc":"week","alias":"w"}],"aggregations":[{"function":"push","field":"list.x","alias":"all"}],"unwind":"list","sort_by":"w","sort_direction":"asc"}`,
		`{"range_buckets":[{"field":"n","boundaries":[0,1.5,1e3],"default_bucket":"rest"}],"aggregations":[{"function":"avg","field":"n","alias":"a"},{"function":"count_distinct","distinct_field":"blobs","alias":"b"}]}`,
		`{"group_by":[{"field":"list","date_part":"dayOfYear"}],"aggregations":[{"function":"max","field":"list","alias":"m"}],"filters":{"OR":[{"n":1},{"v":null}]}}`,
		`{"limit":0}`, `null`,
	} {
		f.Add(text)
	}
	ctx := context.Background()
	b := storetest.Items(f, storetest.OpenMemory(f))
	for i := range 3 {
		in := storetest.Item(fmt.Sprint(i), "x")
		in.Fields["n"], in.Fields["list"] = i, []any{i, "a", map[string]any{"x": []any{1.5, nil}}, "2024-05-06"}
		storetest.PutItem(f, b, in)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var a, again bucketlite.Aggregation
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			return
		}
		if err := json.Unmarshal([]byte(jsonText(t, a)), &again); err != nil {
			t.Fatalf("%s: %v", jsonText(t, a), err)
		}
		if got, want := jsonText(t, again), jsonText(t, a); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		res, err := b.Aggregate(ctx, a)
		if err != nil {
			storetest.WantError(t, err, bucketlite.ErrBadRequest)
			return
		}
		if got, want := aggregated(t, b, again), jsonText(t, res); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	})
}
