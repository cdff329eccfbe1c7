package console_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// send posts a form with a file.
func (b *browser) send(path string, form url.Values, name, content string) *page {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for control, values := range form {
		for _, v := range values {
			w.WriteField(control, v)
		}
	}
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		b.t.Fatal(err)
	}
	part.Write([]byte(content))
	w.Close()
	return b.raw(path, w.FormDataContentType(), body.String())
}

// raw posts a body of a media type.
func (b *browser) raw(path, mediaType, body string) *page {
	b.t.Helper()
	r, err := http.NewRequest("POST", b.s.URL+"/console/"+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", mediaType)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.answer(r)
}

func TestCreateBucket(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, _ := s.place(t, "shop")
	b := s.browser(t, allKey)
	b.get(at+"new").wants(http.StatusOK, "Create a bucket", `name="f0-name"`)
	form := url.Values{"do": {"create"}, "name": {"lamps"}, "description": {"All lamps"}, "class": {"nearline"}, "policy": {"upsert"}, "rows": {"5"}, "strict": {"on"},
		"f0-name": {"sku"}, "f0-type": {"string"}, "f0-key": {"on"}, "f0-max": {"12"}, "f0-index": {"both"},
		"f1-name": {"price"}, "f1-type": {"number"}, "f1-required": {"on"}, "f1-min": {"0"}, "f1-default": {"9.5"}, "f1-index": {"value"},
		"f2-name": {"colour"}, "f2-type": {"string"}, "f2-enum": {"red\r\ngreen\r\n\r\n"},
		"f3-name": {"tags"}, "f3-type": {"array"}, "f3-items": {"string"}, "f3-more": {`{"uniqueItems": true}`},
		"paths": {"tags\r\ntext tags"}, "all-texts": {"on"}, "objects": {"100"}, "metadata": {`{"team": "a"}`}}
	to := b.post(at+"new", form).wants(http.StatusSeeOther, "done=bucket-created").header.Get("Location")
	ns, err := s.store.Namespace(context.Background(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := ns.Bucket(context.Background(), "lamps")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(to, bucket.ID()) {
		t.Errorf("got %q, want the bucket %s", to, bucket.ID())
	}
	info, err := bucket.Info(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got, err := info.Schema.MarshalJSON()
	want := `{"additionalProperties":false,"properties":{"colour":{"enum":["red","green"],"type":"string"},"price":{"default":9.5,"minimum":0,"required":true,"type":"number"},` +
		`"sku":{"maxLength":12,"type":"string"},"tags":{"items":{"type":"string"},"type":"array","uniqueItems":true}}}`
	if err != nil || string(got) != want {
		t.Errorf("got schema %s, %v, want %s", got, err, want)
	}
	if info.UniqueKey == nil || info.UniqueKey.Fields[0] != "sku" || info.UniqueKey.DefaultPolicy != bucketlite.Upsert || info.StorageClass != "nearline" || info.Retention.MaxObjects != 100 {
		t.Errorf("got %+v, %+v, %v, %v", info.UniqueKey, info.Retention, info.StorageClass, info.Metadata)
	}
	indexes, err := bucket.Indexes(context.Background())
	if err != nil || len(indexes) != 6 {
		t.Errorf("got indexes %v, %v, want 6", indexes, err)
	}
}

// TestCreateBucketRefused shows where what is wrong stands, and that nothing gets lost.
func TestCreateBucketRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, _ := s.place(t, "shop", "taken")
	b := s.browser(t, allKey)
	for _, tt := range []struct {
		name   string
		form   url.Values
		status int
		want   []string
	}{
		{"no name", url.Values{"f0-name": {"a"}, "f0-type": {"string"}}, http.StatusUnprocessableEntity, []string{`id="name-wrong">Required`}},
		{"a taken name", url.Values{"name": {"taken"}}, http.StatusConflict, []string{`value="taken"`, `aria-invalid="true"`}},
		{"a field without a type", url.Values{"name": {"x"}, "f0-name": {"a"}}, http.StatusUnprocessableEntity, []string{`<li>type: string expected, got nothing`}},
		{"an unknown type", url.Values{"name": {"x"}, "f0-name": {"a"}, "f0-type": {"strng"}}, http.StatusUnprocessableEntity, []string{`did you mean`, `value="strng" selected`}},
		{"a default of another type", url.Values{"name": {"x"}, "f0-name": {"a"}, "f0-type": {"integer"}, "f0-default": {"many"}}, http.StatusUnprocessableEntity, []string{`<li>default: integer expected`, `value="many"`}},
		{"the same name twice", url.Values{"name": {"x"}, "f0-name": {"a"}, "f0-type": {"string"}, "f1-name": {"a"}, "f1-type": {"string"}}, http.StatusUnprocessableEntity, []string{"Another field has this name."}},
		{"a reserved name", url.Values{"name": {"x"}, "f0-name": {"object_id"}, "f0-type": {"string"}}, http.StatusUnprocessableEntity, []string{"reserved"}},
		{"a key that cannot be one", url.Values{"name": {"x"}, "f0-name": {"a"}, "f0-type": {"object"}, "f0-key": {"on"}}, http.StatusUnprocessableEntity, []string{"<li>Key: "}},
		{"more that is no JSON", url.Values{"name": {"x"}, "f0-name": {"a"}, "f0-type": {"string"}, "f0-more": {"{"}}, http.StatusUnprocessableEntity, []string{"More as JSON"}},
		{"JSON that is none", url.Values{"name": {"x"}, "schema": {"{\"properties\""}, "f0-name": {"a"}, "f0-type": {"string"}}, http.StatusUnprocessableEntity, []string{"The JSON: ", `{&#34;properties&#34;`, `value="a"`}},
		{"a bad index", url.Values{"name": {"x"}, "paths": {"a..b"}}, http.StatusUnprocessableEntity, []string{`id="paths-wrong">`, "empty segment"}},
		{"bad metadata", url.Values{"name": {"x"}, "metadata": {"[]"}}, http.StatusUnprocessableEntity, []string{`id="metadata-wrong">A JSON object expected`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.form.Set("do", "create")
			tt.form.Set("rows", "2")
			tt.form.Set("description", "typed before")
			b.post(at+"new", tt.form).wants(tt.status, append(tt.want, "typed before")...)
		})
	}
	b.post(at+"new", url.Values{"do": {"create"}, "name": {"empty"}}).wants(http.StatusSeeOther) // a schema may have no field
}

// TestBothSides shows that an edit of one side of a schema changes the other.
func TestBothSides(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, _ := s.place(t, "shop")
	b := s.browser(t, allKey)
	rows := url.Values{"do": {"check"}, "rows": {"1"}, "f0-name": {"sku"}, "f0-type": {"string"}}
	p := b.post(at+"new", rows).wants(http.StatusOK, "&#34;sku&#34;: {", "Nothing is wrong")
	_, sum, _ := strings.Cut(p.text, `name="sum" value="`)
	sum, _, _ = strings.Cut(sum, `"`)
	unchanged := "{\r\n  \"properties\": {\r\n    \"sku\": {\r\n      \"type\": \"string\"\r\n    }\r\n  }\r\n}"
	for _, tt := range []struct {
		name, schema, row string
		want, not         string
	}{
		{"only the rows", unchanged, "code", `&#34;code&#34;: {`, `&#34;sku&#34;`},
		{"only the JSON", `{"properties": {"price": {"type": "number", "minimum": 0}}}`, "sku", `value="price"`, `value="sku"`},
		{"the JSON is blank", " ", "sku", `&#34;sku&#34;: {`, "The JSON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			form := url.Values{"do": {"check"}, "rows": {"1"}, "f0-name": {tt.row}, "f0-type": {"string"}, "schema": {tt.schema}, "sum": {sum}}
			b.do("POST", at+"new", form, http.Header{"Hx-Request": {"true"}, "Sec-Fetch-Site": {"same-origin"}}).wants(http.StatusOK, tt.want).lacks(tt.not, "<main")
		})
	}
	two := url.Values{"rows": {"2"}, "f0-name": {"a"}, "f0-type": {"string"}, "f1-name": {"b"}, "f1-type": {"string"}, "remove": {"0"}}
	b.post(at+"new", two).wants(http.StatusOK, `id="f0-name" name="f0-name" value="b"`).lacks(`value="a"`)
	two.Del("remove")
	two.Set("do", "add")
	b.post(at+"new", two).wants(http.StatusOK, `name="f2-name"`)
}

const lamps = `{"sku": "a", "price": 1, "tags": ["x"]}
{"sku": "b", "price": 2.5, "tags": []}
not JSON
{"sku": "c", "price": null}
`

func TestInfer(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, _ := s.place(t, "shop")
	b := s.browser(t, allKey)
	for _, tt := range []struct {
		name, file, text string
		status           int
		want             []string
	}{
		{"lines", "lamps.jsonl", lamps, http.StatusOK, []string{`value="lamps"`, "All 3 records of lamps.jsonl", "2 of 3 are numbers, 1 are null", "1 record cannot be read", "line 3", "<code>sku</code>: it can be the unique key"}},
		{"an array", "lamps.json", `[{"on": true}, {"on": false}]`, http.StatusOK, []string{"All 2 records", "are true or false", `value="boolean" selected`}},
		{"a table", "lamps.csv", "sku,size.h,day\na,5,2026-01-02\nb,6,2026-01-03\n", http.StatusOK, []string{`value="date" selected`, "size.h: 2 of 2 are integers"}},
		{"no record", "lamps.jsonl", "\n\n", http.StatusUnprocessableEntity, []string{"There are no records in the file", `id="infer-wrong"`}},
		{"nothing but faults", "lamps.jsonl", "[\n", http.StatusUnprocessableEntity, []string{"Line 1"}},
		{"a header with a column twice", "lamps.csv", "a,a\n1,2\n", http.StatusUnprocessableEntity, []string{"header on line 1"}},
		{"hostile", `"><script>.jsonl`, `{"<script>alert(1)</script>": "<script>alert(1)</script>"}`, http.StatusOK, []string{"&lt;script&gt;"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.send(at+"infer", url.Values{"do": {"infer"}}, tt.file, tt.text).wants(tt.status, tt.want...).lacks("<script>alert")
			form := url.Values{"name": {tt.file}, "text": {tt.text}}
			if tt.text == "\n\n" {
				return
			}
			b.do("POST", at+"infer", form, http.Header{"Hx-Request": {"true"}, "Sec-Fetch-Site": {"same-origin"}}).wants(tt.status, tt.want...).lacks("<main")
		})
	}
	b.post(at+"infer", url.Values{}).wants(http.StatusUnprocessableEntity, "Choose a file first")
	s.browser(t, readsKey).post(at+"infer", url.Values{"text": {"{}"}}).wants(http.StatusForbidden)
	s.browser(t, readsKey).get(at + "new").wants(http.StatusForbidden)
}

// TestInferBound shows that only the beginning of a file is read, and that no field is then
// required.
func TestInferBound(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, _ := s.place(t, "shop")
	text := strings.Repeat("{\"a\": 1, \"colour\": \"red\"}\n{\"a\": 2, \"colour\": \"green\"}\n", 500) + "{\"b\": 1}\n"
	s.browser(t, allKey).send(at+"infer", nil, "a.jsonl", text).
		wants(http.StatusOK, "The first 1,000 records", "all 1,000 are integers", "all 1,000 are texts, of only 2 values", `data-text="green&#10;red&#10;"`, "none is required").lacks("Field b<", `&#34;required&#34;`)
	few := strings.Repeat("{\"a\": 1, \"in\": {\"b\": 2}}\n", 50)
	b := s.browser(t, allKey)
	b.post(at+"infer", url.Values{"name": {"a.jsonl"}, "text": {few}}).wants(http.StatusOK, "All 50 records", `&#34;required&#34;`)
	b.post(at+"infer", url.Values{"name": {"a.jsonl"}, "text": {few}, "more": {"on"}}).wants(http.StatusOK, "The first 50 records", "none is required").lacks(`&#34;required&#34;`)
}

func TestCreateAndImport(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, _ := s.place(t, "shop")
	b := s.browser(t, allKey)
	b.send(at+"infer", url.Values{"do": {"import"}}, "lamps.jsonl", lamps).wants(http.StatusOK, "The bucket has been created", "<dt>Created</dt><dd>3</dd>", "<dt>Refused</dt><dd>1</dd>", `data-label="Line">3<`)
	b.send(at+"infer", url.Values{"do": {"import"}}, "lamps.jsonl", lamps).wants(http.StatusConflict, `value="lamps"`, `aria-invalid="true"`)
	form := url.Values{"do": {"create"}, "name": {"priced"}, "rows": {"1"}, "f0-name": {"price"}, "f0-type": {"integer"}, "f0-required": {"on"}}
	b.send(at+"new", form, "lamps.csv", "price\n5\nmany\n").wants(http.StatusOK, "<dt>Created</dt><dd>1</dd>", "integer")
	b.send(at+"new", url.Values{"do": {"create"}, "name": {"keyless"}}, "", "").wants(http.StatusSeeOther, "bucket-created")
}

// TestImport shows imports of files, and of pieces that a script sends.
func TestImport(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, buckets := s.place(t, "shop", "lamps")
	path := at + "b/" + buckets[0].ID() + "/import"
	b := s.browser(t, allKey)
	b.get(path).wants(http.StatusOK, "Import a file")
	b.raw(path+"?name=x.jsonl", "text/plain", "{\"sku\": \"a\"}\n{\"price\": 1}\n{\"sku\": \"b\"}\n").
		wants(http.StatusOK, `"created":2`, `"refused":1`, `"line":2`)
	b.raw(path+"?name=x.json", "text/plain;charset=UTF-8", "[\n{\"sku\": \"a\"},\n{}\n]").wants(http.StatusOK, `"created":1`, `"line":3`)
	b.raw(path+"?name=x.jsonl", "text/plain", strings.Repeat("{}\n", 300)).wants(http.StatusOK, `"refused":300`, `"line":300`)
	b.raw(path+"?name=x.csv", "text/plain", "sku,sku\n1,2\n").wants(http.StatusUnprocessableEntity, `"error":"`)
	b.send(path, nil, "x.csv", "sku,price\nc,1\nd,many\n").wants(http.StatusOK, "<dt>Created</dt><dd>1</dd>", "many")
	b.send(path, nil, "x.csv", "sku,sku\n1,2\n").wants(http.StatusUnprocessableEntity, `role="alert"`)
	b.send(path, nil, "", "").wants(http.StatusUnprocessableEntity, "Choose a file first")
	s.browser(t, readsKey).raw(path, "text/plain", "{}").wants(http.StatusForbidden)
	s.browser(t, readsKey).get(path).wants(http.StatusOK).lacks("Import a file")
	if err := buckets[0].Lock(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.get(path).wants(http.StatusOK, "locked").lacks("Import a file")
	b.raw(path, "text/plain", "{\"sku\": \"z\"}").wants(http.StatusForbidden, "locked")
	b.send(path, nil, "x.jsonl", "{\"sku\": \"z\"}").wants(http.StatusForbidden, "locked")
}
