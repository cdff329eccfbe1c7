package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/tempfile"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const mediaSchema = `{"properties": {
  "mediaid": {"type": "string"}, "title": {"type": "string"}, "rating": {"type": "number"},
  "at": {"type": "datetime"}, "meta": {"type": "object"}, "note": {"type": "text"},
  "photo": {"type": "image"}, "clips": {"type": "array", "items": {"type": "video"}},
  "sound": {"type": "audio"}, "sheet": {"type": "excel"}
}}`

// fetcher gives fixed bytes for some URLs.
type fetcher map[string]string

func (f fetcher) Fetch(_ context.Context, url string) (*bucketlite.Fetched, error) {
	content, ok := f[url]
	if !ok {
		return nil, nil
	}
	return &bucketlite.Fetched{Body: io.NopCloser(strings.NewReader(content))}, nil
}

// putVaried puts what an object can consist of.
func putVaried(t *testing.T, db string) {
	t.Helper()
	photo, err := os.ReadFile("../../examples/quickstart/data/photo.jpg")
	if err != nil {
		t.Fatal(err)
	}
	clip, err := os.ReadFile("../../examples/quickstart/data/clip.mp4")
	if err != nil {
		t.Fatal(err)
	}
	big := append(bytes.Clone(clip), make([]byte, 3<<20)...) // several chunks
	st, err := bucketlite.Open(t.Context(), db, &bucketlite.Options{Fetcher: fetcher{
		"https://example.com/fetched.jpg": string(photo), "https://example.com/plain.txt": "plain text",
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	ns, err := st.Namespace(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.Bucket(t.Context(), "things")
	if err != nil {
		t.Fatal(err)
	}
	blob := func(property string, data any) bucketlite.BlobInput {
		return bucketlite.BlobInput{Property: property, Data: data}
	}
	for i, in := range []bucketlite.ObjectInput{
		{Fields: map[string]any{"title": "<b>&\u2028\u00e9 \U0001F600", "extra": []any{nil, true, "x"}, "meta": map[string]any{"a": map[string]any{}}}},
		{ID: "CON", KeyPrefix: "2026/11", Fields: map[string]any{"rating": 1.5, "at": "2026-11-28T00:00:00+01:00"}},
		{ID: "con", Blobs: []bucketlite.BlobInput{
			{Property: "photo", Reader: bytes.NewReader(photo), Filename: "..name with \"quotes\" & ümlaut.JPG", KeyPrefix: "k", Metadata: map[string]any{"by": "Ann", "n": 1}},
			{Property: "clips", Reader: bytes.NewReader(big), Filename: "big.mp4"},
			{Property: "clips", Reader: bytes.NewReader(clip), Filename: "x.verylongextension"},
			{Property: "clips", Data: "https://example.com/reference.mp4"},
		}},
		{Blobs: []bucketlite.BlobInput{{Property: "photo", Reader: bytes.NewReader(photo)}}}, // shared, without a filename
		{Blobs: []bucketlite.BlobInput{blob("photo", "https://example.com/fetched.jpg"), blob("note", "https://example.com/plain.txt")}},
		{Blobs: []bucketlite.BlobInput{blob("photo", map[string]any{"url": "s3://b/k.png", "mime_type": "image/png", "filename": "k.png"})}},
		{Blobs: []bucketlite.BlobInput{blob("note", "inline text"), blob("title", "inline title"), blob("rating", 12), blob("meta", map[string]any{"file": "no file", "url": "x"})}},
		{Blobs: []bucketlite.BlobInput{blob("note", map[string]any{"base64": "aGVsbG8=", "mime_type": "text/plain", "filename": "hello.txt"})}},
		{Blobs: []bucketlite.BlobInput{blob("note", map[string]any{"base64": ""})}}, // an empty file
	} {
		if in.Fields == nil {
			in.Fields = map[string]any{}
		}
		in.Fields["mediaid"] = fmt.Sprint("varied", i)
		if _, err := b.Put(t.Context(), in, nil); err != nil {
			t.Fatalf("object %d: %v", i, err)
		}
	}
}

// contents returns the objects of a bucket, with the bytes of each blob.
func contents(t *testing.T, db, bucket string) (objects []*bucketlite.Object, bytes map[string]string) {
	t.Helper()
	st, err := bucketlite.Open(t.Context(), db, &bucketlite.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	ns, err := st.Namespace(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.Bucket(t.Context(), bucket)
	if err != nil {
		t.Fatal(err)
	}
	bytes = map[string]string{}
	for o, err := range b.Objects(t.Context(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, o)
		for i, blob := range o.Blobs {
			if blob.Details.Hash == "" {
				continue
			}
			r, err := b.OpenBlob(t.Context(), o.ID, blob.ID)
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(r)
			r.Close()
			if err != nil {
				t.Fatal(err)
			}
			bytes[fmt.Sprint(o.ID, " ", i)] = string(content)
		}
	}
	return objects, bytes
}

// TestRoundTrip has an import give what was exported: the same objects in the same
// order, with the same bytes.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"mediaid", ""} {
		t.Run("key "+key, func(t *testing.T) {
			t.Parallel()
			db, dir := newStore(t, mediaSchema, key), filepath.Join(t.TempDir(), "export")
			must(t, "", "put", "things", "../../examples/quickstart/data/items.jsonl", "--db", db)
			putVaried(t, db)
			want, wantBytes := contents(t, db, "things")
			if len(wantBytes) < 8 {
				t.Fatalf("%d stored blobs, want more to tell apart", len(wantBytes))
			}
			must(t, "", "export", "things", dir, "--db", db)

			for name, into := range map[string]string{"same store": db, "another store": filepath.Join(t.TempDir(), "other.db")} {
				if into != db {
					must(t, "", "ns", "create", "test", "--db", into)
				}
				must(t, "", "import", "copy", dir, "--create", "--db", into)
				got, gotBytes := contents(t, into, "copy")
				if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(bucketlite.Object{}),
					cmpopts.IgnoreFields(bucketlite.Object{}, "BucketID", "CreatedAt", "UpdatedAt", "Version"),
					cmpopts.IgnoreFields(bucketlite.Blob{}, "ID"), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s: objects differ (-exported +imported):\n%s", name, diff)
				}
				if diff := cmp.Diff(wantBytes, gotBytes); diff != "" {
					t.Errorf("%s: the bytes of blobs differ", name)
				}
				// Again, everything is there already.
				again := must(t, "", "import", "copy", dir, "--json", "--db", into)
				if want := fmt.Sprintf(`"created":0,"replaced":0,"unchanged":%d,"refused":0`, len(want)); !strings.Contains(again, want) {
					t.Errorf("%s: second import: %s, want %s", name, again, want)
				}
				must(t, "", "check", "--db", into)
			}
		})
	}
}

// TestExportDirectory has what is in the directory never lead an export or an
// import out of it, and what a dead run left go.
func TestExportDirectory(t *testing.T) {
	t.Parallel()
	db := newStore(t, mediaSchema, "")
	putVaried(t, db)
	dir, outside := t.TempDir(), t.TempDir()

	if err := os.WriteFile(filepath.Join(dir, tempfile.Prefix+"LEFT"), []byte("half"), 0o666); err != nil {
		t.Fatal(err)
	}
	must(t, "", "export", "things", dir, "--db", db)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"bucketlite-export.json", "files", objectsFile}; !slices.Equal(names, want) {
		t.Errorf("directory: got %v, want %v", names, want)
	}

	linked := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(linked, "files")); err != nil {
		t.Logf("no symbolic links here, so that they lead nowhere is not tested: %v", err)
		return
	}
	if r := command(t, "", "export", "things", linked, "--db", db); r.code != exitFailure {
		t.Errorf("export through a link: exit code %d, want %d", r.code, exitFailure)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("outside: %v, %v, want nothing there", entries, err)
	}
	secret := filepath.Join(outside, "secret.txt")
	if err := os.WriteFile(secret, []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, "link.txt")); err != nil {
		t.Fatal(err)
	}
	line := `{"mediaid": "evil", "blobs": [{"property": "note", "file": "link.txt"}]}`
	if err := os.WriteFile(filepath.Join(dir, objectsFile), []byte(line), 0o666); err != nil {
		t.Fatal(err)
	}
	if r := command(t, "", "import", "things", dir, "--db", db); r.code != exitInvalid {
		t.Errorf("import through a link: exit code %d, want %d: %s", r.code, exitInvalid, r.stderr)
	}
}
