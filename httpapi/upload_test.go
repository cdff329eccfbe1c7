package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

func TestUploadCreate(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	bucket := s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK).text("bucket_id")

	up := s.do("POST", "/v1/buckets/films/uploads", `{"filename": "film.mp4", "content_type": "video/mp4", "object_metadata": {"film_id": "f1"},
		"file_size_bytes": null, "presigned_url_expiration": null, "metadata": null, "create_object_on_confirm": null, "blob_property": null,
		"blob_type": null, "file_hash": null, "skip_duplicates": null, "unheard_of": 5}`).want(http.StatusOK).wantWarnings()
	up.wantAt("bucket_id", bucket).wantAt("status", "PENDING").wantAt("filename", "film.mp4").wantAt("content_type", "video/mp4").
		wantAt("presigned_url_expiration", "3600").wantAt("create_object_on_confirm", "true").wantAt("skip_duplicates", "true").
		wantAt("blob_property", "film").wantAt("blob_type", "video").wantAt("metadata", "{}").wantAt("is_duplicate", "false").
		wantAt("skipped_unique_key", "false").wantAt("completed_at", "<nil>").wantAt("etag", "<nil>")
	if got, want := up.text("s3_key"), bucket+"/"+up.text("upload_id")+"/film.mp4"; !strings.HasSuffix(got, want) {
		t.Errorf("got s3_key %s, want it to end with %s", got, want)
	}
	var created, expires time.Time
	for path, to := range map[string]*time.Time{"created_at": &created, "expires_at": &expires} {
		if err := to.UnmarshalText([]byte(up.text(path))); err != nil || to.Location() != time.UTC {
			t.Errorf("%s: got %s, want a time in UTC", path, up.text(path))
		}
	}
	if got := expires.Sub(created); got != time.Hour {
		t.Errorf("got %v from created_at to expires_at, want an hour", got)
	}

	s.announce(map[string]any{"blob_type": "VIDEO", "file_size_bytes": 10, "presigned_url_expiration": 60, "metadata": map[string]any{"campaign": "summer"}}).
		wantWarnings().wantAt("blob_type", "video").wantAt("file_size_bytes", "10").wantAt("presigned_url_expiration", "60").wantAt("metadata.campaign", "summer")

	// Bytes that are there need not be sent, and neither need those of an object that is there.
	data := noise(100)
	first, _ := s.bring(map[string]any{"object_metadata": map[string]any{"film_id": "f2"}}, data)
	hash := strings.Trim(etag(data), `"`)
	again := map[string]any{"object_metadata": map[string]any{"film_id": "f3"}, "file_hash": hash}
	s.announce(again).wantAt("is_duplicate", "true").wantAt("duplicate_of_upload_id", first).wantAt("presigned_url", "<nil>").wantAt("status", "PENDING")
	again["skip_duplicates"] = false
	if got := s.announce(again).wantAt("is_duplicate", "false").text("presigned_url"); got == "<nil>" {
		t.Error("got no URL for bytes that are to be sent again")
	}
	s.deviating().announce(map[string]any{"object_metadata": map[string]any{"film_id": "f2"}, "policy": "INSERT"}).
		wantAt("status", "SKIPPED").wantAt("skipped_unique_key", "true").wantAt("presigned_url", "<nil>").
		wantAt("existing_object_id", s.do("GET", "/v1/buckets/films/uploads/"+first, nil).text("object_id"))
}

func TestUploadRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	const least = `"filename": "film.mp4", "content_type": "video/mp4", "object_metadata": {"film_id": "f1"}`
	tests := []struct {
		name, body string
		faults     []string
	}{
		{"nothing", ``, []string{"body.filename required", "body.blob_property property", "body.content_type required", "body.object_metadata.film_id required"}},
		{"wrong types", `{"filename": 5, "content_type": [], "file_size_bytes": "10", "object_metadata": []}`,
			[]string{"body.filename type", "body.content_type type", "body.file_size_bytes type", "body.object_metadata type"}},
		{"no bytes", `{` + least + `, "file_size_bytes": 0}`, []string{"body.file_size_bytes minimum"}},
		{"fewer", `{` + least + `, "file_size_bytes": -1}`, []string{"body.file_size_bytes minimum"}},
		{"no time", `{` + least + `, "presigned_url_expiration": 0}`, []string{"body.presigned_url_expiration minimum"}},
		{"little time", `{` + least + `, "presigned_url_expiration": 59}`, []string{"body.presigned_url_expiration minimum"}},
		{"long time", `{` + least + `, "presigned_url_expiration": 86401}`, []string{"body.presigned_url_expiration maximum"}},
		{"a path", `{"filename": "../film.mp4", "blob_property": "film", "content_type": "video/mp4", "object_metadata": {"film_id": "f1"}}`, []string{"body.filename name"}},
		{"a hash that is none", `{` + least + `, "file_hash": "ABC"}`, []string{"body.file_hash pattern"}},
		{"another type", `{` + least + `, "blob_type": "IMAGE"}`, []string{"body.blob_type type"}},
		{"a policy that is none", `{` + least + `, "policy": "perhaps"}`, []string{"body.policy enum"}},
		{"an object that does not conform", `{"filename": "film.mp4", "content_type": "video/mp4", "object_metadata": {"film_id": "f1", "year": "x"}}`,
			[]string{"body.object_metadata.year type"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { s.do("POST", "/v1/buckets/films/uploads", test.body).wantFaults(test.faults...) })
	}
	s.do("POST", "/v1/buckets/films/uploads", `{`+least+`, "file_size_bytes": 6000000000}`).wantError(http.StatusRequestEntityTooLarge, "PayloadTooLargeError")
	s.do("POST", "/v1/buckets/nowhere/uploads", `{`+least+`}`).wantError(http.StatusNotFound, "NotFoundError")
	for _, id := range []string{"upl_01HZZZZZZZZZZZZZZZZZZZZZZZ", "x"} {
		s.do("GET", "/v1/buckets/films/uploads/"+id, nil).wantError(http.StatusNotFound, "NotFoundError")
		s.do("DELETE", "/v1/buckets/films/uploads/"+id, nil).wantError(http.StatusNotFound, "NotFoundError")
		s.do("POST", "/v1/buckets/films/uploads/"+id+"/confirm", nil).wantError(http.StatusNotFound, "NotFoundError")
		s.do("POST", "/v1/buckets/films/uploads/"+id+"/confirm?async=true", nil).wantError(http.StatusNotFound, "NotFoundError")
	}
}

// Another bucket, or another namespace, does not reach an upload.
func TestUploadElsewhere(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: []httpapi.Key{{Secret: secret}, {Secret: "reader", ReadOnly: true}}})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	s.do("POST", "/v1/buckets", films("others")).want(http.StatusOK)
	if _, err := s.store.CreateNamespace(t.Context(), bucketlite.NamespaceConfig{Name: "other"}); err != nil {
		t.Fatal(err)
	}
	up := s.announce(nil)
	id, bucket := up.text("upload_id"), up.text("bucket_id")
	for _, c := range []struct {
		s    *server
		path string
	}{{s, "/v1/buckets/others/uploads/"}, {s.as("X-Namespace", "other"), "/v1/buckets/" + bucket + "/uploads/"}} {
		c.s.do("GET", c.path+id, nil).wantError(http.StatusNotFound, "NotFoundError")
		c.s.do("DELETE", c.path+id, nil).wantError(http.StatusNotFound, "NotFoundError")
		c.s.do("POST", c.path+id+"/confirm", nil).wantError(http.StatusNotFound, "NotFoundError")
		c.s.do("POST", c.path+"confirm/batch", map[string]any{"confirmations": []any{map[string]any{"upload_id": id}}}).wantError(http.StatusNotFound, "NotFoundError")
	}
	reader := s.as("Authorization", "Bearer reader")
	reader.do("GET", "/v1/buckets/films/uploads/"+id, nil).want(http.StatusOK)
	reader.do("POST", "/v1/buckets/films/uploads/list", nil).want(http.StatusOK).wantAt("results.0.upload_id", id)
	for _, c := range []struct{ method, path string }{
		{"POST", ""}, {"POST", "/batch"}, {"POST", "/confirm/batch"}, {"POST", "/" + id + "/confirm"}, {"DELETE", "/" + id},
	} {
		reader.do(c.method, "/v1/buckets/films/uploads"+c.path, nil).wantError(http.StatusForbidden, "ForbiddenError")
	}
}

func TestUploadBatch(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	one := func(id string) map[string]any {
		return map[string]any{"filename": "film.mp4", "content_type": "video/mp4", "object_metadata": map[string]any{"film_id": id, "year": 1927}}
	}
	got := s.do("POST", "/v1/buckets/films/uploads/batch", map[string]any{
		"uploads": []any{one("f1"), one("f2")}, "shared_metadata": map[string]any{"campaign": "summer"},
		"shared_object_metadata": map[string]any{"title": "Metropolis", "year": 1926},
	}).want(http.StatusOK).wantAt("total", "2").wantAt("uploads.2", "<nil>")
	for i, id := range []string{"f1", "f2"} {
		at := fmt.Sprintf("uploads.%d.", i)
		got.wantAt(at+"object_metadata.film_id", id).wantAt(at+"object_metadata.title", "Metropolis").
			wantAt(at+"object_metadata.year", "1927").wantAt(at+"metadata.campaign", "summer")
		s.anyone().do("PUT", got.text(at+"presigned_url"), noise(100)).want(http.StatusOK)
	}
	s.do("POST", "/v1/buckets/films/uploads/batch", map[string]any{"uploads": []any{one("f3")}, "shared_metadata": nil, "shared_object_metadata": nil}).
		want(http.StatusOK).wantAt("total", "1")

	many := make([]any, 101)
	for i := range many {
		many[i] = one(fmt.Sprint(i))
	}
	wrong := one("f1")
	wrong["filename"] = 5
	late := one("f2")
	late["presigned_url_expiration"] = 10
	for _, test := range []struct {
		name   string
		body   any
		faults []string
	}{
		{"nothing", nil, []string{"body.uploads required"}},
		{"null", map[string]any{"uploads": nil}, []string{"body.uploads required"}},
		{"none", map[string]any{"uploads": []any{}}, []string{"body.uploads minItems"}},
		{"too many", map[string]any{"uploads": many}, []string{"body.uploads maxItems"}},
		{"no list", map[string]any{"uploads": one("f1"), "shared_metadata": 5}, []string{"body.shared_metadata type", "body.uploads type"}},
		{"no objects", map[string]any{"uploads": []any{one("f1"), "f2"}}, []string{"body.uploads[1] type"}},
		{"a wrong type", map[string]any{"uploads": []any{one("f1"), wrong}}, []string{"body.uploads[1].filename type"}},
		{"a wrong value", map[string]any{"uploads": []any{one("f1"), late}}, []string{"body.uploads[1].presigned_url_expiration minimum"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.do("POST", "/v1/buckets/films/uploads/batch", test.body).wantFaults(test.faults...)
		})
	}
	s.do("POST", "/v1/buckets/films/uploads/batch", map[string]any{"uploads": many[:100]}).want(http.StatusOK).wantAt("total", "100")
	s.do("POST", "/v1/buckets/films/uploads/list", nil).want(http.StatusOK).wantAt("stats.total_uploads", "103")
}

func TestUploadList(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	s.do("POST", "/v1/buckets/films/uploads/list", nil).want(http.StatusOK).wantAt("results", "[]").
		wantAt("stats.total_uploads", "0").wantAt("stats.uploads_by_status", "{}").wantAt("pagination.page_size", "20")
	data := noise(100)
	done, _ := s.bring(map[string]any{"metadata": map[string]any{"campaign": "summer"}}, data)
	bare, _ := s.bring(map[string]any{"create_object_on_confirm": false}, noise(50))
	pending := s.announce(map[string]any{"file_size_bytes": 30, "filename": "trailer.mp4", "blob_property": "film"}).text("upload_id")

	const path = "/v1/buckets/films/uploads/list"
	all := s.do("POST", path, `{"filters": null, "sort": null, "search": null, "limit": null, "offset": null, "return_presigned_urls": null}`).want(http.StatusOK).
		wantAt("results.0.upload_id", pending).wantAt("results.1.upload_id", bare).wantAt("results.2.upload_id", done).wantAt("results.3", "<nil>").
		wantAt("stats.total_uploads", "3").wantAt("stats.total_size_bytes", "180").wantAt("stats.avg_file_size_bytes", "60").wantAt("stats.unique_buckets", "1").
		wantAt("stats.uploads_by_status", `{"COMPLETED":2,"PENDING":1}`).
		wantAt("pagination.total", "<nil>").wantAt("pagination.page", "1").wantAt("total_count", "<nil>")
	for i := range 3 {
		all.wantAt(fmt.Sprintf("results.%d.presigned_url", i), "<nil>")
	}
	signed := s.do("POST", path, `{"return_presigned_urls": true}`).want(http.StatusOK).
		wantAt("results.0.presigned_url", "<nil>").wantAt("results.1.presigned_url", "<nil>")
	if got := s.anyone().do("GET", signed.text("results.2.presigned_url"), nil).want(http.StatusOK).body; got != string(data) {
		t.Error("got other bytes")
	}

	for _, test := range []struct{ name, query, body, want string }{
		{"filter", "", `{"filters": {"status": "PENDING"}}`, pending},
		{"filter of metadata", "", `{"filters": {"metadata.campaign": "summer"}}`, done},
		{"operators", "", `{"filters": {"AND": [{"field": "file_size_bytes", "operator": "gte", "value": 40}, {"field": "file_size_bytes", "operator": "lt", "value": 100}]}}`, bare},
		{"search", "", `{"search": "TRAIL"}`, pending},
		{"search of metadata", "", `{"search": "summer"}`, done},
		{"sort", "", `{"sort": {"field": "file_size_bytes", "direction": "desc"}, "limit": 1}`, done},
		{"sort, from the least", "", `{"sort": {"field": "file_size_bytes"}, "limit": 1}`, pending},
		{"offset", "", `{"offset": 2}`, done},
		{"offset of the query", "?offset=2", `{"offset": 1}`, done},
		{"limit of the query", "?offset=1&limit=1", `{"limit": 50}`, bare},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.do("POST", path+test.query, test.body).want(http.StatusOK).wantAt("results.0.upload_id", test.want).wantAt("results.1", "<nil>")
		})
	}
	first := s.do("POST", path+"?limit=2&include_total=true", nil).want(http.StatusOK).wantAt("results.1.upload_id", bare).
		wantAt("pagination.total", "3").wantAt("pagination.total_pages", "2").wantAt("stats.total_uploads", "3")
	s.do("POST", path+"?limit=2&cursor="+first.text("pagination.next_cursor"), nil).want(http.StatusOK).
		wantAt("results.0.upload_id", done).wantAt("results.1", "<nil>").wantAt("pagination.next_cursor", "<nil>")
	s.do("POST", path+"?limit=1000", nil).want(http.StatusOK).wantAt("pagination.page_size", "1000")
	s.do("POST", path, `{"limit": 100}`).want(http.StatusOK).wantAt("pagination.page_size", "100")
	s.do("POST", path, `{"limit": 101, "offset": -1, "return_presigned_urls": "yes"}`).
		wantFaults("body.return_presigned_urls type", "body.limit maximum", "body.offset minimum")
	s.do("POST", path+"?limit=1001&offset=10001&include_total=perhaps", nil).wantFaults("query.limit maximum", "query.offset maximum", "query.include_total type")
}

// The URL for the bytes is returned once: later there are only URLs for downloads.
func TestUploadGet(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	pending := "/v1/buckets/films/uploads/" + s.announce(nil).text("upload_id")
	for _, query := range []string{"", "?return_presigned_urls=true", "?return_presigned_urls=false"} {
		s.do("GET", pending+query, nil).want(http.StatusOK).wantAt("status", "PENDING").wantAt("presigned_url", "<nil>")
	}
	s.do("GET", pending+"?return_presigned_urls=5", nil).wantFaults("query.return_presigned_urls type")

	id, signed := s.bring(nil, noise(100))
	done := "/v1/buckets/films/uploads/" + id
	s.anyone().do("GET", signed, nil).want(http.StatusOK)
	object := s.do("GET", done, nil).want(http.StatusOK).wantAt("status", "COMPLETED").wantAt("presigned_url", "<nil>").
		wantAt("file_size_bytes", "100").wantAt("etag", etag(noise(100))).text("object_id")

	// Another film takes the place of this one: there is no blob of it any more.
	s.bring(nil, noise(200))
	s.do("GET", done+"?return_presigned_urls=true", nil).want(http.StatusOK).wantAt("object_id", object).wantAt("presigned_url", "<nil>")
	s.anyone().do("GET", signed, nil).wantError(http.StatusNotFound, "NotFoundError")
	ns, err := s.store.Namespace(context.Background(), "test")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.Bucket(context.Background(), "films")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.DeleteObject(context.Background(), object, nil); err != nil {
		t.Fatal(err)
	}
	s.do("GET", done+"?return_presigned_urls=true", nil).want(http.StatusOK).wantAt("presigned_url", "<nil>")
}

func TestUploadDelete(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	up := s.announce(nil)
	path := "/v1/buckets/films/uploads/" + up.text("upload_id")
	s.anyone().do("PUT", up.text("presigned_url"), noise(100)).want(http.StatusOK)
	s.do("DELETE", path+"?delete_s3_object=false", nil).wantError(http.StatusConflict, "AlreadyExistsError")
	s.do("GET", path, nil).want(http.StatusOK).wantAt("status", "PENDING").wantAt("etag", etag(noise(100)))
	s.do("DELETE", path+"?delete_s3_object=perhaps", nil).wantFaults("query.delete_s3_object type")
	if got := s.do("DELETE", path, nil).want(http.StatusNoContent).body; got != "" {
		t.Errorf("got a body %q, want none", got)
	}
	for _, query := range []string{"", "?delete_s3_object=true", "?delete_s3_object=false"} { // again
		s.do("DELETE", path+query, nil).want(http.StatusNoContent)
	}
	s.do("GET", path, nil).want(http.StatusOK).wantAt("status", "CANCELED").wantAt("etag", "<nil>")
	s.anyone().do("PUT", up.text("presigned_url"), noise(100)).wantError(http.StatusConflict, "AlreadyExistsError")

	// Without bytes there is nothing to keep.
	s.do("DELETE", "/v1/buckets/films/uploads/"+s.announce(nil).text("upload_id")+"?delete_s3_object=false", nil).want(http.StatusNoContent)

	id, _ := s.bring(nil, noise(100))
	s.do("DELETE", "/v1/buckets/films/uploads/"+id, nil).wantError(http.StatusConflict, "AlreadyExistsError")
}

// The bucket's lifecycle applies here too.
func TestUploadLifecycle(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	id, blob := s.bring(nil, noise(100))
	up := s.announce(nil)
	ctx := context.Background()
	ns, err := s.store.Namespace(ctx, "test")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.Bucket(ctx, "films")
	if err != nil {
		t.Fatal(err)
	}
	const path = "/v1/buckets/films/uploads"
	in := map[string]any{"filename": "film.mp4", "content_type": "video/mp4", "object_metadata": map[string]any{"film_id": "f1"}}
	confirmation := map[string]any{"confirmations": []any{map[string]any{"upload_id": up.text("upload_id")}}}
	wantFrozen := func() {
		t.Helper()
		s.do("POST", path, in).wantError(http.StatusForbidden, "ForbiddenError")
		s.do("POST", path+"/batch", map[string]any{"uploads": []any{in}}).wantError(http.StatusForbidden, "ForbiddenError")
		s.do("POST", path+"/confirm/batch", confirmation).wantError(http.StatusForbidden, "ForbiddenError")
		s.do("POST", path+"/"+up.text("upload_id")+"/confirm", nil).wantError(http.StatusForbidden, "ForbiddenError")
		s.do("DELETE", path+"/"+up.text("upload_id"), nil).wantError(http.StatusForbidden, "ForbiddenError")
		s.anyone().do("PUT", up.text("presigned_url"), noise(100)).wantError(http.StatusForbidden, "ForbiddenError")
	}
	if err := b.Lock(ctx); err != nil {
		t.Fatal(err)
	}
	wantFrozen()
	s.anyone().do("GET", blob, nil).want(http.StatusOK)
	if err := b.Unlock(ctx); err != nil {
		t.Fatal(err)
	}
	if err := b.Suspend(ctx); err != nil {
		t.Fatal(err)
	}
	wantFrozen()
	s.anyone().do("GET", blob, nil).wantError(http.StatusForbidden, "ForbiddenError")
	s.do("GET", path+"/"+id, nil).wantError(http.StatusForbidden, "ForbiddenError")
	s.do("POST", path+"/list", nil).wantError(http.StatusForbidden, "ForbiddenError")
}

func TestUploadConfirm(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	data := noise(100)
	tag := etag(data)
	for _, test := range []struct{ name, query, body string }{
		{"nothing", "", ``},
		{"nulls", "", `{"etag": null, "file_size_bytes": null}`},
		{"not async", "?async=false", `{}`},
		{"all", "", `{"etag": ` + quoted(tag) + `, "file_size_bytes": 100}`},
		{"bare etag", "", `{"etag": ` + quoted(strings.Trim(tag, `"`)) + `}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			up := s.announce(map[string]any{"object_metadata": map[string]any{"film_id": test.name}})
			path := "/v1/buckets/films/uploads/" + up.text("upload_id") + "/confirm"
			s.do("POST", path, test.body).wantError(http.StatusConflict, "AlreadyExistsError") // no bytes have come
			s.anyone().do("PUT", up.text("presigned_url"), data).want(http.StatusOK)
			s.do("POST", path, `{"etag": "\"ff\""}`).wantError(http.StatusConflict, "AlreadyExistsError")
			s.do("POST", path, `{"file_size_bytes": 99}`).wantError(http.StatusConflict, "AlreadyExistsError")
			got := s.do("POST", path+test.query, test.body).want(http.StatusOK).wantAt("upload_id", up.text("upload_id")).wantAt("status", "COMPLETED").
				wantAt("etag", tag).wantAt("file_size_bytes", "100").wantAt("file_hash", strings.Trim(tag, `"`)).wantAt("task_id", "<nil>")
			for _, path := range []string{"object_id", "verified_at", "completed_at"} {
				if got.text(path) == "<nil>" {
					t.Errorf("got no %s", path)
				}
			}
			s.do("POST", path, test.body).want(http.StatusOK).wantAt("object_id", got.text("object_id"))
		})
	}
	path := "/v1/buckets/films/uploads/" + s.announce(nil).text("upload_id") + "/confirm"
	s.do("POST", path+"?async=perhaps", `{"etag": 5, "file_size_bytes": 0}`).wantFaults("body.etag type", "body.file_size_bytes minimum", "query.async type")
	s.do("POST", path, `{"file_size_bytes": 1.5}`).wantFaults("body.file_size_bytes type")
}

func quoted(text string) string {
	data, _ := json.Marshal(text)
	return string(data)
}

func TestUploadConfirmAsync(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	up := s.announce(nil)
	path := "/v1/buckets/films/uploads/" + up.text("upload_id")
	s.anyone().do("PUT", up.text("presigned_url"), noise(100)).want(http.StatusOK)
	got := s.do("POST", path+"/confirm?async=true", nil).want(http.StatusOK).wantAt("status", "PROCESSING").
		wantAt("upload_id", up.text("upload_id")).wantAt("etag", etag(noise(100))).wantAt("object_id", "<nil>").wantAt("completed_at", "<nil>")
	task, err := s.store.Wait(t.Context(), got.text("task_id"))
	if err != nil {
		t.Fatal(err)
	}
	if task.Status != bucketlite.StatusCompleted || task.Type != bucketlite.ConfirmUploadTask {
		t.Errorf("got task %s %s: %s", task.Type, task.Status, task.Error)
	}
	s.do("GET", path, nil).want(http.StatusOK).wantAt("status", "COMPLETED").wantAt("task_id", task.ID)

	// The task reports the error.
	late := s.announce(nil).text("upload_id")
	got = s.do("POST", "/v1/buckets/films/uploads/"+late+"/confirm?async=1", nil).want(http.StatusOK).wantAt("status", "PROCESSING").wantAt("etag", "<nil>")
	if task, err = s.store.Wait(t.Context(), got.text("task_id")); err != nil || task.Status != bucketlite.StatusFailed {
		t.Errorf("got %v, %v, want a failed task", task, err)
	}
	s.do("GET", "/v1/buckets/films/uploads/"+late, nil).want(http.StatusOK).wantAt("status", "PENDING")
}

func TestUploadConfirmBatch(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	const path = "/v1/buckets/films/uploads/confirm/batch"
	var list []any
	for i := range 3 {
		up := s.announce(map[string]any{"object_metadata": map[string]any{"film_id": fmt.Sprint(i)}})
		if i < 2 {
			s.anyone().do("PUT", up.text("presigned_url"), noise(100)).want(http.StatusOK)
		}
		list = append(list, map[string]any{"upload_id": up.text("upload_id"), "etag": etag(noise(100)), "file_size_bytes": nil})
	}
	got := s.do("POST", path, map[string]any{"confirmations": list}).want(http.StatusOK).wantAt("confirmations_count", "3").
		wantAt("task.task_type", "api_buckets_uploads_batch_confirm")
	if got.text("message") == "<nil>" || got.text("status") != got.text("task.status") || got.text("task_id") != got.text("task.task_id") {
		t.Errorf("got %s", got.body)
	}
	task, err := s.store.Wait(t.Context(), got.text("task_id"))
	if err != nil || task.Status != bucketlite.StatusCompletedWithErrors || len(task.Outputs) != 3 {
		t.Errorf("got %+v, %v, want a task of which one is refused", task, err)
	}

	many := make([]any, 101)
	for i := range many {
		many[i] = list[0]
	}
	for _, test := range []struct {
		name, body string
		faults     []string
	}{
		{"nothing", ``, []string{"body.confirmations required"}},
		{"none", `{"confirmations": []}`, []string{"body.confirmations minItems"}},
		{"no list", `{"confirmations": "upl_1"}`, []string{"body.confirmations type"}},
		{"no upload", `{"confirmations": [{"etag": 5}, 7]}`, []string{"body.confirmations[0].upload_id required", "body.confirmations[0].etag type", "body.confirmations[1] type"}},
	} {
		t.Run(test.name, func(t *testing.T) { s.do("POST", path, test.body).wantFaults(test.faults...) })
	}
	s.do("POST", path, map[string]any{"confirmations": many}).wantFaults("body.confirmations maxItems")
	s.do("POST", path, map[string]any{"confirmations": many[:2]}).wantError(http.StatusBadRequest, "BadRequestError") // twice the same
	s.do("POST", path, `{"confirmations": [{"upload_id": "upl_1"}]}`).wantError(http.StatusNotFound, "NotFoundError")
}
