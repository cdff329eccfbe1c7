package proof_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/querytest"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// Random queries of random objects find, in a bucket without indexes and in one with
// them, page by page what a naive evaluator finds in plain Go values. Between the
// rounds objects are put, replaced, patched and deleted, and indexes made and dropped.
func TestQueryModel(t *testing.T) {
	t.Parallel()
	stores, rounds, filters := 2, 3, 15
	if *storetest.Long {
		stores, rounds, filters = 6, 5, 60
	}
	from := *storetest.Seed
	if from == 0 {
		from = rand.Uint64()
	}
	t.Logf("replay with -run '^TestQueryModel$' -seed %d", from)
	r := querytest.New(from)
	served := make(map[string]int)
	queries, pages := 0, 0
	for i := range stores {
		clock := storetest.NewManualClock()
		opts := &bucketlite.Options{Now: clock.Now, Durability: bucketlite.DurabilityNormal}
		if i%2 == 0 { // pages end by bytes
			opts.MaxPageBytes = []int64{1, 1500, 6000}[(i/2+r.IntN(3))%3]
		}
		st := storetest.OpenMemory(t, opts)
		if i%2 == 1 {
			st = storetest.Open(t, opts)
		}
		m := newQueryModel(t, st, clock, r, served)
		m.cut = opts.MaxPageBytes > 0
		for round := range rounds {
			m.change(round)
			m.reindex(round == rounds-1)
			for range filters {
				m.compare(m.query())
			}
			for n := 0; n < 200 && i == stores-1 && round == rounds-1 && len(m.unserved()) > 0; n++ {
				m.compare(bucketlite.Query{}, m.rare())
			}
			if t.Failed() {
				t.FailNow()
			}
		}
		if uses := m.unserved(); i == stores-1 && len(uses) > 0 {
			t.Errorf("no query was served by %q, so that is not tested", uses)
		}
		queries += m.queries
		pages += m.pages
		storetest.WantNoProblem(t, st)
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d queries, %d pages, served by: %v", queries, pages, served)
}

// queryModel holds the same objects in two buckets and as plain Go values.
type queryModel struct {
	t       *testing.T
	r       querytest.Random
	clock   *storetest.ManualClock
	buckets [2]*bucketlite.Bucket // without and with indexes
	objects []*modelDoc           // in order of creation
	docs    []map[string]any      // of the objects, as queries see them
	last    int                   // number of the object made last
	indexes []bucketlite.Index

	queries, pages int
	served         map[string]int // how many queries of the second bucket were, and by what
	cut            bool           // pages may have fewer objects than their limit
}

// querySystem are members of the system, of which queries ask like of fields.
var querySystem = []string{
	"object_id", "key_prefix", "status", "created_at", "created_at", "updated_at", "blobs", "blobs.property", "blobs.type", "blobs.properties.by",
	"blobs.details.filename", "blobs.details.mime_type", "blobs.details.size_bytes", "blobs.details.hash",
}

// queryFields are the paths of fields.
var queryFields = append([]string{"k", "note", "notes"}, querytest.Paths...)

// modelKind tells the types of all paths.
func modelKind(path string) string {
	switch path {
	case "created_at", "updated_at":
		return "datetime"
	}
	return querytest.Kind(path)
}

func newQueryModel(t *testing.T, st *bucketlite.Store, clock *storetest.ManualClock, r querytest.Random, served map[string]int) *queryModel {
	m := &queryModel{t: t, r: r, clock: clock, served: served}
	for i, name := range []string{"plain", "indexed"} {
		m.buckets[i] = storetest.Bucket(t, st, bucketlite.BucketConfig{
			Name:      name,
			Schema:    storetest.Schema(t, storetest.RandomSchema+`,"k":{"type":"string"},"note":{"type":"text"},"notes":{"type":"array","items":{"type":"text"}}`),
			UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert},
		})
	}
	return m
}

// oneIn is true one time in n.
func (m *queryModel) oneIn(n int) bool { return m.r.IntN(n) == 0 }

func pickOf[T any](m *queryModel, list []T) T { return list[m.r.IntN(len(list))] }

// query returns a random query; its filter stands in list.
func (m *queryModel) query() (q bucketlite.Query, list querytest.List) {
	if list.Search = m.r.SearchTerm(); m.oneIn(7) {
		return q, list
	}
	if list.Filter = m.filter(); !m.oneIn(5) {
		list.Search = ""
	}
	list.CaseSensitive = m.oneIn(4)
	if m.oneIn(3) {
		q.Select = m.selected()
	}
	return q, list
}

// rare returns a query that is served in one of the ways that query seldom is.
func (m *queryModel) rare() (list querytest.List) {
	doc := pickOf(m, m.docs)
	switch m.r.IntN(4) {
	case 0:
		list.Search = doc["k"].(string)
	case 1:
		list.Filter = m.r.TextConditionOn(pickOf(m, []string{"k", "s", "any", "tags", "list"}), m.docs, modelKind)
	case 2:
		list.Filter = map[string]any{"OR": []any{map[string]any{"i": doc["i"]}, map[string]any{"created_at": doc["created_at"]}}}
	default:
		list.Filter = map[string]any{"created_at": doc["created_at"]}
	}
	return list
}

// filter returns the JSON form of a filter. Some are about a path that has an
// index, and want but few objects.
func (m *queryModel) filter() any {
	switch n := m.r.IntN(10); {
	case n == 0:
		return nil
	case n < 3:
		return m.r.Filter(3)
	case n < 6:
		return m.condition()
	case n < 7:
		some := func() any {
			return m.r.ConditionOn(pickOf(m, []string{m.indexed(), "created_at", "s", "i"}), m.docs, modelKind)
		}
		return map[string]any{"OR": []any{some(), some()}}
	case n < 9:
		return map[string]any{"AND": []any{m.condition(), m.condition(), m.r.Filter(1)}}
	}
	return map[string]any{"NOT": []any{m.condition()}}
}

// indexed returns the path of an index, if there is one.
func (m *queryModel) indexed() string {
	if len(m.indexes) > 0 {
		if path := pickOf(m, m.indexes).Path; path != "" {
			return path
		}
	}
	return "any"
}

func (m *queryModel) condition() map[string]any {
	path := pickOf(m, queryFields)
	switch n := m.r.IntN(10); {
	case n < 2:
		path = pickOf(m, querySystem)
	case n < 4:
		if i := slices.IndexFunc(m.indexes, func(i bucketlite.Index) bool { return i.Kind == bucketlite.TextIndex && m.oneIn(2) }); i >= 0 {
			if path = m.indexes[i].Path; path == "" {
				path = pickOf(m, []string{"any", "tags", "list", "k"})
			}
		}
		return m.r.TextConditionOn(path, m.docs, modelKind)
	case n < 8:
		path = m.indexed()
	case n == 8:
		return m.longCondition()
	}
	if path == "blobs" { // each of which has an id that the model does not have
		return map[string]any{"field": path, "operator": pickOf(m, []string{"exists", "is_null"})}
	}
	return m.r.ConditionOn(path, m.docs, modelKind)
}

// longCondition returns a condition on a text of which an index has but a part.
func (m *queryModel) longCondition() map[string]any {
	op := pickOf(m, []string{"eq", "ne", "gt", "gt", "gte", "lt", "lt", "lte", "starts_with"})
	return map[string]any{"field": "s", "operator": op, "value": pickOf(m, longTexts) + pickOf(m, longEnds), "case_sensitive": m.oneIn(3)}
}

func (m *queryModel) selected() (paths []string) {
	for range 1 + m.r.IntN(4) {
		paths = append(paths, pickOf(m, slices.Concat(queryFields, querySystem)))
	}
	return paths
}

// sort returns what to sort by, maybe nothing. Ids of blobs differ between the
// buckets, so it is not by blobs as a whole.
func (m *queryModel) sort() (by []querytest.By) {
	for range pickOf(m, []int{0, 0, 1, 1, 1, 2, 3}) {
		path := pickOf(m, queryFields)
		switch n := m.r.IntN(10); {
		case n < 2:
			path = pickOf(m, querySystem)
		case n < 8:
			path = m.indexed()
		}
		if path == "blobs" {
			path = "blobs.property"
		}
		by = append(by, querytest.By{Path: path, Desc: m.oneIn(2)})
	}
	return by
}

// compare asks a query in several orders, of both buckets.
func (m *queryModel) compare(q bucketlite.Query, list querytest.List) {
	m.t.Helper()
	filter, err := json.Marshal(list.Filter)
	if err != nil {
		m.t.Fatal(err)
	}
	if q.Filter, err = bucketlite.ParseFilter(filter); err != nil {
		m.t.Fatalf("%s: %v", filter, err)
	}
	q.Search, q.CaseSensitive = list.Search, list.CaseSensitive
	found := querytest.Find(list, m.docs, modelKind)
	var bad *bucketlite.QueryError
	if _, err := m.buckets[0].Notes(context.Background(), q); errors.As(err, &bad) && bad.Unsatisfiable {
		if len(found) > 0 {
			m.t.Errorf("filter %s: got %v, want %d objects", filter, err, len(found))
		}
		return
	}
	for _, b := range m.buckets {
		if stats, err := b.ListStats(context.Background(), q); err != nil || stats.Objects != int64(len(found)) {
			m.t.Errorf("%s, filter %s, search %q, case sensitive %t: statistics: got %+v, %v, want %d objects", b, filter, q.Search, q.CaseSensitive, stats, err, len(found))
		}
		most := int64(1 + m.r.IntN(len(found)+3))
		if n, err := b.CountUpTo(context.Background(), q, most); err != nil || n != min(most, int64(len(found))) {
			m.t.Errorf("%s, filter %s, search %q, case sensitive %t: count up to %d: got %d, %v, want it of %d objects", b, filter, q.Search, q.CaseSensitive, most, n, err, len(found))
		}
	}
	for range 3 {
		q.Sort = nil
		by := m.sort()
		for _, b := range by {
			sort := bucketlite.Asc(b.Path)
			if b.Desc {
				sort = bucketlite.Desc(b.Path)
			}
			q.Sort = append(q.Sort, sort)
		}
		want := slices.Clone(found)
		if q.Reverse = m.oneIn(2); q.Reverse {
			slices.Reverse(want)
		}
		want = querytest.Sort(by, want, m.docs, modelKind)
		pages := m.plan(len(want))
		for i := range m.buckets {
			m.queries++
			how := m.explain(i, q)
			if fault := m.page(i, q, want, pages); fault != "" {
				m.t.Errorf("bucket %d, %s\nfilter %s\nsearch %q, case sensitive %t, sort %v, reverse %t, select %q, pages %v\nindexes %v, of which %s",
					i, fault, filter, q.Search, q.CaseSensitive, q.Sort, q.Reverse, q.Select, pages, m.indexes, how)
				return
			}
		}
	}
}

// pagePlan is what is asked of a page, whatever the query is.
type pagePlan struct {
	limit, offset int
	total, whole  bool // count; do not select
}

// plan returns how to page through n objects.
func (m *queryModel) plan(n int) (pages []pagePlan) {
	offset := 0
	if m.oneIn(4) {
		offset = m.r.IntN(n + 3)
	}
	least := 1 + n/4
	if m.oneIn(10) {
		least = 1 + n/20
	}
	for left := n - offset; ; {
		p := pagePlan{limit: least + m.r.IntN(1+n/2), offset: offset, total: m.oneIn(4), whole: m.oneIn(2)}
		pages = append(pages, p)
		offset = 0
		if left -= p.limit; left <= 0 {
			return pages
		}
	}
}

// page pages through what a query wants of bucket i, and says what is wrong.
func (m *queryModel) page(i int, q bucketlite.Query, want []int, pages []pagePlan) string {
	if m.oneIn(5) {
		if fault := m.all(i, q, want); fault != "" {
			return "all: " + fault
		}
	}
	total, all := int64(len(want)), want
	want = want[min(pages[0].offset, len(want)):]
	selected := q.Select
	for n := 0; ; n++ {
		p := pages[min(n, len(pages)-1)]
		q.Limit, q.Offset, q.Total, q.Select = p.limit, p.offset, p.total, selected
		if n > 0 {
			q.Offset = 0
		}
		if p.whole {
			q.Select = nil
		}
		m.pages++
		got, err := m.list(i, q)
		var offset *bucketlite.OffsetError
		if m.cut && q.Offset > 0 && errors.As(err, &offset) {
			// It leads to a place that is not after the page.
			q.Offset, q.Cursor = 0, offset.Cursor
			if got, err = m.list(i, q); err == nil {
				first := slices.IndexFunc(all, func(n int) bool { return m.objects[n].forms[i]["object_id"] == got.Results[0].ID })
				if first <= 0 || first >= p.offset+p.limit {
					return fmt.Sprintf("offset %d of limit %d, refused: the cursor leads to %d", p.offset, p.limit, first)
				}
				want = all[first:]
			}
		}
		if err != nil {
			return err.Error()
		}
		if p.total && got.Total != total || !p.total && got.Total != -1 {
			return fmt.Sprintf("page %d, total: got %d, want %d: %t", n, got.Total, total, p.total)
		}
		here := want[:min(p.limit, len(want))]
		if m.cut && len(here) > 1 && len(got.Results) > 0 {
			here = here[:min(len(here), len(got.Results))]
		}
		want = want[len(here):]
		if fault := m.differ(i, got.Results, here, q.Select); fault != "" {
			return fmt.Sprintf("page %d of limit %d, offset %d: %s", n, p.limit, p.offset, fault)
		}
		if more := len(want) > 0; more != (got.Next != "") {
			return fmt.Sprintf("page %d: got next %q, want one: %t", n, got.Next, more)
		}
		if q.Cursor = got.Next; got.Next == "" {
			return ""
		}
	}
}

// list lists a page, now and then in stored form, which must say the same.
func (m *queryModel) list(i int, q bucketlite.Query) (*bucketlite.Page[*bucketlite.Object], error) {
	m.t.Helper()
	ctx := context.Background()
	got, err := m.buckets[i].List(ctx, q)
	if err != nil || !m.oneIn(10) {
		return got, err
	}
	raw, err := m.buckets[i].ListRaw(ctx, q)
	if err != nil {
		return nil, err
	}
	if raw.Next != got.Next || raw.Total != got.Total || len(raw.Results) != len(got.Results) {
		m.t.Errorf("ListRaw: got %d objects, next %q, total %d, want those of List: %d, %q, %d",
			len(raw.Results), raw.Next, raw.Total, len(got.Results), got.Next, got.Total)
		return got, nil
	}
	for n, r := range raw.Results {
		if diff := cmp.Diff(storetest.FormOf(m.t, got.Results[n]), storetest.FormOf(m.t, r)); diff != "" || r.ID() != got.Results[n].ID {
			m.t.Errorf("ListRaw: object %s, selected %q (-List +ListRaw):\n%s", r.ID(), q.Select, diff)
		}
	}
	return got, nil
}

// all asks for everything that a query wants.
func (m *queryModel) all(i int, q bucketlite.Query, want []int) string {
	var all []*bucketlite.Object
	for o, err := range m.buckets[i].Objects(context.Background(), q) {
		if err != nil {
			return err.Error()
		}
		all = append(all, o)
	}
	return m.differ(i, all, want, q.Select)
}

// differ says how results differ from the objects that are wanted, "" if they do
// not.
func (m *queryModel) differ(i int, results []*bucketlite.Object, want []int, selected []string) string {
	name := func(id any, doc map[string]any) string { return fmt.Sprintf("%v (%v)", id, doc["k"]) }
	var got, expected []string
	for _, o := range results {
		var doc map[string]any
		for _, known := range m.objects {
			if known.forms[i]["object_id"] == o.ID {
				doc = known.forms[i]
			}
		}
		got = append(got, name(o.ID, doc))
	}
	for _, n := range want {
		expected = append(expected, name(m.docs[n]["object_id"], m.docs[n]))
	}
	if !slices.Equal(expected, got) {
		var docs strings.Builder
		for n, doc := range m.docs {
			if slices.Contains(want, n) != slices.Contains(got, name(doc["object_id"], doc)) {
				text, _ := json.Marshal(doc)
				fmt.Fprintf(&docs, "\n%s", text)
			}
		}
		return fmt.Sprintf("objects (-want +got):\n%s%s", cmp.Diff(expected, got), docs.String())
	}
	for n, o := range results {
		if !m.oneIn(10) {
			continue // what is in them is costly to compare
		}
		form := m.objects[want[n]].forms[i]
		if len(selected) > 0 {
			left, _ := querytest.Select(form, append([]string{"object_id", "bucket_id"}, selected...)).(map[string]any)
			form = left
		}
		if diff := cmp.Diff(form, storetest.FormOf(m.t, o)); diff != "" {
			return fmt.Sprintf("object %s, selected %q (-want +got):\n%s", o.ID, selected, diff)
		}
	}
	return ""
}

// explain notes which indexes serve a query, and returns what is said of it.
func (m *queryModel) explain(i int, q bucketlite.Query) string {
	m.t.Helper()
	e, err := m.buckets[i].Explain(context.Background(), q)
	if err != nil {
		m.t.Fatal(err)
	}
	if i == 0 {
		if len(e.Indexes) > 0 {
			m.t.Errorf("bucket without indexes: got %s", e)
		}
		return e.String()
	}
	if e.Objects > int64(len(m.objects)) {
		m.t.Errorf("got %s of %d objects", e, len(m.objects))
	}
	switch len(e.Indexes) {
	case 0:
		m.served["nothing"]++
	case 1:
	default:
		m.served["several indexes"]++
	}
	for _, index := range e.Indexes {
		if !slices.Contains(m.indexes, index) {
			m.t.Errorf("got %s, which there is not", index)
		}
		use := string(index.Kind) + " index"
		if index.Path == "" {
			use = "index of all texts"
		}
		if len(q.Sort) > 0 && !e.Sorts {
			use += ", order"
			if q.Reverse {
				m.served["order of "+string(q.Sort[0].Direction)+", reversed"]++
			}
		}
		if q.Filter != (bucketlite.Filter{}) {
			use += ", filter"
		}
		if strings.TrimSpace(q.Search) != "" {
			use += ", search"
		}
		m.served[use]++
		if index.Path == "created_at" {
			m.served["index of created_at"]++
		}
	}
	return e.String()
}

// unserved returns the ways to find objects in which no query has been answered.
func (m *queryModel) unserved() (uses []string) {
	for _, use := range []string{
		"nothing", "value index, filter", "value index, order", "value index, order, filter", "text index, filter",
		"index of all texts, search", "index of all texts, filter", "index of created_at", "several indexes",
		"order of asc, reversed", "order of desc, reversed",
	} {
		if m.served[use] == 0 {
			uses = append(uses, use)
		}
	}
	return uses
}

// change puts, replaces, patches and deletes objects in both buckets.
func (m *queryModel) change(round int) {
	m.t.Helper()
	if round == 0 {
		for range 20 + m.r.IntN(80) {
			m.tick()
			m.put(m.newKey())
		}
	} else {
		for range 40 {
			m.tick()
			switch n := m.r.IntN(10); {
			case n < 3:
				m.put(m.newKey())
			case n < 5:
				m.put(pickOf(m, m.objects).key)
			case n < 8:
				m.patch(pickOf(m, m.objects))
			case len(m.objects) > 10:
				m.remove(m.r.IntN(len(m.objects)))
			}
		}
	}
	if round == 1 {
		m.submit()
	}
	m.docs = nil
	for _, o := range m.objects {
		doc := maps.Clone(o.forms[0])
		maps.Copy(doc, o.inline)
		m.docs = append(m.docs, doc)
	}
}

// tick moves the clock, mostly, and now and then back.
func (m *queryModel) tick() {
	m.clock.Add(time.Duration(m.r.IntN(4)-1) * time.Microsecond * time.Duration(pickOf(m, []int{0, 1, 1000, 3600e6})))
}

func (m *queryModel) newKey() string {
	m.last++
	return fmt.Sprint(pickOf(m, []string{"k", "K", "Red ", "σ"}), m.last)
}

// input returns a random input without the key: fields, and of some the value as a
// blob.
func (m *queryModel) input() (fields map[string]any, blobs []bucketlite.BlobInput) {
	fields = m.r.Document()
	if m.oneIn(8) { // beyond what counts when it is sorted by
		fields["s"] = pickOf(m, longTexts) + pickOf(m, longEnds)
	}
	if m.oneIn(12) {
		fields["any"] = map[string]any{"x": strings.Repeat("y", 505) + pickOf(m, []string{"", "a", "b"}), "y": json.Number("1")}
	}
	for _, name := range []string{"s", "n", "i", "yes", "day", "at", "stamps", "events"} {
		if v, ok := fields[name]; ok && m.oneIn(15) {
			delete(fields, name)
			blobs = append(blobs, bucketlite.BlobInput{Property: name, Data: v, Metadata: map[string]any{"by": pickOf(m, []string{"Ann", "bob"})}})
		}
	}
	switch m.r.IntN(8) {
	case 0:
		fields["note"] = m.r.SearchTerm()
	case 1, 2:
		blobs = append(blobs, m.note("note"))
	}
	if m.oneIn(6) {
		for range 1 + m.r.IntN(2) {
			blobs = append(blobs, m.note("notes"))
		}
	}
	return fields, blobs
}

// note returns a blob of a text: stored, inline or elsewhere.
func (m *queryModel) note(property string) bucketlite.BlobInput {
	b := bucketlite.BlobInput{Property: property}
	switch m.r.IntN(3) {
	case 0:
		b.Reader, b.Filename, b.MIMEType = strings.NewReader(m.r.SearchTerm()), pickOf(m, []string{"Red Sneaker.txt", "a.md", "STRASSE.txt"}), "text/plain"
	case 1:
		b.Data = m.r.SearchTerm()
	case 2:
		b.Data = pickOf(m, []string{"https://example.com/Notes/red.txt", "s3://bucket/a.md"})
	}
	return b
}

// put stores an object under a key, which may be taken.
func (m *queryModel) put(key string) {
	m.t.Helper()
	fields, blobs := m.input()
	if blobs == nil {
		blobs = []bucketlite.BlobInput{}
	}
	in := bucketlite.ObjectInput{Fields: maps.Clone(fields), KeyPrefix: pickOf(m, []string{"", "a/b", "Red/", "straße"})}
	in.Fields["k"] = key
	o := m.find(key)
	if o == nil {
		o = &modelDoc{key: key}
		m.objects = append(m.objects, o)
		// One that is made by the store would be another when the test is replayed.
		in.ID = fmt.Sprint(pickOf(m, []string{"obj", "Red-", "x_"}), m.last)
	}
	o.fields = fields
	for i, b := range m.buckets {
		in.Blobs = twice(blobs)
		o.stored(m.t, i, storetest.Put(m.t, b, in, ""))
	}
}

func (m *queryModel) find(key string) *modelDoc {
	for _, o := range m.objects {
		if o.key == key {
			return o
		}
	}
	return nil
}

// patch merges some fields, and maybe a blob, into an object.
func (m *queryModel) patch(o *modelDoc) {
	m.t.Helper()
	given, blobs := m.input()
	fields := maps.Clone(o.fields)
	in := bucketlite.ObjectInput{Fields: make(map[string]any)}
	isBlob := func(name string) bool {
		return slices.ContainsFunc(blobs, func(b bucketlite.BlobInput) bool { return b.Property == name })
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		// No field may have a value in two places, and null removes it.
		_, isInline := o.inline[name]
		if v := given[name]; !isInline && !isBlob(name) && v != nil && name != "note" && m.oneIn(2) {
			in.Fields[name], fields[name] = v, v
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		if isBlob(name) || m.oneIn(6) {
			in.Fields[name] = nil
			delete(fields, name)
		}
	}
	o.fields = fields
	for i, b := range m.buckets {
		in.Blobs = twice(blobs)
		stored, err := b.Patch(context.Background(), o.forms[i]["object_id"].(string), in, nil)
		if err != nil {
			m.t.Fatal(err)
		}
		o.stored(m.t, i, stored)
	}
}

func (m *queryModel) remove(n int) {
	m.t.Helper()
	for i, b := range m.buckets {
		if err := b.DeleteObject(context.Background(), m.objects[n].forms[i]["object_id"].(string), nil); err != nil {
			m.t.Fatal(err)
		}
	}
	m.objects = slices.Delete(m.objects, n, n+1)
}

// submit submits a few objects for processing, so that not all have one status.
func (m *queryModel) submit() {
	m.t.Helper()
	ctx := context.Background()
	for i, b := range m.buckets {
		var ids []string
		for _, o := range m.objects[:5] {
			ids = append(ids, o.forms[i]["object_id"].(string))
		}
		batch, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: ids})
		if err == nil {
			_, err = b.SubmitBatch(ctx, batch.ID)
		}
		if err != nil {
			m.t.Fatal(err)
		}
		for _, o := range m.objects[:5] {
			got, err := b.Object(ctx, o.forms[i]["object_id"].(string))
			if err != nil {
				m.t.Fatal(err)
			}
			o.stored(m.t, i, got)
		}
	}
}

// reindex makes and drops some indexes of the second bucket. In the end there is one
// of every kind.
func (m *queryModel) reindex(last bool) {
	m.t.Helper()
	ctx := context.Background()
	b := m.buckets[1]
	check := func(err error) {
		m.t.Helper()
		if err != nil {
			m.t.Fatal(err)
		}
	}
	for _, i := range m.indexes {
		if !m.oneIn(5) {
			continue
		}
		drop := b.DropIndex
		if i.Kind == bucketlite.TextIndex {
			drop = b.DropTextIndex
		}
		if i.Path == "" {
			check(drop(ctx))
		} else {
			check(drop(ctx, i.Path))
		}
	}
	var values, texts []string
	for _, path := range append([]string{"created_at"}, queryFields...) {
		if m.oneIn(4) {
			values = append(values, path)
		}
		if path != "created_at" && m.oneIn(12) {
			texts = append(texts, path)
		}
	}
	if last || m.oneIn(2) {
		values = append(values, "s")
	}
	if last {
		values, texts = append(values, "created_at", "i"), append(texts, "s", "note")
	}
	check(b.EnsureIndex(ctx, values...))
	if len(texts) > 0 {
		check(b.EnsureTextIndex(ctx, texts...))
	}
	if last || m.oneIn(3) {
		check(b.EnsureTextIndex(ctx))
	}
	var err error
	m.indexes, err = b.Indexes(ctx)
	check(err)
}
