package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// Many batches have the same objects, and several processors in several stores
// work on them.
func TestSameObjectsInManyBatches(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	const batches, objects, processors = 100, 20, 8
	path := filepath.Join(t.TempDir(), "test.db")
	opts := &bucketlite.Options{Durability: bucketlite.DurabilityNormal}
	st := storetest.OpenPath(t, path, opts)
	b := storetest.Items(t, st)
	all := storetest.PutManyIDs(t, b, objects)
	stores := []*bucketlite.Store{st, storetest.OpenPath(t, path, opts)}
	var batchIDs []string
	storetest.Must(t, storetest.AtOnce(4, func(g int) error {
		for range batches / 4 {
			k, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: all})
			if err == nil {
				_, err = b.SubmitBatch(ctx, k.ID)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
	for k, err := range b.Batches(ctx, bucketlite.BatchQuery{}) {
		storetest.Must(t, err)
		batchIDs = append(batchIDs, k.ID)
	}
	stop, watched := make(chan struct{}), make(chan struct{})
	go func() { // the counts are exact at each moment
		defer close(watched)
		db := storetest.OpenRaw(t, path)
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, name := range []string{"batch counts", "batch totals", "batch tasks", "leases", "queued objects"} {
				if got := storetest.Dump(t, db, storetest.Invariants[name]); got != "" {
					t.Errorf("%s: got %s, want nothing", name, got)
				}
			}
		}
	}()
	var calls sync.Map // counters by batch and object
	storetest.Must(t, storetest.AtOnce(processors, func(p int) error {
		return stores[p%2].Process(ctx, func(_ context.Context, j *bucketlite.Job) error {
			n, _ := calls.LoadOrStore(j.BatchID+j.Object.ID, new(atomic.Int64))
			if n.(*atomic.Int64).Add(1) == 1 && rand.IntN(10) == 0 {
				return errors.New("not yet")
			}
			return nil
		}, &bucketlite.ProcessOptions{Concurrency: 3, UntilIdle: true, Backoff: time.Millisecond})
	}))
	close(stop)
	<-watched
	handled := 0
	calls.Range(func(any, any) bool { handled++; return true })
	if handled != batches*objects || len(batchIDs) != batches {
		t.Errorf("got %d jobs handled in %d batches, want %d in %d", handled, len(batchIDs), batches*objects, batches)
	}
	for _, id := range batchIDs {
		storetest.WantBatch(t, st, b, id, bucketlite.StatusCompleted)
	}
	for _, object := range all {
		storetest.WantStatus(t, b, object, bucketlite.StatusCompleted)
	}
	storetest.WantSound(t, path)
}

// abandonJobs makes it look as if processes had died with all the jobs that are
// queued, some time ago.
func abandonJobs(t testing.TB, path string, attempts int) {
	t.Helper()
	storetest.Execute(t, storetest.OpenRaw(t, path), fmt.Sprintf(`UPDATE jobs SET status = 'PROCESSING', owner = 'nobody', attempts = %d, due_at = 1,
		version = (SELECT version FROM object WHERE seq = jobs.seq) WHERE status = 'PENDING';
		UPDATE object SET status = 'PROCESSING' WHERE status = 'PENDING';
		UPDATE batches SET status = 'IN_PROGRESS' WHERE status = 'PENDING'; UPDATE tasks SET status = 'IN_PROGRESS' WHERE status = 'PENDING'; `+storetest.Uncount, attempts))
}

// The jobs of a process that died are taken over when their lease has ended; one
// that its process died of each time has failed.
func TestLeaseEnds(t *testing.T) {
	t.Parallel()
	for attempts, want := range map[int]bucketlite.Status{1: bucketlite.StatusCompleted, 2: bucketlite.StatusCompleted, 3: bucketlite.StatusFailed} {
		t.Run(fmt.Sprint(attempts), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Items(t, st)
			all := storetest.PutManyIDs(t, b, 400)
			id := storetest.Submit(t, b, all...)
			abandonJobs(t, path, attempts)
			storetest.Must(t, storetest.ErrorOf(b.Patch(context.Background(), all[1], storetest.Item("key 1", "changed"), nil)))
			storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
				if j.Attempt != attempts+1 {
					t.Errorf("got attempt %d, want %d", j.Attempt, attempts+1)
				}
				return nil
			}, bucketlite.ProcessOptions{Concurrency: 4})
			storetest.WantBatch(t, st, b, id, want)
			storetest.WantStatus(t, b, all[0], want)
			storetest.WantSound(t, path)
			if want == bucketlite.StatusFailed {
				storetest.WantStatus(t, b, all[1], bucketlite.StatusDraft)
				p, err := b.ListFailedJobs(context.Background(), id, bucketlite.Query{})
				storetest.Must(t, err)
				if j := p.Results[0]; j.Error.Category != bucketlite.CategoryRuntime || j.Attempts != 3 {
					t.Errorf("got %+v", j)
				}
			}
		})
	}
}

// A lease is renewed for as long as the handler runs.
func TestLeaseIsRenewed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	id := storetest.Submit(t, b, storetest.PutIDs(t, b, "")...)
	ctx := context.Background()
	db := storetest.OpenRaw(t, path)
	var mu sync.Mutex
	leases := make(map[string]bool)
	// Long enough that a busy machine does not keep it from being renewed in time.
	opts := &bucketlite.ProcessOptions{Lease: 2 * time.Second, UntilIdle: true}
	calls := atomic.Int64{}
	other := storetest.OpenPath(t, path)
	storetest.Must(t, storetest.AtOnce(2, func(i int) error {
		return []*bucketlite.Store{st, other}[i].Process(ctx, func(context.Context, *bucketlite.Job) error {
			calls.Add(1)
			if !storetest.Eventually(func() bool {
				mu.Lock()
				defer mu.Unlock()
				leases[storetest.Dump(t, db, "SELECT due_at FROM jobs")] = true
				return len(leases) > 3
			}) {
				t.Error("the lease is not renewed")
			}
			return nil
		}, opts)
	}))
	if calls.Load() != 1 {
		t.Errorf("got %d calls, want 1", calls.Load())
	}
	storetest.WantBatch(t, st, b, id, bucketlite.StatusCompleted)
}

// A processor that lost a job to another, after it could not renew its lease,
// learns that, and its verdict does not count.
func TestLeaseIsLost(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	object := storetest.PutIDs(t, b, "")[0]
	id := storetest.Submit(t, b, object)
	running, ended := make(chan struct{}), make(chan error)
	go func() {
		ended <- st.Process(ctx, func(ctx context.Context, j *bucketlite.Job) error {
			close(running)
			<-ctx.Done()
			return &bucketlite.JobError{Permanent: true}
		}, &bucketlite.ProcessOptions{Lease: 100 * time.Millisecond, UntilIdle: true})
	}()
	<-running
	storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE jobs SET owner = 'another/1h', due_at = 1 << 62")
	if !storetest.Eventually(func() bool {
		return storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT owner FROM jobs") == "another/1h\n"
	}) {
		t.Error("the lease was taken back")
	}
	storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE jobs SET status = 'COMPLETED', owner = NULL; UPDATE batches SET status = 'COMPLETED', open = 0; UPDATE batch_counts SET active = 0, completed = 1; UPDATE tasks SET status = 'COMPLETED', processed = 1, ended_at = updated_at; UPDATE object SET status = 'COMPLETED'; "+storetest.Uncount)
	storetest.Must(t, <-ended)
	storetest.WantStatus(t, b, object, bucketlite.StatusCompleted)
	storetest.WantBatch(t, st, b, id, bucketlite.StatusCompleted)
	storetest.WantSound(t, path)
}

// Whatever is done to batches and their objects while processors work, the file
// agrees with itself.
func TestBatchesAtRandom(t *testing.T) {
	t.Parallel()
	rounds := 150
	if *storetest.Long {
		rounds = 3000
	}
	t.Logf("%d random operations on batches", 4*rounds)
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	opts := &bucketlite.Options{Durability: bucketlite.DurabilityNormal}
	stores := []*bucketlite.Store{storetest.OpenPath(t, path, opts), storetest.OpenPath(t, path, opts)}
	b := storetest.Items(t, stores[0])
	buckets := []*bucketlite.Bucket{b, storetest.ReopenItems(t, path)}
	storetest.PutManyIDs(t, b, 30)
	processing, stop := context.WithCancel(ctx)
	ended := make(chan error, 4)
	for i := range 4 {
		go func() {
			ended <- stores[i%2].Process(processing, func(_ context.Context, j *bucketlite.Job) error {
				switch r := rand.IntN(20); {
				case r == 0:
					panic("at the disco")
				case r < 4:
					return &bucketlite.JobError{Category: bucketlite.CategoryNetwork}
				case r == 5:
					return &bucketlite.JobError{Category: bucketlite.CategoryValidation}
				}
				return nil
			}, &bucketlite.ProcessOptions{Concurrency: 2, Backoff: time.Millisecond, Lease: time.Minute})
		}()
	}
	err := storetest.AtOnce(4, func(g int) error {
		r := rand.New(rand.NewPCG(uint64(g), 1))
		for range rounds {
			if err := changeBatches(r, buckets[g%2]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	storetest.Must(t, stores[0].Process(ctx, succeed, &bucketlite.ProcessOptions{UntilIdle: true}))
	stop()
	for range 4 {
		if err := <-ended; err != context.Canceled {
			t.Errorf("got %v, want the context's error", err)
		}
	}
	db := storetest.OpenRaw(t, path)
	if !storetest.Eventually(func() bool { return storetest.Dump(t, db, "SELECT 1 FROM batches WHERE sweep IS NOT NULL") == "" }) {
		t.Error("batches are not swept")
	}
	if got := storetest.Dump(t, db, "SELECT id, status FROM object WHERE status IN ('PENDING', 'PROCESSING')"); got != "" {
		t.Errorf("objects are left: %s", got)
	}
	storetest.WantSound(t, path)
}

// changeBatches does one random thing to a bucket's batches or objects.
func changeBatches(r *rand.Rand, b *bucketlite.Bucket) error {
	ctx := context.Background()
	k := fmt.Sprint("key ", r.IntN(30))
	var batches []string
	for batch, err := range b.Batches(ctx, bucketlite.BatchQuery{}) {
		if err != nil {
			return err
		}
		batches = append(batches, batch.ID)
	}
	if len(batches) == 0 {
		batches = []string{"none"}
	}
	some := batches[r.IntN(len(batches))]
	what := r.IntN(10)
	if len(batches) > 50 { // else looking for one takes ever longer
		what = []int{4, 6}[r.IntN(2)]
	}
	var err error
	switch what {
	case 0, 1, 2:
		in := bucketlite.BatchInput{SkipValidation: true}
		for o, err := range b.Objects(ctx, bucketlite.Query{Limit: 1 + r.IntN(30)}) {
			if err != nil {
				return err
			}
			in.ObjectIDs = append(in.ObjectIDs, o.ID)
		}
		var batch *bucketlite.Batch
		if batch, err = b.CreateBatch(ctx, in); err == nil && r.IntN(5) > 0 {
			_, err = b.SubmitBatch(ctx, batch.ID)
		}
	case 3:
		_, err = b.SubmitBatch(ctx, some)
	case 4:
		_, err = b.CancelBatch(ctx, some)
	case 5:
		_, err = b.RetryBatch(ctx, some, &bucketlite.RetryBatchOptions{All: r.IntN(2) == 0})
	case 6:
		err = b.DeleteBatch(ctx, some)
	case 7:
		_, err = b.Put(ctx, storetest.Item(k, fmt.Sprint(r.IntN(3))), nil)
	case 8:
		_, err = b.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"k": k, "v": ""}, KeyPrefix: fmt.Sprint(r.IntN(3))}, nil)
	case 9:
		err = deleteKey(b, k)
	}
	if errors.Is(err, bucketlite.ErrNotFound) || errors.Is(err, bucketlite.ErrConflict) || errors.Is(err, bucketlite.ErrInvalid) {
		return nil
	}
	return err
}
