package httpapi_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// paper is a schema with the types that the hosted service lacks, at each place.
const paper = `{"properties": {"k": {"type": "string"}, "doc": {"type": "pdf", "x-type": "document", "description": "any"}, "raw": {"type": "text", "x-type": "file"},
	"scans": {"type": "array", "items": {"type": "pdf", "x-type": "document"}}, "page": {"type": "pdf"}, "note": {"type": "text", "x-type": "mine"}}}`

// Types that the hosted service lacks have its own names in every answer, with the
// true name beside them.
func TestTrueTypes(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	wantSchema := func(a *reply, at string) {
		t.Helper()
		a.want(http.StatusOK).wantAt(at+".doc.type", "pdf").wantAt(at+".doc.x-type", "document").wantAt(at+".doc.description", "any").
			wantAt(at+".raw.type", "text").wantAt(at+".raw.x-type", "file").
			wantAt(at+".scans.items.type", "pdf").wantAt(at+".scans.items.x-type", "document").
			wantAt(at+".page.type", "pdf").wantAt(at+".page.x-type", "<nil>").wantAt(at+".note.x-type", "mine")
	}
	create := `{"bucket_name": "paper", "bucket_schema": ` + paper + `, "unique_key": {"fields": ["k"], "default_policy": "upsert"}}`
	wantSchema(s.do("POST", "/v1/buckets", create).wantWarnings(), "bucket_schema.properties")
	wantSchema(s.do("GET", "/v1/buckets/paper", nil), "bucket_schema.properties")
	wantSchema(s.do("POST", "/v1/buckets/list", nil), "results.0.bucket_schema.properties")
	wantSchema(s.do("PATCH", "/v1/buckets/paper", `{"description": "d"}`), "bucket_schema.properties")

	docx := base64.StdEncoding.EncodeToString([]byte("PK\x03\x04"))
	noisy := base64.StdEncoding.EncodeToString([]byte{0, 1, 2})
	object := func(k, doc, raw string) string {
		return fmt.Sprintf(`{"k": %q, "blobs": [{"property": "doc", "type": %q, "data": {"base64": %q, "filename": "a.docx"}},
			{"property": "raw", "type": %q, "data": {"base64": %q}}]}`, k, doc, docx, raw, noisy)
	}
	wantBlobs := func(a *reply, at string) {
		t.Helper()
		a.want(http.StatusOK).wantAt(at+"blobs.0.type", "pdf").wantAt(at+"blobs.0.x-type", "document").
			wantAt(at+"blobs.1.type", "text").wantAt(at+"blobs.1.x-type", "file").wantAt(at+"blobs.1.details.mime_type", "application/octet-stream")
	}
	const objects = "/v1/buckets/paper/objects"
	created := s.do("POST", objects, object("1", "pdf", "text")).wantWarnings()
	wantBlobs(created, "")
	wantBlobs(s.do("POST", objects, object("1", "document", "FILE")).wantWarnings("blobs.type: pdf expected, with x-type document", "blobs.type: file expected", "blobs.type: text expected, with x-type file"), "")
	wantBlobs(s.do("POST", objects+"/batch", `{"objects": [`+object("2", "pdf", "text")+`]}`), "succeeded.0.")
	wantBlobs(s.do("POST", objects+"/list", `{}`), "results.0.")
	got := s.do("GET", objects+"/"+created.text("object_id")+"?return_presigned_urls=true", nil)
	wantBlobs(got, "")

	// An object that is sent back as it came is the same.
	again := s.do("GET", objects+"/"+created.text("object_id"), nil).want(http.StatusOK)
	s.deviating().do("PATCH", objects+"/"+created.text("object_id"), json.RawMessage(again.body)).want(http.StatusOK)
	s.do("POST", objects, object("3", "image", "text")).wantFaults("body.blobs[0].type type")

	const uploads = "/v1/buckets/paper/uploads"
	for _, given := range []string{`"blob_type": "pdf"`, `"blob_type": "pdf", "x-type": "document"`, `"blob_type": "document"`, `"blob_type": null`} {
		up := s.do("POST", uploads, `{"filename": "a.docx", "content_type": "application/octet-stream", "blob_property": "doc", `+given+`, "object_metadata": {"k": "1"}}`)
		up.want(http.StatusOK).wantAt("blob_type", "pdf").wantAt("x-type", "document")
		s.do("GET", uploads+"/"+up.text("upload_id"), nil).want(http.StatusOK).wantAt("blob_type", "pdf").wantAt("x-type", "document")
	}
	s.do("POST", uploads+"/batch", `{"uploads": [{"filename": "a", "content_type": "a/b", "blob_property": "raw", "object_metadata": {"k": "1"}}]}`).
		want(http.StatusOK).wantAt("uploads.0.blob_type", "text").wantAt("uploads.0.x-type", "file")
	s.do("POST", uploads+"/list", `{}`).want(http.StatusOK).wantAt("results.0.blob_type", "text").wantAt("results.0.x-type", "file")
}

// The plain names are taken too, and an unknown type's error lists all.
func TestPlainTypes(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	create := `{"bucket_name": "b", "bucket_schema": {"properties": {"doc": {"type": "Document"}, "raw": {"type": "file"}, "other": {"type": "image", "x-type": "FILE"}}}}`
	s.do("POST", "/v1/buckets", create).want(http.StatusOK).
		wantWarnings("properties.doc.type: pdf expected, with x-type document", "properties.raw.type: text expected, with x-type file").
		wantAt("bucket_schema.properties.doc.x-type", "document").wantAt("bucket_schema.properties.raw.x-type", "file").wantAt("bucket_schema.properties.other.x-type", "file")
	refused := s.do("POST", "/v1/buckets", `{"bucket_name": "c", "bucket_schema": {"properties": {"doc": {"type": "dokument"}}}}`).
		wantFaults("body.bucket_schema.properties.doc.type type")
	for _, want := range []string{"string", "excel", "document", "file", `did you mean \"document\"`} {
		if !strings.Contains(refused.body, want) {
			t.Errorf("got %s, want %s in it", refused.body, want)
		}
	}
}

// A field of text takes a document that is declared, with a warning.
func TestDocumentsInText(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", `{"bucket_name": "b", "bucket_schema": {"properties": {"k": {"type": "string"}, "doc": {"type": "text"}}}}`).want(http.StatusOK)
	const zip = "PK\x03\x04\x14\x00\x00\x00\x00\x00"
	bring := func(mimeType, data string) *reply {
		up := s.do("POST", "/v1/buckets/b/uploads", map[string]any{"filename": "pack", "content_type": mimeType, "blob_property": "doc"}).want(http.StatusOK)
		s.anyone().do("PUT", up.text("presigned_url"), []byte(data)).want(http.StatusOK)
		done := s.do("POST", "/v1/buckets/b/uploads/"+up.text("upload_id")+"/confirm", nil).want(http.StatusOK)
		s.do("GET", "/v1/buckets/b/objects/"+done.text("object_id"), nil).want(http.StatusOK).wantAt("blobs.0.type", "text")
		return up
	}
	bring("application/zip", zip).wantWarnings("content_type: text expected, got application/zip")
	bring("application/pdf", "%PDF-1.7\n%\xe2\xe3").wantWarnings("content_type: text expected, got application/pdf")
	bring("text/plain", "text").wantWarnings()
	bring("application/octet-stream", "text").wantWarnings()
	s.do("POST", "/v1/buckets/b/uploads/batch", `{"uploads": [{"filename": "pack", "content_type": "application/zip", "blob_property": "doc"}]}`).
		want(http.StatusOK).wantWarnings("uploads.content_type: text expected, got application/zip")
	s.do("POST", "/v1/buckets/b/uploads", `{"filename": "pack", "content_type": "image/png", "blob_property": "doc"}`).wantFaults("body.content_type mime")

	object := fmt.Sprintf(`{"blobs": [{"property": "doc", "type": "text", "data": {"base64": %q, "mime_type": "application/zip"}}]}`, base64.StdEncoding.EncodeToString([]byte(zip)))
	created := s.do("POST", "/v1/buckets/b/objects", object).want(http.StatusOK).wantWarnings("blobs.doc: text expected, got application/zip").
		wantAt("blobs.0.details.mime_type", "application/zip")
	s.do("PATCH", "/v1/buckets/b/objects/"+created.text("object_id"), object).want(http.StatusOK).wantWarnings("blobs.doc: text expected, got application/zip")
	s.do("PATCH", "/v1/buckets/b/objects/"+created.text("object_id"), `{"k": "1"}`).want(http.StatusOK).wantWarnings()
	s.do("POST", "/v1/buckets/b/objects/batch", `{"objects": [`+object+`]}`).want(http.StatusOK).wantWarnings("blobs.doc: text expected, got application/zip")
	s.do("POST", "/v1/buckets/b/objects/validate", object).want(http.StatusOK).wantAt("valid", "true")
}

// Text is served with its charset: the one that was declared, or UTF-8 if it is that.
func TestServedCharset(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", `{"bucket_name": "b", "bucket_schema": {"properties": {"doc": {"type": "text"}, "sheet": {"type": "excel"}, "raw": {"type": "pdf", "x-type": "file"}}}}`).want(http.StatusOK)
	for name, test := range map[string]struct{ property, declared, data, want string }{
		"declared UTF-8":    {"doc", "text/plain; charset=utf-8", "Grüße 日本語", "text/plain; charset=utf-8"},
		"Shift JIS":         {"doc", "text/plain; charset=Shift_JIS", "\x93\xfa\x96\x7b\x8c\xea", "text/plain; charset=Shift_JIS"},
		"Markdown":          {"doc", "text/markdown", "# Grüße", "text/markdown; charset=utf-8"},
		"declared, ASCII":   {"doc", "text/plain; charset=utf-8", "a", "text/plain; charset=utf-8"},
		"ASCII":             {"doc", "text/plain", "some words", "text/plain"},
		"long, ASCII first": {"doc", "text/plain", strings.Repeat("a", 300_000) + "é", "text/plain; charset=utf-8"},
		"nothing":           {"doc", "text/plain", "", "text/plain"},
		"UTF-16":            {"doc", "text/plain", "\xff\xfea\x00", "text/plain; charset=utf-16"},
		"JSON":              {"doc", "application/json", `{"a": "ü"}`, "application/json"},
		"sheet in UTF-8":    {"sheet", "text/csv", "ü,1\n", "text/csv; charset=utf-8"},
		"sheet in Latin-1":  {"sheet", "text/csv", "\xfc,1\n", "text/csv"},
		"sheet, declared":   {"sheet", "text/csv; charset=latin1", "\xfc,1\n", "text/csv; charset=latin1"},
		"cut in the middle": {"sheet", "text/csv", "a" + strings.Repeat("日", 100_000), "text/csv; charset=utf-8"},
		"no text":           {"raw", "application/x-thing", "\x00\x01", "application/x-thing"},
	} {
		t.Run(name, func(t *testing.T) {
			up := s.do("POST", "/v1/buckets/b/uploads", map[string]any{"filename": "a", "content_type": test.declared, "blob_property": test.property}).want(http.StatusOK)
			s.anyone().do("PUT", up.text("presigned_url"), []byte(test.data)).want(http.StatusOK)
			done := s.do("POST", "/v1/buckets/b/uploads/"+up.text("upload_id")+"/confirm", nil).want(http.StatusOK).wantAt("file_size_bytes", fmt.Sprint(len(test.data)))
			s.do("GET", "/v1/buckets/b/uploads/"+up.text("upload_id"), nil).want(http.StatusOK).wantAt("file_size_bytes", fmt.Sprint(len(test.data))).wantAt("content_type", test.declared)
			o := s.do("GET", "/v1/buckets/b/objects/"+done.text("object_id")+"?return_presigned_urls=true", nil).want(http.StatusOK).
				wantAt("blobs.0.details.size_bytes", fmt.Sprint(len(test.data)))
			got := s.anyone().do("GET", o.text("blobs.0.properties.presigned_url"), nil).want(http.StatusOK)
			if got.header.Get("Content-Type") != test.want || got.body != test.data {
				t.Errorf("got %q and %.20q, want %q and the text", got.header.Get("Content-Type"), got.body, test.want)
			}
		})
	}
}
