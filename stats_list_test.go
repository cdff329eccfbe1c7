package bucketlite_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

func TestObjectListStats(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	for _, in := range []bucketlite.ObjectInput{storetest.ItemWithDoc("a", "text"), storetest.Item("b", "x"), storetest.Item("c", "X"), storetest.ItemWithDoc("d", "more"), storetest.Item("e", "failing")} {
		storetest.PutItem(t, b, in)
	}
	for _, k := range []string{"b", "c", "d", "e"} {
		o, err := b.ObjectByKey(ctx, map[string]any{"k": k})
		if err != nil {
			t.Fatal(err)
		}
		storetest.Submit(t, b, o.ID)
	}
	storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
		if j.Object.Fields["v"] == "failing" {
			return &bucketlite.JobError{Message: "no", Permanent: true}
		}
		return nil
	}, bucketlite.ProcessOptions{})
	counts := func(draft, completed, failed int64) map[bucketlite.Status]int64 {
		m := make(map[bucketlite.Status]int64)
		for status, n := range map[bucketlite.Status]int64{bucketlite.StatusDraft: draft, bucketlite.StatusCompleted: completed, bucketlite.StatusFailed: failed} {
			if n > 0 {
				m[status] = n
			}
		}
		return m
	}
	x := bucketlite.Eq("v", "x")
	for _, tt := range []struct {
		name string
		q    bucketlite.Query
		want bucketlite.ObjectListStats
	}{
		{"all", bucketlite.Query{}, bucketlite.ObjectListStats{Objects: 5, Blobs: 2, AvgBlobs: 0.4, ByStatus: counts(1, 3, 1)}},
		{"none", bucketlite.Query{Filter: bucketlite.Or()}, bucketlite.ObjectListStats{ByStatus: counts(0, 0, 0)}},
		{"of a field", bucketlite.Query{Filter: x}, bucketlite.ObjectListStats{Objects: 2, ByStatus: counts(0, 2, 0)}},
		{"in its case", bucketlite.Query{Filter: x, CaseSensitive: true}, bucketlite.ObjectListStats{Objects: 1, ByStatus: counts(0, 1, 0)}},
		{"of a status", bucketlite.Query{Filter: bucketlite.Eq("status", "draft")}, bucketlite.ObjectListStats{Objects: 1, Blobs: 1, AvgBlobs: 1, ByStatus: counts(1, 0, 0)}},
		{"found", bucketlite.Query{Search: "FAIL"}, bucketlite.ObjectListStats{Objects: 1, ByStatus: counts(0, 0, 1)}},
		{"whatever the page", bucketlite.Query{Filter: x, Limit: -1, Offset: -1, Cursor: "x", Total: true, Select: []string{""}, Sort: make([]bucketlite.Sort, 9)},
			bucketlite.ObjectListStats{Objects: 2, ByStatus: counts(0, 2, 0)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := b.ListStats(ctx, tt.q)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("statistics (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListStats(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st, _ := storetest.NewVaried(t)
	ns, err := st.Namespace(ctx, "alpha")
	if err != nil {
		t.Fatal(err)
	}
	beta, err := st.Namespace(ctx, "Beta")
	if err != nil {
		t.Fatal(err)
	}
	b, err := beta.Bucket(ctx, "things")
	if err != nil {
		t.Fatal(err)
	}
	none := bucketlite.Query{Filter: bucketlite.Or()}
	fields := int64(len(`{"i":1}`))
	for _, tt := range []struct {
		name string
		get  func(q bucketlite.Query) (any, error)
		q    bucketlite.Query
		want any
	}{
		{"namespaces", anyOf(ctx, st.NamespaceListStats), bucketlite.Query{}, &bucketlite.NamespaceListStats{
			FeatureExtractors: 2, PayloadIndexes: 1, Buckets: 8, Objects: 15,
			AvgFeatureExtractors: 0.4, AvgPayloadIndexes: 0.2, AvgBuckets: 1.6, AvgObjects: 3,
		}},
		{"some namespaces", anyOf(ctx, st.NamespaceListStats), bucketlite.Query{Search: "tests"}, &bucketlite.NamespaceListStats{
			Buckets: 1, Objects: 9, AvgBuckets: 0.5, AvgObjects: 4.5,
		}},
		{"no namespaces", anyOf(ctx, st.NamespaceListStats), none, &bucketlite.NamespaceListStats{}},
		{"buckets", anyOf(ctx, ns.BucketListStats), bucketlite.Query{}, &bucketlite.BucketListStats{
			Objects: 6, Size: 6 * fields, AvgObjects: 6.0 / 7, AvgSize: float64(6*fields) / 7,
		}},
		{"some buckets", anyOf(ctx, ns.BucketListStats), bucketlite.Query{Filter: bucketlite.Eq("metadata.team", "red")}, &bucketlite.BucketListStats{
			Objects: 3, Size: 3 * fields, AvgObjects: 1, AvgSize: float64(fields),
		}},
		{"no buckets", anyOf(ctx, ns.BucketListStats), none, &bucketlite.BucketListStats{}},
		{"uploads", anyOf(ctx, b.UploadListStats), bucketlite.Query{Limit: 1}, &bucketlite.UploadListStats{
			Uploads: 5, Size: 17, AvgSize: 3.4, Buckets: 1,
			ByStatus: map[bucketlite.Status]int64{bucketlite.StatusCompleted: 1, bucketlite.StatusPending: 2, bucketlite.StatusFailed: 1, bucketlite.StatusCanceled: 1},
		}},
		{"some uploads", anyOf(ctx, b.UploadListStats), bucketlite.Query{Search: "winter"}, &bucketlite.UploadListStats{
			Uploads: 1, Size: 5, AvgSize: 5, Buckets: 1, ByStatus: map[bucketlite.Status]int64{bucketlite.StatusPending: 1},
		}},
		{"no uploads", anyOf(ctx, b.UploadListStats), none, &bucketlite.UploadListStats{ByStatus: map[bucketlite.Status]int64{}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.get(tt.q)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("statistics (-want +got):\n%s", diff)
			}
		})
		_, err := tt.get(bucketlite.Query{Filter: bucketlite.Not(bucketlite.Lt("a", false)), Search: "\xff"})
		wantQueryError(t, err, "filters.NOT[0].value: type", "search: utf8")
	}
	_, err = b.ListStats(ctx, bucketlite.Query{Filter: bucketlite.Gt("at", "x")})
	wantQueryError(t, err, "filters.value: type")
}

// anyOf returns a call of a method.
func anyOf[T any](ctx context.Context, get func(context.Context, bucketlite.Query) (*T, error)) func(bucketlite.Query) (any, error) {
	return func(q bucketlite.Query) (any, error) {
		stats, err := get(ctx, q)
		if stats == nil {
			return nil, err
		}
		return stats, err
	}
}

// The JSON forms are those of the hosted service, with nothing left out.
func TestListStatsJSON(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	ns := storetest.Namespace(t, st)
	b := storetest.Items(t, st)
	for _, tt := range []struct {
		get  func(q bucketlite.Query) (any, error)
		want string
	}{
		{anyOf(ctx, b.ListStats), `{"total_objects":0,"total_blobs":0,"avg_blobs_per_object":0,"objects_by_status":{}}`},
		{anyOf(ctx, ns.BucketListStats), `{"total_objects":0,"total_size_bytes":0,"avg_objects_per_bucket":0,"avg_size_per_bucket":0}`},
		{anyOf(ctx, st.NamespaceListStats), `{"total_feature_extractors":0,"total_payload_indexes":0,"total_documents":0,"total_buckets":1,"total_collections":0,"total_objects":0,` +
			`"avg_feature_extractors_per_namespace":0,"avg_payload_indexes_per_namespace":0,"avg_documents_per_namespace":0,"avg_buckets_per_namespace":1,` +
			`"avg_collections_per_namespace":0,"avg_objects_per_namespace":0}`},
		{anyOf(ctx, b.UploadListStats), `{"total_uploads":0,"total_size_bytes":0,"uploads_by_status":{},"avg_file_size_bytes":0,"unique_buckets":0}`},
	} {
		stats, err := tt.get(bucketlite.Query{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := json.Marshal(stats); err != nil || string(got) != tt.want {
			t.Errorf("got %s, %v, want %s", got, err, tt.want)
		}
	}
}
