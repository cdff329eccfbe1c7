package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"mime/multipart"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// formOf returns what a browser would send of a page's form unchanged.
func formOf(t *testing.T, p *page) url.Values {
	t.Helper()
	form := make(url.Values)
	for _, m := range regexp.MustCompile(`(?s)<input [^>]*name="([^"]+)"[^>]*>`).FindAllStringSubmatch(p.text, -1) {
		if strings.Contains(m[0], `type="checkbox"`) || strings.Contains(m[0], `type="file"`) || strings.Contains(m[0], `type="radio"`) && !strings.Contains(m[0], " checked") {
			continue
		}
		v := regexp.MustCompile(` value="([^"]*)"`).FindStringSubmatch(m[0])
		if v == nil {
			v = []string{"", ""}
		}
		text := html.UnescapeString(v[1])
		if !strings.Contains(m[0], `type="hidden"`) {
			text = strings.NewReplacer("\r", "", "\n", "").Replace(text)
		}
		form.Add(html.UnescapeString(m[1]), text)
	}
	for _, m := range regexp.MustCompile(`(?s)<textarea [^>]*name="([^"]+)"[^>]*>(.*?)</textarea>`).FindAllStringSubmatch(p.text, -1) {
		text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(html.UnescapeString(m[2]))
		text = strings.TrimPrefix(text, "\n")
		form.Add(html.UnescapeString(m[1]), strings.ReplaceAll(text, "\n", "\r\n"))
	}
	for _, m := range regexp.MustCompile(`(?s)<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>`).FindAllStringSubmatch(p.text, -1) {
		if chosen := regexp.MustCompile(`<option value="([^"]*)" selected`).FindStringSubmatch(m[2]); chosen != nil {
			form.Add(html.UnescapeString(m[1]), html.UnescapeString(chosen[1]))
		}
	}
	delete(form, "theme")
	return form
}

// editBucket has a field of each type.
func editBucket(t *testing.T, s *server) (*bucketlite.Namespace, *bucketlite.Bucket) {
	t.Helper()
	ctx := context.Background()
	ns, err := s.store.EnsureNamespace(ctx, bucketlite.NamespaceConfig{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "all", Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"text": {Type: bucketlite.String}, "number": {Type: bucketlite.Number}, "whole": {Type: bucketlite.Integer}, "yes": {Type: bucketlite.Boolean},
		"list": {Type: bucketlite.Array}, "map": {Type: bucketlite.ObjectField}, "day": {Type: bucketlite.Date}, "time": {Type: bucketlite.DateTime},
		"long": {Type: bucketlite.Text}, "kind": {Type: bucketlite.String, Enum: []any{"a", "b"}}, "size": {Type: bucketlite.Integer, Enum: []any{1, 2}},
		"odd \"name\"": {Type: bucketlite.String}, "photo": {Type: bucketlite.Image}, "files": {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.File}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return ns, b
}

var everyField = map[string]any{
	"text": "one\r\ntwo\n  three <b>&amp;", "number": 1.50, "whole": 7, "yes": false, "list": []any{1, "two", map[string]any{"c": nil}}, "map": map[string]any{"a": 1e100},
	"day": "2026-01-31", "time": "2026-01-31T12:00:00.123456+01:00", "long": "\n\nleading lines", "kind": "b", "size": 2, "odd \"name\"": "", "extra": map[string]any{"x": []any{}}, "nothing": nil,
}

// TestSaveUnchanged shows that saving a form as it was shown changes nothing, whatever the
// fields hold, in both forms.
func TestSaveUnchanged(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := editBucket(t, s)
	path, o := put(t, ns, b, bucketlite.ObjectInput{Fields: everyField, Blobs: []bucketlite.BlobInput{{Property: "files", Reader: strings.NewReader("x"), Filename: "x.bin"}}})
	at := s.browser(t, allKey)
	for _, as := range []string{"fields", "json"} {
		at.post(path+"edit", formOf(t, at.get(path+"edit?as="+as).wants(http.StatusOK))).wants(http.StatusSeeOther, "done=object-unchanged")
		now, err := b.Object(context.Background(), o.ID)
		if err != nil {
			t.Fatal(err)
		}
		if now.Version != o.Version || !reflect.DeepEqual(now.Fields, o.Fields) || len(now.Blobs) != 1 {
			t.Errorf("as %s: got version %d, %v, want %d, %v", as, now.Version, now.Fields, o.Version, o.Fields)
		}
	}
}

func TestEdit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change url.Values
		status int
		want   map[string]any // that differ after it; nil means that the field is gone
		words  []string
	}{
		{"a text", url.Values{"f.text": {"new\r\nlines"}}, 303, map[string]any{"text": "new\nlines"}, nil},
		{"a number", url.Values{"f.number": {" 2.50 "}}, 303, map[string]any{"number": "2.50"}, nil},
		{"no number", url.Values{"f.number": {"2,5"}}, 422, nil, []string{`value="2,5"`, `aria-invalid="true"`, "expected"}},
		{"a false boolean", url.Values{"f.yes": {"true"}}, 303, map[string]any{"yes": "true"}, nil},
		{"a list", url.Values{"f.list": {"[]"}}, 303, map[string]any{"list": "[]"}, nil},
		{"JSON that is none", url.Values{"f.list": {"[1"}}, 422, nil, []string{"[1</textarea>", "this is not JSON"}},
		{"JSON that adds members", url.Values{"f.list": {`[],"text":"x"`}}, 422, nil, []string{"this is not JSON"}},
		{"JSON with a member twice", url.Values{"f.map": {`{"a":1,"a":2}`}}, 422, nil, []string{"is repeated"}},
		{"an empty input", url.Values{"f.text": {""}, "f.kind": {""}}, 303, map[string]any{"text": nil, "kind": nil}, nil},
		{"a choice", url.Values{"f.kind": {"a"}, "f.size": {"1"}}, 303, map[string]any{"kind": "a", "size": "1"}, nil},
		{"a choice that is none", url.Values{"f.kind": {"<c>"}}, 422, nil, []string{"&lt;c&gt;", "kind"}},
		{"an odd name", url.Values{"f.odd+%22name%22": {"x"}}, 303, map[string]any{`odd "name"`: "x"}, nil},
		{"fields that are not declared", url.Values{"other": {`{"more": 1}`}}, 303, map[string]any{"more": "1", "extra": nil, "nothing": nil}, nil},
		{"a system's name", url.Values{"other": {`{"status": "x"}`}}, 422, nil, []string{"status"}},
		{"all as JSON", url.Values{"as": {"json"}, "text": {`{"text": ""}`}}, 303, map[string]any{"text": "", "number": nil, "extra": nil, "list": nil}, nil},
		{"no version", url.Values{"version": {""}, "f.text": {"x"}}, 422, nil, []string{"version"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, nil)
			ns, b := editBucket(t, s)
			path, o := put(t, ns, b, bucketlite.ObjectInput{Fields: everyField})
			at := s.browser(t, allKey)
			form := formOf(t, at.get(path+"edit"))
			for name, v := range test.change {
				form[name] = v
			}
			at.post(path+"edit", form).wants(test.status, test.words...)
			now, err := b.Object(context.Background(), o.ID)
			if err != nil {
				t.Fatal(err)
			}
			for name, v := range test.want {
				got, ok := now.Fields[name]
				if ok != (v != nil) || v != nil && fmt.Sprint(got) != fmt.Sprint(v) {
					t.Errorf("%s: got %v, want %v", name, got, v)
				}
			}
			if test.status != 303 && now.Version != o.Version {
				t.Error("a refused form changed the object")
			}
		})
	}
}

// TestConflict shows that nobody's change is lost when two edit an object.
func TestConflict(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := editBucket(t, s)
	path, o := put(t, ns, b, bucketlite.ObjectInput{Fields: everyField})
	at := s.browser(t, allKey)
	edit := func(base *page, change url.Values) *page {
		form := formOf(t, base)
		for name, v := range change {
			form[name] = v
		}
		return at.post(path+"edit", form)
	}
	seen := at.get(path + "edit")
	edit(seen, url.Values{"f.text": {"theirs"}, "f.whole": {"8"}}).wants(http.StatusSeeOther)
	both := edit(seen, url.Values{"f.text": {"mine"}, "f.number": {"9"}}).wants(http.StatusConflict, "Take mine", "Take theirs", "mine", "theirs", "<b>number</b>").lacks("take.whole")
	form := formOf(t, both)
	form.Set("take.text", "theirs")
	at.post(path+"edit", form).wants(http.StatusSeeOther, "done=object-changed")
	now, err := b.Object(context.Background(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%v %v %v", now.Fields["text"], now.Fields["number"], now.Fields["whole"]); got != "theirs 9 8" {
		t.Errorf("got %s, want theirs 9 8", got)
	}
	// Once more, after the choice: it is asked again, and nothing is stored.
	edit(at.get(path+"edit"), url.Values{"f.text": {"third"}}).wants(http.StatusSeeOther)
	at.post(path+"edit", form).wants(http.StatusConflict, "<b>number</b>")
}

func TestNewObject(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	base := "n/" + ns.ID() + "/b/" + b.ID() + "/"
	at := s.browser(t, allKey)
	form := formOf(t, at.get(base+"new").wants(http.StatusOK, "Create object", "sku"))
	at.post(base+"new", form).wants(http.StatusUnprocessableEntity, "sku", "required")
	form.Set("f.sku", "a-1")
	form.Set("id", "mine")
	at.post(base+"new", form).wants(http.StatusSeeOther, "o/mine/?done=object-created")
	form.Set("id", "")
	at.post(base+"new", form).wants(http.StatusConflict, "a-1")
	form.Set("f.sku", "a-2")
	form.Set("id", "mine")
	at.post(base+"new", form).wants(http.StatusConflict)
	if o, err := b.Object(context.Background(), "mine"); err != nil || o.Fields["sku"] != "a-1" {
		t.Errorf("got %v, %v, want the first object unchanged", o, err)
	}
	s.browser(t, readsKey).get(base+"new").wants(http.StatusOK, "for reading alone").lacks("Create object")
	part := at.do("POST", base+"validate", url.Values{"f.price": {"x"}}, http.Header{"Hx-Request": {"true"}, "Sec-Fetch-Site": {"same-origin"}})
	part.wants(http.StatusOK, "2 problems", "price", "sku").lacks("<html")
}

// TestFilesOfAForm stores files that come with a form.
func TestFilesOfAForm(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := editBucket(t, s)
	base := "n/" + ns.ID() + "/b/" + b.ID() + "/"
	at := s.browser(t, allKey)
	send := func(path string, values url.Values, files ...string) *page {
		t.Helper()
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for name, v := range values {
			w.WriteField(name, v[0])
		}
		for i := 0; i+2 < len(files); i += 3 {
			part, err := w.CreateFormFile(files[i], files[i+1])
			if err != nil {
				t.Fatal(err)
			}
			part.Write([]byte(files[i+2]))
		}
		w.Close()
		return at.postBody(path, w.FormDataContentType(), &body)
	}
	send(base+"new", url.Values{"f.text": {"x"}, "id": {"a"}}, "file.files", "one.bin", "\x001", "file.files", "two.bin", "\x002", "file.photo", "", "").wants(http.StatusSeeOther, "done=object-created")
	o, err := b.Object(context.Background(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Blobs) != 2 || o.Blobs[0].Details.Filename != "one.bin" || o.Blobs[1].Details.Filename != "two.bin" {
		t.Fatalf("got %+v, want both files", o.Blobs)
	}
	edit := base + "o/a/edit"
	send(edit, formOf(t, at.get(edit).wants(http.StatusOK, "one.bin")), "file.photo", "p.txt", "%PDF-1.4 this is no picture").wants(http.StatusUnprocessableEntity, "photo")
	send(edit, formOf(t, at.get(edit)), "file.files", "three.bin", "\x003").wants(http.StatusSeeOther)
	form := formOf(t, at.get(edit).wants(http.StatusOK, "three.bin").lacks("one.bin"))
	form.Set("remove.files", "1")
	send(edit, form).wants(http.StatusSeeOther)
	if o, err = b.Object(context.Background(), "a"); err != nil || len(o.Blobs) != 0 {
		t.Errorf("got %+v, %v, want no files", o.Blobs, err)
	}
}

// browserForm encodes a form with files as browsers do: quotes and line ends in names are
// percent signs and digits, and a percent sign is itself.
func browserForm(values url.Values) (contentType string, body *strings.Reader) {
	const boundary = "----boundary"
	names := strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A")
	var b strings.Builder
	for name, texts := range values {
		for _, text := range texts {
			fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", boundary, names.Replace(name), text)
		}
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return "multipart/form-data; boundary=" + boundary, strings.NewReader(b.String())
}

// TestSaveOddUnchanged shows that saving a form as browsers send it changes nothing, be it
// names and values that a form cannot hold.
func TestSaveOddUnchanged(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ctx := context.Background()
	ns, err := s.store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	names := []string{`a "quote"`, "a\nline", "%22", "a+b", "a\u00a0b", "é\u202e", "a&b=c", "[0]", " "}
	properties := map[string]bucketlite.Field{"photo": {Type: bucketlite.Image}, "yes": {Type: bucketlite.String}, "lines": {Type: bucketlite.Text}}
	fields := map[string]any{"yes": "perhaps", "lines": "\r\r\n", "other": "\r"}
	for i, name := range names {
		properties[name] = bucketlite.Field{Type: bucketlite.String}
		fields[name] = []string{"old\r", "\r", "<&amp;>", " spaces ", "\u2028", "\n", "\r\n", "a\rb\nc\r\n", "\ufeff"}[i]
	}
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "odd", Schema: bucketlite.Schema{Properties: properties}})
	if err != nil {
		t.Fatal(err)
	}
	path, o := put(t, ns, b, bucketlite.ObjectInput{Fields: fields})
	at := s.browser(t, allKey)
	for _, as := range []string{"fields", "json"} {
		form := formOf(t, at.get(path+"edit?as="+as).wants(http.StatusOK))
		contentType, body := browserForm(form)
		at.postBody(path+"edit", contentType, body).wants(http.StatusSeeOther, "done=object-unchanged")
		at.post(path+"edit", form).wants(http.StatusSeeOther, "done=object-unchanged")
	}
	now, err := b.Object(ctx, o.ID)
	if err != nil || now.Version != o.Version || !reflect.DeepEqual(now.Fields, o.Fields) {
		t.Errorf("got %v, %v, want %v", now, err, o.Fields)
	}
	form := formOf(t, at.get(path+"edit"))
	form.Set("f.a+%22quote%22", "new")
	contentType, body := browserForm(form)
	at.postBody(path+"edit", contentType, body).wants(http.StatusSeeOther, "done=object-changed")
	if now, err = b.Object(ctx, o.ID); err != nil || now.Fields[`a "quote"`] != "new" || now.Fields["a\nline"] != "\r" {
		t.Errorf("got %v, %v", now, err)
	}
}

// TestSchemaChangesMeanwhile shows that a form that was shown before a change of the schema
// loses nothing.
func TestSchemaChangesMeanwhile(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ctx := context.Background()
	ns, err := s.store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	schemaOf := func(fields map[string]bucketlite.FieldType) bucketlite.Schema {
		properties := make(map[string]bucketlite.Field)
		for name, t := range fields {
			properties[name] = bucketlite.Field{Type: t}
		}
		return bucketlite.Schema{Properties: properties}
	}
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "moving", Schema: schemaOf(map[string]bucketlite.FieldType{"title": "string", "leaves": "string", "closed": "integer"})})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"title": "a", "leaves": "kept", "closed": json.Number("12"), "comes": "kept too"}
	path, o := put(t, ns, b, bucketlite.ObjectInput{Fields: want})
	at := s.browser(t, allKey)
	form := formOf(t, at.get(path+"edit"))
	next := schemaOf(map[string]bucketlite.FieldType{"title": "string", "comes": "string", "moved": "string"})
	if _, err := b.ChangeSchema(ctx, next, &bucketlite.SchemaChangeOptions{Rename: map[string]string{"leaves": "moved"}, Drop: []string{"closed"}}); err != nil {
		t.Fatal(err)
	}
	form.Set("f.leaves", "typed")
	refused := at.post(path+"edit", form).wants(http.StatusUnprocessableEntity, "The schema has changed", "leaves", "typed", "kept")
	form.Set("f.leaves", "kept")
	form.Set("f.title", "b")
	at.post(path+"edit", form).wants(http.StatusSeeOther, "done=object-changed")
	want = map[string]any{"title": "b", "moved": "kept", "comes": "kept too"}
	now, err := b.Object(ctx, o.ID)
	if err != nil || !reflect.DeepEqual(now.Fields, want) {
		t.Fatalf("got %v, %v, want %v", now, err, want)
	}
	again := formOf(t, refused)
	again.Set("version", fmt.Sprint(now.Version))
	at.post(path+"edit", again).wants(http.StatusSeeOther, "done=object-unchanged")
}

// filesForm encodes a form with one file for each of some fields.
func filesForm(values url.Values, fields ...string) (contentType string, body *bytes.Buffer) {
	body = new(bytes.Buffer)
	w := multipart.NewWriter(body)
	for name, v := range values {
		w.WriteField(name, v[0])
	}
	for _, field := range fields {
		part, err := w.CreateFormFile("file."+field, field+".bin")
		if err == nil {
			fmt.Fprint(part, "\x00bytes of ", field)
		}
	}
	w.Close()
	return w.FormDataContentType(), body
}

// TestRefusedFiles shows that the files of a form that is refused take no space for good, and
// that those of a conflict wait for the choice.
func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ctx := context.Background()
	ns, b := makeBucket(t, s)
	base := "n/" + ns.ID() + "/b/" + b.ID() + "/"
	path, o := put(t, ns, b, bucketlite.ObjectInput{ID: "taken", Fields: map[string]any{"sku": "taken", "note": "old"}})
	at := s.browser(t, allKey)
	send := func(path string, values url.Values, fields ...string) *page {
		t.Helper()
		contentType, body := filesForm(values, fields...)
		return at.postBody(path, contentType, body)
	}
	send(base+"new", url.Values{"f.sku": {"a"}, "id": {"taken"}}, "files").wants(http.StatusConflict, "exists")
	send(base+"new", url.Values{"f.sku": {"taken"}}, "files").wants(http.StatusConflict, "exists")
	send(base+"new", url.Values{"f.sku": {"a"}}, "files", "nothing").wants(http.StatusUnprocessableEntity)
	seen := formOf(t, at.get(path+"edit"))
	put(t, ns, b, bucketlite.ObjectInput{ID: "taken", Fields: map[string]any{"sku": "taken", "note": "theirs"}})
	seen.Set("f.note", "mine")
	choice := send(path+"edit", seen, "file").wants(http.StatusConflict, "Take mine", "theirs", "<b>file</b>")
	uploads, err := b.ListUploads(ctx, bucketlite.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for i, u := range uploads.Results {
		want := bucketlite.StatusCanceled
		if i == len(uploads.Results)-1 {
			want = bucketlite.StatusPending // of the conflict: it expires unless the user chooses
		}
		if u.Status != want {
			t.Errorf("upload %d of %q: got %s, want %s", i, u.Property, u.Status, want)
		}
	}
	at.post(path+"edit", formOf(t, choice)).wants(http.StatusSeeOther, "done=object-changed")
	now, err := b.Object(ctx, o.ID)
	if err != nil || now.Fields["note"] != "mine" || len(now.Blobs) != 1 || now.Blobs[0].Details.Filename != "file.bin" {
		t.Errorf("got %+v, %v, want the user's text and file", now, err)
	}
}
