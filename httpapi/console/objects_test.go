package console_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// shopSchema declares fields of many types.
var shopSchema = bucketlite.Schema{Properties: map[string]bucketlite.Field{
	"sku": {Type: bucketlite.String}, "title": {Type: bucketlite.String}, "price": {Type: bucketlite.Number},
	"tags": {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.String}}, "sold": {Type: bucketlite.Boolean},
	"seen": {Type: bucketlite.DateTime}, "photo": {Type: bucketlite.Image}, "size": {Type: bucketlite.ObjectField},
}}

// shelf is a bucket in the namespace "shop", and its path below the console's.
func (s *server) shelf(t *testing.T, inputs ...bucketlite.ObjectInput) (b *bucketlite.Bucket, path string) {
	t.Helper()
	ctx := context.Background()
	ns, err := s.store.EnsureNamespace(ctx, bucketlite.NamespaceConfig{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	b, err = ns.CreateBucket(ctx, bucketlite.BucketConfig{
		Name: "shelf", Schema: shopSchema, UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}, DefaultPolicy: bucketlite.Upsert},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range inputs {
		if _, err := b.Put(ctx, in, nil); err != nil {
			t.Fatal(err)
		}
	}
	return b, "n/" + ns.ID() + "/b/" + b.ID() + "/"
}

// shoes are a few objects of the shelf.
func shoes(n int) (inputs []bucketlite.ObjectInput) {
	for i := range n {
		inputs = append(inputs, bucketlite.ObjectInput{ID: fmt.Sprintf("shoe-%03d", i), Fields: map[string]any{
			"sku": fmt.Sprintf("S-%03d", i), "title": fmt.Sprintf("Shoe %d", i), "price": 10 * i, "tags": []any{"shoes", "new"}, "sold": i%2 == 0,
		}})
	}
	return inputs
}

func TestObjects(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	b, path := s.shelf(t, shoes(60)...)
	if _, err := b.Put(context.Background(), bucketlite.ObjectInput{ID: "odd", Fields: map[string]any{
		"sku": "ODD", "title": strings.Repeat("long ", 50), "note": nil, "seen": "2026-01-02T03:04:05Z", "size": map[string]any{"w": 1, "h": 2},
	}}, nil); err != nil {
		t.Fatal(err)
	}
	reader := s.browser(t, readsKey)
	for _, tt := range []struct {
		name, query  string
		status       int
		wants, lacks []string
	}{
		{"newest first", "", 200, []string{"61 objects", ">ODD<", "Shoe 59", "Next page", "Newest first (", `class="absent"`}, []string{"Shoe 5<"}},
		{"kinds of values", "cols=sku,tags,size,note,seen,object_id,version", 200, []string{"2 members", "2 items", `class="null"`, `class="absent"`, `datetime="2026-01-02T03:04:05Z"`, ">odd<", `<td class="num" data-label="Version">`}, nil},
		{"oldest first", "order=oldest", 200, []string{"Shoe 0<", "Oldest first ("}, []string{"Shoe 59"}},
		{"a long text is cut", "", 200, []string{strings.Repeat("long ", 23) + "long…</", `title="` + strings.Repeat("long ", 50)}, nil},
		{"number", "f=price.lt.20", 200, []string{"Shoe 0<", "Shoe 1<", "price", ">2 objects<"}, []string{"Shoe 2<"}},
		{"text of a number", "f=title.eq.5", 200, []string{"No object matches", "Show all objects"}, nil},
		{"boolean", "f=sold.eq.true&f=price.lte.30", 200, []string{"Shoe 0<", "Shoe 2<"}, []string{"Shoe 1<", "Shoe 4<"}},
		{"any", "f=price.eq.30&f=price.eq.50&any=1", 200, []string{"Shoe 3<", "Shoe 5<"}, []string{"Shoe 4<"}},
		{"in", "f=price.in.30,50", 200, []string{"Shoe 3<", "Shoe 5<"}, []string{"Shoe 4<"}},
		{"array", "f=tags.eq.new&size=20", 200, []string{"Shoe 59<", `hx-get="count?f=tags.eq.new&amp;size=20"`}, []string{"ODD"}},
		{"missing", "f=tags.missing", 200, []string{"ODD"}, []string{"Shoe"}},
		{"null", "f=price.is_null", 200, []string{"ODD"}, []string{"Shoe 1"}},
		{"search", "q=shoe+17", 200, []string{"Shoe 17<"}, []string{"Shoe 18"}},
		{"case", "f=title.eq.shoe+17&case=1", 200, []string{"No object matches", "case matters"}, []string{"Shoe 17<"}},
		{"JSON", "filter=" + url.QueryEscape(`{"price": 170}`), 200, []string{"Shoe 17<"}, []string{"Shoe 18"}},
		{"words", "where=" + url.QueryEscape(`price > 165 and price < 175`), 200, []string{"Shoe 17<"}, []string{"Shoe 18"}},
		{"both", "f=price.gt.165&where=" + url.QueryEscape(`price < 175`), 200, []string{"Shoe 17<"}, []string{"Shoe 18"}},
		{"sorted", "sort=-price&f=price.not_null&size=20", 200, []string{`aria-sort="descending"`, "Shoe 59<"}, []string{"Shoe 2<"}},
		{"columns", "cols=title,nothing", 200, []string{`data-label="nothing"`}, []string{`data-label="price"`}},
		{"grid", "view=grid", 200, []string{`class="pictures"`, "Shoe 59"}, []string{"<table"}},
		{"no more", "after=%00", 400, []string{"ursor", `role="alert"`}, nil},

		{"wrong number", "f=price.lt.cheap", 400, []string{`aria-invalid="true"`, `id="w0"`, "chip bad"}, nil},
		{"wrong pattern", "f=title.regex.(&f=price.lt.3", 400, []string{`id="w0"`}, []string{`id="w1"`}},
		{"wrong one of any", "any=1&f=price.lt.3&f=title.regex.(", 400, []string{`id="w1"`}, []string{`id="w0"`}},
		{"no operator", "f=price", 400, []string{"An operator expected", "see what is wrong"}, nil},
		{"wrong JSON", "filter=%7B", 400, []string{`id="json-wrong"`}, nil},
		{"wrong words", "where=price", 400, []string{`id="where-wrong"`, "character"}, nil},
		{"wrong path in JSON", "f=price.lt.3&filter=" + url.QueryEscape(`{"a..b": 1}`), 400, []string{`id="json-wrong"`}, []string{`id="w0"`}},
		{"wrong order", "sort=a..b", 400, []string{"sort[0].field"}, nil},
		{"too long", "q=" + strings.Repeat("x", 17_000), 414, []string{"16 KiB"}, []string{"<table"}},
		{"too many", strings.Repeat("f=a.eq.1&", 101), 422, []string{"At most 100 conditions"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reader.at(t).get(path+"?"+tt.query).wants(tt.status, tt.wants...).lacks(tt.lacks...)
		})
	}
}

// at is the browser for another test.
func (b *browser) at(t *testing.T) *browser {
	at := *b
	at.t = t
	return &at
}

// TestObjectsPages follows the pages to the last one.
func TestObjectsPages(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	_, path := s.shelf(t, shoes(45)...)
	b := s.browser(t, readsKey)
	seen := 0
	for address, pages := "?size=20&f=price.gte.0", 0; address != ""; pages++ {
		text := b.get(path + address).wants(http.StatusOK).text
		seen += strings.Count(text, `name="id"`)
		_, next, _ := strings.Cut(text, `<a class="button" href="`)
		for next != "" && !strings.Contains(strings.SplitN(next, ">", 2)[0], "data-next") {
			_, next, _ = strings.Cut(next, `<a class="button" href="`)
		}
		address, _, _ = strings.Cut(next, `"`)
		address = strings.ReplaceAll(address, "&amp;", "&")
		if pages > 3 {
			t.Fatal("got more than 3 pages")
		}
	}
	if seen != 45 {
		t.Errorf("got %d objects, want 45", seen)
	}
}

// TestObjectsForms shows that the forms lead to addresses that can be shared.
func TestObjectsForms(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	_, path := s.shelf(t)
	b := s.browser(t, readsKey)
	for query, want := range map[string]string{
		"p=price&o=lt&v=90&p=&o=eq&v=&any=0":         "?f=price.lt.90",
		"p=price&o=lt&v=9&p=tags&o=eq&v=a.b&any=1":   "?f=price.lt.9&f=tags.eq.a.b&any=1",
		"p=tags&o=missing&v=left&q=x":                "?f=tags.missing&q=x",
		"c=sku&c=title&c=sku&c=&sort=-price":         "?sort=-price&cols=sku,title",
		"f=a.eq.1&p=lt.eq&o=eq&v=lt&after=x&size=20": "?f=a.eq.1&f=~lt.~eq.eq.lt&size=20",
	} {
		b.get(path+"?"+query).wants(http.StatusSeeOther, path+want)
	}
	b.get(path).wants(http.StatusOK, "This bucket has no objects yet.").lacks("New object", `href="`+path+`new"`)
	s.browser(t, allKey).get(path).wants(http.StatusOK, "New object", "Uploads")
}

// TestObjectsStates shows the list of buckets that refuse something.
func TestObjectsStates(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, tt := range []struct {
		name   string
		change func(*bucketlite.Bucket) error
		status int
		wants  []string
		lacks  []string
	}{
		{"locked", func(b *bucketlite.Bucket) error { return b.Lock(ctx) }, 200, []string{"locked", "Shoe 1"}, []string{"New object"}},
		{"archived", func(b *bucketlite.Bucket) error { return b.Archive(ctx) }, 200, []string{"archived", "Shoe 1"}, []string{"New object"}},
		{"suspended", func(b *bucketlite.Bucket) error { return b.Suspend(ctx) }, 403, []string{"suspended", `role="alert"`, "Settings", "Columns"}, []string{"New object", "Shoe 1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, nil)
			bucket, path := s.shelf(t, shoes(2)...)
			if err := tt.change(bucket); err != nil {
				t.Fatal(err)
			}
			s.browser(t, allKey).get(path).wants(tt.status, tt.wants...).lacks(tt.lacks...)
		})
	}
}

// TestObjectsParts shows the parts of the page that scripts ask for.
func TestObjectsParts(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	bucket, path := s.shelf(t, shoes(30)...)
	b := s.browser(t, readsKey)
	part := http.Header{"Hx-Request": {"true"}}
	b.do("GET", path+"?f=price.lt.20", nil, part).wants(http.StatusOK, `<div id="rows">`, "Shoe 1<").lacks("<html", "Shoe 2<")
	b.do("GET", path+"count?f=price.lt.20", nil, part).wants(http.StatusOK, ">2 objects<").lacks("<html")
	b.do("GET", path+"count?f=price.lt.20&all=1", nil, part).wants(http.StatusOK, ">2 objects<")
	b.do("GET", path+"count?f=price.lt.x", nil, part).wants(http.StatusBadRequest, `role="alert"`)
	b.get(path+"count?f=price.lt.20").wants(http.StatusSeeOther, "?f=price.lt.20&count=1")
	b.get(path+"?f=price.gte.0&size=20&count=1").wants(http.StatusOK, ">30 objects<")

	text := b.get(path).wants(http.StatusOK, "hx-trigger=\"every 10s\"").lacks("refresh").text
	_, address, _ := strings.Cut(text, `hx-get="changes?`)
	address, _, _ = strings.Cut(address, `"`)
	address = path + "changes?" + strings.ReplaceAll(address, "&amp;", "&")
	b.do("GET", address, nil, part).wants(http.StatusOK, "hx-get").lacks("refresh")
	for _, in := range shoes(3) {
		if _, err := bucket.Put(context.Background(), in, nil); err != nil {
			t.Fatal(err)
		}
	}
	text = b.do("GET", address, nil, part).wants(http.StatusOK, ">3 changes since", "refresh").text
	_, address, _ = strings.Cut(text, `hx-get="`)
	address, _, _ = strings.Cut(address, `"`)
	b.do("GET", path+strings.ReplaceAll(address, "&amp;", "&"), nil, part).wants(http.StatusOK, ">3 changes since")
	b.do("GET", path+"changes?since=nothing", nil, part).wants(http.StatusBadRequest, `role="alert"`)
}

// TestThumb shows the small pictures of the table and the grid.
func TestThumb(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	bucket, path := s.shelf(t)
	put, err := bucket.Put(context.Background(), bucketlite.ObjectInput{ID: "dot", Fields: map[string]any{"sku": "D"}, Blobs: []bucketlite.BlobInput{
		{Property: "photo", Reader: bytes.NewReader(dot), Filename: "dot.gif"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := s.browser(t, readsKey)
	address := "o/dot/thumb/" + put.Object.Blobs[0].ID + "?s=160"
	b.get(path).wants(http.StatusOK, `src="`+address+`"`, `alt="dot.gif" width="40"`)
	b.get(path+"?view=grid").wants(http.StatusOK, `src="`+address+`"`, `width="160"`)
	if got := b.get(path + address).wants(http.StatusOK).header; got.Get("Content-Type") != "image/png" || !strings.Contains(got.Get("Cache-Control"), "immutable") {
		t.Errorf("got %v", got)
	}
	b.get(path + strings.Replace(address, "160", "161", 1)).wants(http.StatusUnprocessableEntity)
	broken, err := bucket.Put(context.Background(), bucketlite.ObjectInput{ID: "broken", Fields: map[string]any{"sku": "B"}, Blobs: []bucketlite.BlobInput{
		{Property: "photo", Reader: bytes.NewReader(dot[:20]), Filename: "dot.gif"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.get(path+"o/broken/thumb/"+broken.Object.Blobs[0].ID+"?s=160").wants(http.StatusOK, "<svg").header.Get("Content-Type"); got != "image/svg+xml" {
		t.Errorf("broken: got Content-Type %q", got)
	}
	b.get(path + "o/dot/thumb/blob_x?s=160").wants(http.StatusNotFound)
	b.get(path + "o/none/thumb/" + put.Object.Blobs[0].ID + "?s=160").wants(http.StatusNotFound)
}

// TestLateRows shows the page of a query that takes long, with scripts and without.
func TestLateRows(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.console.BeLate()
	_, path := s.shelf(t, shoes(3)...)
	b := s.browser(t, readsKey)
	b.get(path+"?f=price.lt.90&size=20").wants(http.StatusOK, `id="rows"`, `hx-get="?f=price.lt.90&amp;size=20"`, `aria-busy="true"`, "Reading 3 objects", "data-cancel",
		`<noscript>`, `href="?f=price.lt.90&amp;size=20&amp;wait=1"`).lacks("Shoe 1<", "count?")
	b.get(path+"?f=price.lt.90&wait=1").wants(http.StatusOK, "Shoe 1<")
	b.do("GET", path+"?f=price.lt.90", nil, http.Header{"Hx-Request": {"true"}}).wants(http.StatusOK, "Shoe 1<")
	b.get(path+"?f=price.lt.cheap").wants(http.StatusBadRequest, `id="w0"`)
}

// TestSlowQuery shows the banner of a query of many objects, and its button.
func TestSlowQuery(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.console.CountAsMany(3)
	bucket, path := s.shelf(t, shoes(5)...)
	writer, reader := s.browser(t, allKey), s.browser(t, readsKey)
	button := `<input type="hidden" name="kind" value="value"><input type="hidden" name="path" value="price">`
	writer.get(path+"?sort=price").wants(http.StatusOK, "Examines all 5 objects", "An index on <code>price</code>", button, "Create an index on price")
	writer.get(path+"?q=shoe").wants(http.StatusOK, "Create a text index")
	reader.get(path+"?sort=price").wants(http.StatusOK, "Examines all 5 objects").lacks(button)
	writer.get(path+"?f=title.contains.x").wants(http.StatusOK, "No index helps").lacks("<input type=\"hidden\" name=\"kind\"")
	writer.post(path+"indexes", url.Values{"kind": {"value"}, "path": {"price"}, "next": {path + "?sort=price"}}).wants(http.StatusSeeOther, path+"?sort=price&done=index-")
	writer.post(path+"indexes", url.Values{"kind": {"text"}, "path": {""}, "next": {path + "?q=shoe"}}).wants(http.StatusSeeOther, path+"?q=shoe&done=index-")
	if err := bucket.EnsureIndex(context.Background(), "price"); err != nil { // waits for it
		t.Fatal(err)
	}
	writer.get(path+"?sort=price").wants(http.StatusOK, "Reads the page by the value index of price").lacks(button)
}
