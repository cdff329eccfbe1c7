package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// systemPaths are paths of system members, as a user indexes them.
var systemPaths = []string{"object_id", "bucket_id", "key_prefix", "status", "error", "created_at", "updated_at", "x-expires-at",
	"blobs.property", "blobs.type", "blobs.details.filename", "blobs.details.size_bytes", "blobs.blob_id"}

// Queries over system members find the same objects with indexes and without, and use them.
func TestSystemIndexes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clock := storetest.NewManualClock()
	st := storetest.Open(t, &bucketlite.Options{Now: clock.Now})
	config := storetest.ItemsConfig("plain")
	config.UniqueKey = nil
	plain := storetest.Bucket(t, st, config)
	config.Name, config.Indexes, config.TextIndexes = "indexed", systemPaths, []string{"object_id", "key_prefix", "blobs.details.filename"}
	indexed := storetest.Bucket(t, st, config)
	for i := range 200 {
		in := storetest.Item(fmt.Sprint(i), "x")
		in.ID = fmt.Sprintf("o-%03d", i)
		if i%3 == 0 {
			in.KeyPrefix = fmt.Sprintf("reports/%d", i%9)
		}
		if i%4 == 0 {
			in.Blobs = []bucketlite.BlobInput{{Property: "doc", Reader: strings.NewReader(strings.Repeat("x", 1+i%7)), Filename: fmt.Sprintf("note-%03d.txt", i)}}
		}
		if i%5 == 0 {
			in.ExpiresAt = clock.Now().Add(time.Duration(1+i) * time.Hour)
		}
		clock.Add(time.Second)
		for _, b := range []*bucketlite.Bucket{plain, indexed} {
			again := in
			if len(in.Blobs) > 0 {
				again.Blobs = []bucketlite.BlobInput{in.Blobs[0]}
				again.Blobs[0].Reader = strings.NewReader(strings.Repeat("x", 1+i%7))
			}
			_, err := b.Put(ctx, again, &bucketlite.PutOptions{Process: i%2 == 0})
			storetest.Must(t, err)
		}
	}
	storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
		if strings.HasSuffix(j.Object.ID, "0") {
			return &bucketlite.JobError{Category: bucketlite.CategoryValidation, Message: "bad object " + j.Object.ID}
		}
		return nil
	}, bucketlite.ProcessOptions{})
	storetest.WantNoProblem(t, st)

	clauses := func(field, value string, operators ...string) (list []string) {
		for _, op := range operators {
			list = append(list, fmt.Sprintf(`{"field":%q,"operator":%q,"value":%s}`, field, op, value))
		}
		return list
	}
	created := clock.Now().Add(-50 * time.Second).Format(time.RFC3339)
	// The index is expected to be used for these.
	using := map[string][]string{
		"value index of status":                   {`{"status":"DRAFT"}`, `{"status":"completed"}`, `{"field":"status","operator":"in","value":["FAILED","PENDING"]}`, `{"status":"NONE"}`, `{"status":"FAILED","n":null}`},
		"value index of error":                    append(clauses("error", `"bad object o-1"`, "starts_with"), `{"error":"bad object o-120"}`),
		"value index of object_id":                append(clauses("object_id", `"o-19"`, "starts_with"), clauses("object_id", `"o-003"`, "eq", "lte")...),
		"value index of key_prefix":               append(clauses("key_prefix", `"reports/3"`, "eq", "starts_with", "gt"), clauses("key_prefix", `["reports/3"]`, "in")...),
		"value index of created_at":               clauses("created_at", fmt.Sprintf("%q", created), "gt", "gte", "eq"),
		"value index of updated_at":               clauses("updated_at", fmt.Sprintf("%q", created), "gt", "gte", "eq"),
		"value index of x-expires-at":             clauses("x-expires-at", fmt.Sprintf("%q", clock.Now().Add(24*time.Hour).Format(time.RFC3339)), "lt", "lte"),
		"value index of blobs.details.filename":   append(clauses("blobs.details.filename", `"note-1"`, "starts_with"), `{"blobs.details.filename":"note-040.txt"}`),
		"value index of blobs.details.size_bytes": clauses("blobs.details.size_bytes", `7`, "eq", "gt"),
		"text index of blobs.details.filename":    clauses("blobs.details.filename", `"te-04"`, "contains"),
		"text index of key_prefix":                clauses("key_prefix", `"rts/6"`, "contains", "ends_with"),
		"text index of object_id":                 clauses("object_id", `"-12"`, "contains"),
		"value index of blobs.property":           {`{"blobs.property":"doc"}`},
	}
	for name, filters := range using {
		for _, text := range filters {
			t.Run(text, func(t *testing.T) {
				t.Parallel()
				var f bucketlite.Filter
				storetest.Must(t, f.UnmarshalJSON([]byte(text)))
				q := bucketlite.Query{Filter: f, Total: true}
				e, err := indexed.Explain(ctx, q)
				storetest.Must(t, err)
				if !strings.Contains(e.String(), name) {
					t.Errorf("got plan %q, want the %s", e, name)
				}
				want, err := plain.List(ctx, q)
				storetest.Must(t, err)
				got, err := indexed.List(ctx, q)
				storetest.Must(t, err)
				storetest.WantEqual(t, "objects", idsOf(got.Results), idsOf(want.Results))
				storetest.WantEqual(t, "total", got.Total, want.Total)
			})
		}
	}
	for _, path := range systemPaths {
		for _, sort := range []bucketlite.Sort{bucketlite.Asc(path), bucketlite.Desc(path)} {
			if path == "blobs.blob_id" || path == "bucket_id" { // those of the two buckets differ
				continue
			}
			want, err := plain.List(ctx, bucketlite.Query{Sort: []bucketlite.Sort{sort}, Limit: 1000})
			storetest.Must(t, err)
			var got []string
			for o, err := range indexed.Objects(ctx, bucketlite.Query{Sort: []bucketlite.Sort{sort}}) {
				storetest.Must(t, err)
				got = append(got, o.ID)
			}
			storetest.WantEqual(t, fmt.Sprint("objects by ", sort), got, idsOf(want.Results))
		}
	}
}

func idsOf(objects []*bucketlite.Object) []string {
	ids := []string{}
	for _, o := range objects {
		ids = append(ids, o.ID)
	}
	return ids
}

// statusModel makes random changes of objects and batches of a bucket with indexes of the
// status and the error.
type statusModel struct {
	t       *testing.T
	st      *bucketlite.Store
	b       *bucketlite.Bucket
	batches []string
}

// TestStatusIndexFollows changes the status of objects in every way, also while the schema is
// rewritten, and checks the indexes.
func TestStatusIndexFollows(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	m := &statusModel{t: t, st: storetest.OpenPath(t, path)}
	config := storetest.ItemsConfig("items")
	config.Indexes = []string{"status", "error", "updated_at"}
	m.b = storetest.Bucket(t, m.st, config)
	rand := storetest.NewRand(t)
	steps := 120
	for i := range steps {
		m.step(rand.IntN(9), rand.IntN(30), rand.IntN(1+len(m.batches)))
		if i%20 == 19 {
			m.check()
		}
		if i == steps/2 {
			m.rewrite()
		}
	}
	m.check()
}

func (m *statusModel) step(kind, n, batch int) {
	ctx, b := context.Background(), m.b
	var ids []string
	for o, err := range b.Objects(ctx, bucketlite.Query{}) {
		storetest.Must(m.t, err)
		if len(ids) < n {
			ids = append(ids, o.ID)
		}
	}
	id := ""
	if batch < len(m.batches) {
		id = m.batches[batch]
	}
	var err error
	switch {
	case kind == 0 || len(ids) == 0:
		_, err = b.Put(ctx, storetest.Item(fmt.Sprint(n), fmt.Sprint(batch)), &bucketlite.PutOptions{Process: n%2 == 0})
	case kind == 1:
		_, err = b.Patch(ctx, ids[len(ids)-1], storetest.Input(m.t, fmt.Sprintf(`{"n":%d}`, batch)), nil)
	case kind == 2:
		err = b.DeleteObject(ctx, ids[len(ids)-1], nil)
	case kind == 3 || kind == 4:
		m.batches = append(m.batches, storetest.Submit(m.t, b, ids...))
	case kind == 5 && id != "":
		_, err = b.CancelBatch(ctx, id)
	case kind == 6 && id != "":
		err = b.DeleteBatch(ctx, id)
	case kind == 7 && id != "":
		_, err = b.RetryBatch(ctx, id, &bucketlite.RetryBatchOptions{All: true, MaxRetries: 10})
	case kind == 8:
		handled := 0
		ended, cancel := context.WithCancel(ctx)
		err = m.st.Process(ended, func(ctx context.Context, j *bucketlite.Job) error {
			switch handled++; {
			case handled > n/2:
				cancel()
				return ctx.Err()
			case handled%4 == 0:
				return fmt.Errorf("failure %d", handled)
			case handled%7 == 0:
				_, err := j.Bucket.Patch(ctx, j.Object.ID, storetest.Input(m.t, `{"v":"changed"}`), nil)
				return err
			case handled%5 == 0:
				_, err := j.Patch(ctx, storetest.Input(m.t, `{"v":"result"}`), nil)
				return err
			}
			return nil
		}, &bucketlite.ProcessOptions{Concurrency: 1, MaxAttempts: 1, UntilIdle: true})
		cancel()
		if errors.Is(err, context.Canceled) {
			err = nil
		}
	}
	if err != nil && !errors.Is(err, bucketlite.ErrConflict) && !errors.Is(err, bucketlite.ErrNotFound) {
		m.t.Fatal(err)
	}
}

// rewrite changes the schema in a way that rewrites all objects, beside other steps.
func (m *statusModel) rewrite() {
	schema := storetest.ItemsConfig("items").Schema
	delete(schema.Properties, "doc")
	ended := make(chan error, 1)
	go func() {
		_, err := m.b.ChangeSchema(context.Background(), schema, &bucketlite.SchemaChangeOptions{Drop: []string{"doc"}})
		ended <- err
	}()
	for i := range 40 {
		m.step([]int{0, 3, 8, 5, 1}[i%5], 5+i%20, i%(1+len(m.batches)))
	}
	storetest.Must(m.t, <-ended)
}

// check compares the index of the status with the statuses of all objects.
func (m *statusModel) check() {
	m.t.Helper()
	storetest.WantNoProblem(m.t, m.st)
	ctx := context.Background()
	want := make(map[bucketlite.Status][]string)
	for o, err := range m.b.Objects(ctx, bucketlite.Query{}) {
		storetest.Must(m.t, err)
		want[o.Status] = append(want[o.Status], o.ID)
	}
	for _, status := range []bucketlite.Status{bucketlite.StatusDraft, bucketlite.StatusPending, bucketlite.StatusProcessing,
		bucketlite.StatusCompleted, bucketlite.StatusFailed} {
		var got []string
		for o, err := range m.b.Objects(ctx, bucketlite.Query{Filter: bucketlite.Eq("status", string(status))}) {
			storetest.Must(m.t, err)
			got = append(got, o.ID)
		}
		if !slices.Equal(got, want[status]) {
			m.t.Errorf("%s: got %v, want %v", status, got, want[status])
		}
	}
}

// Indexes of the status and the error are built while objects are processed.
func TestStatusIndexBuiltBeside(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t, nil)
	m := &statusModel{t: t, st: st, b: storetest.Items(t, st)}
	ids := storetest.PutManyIDs(t, m.b, 1500)
	storetest.Submit(t, m.b, ids...)
	processing, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- st.Process(processing, func(_ context.Context, j *bucketlite.Job) error {
			if strings.HasSuffix(j.Object.ID, "7") {
				return errors.New("an error")
			}
			return nil
		}, &bucketlite.ProcessOptions{MaxAttempts: 1, UntilIdle: true})
	}()
	storetest.Ensure(t, m.b, "status", "error")
	storetest.WantNoProblem(t, st)
	storetest.Must(t, <-ended)
	m.check()
}
