package thumb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An opened is a source of a picture in memory.
type opened struct{ *bytes.Reader }

func (opened) Close() error { return nil }

// A shop opens one picture, and counts how often. It may be held up, or fail.
type shop struct {
	data   []byte
	count  atomic.Int32
	before func(ctx context.Context) error // nil for nothing
}

func (s *shop) open(ctx context.Context) (Source, error) {
	s.count.Add(1)
	if s.before != nil {
		if err := s.before(ctx); err != nil {
			return nil, err
		}
	}
	return opened{bytes.NewReader(s.data)}, nil
}

func newShop(t testing.TB) *shop {
	t.Helper()
	return &shop{data: file(t, png.Encode, gradient(200, 100))}
}

// waiting polls until f holds.
func waiting(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting until %s", what)
		}
	}
}

// callers returns how many wait for a thumbnail.
func (c *Cache) callers(k key) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flights[k]; f != nil {
		return f.callers
	}
	return 0
}

func TestCacheKeeps(t *testing.T) {
	t.Parallel()
	c, s := New(1<<20), newShop(t)
	first, err := c.Thumb(t.Context(), "a", 160, s.open)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		hash string
		edge int
		same bool
	}{{"a", 160, true}, {"a", 320, false}, {"b", 160, false}, {"a", 160, true}} {
		got, err := c.Thumb(t.Context(), test.hash, test.edge, s.open)
		if err != nil || (got == first) != test.same {
			t.Errorf("%s, %d: got the same thumbnail: %t, %v, want %t", test.hash, test.edge, got == first, err, test.same)
		}
	}
	if n := s.count.Load(); n != 3 {
		t.Errorf("got %d pictures opened, want 3", n)
	}
}

func TestCacheEvicts(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	one, err := New(1<<20).Thumb(t.Context(), "", 160, s.open)
	if err != nil {
		t.Fatal(err)
	}
	c := New(3 * int64(entryBytes+len(one.Data)))
	thumb := func(hash string) (made bool) {
		t.Helper()
		before := s.count.Load()
		if _, err := c.Thumb(t.Context(), hash, 160, s.open); err != nil {
			t.Fatal(err)
		}
		return s.count.Load() > before
	}
	for _, step := range []struct {
		hash string
		made bool
	}{{"a", true}, {"b", true}, {"c", true}, {"a", false}, {"d", true}, {"a", false}, {"c", false}, {"b", true}, {"d", true}} {
		if got := thumb(step.hash); got != step.made {
			t.Errorf("%s: got made %t, want %t", step.hash, got, step.made)
		}
	}
	if c.bytes > c.maxBytes || len(c.entries) != c.used.Len() || len(c.entries) != 3 {
		t.Errorf("got %d bytes of %d, %d entries, %d in order", c.bytes, c.maxBytes, len(c.entries), c.used.Len())
	}
	none := New(0)
	if _, err := none.Thumb(t.Context(), "a", 160, s.open); err != nil || len(none.entries) != 0 || none.bytes != 0 {
		t.Errorf("a cache of nothing: got %v, %d entries, %d bytes", err, len(none.entries), none.bytes)
	}
}

// The errors of a picture are kept, those of a call are not.
func TestCacheErrors(t *testing.T) {
	t.Parallel()
	failure := errors.New("the disk is gone")
	for _, test := range []struct {
		name string
		data []byte
		err  error
		want error
		open int32 // times, for two calls
	}{
		{"not a picture", []byte("some words"), nil, ErrUnsupported, 1},
		{"too large", headOfGIF(65535, 65535), nil, ErrTooLarge, 1},
		{"a failure", nil, failure, failure, 2},
	} {
		c, s := New(1<<20), &shop{data: test.data, before: func(context.Context) error { return test.err }}
		for range 2 {
			if _, err := c.Thumb(t.Context(), "a", 160, s.open); !errors.Is(err, test.want) {
				t.Errorf("%s: got %v, want %v", test.name, err, test.want)
			}
		}
		if got := s.count.Load(); got != test.open {
			t.Errorf("%s: got %d times opened, want %d", test.name, got, test.open)
		}
	}
	c, s := New(1<<20), &shop{before: func(context.Context) error { panic("a bug") }}
	if _, err := c.Thumb(t.Context(), "a", 160, s.open); err == nil {
		t.Error("a panic: got no error")
	}
}

// Many callers for one thumbnail share the work.
func TestCacheShares(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	c, s := New(1<<20), newShop(t)
	s.before = func(context.Context) error { <-release; return nil }
	var wg sync.WaitGroup
	results := make([]*Image, 20)
	for i := range results {
		wg.Go(func() {
			img, err := c.Thumb(t.Context(), "a", 160, s.open)
			if err != nil {
				t.Error(err)
			}
			results[i] = img
		})
	}
	waiting(t, "all wait", func() bool { return c.callers(key{"a", 160}) == len(results) })
	close(release)
	wg.Wait()
	for _, got := range results {
		if got == nil || got != results[0] {
			t.Error("got another thumbnail")
		}
	}
	if n := s.count.Load(); n != 1 {
		t.Errorf("got %d times opened, want 1", n)
	}
}

// A caller may leave. The work continues for the others, and is cancelled without callers.
func TestCacheLeaves(t *testing.T) {
	t.Parallel()
	release, cancelled := make(chan struct{}), make(chan error, 1)
	c, s := New(1<<20), newShop(t)
	s.before = func(ctx context.Context) error {
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			cancelled <- ctx.Err()
			return ctx.Err()
		}
	}
	k := key{"a", 160}
	start := func(ctx context.Context) chan error {
		done := make(chan error, 1)
		go func() {
			_, err := c.Thumb(ctx, k.hash, k.edge, s.open)
			done <- err
		}()
		return done
	}
	first, leaveFirst := context.WithCancel(t.Context())
	second, leaveSecond := context.WithCancel(t.Context())
	defer leaveSecond()
	a := start(first)
	waiting(t, "the first waits", func() bool { return c.callers(k) == 1 })
	b := start(second)
	waiting(t, "both wait", func() bool { return c.callers(k) == 2 })
	leaveFirst()
	if err := <-a; !errors.Is(err, context.Canceled) {
		t.Errorf("who leaves: got %v, want context.Canceled", err)
	}
	select {
	case <-cancelled:
		t.Error("the work was cancelled though a caller waits")
	default:
	}
	leaveSecond()
	if err := <-b; !errors.Is(err, context.Canceled) {
		t.Errorf("the last: got %v, want context.Canceled", err)
	}
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Errorf("the work: got %v, want context.Canceled", err)
	}
	close(release)
	if _, err := c.Thumb(t.Context(), k.hash, k.edge, s.open); err != nil {
		t.Errorf("the next: got %v", err)
	}
	if _, err := c.Thumb(first, "other", 160, s.open); !errors.Is(err, context.Canceled) {
		t.Errorf("who has left: got %v, want context.Canceled", err)
	}
}

// If one caller's source fails, the other tries its own.
func TestCacheOtherSource(t *testing.T) {
	t.Parallel()
	release, failure := make(chan struct{}), errors.New("the object is gone")
	c, s := New(1<<20), newShop(t)
	gone := &shop{before: func(context.Context) error { <-release; return failure }}
	a, b := make(chan error, 1), make(chan error, 1)
	k := key{"a", 160}
	go func() { _, err := c.Thumb(t.Context(), k.hash, k.edge, gone.open); a <- err }()
	waiting(t, "the first waits", func() bool { return c.callers(k) == 1 })
	go func() { _, err := c.Thumb(t.Context(), k.hash, k.edge, s.open); b <- err }()
	waiting(t, "both wait", func() bool { return c.callers(k) == 2 })
	close(release)
	if err := <-a; err != failure {
		t.Errorf("the first: got %v, want %v", err, failure)
	}
	if err := <-b; err != nil {
		t.Errorf("the second: got %v", err)
	}
}

// Few thumbnails are made at once, some wait, and further ones are refused.
func TestCacheBusy(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	c, s := New(1<<20), newShop(t)
	c.slots, c.queue = make(chan struct{}, 2), 3
	var running, most atomic.Int32
	s.before = func(context.Context) error {
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-release
		return nil
	}
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			if _, err := c.Thumb(t.Context(), fmt.Sprint(i), 160, s.open); err != nil {
				t.Errorf("%d: %v", i, err)
			}
		})
		waiting(t, "it waits", func() bool { return c.callers(key{fmt.Sprint(i), 160}) == 1 })
	}
	if _, err := c.Thumb(t.Context(), "one more", 160, s.open); !errors.Is(err, ErrBusy) {
		t.Errorf("one more: got %v, want ErrBusy", err)
	}
	close(release)
	wg.Wait()
	if n := most.Load(); n > 2 {
		t.Errorf("got %d at once, want at most 2", n)
	}
	if _, err := c.Thumb(t.Context(), "one more", 160, s.open); err != nil {
		t.Errorf("later: got %v", err)
	}
}

func TestCacheWaitsTooLong(t *testing.T) {
	t.Parallel()
	c, s := New(1<<20), newShop(t)
	c.slots, c.wait = make(chan struct{}, 1), time.Millisecond
	c.slots <- struct{}{}
	if _, err := c.Thumb(t.Context(), "a", 160, s.open); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
}

// BenchmarkCached measures a thumbnail that is in the cache.
func BenchmarkCached(b *testing.B) {
	c, s := New(1<<20), newShop(b)
	if _, err := c.Thumb(b.Context(), "a", 160, s.open); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Thumb(b.Context(), "a", 160, s.open); err != nil {
			b.Fatal(err)
		}
	}
}
