package bucketlite_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// contentsOf returns the objects of a bucket without what an import gives anew, and the
// bytes of each blob.
func contentsOf(t *testing.T, b *bucketlite.Bucket) (objects []string) {
	t.Helper()
	for o, err := range b.Objects(context.Background(), bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc("object_id")}}) {
		storetest.Must(t, err)
		fields, err := json.Marshal(o.Fields)
		storetest.Must(t, err)
		text := fmt.Sprintf("%s %s %s %s", o.ID, o.KeyPrefix, o.ExpiresAt, fields)
		for _, blob := range o.Blobs {
			var data []byte
			if blob.Details.Hash != "" {
				data, err = storetest.ReadBlob(b, o.ID, blob.ID)
				storetest.Must(t, err)
			}
			about, err := json.Marshal(blob.Properties)
			storetest.Must(t, err)
			text += fmt.Sprintf(" [%s %s %s %s %s %d]", blob.Property, blob.KeyPrefix, blob.Details.Filename, blob.Details.MIMEType, about, len(data))
		}
		objects = append(objects, text)
	}
	return objects
}

// awkward are texts that a form may damage.
var awkward = []string{"", " ", "a,b", "a;b\tc|d", `"`, `""quoted""`, "line\nbreak", "\r\n", "cr\r", "=1+1", "\u2028<&>", "ü€\U0001F600", "\ufeffmark", "null", "007", "sep=;", "[", `\n`}

// fill puts objects of every kind of value into a bucket. Values that a table cannot hold
// are left out, if flat.
func fill(t *testing.T, b *bucketlite.Bucket, flat bool) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		text := func() string { return awkward[r.IntN(len(awkward))] }
		fields := map[string]any{"sku": fmt.Sprintf("s%d,\"\n", i)}
		for name, v := range map[string]any{
			"price": json.Number([]string{"1.50", "-0", "1e10", "12345678901234567890.5"}[r.IntN(4)]), "stock": r.IntN(9), "sold": r.IntN(2) == 0, "since": "2024-02-29",
			"tags": []any{text(), text()}, "size": map[string]any{"cm": r.IntN(9), "unit": text()}, "note": text(),
		} {
			if r.IntN(3) > 0 {
				fields[name] = v
			}
		}
		in := bucketlite.ObjectInput{Fields: fields}
		if !flat {
			in.KeyPrefix = []string{"", "a/b"}[r.IntN(2)]
			in.ExpiresAt = []time.Time{{}, time.Date(2999, 1, 2, 3, 4, 5, 6000, time.UTC)}[r.IntN(2)]
			fields["other"] = map[string]any{"a": nil, "b": text()}
			switch i % 5 {
			case 0:
				in.Blobs = []bucketlite.BlobInput{{Property: "photo", Reader: bytes.NewReader(pixels(t, 1+i, 1)), Filename: "ä.png", KeyPrefix: "k", Metadata: map[string]any{"by": "Ann"}}}
			case 1:
				in.Blobs = []bucketlite.BlobInput{{Property: "photo", Data: "https://example.com/a.png"}}
			case 2:
				delete(fields, "note")
				in.Blobs = []bucketlite.BlobInput{{Property: "note", Data: "inline"}, {Property: "photo", Data: map[string]any{"url": "s3://b/k.png", "filename": "k.png"}}}
			}
		}
		if _, err := b.Put(context.Background(), in, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// An import gives back every export, in every form.
func TestExportRoundTrip(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, c := range map[string]struct {
		opts   bucketlite.ExportOptions
		source func(r io.Reader) bucketlite.Source
	}{
		"lines": {bucketlite.ExportOptions{Inline: true}, bucketlite.JSONLines},
		"array": {bucketlite.ExportOptions{Inline: true, Format: bucketlite.ExportArray}, bucketlite.JSONArray},
		"table": {bucketlite.ExportOptions{Format: bucketlite.ExportCSV}, func(r io.Reader) bucketlite.Source {
			return bucketlite.CSV(r, &bucketlite.CSVOptions{KeepEmpty: true})
		}},
		"a table with semicolons": {bucketlite.ExportOptions{Format: bucketlite.ExportCSV, Comma: ';'}, func(r io.Reader) bucketlite.Source {
			return bucketlite.CSV(r, &bucketlite.CSVOptions{KeepEmpty: true})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := goods(t), goods(t)
			fill(t, from, c.opts.Format == bucketlite.ExportCSV)
			var text bytes.Buffer
			report, err := from.Export(ctx, &text, &c.opts)
			if err != nil || report.Objects != 60 || report.Partial != 0 {
				t.Fatalf("export: got %+v, %v", report, err)
			}
			in, err := to.Import(ctx, c.source(&text), nil)
			if err != nil || in.Created != 60 || in.Refused != 0 {
				t.Fatalf("import: got %s, %v: %v", counted(in), err, in.Refusals)
			}
			if diff := cmp.Diff(contentsOf(t, from), contentsOf(t, to)); diff != "" {
				t.Errorf("objects (-exported +imported):\n%s", diff)
			}
		})
	}
	t.Run("directory", func(t *testing.T) {
		t.Parallel()
		from, to, dir := goods(t), goods(t), t.TempDir()
		fill(t, from, false)
		limits := bucketlite.Retention{MaxAge: time.Hour, MaxObjects: 1000}
		_, err := from.Update(ctx, bucketlite.BucketUpdate{Retention: &limits})
		storetest.Must(t, err)
		storetest.Must(t, from.EnsureIndex(ctx, "name", "created_at"))
		storetest.Must(t, from.EnsureTextIndex(ctx))
		m, err := from.ExportDir(ctx, dir, nil)
		if err != nil || m.Objects != 60 || m.Files != 12 {
			t.Fatalf("export: got %+v, %v", m, err)
		}
		root, err := os.OpenRoot(dir)
		storetest.Must(t, err)
		defer root.Close()
		in, err := to.Import(ctx, bucketlite.ExportedDir(root.FS()), nil)
		if err != nil || in.Created != 60 {
			t.Fatalf("import: got %s, %v: %v", counted(in), err, in.Refusals)
		}
		if diff := cmp.Diff(contentsOf(t, from), contentsOf(t, to)); diff != "" {
			t.Errorf("objects (-exported +imported):\n%s", diff)
		}
		if in, err = to.Import(ctx, bucketlite.ExportedDir(root.FS()), nil); err != nil || in.Unchanged != 60 {
			t.Errorf("again: got %s, %v, want all unchanged", counted(in), err)
		}
		read, err := bucketlite.ReadManifest(root.FS())
		storetest.Must(t, err)
		if k := read.Bucket; k.UniqueKey.Fields[0] != "sku" || read.Objects != 60 || k.Retention != limits ||
			!slices.Equal(k.Indexes, []string{"created_at", "name"}) || !slices.Equal(k.TextIndexes, []string{""}) {
			t.Errorf("manifest: got %+v", read)
		}
		if _, err := from.ExportDir(ctx, dir, nil); !errors.Is(err, bucketlite.ErrExists) {
			t.Errorf("a second export: got %v, want %v", err, bucketlite.ErrExists)
		}
		storetest.Must(t, os.Remove(filepath.Join(dir, "bucketlite-export.json")))
		if _, err := to.Import(ctx, bucketlite.ExportedDir(root.FS()), nil); !errors.Is(err, bucketlite.ErrNotFound) {
			t.Errorf("an incomplete export: got %v, want %v", err, bucketlite.ErrNotFound)
		}
	})
}

// A table says of how many objects it has not all.
func TestExportPartial(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := goods(t)
	for i, text := range []string{
		`{"size": {"cm": 1}, "note": "n"}`, `{"other": 1}`, `{"size": {"cm": 1, "inch": 2}}`,
		`{"blobs": [{"property": "photo", "data": "https://example.com/a.png", "metadata": {"by": "Ann"}}]}`,
		`{"blobs": [{"property": "photo", "data": "https://example.com/a.png"}]}`,
		`{"blobs": [{"property": "note", "data": {"base64": "YQ=="}}]}`,
	} {
		in := storetest.Input(t, text)
		if in.Fields == nil {
			in.Fields = map[string]any{}
		}
		in.Fields["sku"] = fmt.Sprint(i)
		if _, err := b.Put(ctx, in, nil); err != nil {
			t.Fatal(err)
		}
	}
	var text strings.Builder
	report, err := b.Export(ctx, &text, &bucketlite.ExportOptions{Format: bucketlite.ExportCSV})
	if err != nil || report.Partial != 4 {
		t.Errorf("got %+v, %v, want 4 partial in\n%s", report, err, text.String())
	}
}

// Objects are selected, sorted and projected as by a query.
func TestExportQuery(t *testing.T) {
	t.Parallel()
	b := goods(t)
	for i := range 5 {
		storetest.Put(t, b, bucketlite.ObjectInput{ID: fmt.Sprint("o", i), Fields: map[string]any{"sku": fmt.Sprint(i), "stock": i}}, "")
	}
	var text strings.Builder
	calls := int64(0)
	_, err := b.Export(context.Background(), &text, &bucketlite.ExportOptions{Query: bucketlite.Query{
		Filter: bucketlite.Gt("stock", 2), Sort: []bucketlite.Sort{bucketlite.Desc("stock")}, Select: []string{"stock"},
	}, Progress: func(n int64) { calls = n }})
	want := "{\"object_id\":\"o4\",\"stock\":4}\n{\"object_id\":\"o3\",\"stock\":3}\n"
	if err != nil || text.String() != want || calls != 2 {
		t.Errorf("got %q, %v after %d objects, want %q", text.String(), err, calls, want)
	}
}

// Texts that a spreadsheet would evaluate are written as texts on request, and numbers as
// they are. A column of the store's own members is there only if it is named.
func TestExportFormulas(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Name: "cells", Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"=name": {Type: bucketlite.String}, "n": {Type: bucketlite.Number}, "list": {Type: bucketlite.Array},
	}}})
	for i, text := range []string{"=1+1", "+1", "-1", "@a", "\ta", "\ra", "\n=a", "＝1", `=HYPERLINK("x","y")`, "a=1", "'=1", ""} {
		storetest.Put(t, b, bucketlite.ObjectInput{ID: fmt.Sprintf("o%02d", i), Fields: map[string]any{"=name": text, "n": -1, "list": []any{"=1"}}}, "")
	}
	export := func(opts bucketlite.ExportOptions) string {
		t.Helper()
		var text strings.Builder
		opts.Format = bucketlite.ExportCSV
		report, err := b.Export(ctx, &text, &opts)
		if err != nil || report.Objects != 12 {
			t.Fatal(report, err)
		}
		return text.String()
	}
	got := export(bucketlite.ExportOptions{EscapeFormulas: true, Columns: []string{"=name", "n", "list"}})
	want := "'=name,n,list\n" + strings.Join([]string{
		"'=1+1", "'+1", "'-1", "'@a", "'\ta", "\"'\ra\"", "\"'\n=a\"", "'＝1", `"'=HYPERLINK(""x"",""y"")"`, "a=1", "'=1", `""`, "",
	}, ",-1,\"[\"\"=1\"\"]\"\n")
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := export(bucketlite.ExportOptions{}); !strings.HasPrefix(got, "object_id,=name,list,n\no00,=1+1,") {
		t.Errorf("by default: got %q, want the texts as they are", got)
	}
	o, err := b.Object(ctx, "o00")
	if err != nil {
		t.Fatal(err)
	}
	at := o.CreatedAt.Format(time.RFC3339Nano)
	if got, want := export(bucketlite.ExportOptions{Columns: []string{"status", "error", "created_at", "updated_at"}}), "status,error,created_at,updated_at\nDRAFT,,"+at+","+at+"\n"; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want it to begin with %q", got, want)
	}
}

// failingWriter fails after so many bytes.
type failingWriter struct{ left int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestExportErrors(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := goods(t)
	fill(t, b, true)
	for name, opts := range map[string]*bucketlite.ExportOptions{
		"a page": {Query: bucketlite.Query{Limit: 1}}, "columns of lines": {Columns: []string{"sku"}}, "a form": {Format: "xml"}, "formulas of lines": {EscapeFormulas: true}, "no columns": {Format: bucketlite.ExportCSV, Columns: []string{}},
		"a column twice": {Format: bucketlite.ExportCSV, Columns: []string{"sku", "sku"}}, "a quote": {Format: bucketlite.ExportCSV, Comma: '"'}, "inline": {Format: bucketlite.ExportCSV, Inline: true},
	} {
		if _, err := b.Export(ctx, io.Discard, opts); !errors.Is(err, bucketlite.ErrBadRequest) {
			t.Errorf("%s: got %v, want %v", name, err, bucketlite.ErrBadRequest)
		}
	}
	for _, opts := range []*bucketlite.ExportOptions{{Format: bucketlite.ExportCSV}, {Inline: true}} {
		if _, err := b.ExportDir(ctx, t.TempDir(), opts); !errors.Is(err, bucketlite.ErrBadRequest) {
			t.Errorf("a directory with %+v: got %v, want %v", opts, err, bucketlite.ErrBadRequest)
		}
	}
	if _, err := b.Export(ctx, &failingWriter{100}, nil); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a writer that fails: got %v, want %v", err, io.ErrShortWrite)
	}
	if _, err := b.Export(ctx, io.Discard, &bucketlite.ExportOptions{Query: bucketlite.Query{Filter: bucketlite.Eq("", 1)}}); !errors.Is(err, bucketlite.ErrBadRequest) {
		t.Errorf("a bad filter: got %v, want %v", err, bucketlite.ErrBadRequest)
	}
	if err := b.Suspend(ctx); err != nil {
		t.Fatal(err)
	}
	var nothing strings.Builder
	if _, err := b.Export(ctx, &nothing, &bucketlite.ExportOptions{Format: bucketlite.ExportCSV}); !errors.Is(err, bucketlite.ErrNotActive) || nothing.Len() > 0 {
		t.Errorf("a suspended bucket: got %v and the text %q, want %v and none", err, nothing.String(), bucketlite.ErrNotActive)
	}
	other := t.TempDir()
	storetest.Must(t, os.WriteFile(filepath.Join(other, "mine"), nil, 0o666))
	if _, err := b.ExportDir(ctx, other, nil); !errors.Is(err, bucketlite.ErrExists) {
		t.Errorf("a directory with other files: got %v, want %v", err, bucketlite.ErrExists)
	}
}

// ValidateOnly finds what an import would refuse, and stores nothing.
func TestImportValidateOnly(t *testing.T) {
	t.Parallel()
	b := goods(t)
	text := "{\"sku\": \"a\", \"blobs\": [{\"property\": \"photo\", \"file\": \"a.png\"}]}\n{\"sku\": 1}\n{\n"
	report, err := b.Import(context.Background(), bucketlite.JSONLines(strings.NewReader(text)), &bucketlite.ImportOptions{ValidateOnly: true})
	if err != nil || counted(report) != "3 read, 2 refused, 2 invalid, 3 invalid" {
		t.Errorf("got %s, %v", counted(report), err)
	}
	if got := stored(t, b); len(got) != 0 {
		t.Errorf("stored %q", got)
	}
}

// The files of an export may be imported by a table, too.
func TestImportTableFiles(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	from, to, dir := goods(t), goods(t), t.TempDir()
	storetest.Put(t, from, bucketlite.ObjectInput{ID: "o", Fields: map[string]any{"sku": "a"}, Blobs: []bucketlite.BlobInput{{Property: "photo", Reader: bytes.NewReader(pixels(t, 1, 1))}}}, "")
	_, err := from.ExportDir(ctx, dir, nil)
	storetest.Must(t, err)
	var text bytes.Buffer
	_, err = from.Export(ctx, &text, &bucketlite.ExportOptions{Format: bucketlite.ExportCSV})
	storetest.Must(t, err)
	report, err := to.Import(ctx, bucketlite.CSV(&text, nil), &bucketlite.ImportOptions{Files: os.DirFS(dir)})
	if err != nil || counted(report) != "1 read, 1 created" {
		t.Fatalf("got %s, %v", counted(report), err)
	}
	data, err := storetest.ReadBlob(to, "o", "photo")
	if err != nil || !slices.Equal(data, pixels(t, 1, 1)) {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
}
