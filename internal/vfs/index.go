package vfs

import (
	"strconv"
	"sync"
	"sync/atomic"
)

// Header is the header of the log's index. It changes with every commit, and now and
// then without one: when the log begins anew, or its index is recovered.
type Header [12]uint32

// headerVersion is the first word of a header that SQLite has written.
const headerVersion = 3007000

// headers are the two copies of the header in shared memory. SQLite writes the second
// one first, and reads the first one first: if both are the same, neither was being
// written.
type headers [2]Header

// readAttempts bounds the attempts at reading a header that is being written.
const readAttempts = 4

// indexParameter is the parameter of a SQLite URI that holds the id of an Index.
const indexParameter = "bucketlite_index"

// Index is the index of the log of one database, as the first connection with its
// parameter has mapped it. It is safe for concurrent use.
type Index struct {
	id int64

	mu      sync.RWMutex // held for writing while the memory is unmapped
	owner   uintptr      // the file of that connection
	headers *headers     // nil while there is none
}

// NewIndex returns an Index that knows no header yet. Close it.
func NewIndex() *Index { return indexes.add() }

// Parameter returns the parameter for the URI of a connection whose header is wanted,
// such as "name=1". The VFS must be that of [Name]. If several connections have it, all
// must be of the same database.
func (x *Index) Parameter() string { return indexParameter + "=" + strconv.FormatInt(x.id, 10) }

// Header returns the header as it is now. It is not ok before a connection has begun to
// read in the database, after the last one was closed, and if each attempt met a commit.
func (x *Index) Header() (h Header, ok bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.headers == nil {
		return Header{}, false
	}
	for range readAttempts {
		if h, ok = x.headers.read(); ok {
			return h, h[0] == headerVersion
		}
	}
	return Header{}, false
}

// Close makes Header return false for good.
func (x *Index) Close() { indexes.remove(x) }

// read reports whether both copies are the same. Atomic loads are not reordered.
func (h *headers) read() (Header, bool) {
	var first Header
	for i := range first {
		first[i] = atomic.LoadUint32(&h[0][i])
	}
	for i := range first {
		if atomic.LoadUint32(&h[1][i]) != first[i] {
			return Header{}, false
		}
	}
	return first, true
}

// indexes are all of this process, by their ids.
var indexes = registry{of: make(map[int64]*Index)}

type registry struct {
	mu   sync.Mutex
	next int64
	of   map[int64]*Index
}

func (r *registry) add() *Index {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	x := &Index{id: r.next}
	r.of[x.id] = x
	return x
}

func (r *registry) remove(x *Index) {
	r.mu.Lock()
	delete(r.of, x.id)
	r.mu.Unlock()
	x.mu.Lock()
	x.headers = nil
	x.mu.Unlock()
}

func (r *registry) find(id int64) *Index {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of[id]
}

// mapped notes that a connection has mapped the headers of an index.
func (r *registry) mapped(id int64, owner uintptr, h *headers) {
	x := r.find(id)
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.headers == nil {
		x.owner, x.headers = owner, h
	}
}

// unmapped returns once nobody reads the headers that a connection has mapped.
func (r *registry) unmapped(id int64, owner uintptr) {
	x := r.find(id)
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.owner == owner {
		x.owner, x.headers = 0, nil
	}
}
