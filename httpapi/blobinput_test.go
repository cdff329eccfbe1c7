package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

const link = `"https://example.com/a.png"`

// blobServer has a bucket with one field that holds files, one with several, and two with
// a field called blob.
func blobServer(t *testing.T) *server {
	s := serve(t, nil)
	for name, fields := range map[string]string{
		"one":    `"photo": {"type": "image"}, "title": {"type": "string"}, "rank": {"type": "number"}, "facts": {"type": "object"}, "notes": {"type": "string", "required": true, "default": "none"}`,
		"stills": `"stills": {"type": "array", "items": {"type": "image"}}`,
		"two":    `"photo": {"type": "image"}, "film": {"type": "video"}`,
		"none":   `"title": {"type": "string"}`,
		"own":    `"blob": {"type": "image"}, "film": {"type": "video"}`,
		"plain":  `"blob": {"type": "object"}, "photo": {"type": "image"}`,
		"text":   `"doc": {"type": "text"}`,
	} {
		s.do("POST", "/v1/buckets", `{"bucket_name": "`+name+`", "bucket_schema": {"properties": {`+fields+`}}}`).want(http.StatusOK)
	}
	s.do("POST", "/v1/buckets", `{"bucket_name": "keyed", "bucket_schema": {"properties": {"sku": {"type": "string"}, "title": {"type": "string"}}},
		"unique_key": {"fields": ["sku"], "default_policy": "upsert"}}`).want(http.StatusOK)
	return s
}

// Blobs as known clients write them are taken where their meaning is clear.
func TestBlobTolerance(t *testing.T) {
	t.Parallel()
	s := blobServer(t)
	tests := []struct {
		name, bucket, body string
		warnings           []string
		want               map[string]string
	}{
		{"a url as the blob", "one", `{"title": "A", "blob": {"url": ` + link + `}}`, []string{"blob: a list of blobs", "blobs.url: data", "blobs.type"},
			map[string]string{"blobs.0.property": "photo", "blobs.0.properties.url": "https://example.com/a.png", "blob": "<nil>", "title": "A"}},
		{"a whole blob", "two", `{"blob": {"property": "film", "type": "video", "data": ` + link + `}}`, []string{"blob: a list of blobs"},
			map[string]string{"blobs.0.property": "film", "blobs.0.type": "video", "blob": "<nil>"}},
		{"a blob of a clear type", "two", `{"blob": {"type": "VIDEO", "data": ` + link + `}}`, []string{"blob: a list of blobs", "blobs.type"},
			map[string]string{"blobs.0.property": "film"}},
		{"a blob and blobs", "two", `{"blob": {"property": "film", "type": "video", "data": ` + link + `}, "blobs": [{"property": "photo", "type": "image", "data": ` + link + `}]}`,
			[]string{"blob: a list of blobs"}, map[string]string{"blobs.0.property": "photo", "blobs.1.property": "film"}},
		{"a blob for a list of files", "stills", `{"blob": {"url": ` + link + `}}`, []string{"blob: a list of blobs", "blobs.url", "blobs.type"},
			map[string]string{"blobs.0.property": "stills", "blobs.0.type": "image"}},
		{"one blob as blobs", "two", `{"blobs": {"property": "film", "type": "video", "data": ` + link + `}}`, []string{"blobs: a list expected"},
			map[string]string{"blobs.0.property": "film"}},
		{"a field called blob", "own", `{"blob": {"url": ` + link + `}}`, []string{"blob: a list of blobs", "blobs.url", "blobs.type"},
			map[string]string{"blobs.0.property": "blob", "blob": "<nil>"}},
		{"a field called blob that holds no file", "plain", `{"blob": {"url": ` + link + `}}`, nil, map[string]string{"blob.url": "https://example.com/a.png", "blobs": "[]"}},
		{"a property that is not clear", "two", `{"blob": {"url": ` + link + `}}`, []string{"blob: a list of blobs with their properties"}, map[string]string{"blob": `{"url":"https://example.com/a.png"}`, "blobs": "[]"}},
		{"a property that is not declared", "two", `{"blob": {"property": "other", "data": 5}}`, []string{"blob: a list of blobs with their properties"}, map[string]string{"blob.data": "5"}},
		{"an empty property", "one", `{"blob": {"property": "", "data": ` + link + `}}`, []string{"blob: a list of blobs expected", "blobs.type"}, map[string]string{"blobs.0.property": "photo"}},
		{"no property to have it", "none", `{"blob": {"url": ` + link + `}}`, nil, map[string]string{"blob": `{"url":"https://example.com/a.png"}`}},
		{"no content", "one", `{"blob": {"color": "red"}}`, nil, map[string]string{"blob.color": "red", "blobs": "[]"}},
		{"no object", "one", `{"blob": "red"}`, nil, map[string]string{"blob": "red"}},
		{"blobs without a property", "one", `{"blobs": [{"type": "image", "data": ` + link + `}]}`, []string{"blobs.property: the name of a field"}, map[string]string{"blobs.0.property": "photo"}},
		{"the type url", "two", `{"blobs": [{"property": "film", "type": "url", "data": ` + link + `}]}`, []string{"blobs.type: the field's type"}, map[string]string{"blobs.0.type": "video"}},
		{"the type url alone", "one", `{"blobs": [{"type": "URL", "data": ` + link + `}]}`, []string{"blobs.type: the field's type", "blobs.property"}, map[string]string{"blobs.0.type": "image"}},
		{"a URL as a filename", "one", `{"blobs": [{"property": "photo", "type": "image", "data": {"filename": ` + link + `, "mime_type": "image/png"}, "metadata": {"width": 200}}]}`,
			[]string{"blobs.data.filename: a URL as url"},
			map[string]string{"blobs.0.properties.url": "https://example.com/a.png", "blobs.0.details.mime_type": "image/png", "blobs.0.details.filename": "<nil>", "blobs.0.properties.width": "200"}},
		{"a URL as the filename in an object", "one", `{"blobs": [{"property": "facts", "type": "object", "data": {"filename": ` + link + `}}]}`, nil,
			map[string]string{"blobs.0.properties.data.filename": "https://example.com/a.png"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := "/v1/buckets/" + test.bucket + "/objects"
			single := s.deviating().do("POST", path, test.body).want(http.StatusOK).wantWarnings(test.warnings...)
			batch := s.deviating().do("POST", path+"/batch", `{"objects": [`+test.body+`]}`).want(http.StatusOK).wantWarnings(test.warnings...)
			patched := s.deviating().do("PATCH", path+"/"+single.text("object_id"), test.body).want(http.StatusOK).wantWarnings(test.warnings...)
			for at, want := range test.want {
				single.wantAt(at, want)
				batch.wantAt("succeeded.0."+at, want)
				patched.wantAt(at, want)
			}
			s.deviating().do("POST", path+"/validate", test.body).wantVerdict().wantWarnings(test.warnings...)
		})
	}
	for name, test := range map[string]struct {
		bucket, body string
		faults       []string
	}{
		"a blob without a property":    {"two", `{"blobs": [{"data": ` + link + `}]}`, []string{"body.blobs[0].property property"}},
		"a filename that is no URL":    {"one", `{"blobs": [{"property": "photo", "data": {"filename": "a.png"}}]}`, []string{"body.blobs[0].data data"}},
		"a filename of another scheme": {"one", `{"blobs": [{"property": "photo", "data": {"filename": "ftp://a/b.png"}}]}`, []string{"body.blobs[0].data.url data"}},
		"a text as blobs":              {"one", `{"blobs": "x"}`, []string{"body.blobs type"}},
		"an empty object as blobs":     {"one", `{"blobs": {}}`, []string{"body.blobs type"}},
		"a fault of the one blob":      {"one", `{"blob": {"url": "ftp://a/b.png"}}`, []string{"body.blobs[0].data data"}},
	} {
		t.Run(name, func(t *testing.T) {
			s.do("POST", "/v1/buckets/"+test.bucket+"/objects", test.body).wantFaults(test.faults...)
		})
	}
	t.Run("an update", func(t *testing.T) {
		path := "/v1/buckets/one/objects/" + s.put("one", `{"title": "A"}`)
		s.do("PUT", path, `{"metadata": {"title": "B"}, "blob": {"url": `+link+`}}`).want(http.StatusOK).
			wantAt("blobs.0.property", "photo").wantAt("title", "B").wantWarnings("blob: a list of blobs", "blobs.url", "blobs.type")
		s.do("PUT", path, `{"blob": {"color": "red"}}`).want(http.StatusOK).wantWarnings("blob: ignored").wantAt("blob", "<nil>")
		s.do("PUT", "/v1/buckets/two/objects/"+s.put("two", `{}`), `{"blob": {"url": `+link+`}}`).want(http.StatusOK).
			wantWarnings("blob: a list of blobs with their properties", "blob: ignored").wantAt("blob", "<nil>")
		s.do("PUT", path, `{"blob": 5}`).want(http.StatusOK).wantWarnings("blob: ignored").wantAt("blob", "<nil>")
	})
}

// A value that stands at the root and, equal, in a blob is stored once. The blob stays,
// with its metadata, where a blob can be, and what is stored already does not change its
// place.
func TestBlobBesideRoot(t *testing.T) {
	t.Parallel()
	s := blobServer(t)
	const once = "blobs.data: a value that stands at the root too"
	blob := func(property, data string) string {
		return `{"property": "` + property + `", "type": "string", "data": ` + data + `, "metadata": {"source": "x"}}`
	}
	objects := "/v1/buckets/one/objects"
	created := s.do("POST", objects, `{"title": "A", "blobs": [`+blob("title", `"A"`)+`]}`).want(http.StatusOK).wantWarnings(once).
		wantAt("title", "<nil>").wantAt("blobs.0.properties.data", "A").wantAt("blobs.0.properties.source", "x").wantAt("blobs.1", "<nil>")
	s.do("POST", objects+"/list", `{"filters": {"title": "A"}}`).want(http.StatusOK).wantAt("results.0.object_id", created.text("object_id"))
	s.do("POST", objects+"/batch", `{"objects": [{"title": "A", "blobs": [`+blob("title", `"A"`)+`]}]}`).want(http.StatusOK).wantWarnings(once).
		wantAt("succeeded.0.blobs.0.properties.data", "A")
	s.do("POST", objects, `{"rank": 5, "blobs": [{"property": "rank", "type": "number", "data": 5.0}]}`).want(http.StatusOK).wantWarnings(once).wantAt("blobs.0.properties.data", "5.0")
	s.do("POST", objects, `{"photo": `+link+`, "blobs": [{"property": "photo", "type": "image", "data": `+link+`}]}`).want(http.StatusOK).wantWarnings(once).
		wantAt("blobs.0.properties.url", "https://example.com/a.png").wantAt("photo", "<nil>")
	s.do("POST", "/v1/buckets/text/objects", `{"doc": "hello", "blobs": [{"property": "doc", "type": "text", "data": "hello"}]}`).want(http.StatusOK).wantWarnings(once).
		wantAt("blobs.0.properties.data", "hello")
	s.do("POST", objects, `{"title": "A", "blobs": [`+blob("title", `"B"`)+`]}`).wantFaults("body.title property")
	s.do("POST", objects, `{"title": null, "blobs": [`+blob("title", `"B"`)+`]}`).want(http.StatusOK).wantWarnings().wantAt("blobs.0.properties.data", "B")

	// A patch keeps a value where it is stored.
	path := objects + "/" + created.text("object_id")
	s.do("PATCH", path, `{"title": "B", "blobs": [`+blob("title", `"B"`)+`]}`).want(http.StatusOK).wantWarnings(once).
		wantAt("title", "<nil>").wantAt("blobs.0.properties.data", "B")
	s.do("PUT", path, `{"metadata": {"title": "C"}, "blobs": [`+blob("title", `"C"`)+`]}`).want(http.StatusOK).wantWarnings(once).
		wantAt("title", "<nil>").wantAt("blobs.0.properties.data", "C")
	path = objects + "/" + s.put("one", `{"notes": "A"}`)
	s.do("PATCH", path, `{"notes": "B", "blobs": [`+blob("notes", `"B"`)+`]}`).want(http.StatusOK).wantWarnings(once).wantAt("notes", "B").wantAt("blobs", "[]")
	s.do("PATCH", path, `{"title": "B", "blobs": [`+blob("title", `"B"`)+`]}`).want(http.StatusOK).wantWarnings(once).wantAt("title", "<nil>").wantAt("blobs.0.properties.data", "B")
	s.do("PATCH", objects+"/nobody", `{"title": "B", "blobs": [`+blob("title", `"B"`)+`]}`).wantError(http.StatusNotFound, "NotFoundError")

	// A field of the unique key is at the root.
	keyed := "/v1/buckets/keyed/objects"
	for range 2 {
		s.do("POST", keyed, `{"sku": "A-1", "blobs": [`+blob("sku", `"A-1"`)+`, `+blob("title", `"A"`)+`], "title": "A"}`).want(http.StatusOK).wantWarnings(once).
			wantAt("sku", "A-1").wantAt("blobs.0.property", "title").wantAt("blobs.1", "<nil>")
	}
}

// Clients that have a type for URLs get strings.
func TestTypeURL(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", `{"bucket_name": "sites", "bucket_schema": {"properties": {
		"home": {"type": "url", "required": true}, "links": {"type": "array", "items": {"type": "URL"}},
		"more": {"type": "object", "properties": {"about": {"type": "url", "format": "uri-reference"}}}}}}`).want(http.StatusOK).
		wantWarnings("bucket_schema.properties.home.type: string expected", "bucket_schema.properties.links.items.type: string", "bucket_schema.properties.more.properties.about.type: string").
		wantAt("bucket_schema.properties.home", `{"format":"uri","required":true,"type":"string"}`).
		wantAt("bucket_schema.properties.links.items", `{"format":"uri","type":"string"}`).
		wantAt("bucket_schema.properties.more.properties.about", `{"format":"uri-reference","type":"string"}`)
	s.do("POST", "/v1/buckets/sites/objects", `{"home": "https://example.com/", "links": ["https://example.com/a"]}`).want(http.StatusOK)
	s.do("POST", "/v1/buckets/sites/objects", `{"home": "example", "links": ["/a"]}`).wantFaults("body.home format", "body.links[0] format")
	s.do("POST", "/v1/buckets/sites/objects", `{"blobs": [{"property": "home", "type": "url", "data": "https://example.com/"}]}`).want(http.StatusOK).
		wantWarnings("blobs.type").wantAt("blobs.0.type", "string").wantAt("blobs.0.properties.data", "https://example.com/")
}

// The size of a file has a shorter name in some clients, and may be digits there.
func TestFileSize(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	uploads := "/v1/buckets/films/uploads"
	upload := func(more string) string {
		return `{"filename": "film.mp4", "content_type": "video/mp4", "object_metadata": {"film_id": "f1"}, ` + more + `}`
	}
	for _, size := range []string{`100`, `"100"`} {
		up := s.do("POST", uploads, upload(`"file_size": `+size)).want(http.StatusOK).wantWarnings("file_size: file_size_bytes expected").wantAt("file_size_bytes", "100")
		s.anyone().do("PUT", up.text("presigned_url"), noise(100)).want(http.StatusOK)
		confirm := uploads + "/" + up.text("upload_id") + "/confirm"
		s.do("POST", confirm, `{"file_size": "0"}`).wantFaults("body.file_size minimum")
		s.do("POST", confirm, `{"file_size": `+size+`}`).want(http.StatusOK).wantWarnings("file_size: file_size_bytes expected")
	}
	s.do("POST", uploads+"/batch", `{"uploads": [`+upload(`"file_size": "7"`)+`]}`).want(http.StatusOK).
		wantWarnings("uploads[0].file_size: file_size_bytes expected").wantAt("uploads.0.file_size_bytes", "7")
	for _, size := range []string{`"ten"`, `"1e2"`, `"1.0"`, `" 1"`, `""`, `true`, `[]`} {
		s.do("POST", uploads, upload(`"file_size": `+size)).wantFaults("body.file_size_bytes type")
	}
	s.do("POST", uploads, upload(`"file_size": "0"`)).wantFaults("body.file_size_bytes minimum")
	s.do("POST", uploads, upload(`"file_size": "-5"`)).wantFaults("body.file_size_bytes minimum")
	s.do("POST", uploads, upload(`"file_size": 7, "file_size_bytes": 100`)).want(http.StatusOK).
		wantWarnings("file_size: ignored, file_size_bytes is given too").wantAt("file_size_bytes", "100")
	s.do("POST", uploads, upload(`"file_size": 100, "file_size_bytes": 100`)).want(http.StatusOK).wantWarnings()
}

// A browser has an empty type for a file that it does not know. It says nothing: the bytes
// decide.
func TestUploadTypeEmpty(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	uploads := "/v1/buckets/films/uploads"
	const upload = `{"filename": "notes", "content_type": "", "object_metadata": {"film_id": "f1"}}`
	up := s.do("POST", uploads, upload).want(http.StatusOK).wantWarnings("content_type: a MIME type expected").wantAt("content_type", "application/octet-stream")
	s.anyone().do("PUT", up.text("presigned_url"), noise(100)).wantError(http.StatusUnprocessableEntity, "ValidationError")
	s.anyone().do("PUT", up.text("presigned_url"), []byte("some words")).want(http.StatusOK)
	done := s.do("POST", uploads+"/"+up.text("upload_id")+"/confirm", nil).want(http.StatusOK)
	s.do("GET", "/v1/buckets/films/objects/"+done.text("object_id"), nil).want(http.StatusOK).wantAt("blobs.0.details.mime_type", "text/plain")
	s.do("POST", uploads+"/batch", `{"uploads": [`+upload+`]}`).want(http.StatusOK).wantWarnings("uploads[0].content_type: a MIME type expected")
}

// An upload without a property is one of its filename. The answer says which is missing.
func TestUploadPropertyMissing(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	for _, test := range []struct {
		name, body, want string
	}{
		{"neither", `{"content_type": "video/mp4"}`, "no filename to take it from"},
		{"an empty filename", `{"content_type": "video/mp4", "filename": ""}`, "no filename to take it from"},
		{"an extension", `{"content_type": "video/mp4", "filename": ".mp4"}`, `the filename ".mp4" has no name`},
		{"an undeclared one", `{"content_type": "video/mp4", "filename": "intro.mp4"}`, `not declared in the schema: "intro"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := s.do("POST", "/v1/buckets/films/uploads", test.body).wantError(http.StatusUnprocessableEntity, "ValidationError")
			if text := got.text("error.details.validation_errors"); !strings.Contains(text, `"location":"body.blob_property"`) || !strings.Contains(strings.ReplaceAll(text, `\"`, `"`), test.want) {
				t.Errorf("got %s, want %s", text, test.want)
			}
		})
	}
	got := s.do("POST", "/v1/buckets/films/uploads", `{"content_type": "video/mp4", "blob_property": "film", "object_metadata": {"film_id": "a"}}`)
	got.wantFaults("body.filename required")
}
