package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// TestIsolation asks for what belongs to another namespace, or to another bucket, in
// every way in which objects and batches can be asked for.
func TestIsolation(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := serve(t, nil)
	if _, err := s.store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "other"}); err != nil {
		t.Fatal(err)
	}
	other := s.as("X-Namespace", "other")
	theirBucket := other.do("POST", "/v1/buckets", films("theirs")).want(http.StatusOK).text("bucket_id")
	theirObject := other.put("theirs", `{"film_id": "alien"}`)
	theirs := "/v1/buckets/theirs/"
	theirBatch := other.do("POST", theirs+"batches", map[string]any{"object_ids": []string{theirObject}}).want(http.StatusOK).text("batch_id")
	theirUpload := confirmedUpload(t, s.store, "other", "theirs")

	s.do("POST", "/v1/buckets", films("ours")).want(http.StatusOK)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	ourObject := s.put("ours", `{"film_id": "alien"}`)
	ourBatch := s.do("POST", "/v1/buckets/ours/batches", map[string]any{"object_ids": []string{ourObject}}).want(http.StatusOK).text("batch_id")

	routes := []struct{ method, path, body string }{
		{"POST", "/objects", `{"film_id": "a"}`},
		{"POST", "/objects/batch", `{"objects": [{"film_id": "a"}]}`},
		{"POST", "/objects/list", ``},
		{"POST", "/objects/aggregate", `{"group_by": [{"field": "year"}], "aggregations": [{"function": "count", "alias": "n"}]}`},
		{"POST", "/objects/delete", `{"filters": {"film_id": "alien"}}`},
		{"POST", "/objects/patch", `{"filters": {"film_id": "alien"}, "patch": {"year": 1}}`},
		{"GET", "/objects/{object}", ``},
		{"PUT", "/objects/{object}", `{}`},
		{"PATCH", "/objects/{object}", `{}`},
		{"DELETE", "/objects/{object}", ``},
		{"POST", "/batches", `{"object_ids": ["{object}"]}`},
		{"POST", "/batches/list", ``},
		{"GET", "/batches/{batch}", ``},
		{"PATCH", "/batches/{batch}", `{"metadata": {}}`},
		{"DELETE", "/batches/{batch}", ``},
		{"POST", "/batches/{batch}/objects?skip_validation=true", `{"object_ids": ["a"]}`},
		{"POST", "/batches/{batch}/submit", ``},
		{"POST", "/batches/{batch}/cancel", ``},
		{"POST", "/batches/{batch}/retry", `{}`},
		{"POST", "/batches/{batch}/retry", `{"tier_nums": [1]}`},
		{"GET", "/batches/{batch}/failed-documents", ``},
		{"GET", "/batches/{batch}/failed-documents?tier_num=1", ``},
	}
	owners := []struct{ name, bucket, object, batch string }{
		{"another namespace's bucket by its id", theirBucket, theirObject, theirBatch},
		{"another namespace's bucket by its name", "theirs", theirObject, theirBatch},
		{"another namespace's, in a bucket of ours", "films", theirObject, theirBatch},
		{"another bucket's", "films", ourObject, ourBatch},
	}
	for _, owner := range owners {
		fill := strings.NewReplacer("{object}", owner.object, "{batch}", owner.batch).Replace
		for _, r := range routes {
			if owner.bucket == "films" && !strings.Contains(r.path, "{") {
				continue // about nothing but the bucket, which may be asked for
			}
			t.Run(owner.name+" "+r.method+" "+r.path, func(t *testing.T) {
				s.do(r.method, "/v1/buckets/"+owner.bucket+fill(r.path), fill(r.body)).wantError(http.StatusNotFound, "NotFoundError")
			})
		}
	}

	// Within bodies.
	for _, id := range []string{theirObject, ourObject} {
		ids := fmt.Sprintf(`{"object_ids": [%q]}`, id)
		s.do("POST", "/v1/buckets/films/batches", ids).wantFaults("body.object_ids[0] exists")
	}
	s.do("POST", "/v1/buckets/ours/batches/"+ourBatch+"/objects", fmt.Sprintf(`{"object_ids": [%q]}`, theirObject)).
		wantFaults("body.object_ids[0] exists")
	for _, upload := range []string{theirUpload, confirmedUpload(t, s.store, "test", "ours")} {
		blobs := fmt.Sprintf(`"blobs": [{"property": "notes", "type": "text", "upload_id": %q}]`, upload)
		s.do("POST", "/v1/buckets/films/objects", `{"film_id": "a", `+blobs+`}`).wantError(http.StatusNotFound, "NotFoundError")
		s.do("POST", "/v1/buckets/films/objects/batch", `{"objects": [{"film_id": "a", `+blobs+`}, {"film_id": "b"}]}`).want(http.StatusOK).
			wantAt("failed.0.error_type", "NotFoundError").wantAt("succeeded_count", "1")
	}
	s.do("PATCH", "/v1/buckets/ours/objects/"+ourObject, fmt.Sprintf(`{"blobs": [{"property": "notes", "upload_id": %q}]}`, theirUpload)).
		wantError(http.StatusNotFound, "NotFoundError")

	// A batch of ids that name nobody here touches nobody elsewhere.
	batch := s.do("POST", "/v1/buckets/films/batches?skip_validation=true", fmt.Sprintf(`{"object_ids": [%q, %q]}`, theirObject, ourObject)).
		want(http.StatusOK).text("batch_id")
	s.do("POST", "/v1/buckets/films/batches/"+batch+"/submit", nil).want(http.StatusOK)
	s.process()
	other.do("GET", theirs+"objects/"+theirObject, nil).want(http.StatusOK).wantAt("status", "DRAFT")
	other.do("GET", theirs+"batches/"+theirBatch, nil).want(http.StatusOK).wantAt("status", "DRAFT")
	s.do("GET", "/v1/buckets/ours/objects/"+ourObject, nil).want(http.StatusOK).wantAt("status", "DRAFT")
}

// confirmedUpload returns the id of an upload whose bytes may be named in blobs.
func confirmedUpload(t *testing.T, st *bucketlite.Store, namespace, bucket string) string {
	t.Helper()
	ctx := context.Background()
	ns, err := st.Namespace(ctx, namespace)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.Bucket(ctx, bucket)
	if err != nil {
		t.Fatal(err)
	}
	u, err := b.CreateUpload(ctx, bucketlite.UploadInput{Filename: "notes.txt", ContentType: "text/plain", CreateObject: new(false)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.WriteUpload(ctx, u.ID, strings.NewReader("In space …")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ConfirmUpload(ctx, u.ID, nil); err != nil {
		t.Fatal(err)
	}
	return u.ID
}

func TestReadOnlyKey(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: []httpapi.Key{{Secret: secret}, {Secret: "reader", ReadOnly: true}}})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	object := "/v1/buckets/films/objects/" + s.put("films", `{"film_id": "alien"}`)
	batch := s.batch(strings.TrimPrefix(object, "/v1/buckets/films/objects/"))
	reader := s.as("Authorization", "Bearer reader")
	for _, r := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", object, ``, http.StatusOK},
		{"POST", "/v1/buckets/films/objects/list", ``, http.StatusOK},
		{"POST", "/v1/buckets/films/objects/aggregate", `{"group_by": [{"field": "year"}], "aggregations": [{"function": "count", "alias": "n"}]}`, http.StatusOK},
		{"GET", batch, ``, http.StatusOK},
		{"POST", batches + "/list", ``, http.StatusOK},
		{"GET", batch + "/failed-documents", ``, http.StatusOK},
		{"POST", "/v1/buckets/films/objects", `{"film_id": "brazil"}`, http.StatusForbidden},
		{"POST", "/v1/buckets/films/objects/batch", `{"objects": [{"film_id": "brazil"}]}`, http.StatusForbidden},
		{"PUT", object, `{}`, http.StatusForbidden},
		{"PATCH", object, `{}`, http.StatusForbidden},
		{"DELETE", object, ``, http.StatusForbidden},
		{"POST", batches, `{"object_ids": ["a"]}`, http.StatusForbidden},
		{"PATCH", batch, `{}`, http.StatusForbidden},
		{"DELETE", batch, ``, http.StatusForbidden},
		{"POST", batch + "/objects", `{"object_ids": ["a"]}`, http.StatusForbidden},
		{"POST", batch + "/submit", ``, http.StatusForbidden},
		{"POST", batch + "/cancel", ``, http.StatusForbidden},
		{"POST", batch + "/retry", `{}`, http.StatusForbidden},
	} {
		t.Run(r.method+" "+r.path, func(t *testing.T) { reader.do(r.method, r.path, r.body).want(r.status) })
	}
}
