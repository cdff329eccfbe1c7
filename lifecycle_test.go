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
)

// verdict is what becomes of a call.
type verdict int

const (
	done     verdict = iota // it takes effect
	same                    // it succeeds and changes nothing
	inactive                // ErrNotActive, and nothing changes
	locked                  // ErrLocked, and nothing changes
)

var statuses = []bucketlite.Status{bucketlite.StatusActive, bucketlite.StatusArchived, bucketlite.StatusSuspended, bucketlite.StatusInProgress}

// transitions is what activate, archive, suspend and delete do to a bucket that
// is not locked. The status that results is in the same column of toStatus.
var (
	transitions = map[bucketlite.Status][4]verdict{
		bucketlite.StatusActive:     {same, done, done, done},
		bucketlite.StatusArchived:   {done, same, inactive, done},
		bucketlite.StatusSuspended:  {done, done, same, done},
		bucketlite.StatusInProgress: {inactive, inactive, inactive, same},
	}
	toStatus    = [4]bucketlite.Status{bucketlite.StatusActive, bucketlite.StatusArchived, bucketlite.StatusSuspended, bucketlite.StatusInProgress}
	transitName = [4]string{"Activate", "Archive", "Suspend", "Delete"}
	transit     = [4]func(*bucketlite.Bucket, context.Context) error{
		(*bucketlite.Bucket).Activate, (*bucketlite.Bucket).Archive, (*bucketlite.Bucket).Suspend,
		func(b *bucketlite.Bucket, ctx context.Context) error { return second(b.Delete(ctx)) },
	}
)

// stage makes buckets in chosen states. No deletion goes on in its store.
type stage struct {
	st    *bucketlite.Store
	db    *sql.DB
	clock *manualClock
}

func newStage(t *testing.T) *stage {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	c := newManualClock()
	s := &stage{openPath(t, path, &bucketlite.Options{Now: c.now}), raw(t, path), c}
	holdTasks(t, path)
	return s
}

// fixture makes a bucket with one item in the state.
func (s *stage) fixture(t *testing.T, status bucketlite.Status, isLocked bool) *fixture {
	t.Helper()
	ctx := context.Background()
	b := bucket(t, s.st, itemsConfig(t.Name()))
	f := &fixture{st: s.st, ns: namespace(t, s.st), b: b, id: putItem(t, b, itemWithDoc("k", "text")).ID}
	f.up = createUpload(t, b, docUpload("k")).ID
	writeUpload(t, b, f.up, "document")
	f.makeBatches(t)
	f.findBatches(t)
	for i, to := range toStatus {
		if status == to {
			if err := transit[i](b, ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	if isLocked {
		if err := b.Lock(ctx); err != nil {
			t.Fatal(err)
		}
	}
	s.clock.add(time.Second)
	return f
}

// dump returns every row that has to do with the bucket.
func (s *stage) dump(t *testing.T, b *bucketlite.Bucket) string {
	t.Helper()
	return dump(t, s.db, "SELECT * FROM buckets WHERE id = ?", b.ID()) +
		dump(t, s.db, "SELECT * FROM deltas WHERE bucket = (SELECT num FROM buckets WHERE id = ?)", b.ID()) +
		dump(t, s.db, "SELECT * FROM object WHERE bucket = (SELECT num FROM buckets WHERE id = ?)", b.ID()) +
		dump(t, s.db, "SELECT * FROM uploads WHERE bucket = (SELECT num FROM buckets WHERE id = ?)", b.ID()) +
		dump(t, s.db, "SELECT * FROM tasks WHERE bucket = (SELECT num FROM buckets WHERE id = ?)", b.ID()) +
		dump(t, s.db, "SELECT * FROM batches k LEFT JOIN jobs j ON j.batch = k.num WHERE k.bucket = (SELECT num FROM buckets WHERE id = ?)", b.ID())
}

// want fails unless the call comes to the verdict.
func (s *stage) want(t *testing.T, f *fixture, status bucketlite.Status, want verdict, call func() error) {
	t.Helper()
	before := s.dump(t, f.b)
	err := call()
	wantVerdict(t, err, f.b, status, want)
	if after := s.dump(t, f.b); want != done && after != before {
		t.Errorf("rows: got\n%s\nwant them as before\n%s", after, before)
	}
}

// wantVerdict fails unless err is the error the verdict stands for.
func wantVerdict(t *testing.T, err error, b *bucketlite.Bucket, status bucketlite.Status, want verdict) {
	t.Helper()
	if want == done || want == same {
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
		got != (bucketlite.StateError{Bucket: b.Name(), Status: status, Locked: want == locked}) {
		t.Errorf("got %+v", *state)
	}
	if errors.Is(err, bucketlite.ErrLocked) != (want == locked) || errors.Is(err, bucketlite.ErrNotActive) != (want == inactive) {
		t.Errorf("got %v, want exactly one of ErrLocked (%t) and ErrNotActive (%t)", err, want == locked, want == inactive)
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
		for i, name := range transitName {
			t.Run(name, func(t *testing.T) {
				f := s.fixture(t, status, isLocked)
				want := transitions[status][i]
				if isLocked && want != same {
					want = locked
				}
				s.want(t, f, status, want, func() error { return transit[i](f.b, context.Background()) })
				if want == done {
					s.wantInfo(t, f.b, toStatus[i], isLocked)
				}
			})
		}
		for name, toLocked := range map[string]bool{"Lock": true, "Unlock": false} {
			t.Run(name, func(t *testing.T) {
				f := s.fixture(t, status, isLocked)
				want := done
				if status == bucketlite.StatusInProgress {
					want = inactive
				} else if isLocked == toLocked {
					want = same
				}
				s.want(t, f, status, want, func() error {
					if toLocked {
						return f.b.Lock(context.Background())
					}
					return f.b.Unlock(context.Background())
				})
				if want == done {
					s.wantInfo(t, f.b, status, toLocked)
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
	if info.Status != status || info.Locked != isLocked || !info.UpdatedAt.Equal(s.clock.add(0)) || info.CreatedAt.Equal(info.UpdatedAt) {
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
	allowed = map[bucketlite.Status][5]verdict{
		bucketlite.StatusActive:     {done, done, done, done, done},
		bucketlite.StatusArchived:   {done, done, inactive, done, done},
		bucketlite.StatusSuspended:  {done, inactive, inactive, done, done},
		bucketlite.StatusInProgress: {done, inactive, inactive, inactive, same},
	}
	allowedLocked = [5]verdict{done, done, locked, locked, locked}
)

// operations are the calls of each access, beside those of a plain fixture.
var operations = map[string]struct {
	access access
	do     func(ctx context.Context, f *fixture) error
}{
	"Info":             {readInfo, calls["Bucket.Info"].do},
	"Stats":            {readInfo, calls["Bucket.Stats"].do},
	"Batch":            {readInfo, calls["Bucket.Batch"].do},
	"Batches":          {readInfo, calls["Bucket.Batches"].do},
	"ListBatches":      {readInfo, calls["Bucket.ListBatches"].do},
	"FailedJobs":       {readInfo, calls["Bucket.FailedJobs"].do},
	"ListFailedJobs":   {readInfo, calls["Bucket.ListFailedJobs"].do},
	"Namespace.Bucket": {readInfo, func(ctx context.Context, f *fixture) error { return second(f.ns.Bucket(ctx, f.b.ID())) }},

	"Object":      {readObjects, calls["Bucket.Object"].do},
	"ObjectByKey": {readObjects, calls["Bucket.ObjectByKey"].do},
	"List":        {readObjects, calls["Bucket.List"].do},
	"Objects":     {readObjects, calls["Bucket.Objects"].do},
	"OpenBlob":    {readObjects, calls["Bucket.OpenBlob"].do},
	"Upload":      {readObjects, calls["Bucket.Upload"].do},
	"Uploads":     {readObjects, calls["Bucket.Uploads"].do},
	"ListUploads": {readObjects, calls["Bucket.ListUploads"].do},

	"List, sorted":         {readObjects, calls["Bucket.List, sorted"].do},
	"ListUploads, counted": {readObjects, calls["Bucket.ListUploads, counted"].do},
	"ListStats":            {readObjects, calls["Bucket.ListStats"].do},
	"UploadListStats":      {readObjects, calls["Bucket.UploadListStats"].do},

	"Put, new":      {writeObjects, func(ctx context.Context, f *fixture) error { return second(f.b.Put(ctx, item("new", ""), nil)) }},
	"Put, replaced": {writeObjects, calls["Bucket.Put"].do},
	"PutMany":       {writeObjects, calls["Bucket.PutMany"].do},
	"PutMany, atomic": {writeObjects, func(ctx context.Context, f *fixture) error {
		return second(f.b.PutMany(ctx, []bucketlite.ObjectInput{item("k", ""), item("l", "")}, &bucketlite.PutManyOptions{Atomic: true}))
	}},
	"Patch":        {writeObjects, calls["Bucket.Patch"].do},
	"DeleteObject": {writeObjects, calls["Bucket.DeleteObject"].do},

	"CreateUpload":   {writeObjects, calls["Bucket.CreateUpload"].do},
	"CreateUploads":  {writeObjects, calls["Bucket.CreateUploads"].do},
	"WriteUpload":    {writeObjects, calls["Bucket.WriteUpload"].do},
	"ConfirmUpload":  {writeObjects, calls["Bucket.ConfirmUpload"].do},
	"ConfirmUploads": {writeObjects, calls["Bucket.ConfirmUploads"].do},
	"CancelUpload":   {writeObjects, calls["Bucket.CancelUpload"].do},

	"CreateBatch": {writeObjects, calls["Bucket.CreateBatch"].do},
	"AddToBatch":  {writeObjects, calls["Bucket.AddToBatch"].do},
	"SubmitBatch": {writeObjects, calls["Bucket.SubmitBatch"].do},
	"RetryBatch":  {writeObjects, calls["Bucket.RetryBatch"].do},
	"CreateBatch, unchecked": {writeObjects, func(ctx context.Context, f *fixture) error {
		return second(f.b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{"none"}, SkipValidation: true}))
	}},

	"UpdateBatch": {changeInfo, calls["Bucket.UpdateBatch"].do},
	"DeleteBatch": {changeInfo, calls["Bucket.DeleteBatch"].do},
	"CancelBatch": {changeInfo, calls["Bucket.CancelBatch"].do},
	"Update":      {changeInfo, calls["Bucket.Update"].do},
	"Update, name": {changeInfo, func(ctx context.Context, f *fixture) error {
		return second(f.b.Update(ctx, bucketlite.BucketUpdate{Name: new("renamed " + f.b.ID())}))
	}},

	"Delete": {remove, calls["Bucket.Delete"].do},
}

func TestStateAllows(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	eachState(t, func(t *testing.T, status bucketlite.Status, isLocked bool) {
		for name, op := range operations {
			t.Run(name, func(t *testing.T) {
				f := s.fixture(t, status, isLocked)
				want := allowed[status][op.access]
				if isLocked && allowedLocked[op.access] == locked {
					want = locked // both hold, and this is reported first
				}
				s.want(t, f, status, want, func() error { return op.do(context.Background(), f) })
			})
		}
	})
}

// The state is judged before the object: whether it exists is not told.
func TestStateBeforeObject(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newStage(t)
	for name, call := range map[string]func(b *bucketlite.Bucket) error{
		"Put, update": func(b *bucketlite.Bucket) error {
			return second(b.Put(ctx, item("none", ""), &bucketlite.PutOptions{Policy: bucketlite.Update}))
		},
		"Put, insert": func(b *bucketlite.Bucket) error {
			return second(b.Put(ctx, item("k", ""), &bucketlite.PutOptions{Policy: bucketlite.Insert}))
		},
		"Put, version": func(b *bucketlite.Bucket) error {
			return second(b.Put(ctx, item("k", ""), &bucketlite.PutOptions{IfVersion: 99}))
		},
		"Patch":  func(b *bucketlite.Bucket) error { return second(b.Patch(ctx, "none", item("k", ""), nil)) },
		"Delete": func(b *bucketlite.Bucket) error { return b.DeleteObject(ctx, "none", nil) },
		"WriteUpload": func(b *bucketlite.Bucket) error {
			return second(b.WriteUpload(ctx, "none", strings.NewReader("")))
		},
		"ConfirmUpload": func(b *bucketlite.Bucket) error { return second(b.ConfirmUpload(ctx, "none", nil)) },
		"ConfirmUploads": func(b *bucketlite.Bucket) error {
			return second(b.ConfirmUploads(ctx, []bucketlite.Confirmation{{UploadID: "none"}}))
		},
		"CancelUpload": func(b *bucketlite.Bucket) error { return b.CancelUpload(ctx, "none") },
		"Update, taken": func(b *bucketlite.Bucket) error {
			return second(b.Update(ctx, bucketlite.BucketUpdate{Name: new("taken")}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := s.fixture(t, bucketlite.StatusActive, true)
			s.want(t, f, bucketlite.StatusActive, locked, func() error { return call(f.b) })
		})
	}
}

// A bucket that was locked, archived and so on says so in every store and after
// a restart.
func TestStateIsDurable(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	st := openPath(t, path)
	b := items(t, st)
	again := reopenItems(t, path)
	if err := b.Suspend(ctx); err != nil {
		t.Fatal(err)
	}
	wantVerdict(t, last(again.Objects(ctx, bucketlite.Query{})), b, bucketlite.StatusSuspended, inactive)
	if err := again.Lock(ctx); err != nil {
		t.Fatal(err)
	}
	wantVerdict(t, b.Activate(ctx), b, bucketlite.StatusSuspended, locked)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	wantVerdict(t, reopenItems(t, path).Activate(ctx), b, bucketlite.StatusSuspended, locked)
	if err := again.Unlock(ctx); err != nil {
		t.Fatal(err)
	}
	if err := reopenItems(t, path).Activate(ctx); err != nil {
		t.Fatal(err)
	}
	putItem(t, again, item("k", ""))
}

// stoppers are the calls after which no object is written any more.
var stoppers = map[string]struct {
	status bucketlite.Status
	want   verdict
	do     func(*bucketlite.Bucket, context.Context) error
}{
	"Lock":    {bucketlite.StatusActive, locked, (*bucketlite.Bucket).Lock},
	"Archive": {bucketlite.StatusArchived, inactive, (*bucketlite.Bucket).Archive},
	"Suspend": {bucketlite.StatusSuspended, inactive, (*bucketlite.Bucket).Suspend},
	"Delete":  {bucketlite.StatusInProgress, inactive, transit[3]},
}

// The state is checked where the write happens: once a stopper has returned,
// nothing changes, whoever is amid a call.
func TestNoWriteAfterStop(t *testing.T) {
	t.Parallel()
	for name, stop := range stoppers {
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
				b := items(t, openPath(t, path))
				writer := b
				if kind == "two stores" {
					writer = reopenItems(t, path)
				}
				if name == "Delete" {
					holdTasks(t, path)
				}
				w := startWriters(writer, 8)
				w.awaitPuts(t, 50)
				if err := stop.do(b, context.Background()); err != nil {
					t.Error(err)
				}
				before, err := b.Stats(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				for _, err := range w.wait() {
					wantVerdict(t, err, b, stop.status, stop.want)
				}
				after, err := b.Stats(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				if !equalStats(before, after) {
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
		go func() { w.errors <- writeUntilRefused(b, g, w.put) }()
	}
	return w
}

// writeUntilRefused puts, batches, patches and deletes until one call fails.
func writeUntilRefused(b *bucketlite.Bucket, g int, put chan struct{}) error {
	ctx := context.Background()
	for i := 0; ; i++ {
		res, err := b.Put(ctx, item(fmt.Sprintf("%d-%d", g, i), "v"), nil)
		if err != nil {
			return err
		}
		select {
		case put <- struct{}{}:
		default:
		}
		switch i % 4 {
		case 0:
			err = batchError(b.PutMany(ctx, []bucketlite.ObjectInput{item(fmt.Sprintf("%d-%d-a", g, i), ""), item(fmt.Sprintf("%d-%d-b", g, i), "")}, nil))
		case 1:
			_, err = b.Patch(ctx, res.Object.ID, bucketlite.ObjectInput{Fields: map[string]any{"v": "patched"}}, nil)
		case 2:
			err = b.DeleteObject(ctx, res.Object.ID, nil)
		}
		if err != nil {
			return err
		}
	}
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

// equalStats compares statistics by the times their pointers point to.
func equalStats(a, b *bucketlite.Stats) bool {
	equalTime := func(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }
	x, y := *a, *b
	x.LastUploadAt, x.UpdatedAt, y.LastUploadAt, y.UpdatedAt = nil, nil, nil, nil
	return x == y && equalTime(a.LastUploadAt, b.LastUploadAt) && equalTime(a.UpdatedAt, b.UpdatedAt)
}
