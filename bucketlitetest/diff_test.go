package bucketlitetest_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
)

// decode returns JSON as it is decoded for comparing.
func decode(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDiffOfValues(t *testing.T) {
	t.Parallel()
	type own struct {
		ID     string
		hidden int
	}
	now := time.Now()
	text := func(s string) any { return decode(t, s) }
	tests := []struct {
		name      string
		want, got any
		equal     bool
	}{
		{"object", bucketlite.Object{Fields: map[string]any{"n": 5}},
			bucketlite.Object{ID: "obj_1", BucketID: "bkt_1", CreatedAt: now, UpdatedAt: now, Version: 7, Fields: map[string]any{"n": json.Number("5")}, Blobs: []bucketlite.Blob{}}, true},
		{"object's size", bucketlite.Object{Size: 1}, bucketlite.Object{Size: 2}, false},
		{"object's status", &bucketlite.Object{Status: bucketlite.StatusDraft}, &bucketlite.Object{Status: bucketlite.StatusCompleted}, false},
		{"ids among fields", bucketlite.Object{Fields: map[string]any{"batch_id": "a"}}, bucketlite.Object{Fields: map[string]any{"batch_id": "b"}}, false},
		{"times deep among fields", bucketlite.Object{Fields: map[string]any{"m": map[string]any{"created_at": "a"}}},
			bucketlite.Object{Fields: map[string]any{"m": map[string]any{"created_at": "b"}}}, false},
		{"ids that describe a task", bucketlite.Task{AdditionalData: map[string]any{"bucket_id": "a"}}, bucketlite.Task{AdditionalData: map[string]any{"bucket_id": "b"}}, true},
		{"metadata", bucketlite.Upload{Metadata: map[string]any{"object_id": "a"}}, bucketlite.Upload{Metadata: map[string]any{"object_id": "b"}}, false},
		{"upload", bucketlite.Upload{ExpiresAt: now, VerifiedAt: &now, PresignedURL: "a"}, bucketlite.Upload{ID: "upl_1", TaskID: "tsk_1"}, true},
		{"blob", bucketlite.Blob{ID: "a", Property: "doc"}, bucketlite.Blob{ID: "b", Property: "doc"}, true},
		{"blob's properties", bucketlite.Blob{Properties: map[string]any{"blob_id": 1}}, bucketlite.Blob{Properties: map[string]any{"blob_id": 2}}, false},
		{"batch", bucketlite.Batch{ID: "a", ObjectIDs: []string{"a"}, ObjectCount: 1}, bucketlite.Batch{ID: "b", ObjectIDs: []string{"b"}, ObjectCount: 1}, true},
		{"batch's count", bucketlite.Batch{ObjectCount: 1}, bucketlite.Batch{ObjectCount: 2}, false},
		{"task", bucketlite.Task{Inputs: []string{"a"}, Outputs: []any{map[string]any{"upload_id": "a", "status": "COMPLETED"}}},
			bucketlite.Task{Inputs: []string{"b"}, Outputs: []any{map[string]any{"upload_id": "b", "status": "COMPLETED"}}}, true},
		{"task's outputs", bucketlite.Task{Outputs: []any{map[string]any{"status": "FAILED"}}}, bucketlite.Task{Outputs: []any{map[string]any{"status": "COMPLETED"}}}, false},
		{"event", bucketlite.Event{Seq: 1, Cursor: "a", Kind: bucketlite.EventObjectCreated}, bucketlite.Event{Seq: 2, ObjectID: "b", Kind: bucketlite.EventObjectCreated, At: now}, true},
		{"event's kind", bucketlite.Event{Kind: bucketlite.EventObjectCreated}, bucketlite.Event{Kind: bucketlite.EventObjectDeleted}, false},
		{"page", &bucketlite.Page[*bucketlite.Object]{Next: "a", Results: []*bucketlite.Object{{ID: "a"}}}, &bucketlite.Page[*bucketlite.Object]{Results: []*bucketlite.Object{{ID: "b"}}}, true},
		{"page's length", &bucketlite.Page[*bucketlite.Object]{Results: []*bucketlite.Object{{ID: "a"}}}, &bucketlite.Page[*bucketlite.Object]{}, false},
		{"bucket", bucketlite.BucketInfo{Name: "b", Stats: bucketlite.Stats{UpdatedAt: &now}}, bucketlite.BucketInfo{Name: "b", ID: "bkt_1"}, true},
		{"bucket's schema", bucketlite.BucketInfo{Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{"upload_id": {Type: bucketlite.String}}}},
			bucketlite.BucketInfo{Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{"upload_id": {Type: bucketlite.Text}}}}, false},
		{"struct of others", own{"a", 1}, own{"b", 1}, false},
		{"what others do not export", own{"a", 1}, own{"a", 2}, false},
		{"object and pointer", bucketlite.Object{}, &bucketlite.Object{}, false},

		{"JSON", text(`{"object_id":"a","created_at":"x","title":"t"}`), text(`{"object_id":"b","bucket_id":"c","updated_at":"y","title":"t"}`), true},
		{"JSON in lists", text(`{"results":[{"object_id":"a","blobs":[{"blob_id":"a"}]}]}`), text(`{"results":[{"object_id":"b","blobs":[{"blob_id":"b"}]}],"next_cursor":"x"}`), true},
		{"JSON, other member", text(`{"object_id":"a","title":"t"}`), text(`{"object_id":"a","title":"u"}`), false},
		{"JSON, missing member", text(`{"object_id":"a","title":"t"}`), text(`{"object_id":"a"}`), false},
		{"JSON, null", text(`{"title":null}`), text(`{}`), false},
		{"JSON, metadata", text(`{"metadata":{"object_id":"a"}}`), text(`{"metadata":{"object_id":"b"}}`), false},
		{"JSON, properties", text(`{"properties":{"presigned_url":"a"}}`), text(`{"properties":{"presigned_url":"b"}}`), true},
		{"JSON, upload", text(`{"upload_id":"a","expires_at":"a"}`), text(`{"upload_id":"b","completed_at":"b"}`), true},
		{"JSON, upload only in one", text(`{"expires_at":"a"}`), text(`{"upload_id":"b","expires_at":"b"}`), true},
		{"JSON, no upload", text(`{"expires_at":"a"}`), text(`{"expires_at":"b"}`), false},
		{"JSON, task", text(`{"task_type":"t","inputs":["a"]}`), text(`{"task_type":"t","inputs":["b"]}`), true},
		{"JSON, no task", text(`{"inputs":["a"]}`), text(`{"inputs":["b"]}`), false},
		{"JSON, error", text(`{"error_type":"runtime","timestamp":"a"}`), text(`{"error_type":"runtime","timestamp":"b"}`), true},
		{"JSON, no error", text(`{"timestamp":"a"}`), text(`{"timestamp":"b"}`), false},
		{"JSON, event", text(`{"seq":1,"cursor":"a","at":"a","kind":"k"}`), text(`{"seq":2,"cursor":"b","at":"b","kind":"k"}`), true},
		{"JSON, no event", text(`{"at":"a"}`), text(`{"at":"b"}`), false},
		{"map of strings", map[string]string{"object_id": "a"}, map[string]string{"object_id": "b"}, true},
		{"map of numbers", map[int]string{1: "a"}, map[int]string{1: "b"}, false},
		{"order", text(`[1,2]`), text(`[2,1]`), false},

		{"empty and nil", bucketlite.Object{Fields: map[string]any{}}, bucketlite.Object{}, true},
		{"texts of numbers", json.Number("5"), json.Number("5.0"), true},
		{"exponents", json.Number("5e2"), json.Number("500"), true},
		{"integer and number", 5, json.Number("5.00"), true},
		{"float and number", 0.1, json.Number("0.1"), true},
		{"to the last digit", json.Number("12345678901234567890.1"), json.Number("12345678901234567890.2"), false},
		{"beyond a float", int64(1<<53 + 1), float64(1 << 53), false},
		{"number and string", json.Number("5"), "5", false},
		{"bool and number", true, 1, false},
		{"no numbers", json.Number("five"), json.Number("six"), false},
		{"no numbers, the same", json.Number("five"), json.Number("five"), true},
		{"infinite", math.Inf(1), math.Inf(1), true},
		{"infinite and not", math.Inf(1), 1.0, false},
		{"huge exponents", json.Number("1e999999999"), json.Number("1e999999998"), false},
		{"named numbers", bucketlite.DurabilityFull, bucketlite.DurabilityNormal, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, order := range [][2]any{{test.want, test.got}, {test.got, test.want}} {
				diff := bucketlitetest.Diff(order[0], order[1])
				if (diff == "") != test.equal {
					t.Errorf("got equal %t, want %t:\n%s", diff == "", test.equal, diff)
				}
			}
		})
	}
}

// Two stores give equal results for equal calls, in Go and in JSON.
func TestDiffOfStores(t *testing.T) {
	t.Parallel()
	state := func() (*bucketlite.BucketInfo, []*bucketlite.Object, any) {
		st := bucketlitetest.NewStore(t)
		bucketlitetest.Load(t, st, "testdata/shop.json")
		b := bucketlitetest.Bucket(t, st, "shop", "products")
		info, err := b.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		page, err := b.List(t.Context(), bucketlite.Query{})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal([]any{info, page.Results})
		if err != nil {
			t.Fatal(err)
		}
		return info, page.Results, decode(t, string(text))
	}
	info, objects, form := state()
	otherInfo, otherObjects, otherForm := state()
	for name, diff := range map[string]string{
		"info":    bucketlitetest.Diff(info, otherInfo),
		"objects": bucketlitetest.Diff(objects, otherObjects),
		"JSON":    bucketlitetest.Diff(form, otherForm),
	} {
		if diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	otherObjects[0].Fields["price"] = json.Number("20")
	if diff := bucketlitetest.Diff(objects, otherObjects); !strings.Contains(diff, "price") || strings.Contains(diff, "\n-\tID") {
		t.Errorf("got %q, want the price alone", diff)
	}
}
