package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// scripted is the header of a request that the script of uploads makes.
var scripted = http.Header{"Accept": {"application/json"}, "Hx-Request": {"true"}, "Sec-Fetch-Site": {"same-origin"}}

// announce announces a file as the script does, and returns the answer.
func (b *browser) announce(path string, form url.Values) (status int, answer map[string]string) {
	b.t.Helper()
	p := b.do("POST", path, form, scripted)
	if err := json.Unmarshal([]byte(p.text), &answer); err != nil {
		b.t.Fatalf("%s: %v: %s", p.name, err, p.text)
	}
	return p.status, answer
}

// put sends bytes to an address that an answer of a path names, without any cookie.
func (b *browser) put(path, address, text string) int {
	b.t.Helper()
	base, err := url.Parse(b.s.URL + "/console/" + path)
	if err != nil {
		b.t.Fatal(err)
	}
	to, err := base.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	r, err := http.NewRequest("PUT", to.String(), strings.NewReader(text))
	if err != nil {
		b.t.Fatal(err)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	a.Body.Close()
	return a.StatusCode
}

func uploadsPath(ns *bucketlite.Namespace, b *bucketlite.Bucket) string {
	return "n/" + ns.ID() + "/b/" + b.ID() + "/uploads"
}

// TestUpload sends a file as the script does.
func TestUpload(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	at, path := s.browser(t, allKey), uploadsPath(ns, b)
	at.get(path).wants(http.StatusOK, "There is no upload yet", `id="upload-form"`, `value="{name}"`, "uploads.js", "photo (image)", "files (several of file)")
	form := url.Values{"filename": {"lamp.gif"}, "content_type": {"image/gif"}, "f.sku": {"{name}"}, "f.price": {"12.50"}, "size": {strconv.Itoa(len(dot))}}
	status, made := at.announce(path, form)
	if status != http.StatusCreated || made["property"] != "photo" || !strings.HasPrefix(made["url"], "../../../../../v1/presigned/uploads/") {
		t.Fatalf("got %d %v, want a relative address for the photo", status, made)
	}
	list := at.get(path).wants(http.StatusOK, "lamp.gif", "pending", "every 2s", "Cancel lamp.gif").lacks("Confirm")
	if got := at.put(path, made["url"], "not a picture"); got != http.StatusUnprocessableEntity {
		t.Errorf("other bytes: got status %d, want 422", got)
	}
	if status, answer := at.announce(path+"/"+made["id"]+"/confirm", url.Values{}); status != http.StatusConflict || answer["error"] == "" {
		t.Errorf("without bytes: got %d %v, want a conflict", status, answer)
	}
	for range 2 { // until the upload is confirmed the bytes can be sent again
		if got := at.put(path, made["url"], string(dot)); got != http.StatusOK {
			t.Fatalf("got status %d, want 200", got)
		}
	}
	at.get(path+"?status=PENDING").wants(http.StatusOK, "written, not confirmed", "Confirm lamp.gif")
	status, done := at.announce(path+"/"+made["id"]+"/confirm", url.Values{})
	if status != http.StatusOK || done["object"] == "" {
		t.Fatalf("got %d %v, want an object", status, done)
	}
	o, err := b.Object(context.Background(), done["object"])
	if err != nil {
		t.Fatal(err)
	}
	if o.Fields["sku"] != "lamp" || o.Fields["price"] != json.Number("12.50") || len(o.Blobs) != 1 || o.Blobs[0].Property != "photo" {
		t.Errorf("got %v with %v", o.Fields, o.Blobs)
	}
	at.get(path).wants(http.StatusOK, "completed", "/o/"+done["object"]+"/").lacks("every 2s")
	at.get(path+"?status=FAILED").wants(http.StatusOK, "no upload with this status")
	if list.status != http.StatusOK {
		t.Error(list.status)
	}

	// The same key again: only who chooses so changes the object.
	if status, made = at.announce(path, form); status != http.StatusCreated || made["skipped"] != o.ID || made["url"] != "" {
		t.Errorf("got %d %v, want the file skipped", status, made)
	}
	form.Set("policy", "upsert")
	if status, made = at.announce(path, form); status != http.StatusCreated || made["url"] == "" {
		t.Errorf("got %d %v, want an address", status, made)
	}
	at.post(path+"/"+made["id"]+"/cancel", url.Values{}).wants(http.StatusSeeOther, "/uploads?done=upload-canceled")
	at.post(path+"/"+done["id"]+"/cancel", url.Values{}).wants(http.StatusNotFound)
}

// TestUploadRecords shows the fate of the record that a list of metadata has for a
// file.
func TestUploadRecords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		form   url.Values
		status int
		want   map[string]any // fields of the upload, or
		words  string         // in the error
	}{
		{"a record", url.Values{"record": {`{"file": "a.gif", "sku": "x", "price": 12345678901234567890.5}`}, "column": {"file"}}, 201,
			map[string]any{"sku": "x", "price": json.Number("12345678901234567890.5"), "note": "of all"}, ""},
		{"a declared column", url.Values{"record": {`{"note": "a.gif"}`}, "column": {"note"}}, 201, map[string]any{"sku": "a", "note": "a.gif"}, ""},
		{"a row", url.Values{"record": {`{"filename": "a.gif", "sku": "7", "price": "7", "tags": "[1]", "note": "", "more": "8"}`}, "column": {"filename"}, "table": {"1"}}, 201,
			map[string]any{"sku": "7", "price": json.Number("7"), "tags": []any{json.Number("1")}, "note": "of all", "more": "8"}, ""},
		{"a row that cannot be read", url.Values{"record": {`{"tags": "[1"}`}, "table": {"1"}}, 422, nil, "tags"},
		{"no record", url.Values{"record": {`[1]`}}, 422, nil, "metadata of the file"},
		{"a wrong value", url.Values{"record": {`{"price": "cheap"}`}}, 422, nil, "price: number expected"},
		{"a wrong input", url.Values{"f.tags": {"[1"}}, 422, nil, "tags: this is not JSON"},
		{"a file of no field", url.Values{"property": {"note"}}, 422, nil, "holds no file"},
		{"a path", url.Values{"filename": {"../a.gif"}}, 422, nil, "filename"},
		{"no size", url.Values{"size": {"many"}}, 422, nil, "a number of bytes expected"},
		{"a policy that is none", url.Values{"policy": {"maybe"}}, 400, nil, "maybe"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, nil)
			ns, b := makeBucket(t, s)
			form := url.Values{"filename": {"a.gif"}, "content_type": {"image/gif"}, "f.sku": {"{name}"}, "f.note": {"of all"}}
			for name, v := range test.form {
				form[name] = v
			}
			status, answer := s.browser(t, allKey).announce(uploadsPath(ns, b), form)
			if status != test.status || !strings.Contains(answer["error"], test.words) {
				t.Fatalf("got %d %v, want %d %s", status, answer, test.status, test.words)
			}
			if test.want == nil {
				return
			}
			u, err := b.Upload(context.Background(), answer["id"])
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range test.want {
				got, _ := json.Marshal(u.ObjectMetadata[name])
				if text, _ := json.Marshal(want); string(got) != string(text) {
					t.Errorf("%s: got %s, want %s", name, got, text)
				}
			}
			if _, ok := u.ObjectMetadata["filename"]; ok {
				t.Error("the column that names the file has become a field")
			}
		})
	}
}

// TestUploadPlaces shows which field a file goes to.
func TestUploadPlaces(t *testing.T) {
	t.Parallel()
	field := func(kind bucketlite.FieldType) bucketlite.Field { return bucketlite.Field{Type: kind} }
	many := func(kind bucketlite.FieldType) bucketlite.Field {
		items := field(kind)
		return bucketlite.Field{Type: bucketlite.Array, Items: &items}
	}
	media := map[string]bucketlite.Field{
		"clip": field(bucketlite.Video), "poster": field(bucketlite.Image), "sound": field(bucketlite.Audio), "stills": many(bucketlite.Image), "title": field(bucketlite.String),
	}
	papers := map[string]bucketlite.Field{"any": field(bucketlite.File), "paper": field(bucketlite.Document), "sheet": field(bucketlite.Excel), "words": field(bucketlite.Text)}
	for _, test := range []struct {
		schema     map[string]bucketlite.Field
		name, kind string
		want       string // empty for a refusal
	}{
		{media, "a.mp4", "video/mp4", "clip"}, {media, "a.jpg", "image/jpeg", "stills"}, {media, "a.mp3", "audio/mpeg", "sound"},
		{media, "a.webm", "", "clip"}, {media, "a.pdf", "application/pdf", ""}, {media, "a.ogg", "audio/ogg", "sound"},
		{papers, "a.pdf", "application/pdf", "paper"}, {papers, "a.csv", "text/csv", "sheet"}, {papers, "a.txt", "text/plain", "words"},
		{papers, "a.bin", "", "any"}, {papers, "a.jpg", "image/jpeg", "any"}, {papers, "a.docx", "", "paper"},
		{map[string]bucketlite.Field{"photo": field(bucketlite.Image)}, "IMG_1", "", "photo"},
	} {
		t.Run(test.name+" "+test.kind, func(t *testing.T) {
			t.Parallel()
			s := serve(t, nil)
			ctx := context.Background()
			ns, err := s.store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "shop"})
			if err != nil {
				t.Fatal(err)
			}
			b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "things", Schema: bucketlite.Schema{Properties: test.schema}})
			if err != nil {
				t.Fatal(err)
			}
			status, answer := s.browser(t, allKey).announce(uploadsPath(ns, b), url.Values{"filename": {test.name}, "content_type": {test.kind}})
			if (status == http.StatusCreated) != (test.want != "") || answer["property"] != test.want {
				t.Errorf("got %d %v, want %q", status, answer, test.want)
			}
		})
	}
}

// TestUploadByForm sends a file without scripts.
func TestUploadByForm(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	at, path := s.browser(t, allKey), uploadsPath(ns, b)
	send := func(values url.Values, name, text string) *page {
		t.Helper()
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for control, v := range values {
			w.WriteField(control, v[0])
		}
		if name != "" {
			part, err := w.CreateFormFile("file.upload", name)
			if err != nil {
				t.Fatal(err)
			}
			part.Write([]byte(text))
		}
		w.Close()
		r, err := http.NewRequest("POST", s.URL+"/console/"+path, &body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", w.FormDataContentType())
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		return at.answer(r)
	}
	form := formOf(t, at.get(path))
	send(form, "", "").wants(http.StatusUnprocessableEntity, "Choose a file first")
	send(form, "lamp.gif", string(dot)).wants(http.StatusSeeOther, "/o/obj_", "done=file-stored")
	send(form, "lamp.gif", string(dot)).wants(http.StatusConflict, "has the unique key, and was left as it is", `value="{name}"`)
	form.Set("property", "photo")
	form.Set("f.sku", "other")
	send(form, "<b>.gif", "plain text").wants(http.StatusUnprocessableEntity, `value="other"`, `value="photo" selected`)
	form.Set("f.price", "cheap")
	send(form, "lamp.gif", string(dot)).wants(http.StatusUnprocessableEntity, `value="cheap"`, `aria-invalid="true"`, "number expected")
	form.Set("f.price", "1")
	form.Set("policy", "update")
	send(form, "lamp.gif", string(dot)).wants(http.StatusNotFound, "other")
	at.get(path+"?status=CANCELED").wants(http.StatusOK, "&lt;b&gt;.gif")
}

// TestUploadStates shows uploads of buckets and keys that refuse some of it.
func TestUploadStates(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, test := range []struct {
		name   string
		key    string
		change func(*bucketlite.Bucket) error
		words  string
		status int // of an announcement
	}{
		{"a key for reading", readsKey, nil, "for reading alone", 403},
		{"locked", allKey, func(b *bucketlite.Bucket) error { return b.Lock(ctx) }, "<b>locked</b>", 403},
		{"archived", allKey, func(b *bucketlite.Bucket) error { return b.Archive(ctx) }, "<b>archived</b>", 403},
		{"suspended", allKey, func(b *bucketlite.Bucket) error { return b.Suspend(ctx) }, "<b>suspended</b>", 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, nil)
			ns, b := makeBucket(t, s)
			at, path := s.browser(t, test.key), uploadsPath(ns, b)
			if _, err := b.CreateUpload(ctx, bucketlite.UploadInput{Filename: "a.gif", ContentType: "image/gif", Property: "photo", ObjectMetadata: map[string]any{"sku": "a"}}); err != nil {
				t.Fatal(err)
			}
			if test.change != nil {
				if err := test.change(b); err != nil {
					t.Fatal(err)
				}
			}
			at.get(path).wants(http.StatusOK, test.words).lacks("upload-form", "uploads.js", "/cancel")
			form := url.Values{"filename": {"b.gif"}, "content_type": {"image/gif"}, "f.sku": {"b"}}
			if p := at.do("POST", path, form, scripted); p.status != test.status {
				t.Errorf("got status %d, want %d: %s", p.status, test.status, p.text)
			}
		})
	}
	s := serve(t, nil)
	ns, err := s.store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "words", Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{"a": {Type: bucketlite.String}}}})
	if err != nil {
		t.Fatal(err)
	}
	s.browser(t, allKey).get(uploadsPath(ns, b)).wants(http.StatusOK, "declares no field that holds files").lacks("upload-form")
}

// TestCopyUpload shows the request of the API for an upload.
func TestCopyUpload(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	at := s.browser(t, readsKey)
	path := "n/" + ns.ID() + "/b/" + b.ID() + "/uploads"
	at.get(path).wants(http.StatusOK, "uploads/copyas")
	at.get(path+"/copyas").wants(http.StatusOK, "/uploads", "photo.jpg", "blob_property", "BUCKETLITE_API_KEY")
}
