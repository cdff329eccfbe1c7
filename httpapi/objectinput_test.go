package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestObjectTolerance(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", `{"bucket_name": "things", "bucket_schema": {"properties": {
		"photo": {"type": "image"}, "film": {"type": "video"}, "facts": {"type": "object"}, "title": {"type": "string"}}}}`).want(http.StatusOK)
	s.do("POST", "/v1/buckets", `{"bucket_name": "declared", "bucket_schema": {"properties": {"metadata": {"type": "object"}}}}`).want(http.StatusOK)
	tests := []struct {
		name, bucket, body string
		warnings           []string
		path, want         string
	}{
		{"a url for data", "things", `{"blobs": [{"property": "photo", "type": "image", "url": "https://example.com/a.png"}]}`,
			[]string{"blobs.url: data expected"}, "blobs.0.properties.url", "https://example.com/a.png"},
		{"a url beside null", "things", `{"blobs": [{"property": "photo", "type": "image", "data": null, "upload_id": null, "url": "https://example.com/a.png"}]}`,
			[]string{"blobs.url: data expected"}, "blobs.0.properties.url", "https://example.com/a.png"},
		{"a url beside data", "things", `{"blobs": [{"property": "photo", "type": "image", "data": "https://example.com/b.png", "url": "https://example.com/a.png"}]}`,
			nil, "blobs.0.properties.url", "https://example.com/b.png"},
		{"one of several", "things", `{"blobs": [{"property": "photo", "type": "image", "data": "https://example.com/b.png"}, {"property": "film", "type": "video", "url": "s3://a/b.mp4"}]}`,
			[]string{"blobs.url: data expected"}, "blobs.1.properties.url", "s3://a/b.mp4"},
		{"no type", "things", `{"blobs": [{"property": "photo", "data": "https://example.com/a.png"}]}`,
			[]string{"blobs.type: the field's type expected"}, "blobs.0.type", "image"},
		{"a type in upper case", "things", `{"blobs": [{"property": "photo", "type": "IMAGE", "data": "https://example.com/a.png"}]}`,
			[]string{"blobs.type: image expected"}, "blobs.0.type", "image"},
		{"json for object", "things", `{"blobs": [{"property": "facts", "type": "json", "data": {"a": 1}}]}`,
			[]string{"blobs.type: object expected"}, "blobs.0.properties.data.a", "1"},
		{"an id", "things", `{"object_id": "mine"}`, []string{"object_id: none expected"}, "object_id", "mine"},
		{"fields in metadata", "things", `{"metadata": {"title": "A", "year": 1979}}`,
			[]string{"metadata: its members"}, "metadata.year", "1979"},
		{"metadata that is declared", "declared", `{"metadata": {"title": "A"}}`, nil, "metadata.title", "A"},
		{"nulls", "things", `{"object_id": null, "key_prefix": null, "blobs": null, "skip_duplicates": null, "canonicalize_source": null,
			"force_remirror": null, "status": null, "title": "A"}`, nil, "title", "A"},
		{"nulls in a blob", "things", `{"blobs": [{"property": "photo", "type": null, "key_prefix": null, "data": "https://example.com/a.png",
			"upload_id": null, "metadata": null, "canonicalize_source": null, "force_remirror": null}]}`,
			[]string{"blobs.type: the field's type expected"}, "blobs.0.type", "image"},
		{"the hosted service's options", "things", `{"title": "A", "skip_duplicates": true, "canonicalize_source": true, "force_remirror": false}`,
			nil, "skip_duplicates", "<nil>"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := "/v1/buckets/" + test.bucket + "/objects"
			s.deviating().do("POST", path, test.body).want(http.StatusOK).wantWarnings(test.warnings...).wantAt(test.path, test.want)
			body := strings.ReplaceAll(test.body, `"mine"`, `"yours"`)
			want := strings.ReplaceAll(test.want, "mine", "yours")
			s.deviating().do("POST", path+"/batch", `{"objects": [`+body+`]}`).want(http.StatusOK).wantWarnings(test.warnings...).
				wantAt("succeeded.0."+test.path, want)
		})
	}
	for name, body := range map[string]string{
		"neither data nor an upload": `{"blobs": [{"property": "photo", "data": null, "upload_id": null}]}`,
		"a null for a url":           `{"blobs": [{"property": "photo", "url": null}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			s.do("POST", "/v1/buckets/things/objects", body).wantFaults("body.blobs[0].data required")
		})
	}
}

func TestObjectWarnsOnce(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	s.do("POST", "/v1/buckets/films/objects/batch", `{"objects": [
		{"film_id": "a", "metadata": {}, "blobs": [{"property": "poster", "type": "IMAGE", "url": "https://example.com/a.png"}]},
		{"film_id": "b", "metadata": {}, "blobs": [{"property": "poster", "type": "IMAGE", "url": "https://example.com/b.png"}]}]}`).
		want(http.StatusOK).wantWarnings("blobs.type", "blobs.url", "metadata").wantAt("succeeded_count", "2")
}
