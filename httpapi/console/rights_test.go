package console_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi/console"
)

// A realm is one of everything that a path can name, in one namespace.
type realm struct {
	ns     *bucketlite.Namespace
	bucket *bucketlite.Bucket
	ids    map[string]string // by the wildcards of paths
}

// fillRealm makes a namespace whose contents have its name in their own.
func fillRealm(t *testing.T, st *bucketlite.Store, name string) *realm {
	t.Helper()
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: name})
	check(err)
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: name + "-bucket", Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"title": {Type: bucketlite.String}, "photo": {Type: bucketlite.Image}, "file": {Type: bucketlite.File},
	}}})
	check(err)
	put, err := b.Put(ctx, bucketlite.ObjectInput{ID: name + "-object", Fields: map[string]any{"title": name + "-title"},
		Blobs: []bucketlite.BlobInput{{Property: "photo", Reader: bytes.NewReader(dot), Filename: name + ".gif"}}}, nil)
	check(err)
	batch, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{put.Object.ID}})
	check(err)
	u, err := b.CreateUpload(ctx, bucketlite.UploadInput{Filename: name + ".bin", ContentType: "application/octet-stream", Property: "file"})
	check(err)
	gone, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: name + "-gone"})
	check(err)
	task, err := gone.Delete(ctx)
	check(err)
	return &realm{ns, b, map[string]string{
		"{namespace}": ns.ID(), "{bucket}": b.ID(), "{object}": put.Object.ID, "{blob}": put.Object.Blobs[0].ID, "{batch}": batch.ID,
		"{task}": task.ID, "{upload}": u.ID, "{name}": "console.css",
	}}
}

// fill returns a path with the ids of p, but with those of other for some wildcards.
func (p *realm) fill(path string, other *realm, wildcards ...string) string {
	for wildcard, id := range p.ids {
		if slices.Contains(wildcards, wildcard) {
			id = other.ids[wildcard]
		}
		path = strings.ReplaceAll(path, wildcard, id)
	}
	return path
}

// try asks for a route with a form that would change as much as it can.
func (b *browser) try(method, path, name string) *page {
	b.t.Helper()
	if method == "GET" {
		return b.get(path + "?s=160") // of a thumbnail
	}
	form := url.Values{
		"do": {"delete"}, "confirm": {"yes", name}, "name": {"taken"}, "description": {"taken"}, "id": {name + "-object"}, "ids": {name + "-object"}, "all": {"1"},
		"f.title": {"taken"}, "version": {"1"}, "base": {"{}"}, "path": {"title"}, "kind": {"value"}, "format": {"csv"}, "text": {`{"title": "taken"}`},
	}
	if strings.HasSuffix(path, "/settings") {
		form.Set("confirm", name)
		if strings.Contains(path, "/b/") {
			form.Set("confirm", name+"-bucket")
		}
	}
	return b.post(path, form)
}

// TestRights shows of every route that a key reaches with it nothing that it may not, by
// any id in the path, and that nobody learns of what is there.
func TestRights(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ctx := context.Background()
	shop, museum := fillRealm(t, s.store, "shop"), fillRealm(t, s.store, "museum")
	before, err := s.store.EventCursor(ctx)
	if err != nil {
		t.Fatal(err)
	}
	nobody, one, reads := s.browser(t, ""), s.browser(t, shopKey), s.browser(t, readsKey)
	for _, rt := range console.Routes() {
		if rt.Open {
			continue
		}
		name := rt.Method + " " + rt.Path
		theirs := museum.fill(rt.Path, nil)
		if got := nobody.try(rt.Method, theirs, "museum"); got.status != http.StatusSeeOther || !strings.Contains(got.header.Get("Location"), "signin") {
			t.Errorf("%s: without a session: got status %d to %q", name, got.status, got.header.Get("Location"))
		}
		if rt.Writes {
			if got := reads.try(rt.Method, theirs, "museum"); got.status != http.StatusForbidden {
				t.Errorf("%s: a key for reading: got status %d", name, got.status)
			}
		}
		if rt.All {
			for _, at := range []*browser{one, reads} {
				if got := at.try(rt.Method, theirs, "museum"); got.status != http.StatusForbidden {
					t.Errorf("%s: a key without all rights: got status %d", name, got.status)
				}
			}
		}
		for wildcard := range museum.ids {
			if !strings.Contains(rt.Path, wildcard) {
				continue
			}
			got := one.try(rt.Method, shop.fill(rt.Path, museum, wildcard), "museum")
			written := strings.HasSuffix(rt.Path, "o/{object}/copyas") && wildcard == "{object}" // code with the id, whether there is an object or not
			if got.status != http.StatusNotFound && !written || strings.Contains(got.text, "museum-title") || strings.Contains(got.text, museum.ids["{upload}"]) && wildcard != "{upload}" {
				t.Errorf("%s: another's %s: got status %d: %.300s", name, wildcard, got.status, got.text)
			}
		}
		if strings.Contains(rt.Path, "{namespace}") {
			absent := strings.ReplaceAll(theirs, museum.ns.ID(), "nothing")
			if got, want := one.try(rt.Method, theirs, "museum"), one.try(rt.Method, absent, "museum"); got.status != want.status || got.status != http.StatusNotFound {
				t.Errorf("%s: a namespace of others: got status %d, and %d for none", name, got.status, want.status)
			}
		}
	}
	if after, err := s.store.EventCursor(ctx); err != nil || after != before {
		t.Errorf("something has changed: %v", err)
	}
	for _, p := range []*realm{shop, museum} {
		if u, err := p.bucket.Upload(ctx, p.ids["{upload}"]); err != nil || u.Status != bucketlite.StatusPending {
			t.Errorf("got upload %+v, %v, want it as it was", u, err)
		}
		if b, err := p.bucket.Batch(ctx, p.ids["{batch}"]); err != nil || b.Status != bucketlite.StatusDraft {
			t.Errorf("got batch %+v, %v, want it as it was", b, err)
		}
	}
}

// TestRenamedNamespace shows that a key goes with the name that it has, and not with the
// namespace.
func TestRenamedNamespace(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ctx := context.Background()
	shop, museum := fillRealm(t, s.store, "shop"), fillRealm(t, s.store, "museum")
	one := s.browser(t, shopKey)
	rename := func(p *realm, name string) {
		t.Helper()
		if _, err := p.ns.Update(ctx, bucketlite.NamespaceUpdate{Name: &name}); err != nil {
			t.Fatal(err)
		}
	}
	page := func(p *realm) string { return p.fill("n/{namespace}/b/{bucket}/o/{object}/", nil) }
	one.get(page(shop)).wants(http.StatusOK)
	rename(shop, "store")
	one.get(page(shop)).wants(http.StatusNotFound)
	rename(museum, "shop")
	one.get(page(museum)).wants(http.StatusOK)
	one.get("").wants(http.StatusSeeOther, museum.ns.ID())
	one.post(museum.fill("n/{namespace}/settings", nil), url.Values{"name": {"mine"}}).wants(http.StatusForbidden, "may not change")
}

// TestSuspendedBucket shows that nothing of a suspended bucket's objects can be read.
func TestSuspendedBucket(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	shop := fillRealm(t, s.store, "shop")
	at := s.browser(t, allKey)
	object := shop.fill("n/{namespace}/b/{bucket}/o/{object}/", nil)
	bucket := shop.fill("n/{namespace}/b/{bucket}/", nil)
	paths := []string{
		object, object + "edit", object + "blob/" + shop.ids["{blob}"], object + "blob/" + shop.ids["{blob}"] + "?download=1", object + "thumb/" + shop.ids["{blob}"] + "?s=160",
		object + "preview/" + shop.ids["{blob}"], object + "link/" + shop.ids["{blob}"], bucket + "export?format=csv", bucket + "charts/data?by=title&format=csv",
	}
	for _, path := range paths {
		at.get(path).wants(http.StatusOK)
	}
	if err := shop.bucket.Suspend(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		at.get(path).wants(http.StatusForbidden, "SUSPENDED").lacks("shop-title", "GIF8")
	}
	at.get(bucket).lacks("shop-title", "shop-object")
	at.get(bucket + "charts?by=title").lacks("shop-title")
	at.get(shop.fill("n/{namespace}/find?q={object}", nil)).wants(http.StatusOK).lacks("/o/shop-object/")
}
