package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// count is how many objects a bucket has.
func countOf(t *testing.T, b *bucketlite.Bucket) int64 {
	t.Helper()
	stats, err := b.Stats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return stats.ObjectCount
}

func TestDeleteChosen(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	bucket, path := s.shelf(t, shoes(5)...)
	b := s.browser(t, allKey)
	form := url.Values{"do": {"delete"}, "id": {"shoe-001", "shoe-002", "shoe-001"}, "at": {"f=price.lt.90&size=20"}}
	b.post(path+"select", form).wants(http.StatusOK, "<b>2 objects</b>", "shoe-001", "cannot be undone", `value="f=price.lt.90&amp;size=20"`)
	if n := countOf(t, bucket); n != 5 {
		t.Fatalf("before it is confirmed: got %d objects, want 5", n)
	}
	form.Set("confirm", "yes")
	form.Add("id", "gone")
	b.post(path+"select", form).wants(http.StatusSeeOther, path+"?f=price.lt.90&size=20&done=objects-deleted")
	if n := countOf(t, bucket); n != 3 {
		t.Errorf("got %d objects, want 3", n)
	}
	b.post(path+"select", url.Values{"do": {"delete"}, "confirm": {"yes"}}).wants(http.StatusSeeOther, "done=nothing-chosen")
	b.post(path+"select", url.Values{"do": {"delete"}, "all": {"1"}, "at": {"f=%zz"}}).wants(http.StatusUnprocessableEntity)
	b.post(path+"select", url.Values{"do": {"delete"}, "all": {"1"}, "confirm": {"yes"}, "at": {"f=price"}}).wants(http.StatusBadRequest, "operator")
	b.post(path+"select", url.Values{"do": {"x"}, "id": {"shoe-003"}}).wants(http.StatusUnprocessableEntity)
	s.browser(t, readsKey).post(path+"select", form).wants(http.StatusForbidden, "for reading alone")
	if n := countOf(t, bucket); n != 3 {
		t.Errorf("after refused forms: got %d objects, want 3", n)
	}
	if err := bucket.Lock(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.post(path+"select", url.Values{"do": {"delete"}, "id": {"shoe-003"}, "confirm": {"yes"}}).wants(http.StatusForbidden, "locked")
}

// TestDeleteInBatch shows an object that is refused.
func TestDeleteInBatch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := serve(t, nil)
	bucket, path := s.shelf(t, shoes(3)...)
	batch, err := bucket.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{"shoe-001"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bucket.SubmitBatch(ctx, batch.ID); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"do": {"delete"}, "id": {"shoe-001", "shoe-002"}, "confirm": {"yes"}}
	p := s.browser(t, allKey).post(path+"select", form)
	if n := countOf(t, bucket); n == 2 {
		p.wants(http.StatusConflict, "1 object deleted", "shoe-001")
	} else {
		p.wants(http.StatusSeeOther, "done=objects-deleted")
	}
}

func TestDeleteAll(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	bucket, path := s.shelf(t, shoes(30)...)
	b := s.browser(t, allKey)
	form := url.Values{"do": {"delete"}, "all": {"1"}, "id": {"shoe-029"}, "at": {"f=price.lt.90&q=shoe"}}
	b.post(path+"select", form).wants(http.StatusOK, "<b>9 objects</b>", "all objects that match now", "price").lacks("shoe-029")
	form.Set("confirm", "yes")
	b.post(path+"select", form).wants(http.StatusSeeOther, "objects-deleted")
	if n := countOf(t, bucket); n != 21 {
		t.Errorf("got %d objects, want 21", n)
	}
	form.Set("at", "")
	form.Del("confirm")
	b.post(path+"select", form).wants(http.StatusOK, "<b>21 objects</b>", "Type its name")
	form.Set("confirm", "yes")
	b.post(path+"select", form).wants(http.StatusUnprocessableEntity, "not the name")
	form.Set("name", "shelf")
	b.post(path+"select", form).wants(http.StatusSeeOther, "objects-deleted")
	if n := countOf(t, bucket); n != 0 {
		t.Errorf("got %d objects, want 0", n)
	}
}

// TestDeleteByTask deletes more objects than one commit does.
func TestDeleteByTask(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	bucket, path := s.shelf(t)
	if _, err := bucket.PutMany(context.Background(), shoes(1500), nil); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"do": {"delete"}, "all": {"1"}, "confirm": {"yes"}, "at": {"f=price.gte.10"}}
	s.browser(t, allKey).post(path+"select", form).wants(http.StatusSeeOther, "/tasks?done=objects-deleting")
}

func TestBatchOfChosen(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	bucket, path := s.shelf(t, shoes(30)...)
	b := s.browser(t, allKey)
	to := b.post(path+"select", url.Values{"do": {"batch"}, "id": {"shoe-001", "shoe-002"}}).wants(http.StatusSeeOther, path+"batches/", "batch-submitted").header.Get("Location")
	batches, err := bucket.ListBatches(context.Background(), bucketlite.BatchQuery{})
	if err != nil || len(batches.Results) != 1 || !strings.Contains(to, batches.Results[0].ID) {
		t.Fatalf("got %v and %v, want one batch, and its address", batches, err)
	}
	form := url.Values{"do": {"batch"}, "all": {"1"}, "at": {"f=price.lt.100&order=oldest"}}
	b.post(path+"select", form).wants(http.StatusOK, "<b>10 objects</b>", "Submit")
	form.Set("confirm", "yes")
	b.post(path+"select", form).wants(http.StatusSeeOther, "batch-submitted")
	form.Set("at", "f=price.lt.0")
	b.post(path+"select", form).wants(http.StatusSeeOther, "nothing-chosen")
	b.post(path+"select", url.Values{"do": {"batch"}, "id": {"nothing"}}).wants(http.StatusUnprocessableEntity, "nothing")
}

func TestExport(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	bucket, path := s.shelf(t, shoes(30)...)
	if _, err := bucket.Put(context.Background(), bucketlite.ObjectInput{ID: "formula", Fields: map[string]any{"sku": "=1+1", "title": "@x", "price": -1}}, nil); err != nil {
		t.Fatal(err)
	}
	b := s.browser(t, readsKey)
	for _, tt := range []struct {
		name, query string
		form        url.Values
		want        string
	}{
		{"table", "format=csv&f=price.lt.20&order=oldest&cols=sku,price,size,object_id", nil, "sku,price,size,object_id\nS-000,0,,shoe-000\nS-001,10,,shoe-001\n'=1+1,-1,,formula\n"},
		{"formulas", "format=csv&f=price.lt.0&cols=sku&formulas=keep", nil, "sku\n=1+1\n"},
		{"order", "format=csv&f=price.lt.30&f=price.gte.0&sort=-price&cols=sku", nil, "sku\nS-002\nS-001\nS-000\n"},
		{"lines", "format=jsonl&f=price.eq.10&cols=sku,price", nil, `{"object_id":"shoe-001","price":10,"sku":"S-001"}` + "\n"},
		{"array", "format=json&f=price.eq.10&cols=sku", nil, "[\n" + `{"object_id":"shoe-001","sku":"S-001"}` + "\n]\n"},
		{"none", "format=csv&f=price.lt.-5&cols=sku", nil, "sku\n"},
		{"chosen", "", url.Values{"format": {"csv"}, "id": {"shoe-001", "shoe-003"}, "at": {"f=price.eq.10&cols=sku&order=oldest"}}, "sku\nS-001\nS-003\n"},
		{"all that match", "", url.Values{"format": {"csv"}, "id": {"shoe-003"}, "all": {"1"}, "at": {"f=price.eq.10&cols=sku"}}, "sku\nS-001\n"},
		{"none chosen", "", url.Values{"format": {"csv"}, "at": {"f=price.eq.10&cols=sku"}}, "sku\nS-001\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := b.at(t).get(path + "export?" + tt.query)
			if tt.form != nil {
				p = b.at(t).post(path+"export", tt.form)
			}
			if p.wants(http.StatusOK); p.text != tt.want {
				t.Errorf("got %q, want %q", p.text, tt.want)
			}
			if got := p.header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment; filename=shelf.") {
				t.Errorf("got Content-Disposition %q", got)
			}
		})
	}
	b.get(path+"export?format=xls").wants(http.StatusUnprocessableEntity, "csv")
	b.get(path+"export?format=csv&f=price").wants(http.StatusBadRequest, "operator")
	b.get(path + "export?format=csv&f=price.lt.x").wants(http.StatusBadRequest)
}

func TestCopyAs(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	_, path := s.shelf(t, shoes(3)...)
	b := s.browser(t, readsKey)
	b.get(path+"copyas?f=price.lt.90&q=shoe&size=20").wants(http.StatusOK, "curl", "Python", "JavaScript", "Go", "/objects/list", "BUCKETLITE_API_KEY", "price", "created_at").lacks(readsKey)
	b.do("GET", path+"copyas?q=%3Cscript%3Ealert(1)%3C/script%3E", nil, http.Header{"Hx-Request": {"true"}}).wants(http.StatusOK, `class="samples"`).lacks("<html", "<script")
	b.get(path + "copyas?f=price").wants(http.StatusBadRequest)
	b.get(path+"copyas?f=title.regex.(").wants(http.StatusBadRequest, "regexp")
}

func TestFind(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := serve(t, nil)
	bucket, path := s.shelf(t, shoes(3)...)
	ns, _, _ := strings.Cut(path, "b/")
	shop, err := s.store.Namespace(ctx, "shop")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		other, err := shop.CreateBucket(ctx, bucketlite.BucketConfig{Name: fmt.Sprintf("twin-%d", i)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Put(ctx, bucketlite.ObjectInput{ID: "twin", Fields: map[string]any{"title": "shoe"}}, nil); err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			if err := other.Suspend(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	b := s.browser(t, shopKey)
	b.get(ns+"find").wants(http.StatusOK, "Type an object")
	b.get(ns+"find?q=shoe-001").wants(http.StatusSeeOther, path+"o/shoe-001/")
	b.get(ns+"find?q=S-002").wants(http.StatusSeeOther, path+"o/shoe-002/")
	b.get(ns+"find?q="+bucket.ID()).wants(http.StatusSeeOther, path)
	b.get(ns+"find?q=shelf").wants(http.StatusSeeOther, path)
	b.get(ns+"find?q=twin").wants(http.StatusOK, "twin-0", "twin-1", "/o/twin/").lacks("No object")
	b.get(ns+"find?q=nothing").wants(http.StatusOK, "No object has this id")
	b.get(ns+"find?q="+strings.Repeat("x", 5000)).wants(http.StatusOK, "No object has this id")
	b.get(ns+"find?q=%00%ff").wants(http.StatusOK, "No object has this id")
}
