package bucketlite_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

func TestSelect(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"doc":{"type":"text"},"pages":{"type":"array","items":{"type":"pdf"}}`)})
	const object = `{"object_id":"o","key_prefix":"p","title":"x","n":5.0,"none":null,
		"meta":{"a":1,"b":{"c":[1,2],"d":"e"},"":2},"list":[{"x":1,"y":2},{"y":3},4,[{"x":5}]],"empty":{},"blobs":[
		{"property":"doc","metadata":{"lang":"en"},"data":{"base64":"aGVsbG8=","mime_type":"text/plain","filename":"a.txt"}},
		{"property":"pages","data":"https://example.com/b.pdf"}]}`
	whole := storetest.FormOf(t, storetest.Put(t, b, storetest.Input(t, object), ""))
	for _, tt := range []struct {
		name string
		from []string
		want string // beside the ids; "": all
	}{
		{"nothing", nil, ""},
		{"no paths", []string{}, ""},
		{"a field", []string{"title"}, `{"title":"x"}`},
		{"fields", []string{"n", "title", "n"}, `{"title":"x","n":5.0}`},
		{"a null", []string{"none"}, `{"none":null}`},
		{"ids", []string{"object_id", "bucket_id"}, `{}`},
		{"what is not there", []string{"missing", "meta.missing", "title.x", "none.x", "list.z"}, `{"list":[[]]}`},
		{"a whole object", []string{"meta"}, `{"meta":{"a":1,"b":{"c":[1,2],"d":"e"},"":2}}`},
		{"an empty object", []string{"empty"}, `{"empty":{}}`},
		{"within an empty object", []string{"empty.x"}, `{}`},
		{"a member", []string{"meta.a"}, `{"meta":{"a":1}}`},
		{"members", []string{"meta.b.d", "meta.a"}, `{"meta":{"a":1,"b":{"d":"e"}}}`},
		{"the whole after a part", []string{"meta.b.d", "meta.b"}, `{"meta":{"b":{"c":[1,2],"d":"e"}}}`},
		{"a part after the whole", []string{"meta.b", "meta.b.d.e"}, `{"meta":{"b":{"c":[1,2],"d":"e"}}}`},
		{"a whole array", []string{"list"}, `{"list":[{"x":1,"y":2},{"y":3},4,[{"x":5}]]}`},
		{"through an array", []string{"list.x"}, `{"list":[{"x":1},[{"x":5}]]}`},
		{"no index", []string{"list.0"}, `{"list":[[]]}`},
		{"members of the system", []string{"status", "key_prefix"}, `{"status":"DRAFT","key_prefix":"p"}`},
		{"no error", []string{"error"}, `{}`},
		{"in blobs", []string{"blobs.property", "blobs.details.filename"}, `{"blobs":[{"property":"doc","details":{"filename":"a.txt"}},{"property":"pages"}]}`},
		{"in some blobs", []string{"blobs.properties.lang"}, `{"blobs":[{"properties":{"lang":"en"}}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			page, err := b.List(ctx, bucketlite.Query{Select: tt.from})
			if err != nil {
				t.Fatal(err)
			}
			o := page.Results[0]
			want := whole
			if tt.want != "" {
				want = storetest.FormOf(t, json.RawMessage(tt.want))
				want["object_id"], want["bucket_id"] = "o", b.ID()
			}
			if diff := cmp.Diff(want, storetest.FormOf(t, o)); diff != "" {
				t.Errorf("JSON form (-want +got):\n%s", diff)
			}
			// The object itself has of what can be large no more than that.
			for name := range o.Fields {
				if _, ok := want[name]; !ok {
					t.Errorf("got the field %q", name)
				}
			}
			if _, ok := want["blobs"]; !ok && o.Blobs != nil {
				t.Errorf("got the blobs %v", o.Blobs)
			}
			if o.ID != "o" || o.BucketID != b.ID() || o.Version == 0 || o.CreatedAt.IsZero() || o.Status != bucketlite.StatusDraft {
				t.Errorf("got %+v, want the members of the system", o)
			}
		})
	}
	// Paths that are not selected can be filtered and sorted by.
	q := bucketlite.Query{Filter: bucketlite.Eq("title", "x"), Sort: []bucketlite.Sort{bucketlite.Asc("meta.a")}, Select: []string{"n"}}
	for o, err := range b.Objects(ctx, q) {
		if text, _ := json.Marshal(o); err != nil || string(text) != fmt.Sprintf(`{"bucket_id":%q,"n":5.0,"object_id":"o"}`, b.ID()) {
			t.Errorf("got %s, %v", text, err)
		}
	}
	stored, err := b.Object(ctx, "o")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole, storetest.FormOf(t, stored)); diff != "" {
		t.Errorf("selecting changed what is stored (-want +got):\n%s", diff)
	}
}

func TestSelectFaults(t *testing.T) {
	t.Parallel()
	b := storetest.Items(t, storetest.OpenMemory(t))
	paths := make([]string, bucketlite.MaxSelect)
	for i := range paths {
		paths[i] = fmt.Sprint("f", i)
	}
	if _, err := b.List(context.Background(), bucketlite.Query{Select: paths}); err != nil {
		t.Error(err)
	}
	for name, tt := range map[string]struct {
		from []string
		want []string
	}{
		"empty path":    {[]string{"a", ""}, []string{"select[1]: path"}},
		"empty segment": {[]string{"a.", ".a", "a..b"}, []string{"select[0]: path", "select[1]: path", "select[2]: path"}},
		"no text":       {[]string{"\xff"}, []string{"select[0]: path"}},
		"too deep":      {[]string{strings.Repeat("a.", 32) + "a"}, []string{"select[0]: path"}},
		"too long":      {[]string{strings.Repeat("a", 256)}, []string{"select[0]: path"}},
		"too many":      {append(paths, "one more"), []string{"select: size"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.List(context.Background(), bucketlite.Query{Select: tt.from})
			wantQueryError(t, err, tt.want...)
		})
	}
}
