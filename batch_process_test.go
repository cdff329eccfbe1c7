package bucketlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// The result of a handler decides the object's status.
func TestProcess(t *testing.T) {
	t.Parallel()
	permanent := func(c bucketlite.ErrorCategory) error { return &bucketlite.JobError{Category: c, Message: "m"} }
	always := func(err error) func(int) error { return func(int) error { return err } }
	for _, tt := range []struct {
		name     string
		handle   func(attempt int) error
		status   bucketlite.Status
		attempts int
		category bucketlite.ErrorCategory
		message  string
	}{
		{"succeeds", always(nil), bucketlite.StatusCompleted, 1, "", ""},
		{"fails once", func(n int) error {
			if n == 1 {
				return errors.New("not yet")
			}
			return nil
		}, bucketlite.StatusCompleted, 2, "", ""},
		{"panics once", func(n int) error {
			if n == 1 {
				panic("not yet")
			}
			return nil
		}, bucketlite.StatusCompleted, 2, "", ""},
		{"fails twice", func(n int) error {
			if n <= 2 {
				return permanent(bucketlite.CategoryNetwork)
			}
			return nil
		}, bucketlite.StatusCompleted, 3, "", ""},
		{"fails", always(errors.New("never")), bucketlite.StatusFailed, 3, "runtime", "never"},
		{"fails with a wrapped deadline", always(fmt.Errorf("call: %w", context.DeadlineExceeded)), bucketlite.StatusFailed, 3, "network", "call: context deadline exceeded"},
		{"dependency", always(permanent(bucketlite.CategoryDependency)), bucketlite.StatusFailed, 1, "dependency", "m"},
		{"authentication", always(permanent(bucketlite.CategoryAuthentication)), bucketlite.StatusFailed, 1, "authentication", "m"},
		{"validation", always(permanent(bucketlite.CategoryValidation)), bucketlite.StatusFailed, 1, "validation", "m"},
		{"runtime", always(permanent(bucketlite.CategoryRuntime)), bucketlite.StatusFailed, 3, "runtime", "m"},
		{"network", always(permanent(bucketlite.CategoryNetwork)), bucketlite.StatusFailed, 3, "network", "m"},
		{"resource", always(permanent(bucketlite.CategoryResource)), bucketlite.StatusFailed, 3, "resource", "m"},
		{"unknown category", always(permanent("weather")), bucketlite.StatusFailed, 3, "runtime", "m"},
		{"permanent", always(&bucketlite.JobError{Category: bucketlite.CategoryNetwork, Permanent: true, Err: errors.New("cause")}), bucketlite.StatusFailed, 1, "network", "cause"},
		{"wrapped", always(fmt.Errorf("outer: %w", permanent(bucketlite.CategoryValidation))), bucketlite.StatusFailed, 1, "validation", "m"},
		{"panics", func(int) error { panic("at the disco") }, bucketlite.StatusFailed, 3, "runtime", "panic: at the disco"},
		{"panics with nil", func(int) error { panic(nil) }, bucketlite.StatusFailed, 3, "runtime", fmt.Sprint("panic: ", new(runtime.PanicNilError))},
		{"error that panics", always((*badError)(nil)), bucketlite.StatusFailed, 3, "runtime", "panic: no text"},
		{"ends its goroutine", func(int) error { runtime.Goexit(); return nil }, bucketlite.StatusFailed, 3, "runtime", "the handler ended its goroutine"},
		{"no text", always(errors.New("")), bucketlite.StatusFailed, 3, "runtime", ""},
		{"odd text", always(errors.New("a\x00b\xffc")), bucketlite.StatusFailed, 3, "runtime", "a\uFFFDb\uFFFDc"},
		{"long text", always(errors.New(strings.Repeat("ä", 5000))), bucketlite.StatusFailed, 3, "runtime", strings.Repeat("ä", 998) + "…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Items(t, st)
			object := storetest.PutIDs(t, b, "value")[0]
			id := storetest.Submit(t, b, object)
			attempts := 0
			storetest.Process(t, st, func(ctx context.Context, j *bucketlite.Job) error {
				attempts++
				got := []any{j.Attempt, j.Retries, j.BatchID, j.Bucket.ID(), j.Object.ID, j.Object.Fields["v"], j.Object.Status}
				want := []any{attempts, 0, id, b.ID(), object, "value", bucketlite.StatusProcessing}
				storetest.WantEqual(t, "job: attempt, retries, batch, bucket, object, its value and status", got, want)
				storetest.WantStatus(t, j.Bucket, object, bucketlite.StatusProcessing)
				storetest.WantBatch(t, st, b, id, bucketlite.StatusInProgress)
				return tt.handle(attempts)
			}, bucketlite.ProcessOptions{Concurrency: 1})
			if attempts != tt.attempts {
				t.Errorf("got %d attempts, want %d", attempts, tt.attempts)
			}
			o := storetest.WantStatus(t, b, object, tt.status)
			k := storetest.WantBatch(t, st, b, id, tt.status)
			if o.Error != tt.message || (k.Failed == 1) != (tt.status == bucketlite.StatusFailed) {
				t.Errorf("got error %q of the object and %+v", o.Error, k)
			}
			if _, err := o.MarshalJSON(); err != nil {
				t.Errorf("the object has no JSON form: %v", err)
			}
			var failed []*bucketlite.FailedJob
			for j, err := range b.FailedJobs(context.Background(), id, bucketlite.Query{}) {
				storetest.Must(t, err)
				failed = append(failed, j)
			}
			if tt.status == bucketlite.StatusFailed {
				if len(failed) != 1 {
					t.Fatalf("failed jobs: got %d, want 1", len(failed))
				}
				want := *failed[0]
				want.Error.Category, want.Error.Message, want.Attempts = tt.category, tt.message, attempts
				storetest.WantEqual(t, "failed job", *failed[0], want)
				if got, want := failed[0].Error.Traceback != "", strings.HasPrefix(tt.message, "panic"); got != want {
					t.Errorf("has a traceback: got %t, want %t", got, want)
				}
			} else if len(failed) != 0 {
				t.Errorf("got %+v, want none failed", failed)
			}
			storetest.WantSound(t, path)
		})
	}
}

// badError is an error whose text cannot be had.
type badError struct{}

func (*badError) Error() string { panic("no text") }

func TestJobError(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for _, tt := range []struct {
		err  bucketlite.JobError
		want string
	}{
		{bucketlite.JobError{}, "runtime: "},
		{bucketlite.JobError{Category: bucketlite.CategoryNetwork, Message: "no answer", Err: cause}, "network: no answer"},
		{bucketlite.JobError{Category: "weather", Err: cause}, "runtime: cause"},
	} {
		if got := tt.err.Error(); got != tt.want || errors.Is(&tt.err, cause) != (tt.err.Err != nil) {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// The parts of a JobError are kept.
func TestJobErrorDetail(t *testing.T) {
	t.Parallel()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	id := storetest.Submit(t, b, storetest.PutIDs(t, b, "")...)
	storetest.Process(t, st, func(context.Context, *bucketlite.Job) error {
		return &bucketlite.JobError{Category: bucketlite.CategoryDependency, Message: "no ffmpeg", Component: "thumbnails", Stage: "decode", Recovery: "install it"}
	}, bucketlite.ProcessOptions{})
	p, err := b.ListFailedJobs(context.Background(), id, bucketlite.Query{})
	storetest.Must(t, err)
	if d := p.Results[0].Error; d.Component != "thumbnails" || d.Stage != "decode" || d.Recovery != "install it" {
		t.Errorf("got %+v", d)
	}
}

func TestProcessLogsPanics(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	st := storetest.OpenMemory(t, &bucketlite.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	b := storetest.Items(t, st)
	storetest.Submit(t, b, storetest.PutIDs(t, b, "")...)
	storetest.Process(t, st, func(context.Context, *bucketlite.Job) error { panic("at the disco") }, bucketlite.ProcessOptions{MaxAttempts: 1})
	if !strings.Contains(log.String(), "at the disco") || !strings.Contains(log.String(), "TestProcessLogsPanics") {
		t.Errorf("got log %q, want the panic with its stack", log.String())
	}
}

// Batches are processed in the order in which they were created, and objects in
// the order in which they were added.
func TestProcessOrder(t *testing.T) {
	t.Parallel()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	all := storetest.PutManyIDs(t, b, 600)
	var want []string
	for i := range 6 {
		part := slices.Clone(all[100*i : 100*i+100])
		slices.Reverse(part)
		storetest.Submit(t, b, part...)
		want = append(want, part...)
	}
	var got []string
	storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
		got = append(got, j.Object.ID)
		return nil
	}, bucketlite.ProcessOptions{Concurrency: 1})
	if !slices.Equal(got, want) {
		t.Errorf("got %d jobs in another order", len(got))
	}
}

// Concurrency bounds how many handlers run at once, however quick they are.
func TestProcessConcurrency(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 3, 20} {
		st := storetest.OpenMemory(t)
		b := storetest.Items(t, st)
		storetest.Submit(t, b, storetest.PutManyIDs(t, b, 500)...)
		var running, most, handled atomic.Int64
		all := make(chan struct{}) // closed when n handlers are running
		storetest.Process(t, st, func(context.Context, *bucketlite.Job) error {
			now := running.Add(1)
			defer running.Add(-1)
			for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
			}
			if handled.Add(1) <= int64(n) {
				if now == int64(n) {
					close(all)
				}
				<-all
			}
			return nil
		}, bucketlite.ProcessOptions{Concurrency: n})
		if most.Load() != int64(n) || handled.Load() != 500 {
			t.Errorf("got %d handlers at once, and %d calls; want %d and 500", most.Load(), handled.Load(), n)
		}
	}
}

func TestProcessRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	storetest.Submit(t, b, storetest.PutIDs(t, b, "")...)
	never := func(context.Context, *bucketlite.Job) error { t.Error("a handler was called"); return nil }
	for name, opts := range map[string]bucketlite.ProcessOptions{
		"concurrency": {Concurrency: -1}, "attempts": {MaxAttempts: -1}, "backoff": {Backoff: -1}, "lease": {Lease: -1}, "timeout": {Timeout: -1},
	} {
		if err := st.Process(ctx, never, &opts); !errors.Is(err, bucketlite.ErrBadRequest) {
			t.Errorf("%s: got %v, want ErrBadRequest", name, err)
		}
	}
	storetest.WantError(t, st.Process(ctx, nil, nil), bucketlite.ErrBadRequest)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	storetest.WantError(t, st.Process(ended, never, nil), context.Canceled)
	path := storetest.NewFixture(t)
	storetest.WantError(t, storetest.OpenPath(t, path, &bucketlite.Options{ReadOnly: true}).Process(ctx, never, nil), bucketlite.ErrReadOnly)
	storetest.Must(t, st.Close())
	storetest.WantError(t, st.Process(ctx, never, nil), bucketlite.ErrClosed)
}

// A waiting processor gets new work at once.
func TestProcessWaits(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"memory", "here", "another store"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			path := ":memory:"
			if where != "memory" {
				path = filepath.Join(t.TempDir(), "test.db")
			}
			st := storetest.OpenPath(t, path)
			b := storetest.Items(t, st)
			by := b
			if where == "another store" {
				by = storetest.ReopenItems(t, path)
			}
			ctx, cancel := context.WithCancel(context.Background())
			handled, ended := make(chan string), make(chan error, 1)
			go func() {
				ended <- st.Process(ctx, func(_ context.Context, j *bucketlite.Job) error { handled <- j.BatchID; return nil }, nil)
			}()
			for i := range 3 {
				object := storetest.PutItem(t, by, storetest.Item(fmt.Sprint(i), "")).ID
				id := storetest.Submit(t, by, object)
				if got := <-handled; got != id {
					t.Errorf("got a job of batch %q, want %q", got, id)
				}
				if !storetest.Eventually(func() bool { return storetest.MustBatch(t, b, id).Status == bucketlite.StatusCompleted }) {
					t.Error("the batch does not end")
				}
			}
			cancel()
			if err := <-ended; err != context.Canceled {
				t.Errorf("got %v, want the context's error", err)
			}
		})
	}
}

// When the context ends, what is not done is handed back, and that attempt does
// not count; what is done by then counts.
func TestProcessEndsWithContext(t *testing.T) {
	t.Parallel()
	for _, deaf := range []bool{false, true} {
		t.Run(fmt.Sprintf("deaf=%t", deaf), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Items(t, st)
			all := storetest.PutIDs(t, b, "succeeds", "explicit", "stopped", "waiting")
			id := storetest.Submit(t, b, all...)
			ctx, cancel := context.WithCancel(context.Background())
			release := make(chan struct{})
			running := make(chan struct{})
			ended := make(chan error)
			go func() {
				ended <- st.Process(ctx, func(ctx context.Context, j *bucketlite.Job) error {
					running <- struct{}{}
					if <-ctx.Done(); deaf {
						<-release
					}
					switch j.Object.Fields["v"] {
					case "succeeds":
						return nil
					case "explicit":
						return &bucketlite.JobError{Category: bucketlite.CategoryValidation}
					}
					return ctx.Err()
				}, &bucketlite.ProcessOptions{Concurrency: 3})
			}()
			for range 3 {
				<-running
			}
			cancel()
			if err := <-ended; err != context.Canceled {
				t.Errorf("got %v, want the context's error", err)
			}
			close(release)
			want := []bucketlite.Status{bucketlite.StatusCompleted, bucketlite.StatusFailed, bucketlite.StatusPending, bucketlite.StatusPending}
			if deaf {
				want = slices.Repeat([]bucketlite.Status{bucketlite.StatusPending}, 4)
			}
			for i, object := range all {
				storetest.WantStatus(t, b, object, want[i])
			}
			storetest.WantSound(t, path)
			storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
				if j.Attempt != 1 {
					t.Errorf("got attempt %d, want the first", j.Attempt)
				}
				return nil
			}, bucketlite.ProcessOptions{})
			storetest.WantStatus(t, b, all[3], bucketlite.StatusCompleted)
			if k := storetest.MustBatch(t, b, id); !k.Done() {
				t.Errorf("got %+v, want it to have ended", k)
			}
		})
	}
}

// A handler that takes too long has failed; one that does not heed its context is
// left behind, and its verdict too.
func TestProcessTimeout(t *testing.T) {
	t.Parallel()
	for _, deaf := range []bool{false, true} {
		t.Run(fmt.Sprintf("deaf=%t", deaf), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Items(t, st)
			all := storetest.PutIDs(t, b, "hangs", "", "", "")
			id := storetest.Submit(t, b, all...)
			release := make(chan struct{})
			var left sync.WaitGroup
			if deaf {
				left.Add(2) // a busy machine may begin an attempt after its time is up
			}
			storetest.Process(t, st, func(ctx context.Context, j *bucketlite.Job) error {
				if j.Object.Fields["v"] == "" {
					return nil
				}
				if <-ctx.Done(); deaf {
					defer left.Done()
					<-release
					return nil
				}
				return fmt.Errorf("stopped: %w", ctx.Err())
			}, bucketlite.ProcessOptions{Concurrency: 1, MaxAttempts: 2, Timeout: time.Millisecond})
			close(release)
			left.Wait()
			storetest.WantStatus(t, b, all[0], bucketlite.StatusFailed)
			for _, object := range all[1:] {
				storetest.WantStatus(t, b, object, bucketlite.StatusCompleted)
			}
			storetest.WantBatch(t, st, b, id, bucketlite.StatusCompletedWithErrors)
			p, err := b.ListFailedJobs(context.Background(), id, bucketlite.Query{})
			storetest.Must(t, err)
			if j := p.Results[0]; j.Attempts != 2 || j.Error.Category != bucketlite.CategoryNetwork {
				t.Errorf("got %+v", j)
			}
			storetest.WantSound(t, path)
		})
	}
}

// A worker that is lost to a handler does not leave the others' jobs waiting.
func TestProcessReplacesWorkers(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	for name, stop := range map[string]func(){"hangs": func() { <-release }, "ends its goroutine": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := storetest.OpenMemory(t)
			b := storetest.Items(t, st)
			all := storetest.PutManyIDs(t, b, 300) // enough that most are lent ahead
			id := storetest.Submit(t, b, all...)
			storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
				if j.Object.ID == all[200] {
					stop()
				}
				return nil
			}, bucketlite.ProcessOptions{Concurrency: 1, MaxAttempts: 1, Timeout: time.Millisecond})
			if k := storetest.WantBatch(t, st, b, id, bucketlite.StatusCompletedWithErrors); k.Failed != 1 {
				t.Errorf("got %+v, want one failed", k)
			}
			storetest.WantStatus(t, b, all[299], bucketlite.StatusCompleted)
		})
	}
	t.Cleanup(func() { close(release) })
}

// No goroutine is left behind, however a processor ends.
func TestProcessLeavesNothing(t *testing.T) {
	// Not parallel: it counts goroutines.
	before := runtime.NumGoroutine()
	st := storetest.Open(t)
	b := storetest.Items(t, st)
	all := storetest.PutManyIDs(t, b, 20)
	storetest.Submit(t, b, all...)
	ctx, cancel := context.WithCancel(context.Background())
	storetest.WantError(t, st.Process(ctx, func(context.Context, *bucketlite.Job) error { cancel(); return nil }, &bucketlite.ProcessOptions{Concurrency: 3}), context.Canceled)
	storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
		switch j.Attempt {
		case 1:
			panic("at the disco")
		case 2:
			runtime.Goexit()
		}
		return errors.New("never")
	}, bucketlite.ProcessOptions{Concurrency: 4})
	storetest.Submit(t, b, all...)
	storetest.WantError(t, st.Process(context.Background(), func(context.Context, *bucketlite.Job) error { return st.Close() }, nil), bucketlite.ErrClosed)
	if !storetest.GoroutinesFallTo(before) {
		t.Errorf("goroutines: got %d, want %d", runtime.NumGoroutine(), before)
	}
}

// Close ends processors, waits for no handler, and hands back what they had.
func TestCloseAmidProcess(t *testing.T) {
	t.Parallel()
	for _, deaf := range []bool{false, true} {
		t.Run(fmt.Sprintf("deaf=%t", deaf), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Items(t, st)
			all := storetest.PutManyIDs(t, b, 50)
			storetest.Submit(t, b, all...)
			running, release := make(chan context.Context, 50), make(chan struct{})
			ended := make(chan error)
			for range 3 {
				go func() {
					ended <- st.Process(context.Background(), func(ctx context.Context, j *bucketlite.Job) error {
						running <- ctx
						if <-ctx.Done(); deaf {
							<-release
						}
						return errors.New("stopped")
					}, &bucketlite.ProcessOptions{Concurrency: 4})
				}()
			}
			for range 12 {
				ctx := <-running
				defer func() {
					if cause := context.Cause(ctx); !errors.Is(cause, bucketlite.ErrClosed) {
						t.Errorf("got cause %v, want ErrClosed", cause)
					}
				}()
			}
			storetest.Must(t, st.Close())
			for range 3 {
				storetest.WantError(t, <-ended, bucketlite.ErrClosed)
			}
			close(release)
			storetest.WantSound(t, path)
			if got := storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT status, attempts, count(*) FROM jobs GROUP BY 1, 2"); got != "PENDING 0 50\n" {
				t.Errorf("got jobs %s, want all pending as if never handed out", got)
			}
		})
	}
}

// A handler may close the store, and do anything else with it.
func TestHandlerUsesStore(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for kind, path := range map[string]string{"memory": ":memory:", "file": filepath.Join(t.TempDir(), "test.db")} {
		st := storetest.OpenPath(t, path)
		b := storetest.Items(t, st)
		all := storetest.PutIDs(t, b, "patch", "delete", "submit", "close")
		storetest.Submit(t, b, all...)
		var next string
		err := st.Process(ctx, func(ctx context.Context, j *bucketlite.Job) (err error) {
			switch j.Object.Fields["v"] {
			case "patch":
				_, err = j.Bucket.Patch(ctx, j.Object.ID, bucketlite.ObjectInput{Fields: map[string]any{"v": "patched"}}, &bucketlite.PatchOptions{IfVersion: j.Object.Version})
			case "delete":
				err = j.Bucket.DeleteObject(ctx, j.Object.ID, nil)
			case "submit":
				next = storetest.Submit(t, j.Bucket, all[0])
			case "patched":
				if next != j.BatchID {
					t.Errorf("got batch %q, want %q", j.BatchID, next)
				}
			case "close":
				storetest.WantStatus(t, b, all[0], bucketlite.StatusPending)
				return st.Close()
			}
			return err
		}, &bucketlite.ProcessOptions{Concurrency: 1})
		if !errors.Is(err, bucketlite.ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", kind, err)
		}
	}
}

// An object that changes while it is processed is not what was processed, and
// stays a draft; one that is deleted is skipped.
func TestObjectChangesWhileProcessed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	change := func(in bucketlite.ObjectInput) func(*bucketlite.Job) error {
		return func(j *bucketlite.Job) error { return storetest.ErrorOf(j.Bucket.Patch(ctx, j.Object.ID, in, nil)) }
	}
	remove := func(j *bucketlite.Job) error { return j.Bucket.DeleteObject(ctx, j.Object.ID, nil) }
	same := bucketlite.ObjectInput{KeyPrefix: "a/b"} // this is not content
	for _, tt := range []struct {
		name    string
		do      func(j *bucketlite.Job) error
		verdict error
		want    bucketlite.Status // of the object; "" for none
	}{
		{"changed, succeeds", change(storetest.Item("key 0", "new")), nil, bucketlite.StatusDraft},
		{"changed, fails", change(storetest.Item("key 0", "new")), &bucketlite.JobError{Permanent: true}, bucketlite.StatusDraft},
		{"moved, succeeds", change(same), nil, bucketlite.StatusCompleted},
		{"moved, fails", change(same), &bucketlite.JobError{Permanent: true}, bucketlite.StatusFailed},
		{"put as it was", func(j *bucketlite.Job) error {
			return storetest.ErrorOf(j.Bucket.Put(ctx, storetest.Item("key 0", "old"), nil))
		}, nil, bucketlite.StatusCompleted},
		{"deleted, succeeds", remove, nil, ""},
		{"deleted, fails", remove, &bucketlite.JobError{Permanent: true}, ""},
		{"deleted, would be tried again", remove, errors.New("fails"), ""},
		{"put again under its id", func(j *bucketlite.Job) error {
			in := storetest.Item("key 0", "new")
			in.ID = j.Object.ID
			return errors.Join(remove(j), storetest.ErrorOf(j.Bucket.Put(ctx, in, nil)))
		}, nil, bucketlite.StatusDraft},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Items(t, st)
			object := storetest.PutIDs(t, b, "old")[0]
			id := storetest.Submit(t, b, object)
			handled := 0
			storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
				handled++
				if err := tt.do(j); err != nil {
					t.Error(err)
				}
				return tt.verdict
			}, bucketlite.ProcessOptions{})
			k := storetest.MustBatch(t, b, id)
			if tt.want == "" {
				storetest.WantError(t, storetest.ErrorOf(b.Object(ctx, object)), bucketlite.ErrNotFound)
			} else {
				storetest.WantStatus(t, b, object, tt.want)
			}
			gone := tt.want == "" || tt.name == "put again under its id"
			if handled != 1 || (k.Skipped == 1) != gone || (k.Failed == 1) != (tt.verdict != nil && !gone) {
				t.Errorf("got %d calls and %+v", handled, k)
			}
			storetest.WantSound(t, path)
		})
	}
}

// Of several batches that have an object, the one that ends last decides, also if
// what is not content has changed meanwhile.
func TestLastBatchDecides(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, moved := range []bool{false, true} {
		t.Run(fmt.Sprintf("moved=%t", moved), func(t *testing.T) {
			t.Parallel()
			st := storetest.OpenMemory(t)
			b := storetest.Items(t, st)
			object := storetest.PutIDs(t, b, "")[0]
			slow := storetest.Submit(t, b, object)
			quick := storetest.Submit(t, b, object)
			storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
				if j.BatchID == quick {
					return nil
				}
				if !storetest.Eventually(func() bool { return storetest.MustBatch(t, b, quick).Status == bucketlite.StatusCompleted }) {
					t.Error("the other batch does not end")
				}
				storetest.WantStatus(t, b, object, bucketlite.StatusCompleted)
				if moved {
					storetest.Must(t, storetest.ErrorOf(b.Patch(ctx, object, bucketlite.ObjectInput{KeyPrefix: "a/b"}, nil)))
				}
				return &bucketlite.JobError{Message: "late", Permanent: true}
			}, bucketlite.ProcessOptions{Concurrency: 2})
			storetest.WantBatch(t, st, b, slow, bucketlite.StatusFailed)
			if o := storetest.WantStatus(t, b, object, bucketlite.StatusFailed); o.Error != "late" {
				t.Errorf("got error %q", o.Error)
			}
		})
	}
}

// Processing an object is an event when it has ended, and leaves the object's
// version and time as they were.
func TestProcessedEvents(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := storetest.NewManualClock()
	st := storetest.OpenMemory(t, &bucketlite.Options{Now: c.Now})
	b := storetest.Items(t, st)
	all := storetest.PutIDs(t, b, "", "network", "", "")
	cancelled := storetest.Submit(t, b, all...)
	storetest.Must(t, storetest.ErrorOf(b.CancelBatch(ctx, cancelled)))
	storetest.Submit(t, b, all[:3]...)
	storetest.Must(t, b.DeleteObject(ctx, all[2], nil))
	before := []*bucketlite.Object{storetest.WantStatus(t, b, all[0], bucketlite.StatusPending), storetest.WantStatus(t, b, all[1], bucketlite.StatusPending)}
	from := storetest.EventCursor(t, st)
	c.Add(time.Second)
	storetest.Process(t, st, failFor, bucketlite.ProcessOptions{Concurrency: 1})
	var got []string
	for _, e := range storetest.EventsAfter(t, st, from) {
		if e.Kind != bucketlite.EventObjectProcessed || e.BucketID != b.ID() {
			t.Errorf("got %+v", e)
		}
		got = append(got, e.ObjectID)
	}
	if !slices.Equal(got, all[:2]) {
		t.Errorf("got events of %v, want those of %v", got, all[:2])
	}
	for i, want := range []bucketlite.Status{bucketlite.StatusCompleted, bucketlite.StatusFailed} {
		if o := storetest.WantStatus(t, b, all[i], want); o.Version != before[i].Version || !o.UpdatedAt.Equal(before[i].UpdatedAt) {
			t.Errorf("got %+v, want the version and time of %+v", o, before[i])
		}
	}
}

// A changed object that is to be tried again is tried as it is then.
func TestObjectChangesBetweenAttempts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	object := storetest.PutIDs(t, b, "old")[0]
	storetest.Submit(t, b, object)
	var seen []any
	storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
		seen = append(seen, j.Object.Fields["v"])
		if j.Attempt == 1 {
			storetest.Must(t, storetest.ErrorOf(b.Patch(ctx, object, storetest.Item("key 0", "new"), nil)))
			return errors.New("not yet")
		}
		return nil
	}, bucketlite.ProcessOptions{})
	if !slices.Equal(seen, []any{"old", "new"}) {
		t.Errorf("got %v", seen)
	}
	storetest.WantStatus(t, b, object, bucketlite.StatusCompleted)
}

// Objects that are deleted before their turn are skipped, and if that is all of
// them the batch is completed all the same.
func TestObjectDeletedBefore(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	all := storetest.PutManyIDs(t, b, 30)
	id := storetest.Submit(t, b, all...)
	for _, object := range all {
		storetest.Must(t, b.DeleteObject(ctx, object, nil))
	}
	storetest.Process(t, st, func(context.Context, *bucketlite.Job) error { t.Error("a handler was called"); return nil }, bucketlite.ProcessOptions{Concurrency: 4})
	if k := storetest.WantBatch(t, st, b, id, bucketlite.StatusCompleted); k.Skipped != 30 {
		t.Errorf("got %+v, want all skipped", k)
	}
	if task, err := st.Task(ctx, storetest.MustBatch(t, b, id).TaskID); err != nil || task.Processed != 30 {
		t.Errorf("task: got %+v, %v", task, err)
	}
}

// The state of a bucket does not hinder what was submitted, but the objects of a
// suspended one cannot be read.
func TestProcessInEachState(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, tt := range map[string]struct {
		set     func(*bucketlite.Bucket, context.Context) error
		handled bool
	}{
		"locked":    {(*bucketlite.Bucket).Lock, true},
		"archived":  {(*bucketlite.Bucket).Archive, true},
		"suspended": {(*bucketlite.Bucket).Suspend, false},
	} {
		for _, amid := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, amid=%t", name, amid), func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "test.db")
				st := storetest.OpenPath(t, path)
				b := storetest.Items(t, st)
				id := storetest.Submit(t, b, storetest.PutIDs(t, b, "", "")...)
				set := func() { storetest.Must(t, tt.set(b, ctx)) }
				if !amid {
					set()
				}
				var once sync.Once
				var handled int
				storetest.Process(t, st, func(context.Context, *bucketlite.Job) error {
					if amid {
						once.Do(set)
					}
					handled++
					return nil
				}, bucketlite.ProcessOptions{Concurrency: 1})
				want := 0
				if tt.handled {
					want = 2
				} else if amid {
					want = 1
				}
				if k := storetest.MustBatch(t, b, id); handled != want || k.Done() != tt.handled {
					t.Errorf("got %d handled and %+v, want %d", handled, k, want)
				}
				storetest.WantSound(t, path)
				if !tt.handled {
					storetest.Must(t, b.Activate(ctx))
					storetest.Process(t, st, succeed, bucketlite.ProcessOptions{})
					storetest.WantBatch(t, st, b, id, bucketlite.StatusCompleted)
				}
			})
		}
	}
}
