package bucketlite_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

type product struct {
	SKU      string               `json:"sku" bucketlite:"required"`
	Name     string               `json:"name" bucketlite:"required"`
	Stock    int64                `json:"stock" bucketlite:"min=0"`
	Price    float64              `json:"price"`
	Tags     []string             `json:"tags,omitempty"`
	Lines    []line               `json:"lines,omitempty"`
	Maker    *maker               `json:"maker"`
	Released time.Time            `json:"released,omitzero"`
	Photo    bucketlite.BlobInput `json:"photo" bucketlite:"type=image"`
}

type line struct {
	Text string `json:"text"`
	N    int    `json:"n"`
}

type maker struct {
	Name string            `json:"name"`
	Tags map[string]string `json:"tags,omitempty"`
}

// typedProducts returns a bucket of products with the unique key sku.
func typedProducts(t *testing.T) *bucketlite.TypedBucket[product] {
	t.Helper()
	return typedBucket[product](t, "sku")
}

func typedBucket[T any](t *testing.T, key ...string) *bucketlite.TypedBucket[T] {
	t.Helper()
	return typedBucketIn[T](t, bucketlitetest.NewStore(t), key...)
}

func typedBucketIn[T any](t *testing.T, st *bucketlite.Store, key ...string) *bucketlite.TypedBucket[T] {
	t.Helper()
	config := bucketlite.BucketConfig{Name: "products"}
	if len(key) > 0 {
		config.UniqueKey = &bucketlite.UniqueKey{Fields: key, DefaultPolicy: bucketlite.Upsert}
	}
	typed, err := bucketlite.EnsureAs[T](t.Context(), st, "shop", config, nil)
	if err != nil {
		t.Fatal(err)
	}
	return typed
}

func TestTypedBucket(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	products := typedProducts(t)
	hat := product{SKU: "A-1", Name: "Hat", Stock: 3, Price: 19.5, Maker: &maker{Name: "me"}, Photo: bucketlite.BlobInput{Reader: bytes.NewReader(pixel), Filename: "hat.gif"}}
	res, err := products.Put(ctx, hat, nil)
	if err != nil || !res.Created || len(res.Object.Blobs) != 1 {
		t.Fatalf("put: got %+v, %v", res, err)
	}
	hat.Photo = bucketlite.BlobInput{}
	got, err := products.Get(ctx, res.Object.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(hat, got.Value, cmpopts.IgnoreUnexported(bucketlite.BlobInput{})); diff != "" || got.ID != res.Object.ID || got.Int("stock") != 3 {
		t.Errorf("get (-want +got):\n%s", diff)
	}
	many, err := products.PutMany(ctx, []product{{SKU: "A-2", Name: "Scarf"}, {SKU: "A-3", Released: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)}, {SKU: "A-4", Stock: -1}, {SKU: "A-5", Name: "Sock"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var stored, failed []int
	for _, s := range many.Succeeded {
		stored = append(stored, s.Index)
	}
	for _, f := range many.Failed {
		failed = append(failed, f.Index)
	}
	if !slices.Equal(stored, []int{0, 3}) || !slices.Equal(failed, []int{1, 2}) {
		t.Errorf("put many: got %v stored, %v failed", stored, failed)
	}
	if res, err := products.PutMany(ctx, []product{{SKU: "A-6", Name: "x"}, {Released: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)}}, &bucketlite.PutManyOptions{Atomic: true}); err == nil || len(res.Succeeded) > 0 {
		t.Errorf("put many atomically: got %+v, %v", res, err)
	}
	for _, key := range []any{"A-2", product{SKU: "A-2"}, &product{SKU: "A-2", Name: "ignored"}, map[string]any{"sku": "A-2"}} {
		if got, err := products.ByKey(ctx, key); err != nil || got.Value.Name != "Scarf" {
			t.Errorf("by key %v: got %+v, %v", key, got, err)
		}
	}
	if _, err := products.ByKey(ctx, "nope"); !errors.Is(err, bucketlite.ErrNotFound) {
		t.Errorf("by a key that is free: got error %v", err)
	}
	if _, err := products.ByKey(ctx, 5); !errors.Is(err, bucketlite.ErrBadRequest) || strings.Count(err.Error(), "bucketlite:") != 1 {
		t.Errorf("by a key of another type: got error %v", err)
	}
	page, err := products.List(ctx, bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Desc("sku")}, Limit: 2, Total: true})
	if err != nil || len(page.Results) != 2 || page.Results[0].Value.Name != "Sock" || page.Next == "" || page.Total != 3 {
		t.Errorf("list: got %+v, %v", page, err)
	}
	var names []string
	for o, err := range products.Objects(ctx, bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, o.Value.Name)
	}
	if !slices.Equal(names, []string{"Hat", "Scarf", "Sock"}) {
		t.Errorf("objects: got %v", names)
	}
}

// pixel is a GIF.
var pixel = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

// A program with an older type changes only what it knows.
func TestTypedPatchKeeps(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, test := range []struct {
		name   string
		change func(*product) error
		want   string // the fields after the change, or "" if none
		issue  string
	}{
		{"nothing", func(p *product) error { return nil }, `{"sku":"A-1","name":"Hat","stock":3,"price":1.50,"unit":"kg","maker":{"name":"me","since":1990},"lines":[{"text":"a","n":1,"unit":"x"},{"text":"b","n":2,"unit":"y"}]}`, ""},
		{"a field", func(p *product) error { p.Stock--; return nil }, `{"sku":"A-1","name":"Hat","stock":2,"price":1.50,"unit":"kg","maker":{"name":"me","since":1990},"lines":[{"text":"a","n":1,"unit":"x"},{"text":"b","n":2,"unit":"y"}]}`, ""},
		{"in an object", func(p *product) error { p.Maker.Name = "you"; return nil }, `{"sku":"A-1","name":"Hat","stock":3,"price":1.50,"unit":"kg","maker":{"name":"you","since":1990},"lines":[{"text":"a","n":1,"unit":"x"},{"text":"b","n":2,"unit":"y"}]}`, ""},
		{"an object away", func(p *product) error { p.Maker = nil; return nil }, `{"sku":"A-1","name":"Hat","stock":3,"price":1.50,"unit":"kg","lines":[{"text":"a","n":1,"unit":"x"},{"text":"b","n":2,"unit":"y"}]}`, ""},
		{"an element", func(p *product) error { p.Lines[1].N = 5; return nil }, `{"sku":"A-1","name":"Hat","stock":3,"price":1.50,"unit":"kg","maker":{"name":"me","since":1990},"lines":[{"text":"a","n":1,"unit":"x"},{"text":"b","n":5,"unit":"y"}]}`, ""},
		{"elements swapped", func(p *product) error { slices.Reverse(p.Lines); return nil }, `{"sku":"A-1","name":"Hat","stock":3,"price":1.50,"unit":"kg","maker":{"name":"me","since":1990},"lines":[{"text":"b","n":2,"unit":"y"},{"text":"a","n":1,"unit":"x"}]}`, ""},
		{"an element away", func(p *product) error { p.Lines = p.Lines[1:]; return nil }, `{"sku":"A-1","name":"Hat","stock":3,"price":1.50,"unit":"kg","maker":{"name":"me","since":1990},"lines":[{"text":"b","n":2,"unit":"y"}]}`, ""},
		{"an element more", func(p *product) error { p.Lines = append(p.Lines, line{Text: "c"}); return nil }, `{"sku":"A-1","name":"Hat","stock":3,"price":1.50,"unit":"kg","maker":{"name":"me","since":1990},"lines":[{"text":"a","n":1,"unit":"x"},{"text":"b","n":2,"unit":"y"},{"text":"c","n":0}]}`, ""},
		{"elements changed and moved", func(p *product) error { p.Lines = []line{{"b", 9}, {"a", 1}}; return nil }, "", "lines: elements have changed and moved, and the Go type does not know lines[1].unit, which would be lost"},
		{"a list away", func(p *product) error { p.Lines = nil; return nil }, `{"sku":"A-1","name":"Hat","stock":3,"price":1.50,"unit":"kg","maker":{"name":"me","since":1990}}`, ""},
		{"refused", func(p *product) error { p.Stock = -1; return nil }, "", "stock: at least 0 expected, got -1"},
		{"required field away", func(p *product) error { p.Name = ""; return nil }, `{"sku":"A-1","name":"","stock":3,"price":1.50,"unit":"kg","maker":{"name":"me","since":1990},"lines":[{"text":"a","n":1,"unit":"x"},{"text":"b","n":2,"unit":"y"}]}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			products := typedProducts(t)
			o := storetest.Put(t, products.Bucket(), storetest.Input(t, `{"sku":"A-1","name":"Hat","stock":3,"price":1.50,"unit":"kg","maker":{"name":"me","since":1990},"lines":[{"text":"a","n":1,"unit":"x"},{"text":"b","n":2,"unit":"y"}]}`), "")
			got, err := products.Patch(ctx, o.ID, test.change, nil)
			if test.issue != "" {
				if !errors.Is(err, bucketlite.ErrInvalid) || !strings.HasSuffix(err.Error(), test.issue) {
					t.Fatalf("got error %v, want %s", err, test.issue)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(storetest.Input(t, test.want).Fields, got.Fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if changed := got.Version != o.Version; changed == (test.name == "nothing") {
				t.Errorf("got version %d after %d", got.Version, o.Version)
			}
		})
	}
}

// Patches of one object do not undo each other, and an error of the function is returned.
func TestTypedPatchesTogether(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	products := typedProducts(t)
	res, err := products.Put(ctx, product{SKU: "A-1", Name: "Hat", Stock: 100}, nil)
	if err != nil {
		t.Fatal(err)
	}
	id := res.Object.ID
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := products.Patch(ctx, id, func(p *product) error { p.Stock--; return nil }, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, err := products.Get(ctx, id)
	if err != nil || got.Value.Stock != 80 {
		t.Fatalf("after 20 patches: got %+v, %v", got, err)
	}
	own := errors.New("own")
	if _, err := products.Patch(ctx, id, func(*product) error { return own }, nil); err != own {
		t.Errorf("an error of the function: got %v", err)
	}
	stale := &bucketlite.PatchOptions{IfVersion: res.Object.Version}
	var conflict *bucketlite.ConflictError
	if _, err := products.Patch(ctx, id, func(p *product) error { p.Stock--; return nil }, stale); !errors.As(err, &conflict) || !conflict.Version {
		t.Errorf("a stale version: got error %v", err)
	}
	if _, err := products.Patch(ctx, "nope", func(*product) error { return nil }, nil); !errors.Is(err, bucketlite.ErrNotFound) {
		t.Errorf("no object: got error %v", err)
	}
	after, err := products.Patch(ctx, id, func(p *product) error {
		p.Photo = bucketlite.BlobInput{Reader: bytes.NewReader(pixel)}
		return nil
	}, nil)
	if err != nil || len(after.Blobs) != 1 || after.Value.Stock != 80 {
		t.Errorf("a blob: got %+v, %v", after, err)
	}
}

// Members that nothing writes cannot be changed by mistake.
func TestTypedReadOnly(t *testing.T) {
	t.Parallel()
	type V struct {
		ID     string            `json:"object_id"`
		Status bucketlite.Status `json:"status"`
		Prefix string            `json:"key_prefix"`
		Until  time.Time         `json:"x-expires-at"`
		Name   string            `json:"name"`
		Photo  bucketlite.Blob   `json:"photo" bucketlite:"type=image"`
	}
	ctx := t.Context()
	values := typedBucket[V](t)
	res, err := values.Put(ctx, V{ID: "one", Prefix: "a/b", Name: "x"}, nil)
	if err != nil || res.Object.ID != "one" || res.Object.KeyPrefix != "a/b" {
		t.Fatalf("got %+v, %v", res, err)
	}
	for field, change := range map[string]func(*V) error{
		"status":     func(v *V) error { v.Status = bucketlite.StatusCompleted; return nil },
		"object_id":  func(v *V) error { v.ID = "two"; return nil },
		"key_prefix": func(v *V) error { v.Prefix = ""; return nil },
		"photo":      func(v *V) error { v.Photo.KeyPrefix = "x"; return nil },
	} {
		_, err := values.Patch(ctx, "one", change, nil)
		var invalid *bucketlite.ValidationError
		if !errors.As(err, &invalid) || len(invalid.Issues) != 1 || invalid.Issues[0].Path != field {
			t.Errorf("%s: got error %v", field, err)
		}
	}
	got, err := values.Patch(ctx, "one", func(v *V) error { v.Prefix = "c"; return nil }, nil)
	if err != nil || got.KeyPrefix != "c" {
		t.Errorf("key prefix: got %+v, %v", got, err)
	}
	until := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	for _, at := range []time.Time{until, until.Add(time.Hour), {}} {
		got, err := values.Patch(ctx, "one", func(v *V) error { v.Until = at; return nil }, nil)
		if err != nil || !got.ExpiresAt.Equal(at) || !got.Value.Until.Equal(at) {
			t.Errorf("expiry at %v: got %+v, %v", at, got, err)
		}
	}
	if res, err := values.Put(ctx, V{Name: "x", Until: until}, nil); err != nil || !res.Object.ExpiresAt.Equal(until) {
		t.Errorf("put with an expiry: got %+v, %v", res, err)
	}
	if _, err := values.Put(ctx, V{Name: "x", Status: bucketlite.StatusCompleted}, nil); !errors.Is(err, bucketlite.ErrInvalid) {
		t.Errorf("put a status: got error %v", err)
	}
}

// A type that cannot carry a bucket's objects is refused with every reason.
func TestAsFits(t *testing.T) {
	t.Parallel()
	st := bucketlitetest.NewStore(t)
	ns, err := st.CreateNamespace(t.Context(), bucketlite.NamespaceConfig{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := bucketlite.ParseSchema([]byte(`{"additionalProperties":false,"properties":{"sku":{"type":"string"},"name":{"type":"string","required":true},
		"size":{"type":"string","required":true,"default":"M"},"n":{"type":"integer"},"f":{"type":"number"},"at":{"type":"datetime"},"day":{"type":"date"},
		"tags":{"type":"array","items":{"type":"string"}},"in":{"type":"object","properties":{"a":{"type":"integer","required":true}}},
		"photo":{"type":"image","required":true},"pages":{"type":"array","items":{"type":"pdf"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.CreateBucket(t.Context(), bucketlite.BucketConfig{Name: "b", Schema: s, UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = bucketlite.As[struct {
		SKU   string            `json:"sku"`
		Name  *string           `json:"name"`
		N     int8              `json:"n"`
		F     float32           `json:"f"`
		At    time.Time         `json:"at"`
		Day   string            `json:"day"`
		Tags  []string          `json:"tags"`
		In    map[string]int    `json:"in"`
		Photo bucketlite.Blob   `json:"photo"`
		Pages []bucketlite.Blob `json:"pages"`
	}](b)
	if err != nil {
		t.Errorf("a type that fits: got error %v", err)
	}
	_, err = bucketlite.As[struct{}](b)
	checkIssues(t, err, []string{"name: required by the schema", "photo: required by the schema", "sku: required by the schema"})
	_, err = bucketlite.As[struct {
		SKU   int               `json:"sku"`
		Name  []string          `json:"name"`
		N     float64           `json:"n"`
		F     int               `json:"f"`
		At    int64             `json:"at"`
		Day   time.Time         `json:"day"`
		Tags  []int             `json:"tags"`
		In    struct{ B int }   `json:"in"`
		Photo []bucketlite.Blob `json:"photo"`
		Pages bucketlite.Blob   `json:"pages" bucketlite:"type=image"`
		Other any               `json:"other"`
	}](b)
	checkIssues(t, err, []string{"at: datetime in the schema, integer in Go (field At of type int64)", "day: date in the schema, datetime in Go", "f: number in the schema, integer in Go",
		"in.a: required by the schema", "n: integer in the schema, number in Go", "name: string in the schema, array in Go", "pages: an array in the schema, image in Go (field Pages)",
		"photo: image in the schema, an array of a file in Go (field Photo)", "sku: string in the schema, integer in Go", "tags: items: string in the schema, integer in Go (field Tags of type int)", "other: not declared in the schema"})
	for name, open := range map[string]func() error{
		"a type that does not fit": func() error {
			_, err := bucketlite.EnsureAs[struct{}](t.Context(), st, "shop", bucketlite.BucketConfig{Name: "b", Schema: s, UniqueKey: b.UniqueKey()}, nil)
			return err
		},
		"a type without a schema": func() error {
			_, err := bucketlite.EnsureAs[recursive](t.Context(), st, "shop", bucketlite.BucketConfig{Name: "r"}, nil)
			return err
		},
		"a bucket that is refused": func() error {
			_, err := bucketlite.EnsureAs[address](t.Context(), st, "shop", bucketlite.BucketConfig{}, nil)
			return err
		},
	} {
		if err := open(); !errors.Is(err, bucketlite.ErrInvalid) {
			t.Errorf("ensure %s: got error %v", name, err)
		}
	}
	if _, err := bucketlite.As[map[string]any](b); !errors.Is(err, bucketlite.ErrInvalid) {
		t.Errorf("a map: got error %v", err)
	}
	if _, err := bucketlite.As[recursive](b); !errors.Is(err, bucketlite.ErrInvalid) {
		t.Errorf("a recursive type: got error %v", err)
	}
}

// A change set takes from stock and records the order, or neither.
func TestTypedChanges(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := bucketlitetest.NewStore(t)
	products := typedBucketIn[product](t, st, "sku")
	if _, err := products.Put(ctx, product{SKU: "A-1", Name: "Hat", Stock: 1}, nil); err != nil {
		t.Fatal(err)
	}
	first, err := products.ByKey(ctx, "A-1")
	if err != nil {
		t.Fatal(err)
	}
	second, err := products.ByKey(ctx, "A-1")
	if err != nil {
		t.Fatal(err)
	}
	apply := func(o *bucketlite.TypedObject[product], sku string) error {
		o.Value.Stock--
		patch, err := products.PatchChange(o)
		if err != nil {
			t.Fatal(err)
		}
		put, err := products.PutChange(product{SKU: sku, Name: "order"}, &bucketlite.PutOptions{IfAbsent: true})
		if err != nil {
			t.Fatal(err)
		}
		_, err = st.Apply(ctx, patch, put)
		return err
	}
	if err := apply(first, "o1"); err != nil {
		t.Fatal(err)
	}
	if err := apply(second, "o2"); !errors.Is(err, bucketlite.ErrConflict) {
		t.Errorf("an object that has changed: got error %v", err)
	}
	if got, err := products.ByKey(ctx, "A-1"); err != nil || got.Value.Stock != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := products.ByKey(ctx, "o2"); !errors.Is(err, bucketlite.ErrNotFound) {
		t.Errorf("the second order: got error %v", err)
	}
	if _, err := products.PutChange(product{Released: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)}, nil); !errors.Is(err, bucketlite.ErrInvalid) {
		t.Errorf("a value without a form: got error %v", err)
	}
	page, err := products.List(ctx, bucketlite.Query{Select: []string{"name"}, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := products.PatchChange(page.Results[0]); !errors.Is(err, bucketlite.ErrBadRequest) {
		t.Errorf("a part of an object: got error %v", err)
	}
}
