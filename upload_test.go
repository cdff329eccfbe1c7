package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// upload takes bytes all the way.
func upload(t testing.TB, b *bucketlite.Bucket, in bucketlite.UploadInput, data string) *bucketlite.Upload {
	t.Helper()
	id := storetest.CreateUpload(t, b, in).ID
	storetest.WriteUpload(t, b, id, data)
	return storetest.ConfirmUpload(t, b, id)
}

// mustObject reads an object.
func mustObject(t testing.TB, b *bucketlite.Bucket, id string) *bucketlite.Object {
	t.Helper()
	o, err := b.Object(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// wantUploads fails if the bucket's uploads are not as they were, however little
// differs.
func wantUploads(t testing.TB, b *bucketlite.Bucket, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(uploads(t, b), "\n")); diff != "" {
		t.Errorf("the uploads changed (-before +after):\n%s", diff)
	}
}

// uploads returns everything that can be seen of a bucket's uploads.
func uploads(t testing.TB, b *bucketlite.Bucket) string {
	t.Helper()
	var all []any
	for u, err := range b.Uploads(context.Background(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, u)
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// readBlobs returns the bytes of an object's blobs of a property, in order.
func readBlobs(t testing.TB, b *bucketlite.Bucket, id, property string) []string {
	t.Helper()
	var hashes []string
	for _, blob := range mustObject(t, b, id).Blobs {
		if blob.Property == property {
			hashes = append(hashes, blob.Details.Hash)
		}
	}
	return hashes
}

// album is a bucket with a key, files of several kinds and arrays of them.
func album(t testing.TB, st *bucketlite.Store, key *bucketlite.UniqueKey) *bucketlite.Bucket {
	t.Helper()
	return storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "album", UniqueKey: key, Schema: storetest.Schema(t, `
		"k":{"type":"string"}, "n":{"type":"integer","maximum":10}, "title":{"type":"string","default":"untitled"},
		"photo":{"type":"image"}, "film":{"type":"video"}, "doc":{"type":"text"}, "page":{"type":"pdf"}, "sheet":{"type":"excel"},
		"note":{"type":"text","maxLength":10},
		"pictures":{"type":"array","items":{"type":"image"}}, "list":{"type":"array","items":{"type":"string"}}`)})
}

func byK(policy bucketlite.Policy) *bucketlite.UniqueKey {
	return &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: policy}
}

// png returns bytes that pass for a picture, different for each n.
func png(n int) string { return "\x89PNG\r\n\x1a\n" + strings.Repeat(string(rune('a'+n%26)), 100+n) }

func TestUploadInputJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bucketlite.UploadInput{
		`{}`: {},
		`{"filename":"a.png","content_type":"image/png","file_size_bytes":5.0,"presigned_url_expiration":60,"metadata":{"n":1.50},
			"create_object_on_confirm":false,"object_metadata":{"k":"v"},"blob_property":"p","blob_type":"IMAGE","file_hash":"00",
			"skip_duplicates":true,"policy":"insert","unknown":1}`: {
			Filename: "a.png", ContentType: "image/png", Size: 5, ExpiresIn: 60, Metadata: map[string]any{"n": json.Number("1.50")},
			CreateObject: new(false), ObjectMetadata: map[string]any{"k": "v"}, Property: "p", Type: "IMAGE", FileHash: "00",
			SkipDuplicates: new(true), Policy: "insert"},
		`{"filename":null,"content_type":null,"file_size_bytes":null,"presigned_url_expiration":null,"metadata":null,"create_object_on_confirm":null,
			"object_metadata":null,"blob_property":null,"blob_type":null,"file_hash":null,"skip_duplicates":null,"policy":null}`: {},
	} {
		var got bucketlite.UploadInput
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for text, want := range map[string]map[string]string{
		`[]`: {"": "type"},
		`{"filename":1,"file_size_bytes":"5","metadata":[],"create_object_on_confirm":"yes","blob_type":[]}`: {
			"filename": "type", "file_size_bytes": "type", "metadata": "type", "create_object_on_confirm": "type", "blob_type": "type"},
		`{"file_size_bytes":1.5,"presigned_url_expiration":99999999999999999999}`: {"file_size_bytes": "type", "presigned_url_expiration": "type"},
		`{"filename":"a","filename":"b"}`:                                         {"filename": "duplicate"},
	} {
		var in bucketlite.UploadInput
		storetest.WantIssues(t, in.UnmarshalJSON([]byte(text)), want)
	}
}

func TestUploadJSON(t *testing.T) {
	t.Parallel()
	b := storetest.Items(t, storetest.OpenMemory(t))
	members := map[string]string{
		"upload_id": "string", "bucket_id": "string", "filename": "string", "content_type": "string", "presigned_url_expiration": "number",
		"s3_key": "string", "status": "string", "metadata": "object", "create_object_on_confirm": "boolean", "object_metadata": "object",
		"blob_property": "string", "blob_type": "string", "skip_duplicates": "boolean", "is_duplicate": "boolean", "skipped_unique_key": "boolean",
		"created_at": "time", "expires_at": "time",
	}
	u := storetest.CreateUpload(t, b, storetest.DocUpload("k"))
	wantMembers(t, u, members)
	storetest.WriteUpload(t, b, u.ID, "text")
	for _, name := range []string{"file_hash", "etag"} {
		members[name] = "string"
	}
	members["file_size_bytes"], members["verified_at"] = "number", "time"
	wantMembers(t, storetest.MustUpload(t, b, u.ID), members)
	storetest.ConfirmUpload(t, b, u.ID)
	members["object_id"], members["completed_at"] = "string", "time"
	wantMembers(t, storetest.MustUpload(t, b, u.ID), members)
}

// Uploads belong to their bucket.
func TestUploadNotFound(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b, other := storetest.Items(t, st), storetest.Bucket(t, st, storetest.ItemsConfig("other"))
	foreign := storetest.CreateUpload(t, other, storetest.DocUpload("k")).ID
	for _, id := range []string{"", "none", foreign, strings.ToLower(foreign)} {
		for name, err := range map[string]error{
			"Upload":         storetest.ErrorOf(b.Upload(ctx, id)),
			"WriteUpload":    storetest.ErrorOf(b.WriteUpload(ctx, id, strings.NewReader("x"))),
			"ConfirmUpload":  storetest.ErrorOf(b.ConfirmUpload(ctx, id, nil)),
			"ConfirmUploads": storetest.ErrorOf(b.ConfirmUploads(ctx, []bucketlite.Confirmation{{UploadID: id}})),
			"CancelUpload":   b.CancelUpload(ctx, id),
		} {
			if !errors.Is(err, bucketlite.ErrNotFound) {
				t.Errorf("%s %q: got %v, want ErrNotFound", name, id, err)
			}
		}
	}
}

func TestCancelUpload(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	c := storetest.NewManualClock()
	st := storetest.OpenPath(t, path, &bucketlite.Options{Now: c.Now})
	b := storetest.Items(t, st)
	id := storetest.CreateUpload(t, b, storetest.DocUpload("k")).ID
	storetest.WriteUpload(t, b, id, "text")
	for range 2 {
		if err := b.CancelUpload(ctx, id); err != nil {
			t.Fatal(err)
		}
		u := storetest.MustUpload(t, b, id)
		if u.Status != bucketlite.StatusCanceled || u.ETag != "" || u.CompletedAt != nil || u.VerifiedAt != nil {
			t.Errorf("got %+v, want it cancelled", u)
		}
	}
	storetest.WantStored(t, st, path, 0)
	for name, err := range map[string]error{
		"write":   storetest.ErrorOf(b.WriteUpload(ctx, id, strings.NewReader("text"))),
		"confirm": storetest.ErrorOf(b.ConfirmUpload(ctx, id, nil)),
	} {
		if !errors.Is(err, bucketlite.ErrConflict) || errors.Is(err, bucketlite.ErrExists) {
			t.Errorf("%s: got %v, want ErrConflict", name, err)
		}
	}
	done := upload(t, b, storetest.DocUpload("k"), "text").ID
	before := uploads(t, b)
	storetest.WantError(t, b.CancelUpload(ctx, done), bucketlite.ErrConflict)
	wantUploads(t, b, before)
	expired := storetest.CreateUpload(t, b, storetest.DocUpload("l")).ID
	c.Add(time.Hour)
	if err := b.CancelUpload(ctx, expired); err != nil {
		t.Error(err)
	}
	storetest.WantSound(t, path)
}
