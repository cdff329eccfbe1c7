package storetest

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// MakeBatches makes the batches of a fixture, in order: one that has failed, one
// that was submitted, and a draft.
func (f *Fixture) MakeBatches(t testing.TB) {
	t.Helper()
	Submit(t, f.Bucket, f.ObjectID)
	Process(t, f.Store, func(context.Context, *bucketlite.Job) error { return &bucketlite.JobError{Permanent: true} }, bucketlite.ProcessOptions{})
	Submit(t, f.Bucket, f.ObjectID)
	CreateBatch(t, f.Bucket, f.ObjectID)
}

// FindBatches finds the batches that MakeBatches made.
func (f *Fixture) FindBatches(t testing.TB) {
	t.Helper()
	p, err := f.Bucket.ListBatches(context.Background(), bucketlite.BatchQuery{})
	if err != nil || len(p.Results) != 3 {
		t.Fatalf("got %+v, %v, want three batches", p, err)
	}
	f.Failed, f.Submitted, f.Draft = p.Results[0].ID, p.Results[1].ID, p.Results[2].ID
}

// Fixture is what the calls need to succeed.
type Fixture struct {
	Store     *bucketlite.Store
	Namespace *bucketlite.Namespace
	Bucket    *bucketlite.Bucket
	ObjectID  string // of an object
	task      string
	UploadID  string // an upload whose bytes have come
	Dir       string // for files
	Path      string // of the store, where a test sets it

	// Batches of that object.
	Draft, Submitted, Failed string
}

// NewFixture makes a file with a bucket, an object and a task.
func NewFixture(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	st := OpenPath(t, path)
	other := Bucket(t, st, ItemsConfig("other"))
	b := Items(t, st)
	o := PutItem(t, b, ItemWithDoc("k", "text"))
	WriteUpload(t, b, CreateUpload(t, b, DocUpload("k")).ID, "document")
	(&Fixture{Store: st, Bucket: b, ObjectID: o.ID}).MakeBatches(t)
	task, err := other.Delete(context.Background())
	if err == nil {
		_, err = st.Wait(context.Background(), task.ID)
	}
	if err == nil {
		err = st.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// OpenFixture opens the store of a file that NewFixture made, and its handles.
func OpenFixture(t *testing.T, path string, opts *bucketlite.Options) *Fixture {
	t.Helper()
	return FixtureOf(t, OpenPath(t, path, opts))
}

// FixtureOf finds what NewFixture made in an open store.
func FixtureOf(t *testing.T, st *bucketlite.Store) *Fixture {
	t.Helper()
	ctx := context.Background()
	f := &Fixture{Store: st, Namespace: Namespace(t, st), Dir: t.TempDir()}
	var err error
	if f.Bucket, err = f.Namespace.Bucket(ctx, "items"); err != nil {
		t.Fatal(err)
	}
	o, err := f.Bucket.ObjectByKey(ctx, map[string]any{"k": "k"})
	if err != nil {
		t.Fatal(err)
	}
	f.ObjectID = o.ID
	for u, err := range f.Bucket.Uploads(ctx, bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		f.UploadID = u.ID
	}
	f.FindBatches(t)
	for task, err := range st.Tasks(ctx, bucketlite.TaskQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		f.task = task.ID
	}
	return f
}

// call is a method that is called so that it succeeds.
type call struct {
	Writes bool
	Do     func(ctx context.Context, f *Fixture) error
}

// Calls are the methods of a store and its handles.
var Calls = map[string]call{
	"Store.CreateNamespace": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "new"}))
	}},
	"Store.EnsureNamespace": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Store.EnsureNamespace(ctx, bucketlite.NamespaceConfig{Name: "new"}))
	}},
	"Store.EnsureBucket": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Store.EnsureBucket(ctx, "new", bucketlite.BucketConfig{Name: "new"}, nil))
	}},
	"Store.EnsureBucket, existing": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Store.EnsureBucket(ctx, "test", ItemsConfig("items"), nil))
	}},
	"Store.Namespace": {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Store.Namespace(ctx, "test")) }},
	"Store.OpenBucket": {false, func(ctx context.Context, f *Fixture) error {
		_, _, err := f.Store.OpenBucket(ctx, "test", f.Bucket.ID())
		return err
	}},
	"Store.Namespaces": {false, func(ctx context.Context, f *Fixture) error {
		return LastError(f.Store.Namespaces(ctx, bucketlite.Query{}))
	}},
	"Store.ListNamespaces": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Store.ListNamespaces(ctx, bucketlite.Query{}))
	}},
	"Store.NamespaceListStats": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Store.NamespaceListStats(ctx, bucketlite.Query{}))
	}},
	"Store.Apply": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Store.Apply(ctx, f.Bucket.PutChange(Item("k", "w"), nil), f.Bucket.PatchChange(f.ObjectID, bucketlite.ObjectInput{}, nil)))
	}},
	"Store.Task": {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Store.Task(ctx, f.task)) }},
	"Store.Tasks": {false, func(ctx context.Context, f *Fixture) error {
		return LastError(f.Store.Tasks(ctx, bucketlite.TaskQuery{}))
	}},
	"Store.ListTasks": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Store.ListTasks(ctx, bucketlite.TaskQuery{}))
	}},
	"Store.CancelTask":  {true, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Store.CancelTask(ctx, f.task)) }},
	"Store.Wait":        {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Store.Wait(ctx, f.task)) }},
	"Store.Stats":       {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Store.Stats(ctx)) }},
	"Store.EventCursor": {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Store.EventCursor(ctx)) }},
	"Store.Watch":       {false, func(ctx context.Context, f *Fixture) error { return FirstError(f.Store.Watch(ctx, FromStart)) }},
	"Store.Check":       {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Store.Check(ctx, nil)) }},
	"Store.Backup": {false, func(ctx context.Context, f *Fixture) error {
		return f.Store.Backup(ctx, filepath.Join(f.Dir, rand.Text()), nil)
	}},

	"Namespace.Info":   {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Namespace.Info(ctx)) }},
	"Namespace.Bucket": {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Namespace.Bucket(ctx, "items")) }},
	"Namespace.Buckets": {false, func(ctx context.Context, f *Fixture) error {
		return LastError(f.Namespace.Buckets(ctx, bucketlite.Query{}))
	}},
	"Namespace.ListBuckets": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Namespace.ListBuckets(ctx, bucketlite.Query{}))
	}},
	"Namespace.ListBuckets, sorted": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Namespace.ListBuckets(ctx, bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc("bucket_name")}}))
	}},
	"Namespace.BucketListStats": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Namespace.BucketListStats(ctx, bucketlite.Query{}))
	}},
	"Namespace.Watch": {false, func(ctx context.Context, f *Fixture) error { return FirstError(f.Namespace.Watch(ctx, FromStart)) }},
	"Namespace.Update": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Namespace.Update(ctx, bucketlite.NamespaceUpdate{}))
	}},
	"Namespace.Delete": {true, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Namespace.Delete(ctx)) }},
	"Namespace.CreateBucket": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Namespace.CreateBucket(ctx, bucketlite.BucketConfig{Name: "new"}))
	}},
	"Namespace.EnsureBucket": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Namespace.EnsureBucket(ctx, bucketlite.BucketConfig{Name: "new"}, nil))
	}},

	"Bucket.Info":  {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.Info(ctx)) }},
	"Bucket.Stats": {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.Stats(ctx)) }},
	"Bucket.Growth": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.Growth(ctx, time.Unix(0, 0), time.Now(), bucketlite.UnitMonth))
	}},
	"Bucket.StatusCounts": {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.StatusCounts(ctx)) }},
	"Bucket.Watch":        {false, func(ctx context.Context, f *Fixture) error { return FirstError(f.Bucket.Watch(ctx, FromStart)) }},
	"Bucket.Update": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.Update(ctx, bucketlite.BucketUpdate{}))
	}},
	"Bucket.ChangeSchema": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.ChangeSchema(ctx, LooserItems(), nil))
	}},
	"Bucket.Activate": {true, func(ctx context.Context, f *Fixture) error { return f.Bucket.Activate(ctx) }},
	"Bucket.Archive":  {true, func(ctx context.Context, f *Fixture) error { return f.Bucket.Archive(ctx) }},
	"Bucket.Suspend":  {true, func(ctx context.Context, f *Fixture) error { return f.Bucket.Suspend(ctx) }},
	"Bucket.Lock":     {true, func(ctx context.Context, f *Fixture) error { return f.Bucket.Lock(ctx) }},
	"Bucket.Unlock":   {true, func(ctx context.Context, f *Fixture) error { return f.Bucket.Unlock(ctx) }},
	"Bucket.Delete":   {true, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.Delete(ctx)) }},
	"Bucket.Object":   {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.Object(ctx, f.ObjectID)) }},
	"Bucket.Objects": {false, func(ctx context.Context, f *Fixture) error {
		return LastError(f.Bucket.Objects(ctx, bucketlite.Query{}))
	}},
	"Bucket.List":    {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.List(ctx, bucketlite.Query{})) }},
	"Bucket.ListRaw": {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.ListRaw(ctx, bucketlite.Query{})) }},
	"Bucket.Aggregate": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.Aggregate(ctx, bucketlite.Aggregation{
			GroupBy: []bucketlite.GroupBy{{Field: "v"}}, Metrics: []bucketlite.Metric{{Function: bucketlite.MetricCount, Alias: "n"}}}))
	}},
	"Bucket.Count": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.Count(ctx, bucketlite.Eq("v", "x")))
	}},
	"Bucket.CountUpTo": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.CountUpTo(ctx, bucketlite.Query{Filter: bucketlite.Eq("v", "x")}, 10))
	}},
	"Bucket.List, reversed": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.List(ctx, bucketlite.Query{Reverse: true}))
	}},
	"Bucket.Notes":           {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.Notes(ctx, bucketlite.Query{})) }},
	"Bucket.Explain":         {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.Explain(ctx, bucketlite.Query{})) }},
	"Bucket.Indexes":         {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.Indexes(ctx)) }},
	"Bucket.EnsureIndex":     {true, func(ctx context.Context, f *Fixture) error { return f.Bucket.EnsureIndex(ctx, "v") }},
	"Bucket.EnsureTextIndex": {true, func(ctx context.Context, f *Fixture) error { return f.Bucket.EnsureTextIndex(ctx) }},
	"Bucket.DropIndex":       {true, func(ctx context.Context, f *Fixture) error { return f.Bucket.DropIndex(ctx, "v") }},
	"Bucket.DropTextIndex":   {true, func(ctx context.Context, f *Fixture) error { return f.Bucket.DropTextIndex(ctx) }},
	"Bucket.List, sorted": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.List(ctx, bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc("k")}}))
	}},
	"Bucket.ObjectByKey": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.ObjectByKey(ctx, map[string]any{"k": "k"}))
	}},
	"Bucket.OpenBlob": {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.OpenBlob(ctx, f.ObjectID, "doc")) }},
	"Bucket.Put":      {true, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.Put(ctx, Item("k", "w"), nil)) }},
	"Bucket.Patch": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.Patch(ctx, f.ObjectID, Item("k", "w"), nil))
	}},
	"Bucket.DeleteObject": {true, func(ctx context.Context, f *Fixture) error { return f.Bucket.DeleteObject(ctx, f.ObjectID, nil) }},
	"Bucket.DeleteObjects": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.DeleteObjects(ctx, bucketlite.Query{Filter: bucketlite.Eq("k", "none")}, nil))
	}},
	"Bucket.PatchObjects": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.PatchObjects(ctx, bucketlite.Query{Filter: bucketlite.Eq("k", "k")}, Item("k", "w"), nil))
	}},
	"Bucket.Import": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.Import(ctx, bucketlite.JSONLines(strings.NewReader(`{"k": "imported"}`)), nil))
	}},
	"Bucket.SyncDir": {true, func(ctx context.Context, f *Fixture) error {
		dir := filepath.Join(f.Dir, rand.Text())
		err := os.Mkdir(dir, 0o755)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "new.txt"), []byte("text"), 0o644)
		}
		if err != nil {
			return err
		}
		folder := bucketlite.FolderOptions{Property: "doc", Fields: map[string]string{"k": "path"}}
		return ErrorOf(f.Bucket.SyncDir(ctx, dir, &bucketlite.SyncOptions{Folder: folder, Settle: time.Millisecond}))
	}},
	"Bucket.Export": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.Export(ctx, io.Discard, nil))
	}},
	"Bucket.ExportDir": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.ExportDir(ctx, filepath.Join(f.Dir, rand.Text()), nil))
	}},
	"Bucket.CreateUpload": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.CreateUpload(ctx, DocUpload("k")))
	}},
	"Bucket.CreateUploads": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.CreateUploads(ctx, []bucketlite.UploadInput{DocUpload("k")}, nil))
	}},
	"Bucket.CheckUploadSize": {false, func(ctx context.Context, f *Fixture) error { return f.Bucket.CheckUploadSize(ctx, f.UploadID, 5) }},
	"Bucket.WriteUpload": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.WriteUpload(ctx, f.UploadID, strings.NewReader("other")))
	}},
	"Bucket.ConfirmUpload": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.ConfirmUpload(ctx, f.UploadID, nil))
	}},
	"Bucket.ConfirmUploads": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.ConfirmUploads(ctx, []bucketlite.Confirmation{{UploadID: f.UploadID}}))
	}},
	"Bucket.CancelUpload": {true, func(ctx context.Context, f *Fixture) error { return f.Bucket.CancelUpload(ctx, f.UploadID) }},
	"Bucket.Upload":       {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.Upload(ctx, f.UploadID)) }},
	"Bucket.Uploads": {false, func(ctx context.Context, f *Fixture) error {
		return LastError(f.Bucket.Uploads(ctx, bucketlite.Query{}))
	}},
	"Bucket.ListStats": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.ListStats(ctx, bucketlite.Query{}))
	}},
	"Bucket.UploadListStats": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.UploadListStats(ctx, bucketlite.Query{}))
	}},
	"Bucket.ListUploads": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.ListUploads(ctx, bucketlite.Query{}))
	}},
	"Bucket.ListUploads, counted": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.ListUploads(ctx, bucketlite.Query{Total: true}))
	}},
	"Bucket.PutMany": {true, func(ctx context.Context, f *Fixture) error {
		return PutManyError(f.Bucket.PutMany(ctx, []bucketlite.ObjectInput{Item("k", "w")}, nil))
	}},

	"Bucket.CreateBatch": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{f.ObjectID}}))
	}},
	"Bucket.AddToBatch": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.AddToBatch(ctx, f.Draft, []string{f.ObjectID}, nil))
	}},
	"Bucket.Batch": {false, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.Batch(ctx, f.Draft)) }},
	"Bucket.Batches": {false, func(ctx context.Context, f *Fixture) error {
		return LastError(f.Bucket.Batches(ctx, bucketlite.BatchQuery{}))
	}},
	"Bucket.ListBatches": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.ListBatches(ctx, bucketlite.BatchQuery{}))
	}},
	"Bucket.UpdateBatch": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.UpdateBatch(ctx, f.Draft, bucketlite.BatchUpdate{}))
	}},
	"Bucket.DeleteBatch": {true, func(ctx context.Context, f *Fixture) error { return f.Bucket.DeleteBatch(ctx, f.Draft) }},
	"Bucket.SubmitBatch": {true, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.SubmitBatch(ctx, f.Draft)) }},
	"Bucket.CancelBatch": {true, func(ctx context.Context, f *Fixture) error { return ErrorOf(f.Bucket.CancelBatch(ctx, f.Submitted)) }},
	"Bucket.RetryBatch": {true, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.RetryBatch(ctx, f.Failed, &bucketlite.RetryBatchOptions{All: true}))
	}},
	"Bucket.FailedJobs": {false, func(ctx context.Context, f *Fixture) error {
		return LastError(f.Bucket.FailedJobs(ctx, f.Failed, bucketlite.Query{}))
	}},
	"Bucket.ListFailedJobs": {false, func(ctx context.Context, f *Fixture) error {
		return ErrorOf(f.Bucket.ListFailedJobs(ctx, f.Failed, bucketlite.Query{}))
	}},
}

// Loss is a disk that fails under one of a store's commits.
type Loss struct {
	mu   sync.Mutex
	left int  // commits until then; 0 for never
	kept bool // the commit takes effect all the same
}

// Lose makes the n-th commit from now fail.
func (l *Loss) Lose(n int, kept bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left, l.kept = n, kept
}

// Struck reports whether the commit has failed, and forgets about it if not.
func (l *Loss) Struck() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.left = 0 }()
	return l.left == 0
}

func (l *Loss) commit(commit func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.left == 0:
		return commit()
	case l.left > 1:
		l.left--
		return commit()
	}
	l.left = 0
	if l.kept {
		if err := commit(); err != nil {
			return err
		}
	}
	return engine.ErrDisk
}

// OpenLossy opens a store whose disk can be made to fail.
func OpenLossy(t testing.TB, path string, opts *bucketlite.Options) (*bucketlite.Store, *Loss) {
	t.Helper()
	l := &Loss{}
	st, err := bucketlite.Open(engine.WithCommitHook(context.Background(), l.commit), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st, l
}

// Spent reports whether the commit has failed.
func (l *Loss) Spent() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left == 0
}
