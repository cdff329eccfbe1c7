package bucketlite_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// blobNames shows an object's blobs in order: property, content and whether it is
// one of the old ones, by its place among them.
func blobNames(t testing.TB, b *bucketlite.Bucket, o *bucketlite.Object, old []bucketlite.Blob) string {
	t.Helper()
	var all []string
	for _, blob := range o.Blobs {
		text := fmt.Sprint(blob.Properties["url"])
		if blob.Properties["url"] == nil {
			data, err := storetest.ReadBlob(b, o.ID, blob.ID)
			if err != nil {
				t.Fatal(err)
			}
			text = string(data)
		}
		name := blob.Property + "=" + text
		for i := range old {
			if blob.ID == old[i].ID {
				name += fmt.Sprintf(" (%d)", i)
				if blob.Properties["old"] != true || blob.KeyPrefix != "old" {
					t.Errorf("got %+v, want what was stored with it", blob)
				}
			}
		}
		all = append(all, name)
	}
	return strings.Join(all, ", ")
}

func TestSkipDuplicates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		blobs      string // of the second call, without the members all have
		put, patch string // what there is then: (n) is the blob that was the nth
	}{
		{"the same", `one:a`, "one=a (0)", "one=a (0), two=b (1), many=a (2), many=b (3), many=b (4), ref=s3://r (5)"},
		{"all the same", `one:a two:b many:a many:b many:b`, "one=a (0), two=b (1), many=a (2), many=b (3), many=b (4)",
			"one=a (0), two=b (1), many=a (2), many=b (3), many=b (4), ref=s3://r (5)"},
		{"other bytes", `one:c`, "one=c", "two=b (1), many=a (2), many=b (3), many=b (4), ref=s3://r (5), one=c"},
		{"the bytes of another property", `one:b two:a`, "one=b, two=a", "many=a (2), many=b (3), many=b (4), ref=s3://r (5), one=b, two=a"},
		{"an array in another order", `many:b many:a`, "many=b (3), many=a (2)", "one=a (0), two=b (1), ref=s3://r (5), many=b (3), many=a (2)"},
		{"one more in an array", `many:a many:c many:b`, "many=a (2), many=c, many=b (3)", "one=a (0), two=b (1), ref=s3://r (5), many=a (2), many=c, many=b (3)"},
		{"more of the same than there are", `many:b many:b many:b`, "many=b (3), many=b (4), many=b", "one=a (0), two=b (1), ref=s3://r (5), many=b (3), many=b (4), many=b"},
		{"a reference", `ref:s3://r`, "ref=s3://r", "one=a (0), two=b (1), many=a (2), many=b (3), many=b (4), ref=s3://r"},
		{"nothing", ``, "", "one=a (0), two=b (1), many=a (2), many=b (3), many=b (4), ref=s3://r (5)"},
	}
	blobs := func(list, common string) string {
		var all []string
		for _, item := range strings.Fields(list) {
			property, data, _ := strings.Cut(item, ":")
			if !strings.Contains(data, ":") {
				data = "data:," + data
			}
			all = append(all, fmt.Sprintf(`{"property":%q,"data":%q%s}`, property, data, common))
		}
		return `"blobs":[` + strings.Join(all, ",") + "]"
	}
	for _, test := range tests {
		for _, call := range []string{"put", "patch", "batch"} {
			t.Run(test.name+"/"+call, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "a.db")
				st := storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
				b := keyed(t, st, `,"one":{"type":"text"},"two":{"type":"text"},"many":{"type":"array","items":{"type":"text"},"maxItems":3},"ref":{"type":"text"}`)
				first := storetest.Put(t, b, storetest.Input(t, `{"k":"x",`+blobs("one:a two:b many:a many:b many:b ref:s3://r", `,"key_prefix":"old","metadata":{"old":true}`)+`}`), "")
				in := storetest.Input(t, `{"k":"x","skip_duplicates":true,`+blobs(test.blobs, `,"key_prefix":"new","metadata":{"new":true}`)+`}`)
				want := test.put
				switch call {
				case "put":
					storetest.Put(t, b, in, "")
				case "batch":
					if err := storetest.PutManyError(b.PutMany(t.Context(), []bucketlite.ObjectInput{in, in}, nil)); err != nil {
						t.Fatal(err)
					}
				case "patch":
					want = test.patch
					if _, err := b.Patch(t.Context(), first.ID, in, nil); err != nil {
						t.Fatal(err)
					}
				}
				o, err := b.Object(t.Context(), first.ID)
				if err != nil {
					t.Fatal(err)
				}
				if got := blobNames(t, b, o, first.Blobs); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
				storetest.WantExact(t, b)
				storetest.WantSound(t, path)
			})
		}
	}
}

// Without skip_duplicates, and where an object is created, equal bytes are stored
// as they are given.
func TestDuplicatesKept(t *testing.T) {
	t.Parallel()
	b := keyed(t, storetest.OpenMemory(t), `,"one":{"type":"text"},"many":{"type":"array","items":{"type":"text"}}`)
	const blobs = `"blobs":[{"property":"many","data":"data:,a"},{"property":"many","data":"data:,a"},{"property":"one","data":"data:,a"}]}`
	o := storetest.Put(t, b, storetest.Input(t, `{"k":"x","skip_duplicates":true,`+blobs), "")
	if len(o.Blobs) != 3 {
		t.Errorf("got %d blobs, want 3", len(o.Blobs))
	}
	replaced := storetest.Put(t, b, storetest.Input(t, `{"k":"x","skip_duplicates":false,`+blobs), "")
	for i := range o.Blobs {
		if replaced.Blobs[i].ID == o.Blobs[i].ID {
			t.Errorf("blob %d: got the stored one, want a new one", i)
		}
	}
}

// Bytes that are long, or come from a URL, are duplicates like any others.
func TestSkipDuplicatesStaged(t *testing.T) {
	t.Parallel()
	src := newSources()
	data := storetest.Film(1, 2*storetest.MiB)
	src.add("https://example.com/a", data, bucketlite.Fetched{})
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path, &bucketlite.Options{Fetcher: src})
	b := storetest.Films(t, st)
	in := storetest.Input(t, `{"k":"a","skip_duplicates":true,"force_remirror":true,"blobs":[{"property":"film","data":"https://example.com/a"}]}`)
	o := storetest.Put(t, b, in, "")
	replaced := storetest.Put(t, b, in, bucketlite.Upsert)
	if replaced.Blobs[0].ID != o.Blobs[0].ID {
		t.Error("Put: got a new blob, want the stored one")
	}
	patched, err := b.Patch(t.Context(), o.ID, in, nil)
	if err != nil || patched.Blobs[0].ID != o.Blobs[0].ID {
		t.Errorf("Patch: got %+v, %v, want the stored blob", patched, err)
	}
	src.wantAsked(t, slices.Repeat([]string{"https://example.com/a"}, 3)...)
	wantFilm(t, b, o.ID, data)
	storetest.WantStored(t, st, path, int64(len(data)))
	storetest.WantSound(t, path)
}

// What leaves an object's content as it was leaves its status.
func TestSkipDuplicatesKeepsStatus(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	b := keyed(t, storetest.OpenPath(t, path), `,"one":{"type":"text"},"many":{"type":"array","items":{"type":"text"}}`)
	const all = `"blobs":[{"property":"many","data":"data:,a"},{"property":"one","data":"data:,b"},{"property":"many","data":"data:,c"}]`
	first := storetest.Put(t, b, storetest.Input(t, `{"k":"x",`+all+`}`), "")
	for _, test := range []struct {
		in   string
		want bucketlite.Status
	}{
		{`{"k":"x","skip_duplicates":true,` + all + `}`, bucketlite.StatusCompleted},
		{`{"k":"x",` + all + `}`, bucketlite.StatusDraft},
		{`{"k":"x","n":1,"skip_duplicates":true,` + all + `}`, bucketlite.StatusDraft},
	} {
		for _, call := range []string{"Put", "Patch"} {
			storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE object SET status = 'COMPLETED'")
			in := storetest.Input(t, test.in)
			var o *bucketlite.Object
			var err error
			if call == "Patch" {
				o, err = b.Patch(t.Context(), first.ID, in, nil)
			} else {
				o = storetest.Put(t, b, in, "")
			}
			want := test.want
			if strings.Contains(test.in, `"n"`) && call == "Patch" {
				want = bucketlite.StatusCompleted // Put has set the field already
			}
			if err != nil || o.Status != want {
				t.Errorf("%s with %s: got %s, %v, want %s", call, test.in, o.Status, err, want)
			}
		}
	}
}
