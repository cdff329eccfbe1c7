package bucketlite_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

const patchSchema = `,"n":{"type":"number","default":1.10},"r":{"type":"string","required":true,"default":"r"},"d":{"type":"string","default":"d"},
	"meta":{"type":"object","properties":{"lang":{"type":"string","default":"en"},"tag":{"type":"string"}}},
	"deep":{"type":"object","properties":{"lang":{"type":"string","default":"en"}}},"image":{"type":"image"},"video":{"type":"video","required":true},"title":{"type":"string"},"photos":{"type":"array","items":{"type":"image"}}`

const patched = `{"k":"x","n":1.10,"r":"r","d":"d","meta":{"lang":"en","tag":"t"},"free":{"a":null}}`

// patchable puts the object that the tests patch. Its blobs are a video, a
// title and two photos.
func patchable(t *testing.T, b *bucketlite.Bucket) *bucketlite.Object {
	t.Helper()
	in := storetest.Input(t, `{"key_prefix":"a/b","k":"x","meta":{"tag":"t"},"free":{"a":null}}`)
	in.Blobs = []bucketlite.BlobInput{
		{Property: "video", Data: "s3://a.mp4"}, {Property: "title", Data: "inline"},
		{Property: "photos", Data: "s3://1.png"}, {Property: "photos", Data: "s3://2.png"},
	}
	o := storetest.Put(t, b, in, "")
	storetest.WantFields(t, o, patched)
	return o
}

// blobsOf shows an object's blobs in order: property and data.
func blobsOf(o *bucketlite.Object) string {
	var all []string
	for _, blob := range o.Blobs {
		data, ok := blob.Properties["url"]
		if !ok {
			data = blob.Properties["data"]
		}
		all = append(all, fmt.Sprintf("%s=%v", blob.Property, data))
	}
	return strings.Join(all, " ")
}

func TestPatch(t *testing.T) {
	t.Parallel()
	const blobs = "video=s3://a.mp4 title=inline photos=s3://1.png photos=s3://2.png"
	tests := []struct {
		name   string
		patch  string
		fields string
		blobs  string
	}{
		{"nothing", `{}`, patched, blobs},
		{"a field", `{"n":2.50}`, strings.Replace(patched, "1.10", "2.50", 1), blobs},
		{"an undeclared field", `{"free":1}`, strings.Replace(patched, `{"a":null}`, "1", 1), blobs},
		{"a new undeclared field", `{"new":{"b":null}}`, strings.Replace(patched, `"free"`, `"new":{"b":null},"free"`, 1), blobs},
		{"null removes", `{"n":null,"d":null,"free":null,"nothing":null}`, `{"k":"x","r":"r","meta":{"lang":"en","tag":"t"}}`, blobs},
		{"a struct takes the place of a struct, without defaults", `{"meta":{"tag":"u","lang":null,"x":null}}`, strings.Replace(patched, `{"lang":"en","tag":"t"}`, `{"tag":"u","x":null}`, 1), blobs},
		{"an empty struct", `{"meta":{}}`, strings.Replace(patched, `{"lang":"en","tag":"t"}`, `{}`, 1), blobs},
		{"its own key", `{"k":"x"}`, patched, blobs},
		{"another key", `{"k":"y","n":3}`, strings.NewReplacer(`"x"`, `"y"`, "1.10", "3").Replace(patched), blobs},
		{"a blob", `{"blobs":[{"property":"video","data":"s3://b.mp4"}]}`, patched, "title=inline photos=s3://1.png photos=s3://2.png video=s3://b.mp4"},
		{"a new blob", `{"blobs":[{"property":"image","data":"s3://c.png"}]}`, patched, blobs + " image=s3://c.png"},
		{"an inline blob, without defaults", `{"blobs":[{"property":"deep","data":{"x":null}}]}`, patched, blobs + " deep=map[x:<nil>]"},
		{"blobs of an array", `{"blobs":[{"property":"photos","data":"s3://3.png"}]}`, patched, "video=s3://a.mp4 title=inline photos=s3://3.png"},
		{"no blobs", `{"blobs":[]}`, patched, blobs},
		{"null blobs", `{"blobs":null}`, patched, blobs},
		{"null removes blobs", `{"photos":null,"title":null}`, patched, "video=s3://a.mp4"},
		{"null removes what is not there", `{"image":null}`, patched, blobs},
		{"null and a blob", `{"photos":null,"blobs":[{"property":"photos","data":"s3://3.png"}]}`, patched, "video=s3://a.mp4 title=inline photos=s3://3.png"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := keyed(t, storetest.OpenMemory(t, clock()), patchSchema)
			old := patchable(t, b)
			uploaded, err := b.Stats(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			in := storetest.Input(t, test.patch)
			given := toJSON(t, in.Fields)
			o, err := b.Patch(t.Context(), old.ID, in, nil)
			if err != nil {
				t.Fatal(err)
			}
			storetest.WantFields(t, o, test.fields)
			if got := blobsOf(o); got != test.blobs {
				t.Errorf("got blobs %q, want %q", got, test.blobs)
			}
			if o.ID != old.ID || !o.CreatedAt.Equal(old.CreatedAt) || o.KeyPrefix != "a/b" || o.Version <= old.Version {
				t.Errorf("got %+v, want a later version of %+v", o, old)
			}
			if got := toJSON(t, in.Fields); got != given {
				t.Errorf("got the caller's fields %s, want %s as before", got, given)
			}
			stored, err := b.ObjectByKey(t.Context(), map[string]any{"k": o.Fields["k"]})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(toJSON(t, o), toJSON(t, stored)); diff != "" {
				t.Errorf("object (-returned +stored):\n%s", diff)
			}
			if s, err := b.Stats(t.Context()); err != nil || s.TotalSize != o.Size || !s.LastUploadAt.Equal(*uploaded.LastUploadAt) {
				t.Errorf("got statistics %+v, %v, want a size of %d and an upload at %v", s, err, o.Size, uploaded.LastUploadAt)
			}
		})
	}
}

func TestPatchRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		patch string
		want  map[string]string
	}{
		{"null for a required field", `{"r":null}`, map[string]string{"r": "required"}},
		{"null for a key field", `{"k":null}`, map[string]string{"k": "required"}},
		{"null for a required blob", `{"video":null}`, map[string]string{"video": "required"}},
		{"several nulls", `{"k":null,"r":null,"n":"x"}`, map[string]string{"k": "required", "r": "required", "n": "type"}},
		{"another type", `{"n":"5"}`, map[string]string{"n": "type"}},
		{"an empty key", `{"k":""}`, map[string]string{"k": "key"}},
		{"a long key", `{"k":"` + strings.Repeat("x", 256) + `"}`, map[string]string{"k": "key"}},
		{"a member of a struct", `{"meta":{"lang":5}}`, map[string]string{"meta.lang": "type"}},
		{"a value that a blob holds", `{"title":"root"}`, map[string]string{"title": "property"}},
		{"a blob that a value stands for", `{"blobs":[{"property":"d","data":"inline"}]}`, map[string]string{"d": "property"}},
		{"a blob for the key", `{"blobs":[{"property":"k","data":"y"}]}`, map[string]string{"blobs[0].property": "key", "k": "property"}},
		{"a blob of an unknown property", `{"blobs":[{"property":"x","data":"y"}]}`, map[string]string{"blobs[0].property": "property"}},
		{"a blob that does not fit", `{"blobs":[{"property":"image","data":"data:text/plain,text"}]}`, map[string]string{"blobs[0].data": "mime"}},
		{"several, of fields and blobs", `{"n":"x","video":null,"k":"","blobs":[{"property":"x","data":"y"},{"property":"image","data":"y"}]}`, map[string]string{
			"n": "type", "video": "required", "k": "key", "blobs[0].property": "property", "blobs[1].data": "data"}},
		{"another id", `{"object_id":"other"}`, map[string]string{"object_id": "reserved"}},
		{"another status", `{"status":"COMPLETED"}`, map[string]string{"status": "reserved"}},
		{"another time", `{"created_at":"2024-05-06T00:00:00Z"}`, map[string]string{"created_at": "reserved"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := keyed(t, storetest.OpenMemory(t), patchSchema)
			o := patchable(t, b)
			before := storetest.Snapshot(t, b)
			_, err := b.Patch(t.Context(), o.ID, storetest.Input(t, test.patch), nil)
			storetest.WantIssues(t, err, test.want)
			storetest.WantSnapshot(t, b, before)
		})
	}
	t.Run("no object", func(t *testing.T) {
		t.Parallel()
		b := keyed(t, storetest.OpenMemory(t), patchSchema)
		_, err := b.Patch(t.Context(), "nothing", storetest.Input(t, `{"n":1}`), nil)
		storetest.WantError(t, err, bucketlite.ErrNotFound)
	})
	t.Run("closed schema", func(t *testing.T) {
		t.Parallel()
		s := storetest.Schema(t, `"n":{"type":"number"}`)
		s.AdditionalProperties = new(bool)
		b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: s})
		o := storetest.Put(t, b, storetest.Input(t, `{"n":1}`), "")
		before := storetest.Snapshot(t, b)
		_, err := b.Patch(t.Context(), o.ID, storetest.Input(t, `{"x":1}`), nil)
		storetest.WantIssues(t, err, map[string]string{"x": "additionalProperties"})
		storetest.WantSnapshot(t, b, before)
		if _, err := b.Patch(t.Context(), o.ID, storetest.Input(t, `{"x":null}`), nil); err != nil {
			t.Errorf("null for an undeclared member: got %v, want no error", err)
		}
	})
}

// A key moves with one patch: it is never without an object or with two.
func TestPatchMovesKey(t *testing.T) {
	t.Parallel()
	b := keyed(t, storetest.OpenMemory(t), "")
	x, y := storetest.Put(t, b, storetest.Input(t, `{"k":"x"}`), ""), storetest.Put(t, b, storetest.Input(t, `{"k":"y"}`), "")
	before := storetest.Snapshot(t, b)
	_, err := b.Patch(t.Context(), x.ID, storetest.Input(t, `{"k":"y","n":1}`), nil)
	storetest.WantError(t, err, bucketlite.ErrExists)
	if got := conflictWith(t, err); got != y.ID {
		t.Errorf("got existing id %q, want %q", got, y.ID)
	}
	storetest.WantSnapshot(t, b, before)

	if _, err := b.Patch(t.Context(), x.ID, storetest.Input(t, `{"k":"z"}`), nil); err != nil {
		t.Fatal(err)
	}
	if o, err := b.ObjectByKey(t.Context(), map[string]any{"k": "z"}); err != nil || o.ID != x.ID {
		t.Errorf("got %v, %v, want %q under its new key", o, err, x.ID)
	}
	_, err = b.ObjectByKey(t.Context(), map[string]any{"k": "x"})
	storetest.WantError(t, err, bucketlite.ErrNotFound)
	if o := storetest.Put(t, b, storetest.Input(t, `{"k":"x"}`), bucketlite.Insert); o.ID == x.ID {
		t.Errorf("got id %q again, want a new object under the old key", o.ID)
	}
}

// Of many objects that want one key, one gets it.
func TestPatchMovesKeyConcurrently(t *testing.T) {
	t.Parallel()
	b := keyed(t, storetest.Open(t), "")
	var ids []string
	for i := range 8 {
		ids = append(ids, storetest.Put(t, b, storetest.Input(t, fmt.Sprintf(`{"k":"%d"}`, i)), "").ID)
	}
	errs := make([]error, len(ids))
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() { _, errs[i] = b.Patch(t.Context(), id, storetest.Input(t, `{"k":"wanted"}`), nil) })
	}
	wg.Wait()
	winner := ""
	for i, err := range errs {
		switch {
		case err == nil && winner == "":
			winner = ids[i]
		case !errors.Is(err, bucketlite.ErrExists):
			t.Errorf("got %v, want one success and ErrExists for the others", err)
		}
	}
	for i, err := range errs {
		if err != nil {
			if got := conflictWith(t, err); got != winner {
				t.Errorf("%d: got existing id %q, want %q", i, got, winner)
			}
		}
	}
	o, err := b.ObjectByKey(t.Context(), map[string]any{"k": "wanted"})
	if err != nil || o.ID != winner {
		t.Errorf("got %v, %v, want object %q", o, err, winner)
	}
}

// Patches of different fields at the same time do not undo each other.
func TestPatchConcurrently(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.Open(t), bucketlite.BucketConfig{})
	o := storetest.Put(t, b, bucketlite.ObjectInput{}, "")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 5 {
				in := bucketlite.ObjectInput{Fields: map[string]any{fmt.Sprint("f", i): j}}
				if _, err := b.Patch(t.Context(), o.ID, in, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	o, err := b.Object(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	storetest.WantFields(t, o, `{"f0":4,"f1":4,"f2":4,"f3":4,"f4":4,"f5":4,"f6":4,"f7":4}`)
}
