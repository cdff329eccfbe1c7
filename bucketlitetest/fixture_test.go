package bucketlitetest_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	st := bucketlitetest.NewStore(t)
	bucketlitetest.Load(t, st, "testdata/shop.json")

	b := bucketlitetest.Bucket(t, st, "shop", "products")
	info, err := b.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.UniqueKey == nil || info.UniqueKey.DefaultPolicy != bucketlite.Upsert || fmt.Sprint(info.Metadata["weight"]) != "1.50" {
		t.Errorf("got a bucket %+v, want its key and its metadata as given", info)
	}
	page, err := b.List(t.Context(), bucketlite.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var fields []map[string]any
	for _, o := range page.Results {
		fields = append(fields, o.Fields)
	}
	want := []map[string]any{{"sku": "A-1", "price": 19.9}, {"sku": "A-2", "price": 5}}
	if diff := bucketlitetest.Diff(want, fields); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	r, err := b.OpenBlob(t.Context(), page.Results[1].ID, "manual")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "Plug it in." {
		t.Errorf("got content %q and %v, want the manual", got, err)
	}
	wantKeys(t, bucketlitetest.Bucket(t, st, "shop", "orders"))
	if _, err := st.Namespace(t.Context(), "archive"); err != nil {
		t.Error(err)
	}
}

func TestLoadObjects(t *testing.T) {
	t.Parallel()
	want := []map[string]any{{"sku": "B-1", "price": 1}, {"sku": "B-2", "price": 2}}
	for name, text := range map[string]string{
		"objects.json":   `{"objects": [{"sku": "B-1", "price": 1}, {"sku": "B-2", "price": 2}]}`,
		"array.json":     `[{"sku": "B-1", "price": 1}, {"sku": "B-2", "price": 2}]`,
		"lines.jsonl":    "{\"sku\": \"B-1\", \"price\": 1}\r\n\r\n {\"sku\": \"B-2\", \"price\": 2}",
		"lines.ndjson":   "{\"sku\": \"B-1\", \"price\": 1}\n{\"sku\": \"B-2\", \"price\": 2}\n",
		"products.jsonl": "",
		"mark.json":      "\ufeff[{\"sku\": \"B-1\", \"price\": 1}, {\"sku\": \"B-2\", \"price\": 2}]",
		"marks.jsonl":    "\ufeff{\"sku\": \"B-1\", \"price\": 1}\r\n\ufeff{\"sku\": \"B-2\", \"price\": 2}\r\n\ufeff\r\n",
		"utf16.jsonl":    utf16LE("{\"sku\": \"B-1\", \"price\": 1}\r\n{\"sku\": \"B-2\", \"price\": 2}\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("testdata", name)
			if text != "" {
				path = write(t, name, text)
			}
			st := bucketlitetest.NewStore(t)
			bucketlitetest.Load(t, st, "testdata/shop.json")
			var got []map[string]any
			for _, o := range bucketlitetest.LoadObjects(t, bucketlitetest.Bucket(t, st, "shop", "products"), path) {
				got = append(got, o.Fields)
			}
			if diff := bucketlitetest.Diff(want, got); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
		})
	}
	st := bucketlitetest.NewStore(t)
	bucketlitetest.Load(t, st, "testdata/shop.json")
	b := bucketlitetest.Bucket(t, st, "shop", "products")
	for name, text := range map[string]string{"none.json": "[]", "none.jsonl": "\n"} {
		if got := bucketlitetest.LoadObjects(t, b, write(t, name, text)); len(got) != 0 {
			t.Errorf("%s: got %d objects, want none", name, len(got))
		}
	}
}

// More than one call of the store takes.
func TestLoadManyObjects(t *testing.T) {
	t.Parallel()
	const n = bucketlite.MaxPutMany + 1
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "{\"k\": \"%d\"}\n", i)
	}
	b := items(t, bucketlitetest.NewStore(t))
	objects := bucketlitetest.LoadObjects(t, b, write(t, "many.jsonl", text.String()))
	if len(objects) != n || objects[n-1].Fields["k"] != fmt.Sprint(n-1) {
		t.Errorf("got %d objects, want %d in order", len(objects), n)
	}
}

// utf16LE returns a text as programs on Windows write it.
func utf16LE(text string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// An error in a file is reported with its line and path.
func TestFixtureFaults(t *testing.T) {
	t.Parallel()
	const bucket = "{\"namespaces\": [\n{\"namespace_name\": \"n\", \"buckets\": [\n{\"bucket_name\": \"b\",\n"
	const end = "}\n]}]}"
	objects := func(t testing.TB, st *bucketlite.Store, path string) {
		bucketlitetest.LoadObjects(t, items(t, st), path)
	}
	tests := []struct {
		name string
		load func(testing.TB, *bucketlite.Store, string)
		file string
		text string
		want []string // the beginnings of lines, after the file's name
	}{
		{"cut off", bucketlitetest.Load, "f.json", "{\"namespaces\": [\n{\n", []string{":3: "}},
		{"not JSON", bucketlitetest.Load, "f.json", "{\"namespaces\": [\n{,\n", []string{":2: "}},
		{"empty", bucketlitetest.Load, "f.json", "", []string{":1: "}},
		{"more", bucketlitetest.Load, "f.json", "{}\n[]", []string{":2: more"}},
		{"member twice", bucketlitetest.Load, "f.json", "{\n\"namespaces\": [],\n\"namespaces\": []}", []string{":3: duplicate"}},
		{"no object", bucketlitetest.Load, "f.json", "[]", []string{":1: object expected, got an array"}},
		{"no array", bucketlitetest.Load, "f.json", "{\n\"namespaces\": -1}", []string{":2: namespaces: array expected, got a number"}},
		{"no object in an array", bucketlitetest.Load, "f.json", "{\"namespaces\": [\nnull]}",
			[]string{":2: namespaces[0]: object expected, got null"}},
		{"unknown member", bucketlitetest.Load, "f.json", "{\n\"buckets\": []}", []string{":2: buckets: no such member"}},
		{"unknown member of a namespace", bucketlitetest.Load, "f.json", "{\"namespaces\": [{\n\"bukets\": []}]}",
			[]string{":2: namespaces[0].bukets: unknown field"}},
		{"type in a namespace", bucketlitetest.Load, "f.json", "{\"namespaces\": [{\n\"namespace_name\": 5}]}",
			[]string{":2: namespaces[0].namespace_name: string expected, got number"}},
		{"no name", bucketlitetest.Load, "f.json", "{\"namespaces\": [\n{}]}", []string{":2: namespaces[0].namespace_name: "}},
		{"namespace twice", bucketlitetest.Load, "f.json", "{\"namespaces\": [{\"namespace_name\": \"n\"},\n{\"namespace_name\": \"n\"}]}",
			[]string{":2: namespaces[1]: bucketlite: "}},
		{"schema", bucketlitetest.Load, "f.json", bucket + "\"bucket_schema\": {\"properties\": {\n\"x\":\n{\"type\": \"strong\"}}}" + end,
			[]string{":6: namespaces[0].buckets[0].bucket_schema.properties.x.type: "}},
		{"key", bucketlitetest.Load, "f.json", bucket + "\"bucket_schema\": {\"properties\": {}},\n\"unique_key\": {\"fields\": [\n\"none\"]}" + end,
			[]string{":6: namespaces[0].buckets[0].unique_key.fields[0]: "}},
		{"objects of a bucket", bucketlitetest.Load, "f.json", bucket + "\"bucket_schema\": {\"properties\": {\"n\": {\"type\": \"integer\"}}}, \"objects\": [\n" +
			"{\"n\": 1},\n{\"n\": \"one\"},\n{\"m\": {},\n\"n\": []}, {\"n\": {}}]" + end, []string{
			":6: namespaces[0].buckets[0].objects[1].n: ", ":8: namespaces[0].buckets[0].objects[2].n: ", ":8: namespaces[0].buckets[0].objects[3].n: "}},

		{"line", objects, "f.jsonl", "{\"k\": \"a\"}\n\n{\"k\":\n{\"k\": \"b\"}\n{\"k\": 5}\n[]\n", []string{":3: ", ":5: k: ", ":6: object expected"}},
		{"key twice", objects, "f.jsonl", "{\"k\": \"a\"}\n{\"k\": \"a\"}\n", []string{":2: bucketlite: "}},
		{"path in an object", objects, "f.json", "[\n{\"k\": \"a\", \"blobs\": [\n{\"property\": \"doc\"}]}]", []string{":3: [0].blobs[0].data: "}},
		{"no objects", objects, "f.json", "{\"object\": []}", []string{":1: object: no such member"}},
		{"no list of objects", objects, "f.json", "5", []string{":1: object expected, got a number"}},
		{"many faults", objects, "f.jsonl", strings.Repeat("[]\n", 30), append(sequence(20), "and 10 more")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, test.file, test.text)
			got := recorded(func(rec testing.TB) {
				test.load(rec, bucketlitetest.NewStore(rec), path)
				t.Error("the test continued")
			})
			lines := strings.Split(strings.ReplaceAll(got, "\t"+path, "\t"), "\n\t")
			if !strings.HasPrefix(lines[0], "bucketlitetest: load ") || len(lines)-1 != len(test.want) {
				t.Fatalf("got a test that fails with %q, want it to tell %q", got, test.want)
			}
			for i, line := range lines[1:] {
				if !strings.HasPrefix(line, test.want[i]) {
					t.Errorf("got %q, want it to begin with %q", line, test.want[i])
				}
			}
		})
	}
}

// sequence returns how n faults begin, one in each line.
func sequence(n int) (places []string) {
	for i := range n {
		places = append(places, fmt.Sprintf(":%d: ", i+1))
	}
	return places
}

func TestFixtureThatIsNotThere(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"none.json", "none.jsonl"} {
		got := recorded(func(rec testing.TB) {
			st := bucketlitetest.NewStore(rec)
			bucketlitetest.LoadObjects(rec, items(rec, st), filepath.Join(t.TempDir(), name))
			t.Error("the test continued")
		})
		if !strings.Contains(got, name) {
			t.Errorf("got a test that fails with %q, want it to name the file", got)
		}
	}
}

// An error of the store itself is reported as such.
func TestLoadObjectsOfClosedStore(t *testing.T) {
	t.Parallel()
	st := bucketlitetest.NewStore(t)
	b := items(t, st)
	st.Close()
	got := recorded(func(rec testing.TB) { bucketlitetest.LoadObjects(rec, b, write(t, "f.json", `[{"k": "a"}]`)) })
	if !strings.Contains(got, bucketlite.ErrClosed.Error()) {
		t.Errorf("got a test that fails with %q, want it to tell that the store is closed", got)
	}
}
