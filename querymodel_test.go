package bucketlite_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/querytest"
)

// queryModel is a bucket, and what is known of its objects without asking it
// queries: their JSON form, in order of creation.
type queryModel struct {
	t       *testing.T
	r       querytest.Random
	b       *bucketlite.Bucket
	objects []map[string]any
	used    map[string]int // how often each kind of index served
}

// querySchema declares what querytest.Kind says of the random documents, a text
// and a number that come as blobs, and files.
var querySchema = bucketlite.Schema{Properties: map[string]bucketlite.Field{
	"s": {Type: bucketlite.String}, "n": {Type: bucketlite.Number}, "i": {Type: bucketlite.Integer}, "yes": {Type: bucketlite.Boolean},
	"day": {Type: bucketlite.Date}, "at": {Type: bucketlite.DateTime},
	"stamps": {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.DateTime}},
	"events": {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.Struct, Properties: map[string]bucketlite.Field{
		"at": {Type: bucketlite.DateTime}, "n": {Type: bucketlite.Number}}}},
	"note": {Type: bucketlite.Text}, "score": {Type: bucketlite.Number}, "files": {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.Text}},
}}

// modelPaths are what the model filters and sorts by, beside querytest.Paths.
var modelPaths = []string{"object_id", "key_prefix", "status", "created_at", "note", "score", "blobs.property", "blobs.details.mime_type", "blobs.details.size_bytes", "blobs.details.filename"}

func modelKind(path string) string {
	switch path {
	case "created_at":
		return "datetime"
	case "score", "blobs.details.size_bytes":
		return "number"
	}
	return querytest.Kind(path)
}

// What queries find is what a naive evaluator finds in the objects, in the same
// order, page by page, whatever indexes there are, and after any change.
func TestQueryModel(t *testing.T) {
	t.Parallel()
	from := *seed
	if from == 0 {
		from = rand.Uint64()
	}
	t.Logf("replay with -run TestQueryModel -seed=%d", from)
	rounds, queries := 3, 50
	if *long {
		rounds, queries = 6, 150
	}
	r := querytest.New(from)
	models := []*queryModel{newQueryModel(t, r, "plain"), newQueryModel(t, r, "indexed")}
	indexed := models[1]
	for round := range rounds {
		for range 60 {
			change := r.IntN(1 << 30)
			for _, m := range models {
				m.r = querytest.New(from + uint64(change)) // the same changes
				m.change()
			}
		}
		indexed.r = r
		indexed.changeIndexes()
		for i := range queries {
			q := indexed.query()
			for _, m := range models {
				m.r = r
				m.check(fmt.Sprintf("round %d, query %d", round, i), q)
			}
		}
	}
	for _, kind := range []string{"value", "text", "sorted", "none"} {
		if indexed.used[kind] == 0 {
			t.Errorf("an index of kind %q never served, which proves nothing: %v", kind, indexed.used)
		}
	}
	t.Logf("%d objects at the end, %d queries on each bucket; how they were served: %v", len(indexed.objects), rounds*queries, indexed.used)
}

func newQueryModel(t *testing.T, r querytest.Random, name string) *queryModel {
	b := bucket(t, openMemory(t), bucketlite.BucketConfig{Name: name, Schema: querySchema})
	return &queryModel{t: t, r: r, b: b, used: make(map[string]int)}
}

// change puts, patches or deletes an object.
func (m *queryModel) change() {
	ctx := context.Background()
	switch n := m.r.IntN(10); {
	case n < 6 || len(m.objects) < 20:
		m.put()
	case n < 8:
		i := m.r.IntN(len(m.objects))
		doc := m.r.Document()
		for name := range doc {
			if m.r.IntN(2) == 0 {
				delete(doc, name)
			}
		}
		o, err := m.b.Patch(ctx, m.objects[i]["object_id"].(string), bucketlite.ObjectInput{Fields: doc}, nil)
		if err != nil {
			m.t.Fatal(err)
		}
		m.objects[i] = m.form(o)
	default:
		i := m.r.IntN(len(m.objects))
		if err := m.b.DeleteObject(ctx, m.objects[i]["object_id"].(string), nil); err != nil {
			m.t.Fatal(err)
		}
		m.objects = slices.Delete(m.objects, i, i+1)
	}
}

func (m *queryModel) put() {
	in := bucketlite.ObjectInput{ID: fmt.Sprintf("o%d", m.r.Uint64()), Fields: m.r.Document(), Blobs: []bucketlite.BlobInput{}}
	if m.r.IntN(3) == 0 {
		in.KeyPrefix = []string{"a/b", "A/c", "red"}[m.r.IntN(3)]
	}
	if m.r.IntN(3) == 0 {
		in.Blobs = append(in.Blobs, bucketlite.BlobInput{Property: "note", Data: []string{"a red sneaker", "Straße", "nothing"}[m.r.IntN(3)]})
	}
	if m.r.IntN(3) == 0 {
		in.Blobs = append(in.Blobs, bucketlite.BlobInput{Property: "score", Data: m.r.IntN(9)})
	}
	for i := range m.r.IntN(3) {
		in.Blobs = append(in.Blobs, bucketlite.BlobInput{Property: "files", Reader: bytes.NewReader(bytes.Repeat([]byte("x"), m.r.IntN(5))),
			Filename: fmt.Sprintf("Red-%d.txt", i), MIMEType: "text/plain"})
	}
	res, err := m.b.Put(context.Background(), in, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	m.objects = append(m.objects, m.form(res.Object))
}

// form returns the JSON form of an object, in which inline data is a field too.
func (m *queryModel) form(o *bucketlite.Object) (form map[string]any) {
	text, err := json.Marshal(o)
	if err != nil {
		m.t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&form); err != nil {
		m.t.Fatal(err)
	}
	for _, b := range form["blobs"].([]any) {
		blob := b.(map[string]any)
		if data, ok := blob["properties"].(map[string]any)["data"]; ok {
			form[blob["property"].(string)] = data
		}
	}
	return form
}

// changeIndexes makes some indexes and drops others.
func (m *queryModel) changeIndexes() {
	ctx := context.Background()
	path := func() string {
		if m.r.IntN(8) == 0 {
			return []string{"created_at", "note", "score"}[m.r.IntN(3)]
		}
		return querytest.Paths[m.r.IntN(len(querytest.Paths))]
	}
	for range 4 {
		if err := m.b.EnsureIndex(ctx, path(), path()); err != nil {
			m.t.Fatal(err)
		}
		if err := m.b.DropIndex(ctx, path()); err != nil {
			m.t.Fatal(err)
		}
	}
	var err error
	switch m.r.IntN(4) {
	case 0:
		err = m.b.EnsureTextIndex(ctx, "s", "any")
	case 1:
		err = m.b.DropTextIndex(ctx, "s")
	default:
		err = m.b.EnsureTextIndex(ctx)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// A modelQuery is a query, and the JSON form of its filter.
type modelQuery struct {
	bucketlite.Query
	filter any
}

func (m *queryModel) query() (q modelQuery) {
	if m.r.IntN(4) > 0 {
		q.filter = m.r.Filter(m.r.IntN(3))
		if m.r.IntN(5) == 0 {
			path := modelPaths[m.r.IntN(len(modelPaths))]
			q.filter = map[string]any{"AND": []any{q.filter, m.systemCondition(path)}}
		}
		text, err := json.Marshal(q.filter)
		if err != nil {
			m.t.Fatal(err)
		}
		if q.Filter, err = bucketlite.ParseFilter(text); err != nil {
			m.t.Fatalf("%s: %v", text, err)
		}
	}
	if m.r.IntN(6) == 0 {
		q.Search = []string{"red", "SNEAKER red", "traße", "sneak", "o1 ", "txt", "ΣΊΣ", "a", "nothing at all", "K"}[m.r.IntN(10)]
	}
	q.CaseSensitive = m.r.IntN(6) == 0
	for range m.r.IntN(6) - 2 {
		path := querytest.Paths[m.r.IntN(len(querytest.Paths))]
		if m.r.IntN(4) == 0 {
			path = modelPaths[m.r.IntN(len(modelPaths))]
		}
		q.Sort = append(q.Sort, bucketlite.Sort{Field: path, Direction: []bucketlite.Direction{"", bucketlite.Ascending, bucketlite.Descending}[m.r.IntN(3)]})
	}
	q.Limit = 1 + m.r.IntN(40)
	q.Total = m.r.IntN(2) == 0
	if m.r.IntN(4) == 0 {
		q.Offset = m.r.IntN(30)
	}
	return q
}

func (m *queryModel) systemCondition(path string) any {
	var value any = []string{"o", "a/", "DRAFT", "note", "text/plain", "red"}[m.r.IntN(6)]
	op := []string{"eq", "ne", "contains", "starts_with", "gt", "is_null", "exists"}[m.r.IntN(7)]
	switch {
	case op == "is_null" || op == "exists":
		value = m.r.IntN(2) == 0
	case path == "created_at":
		op, value = "lte", m.objects[m.r.IntN(len(m.objects))]["created_at"]
	case modelKind(path) == "number":
		op, value = "gte", m.r.IntN(5)
	}
	return map[string]any{"field": path, "operator": op, "value": value}
}

// wanted returns the ids of the objects that a naive evaluator finds, in order.
func (m *queryModel) wanted(q modelQuery) (ids []string) {
	filter := q.filter
	if group, ok := filter.(map[string]any); ok && q.CaseSensitive {
		if _, says := group["case_sensitive"].(bool); !says {
			group = maps.Clone(group)
			group["case_sensitive"] = true
			filter = group
		}
	}
	var hits []map[string]any
	for _, o := range m.objects {
		// What a number reads as in a filter, it must read as here.
		if querytest.Matches(normalise(filter), o, modelKind) && querytest.Contains(m.texts(o), q.Search, q.CaseSensitive) {
			hits = append(hits, o)
		}
	}
	slices.SortStableFunc(hits, func(a, b map[string]any) int {
		for _, by := range q.Sort {
			desc := by.Direction == bucketlite.Descending
			if querytest.Less(a, b, by.Field, modelKind(by.Field), desc) {
				return -1
			}
			if querytest.Less(b, a, by.Field, modelKind(by.Field), desc) {
				return 1
			}
		}
		return 0
	})
	for _, o := range hits {
		ids = append(ids, o["object_id"].(string))
	}
	return ids
}

// normalise returns v as it is read from JSON.
func normalise(v any) (out any) {
	text, _ := json.Marshal(v)
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	d.Decode(&out)
	return out
}

// texts are what a search looks at.
func (m *queryModel) texts(o map[string]any) (texts []string) {
	for name, v := range o {
		switch name {
		case "bucket_id", "status", "created_at", "updated_at":
		case "blobs":
			for _, b := range v.([]any) {
				texts = append(texts, querytest.Texts(b.(map[string]any)["details"].(map[string]any)["filename"])...)
			}
		default:
			texts = append(texts, querytest.Texts(v)...)
		}
	}
	return texts
}

// check compares what a query finds, on all its pages, and how many.
func (m *queryModel) check(name string, q modelQuery) {
	ctx := context.Background()
	want := m.wanted(q)
	shown := want[min(q.Offset, len(want)):]
	var got []string
	how, err := m.b.Explain(ctx, q.Query)
	if err != nil {
		m.t.Fatalf("%s: explain: %v", name, err)
	}
	for page := q.Query; ; {
		p, err := m.b.List(ctx, page)
		if err != nil {
			m.t.Fatalf("%s: %v", name, err)
		}
		for _, o := range p.Results {
			got = append(got, o.ID)
		}
		if page.Total && p.Total != int64(len(want)) || !page.Total && p.Total != -1 {
			m.t.Fatalf("%s: got a total of %d, want %d: %s", name, p.Total, len(want), m.show(q, how))
		}
		if p.Next != "" && len(p.Results) != q.Limit || len(got) > len(want) {
			m.t.Fatalf("%s: got a page of %d: %s", name, len(p.Results), m.show(q, how))
		}
		if page.Cursor, page.Offset = p.Next, 0; p.Next == "" {
			break
		}
	}
	if !slices.Equal(got, shown) {
		m.t.Fatalf("%s:\ngot  %v\nwant %v\n%s", name, got, shown, m.show(q, how))
	}
	stats, err := m.b.ListStats(ctx, q.Query)
	if err != nil || stats.Objects != int64(len(want)) {
		m.t.Fatalf("%s: list statistics of %d objects, want %d, %v: %s", name, stats.Objects, len(want), err, m.show(q, how))
	}
	for _, i := range how.Indexes {
		m.used[string(i.Kind)]++
	}
	switch {
	case len(how.Indexes) == 0:
		m.used["none"]++
	case len(q.Sort) == 1 && !how.Sorts:
		m.used["sorted"]++
	}
}

func (m *queryModel) show(q modelQuery, how *bucketlite.Explanation) string {
	return fmt.Sprintf("%s: filter %v, search %q, case sensitive %t, sort %v, limit %d, offset %d: it %s",
		m.b.Name(), q.Filter, q.Search, q.CaseSensitive, q.Sort, q.Limit, q.Offset, strings.TrimSpace(how.String()))
}
