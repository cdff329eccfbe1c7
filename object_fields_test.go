package bucketlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// Fields come back digit by digit and character by character: from Put,
// and from another store on the file by id, by key and in a list.
func TestFieldsAreExact(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	b := storetest.Items(t, storetest.OpenPath(t, path))
	again := storetest.ReopenItems(t, path)
	for name, value := range map[string]string{
		"fraction of zero":   `1.0`,
		"trailing zeros":     `-0.500`,
		"negative zero":      `-0`,
		"exponent":           `1E+05`,
		"beyond floats":      `9007199254740993`,
		"beyond 64 bits":     `-123456789012345678901234567890`,
		"long fraction":      `0.` + strings.Repeat("123456789", 100),
		"largest":            `1.7976931348623157e308`,
		"smallest":           `5e-324`,
		"escapes":            `"\"\\\/\b\f\n\r\t\u0001\u001f\u007f\u0080"`,
		"in need of none":    `"<a href='x'>&amp;</a> \u2028\u2029"`,
		"beyond the BMP":     `"😀 𝄞 \ud83d\ude00"`,
		"shape of a number":  `"1.0"`,
		"empty string":       `""`,
		"long string":        `"` + strings.Repeat(`wide é, line\n`, 5000) + `"`,
		"empty object":       `{}`,
		"odd names":          `{"":1,"a.b":2,"a\"b":3,"a\\b":4,"a\nb":5,"$":6,"😀":7}`,
		"empty array":        `[]`,
		"objects and arrays": `[null,true,false,{"a":[[],{},[{"b":[1.0]}]]}]`,
		"null":               `null`,
	} {
		t.Run(name, func(t *testing.T) {
			want := fmt.Sprintf(`{"k":%q,"x":%s}`, name, value)
			o := storetest.PutItem(t, b, storetest.Input(t, want))
			storetest.WantFields(t, o, want)
			byID, err := again.Object(ctx, o.ID)
			if err != nil {
				t.Fatal(err)
			}
			storetest.WantFields(t, byID, want)
			byKey, err := again.ObjectByKey(ctx, map[string]any{"k": name})
			if err != nil {
				t.Fatal(err)
			}
			storetest.WantFields(t, byKey, want)
			found := false
			for o, err := range again.Objects(ctx, bucketlite.Query{}) {
				if err != nil {
					t.Fatal(err)
				}
				if o.ID == byID.ID {
					storetest.WantFields(t, o, want)
					found = true
				}
			}
			if !found {
				t.Error("got a list without it")
			}
		})
	}
	storetest.WantSound(t, path)
}

// newInline makes a file with a bucket "objects" whose fields may be given inline,
// and returns its path as well.
func newInline(t *testing.T) (*bucketlite.Bucket, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	return storetest.Bucket(t, storetest.OpenPath(t, path), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"name":{"type":"string"}, "n":{"type":"number"},
"about":{"type":"object"}, "tags":{"type":"array"}, "note":{"type":"text"}, "a\"b":{"type":"string"}, "pages":{"type":"array","items":{"type":"text"}}`)}), path
}

// wantStoredFields fails unless the fields of the one object in the file are stored as
// want, and the file is sound.
func wantStoredFields(t *testing.T, path, want string) {
	t.Helper()
	if got := strings.TrimSpace(storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT json(fields) FROM object")); got != want {
		t.Errorf("stored: got %s, want %s", got, want)
	}
	storetest.WantSound(t, path)
}

// The inline data of a blob stands among the stored fields, where a query finds it,
// but is no field of the object and counts once.
func TestInlineData(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		blobs  []bucketlite.BlobInput
		stored string
		size   int
	}{
		"string":          {[]bucketlite.BlobInput{{Property: "name", Data: "a <b>\n"}}, `{"name":"a <b>\n","x":1}`, len("a <b>\n")},
		"number, as text": {[]bucketlite.BlobInput{{Property: "n", Data: json.Number("1.50")}}, `{"n":1.50,"x":1}`, len("1.50")},
		"number, float":   {[]bucketlite.BlobInput{{Property: "n", Data: 1e21}}, `{"n":1e+21,"x":1}`, len("1e+21")},
		"number, float32": {[]bucketlite.BlobInput{{Property: "n", Data: float32(0.1)}}, `{"n":0.1,"x":1}`, len("0.1")},
		"object":          {[]bucketlite.BlobInput{{Property: "about", Data: map[string]any{"z": 1, "a": []any{nil}}}}, `{"about":{"a":[null],"z":1},"x":1}`, len(`{"a":[null],"z":1}`)},
		"array":           {[]bucketlite.BlobInput{{Property: "tags", Data: []any{"x", "y"}}}, `{"tags":["x","y"],"x":1}`, len(`["x","y"]`)},
		"text":            {[]bucketlite.BlobInput{{Property: "note", Data: "é"}}, `{"note":"é","x":1}`, len("é")},
		"long text": {[]bucketlite.BlobInput{{Property: "note", Data: strings.Repeat("x", 100_000)}},
			`{"note":"` + strings.Repeat("x", 100_000) + `","x":1}`, 100_000},
		"odd name": {[]bucketlite.BlobInput{{Property: `a"b`, Data: "c"}}, `{"a\"b":"c","x":1}`, 1},
		"several": {[]bucketlite.BlobInput{{Property: "note", Data: "t"}, {Property: "name", Data: "s"}, {Property: "n", Data: 1}},
			`{"n":1,"name":"s","note":"t","x":1}`, 3},
		// These are no value of the property, or not here.
		"item of an array": {[]bucketlite.BlobInput{{Property: "pages", Data: "one"}}, `{"x":1}`, 3},
		"items":            {[]bucketlite.BlobInput{{Property: "pages", Data: "one"}, {Property: "pages", Data: "two"}}, `{"x":1}`, 6},
		"reference":        {[]bucketlite.BlobInput{{Property: "note", Data: "https://example.com/a.txt"}}, `{"x":1}`, 0},
		"content":          {[]bucketlite.BlobInput{{Property: "note", Data: "data:,text"}}, `{"x":1}`, 4},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, path := newInline(t)
			o := storetest.Put(t, b, bucketlite.ObjectInput{Fields: map[string]any{"x": 1}, Blobs: test.blobs}, "")
			storetest.WantFields(t, o, `{"x":1}`)
			if want := int64(len(`{"x":1}`) + test.size); o.Size != want || len(o.Blobs) != len(test.blobs) {
				t.Errorf("got %d bytes and %d blobs, want %d and %d", o.Size, len(o.Blobs), want, len(test.blobs))
			}
			wantStoredFields(t, path, test.stored)
		})
	}
	t.Run("found", func(t *testing.T) {
		t.Parallel()
		b, path := newInline(t)
		storetest.Put(t, b, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "name", Data: "inline"}}}, "")
		if got := storetest.Dump(t, storetest.OpenRaw(t, path), `SELECT json_extract(fields, '$."name"') FROM object`); got != "inline\n" {
			t.Errorf("got %q, want the data", got)
		}
	})
}

// Whether a value stands at the root or in a blob may change.
func TestInlineDataMoves(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b, path := newInline(t)
	o := storetest.Put(t, b, storetest.Input(t, `{"name":"root","n":1}`), "")
	wantStoredFields(t, path, `{"n":1,"name":"root"}`)
	for _, step := range []struct {
		patch, fields, stored string
		blobs                 int
	}{
		{`{"name":null,"blobs":[{"property":"name","data":"inline"}]}`, `{"n":1}`, `{"n":1,"name":"inline"}`, 1},
		{`{"n":2}`, `{"n":2}`, `{"n":2,"name":"inline"}`, 1},
		{`{"blobs":[{"property":"name","data":"again"},{"property":"note","data":"text"}]}`, `{"n":2}`, `{"n":2,"name":"again","note":"text"}`, 2},
		{`{"blobs":[{"property":"note","data":"data:,content"}]}`, `{"n":2}`, `{"n":2,"name":"again"}`, 2},
		{`{"name":null,"note":null}`, `{"n":2}`, `{"n":2}`, 0},
		{`{"name":"root","note":"root"}`, `{"n":2,"name":"root","note":"root"}`, `{"n":2,"name":"root","note":"root"}`, 0},
	} {
		o, err := b.Patch(ctx, o.ID, storetest.Input(t, step.patch), nil)
		if err != nil {
			t.Fatalf("%s: %v", step.patch, err)
		}
		storetest.WantFields(t, o, step.fields)
		if len(o.Blobs) != step.blobs {
			t.Errorf("%s: got %d blobs, want %d", step.patch, len(o.Blobs), step.blobs)
		}
		wantStoredFields(t, path, step.stored)
	}
}

// Put that keeps the stored blobs keeps their inline data among the fields, and a
// list of others replaces it.
func TestInlineDataIsKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	b := storetest.Items(t, storetest.OpenPath(t, path))
	in := storetest.Item("a", "v")
	in.Blobs = []bucketlite.BlobInput{{Property: "n", Data: 5}, {Property: "doc", Data: "text"}}
	storetest.PutItem(t, b, in)
	storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE object SET status = 'COMPLETED'; "+storetest.Uncount)
	if o := storetest.PutItem(t, b, storetest.Item("a", "v")); o.Status != bucketlite.StatusCompleted {
		t.Errorf("put of the same: got status %s, want COMPLETED", o.Status)
	}
	wantStoredFields(t, path, `{"doc":"text","k":"a","n":5,"v":"v"}`)
	storetest.WantFields(t, storetest.PutItem(t, b, storetest.Item("a", "w")), `{"k":"a","v":"w"}`)
	wantStoredFields(t, path, `{"doc":"text","k":"a","n":5,"v":"w"}`)
	in.Blobs = in.Blobs[:1]
	storetest.WantFields(t, storetest.PutItem(t, b, in), `{"k":"a","v":"v"}`)
	wantStoredFields(t, path, `{"k":"a","n":5,"v":"v"}`)
	in.Blobs = []bucketlite.BlobInput{}
	storetest.WantFields(t, storetest.PutItem(t, b, in), `{"k":"a","v":"v"}`)
	wantStoredFields(t, path, `{"k":"a","v":"v"}`)
}

// corruptFields are expressions for fields that were not written by us.
var corruptFields = map[string]string{
	"nothing":         `x''`,
	"cut short":       `substr(fields, 1, length(fields) - 1)`,
	"more than there": `fields || x'00'`,
	"no object":       `jsonb('[]')`,
	"JSON as text":    `CAST(json(fields) AS BLOB)`,
	"twice":           `jsonb('{"k":"a","k":"a"}')`,
	"not UTF-8":       `x'7c176b47616263ff'`,
	"no number":       `x'5c176b1378'`,
}

// Fields that cannot be read are ErrCorrupt wherever they are read. The object can
// still be replaced and deleted.
func TestCorruptFields(t *testing.T) {
	t.Parallel()
	for name, expression := range corruptFields {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			path := filepath.Join(t.TempDir(), "a.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Items(t, st)
			o := storetest.PutItem(t, b, storetest.Item("a", "v"))
			storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE object SET fields = CAST("+expression+" AS BLOB)"+reseal)
			_, err := b.Object(ctx, o.ID)
			storetest.WantError(t, err, bucketlite.ErrCorrupt)
			_, err = b.ObjectByKey(ctx, map[string]any{"k": "a"})
			storetest.WantError(t, err, bucketlite.ErrCorrupt)
			_, err = b.List(ctx, bucketlite.Query{})
			storetest.WantError(t, err, bucketlite.ErrCorrupt)
			_, err = b.Patch(ctx, o.ID, bucketlite.ObjectInput{Fields: map[string]any{"v": "w"}}, nil)
			storetest.WantError(t, err, bucketlite.ErrCorrupt)
			wantBroken(t, st, nil, false, "object.json")
			storetest.WantFields(t, storetest.PutItem(t, b, storetest.Item("a", "w")), `{"k":"a","v":"w"}`)
			if err := b.DeleteObject(ctx, o.ID, nil); err != nil {
				t.Error(err)
			}
			storetest.WantSound(t, path)
		})
	}
}

// A file of an old format opens even if the fields of an object in it cannot be
// read. They stay as they are, and Check tells.
func TestOldFieldsThatAreCorrupt(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"nothing":   `''`,
		"cut short": `'{"k":"a"'`,
		"no object": `'[]'`,
		"NUL":       `'{"k":"a","v":"' || char(0) || '"}'`,
		"not UTF-8": `CAST(x'7b226b223a22ff227d' AS TEXT)`,
		"no JSON":   `'value'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := storetest.CopyFile(t, "testdata/formats/2.db")
			db := storetest.OpenRaw(t, path)
			const first = " WHERE seq = (1 << 40) + 1"
			storetest.Execute(t, db, "UPDATE objects SET fields = "+value+first)
			before := storetest.Dump(t, db, "SELECT CAST(fields AS BLOB) FROM objects"+first)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			st := storetest.OpenPath(t, path, &bucketlite.Options{Now: storetest.NewManualClock().Now})
			b, err := storetest.Namespace(t, st).Bucket(context.Background(), "items")
			if err != nil {
				t.Fatal(err)
			}
			_, err = b.ObjectByKey(context.Background(), map[string]any{"k": "a"})
			storetest.WantError(t, err, bucketlite.ErrCorrupt)
			wantBroken(t, st, nil, false, "object.json")
			if after := storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT fields FROM object"+first); after != before {
				t.Errorf("got %s, want %s", after, before)
			}
		})
	}
}

// Old blobs or a schema that cannot be read keep no file from opening either.
func TestOldInlineDataThatIsCorrupt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ statement, rule string }{
		"blobs":  {`UPDATE objects SET blobs = substr(blobs, 2) WHERE blobs LIKE '%an inline text%'`, "object.json"},
		"schema": {`UPDATE buckets SET schema = substr(schema, 2) WHERE name = 'values'`, "bucket.definition"},
		"types":  {`UPDATE buckets SET schema = '{"properties":{"n":1,"note":{"type":2},"title":[]}}' WHERE name = 'values'`, "bucket.definition"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := storetest.CopyFile(t, "testdata/formats/2.db")
			storetest.Execute(t, storetest.OpenRaw(t, path), test.statement)
			report, err := storetest.OpenPath(t, path, &bucketlite.Options{Now: storetest.NewManualClock().Now}).Check(context.Background(), nil)
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, p := range report.Problems {
				found = found || p.Rule == test.rule
			}
			if !found {
				t.Errorf("got %v, want %s", report.Problems, test.rule)
			}
		})
	}
}

// A file of an old format is made as it would be today.
func TestOldFieldsAreConverted(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := storetest.CopyFile(t, "testdata/formats/2.db")
	st := storetest.OpenPath(t, path, &bucketlite.Options{Now: storetest.NewManualClock().Now})
	b, err := storetest.Namespace(t, st).Bucket(ctx, "values")
	if err != nil {
		t.Fatal(err)
	}
	db := storetest.OpenRaw(t, path)
	for o, err := range b.Objects(ctx, bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		before := storedFields(t, db, o.ID)
		fields := o.Fields
		fields["x"] = "more"
		for range 2 { // written anew, the second time as it was
			if _, err := b.Patch(ctx, o.ID, bucketlite.ObjectInput{Fields: fields}, nil); err != nil {
				t.Fatal(err)
			}
			fields["x"] = nil
		}
		if after := storedFields(t, db, o.ID); !bytes.Equal(after, before) {
			t.Errorf("object %s: got % .100x, want % .100x", o.ID, before, after)
		}
	}
	const inline = `SELECT json_extract(fields, '$.title'), json_extract(fields, '$.n'), json_extract(fields, '$.about.z'),
json_extract(fields, '$.tags[1]'), json_type(fields, '$.pages'), json_type(fields, '$.file') FROM object WHERE blobs LIKE '%an inline text%'`
	if got, want := storetest.Dump(t, db, inline), "inline \"title\"\n<b> 😀 9.007199254740994e+15 1 y <nil> <nil>\n"; got != want {
		t.Errorf("inline data: got %q, want %q", got, want)
	}
	storetest.WantSound(t, path)
}

func storedFields(t *testing.T, db *sql.DB, id string) (fields []byte) {
	t.Helper()
	if err := db.QueryRow("SELECT fields FROM object WHERE id = ?", id).Scan(&fields); err != nil {
		t.Fatal(err)
	}
	return fields
}
