package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// place makes a namespace with the buckets of the names, and returns the path of the
// namespace and the buckets.
func (s *server) place(t *testing.T, name string, buckets ...string) (path string, made []*bucketlite.Bucket) {
	t.Helper()
	ctx := context.Background()
	ns, err := s.store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range buckets {
		b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: name, Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"sku": {Type: bucketlite.String, Required: true}, "price": {Type: bucketlite.Number},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, b)
	}
	return "n/" + ns.ID() + "/", made
}

// putMany puts n objects into a bucket.
func putMany(t *testing.T, b *bucketlite.Bucket, n int) {
	t.Helper()
	for i := range n {
		if _, err := b.Put(context.Background(), bucketlite.ObjectInput{Fields: map[string]any{"sku": fmt.Sprint("sku-", i), "price": i}}, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// inOrder checks that the words stand in the text in this order.
func (p *page) inOrder(words ...string) *page {
	p.t.Helper()
	rest := p.text
	for _, word := range words {
		_, after, found := strings.Cut(rest, word)
		if !found {
			p.t.Fatalf("%s: got no %q after those before it, in %s", p.name, word, p.text)
		}
		rest = after
	}
	return p
}

var part = http.Header{"Hx-Request": {"true"}}

// TestBucketList shows the list's order, search and states.
func TestBucketList(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, buckets := s.place(t, "shop", "lamps", "chairs", "rugs")
	putMany(t, buckets[1], 3)
	putMany(t, buckets[2], 1)
	if err := buckets[0].Archive(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := buckets[2].Lock(context.Background()); err != nil {
		t.Fatal(err)
	}
	b := s.browser(t, allKey)
	for _, tt := range []struct {
		name, query string
		want, not   []string
	}{
		{"all", "", []string{">lamps<", ">chairs<", ">rugs<"}, nil},
		{"by name", "?sort=name", []string{`aria-sort="ascending"`, ">chairs<", ">lamps<", ">rugs<"}, nil},
		{"by objects", "?sort=-objects", []string{`aria-sort="descending"`, ">chairs<", ">rugs<", ">lamps<"}, nil},
		{"an order that does not exist", "?sort=colour", []string{">lamps<", ">chairs<", ">rugs<"}, []string{"aria-sort"}},
		{"search", "?q=CHAIR", []string{">chairs<"}, []string{">lamps<", ">rugs<"}},
		{"archived", "?status=ARCHIVED", []string{">lamps<"}, []string{">chairs<", ">rugs<"}},
		{"locked", "?status=locked", []string{">rugs<"}, []string{">chairs<", ">lamps<"}},
		{"nothing matches", "?q=table", []string{"No bucket matches"}, []string{">lamps<", "no bucket yet"}},
	} {
		p := b.get(at+tt.query).wants(http.StatusOK, "Create bucket").inOrder(tt.want...).lacks(tt.not...)
		if got := b.do("GET", at+tt.query, nil, part).wants(http.StatusOK).inOrder(tt.want...).lacks("<main"); !strings.Contains(p.text, strings.TrimSpace(got.text)) {
			t.Errorf("%s: the part is not in the page", tt.name)
		}
	}
	b.get(at+"?status=nothing").wants(http.StatusOK, "No bucket matches")
	b.get(at+"?after=nothing").wants(http.StatusBadRequest, "ursor")
}

func TestBucketListPages(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	var names []string
	for i := range 120 {
		names = append(names, fmt.Sprintf("bucket-%03d", i))
	}
	at, _ := s.place(t, "shop", names...)
	b := s.browser(t, allKey)
	var got []string
	path, pages := at+"?sort=-name", 0
	for path != "" {
		pages++
		p := b.get(path).wants(http.StatusOK)
		for _, piece := range strings.Split(p.text, ">bucket-")[1:] {
			got = append(got, "bucket-"+piece[:3])
		}
		path = ""
		if _, next, found := strings.Cut(p.text, `rel="next"`); found {
			_ = next
			_, before, _ := strings.Cut(p.text, `<a class="button" href="?after=`)
			cursor, _, _ := strings.Cut(before, `"`)
			path = at + "?after=" + strings.ReplaceAll(cursor, "&amp;", "&")
		}
	}
	slices.Reverse(names)
	if pages != 3 || !slices.Equal(got, names) {
		t.Errorf("got %d pages with %d buckets from %v, want 3 with %d from %v", pages, len(got), got[:1], len(names), names[:1])
	}
}

func TestBucketListEmpty(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, _ := s.place(t, "shop")
	s.browser(t, allKey).get(at).wants(http.StatusOK, "There is no bucket yet", at+"new", "from a file of JSON lines")
	s.browser(t, readsKey).get(at).wants(http.StatusOK, "There is no bucket yet").lacks("Create bucket", "from a file")
}

// TestGrowth shows the line in the list, and the page that it leads to without scripts.
func TestGrowth(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, buckets := s.place(t, "shop", "lamps", "chairs")
	putMany(t, buckets[0], 3)
	path := at + "b/" + buckets[0].ID() + "/growth"
	b := s.browser(t, readsKey)
	b.get(at).wants(http.StatusOK, `hx-get="../../`+path+`"`).lacks(buckets[1].ID() + "/growth")
	b.do("GET", path, nil, part).wants(http.StatusOK, "<svg", "from 0 to 3 objects in 30 days").lacks("href", "<main")
	b.get(path).wants(http.StatusOK, "The last 30 days", "<svg", "Growth by day")
	if err := buckets[0].Suspend(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.do("GET", path, nil, part).wants(http.StatusOK, "<svg")
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, buckets := s.place(t, "shop", "lamps")
	s.place(t, "museum")
	putMany(t, buckets[0], 2)
	b := s.browser(t, allKey)
	b.get("").wants(http.StatusOK).inOrder(">shop<", ">museum<")
	b.get("?sort=name").wants(http.StatusOK).inOrder(">museum<", ">shop<")
	b.get("?q=mus").wants(http.StatusOK, ">museum<").lacks(">shop<")
	b.get("?q=nothing").wants(http.StatusOK, "No namespace matches")
	b.do("GET", at+"size", nil, part).wants(http.StatusOK, "B").lacks("<")
	b.get(at+"size").wants(http.StatusSeeOther, at)
}

// TestNamespaceSettings shows who may change a namespace, and that deleting wants its name.
func TestNamespaceSettings(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, buckets := s.place(t, "shop", "lamps")
	s.place(t, "museum")
	all, reads, shop := s.browser(t, allKey), s.browser(t, readsKey), s.browser(t, shopKey)
	reads.get(at+"settings").wants(http.StatusOK, "for reading alone").lacks("<form method=\"post\" action=\"../../n")
	reads.post(at+"settings", url.Values{"do": {"save"}, "name": {"x"}}).wants(http.StatusForbidden)
	shop.get(at+"settings").wants(http.StatusOK, "readonly", "cannot change it")
	shop.post(at+"settings", url.Values{"do": {"save"}, "name": {"other"}}).wants(http.StatusForbidden, "limited to this namespace")
	shop.post(at+"settings", url.Values{"do": {"save"}, "name": {"shop"}, "description": {"Lamps"}}).wants(http.StatusSeeOther, "settings?done=namespace-changed")
	shop.get(at+"settings?done=namespace-changed").wants(http.StatusOK, "has been changed", "Lamps")
	all.post(at+"settings", url.Values{"do": {"save"}, "name": {"museum"}, "description": {"kept"}}).wants(http.StatusConflict, "kept", `value="museum"`)
	all.post(at+"settings", url.Values{"do": {"save"}, "name": {"store"}}).wants(http.StatusSeeOther)
	all.get(at+"settings").wants(http.StatusOK, `value="store"`)

	all.post(at+"settings", url.Values{"do": {"delete"}, "confirm": {"Store"}}).wants(http.StatusUnprocessableEntity, "This is not the name")
	if err := buckets[0].Lock(context.Background()); err != nil {
		t.Fatal(err)
	}
	all.post(at+"settings", url.Values{"do": {"delete"}, "confirm": {"store"}}).wants(http.StatusForbidden, "lamps", "locked")
	if err := buckets[0].Unlock(context.Background()); err != nil {
		t.Fatal(err)
	}
	all.post(at+"settings", url.Values{"do": {"delete"}, "confirm": {"store"}}).wants(http.StatusSeeOther, "../../?all=1&done=namespace-deleted")
	all.get(at).wants(http.StatusNotFound)
}
