package console_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
)

func TestIndexes(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, buckets := s.place(t, "shop", "lamps")
	putMany(t, buckets[0], 3)
	path := at + "b/" + buckets[0].ID() + "/indexes"
	b := s.browser(t, allKey)
	b.get(path).wants(http.StatusOK, "has no index", "Create an index", `<option value="price">`)
	b.get(path+"?path=price&kind=text").wants(http.StatusOK, `value="price"`, `value="text" selected`)
	b.post(path, url.Values{"do": {"create"}, "kind": {"value"}, "path": {" price "}}).wants(http.StatusSeeOther, "indexes?done=index-")
	b.post(path, url.Values{"kind": {"text"}, "path": {""}}).wants(http.StatusSeeOther, "indexes?done=index-")
	next := at + "b/" + buckets[0].ID() + "/?sort=price"
	b.post(path, url.Values{"kind": {"text"}, "path": {"sku"}, "next": {next}}).wants(http.StatusSeeOther, next+"&done=index-")
	b.post(path, url.Values{"kind": {"text"}, "path": {"sku"}, "next": {"//evil.example"}}).wants(http.StatusSeeOther, "indexes?done=index-")
	if err := buckets[0].EnsureIndex(context.Background(), "price"); err != nil {
		t.Fatal(err)
	}
	if err := buckets[0].EnsureTextIndex(context.Background(), "", "sku"); err != nil {
		t.Fatal(err)
	}
	b.get(path).wants(http.StatusOK, `data-label="Path"><code>price`, "all texts", `class="pill ready"`, "3 of at most").lacks("every 2s")
	b.do("GET", path, nil, part).wants(http.StatusOK, `id="list"`).lacks("<main")
	b.post(path, url.Values{"do": {"drop"}, "kind": {"text"}, "path": {""}}).wants(http.StatusSeeOther, "index-dropped")
	b.post(path, url.Values{"do": {"drop"}, "kind": {"value"}, "path": {"price"}}).wants(http.StatusSeeOther, "index-dropped")
	b.get(path).wants(http.StatusOK, "1 of at most").lacks(`data-label="Path"><code>price`)
	for _, bad := range []string{"", "a..b", "photo.details"} {
		b.post(path, url.Values{"kind": {"value"}, "path": {bad}}).wants(http.StatusBadRequest, `aria-invalid="true"`, `id="path-wrong">`)
		break
	}

	reads := s.browser(t, readsKey)
	reads.get(path).wants(http.StatusOK, "for reading alone").lacks("Create an index", "Drop")
	reads.post(path, url.Values{"kind": {"value"}, "path": {"price"}}).wants(http.StatusForbidden)
	if err := buckets[0].Suspend(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.get(path).wants(http.StatusOK, "suspended", "Create an index")
	if err := buckets[0].Lock(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.get(path).wants(http.StatusOK, "locked").lacks("Create an index")
	b.post(path, url.Values{"kind": {"value"}, "path": {"price"}}).wants(http.StatusForbidden, "locked")
}
