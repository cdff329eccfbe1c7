package pagecache

import (
	"testing"

	"modernc.org/libc"
)

// limited makes malloc fail from the call after the first n on. Tests with it do not run
// beside others.
func limited(t *testing.T, n int) {
	real := malloc
	t.Cleanup(func() { malloc = real })
	malloc = func(tls *libc.TLS, size uintptr) uintptr {
		if n--; n < 0 {
			return 0
		}
		return real(tls, size)
	}
}

// Without memory there is no cache, and no new page unless an unused one can be evicted.
func TestOutOfMemory(t *testing.T) {
	for n := range 2 {
		t.Run("new cache", func(t *testing.T) {
			limited(t, n)
			tls := libc.NewTLS()
			defer tls.Close()
			if newCache(tls, testPage, testExtra, true) != nil {
				t.Errorf("after %d allocations: got a cache", n)
			}
		})
	}
	t.Run("pages", func(t *testing.T) {
		m := newModel(t, true)
		m.resize(100)
		m.fetch(1, create)
		m.fetch(2, create)
		m.unpin(1, false)
		limited(t, 0)
		// The only page that is not in use is taken, although the cache is not full.
		p := m.cache.fetch(m.tls, 3, createEasy)
		if p == nil || m.cache.fetch(m.tls, 1, lookUp) != nil {
			t.Fatal("got no page, want that of key 1")
		}
		m.evict()
		m.used[3] = p
		m.write(p, 3)
		m.check()
		if m.cache.fetch(m.tls, 4, create) != nil {
			t.Error("got a page, want none")
		}
		m.check()
	})
	t.Run("buckets", func(t *testing.T) {
		m := newModel(t, true)
		m.resize(10 * leastBuckets)
		for key := range uint32(leastBuckets) {
			m.fetch(key+1, create)
		}
		limited(t, 1)
		m.fetch(leastBuckets+1, create) // which is the one allocation
		if got := len(m.cache.buckets); got != leastBuckets {
			t.Errorf("got %d buckets, want %d", got, leastBuckets)
		}
		m.check()
	})
}
