package pagecache

import (
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
)

// cache is the cache of one database of one connection. It belongs to one goroutine at a
// time. It lies in libc's memory, and so do its pages.
type cache struct {
	pageSize  uintptr // bytes of a page's content
	extraSize uintptr // bytes behind it that are SQLite's
	purgeable bool    // pages may be evicted: the database is not in memory alone

	most    uint32  // pages that it should have
	count   uint32  // pages that it has
	pinned  uint32  // of these, those in use
	highest uint32  // no page has a higher key
	buckets []*page // lists of pages, by the lower bits of their keys
	unused  page    // the head of the ring of unused pages, the newest first
	blocks  *block  // the memory of all pages, also of spare ones
	spare   *page   // a list of pages that have no key
}

// page is a page of a database. Its content stands before it, and what SQLite keeps with
// it behind.
type page struct {
	content, extra uintptr // what SQLite knows of it: a sqlite3_pcache_page
	key            uint32
	next           *page // in its bucket, or among the spare ones
	older, newer   *page // in the ring; nil while the page is in use
}

// block is memory for blockPages pages, which follow. Libc's allocator rounds the size of a
// single page up to the next power of two, which is nearly twice as much.
type block struct {
	next *block
	_    [64 - unsafe.Sizeof(uintptr(0))]byte // the size of a line of the processor's cache
}

const (
	leastBuckets = 256 // a power of two
	blockPages   = 15
	pageStruct   = (unsafe.Sizeof(page{}) + 7) &^ 7
)

// createMode says how hard fetch tries if there is no such page.
type createMode int32

const (
	lookUp     createMode = iota // not at all
	createEasy                   // unless most pages are in use: SQLite then writes changed ones to the file
	create                       // as long as there is memory
)

// newCache returns a cache, or nil if there is no memory.
func newCache(tls *libc.TLS, pageSize, extraSize uintptr, purgeable bool) *cache {
	c := (*cache)(zeroed(tls, unsafe.Sizeof(cache{})))
	if c == nil {
		return nil
	}
	c.pageSize, c.extraSize, c.purgeable = pageSize, extraSize, purgeable
	c.unused.older, c.unused.newer = &c.unused, &c.unused
	if !c.grow(tls) {
		free(tls, unsafe.Pointer(c))
		return nil
	}
	return c
}

// close gives back all memory of the cache.
func (c *cache) close(tls *libc.TLS) {
	for b := c.blocks; b != nil; {
		next := b.next
		free(tls, unsafe.Pointer(b))
		b = next
	}
	free(tls, unsafe.Pointer(unsafe.SliceData(c.buckets)))
	free(tls, unsafe.Pointer(c))
}

// fetch returns the page with the key, which is in use from now on. If there is none it
// makes one, as mode says, or returns nil.
func (c *cache) fetch(tls *libc.TLS, key uint32, mode createMode) *page {
	for p := *c.bucket(key); p != nil; p = p.next {
		if p.key == key {
			c.pin(p)
			return p
		}
	}
	if mode == lookUp || mode == createEasy && c.purgeable && uint64(c.pinned)*10 >= uint64(c.most)*9 {
		return nil
	}
	return c.add(tls, key)
}

// add makes a page that is in use: of the oldest that is not, if the cache is full.
func (c *cache) add(tls *libc.TLS, key uint32) *page {
	p := (*page)(nil)
	if c.purgeable && c.count+1 >= c.most {
		p = c.evict()
	}
	if p == nil {
		p = c.alloc(tls)
	}
	if p == nil && c.purgeable {
		p = c.evict()
	}
	if p == nil {
		return nil
	}
	if c.count >= uint32(len(c.buckets)) {
		c.grow(tls) // without memory the lists get longer
	}
	c.count++
	c.pinned++
	c.highest = max(c.highest, key)
	p.key = key
	*(*uintptr)(at(p.extra)) = 0 // by which SQLite knows that the page is new
	c.file(p)
	return p
}

// unpin notes that a page is not in use any more. With discard it is not kept.
func (c *cache) unpin(p *page, discard bool) {
	if p.older == nil {
		c.pinned--
		newest := c.unused.older
		p.newer, p.older = &c.unused, newest
		newest.newer, c.unused.older = p, p
	}
	if discard || c.purgeable && c.count > c.most {
		c.drop(p)
		c.free(p)
	}
}

// rekey gives a page another key. A page that has that key is dropped.
func (c *cache) rekey(p *page, key uint32) {
	for other := *c.bucket(key); other != nil; other = other.next {
		if other.key == key && other != p {
			c.drop(other)
			c.free(other)
			break
		}
	}
	c.unfile(p)
	p.key = key
	c.highest = max(c.highest, key)
	c.file(p)
}

// truncate drops all pages whose key is limit or higher, also those in use.
func (c *cache) truncate(limit uint32) {
	if c.count == 0 || limit > c.highest {
		return
	}
	if c.highest-limit < uint32(len(c.buckets)) {
		for i := range c.highest - limit + 1 {
			c.truncateBucket(c.bucket(limit+i), limit)
		}
	} else {
		for i := range c.buckets {
			c.truncateBucket(&c.buckets[i], limit)
		}
	}
	c.highest = max(limit, 1) - 1
}

func (c *cache) truncateBucket(b **page, limit uint32) {
	for p := *b; p != nil; {
		next := p.next
		if p.key >= limit {
			c.drop(p)
			c.free(p)
		}
		p = next
	}
}

// resize sets how many pages the cache should have.
func (c *cache) resize(most uint32) {
	c.most = most
	c.trim(most)
}

// trim evicts pages until there are no more than most, or all that are left are in use.
func (c *cache) trim(most uint32) {
	for c.purgeable && c.count > most {
		p := c.evict()
		if p == nil {
			return
		}
		c.free(p)
	}
}

// evict takes the oldest page that is not in use out of the cache, if there is one.
func (c *cache) evict() *page {
	p := c.unused.newer
	if p == &c.unused {
		return nil
	}
	c.drop(p)
	return p
}

// drop takes a page out of the cache.
func (c *cache) drop(p *page) {
	c.pin(p)
	c.pinned--
	c.count--
	c.unfile(p)
}

// pin takes a page off the ring of unused ones.
func (c *cache) pin(p *page) {
	if p.older == nil {
		return
	}
	p.older.newer, p.newer.older = p.newer, p.older
	p.older, p.newer = nil, nil
	c.pinned++
}

func (c *cache) bucket(key uint32) **page { return &c.buckets[key&uint32(len(c.buckets)-1)] }

// file puts a page into the bucket of its key.
func (c *cache) file(p *page) {
	b := c.bucket(p.key)
	p.next, *b = *b, p
}

// unfile takes a page out of its bucket.
func (c *cache) unfile(p *page) {
	b := c.bucket(p.key)
	for *b != p {
		b = &(*b).next
	}
	*b = p.next
}

// grow doubles the number of buckets, and reports whether there was memory for that.
func (c *cache) grow(tls *libc.TLS) bool {
	old := c.buckets
	n := max(2*len(old), leastBuckets)
	first := (**page)(zeroed(tls, uintptr(n)*unsafe.Sizeof((*page)(nil))))
	if first == nil {
		return false
	}
	c.buckets = unsafe.Slice(first, n)
	for _, p := range old {
		for p != nil {
			next := p.next
			c.file(p)
			p = next
		}
	}
	free(tls, unsafe.Pointer(unsafe.SliceData(old)))
	return true
}

// alloc returns a spare page, or nil.
func (c *cache) alloc(tls *libc.TLS) *page {
	if c.spare == nil {
		c.addBlock(tls)
	}
	p := c.spare
	if p != nil {
		c.spare, p.next = p.next, nil
	}
	return p
}

// addBlock makes spare pages, if there is memory.
func (c *cache) addBlock(tls *libc.TLS) {
	start := malloc(tls, unsafe.Sizeof(block{})+blockPages*c.slot())
	if start == 0 {
		return
	}
	b := (*block)(at(start))
	b.next, c.blocks = c.blocks, b
	for i := range uintptr(blockPages) {
		content := start + unsafe.Sizeof(block{}) + i*c.slot()
		p := (*page)(at(content + c.pageSize))
		*p = page{content: content, extra: content + c.pageSize + pageStruct}
		c.free(p)
	}
}

// slot returns the bytes from one page of a block to the next.
func (c *cache) slot() uintptr { return (c.pageSize + pageStruct + c.extraSize + 63) &^ 63 }

// free makes a page spare that is not in the cache any more.
func (c *cache) free(p *page) { p.next, c.spare = c.spare, p }

// malloc returns the address of memory of libc's, or 0, and release gives it back. Tests
// replace them.
var (
	malloc  = func(tls *libc.TLS, size uintptr) uintptr { return libc.Xmalloc(tls, types.Size_t(size)) }
	release = libc.Xfree
)

// zeroed returns memory of libc's that is zero, or nil.
func zeroed(tls *libc.TLS, size uintptr) unsafe.Pointer {
	address := malloc(tls, size)
	if address == 0 {
		return nil
	}
	clear(unsafe.Slice((*byte)(at(address)), size))
	return at(address)
}

func free(tls *libc.TLS, p unsafe.Pointer) {
	if p != nil {
		release(tls, uintptr(p))
	}
}

// at returns the pointer for an address of libc's memory.
func at(address uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }
