package bucketlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

var statuses = []bucketlite.Status{bucketlite.StatusActive, bucketlite.StatusArchived, bucketlite.StatusSuspended, bucketlite.StatusInProgress}

// stage makes buckets in chosen states. No deletion runs in its store.
type stage struct {
	st    *bucketlite.Store
	db    *sql.DB
	clock *storetest.ManualClock
}

func newStage(t *testing.T) *stage {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	c := storetest.NewManualClock()
	s := &stage{storetest.OpenPath(t, path, &bucketlite.Options{Now: c.Now}), storetest.OpenRaw(t, path), c}
	storetest.HoldTasks(t, path)
	return s
}

// fixture makes a bucket with one item in the state.
func (s *stage) fixture(t *testing.T, status bucketlite.Status, isLocked bool) *storetest.Fixture {
	t.Helper()
	ctx := context.Background()
	b := storetest.Bucket(t, s.st, storetest.ItemsConfig(t.Name()))
	f := &storetest.Fixture{Dir: t.TempDir(), Store: s.st, Namespace: storetest.Namespace(t, s.st), Bucket: b, ObjectID: storetest.PutItem(t, b, storetest.ItemWithDoc("k", "text")).ID}
	f.UploadID = storetest.CreateUpload(t, b, storetest.DocUpload("k")).ID
	storetest.WriteUpload(t, b, f.UploadID, "document")
	f.MakeBatches(t)
	f.FindBatches(t)
	for i, to := range storetest.TransitionStatuses {
		if status == to {
			if err := storetest.TransitionCalls[i](b, ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	if isLocked {
		if err := b.Lock(ctx); err != nil {
			t.Fatal(err)
		}
	}
	s.clock.Add(time.Second)
	return f
}

// dump returns every row that has to do with the bucket.
func (s *stage) dump(t *testing.T, b *bucketlite.Bucket) string {
	t.Helper()
	return storetest.Dump(t, s.db, "SELECT * FROM buckets WHERE id = ?", b.ID()) +
		storetest.Dump(t, s.db, "SELECT last, running FROM events ORDER BY last DESC LIMIT 1") +
		storetest.Dump(t, s.db, "SELECT * FROM object WHERE partition = (SELECT num FROM buckets WHERE id = ?)", b.ID()) +
		storetest.Dump(t, s.db, "SELECT * FROM uploads WHERE bucket = (SELECT num FROM buckets WHERE id = ?)", b.ID()) +
		storetest.Dump(t, s.db, "SELECT * FROM tasks WHERE bucket = (SELECT num FROM buckets WHERE id = ?)", b.ID()) +
		storetest.Dump(t, s.db, "SELECT * FROM batches k LEFT JOIN jobs j ON j.batch = k.num WHERE k.bucket = (SELECT num FROM buckets WHERE id = ?)", b.ID())
}

// want fails unless the call comes to the verdict.
func (s *stage) want(t *testing.T, f *storetest.Fixture, status bucketlite.Status, want storetest.Verdict, call func() error) {
	t.Helper()
	before := s.dump(t, f.Bucket)
	err := call()
	wantVerdict(t, err, f.Bucket, status, want)
	if after := s.dump(t, f.Bucket); want != storetest.TakesEffect && after != before {
		t.Errorf("rows: got\n%s\nwant them as before\n%s", after, before)
	}
}

// wantVerdict fails unless err is the error the verdict stands for.
func wantVerdict(t *testing.T, err error, b *bucketlite.Bucket, status bucketlite.Status, want storetest.Verdict) {
	t.Helper()
	if want == storetest.TakesEffect || want == storetest.ChangesNothing {
		if err != nil {
			t.Errorf("got %v, want nil", err)
		}
		return
	}
	var state *bucketlite.StateError
	if !errors.As(err, &state) {
		t.Errorf("got %v, want a StateError", err)
		return
	}
	if got := (bucketlite.StateError{Bucket: state.Bucket, Status: state.Status, Locked: state.Locked}); state.Action == "" ||
		got != (bucketlite.StateError{Bucket: b.Name(), Status: status, Locked: want == storetest.RefusedLocked}) {
		t.Errorf("got %+v", *state)
	}
	if errors.Is(err, bucketlite.ErrLocked) != (want == storetest.RefusedLocked) || errors.Is(err, bucketlite.ErrNotActive) != (want == storetest.RefusedInactive) {
		t.Errorf("got %v, want exactly one of ErrLocked (%t) and ErrNotActive (%t)", err, want == storetest.RefusedLocked, want == storetest.RefusedInactive)
	}
}

// eachState runs f for each status, unlocked and, where that can be, locked.
func eachState(t *testing.T, f func(t *testing.T, status bucketlite.Status, isLocked bool)) {
	for _, status := range statuses {
		for _, isLocked := range []bool{false, true} {
			if isLocked && status == bucketlite.StatusInProgress {
				continue
			}
			t.Run(fmt.Sprintf("%s,locked=%t", status, isLocked), func(t *testing.T) { f(t, status, isLocked) })
		}
	}
}

func TestTransitions(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	eachState(t, func(t *testing.T, status bucketlite.Status, isLocked bool) {
		for i, name := range storetest.TransitionNames {
			t.Run(name, func(t *testing.T) {
				f := s.fixture(t, status, isLocked)
				want := storetest.Transitions[status][i]
				if isLocked && want != storetest.ChangesNothing {
					want = storetest.RefusedLocked
				}
				s.want(t, f, status, want, func() error { return storetest.TransitionCalls[i](f.Bucket, context.Background()) })
				if want == storetest.TakesEffect {
					s.wantInfo(t, f.Bucket, storetest.TransitionStatuses[i], isLocked)
				}
			})
		}
		for name, toLocked := range map[string]bool{"Lock": true, "Unlock": false} {
			t.Run(name, func(t *testing.T) {
				f := s.fixture(t, status, isLocked)
				want := storetest.TakesEffect
				if status == bucketlite.StatusInProgress {
					want = storetest.RefusedInactive
				} else if isLocked == toLocked {
					want = storetest.ChangesNothing
				}
				s.want(t, f, status, want, func() error {
					if toLocked {
						return f.Bucket.Lock(context.Background())
					}
					return f.Bucket.Unlock(context.Background())
				})
				if want == storetest.TakesEffect {
					s.wantInfo(t, f.Bucket, status, toLocked)
				}
			})
		}
	})
}

// wantInfo fails unless the bucket has just come to the state.
func (s *stage) wantInfo(t *testing.T, b *bucketlite.Bucket, status bucketlite.Status, isLocked bool) {
	t.Helper()
	info, err := b.Info(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if info.Status != status || info.Locked != isLocked || !info.UpdatedAt.Equal(s.clock.Add(0)) || info.CreatedAt.Equal(info.UpdatedAt) {
		t.Errorf("got %+v, want status %s, locked %t, and updated just now", info, status, isLocked)
	}
}

// access is a column of the table of what a bucket's state allows.
type access int

const (
	readInfo access = iota
	readObjects
	writeObjects
	changeInfo
	remove
)

// allowed is what each status allows, and what a lock does.
var (
	allowed = map[bucketlite.Status][5]storetest.Verdict{
		bucketlite.StatusActive:     {storetest.TakesEffect, storetest.TakesEffect, storetest.TakesEffect, storetest.TakesEffect, storetest.TakesEffect},
		bucketlite.StatusArchived:   {storetest.TakesEffect, storetest.TakesEffect, storetest.RefusedInactive, storetest.TakesEffect, storetest.TakesEffect},
		bucketlite.StatusSuspended:  {storetest.TakesEffect, storetest.RefusedInactive, storetest.RefusedInactive, storetest.TakesEffect, storetest.TakesEffect},
		bucketlite.StatusInProgress: {storetest.TakesEffect, storetest.RefusedInactive, storetest.RefusedInactive, storetest.RefusedInactive, storetest.ChangesNothing},
	}
	allowedLocked = [5]storetest.Verdict{storetest.TakesEffect, storetest.TakesEffect, storetest.RefusedLocked, storetest.RefusedLocked, storetest.RefusedLocked}
)

// operations are the calls of each access, beside those of a plain fixture.
var operations = map[string]struct {
	access access
	do     func(ctx context.Context, f *storetest.Fixture) error
}{
	"Info":           {readInfo, storetest.Calls["Bucket.Info"].Do},
	"Stats":          {readInfo, storetest.Calls["Bucket.Stats"].Do},
	"Growth":         {readInfo, storetest.Calls["Bucket.Growth"].Do},
	"StatusCounts":   {readInfo, storetest.Calls["Bucket.StatusCounts"].Do},
	"Batch":          {readInfo, storetest.Calls["Bucket.Batch"].Do},
	"Batches":        {readInfo, storetest.Calls["Bucket.Batches"].Do},
	"ListBatches":    {readInfo, storetest.Calls["Bucket.ListBatches"].Do},
	"FailedJobs":     {readInfo, storetest.Calls["Bucket.FailedJobs"].Do},
	"ListFailedJobs": {readInfo, storetest.Calls["Bucket.ListFailedJobs"].Do},
	"Namespace.Bucket": {readInfo, func(ctx context.Context, f *storetest.Fixture) error {
		return storetest.ErrorOf(f.Namespace.Bucket(ctx, f.Bucket.ID()))
	}},

	"Object":      {readObjects, storetest.Calls["Bucket.Object"].Do},
	"ObjectByKey": {readObjects, storetest.Calls["Bucket.ObjectByKey"].Do},
	"List":        {readObjects, storetest.Calls["Bucket.List"].Do},
	"Count":       {readObjects, storetest.Calls["Bucket.Count"].Do},
	"CountUpTo":   {readObjects, storetest.Calls["Bucket.CountUpTo"].Do},
	"Objects":     {readObjects, storetest.Calls["Bucket.Objects"].Do},
	"OpenBlob":    {readObjects, storetest.Calls["Bucket.OpenBlob"].Do},
	"Export":      {readObjects, storetest.Calls["Bucket.Export"].Do},
	"ExportDir":   {readObjects, storetest.Calls["Bucket.ExportDir"].Do},
	"Upload":      {readObjects, storetest.Calls["Bucket.Upload"].Do},
	"Uploads":     {readObjects, storetest.Calls["Bucket.Uploads"].Do},
	"ListUploads": {readObjects, storetest.Calls["Bucket.ListUploads"].Do},

	"List, sorted":         {readObjects, storetest.Calls["Bucket.List, sorted"].Do},
	"ListUploads, counted": {readObjects, storetest.Calls["Bucket.ListUploads, counted"].Do},
	"ListStats":            {readObjects, storetest.Calls["Bucket.ListStats"].Do},
	"UploadListStats":      {readObjects, storetest.Calls["Bucket.UploadListStats"].Do},

	"Put, new": {writeObjects, func(ctx context.Context, f *storetest.Fixture) error {
		return storetest.ErrorOf(f.Bucket.Put(ctx, storetest.Item("new", ""), nil))
	}},
	"Put, replaced": {writeObjects, storetest.Calls["Bucket.Put"].Do},
	"PutMany":       {writeObjects, storetest.Calls["Bucket.PutMany"].Do},
	"PutMany, atomic": {writeObjects, func(ctx context.Context, f *storetest.Fixture) error {
		return storetest.ErrorOf(f.Bucket.PutMany(ctx, []bucketlite.ObjectInput{storetest.Item("k", ""), storetest.Item("l", "")}, &bucketlite.PutManyOptions{Atomic: true}))
	}},
	"Patch":         {writeObjects, storetest.Calls["Bucket.Patch"].Do},
	"PatchObjects":  {writeObjects, storetest.Calls["Bucket.PatchObjects"].Do},
	"DeleteObject":  {writeObjects, storetest.Calls["Bucket.DeleteObject"].Do},
	"DeleteObjects": {writeObjects, storetest.Calls["Bucket.DeleteObjects"].Do},

	"Import":  {writeObjects, storetest.Calls["Bucket.Import"].Do},
	"SyncDir": {writeObjects, storetest.Calls["Bucket.SyncDir"].Do},

	"CreateUpload":   {writeObjects, storetest.Calls["Bucket.CreateUpload"].Do},
	"CreateUploads":  {writeObjects, storetest.Calls["Bucket.CreateUploads"].Do},
	"WriteUpload":    {writeObjects, storetest.Calls["Bucket.WriteUpload"].Do},
	"ConfirmUpload":  {writeObjects, storetest.Calls["Bucket.ConfirmUpload"].Do},
	"ConfirmUploads": {writeObjects, storetest.Calls["Bucket.ConfirmUploads"].Do},
	"CancelUpload":   {writeObjects, storetest.Calls["Bucket.CancelUpload"].Do},

	"CreateBatch": {writeObjects, storetest.Calls["Bucket.CreateBatch"].Do},
	"AddToBatch":  {writeObjects, storetest.Calls["Bucket.AddToBatch"].Do},
	"SubmitBatch": {writeObjects, storetest.Calls["Bucket.SubmitBatch"].Do},
	"RetryBatch":  {writeObjects, storetest.Calls["Bucket.RetryBatch"].Do},
	"CreateBatch, unchecked": {writeObjects, func(ctx context.Context, f *storetest.Fixture) error {
		return storetest.ErrorOf(f.Bucket.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{"none"}, SkipValidation: true}))
	}},

	"ChangeSchema": {writeObjects, storetest.Calls["Bucket.ChangeSchema"].Do},
	"ChangeSchema, tried": {writeObjects, func(ctx context.Context, f *storetest.Fixture) error {
		return storetest.ErrorOf(f.Bucket.ChangeSchema(ctx, storetest.LooserItems(), &bucketlite.SchemaChangeOptions{DryRun: true}))
	}},

	"UpdateBatch": {changeInfo, storetest.Calls["Bucket.UpdateBatch"].Do},
	"DeleteBatch": {changeInfo, storetest.Calls["Bucket.DeleteBatch"].Do},
	"CancelBatch": {changeInfo, storetest.Calls["Bucket.CancelBatch"].Do},
	"Update":      {changeInfo, storetest.Calls["Bucket.Update"].Do},
	"Update, name": {changeInfo, func(ctx context.Context, f *storetest.Fixture) error {
		return storetest.ErrorOf(f.Bucket.Update(ctx, bucketlite.BucketUpdate{Name: new("renamed " + f.Bucket.ID())}))
	}},

	"Delete": {remove, storetest.Calls["Bucket.Delete"].Do},
}

func TestStateAllows(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	eachState(t, func(t *testing.T, status bucketlite.Status, isLocked bool) {
		for name, op := range operations {
			t.Run(name, func(t *testing.T) {
				f := s.fixture(t, status, isLocked)
				want := allowed[status][op.access]
				if isLocked && allowedLocked[op.access] == storetest.RefusedLocked {
					want = storetest.RefusedLocked // both hold, and this is reported first
				}
				s.want(t, f, status, want, func() error { return op.do(context.Background(), f) })
			})
		}
	})
}

// The state is checked before the object: a refusal does not show whether it exists.
func TestStateBeforeObject(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newStage(t)
	for name, call := range map[string]func(b *bucketlite.Bucket) error{
		"Put, update": func(b *bucketlite.Bucket) error {
			return storetest.ErrorOf(b.Put(ctx, storetest.Item("none", ""), &bucketlite.PutOptions{Policy: bucketlite.Update}))
		},
		"Put, insert": func(b *bucketlite.Bucket) error {
			return storetest.ErrorOf(b.Put(ctx, storetest.Item("k", ""), &bucketlite.PutOptions{Policy: bucketlite.Insert}))
		},
		"Put, version": func(b *bucketlite.Bucket) error {
			return storetest.ErrorOf(b.Put(ctx, storetest.Item("k", ""), &bucketlite.PutOptions{IfVersion: 99}))
		},
		"Patch": func(b *bucketlite.Bucket) error {
			return storetest.ErrorOf(b.Patch(ctx, "none", storetest.Item("k", ""), nil))
		},
		"Delete": func(b *bucketlite.Bucket) error { return b.DeleteObject(ctx, "none", nil) },
		"WriteUpload": func(b *bucketlite.Bucket) error {
			return storetest.ErrorOf(b.WriteUpload(ctx, "none", strings.NewReader("")))
		},
		"ConfirmUpload": func(b *bucketlite.Bucket) error { return storetest.ErrorOf(b.ConfirmUpload(ctx, "none", nil)) },
		"ConfirmUploads": func(b *bucketlite.Bucket) error {
			return storetest.ErrorOf(b.ConfirmUploads(ctx, []bucketlite.Confirmation{{UploadID: "none"}}))
		},
		"CancelUpload": func(b *bucketlite.Bucket) error { return b.CancelUpload(ctx, "none") },
		"Update, taken": func(b *bucketlite.Bucket) error {
			return storetest.ErrorOf(b.Update(ctx, bucketlite.BucketUpdate{Name: new("taken")}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := s.fixture(t, bucketlite.StatusActive, true)
			s.want(t, f, bucketlite.StatusActive, storetest.RefusedLocked, func() error { return call(f.Bucket) })
		})
	}
}

// A bucket that was locked, archived and so on says so in every store and after
// a restart.
func TestStateIsDurable(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	again := storetest.ReopenItems(t, path)
	if err := b.Suspend(ctx); err != nil {
		t.Fatal(err)
	}
	wantVerdict(t, storetest.LastError(again.Objects(ctx, bucketlite.Query{})), b, bucketlite.StatusSuspended, storetest.RefusedInactive)
	if err := again.Lock(ctx); err != nil {
		t.Fatal(err)
	}
	wantVerdict(t, b.Activate(ctx), b, bucketlite.StatusSuspended, storetest.RefusedLocked)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	wantVerdict(t, storetest.ReopenItems(t, path).Activate(ctx), b, bucketlite.StatusSuspended, storetest.RefusedLocked)
	if err := again.Unlock(ctx); err != nil {
		t.Fatal(err)
	}
	if err := storetest.ReopenItems(t, path).Activate(ctx); err != nil {
		t.Fatal(err)
	}
	storetest.PutItem(t, again, storetest.Item("k", ""))
}

// The state is checked where the write happens: once a stopper has returned,
// nothing changes, whatever calls are running.
func TestNoWriteAfterStop(t *testing.T) {
	t.Parallel()
	for name, stop := range storetest.Stoppers {
		for _, kind := range []string{"file", "memory", "two stores"} {
			if kind == "memory" && name == "Delete" {
				continue // there the deletion cannot be held up
			}
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				path := ":memory:"
				if kind != "memory" {
					path = filepath.Join(t.TempDir(), "test.db")
				}
				b := storetest.Items(t, storetest.OpenPath(t, path))
				writer := b
				if kind == "two stores" {
					writer = storetest.ReopenItems(t, path)
				}
				if name == "Delete" {
					storetest.HoldTasks(t, path)
				}
				w := startWriters(writer, 8)
				w.awaitPuts(t, 50)
				if err := stop.Do(b, context.Background()); err != nil {
					t.Error(err)
				}
				before, err := b.Stats(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				for _, err := range w.wait() {
					wantVerdict(t, err, b, stop.Status, stop.Want)
				}
				after, err := b.Stats(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				if !storetest.EqualStats(before, after) {
					t.Errorf("statistics: got %+v, want %+v", after, before)
				}
			})
		}
	}
}

// writers are goroutines that write to a bucket until they are refused.
type writers struct {
	put    chan struct{} // receives once for each of the first puts
	errors chan error
	n      int
}

func startWriters(b *bucketlite.Bucket, n int) *writers {
	w := &writers{put: make(chan struct{}, 1000), errors: make(chan error, n), n: n}
	for g := range n {
		go func() { w.errors <- storetest.WriteUntilRefused(b, g, w.put) }()
	}
	return w
}

// awaitPuts returns after n puts, and fails if a writer has ended before.
func (w *writers) awaitPuts(t *testing.T, n int) {
	t.Helper()
	for range n {
		select {
		case <-w.put:
		case err := <-w.errors:
			t.Fatalf("a writer ended too early: %v", err)
		}
	}
}

// wait returns what has ended the writers.
func (w *writers) wait() []error {
	errs := make([]error, w.n)
	for i := range errs {
		errs[i] = <-w.errors
	}
	return errs
}
