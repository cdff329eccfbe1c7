package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// goods is a bucket of every kind of field, with a unique key.
func goods(t *testing.T) *bucketlite.Bucket {
	t.Helper()
	return goodsIn(t, storetest.OpenMemory(t), &bucketlite.UniqueKey{Fields: []string{"sku"}, DefaultPolicy: bucketlite.Upsert})
}

func goodsIn(t *testing.T, st *bucketlite.Store, key *bucketlite.UniqueKey) *bucketlite.Bucket {
	t.Helper()
	return storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "goods", UniqueKey: key, Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"sku":   {Type: bucketlite.String},
		"price": {Type: bucketlite.Number},
		"stock": {Type: bucketlite.Integer},
		"sold":  {Type: bucketlite.Boolean},
		"since": {Type: bucketlite.Date},
		"tags":  {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.String}},
		"size":  {Type: bucketlite.ObjectField, Properties: map[string]bucketlite.Field{"cm": {Type: bucketlite.Integer}, "unit": {Type: bucketlite.String}}},
		"photo": {Type: bucketlite.Image},
		"note":  {Type: bucketlite.Text},
	}}})
}

// stored returns the objects of a bucket as lines of JSON, in the order of creation.
func stored(t *testing.T, b *bucketlite.Bucket) (lines []string) {
	t.Helper()
	for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(o.Fields)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(text))
	}
	return lines
}

// counted shows the counts of a report that are not zero, and its refusals.
func counted(r *bucketlite.ImportReport) string {
	var parts []string
	add := func(name string, n int64) {
		if n != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, name))
		}
	}
	add("read", r.Records)
	add("created", r.Created)
	add("replaced", r.Replaced)
	add("unchanged", r.Unchanged)
	add("refused", r.Refused)
	for _, x := range r.Refusals {
		where := x.File
		if where == "" {
			where = fmt.Sprint(x.Line)
		}
		kind := kindOf(x.Err)
		if _, ok := errors.AsType[*bucketlite.ImportFileError](x.Err); ok {
			kind = "file"
		}
		parts = append(parts, where+" "+kind)
	}
	return strings.Join(parts, ", ")
}

func TestImport(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, c := range map[string]struct {
		source func() bucketlite.Source
		want   string
		stored []string
	}{
		"lines": {
			func() bucketlite.Source {
				return bucketlite.JSONLines(strings.NewReader("{\"sku\": \"a\"}\n\n{\"sku\": \n{\"sku\": \"b\", \"stock\": \"x\"}\n{\"sku\": \"a\", \"stock\": 1}\n{\"sku\": \"c\""))
			},
			"5 read, 1 created, 1 replaced, 3 refused, 3 invalid, 4 invalid, 6 invalid", []string{`{"sku":"a","stock":1}`},
		},
		"an array": {
			func() bucketlite.Source {
				return bucketlite.JSONArray(strings.NewReader("[{\"sku\": \"a\"},\n 5, {\"sku\": \"b\"}, {\"sku\""))
			},
			"5 read, 2 created, 3 refused, 2 invalid, 2 invalid, 2 invalid", []string{`{"sku":"a"}`, `{"sku":"b"}`},
		},
		"a table": {
			func() bucketlite.Source {
				return bucketlite.CSV(strings.NewReader("sku;price;stock;sold;since;tags;size.cm;size.unit;other;note\n"+
					"a;1.50;2;TRUE;2024-02-29;\"[\"\"x\"\"]\";3;cm;o;n\n"+
					"b;;;;;;;;;\n"+
					"c;1,5;x;yes;now;[;3.5;;;\n"+
					"d\n"), nil)
			},
			"4 read, 2 created, 2 refused, 4 invalid, 5 invalid",
			[]string{`{"note":"n","other":"o","price":1.50,"since":"2024-02-29","size":{"cm":3,"unit":"cm"},"sku":"a","sold":true,"stock":2,"tags":["x"]}`, `{"sku":"b"}`},
		},
		"tabs by name": {
			func() bucketlite.Source {
				return bucketlite.DetectSource("x.TSV", strings.NewReader("sku\tnote\na\tb, c\n"))
			},
			"1 read, 1 created", []string{`{"note":"b, c","sku":"a"}`},
		},
		"an array without a name": {
			func() bucketlite.Source {
				return bucketlite.DetectSource("", strings.NewReader("\ufeff \n[{\"sku\": \"a\"}]"))
			},
			"1 read, 1 created", []string{`{"sku":"a"}`},
		},
		"lines without a name": {
			func() bucketlite.Source {
				return bucketlite.DetectSource("", iotest.OneByteReader(strings.NewReader("{\"sku\": \"a\"}")))
			},
			"1 read, 1 created", []string{`{"sku":"a"}`},
		},
		"nothing": {func() bucketlite.Source { return bucketlite.CSV(strings.NewReader(""), nil) }, "", nil},
		"empty strings": {
			func() bucketlite.Source {
				return bucketlite.CSV(strings.NewReader("sku,note,other\na,\"\",\n"), &bucketlite.CSVOptions{KeepEmpty: true})
			},
			"1 read, 1 created", []string{`{"note":"","sku":"a"}`},
		},
		"wrong charset": {
			func() bucketlite.Source {
				return bucketlite.JSONLines(strings.NewReader("{\"sku\": \"gr\xFCn\"}\n{\"sku\": \"b\"}\n"))
			},
			"2 read, 1 created, 1 refused, 1 invalid", []string{`{"sku":"b"}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := goods(t)
			report, err := b.Import(ctx, c.source(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := counted(report); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
			if diff := cmp.Diff(c.stored, stored(t, b)); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
		})
	}
}

// A cell that does not fit is named with its column.
func TestImportCells(t *testing.T) {
	t.Parallel()
	b := goods(t)
	report, err := b.Import(context.Background(), bucketlite.CSV(strings.NewReader("sku,stock,size.cm,sold\n\"a\nb\",1.5x,,no\n"), nil), nil)
	if err != nil || len(report.Refusals) != 1 {
		t.Fatalf("got %+v, %v, want one refusal", report, err)
	}
	want := []bucketlite.Issue{
		{Path: "stock", Rule: "type", Message: `column 2: integer expected, got "1.5x"`},
		{Path: "sold", Rule: "type", Message: `column 4: true or false expected, got "no"`},
	}
	if diff := cmp.Diff(want, report.Refusals[0].Issues); diff != "" || report.Refusals[0].Line != 2 {
		t.Errorf("line %d, issues (-want +got):\n%s", report.Refusals[0].Line, diff)
	}
}

// A header that cannot be used is the fault of the whole table.
func TestImportHeader(t *testing.T) {
	t.Parallel()
	closed := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Name: "closed", Schema: bucketlite.Schema{
		Properties:           map[string]bucketlite.Field{"a": {Type: bucketlite.String}, "o": {Type: bucketlite.ObjectField}},
		AdditionalProperties: new(bool),
	}})
	for header, want := range map[string]string{
		"a,b,o.x":   "b",     // not declared
		"a,a":       "",      // twice
		"o,a,o.x.y": "o.x.y", // beside what it is in
	} {
		report, err := closed.Import(context.Background(), bucketlite.CSV(strings.NewReader(header+"\n1,2,3\n"), nil), nil)
		var invalid *bucketlite.ValidationError
		if !errors.As(err, &invalid) || report.Records != 0 || len(invalid.Issues) != 1 || invalid.Issues[0].Path != want {
			t.Errorf("header %q: got %v and %+v, want an issue at %q", header, err, report, want)
		}
	}
}

// An error of the source comes with the report of what was imported before.
func TestImportSourceFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, text := range map[string]string{"lines": "{\"sku\": \"a\"}\n{\"sku\": ", "array": "[{\"sku\": \"a\"},\n{\"sku\"", "table": "sku\na\nb"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))
			source := map[string]bucketlite.Source{"lines": bucketlite.JSONLines(r), "array": bucketlite.JSONArray(r), "table": bucketlite.CSV(r, nil)}[name]
			b := goods(t)
			report, err := b.Import(context.Background(), source, nil)
			if !errors.Is(err, broken) || report == nil || report.Created != 1 {
				t.Fatalf("got %+v, %v; want one created and the error of the reader", report, err)
			}
			if got := stored(t, b); !slices.Equal(got, []string{`{"sku":"a"}`}) {
				t.Errorf("stored %q", got)
			}
		})
	}
}

// Cut anywhere, a source gives the records before the cut, and at most two refusals.
func TestImportCut(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"lines": "{\"sku\": \"a\"}\n{\"sku\": \"bü\"}\n{\"sku\": \"c\"}\n",
		"array": "[{\"sku\": \"a\"},\n{\"sku\": \"bü\"}, {\"sku\": \"c\"}]",
		"table": "sku,note\n\"a\",\"x\ny\"\nbü,z\nc,\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := storetest.OpenMemory(t)
			b := goodsIn(t, st, &bucketlite.UniqueKey{Fields: []string{"sku"}, DefaultPolicy: bucketlite.Upsert})
			for end := range text {
				r := strings.NewReader(text[:end])
				source := map[string]bucketlite.Source{"lines": bucketlite.JSONLines(r), "array": bucketlite.JSONArray(r), "table": bucketlite.CSV(r, nil)}[name]
				report, err := b.Import(context.Background(), source, nil)
				var invalid *bucketlite.ValidationError
				if err != nil && !errors.As(err, &invalid) { // a header can be cut, too
					t.Fatalf("cut at %d: %v", end, err)
				}
				if report.Refused > 2 || report.Created+report.Replaced+report.Unchanged+report.Refused != report.Records {
					t.Errorf("cut at %d: got %s", end, counted(report))
				}
			}
		})
	}
}

func TestImportLimits(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := goods(t)
	long := "{\"sku\": \"" + strings.Repeat("x", 1000) + "\"}\n{\"sku\": \"b\"}\n"
	report, err := b.Import(ctx, bucketlite.JSONLines(strings.NewReader(long)), &bucketlite.ImportOptions{MaxLineBytes: 100})
	if err != nil || counted(report) != "2 read, 1 created, 1 refused, 1 too-large" {
		t.Errorf("a long line: got %s, %v", counted(report), err)
	}
	bad := strings.Repeat("x\n", 500)
	var seen int
	report, err = b.Import(ctx, bucketlite.JSONLines(strings.NewReader(bad)), &bucketlite.ImportOptions{BatchSize: 10, MaxRefused: 199, Refused: func(bucketlite.Refusal) { seen++ }})
	if !errors.Is(err, bucketlite.ErrInvalid) || report.Refused != 200 || seen != 200 || len(report.Refusals) != bucketlite.MaxRefusals {
		t.Errorf("many refusals: got %d refused, %d seen, %d listed, %v; want 200, 200, %d, %v", report.Refused, seen, len(report.Refusals), err, bucketlite.MaxRefusals, bucketlite.ErrInvalid)
	}
	for name, opts := range map[string]*bucketlite.ImportOptions{
		"batch": {BatchSize: bucketlite.MaxPutMany + 1}, "line": {MaxLineBytes: -1}, "refused": {MaxRefused: -1}, "policy": {Policy: "x"},
	} {
		if _, err := b.Import(ctx, bucketlite.JSONLines(strings.NewReader("{}")), opts); !errors.Is(err, bucketlite.ErrBadRequest) {
			t.Errorf("%s: got %v, want %v", name, err, bucketlite.ErrBadRequest)
		}
	}
	if _, err := b.Import(ctx, bucketlite.Source{}, nil); !errors.Is(err, bucketlite.ErrBadRequest) {
		t.Errorf("no source: got %v, want %v", err, bucketlite.ErrBadRequest)
	}
}

// A locked bucket ends the import: it is the fault of no record.
func TestImportLocked(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := goods(t)
	if err := b.Lock(ctx); err != nil {
		t.Fatal(err)
	}
	report, err := b.Import(ctx, bucketlite.JSONLines(strings.NewReader("{\"sku\": \"a\"}\n")), nil)
	if !errors.Is(err, bucketlite.ErrLocked) || report.Refused != 0 || report.Records != 1 {
		t.Errorf("got %s, %v, want %v", counted(report), err, bucketlite.ErrLocked)
	}
}

// killed is a context that ends after so many marks were saved, and the last mark.
type killed struct {
	context.Context
	cancel context.CancelFunc
	left   int
	mark   []byte
}

func (k *killed) save(m bucketlite.ImportMark) (err error) {
	k.mark, err = json.Marshal(m)
	if k.left--; k.left == 0 {
		k.cancel()
	}
	return err
}

// An import that ends after any batch continues at its mark, and even at the mark before:
// every record is stored once.
func TestImportContinues(t *testing.T) {
	t.Parallel()
	var lines, array, table strings.Builder
	table.WriteString("stock,note\n")
	fsys := fstest.MapFS{}
	for i := range 20 {
		fmt.Fprintf(&lines, "{\"stock\": %d, \"note\": \"n\"}\n\n", i)
		fmt.Fprintf(&array, "%s{\"stock\": %d, \"note\": \"n\"}", map[bool]string{true: "[", false: ", "}[i == 0], i)
		fmt.Fprintf(&table, "%d,\"n\"\n", i)
		fsys[fmt.Sprintf("%02d.txt", i)] = &fstest.MapFile{Data: []byte("n")}
	}
	array.WriteString("]")
	sources := map[string]func() bucketlite.Source{
		"lines":  func() bucketlite.Source { return bucketlite.JSONLines(strings.NewReader(lines.String())) },
		"array":  func() bucketlite.Source { return bucketlite.JSONArray(strings.NewReader(array.String())) },
		"table":  func() bucketlite.Source { return bucketlite.CSV(strings.NewReader(table.String()), nil) },
		"folder": func() bucketlite.Source { return bucketlite.Folder(fsys, &bucketlite.FolderOptions{Property: "note"}) },
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kills := 1; kills <= 5; kills++ {
				for _, behind := range []bool{false, true} {
					b := goodsIn(t, storetest.OpenMemory(t), nil)
					ctx, cancel := context.WithCancel(context.Background())
					first := &killed{Context: ctx, cancel: cancel, left: kills}
					var before []byte
					opts := &bucketlite.ImportOptions{BatchSize: 4, Save: func(m bucketlite.ImportMark) error {
						before = first.mark
						return first.save(m)
					}}
					if _, err := b.Import(ctx, source(), opts); !errors.Is(err, context.Canceled) {
						t.Fatalf("got %v, want %v", err, context.Canceled)
					}
					at := first.mark
					if behind && before != nil { // it was killed before the last mark was saved
						at = before
					}
					mark := &bucketlite.ImportMark{}
					if err := json.Unmarshal(at, mark); err != nil {
						t.Fatal(err)
					}
					report, err := b.Import(context.Background(), source(), &bucketlite.ImportOptions{Mark: mark})
					if err != nil || report.Records != 20 || report.Created+report.Unchanged != 20 || report.Refused != 0 {
						t.Fatalf("after %d marks: got %s, %v", kills, counted(report), err)
					}
					if got := len(stored(t, b)); got != 20 {
						t.Errorf("after %d marks: %d objects, want 20", kills, got)
					}
				}
			}
		})
	}
}

func TestImportMark(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := goodsIn(t, storetest.OpenMemory(t), nil)
	var mark bucketlite.ImportMark
	text := "{\"stock\": 1}\n{\"stock\": 2}\n"
	if _, err := b.Import(ctx, bucketlite.JSONLines(strings.NewReader(text)), &bucketlite.ImportOptions{Save: func(m bucketlite.ImportMark) error { mark = m; return nil }}); err != nil {
		t.Fatal(err)
	}
	report, err := b.Import(ctx, bucketlite.JSONLines(strings.NewReader(text+"{\"stock\": 3}\n")), &bucketlite.ImportOptions{Mark: &mark})
	if err != nil || report.After != 2 || counted(report) != "3 read, 3 created" {
		t.Errorf("a line more: got %s after %d, %v", counted(report), report.After, err)
	}
	for name, c := range map[string]struct {
		bucket *bucketlite.Bucket
		text   string
	}{
		"another text":   {b, strings.Replace(text, "1", "5", 1)},
		"a shorter text": {b, text[:5]},
		"another bucket": {goods(t), text},
	} {
		if _, err := c.bucket.Import(ctx, bucketlite.JSONLines(strings.NewReader(c.text)), &bucketlite.ImportOptions{Mark: &mark}); !errors.Is(err, bucketlite.ErrBadRequest) {
			t.Errorf("%s: got %v, want %v", name, err, bucketlite.ErrBadRequest)
		}
	}
	for _, form := range []string{`{}`, `{"format": "x"}`, `[]`} {
		if err := json.Unmarshal([]byte(form), new(bucketlite.ImportMark)); !errors.Is(err, bucketlite.ErrBadRequest) {
			t.Errorf("mark %s: got %v, want %v", form, err, bucketlite.ErrBadRequest)
		}
	}
	full := errors.New("full")
	if _, err := b.Import(ctx, bucketlite.JSONLines(strings.NewReader(text)), &bucketlite.ImportOptions{Save: func(bucketlite.ImportMark) error { return full }}); !errors.Is(err, full) {
		t.Errorf("a mark that cannot be saved: got %v, want %v", err, full)
	}
}

func TestImportProgress(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("{\"stock\": 1}\n", 10)
	var seen []string
	_, err := goodsIn(t, storetest.OpenMemory(t), nil).Import(context.Background(), bucketlite.JSONLines(strings.NewReader(text)), &bucketlite.ImportOptions{
		BatchSize: 4, Progress: func(p bucketlite.ImportProgress) { seen = append(seen, fmt.Sprint(p)) },
	})
	want := []string{"{4 52 130}", "{8 104 130}", "{10 130 130}"}
	if err != nil || !slices.Equal(seen, want) {
		t.Errorf("got %q, %v, want %q", seen, err, want)
	}
}

// Records may name files, of which each is read once and only below the directory.
func TestImportFiles(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	fsys := fstest.MapFS{"a/x.txt": {Data: []byte("text")}, "y.txt": {Data: []byte("more")}}
	text := `{"sku": "a", "blobs": [{"property": "note", "file": "a/x.txt"}]}
{"sku": "b", "blobs": [{"property": "note", "file": "y.txt", "hash": "00"}]}
{"sku": "c", "blobs": [{"property": "note", "file": "missing"}]}
{"sku": "d", "blobs": [{"property": "note", "file": "../y.txt"}]}
{"sku": "e", "blobs": [{"property": "note", "file": "a"}]}
{"sku": "f", "blobs": [{"property": "note", "file": "./y.txt", "url": "https://example.com/y"}]}
`
	b := goods(t)
	report, err := b.Import(ctx, bucketlite.JSONLines(strings.NewReader(text)), &bucketlite.ImportOptions{Files: fsys})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(report.Created, report.Refused); got != "2 4" {
		t.Errorf("got %s", counted(report))
	}
	for _, r := range report.Refusals {
		var file *bucketlite.ImportFileError
		if !errors.As(r.Err, &file) {
			t.Errorf("line %d: got %v, want an ImportFileError", r.Line, r.Err)
		}
	}
	o, err := b.ObjectByKey(ctx, map[string]any{"sku": "f"})
	if err != nil || o.Blobs[0].Properties["url"] != "https://example.com/y" || o.Blobs[0].Details.Size != 4 {
		t.Errorf("a file with the URL it came from: got %+v, %v", o, err)
	}
	report, err = b.Import(ctx, bucketlite.JSONLines(strings.NewReader(text)), nil)
	if err != nil || report.Refused != report.Records {
		t.Errorf("without files: got %s, %v, want refusals", counted(report), err)
	}
}

// A source that is cut off anywhere, and imported again when it is whole, is stored as a
// whole and nothing twice, or refused as another source.
func TestImportCutResumed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for kind, c := range map[string]struct {
		text   string
		source func(io.Reader) bucketlite.Source
	}{
		"lines": {"{\"stock\": 1, \"sku\": \"é\"}\n\n{\"stock\": 2}\r\n{\"stock\": 3}", bucketlite.JSONLines},
		"array": {"[ {\"stock\": 1, \"sku\": \"é,]\"} , {\"stock\": 2},\n{\"stock\": 3} ]\n", bucketlite.JSONArray},
		"table": {"stock,sku\n1,\"é\n,x\"\n2,b\r\n3,\"\"\"\"", func(r io.Reader) bucketlite.Source { return bucketlite.CSV(r, nil) }},
		"empty": {"", func(r io.Reader) bucketlite.Source { return bucketlite.CSV(r, nil) }},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			st := storetest.OpenMemory(t)
			for n := range len(c.text) + 1 {
				b := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: fmt.Sprint(n), Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
					"stock": {Type: bucketlite.Integer}, "sku": {Type: bucketlite.String},
				}}})
				var mark *bucketlite.ImportMark
				opts := &bucketlite.ImportOptions{BatchSize: 1 + n%3, Save: func(m bucketlite.ImportMark) error { mark = &m; return nil }}
				first, err := b.Import(ctx, c.source(strings.NewReader(c.text[:n])), opts)
				if err != nil && mark == nil {
					continue // the header was cut off
				}
				if stored := first.Created; err != nil || first.Records != first.Created+first.Refused || int64(len(storedStock(t, b))) != stored {
					t.Errorf("cut at %d: %s, %v; stored %v", n, counted(first), err, storedStock(t, b))
				}
				opts.Mark = mark
				second, err := b.Import(ctx, c.source(strings.NewReader(c.text)), opts)
				if errors.Is(err, bucketlite.ErrBadRequest) {
					continue // the source has changed
				}
				if got := storedStock(t, b); err != nil || kind != "empty" && !slices.Equal(got, []int64{1, 2, 3}) {
					t.Errorf("cut at %d: %s, then %s, %v; stored %v", n, counted(first), counted(second), err, got)
				}
			}
		})
	}
}

// storedStock returns the stock of all objects, in order.
func storedStock(t *testing.T, b *bucketlite.Bucket) (stock []int64) {
	t.Helper()
	for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		stock = append(stock, o.Int("stock"))
	}
	slices.Sort(stock)
	return stock
}
