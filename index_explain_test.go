package bucketlite_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// newExplained makes two buckets of the same 1,000 objects, of which one has
// indexes.
func newExplained(t *testing.T) (indexed, plain *bucketlite.Bucket) {
	t.Helper()
	st := storetest.OpenMemory(t)
	properties := `"k":{"type":"string"}, "at":{"type":"datetime"}`
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	var inputs []bucketlite.ObjectInput
	for i := range 1000 {
		fields := map[string]any{
			"k": fmt.Sprint(i), "n": i, "tenth": fmt.Sprintf("Class %d", i%10), "half": i%2 == 0,
			"title": fmt.Sprintf("The object that was number %d of all", i), "at": start.Add(time.Duration(i) * time.Hour).Format(time.RFC3339),
			"code": fmt.Sprintf("<%d>", i), "tags": []any{fmt.Sprint("tag ", i%20), fmt.Sprint("other ", i%50)}, "m": map[string]any{"deep": []any{i % 4}},
		}
		if i%100 == 0 {
			fields["n"] = nil
		}
		inputs = append(inputs, bucketlite.ObjectInput{Fields: fields})
	}
	for name, b := range map[string]**bucketlite.Bucket{"indexed": &indexed, "plain": &plain} {
		*b = storetest.Bucket(t, st, bucketlite.BucketConfig{Name: name, Schema: storetest.Schema(t, properties)})
		storetest.Must(t, storetest.PutManyError((*b).PutMany(context.Background(), inputs, nil)))
	}
	storetest.Ensure(t, indexed, "n", "tenth", "half", "at", "tags", "m.deep", "created_at")
	storetest.EnsureText(t, indexed, "title")
	return indexed, plain
}

// Which query is answered by which index, and that the answer is the one without.
func TestExplain(t *testing.T) {
	t.Parallel()
	indexed, plain := newExplained(t)
	f := func(text string) bucketlite.Query {
		var f bucketlite.Filter
		if err := f.UnmarshalJSON([]byte(text)); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return bucketlite.Query{Filter: f}
	}
	op := func(field, op, value string) bucketlite.Query {
		return f(fmt.Sprintf(`{"field":%q,"operator":%q,"value":%s}`, field, op, value))
	}
	sorted := func(q bucketlite.Query, sort ...bucketlite.Sort) bucketlite.Query { q.Sort = sort; return q }
	const all, allSorted = "examines all 1000 objects", "examines all 1000 objects, and sorts them"
	tests := map[string]struct {
		query bucketlite.Query
		want  string
	}{
		"everything":                      {bucketlite.Query{}, all},
		"eq":                              {f(`{"n":77}`), "looks up 1 object by the value index of n"},
		"eq of another number":            {f(`{"n":77.5}`), "looks up 0 objects by the value index of n"},
		"eq of another type":              {f(`{"n":"77"}`), "looks up 0 objects by the value index of n"},
		"eq of a text":                    {f(`{"tenth":"CLASS 3"}`), "looks up 100 objects by the value index of tenth"},
		"eq of a text, case sensitive":    {f(`{"tenth":"CLASS 3","case_sensitive":true}`), "looks up 0 objects by the value index of tenth"},
		"eq of half of them":              {f(`{"half":true}`), "looks up 500 objects by the value index of half"},
		"eq of an element":                {f(`{"tags":"tag 7"}`), "looks up 50 objects by the value index of tags"},
		"eq of a list":                    {f(`{"tags":["tag 7","other 7"]}`), all},
		"eq within":                       {f(`{"m.deep":3}`), "looks up 250 objects by the value index of m.deep"},
		"eq of null":                      {f(`{"n":null}`), "looks up 10 objects by the value index of n"},
		"is null":                         {op("n", "is_null", "true"), "looks up 10 objects by the value index of n"},
		"is not null":                     {op("n", "is_null", "false"), all},
		"exists":                          {op("n", "exists", "true"), all},
		"ne":                              {op("n", "ne", "5"), all},
		"not":                             {f(`{"NOT":{"n":5}}`), all},
		"in":                              {op("n", "in", "[5,6,null]"), "looks up 12 objects by the value index of n"},
		"in nothing":                      {op("n", "in", "[]"), "looks up 0 objects by the value index of n"},
		"nin":                             {op("n", "nin", "[5,6]"), all},
		"range":                           {op("n", "gte", "990"), "looks up 10 objects by the value index of n"},
		"open range":                      {op("n", "gt", "990"), "looks up 9 objects by the value index of n"},
		"range downwards":                 {op("n", "lt", "10"), "looks up 9 objects by the value index of n"},
		"range up to and with":            {op("n", "lte", "10"), "looks up 10 objects by the value index of n"},
		"range of nearly all":             {op("n", "gt", "10"), all},
		"range of datetimes":              {op("at", "lt", `"2024-01-01T10:00:00+01:00"`), "looks up 9 objects by the value index of at"},
		"range of created_at":             {op("created_at", "lt", `"2020-01-01T00:00:00Z"`), "looks up 0 objects by the value index of created_at"},
		"starts with":                     {op("tenth", "starts_with", `"class 1"`), "looks up 100 objects by the value index of tenth"},
		"starts with, case sensitive":     {f(`{"field":"tenth","operator":"starts_with","value":"class 1","case_sensitive":true}`), "looks up 100 objects by the value index of tenth"},
		"starts with, of a datetime":      {op("at", "starts_with", `"2024-02-11"`), all},
		"ends with, without text index":   {op("tenth", "ends_with", `"ss 1"`), all},
		"contains":                        {op("title", "contains", `"NUMBER 77"`), "looks up 11 objects by the text index of title"},
		"contains too little":             {op("title", "contains", `"77"`), all},
		"contains what all have":          {op("title", "contains", `"object"`), all},
		"contains, case sensitive":        {f(`{"field":"title","operator":"contains","value":"NUMBER 77","case_sensitive":true}`), "looks up 11 objects by the text index of title"},
		"begins, by text index":           {op("title", "starts_with", `"the object that was number 123"`), "looks up 1 object by the text index of title"},
		"ends":                            {op("title", "ends_with", `" 321 of all"`), "looks up 1 object by the text index of title"},
		"words":                           {op("title", "text", `"object 456"`), "looks up 1 object by the text index of title"},
		"no words":                        {op("title", "text", `"- -"`), all},
		"regex":                           {op("title", "regex", `"456"`), all},
		"path without index":              {f(`{"k":"5"}`), all},
		"longer path":                     {f(`{"n.x":5}`), all},
		"and takes the fewest":            {f(`{"AND":[{"tenth":"class 3"},{"n":13},{"half":false}]}`), "looks up 1 object by the value index of n"},
		"and with what has none":          {f(`{"k":"13","n":13}`), "looks up 1 object by the value index of n"},
		"and within and":                  {f(`{"AND":[{"half":true},{"AND":[{"tags":"tag 4"},{"k":"4"}]}]}`), "looks up 50 objects by the value index of tags"},
		"or":                              {f(`{"OR":[{"n":13},{"tags":"tag 4"},{"AND":[{"k":"7"},{"n":7}]}]}`), "looks up 52 objects by the value index of n, the value index of tags"},
		"or with what has none":           {f(`{"OR":[{"n":13},{"k":"7"}]}`), all},
		"or of nothing":                   {f(`{"OR":[]}`), "examines all 0 objects"},
		"or of value and text":            {f(`{"OR":[{"n":13},{"field":"title","operator":"contains","value":"number 88"}]}`), "looks up 12 objects by the value index of n, the text index of title"},
		"search, without text of all":     {bucketlite.Query{Search: "number <77>"}, all},
		"sort":                            {sorted(bucketlite.Query{}, bucketlite.Asc("n")), "looks up 1000 objects by the value index of n"},
		"sort downwards":                  {sorted(bucketlite.Query{}, bucketlite.Desc("n")), "looks up 1000 objects by the value index of n"},
		"sort of lists":                   {sorted(bucketlite.Query{}, bucketlite.Desc("tags")), "looks up 1000 objects by the value index of tags"},
		"sort by two":                     {sorted(bucketlite.Query{}, bucketlite.Asc("tenth"), bucketlite.Asc("n")), allSorted},
		"sort by what has none":           {sorted(bucketlite.Query{}, bucketlite.Asc("k")), allSorted},
		"sort of few":                     {sorted(f(`{"tags":"tag 4"}`), bucketlite.Asc("n")), "looks up 50 objects by the value index of tags, and sorts them"},
		"sort of many":                    {sorted(f(`{"half":true}`), bucketlite.Desc("n")), "looks up 1000 objects by the value index of n"},
		"sort of many that have no index": {sorted(f(`{"half":true}`), bucketlite.Desc("k")), allSorted},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := indexed.Explain(context.Background(), test.query)
			if err != nil {
				t.Fatal(err)
			}
			if got := e.String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if e, err := plain.Explain(context.Background(), test.query); err != nil || len(e.Indexes) != 0 {
				t.Errorf("without indexes: got %v, %v", e, err)
			}
			q := test.query
			q.Total = true
			want, total := keysInOrder(t, plain, q)
			got, gotTotal := keysInOrder(t, indexed, q)
			if !slices.Equal(got, want) || gotTotal != total {
				t.Errorf("results: got %d of %d: %v\nwant %d of %d: %v", len(got), gotTotal, got, len(want), total, want)
			}
		})
	}
}

// keysInOrder returns the field k of all that a query wants, page by page, and the
// total.
func keysInOrder(t *testing.T, b *bucketlite.Bucket, q bucketlite.Query) (keys []string, total int64) {
	t.Helper()
	for q.Limit = 70; ; {
		page, err := b.List(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Results {
			keys = append(keys, o.Fields["k"].(string))
		}
		if total = page.Total; page.Next == "" {
			return keys, total
		}
		q.Cursor = page.Next
	}
}

// A search is answered by the text index of all texts, and so is a condition on a
// text that has none of its own.
func TestExplainAllTexts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	indexed, plain := newExplained(t)
	storetest.Must(t, indexed.DropTextIndex(ctx, "title"))
	storetest.EnsureText(t, indexed)
	for want, q := range map[string]bucketlite.Query{
		"looks up 11 objects by the text index of all texts": {Search: "er <77"},
		"looks up 1 object by the text index of all texts":   {Search: "OBJECT number <777> all"},
		"examines all 1000 objects":                          {Search: "<7 of"},
		"examines all 1000 objects, and sorts them":          {Search: "ob", Sort: []bucketlite.Sort{bucketlite.Asc("k")}},
		"looks up 1 object by the text index of all texts, and sorts them": {
			Filter: bucketlite.Contains("title", "number 888"), Sort: []bucketlite.Sort{bucketlite.Asc("k")}},
	} {
		e, err := indexed.Explain(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.String(); got != want {
			t.Errorf("%+v: got %q, want %q", q, got, want)
		}
		wantKeys, _ := keysInOrder(t, plain, q)
		if got, _ := keysInOrder(t, indexed, q); !slices.Equal(got, wantKeys) {
			t.Errorf("%+v: got %v, want %v", q, got, wantKeys)
		}
	}
}

func TestExplainErrors(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.OpenMemory(t))
	for name, q := range map[string]bucketlite.Query{
		"limit": {Limit: -1}, "cursor": {Cursor: "none"}, "sort": {Sort: []bucketlite.Sort{bucketlite.Asc("a..b")}},
		"search": {Search: strings.Repeat("a", 1<<17)},
	} {
		if e, err := b.Explain(ctx, q); e != nil {
			t.Errorf("%s: got %v, want none", name, e)
		} else {
			storetest.WantError(t, err, bucketlite.ErrBadRequest)
		}
	}
	storetest.Must(t, b.Suspend(ctx))
	storetest.WantError(t, storetest.ErrorOf(b.Explain(ctx, bucketlite.Query{})), bucketlite.ErrNotActive)
}

// An index that is not ready is not used.
func TestExplainWhileBuilding(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	path := t.TempDir() + "/a.db"
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, 300, 10)
	holdIndexes(t, path)
	ended := make(chan error)
	go func() { ended <- b.EnsureIndex(ctx, "k") }()
	q := bucketlite.Query{Filter: bucketlite.Eq("k", "7")}
	used := func() bool {
		e, err := b.Explain(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		return len(e.Indexes) > 0
	}
	if !storetest.Eventually(func() bool { indexes, err := b.Indexes(ctx); return err == nil && len(indexes) == 1 }) || used() {
		t.Error("an index is used that is being built")
	}
	cancel()
	storetest.WantError(t, <-ended, context.Canceled)
	releaseIndexes(t, path)
	storetest.Ensure(t, b, "k")
	if !used() {
		t.Error("the index is not used")
	}
	storetest.Must(t, b.DropIndex(context.Background(), "k"))
	if used() {
		t.Error("an index is used that was dropped")
	}
}
