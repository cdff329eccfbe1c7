package console_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// makeBucket makes a bucket with a unique key and fields of many types.
func makeBucket(t *testing.T, s *server) (*bucketlite.Namespace, *bucketlite.Bucket) {
	t.Helper()
	ctx := context.Background()
	ns, err := s.store.EnsureNamespace(ctx, bucketlite.NamespaceConfig{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{
		Name: "things",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"sku": {Type: bucketlite.String, Required: true}, "price": {Type: bucketlite.Number}, "tags": {Type: bucketlite.Array},
			"seen": {Type: bucketlite.DateTime}, "note": {Type: bucketlite.String, Description: "What people say."},
			"photo": {Type: bucketlite.Image}, "file": {Type: bucketlite.File}, "files": {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.File}},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}, DefaultPolicy: bucketlite.Upsert},
	})
	if err != nil {
		t.Fatal(err)
	}
	return ns, b
}

// put puts an object and returns its path below the console's.
func put(t *testing.T, ns *bucketlite.Namespace, b *bucketlite.Bucket, in bucketlite.ObjectInput) (string, *bucketlite.Object) {
	t.Helper()
	result, err := b.Put(context.Background(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("n/%s/b/%s/o/%s/", ns.ID(), b.ID(), result.Object.ID), result.Object
}

// TestObjectTitle shows by what an object goes, on its page and in the grid.
func TestObjectTitle(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ctx := context.Background()
	ns, err := s.store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	file := func() []bucketlite.BlobInput {
		return []bucketlite.BlobInput{{Property: "photo", Filename: "oak.txt", Reader: strings.NewReader("oak")}}
	}
	tests := []struct {
		name string
		key  string
		in   bucketlite.ObjectInput
		want string // empty: the id
	}{
		{"a title", "sku", bucketlite.ObjectInput{Fields: map[string]any{"sku": "a", "title": "An\noak"}, Blobs: file()}, "An oak"},
		{"a key", "sku", bucketlite.ObjectInput{Fields: map[string]any{"sku": "a"}, Blobs: file()}, "a"},
		{"a file", "", bucketlite.ObjectInput{Blobs: file()}, "oak.txt"},
		{"nothing", "", bucketlite.ObjectInput{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := bucketlite.BucketConfig{Name: tt.name, Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
				"title": {Type: bucketlite.String}, "sku": {Type: bucketlite.String}, "photo": {Type: bucketlite.File},
			}}}
			if tt.key != "" {
				config.UniqueKey = &bucketlite.UniqueKey{Fields: []string{tt.key}, DefaultPolicy: bucketlite.Insert}
			}
			b, err := ns.CreateBucket(ctx, config)
			if err != nil {
				t.Fatal(err)
			}
			path, o := put(t, ns, b, tt.in)
			want := cmp.Or(tt.want, o.ID)
			s.browser(t, allKey).get(path).wants(http.StatusOK, "<h1>"+want+"</h1>")
			s.browser(t, allKey).get("n/"+ns.ID()+"/b/"+b.ID()+"/?view=grid").wants(http.StatusOK, ">"+want+"<")
		})
	}
}

func TestObjectPage(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	path, o := put(t, ns, b, bucketlite.ObjectInput{Fields: map[string]any{
		"sku": "a-1", "price": 12.5, "tags": []any{"oak", "ash"}, "seen": "2026-01-02T03:04:05Z", "note": "<script>alert(1)</script>",
		"more": map[string]any{"b": 1}, "nothing": nil, "site": "https://example.com/x", "js": "javascript:alert(1)",
	}})
	got := s.browser(t, allKey).get(path).wants(http.StatusOK,
		"<h1>a-1</h1>", o.ID, "12.5", `[&#34;oak&#34;,&#34;ash&#34;]`, "2026-01-02T03:04:05Z", "&lt;script&gt;alert(1)&lt;/script&gt;",
		"undeclared", `<a href="https://example.com/x" rel="noreferrer noopener external">`, "Edit", "Delete object")
	got.lacks("<script>alert(1)", `href="javascript:`)
	s.browser(t, readsKey).get(path).wants(http.StatusOK, "a-1", "for reading alone").lacks("Delete object", ">Edit<")
	s.browser(t, allKey).get(strings.Replace(path, o.ID, "nothing", 1)).wants(http.StatusNotFound, "Not found")
}

// TestObjectPageOfStates shows what the page of an object is in each state of its bucket.
func TestObjectPageOfStates(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*bucketlite.Bucket) error
		status int
		word   string
	}{
		{"locked", func(b *bucketlite.Bucket) error { return b.Lock(context.Background()) }, http.StatusOK, "is <b>locked</b>"},
		{"archived", func(b *bucketlite.Bucket) error { return b.Archive(context.Background()) }, http.StatusOK, "is <b>archived</b>"},
		{"suspended", func(b *bucketlite.Bucket) error { return b.Suspend(context.Background()) }, http.StatusForbidden, "SUSPENDED"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, nil)
			ns, b := makeBucket(t, s)
			path, _ := put(t, ns, b, bucketlite.ObjectInput{Fields: map[string]any{"sku": "a-1"}})
			if err := test.change(b); err != nil {
				t.Fatal(err)
			}
			s.browser(t, allKey).get(path).wants(test.status, test.word).lacks("Delete object", ">Edit<")
		})
	}
}

func TestDeleteObject(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	path, o := put(t, ns, b, bucketlite.ObjectInput{Fields: map[string]any{"sku": "a-1"}})
	at := s.browser(t, allKey)
	s.browser(t, readsKey).post(path+"delete", url.Values{"version": {fmt.Sprint(o.Version)}}).wants(http.StatusForbidden)
	at.post(path+"delete", url.Values{}).wants(http.StatusUnprocessableEntity)
	at.post(path+"delete", url.Values{"version": {fmt.Sprint(o.Version + 1)}}).wants(http.StatusConflict, "has changed since", "a-1")
	at.post(path+"delete", url.Values{"version": {fmt.Sprint(o.Version)}}).wants(http.StatusSeeOther, "b/"+b.ID()+"/?done=object-deleted")
	at.get(path).wants(http.StatusNotFound)
}

// TestBlobs shows how contents come to the browser: as what can run nothing.
func TestBlobs(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	path, o := put(t, ns, b, bucketlite.ObjectInput{Fields: map[string]any{"sku": "a-1"}, Blobs: []bucketlite.BlobInput{
		{Property: "file", Reader: strings.NewReader("<script>alert(1)</script>"), Filename: "a.html", MIMEType: "text/html"},
	}})
	at := s.browser(t, allKey)
	id := o.Blobs[0].ID
	got := at.get(path + "blob/" + id).wants(http.StatusOK)
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; sandbox", "Content-Disposition": `attachment; filename=a.html`, "X-Content-Type-Options": "nosniff",
	} {
		if have := got.header.Get(name); have != want {
			t.Errorf("%s: got %q, want %q", name, have, want)
		}
	}
	if got := at.do("GET", path+"blob/"+id, nil, http.Header{"Range": {"bytes=1-6"}}).wants(http.StatusPartialContent).text; got != "script" {
		t.Errorf("got %q, want the range", got)
	}
	at.get(path+"blob/nothing").wants(http.StatusNotFound, "Not found")
	at.get(path+"link/"+id).wants(http.StatusOK, "/v1/presigned/blobs/", "signature=")
	s.browser(t, "").get(path+"blob/"+id).wants(http.StatusSeeOther, "signin")
}

// TestPreviews shows what previews make of bytes.
func TestPreviews(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	at := s.browser(t, allKey)
	for _, test := range []struct {
		name, filename, mimeType, content string
		wants                             []string
	}{
		{"text", "a.txt", "text/plain", "one\ntwo", []string{`class="wrap">one`}},
		{"text with markup", "a.html", "text/html", "<script>x</script>", []string{"&lt;script&gt;x"}},
		{"a long text", "a.txt", "text/plain", strings.Repeat("é", 200_000), []string{"This is the beginning of 391 KiB"}},
		{"a table", "a.csv", "text/csv", "a,b\n1,\"x\ny\"\n", []string{`<th scope="col">a</th>`, "<td>x\ny</td>"}},
		{"a table with semicolons", "a.csv", "text/csv", "a;b\n1;2\n", []string{`<th scope="col">b</th>`, "<td>2</td>"}},
		{"a long table", "a.csv", "text/csv", "a\n" + strings.Repeat("1\n", 300), []string{"This is the beginning"}},
		{"an empty table", "a.csv", "text/csv", "", []string{"<pre"}},
		{"JSON", "a.json", "application/json", `{"a":[1,2]}`, []string{"{\n  &#34;a&#34;: [\n    1,"}},
		{"broken JSON", "a.json", "application/json", `{"a":[1,2]`, []string{"{&#34;a&#34;:[1,2]"}},
		{"bytes", "a.bin", "application/octet-stream", "\x00\xff\x10", []string{"00000000  00 ff 10"}},
		{"bytes that call themselves text", "a.bin", "application/octet-stream", strings.Repeat("\x00", 600), []string{"This is the beginning of 600 B"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			path, o := put(t, ns, b, bucketlite.ObjectInput{Fields: map[string]any{"sku": test.name}, Blobs: []bucketlite.BlobInput{
				{Property: "file", Reader: strings.NewReader(test.content), Filename: test.filename, MIMEType: test.mimeType},
			}})
			part := at.do("GET", path+"preview/"+o.Blobs[0].ID, nil, http.Header{"Hx-Request": {"true"}}).wants(http.StatusOK, test.wants...).lacks("<html", "<script")
			at.get(path+"preview/"+o.Blobs[0].ID).wants(http.StatusOK, "<html", strings.TrimSpace(part.text)[:20])
		})
	}
}

// TestLargeObject shows that a page has the beginning of a large object, and leads to the
// whole.
func TestLargeObject(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	path, o := put(t, ns, b, bucketlite.ObjectInput{Fields: map[string]any{"sku": "a", "note": strings.Repeat("é", 600_000) + "end"}})
	at := s.browser(t, allKey)
	got := at.get(path).wants(http.StatusOK, "This is the beginning of 1.1 MiB.", "export?format=json&amp;f=object_id.eq."+o.ID)
	if len(got.text) > 1<<20 {
		t.Errorf("got a page of %d bytes", len(got.text))
	}
	at.get(strings.TrimSuffix(path, "o/"+o.ID+"/")+"export?format=json&f=object_id.eq."+o.ID).wants(http.StatusOK, "éend")
	at.get(path+"edit").wants(http.StatusRequestEntityTooLarge, "1.0 MiB", "with the API")
}

// TestWideObject shows that a page has some of many fields, and says how many there are
// besides.
func TestWideObject(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	fields := map[string]any{"sku": "a"}
	for i := range 5000 {
		fields[fmt.Sprintf("field-%04d", i)] = i
	}
	path, _ := put(t, ns, b, bucketlite.ObjectInput{Fields: fields})
	s.browser(t, allKey).get(path).wants(http.StatusOK, "field-0001", "more fields: see the JSON", "4,00").lacks("<dt>field-4999")
}
