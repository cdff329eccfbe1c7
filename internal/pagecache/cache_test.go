package pagecache

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"modernc.org/libc"
)

var long = flag.Bool("long", false, "run the long form of tests")

// The sizes of a test's pages.
const (
	testPage  = 512
	testExtra = 136
)

// A model is what a cache is to hold.
type model struct {
	t         *testing.T
	tls       *libc.TLS
	cache     *cache
	purgeable bool
	most      int
	used      map[uint32]*page
	unused    []uint32 // the oldest first
	stamps    map[uint32]uint64
	stamp     uint64 // the last one
}

func newModel(t *testing.T, purgeable bool) *model {
	tls := libc.NewTLS()
	c := newCache(tls, testPage, testExtra, purgeable)
	if c == nil {
		t.Fatal("no memory")
	}
	t.Cleanup(func() {
		c.close(tls)
		tls.Close()
	})
	return &model{t: t, tls: tls, cache: c, purgeable: purgeable, used: map[uint32]*page{}, stamps: map[uint32]uint64{}}
}

// words are the content of a page and what SQLite keeps with it.
func words(p *page) (content, extra []uint64) {
	return unsafe.Slice((*uint64)(at(p.content)), testPage/8), unsafe.Slice((*uint64)(at(p.extra)), testExtra/8)
}

// write fills a page with a stamp that no other page has.
func (m *model) write(p *page, key uint32) {
	m.stamp++
	m.stamps[key] = m.stamp
	content, extra := words(p)
	for i := range content {
		content[i] = m.stamp
	}
	for i := range extra {
		extra[i] = m.stamp
	}
}

// holds fails the test unless a page has what was written to it.
func (m *model) holds(p *page, key uint32) {
	m.t.Helper()
	content, extra := words(p)
	for _, w := range slices.Concat(content, extra) {
		if w != m.stamps[key] {
			m.t.Fatalf("page %d: got %d, want %d", key, w, m.stamps[key])
		}
	}
}

func (m *model) count() int { return len(m.used) + len(m.unused) }

func (m *model) evict() { m.unused = m.unused[1:] }

func (m *model) fetch(key uint32, mode createMode) {
	m.t.Helper()
	full := len(m.used)*10 >= m.most*9
	p := m.cache.fetch(m.tls, key, mode)
	at := slices.Index(m.unused, key)
	switch {
	case m.used[key] != nil:
		if p != m.used[key] {
			m.t.Fatalf("page %d is in use: got another one", key)
		}
	case at >= 0:
		if p == nil {
			m.t.Fatalf("page %d: got none", key)
		}
		m.unused = slices.Delete(m.unused, at, at+1)
	case mode == lookUp || mode == createEasy && m.purgeable && full:
		if p != nil {
			m.t.Fatalf("page %d: got a new one", key)
		}
		return
	default:
		if p == nil {
			m.t.Fatalf("page %d: got none, want a new one", key)
		}
		if m.purgeable && m.count()+1 >= m.most && len(m.unused) > 0 {
			m.evict()
		}
		if _, extra := words(p); extra[0] != 0 {
			m.t.Fatalf("page %d: it does not count as new", key)
		}
		m.write(p, key)
	}
	m.used[key] = p
	m.holds(p, key)
}

func (m *model) unpin(key uint32, discard bool) {
	p := m.used[key]
	full := m.count() > m.most
	m.cache.unpin(p, discard)
	delete(m.used, key)
	if !discard && !(m.purgeable && full) {
		m.unused = append(m.unused, key)
	}
}

func (m *model) rekey(key, to uint32) {
	p := m.used[key]
	m.cache.rekey(p, to)
	m.unused = slices.DeleteFunc(m.unused, func(k uint32) bool { return k == to })
	delete(m.used, key)
	m.used[to] = p
	m.stamps[to] = m.stamps[key]
}

func (m *model) truncate(limit uint32) {
	m.cache.truncate(limit)
	m.unused = slices.DeleteFunc(m.unused, func(k uint32) bool { return k >= limit })
	for key := range m.used {
		if key >= limit {
			delete(m.used, key)
		}
	}
}

func (m *model) resize(most int) {
	m.cache.resize(uint32(most))
	m.most = most
	m.trimmed(most)
}

func (m *model) trim() {
	m.cache.trim(0)
	m.trimmed(0)
}

func (m *model) trimmed(most int) {
	for m.purgeable && m.count() > most && len(m.unused) > 0 {
		m.evict()
	}
}

// check fails the test unless the cache is like the model.
func (m *model) check() {
	m.t.Helper()
	c := m.cache
	if int(c.count) != m.count() || int(c.pinned) != len(m.used) {
		m.t.Fatalf("got %d pages, %d of them in use, want %d and %d", c.count, c.pinned, m.count(), len(m.used))
	}
	var unused []uint32
	for p := c.unused.newer; p != &c.unused; p = p.newer {
		unused = append(unused, p.key)
		m.holds(p, p.key)
	}
	if !slices.Equal(unused, m.unused) {
		m.t.Fatalf("not in use: got %d, want %d", unused, m.unused)
	}
	filed := 0
	for i, p := range c.buckets {
		for ; p != nil; p = p.next {
			if filed++; int(p.key)&(len(c.buckets)-1) != i || p.key > c.highest {
				m.t.Fatalf("page %d is in bucket %d, and the highest key is %d", p.key, i, c.highest)
			}
		}
	}
	if filed != m.count() {
		m.t.Fatalf("got %d pages in buckets, want %d", filed, m.count())
	}
	inBlocks := filed
	for p := c.spare; p != nil; p = p.next {
		inBlocks++
	}
	for b := c.blocks; b != nil; b = b.next {
		inBlocks -= blockPages
	}
	if inBlocks != 0 {
		m.t.Fatalf("got %d pages more than there are in blocks", inBlocks)
	}
}

// step does something at random.
func (m *model) step(r *rand.Rand, keys int) {
	used := slices.Sorted(func(yield func(uint32) bool) {
		for key := range m.used {
			if !yield(key) {
				return
			}
		}
	})
	key := func() uint32 { return 1 + uint32(r.IntN(keys)) }
	switch n := r.IntN(100); {
	case n < 45 || len(used) == 0:
		m.fetch(key(), createMode(r.IntN(3)))
	case n < 88:
		m.unpin(used[r.IntN(len(used))], r.IntN(8) == 0)
	case n < 92:
		if to := key(); m.used[to] == nil {
			m.rekey(used[r.IntN(len(used))], to)
		}
	case n < 94:
		m.truncate(uint32(r.IntN(2 * keys)))
	case n < 97:
		m.resize(r.IntN(keys))
	case n < 98:
		m.trim()
	default:
		for _, key := range used { // as at the end of a transaction
			m.unpin(key, false)
		}
	}
}

// A cache does what its model does, whatever SQLite asks of it.
func TestModel(t *testing.T) {
	t.Parallel()
	seeds, steps := 60, 3000
	if *long {
		seeds = 3000
	}
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 1))
		purgeable, keys := r.IntN(4) > 0, []int{6, 40, 300, 3000}[r.IntN(4)]
		t.Run(fmt.Sprintf("seed %d, purgeable %v, %d keys", seed, purgeable, keys), func(t *testing.T) {
			t.Parallel()
			m := newModel(t, purgeable)
			m.resize(keys / 2)
			for i := range steps {
				m.step(r, keys)
				if i%16 == 0 || keys < 100 {
					m.check()
				}
			}
			m.check()
		})
	}
}
