package bucketlitetest_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// record is a test that records its messages instead of failing the test that runs
// it.
type record struct {
	testing.TB // nil: what is not below is not called
	ctx        context.Context
	cancel     context.CancelFunc

	mu       sync.Mutex
	errors   []string
	cleanups []func()
}

// newRecord returns a test that is running. It continues until finish.
func newRecord() *record {
	r := &record{}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// recorded runs a test to its end, and returns what it failed with.
func recorded(test func(t testing.TB)) string {
	r := newRecord()
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(r)
	}()
	<-done
	return r.finish()
}

// finish ends the test, and returns what it failed with.
func (r *record) finish() string {
	r.cancel()
	done := make(chan struct{})
	go func() { // which FailNow may end
		defer close(done)
		for _, f := range slices.Backward(r.cleanups) {
			f()
		}
	}()
	<-done
	return strings.Join(r.errors, "\n")
}

func (r *record) Helper()                  {}
func (r *record) Context() context.Context { return r.ctx }
func (r *record) Cleanup(f func())         { r.cleanups = append(r.cleanups, f) }

func (r *record) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *record) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *record) TempDir() string {
	dir, err := os.MkdirTemp("", "record")
	if err != nil {
		r.Fatalf("%v", err)
	}
	r.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			r.Errorf("%v", err)
		}
	})
	return dir
}

func (r *record) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

func (r *record) Logf(format string, args ...any) {}
