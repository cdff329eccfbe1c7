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
		for key := range uint32(blockPages) {
			m.fetch(key+1, create)
		}
		m.unpin(1, false)
		limited(t, 0)
		// The only page that is not in use is taken, although the cache is not full.
		p := m.cache.fetch(m.tls, 100, createEasy)
		if p == nil || m.cache.fetch(m.tls, 1, lookUp) != nil {
			t.Fatal("got no page, want that of key 1")
		}
		m.evict()
		m.used[100] = p
		m.write(p, 100)
		m.check()
		if m.cache.fetch(m.tls, 101, create) != nil {
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
		limited(t, 0)
		m.fetch(leastBuckets+1, create) // the last block has room for it
		if got := len(m.cache.buckets); got != leastBuckets {
			t.Errorf("got %d buckets, want %d", got, leastBuckets)
		}
		m.check()
	})
}

// A cache that has had more pages than it should, all in use, keeps their memory for later
// pages, and gives back all of it when it is closed.
func TestMemoryComesBack(t *testing.T) {
	realMalloc, realRelease := malloc, release
	defer func() { malloc, release = realMalloc, realRelease }()
	taken := map[uintptr]bool{} // addresses
	malloc = func(tls *libc.TLS, size uintptr) uintptr {
		p := realMalloc(tls, size)
		taken[p] = true
		return p
	}
	release = func(tls *libc.TLS, p uintptr) {
		if !taken[p] {
			t.Errorf("address %#x is given back, but was not taken", p)
		}
		delete(taken, p)
		realRelease(tls, p)
	}
	tls := libc.NewTLS()
	defer tls.Close()
	const most = 10 * blockPages
	c := newCache(tls, testPage, testExtra, true)
	c.resize(most)
	pieces := 0
	for round := range 3 {
		var used []*page
		for key := range uint32(3 * most) {
			used = append(used, c.fetch(tls, key+1, create))
		}
		for _, p := range used {
			c.unpin(p, false)
		}
		if c.count != most {
			t.Errorf("got %d pages, want %d", c.count, most)
		}
		if round == 0 {
			pieces = len(taken)
		} else if len(taken) > pieces {
			t.Errorf("got %d pieces of memory in another round, want %d", len(taken), pieces)
		}
	}
	c.close(tls)
	if len(taken) > 0 {
		t.Errorf("got %d pieces of memory after the end, want none", len(taken))
	}
}
