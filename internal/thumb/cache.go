package thumb

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"
)

const (
	// maxQueue is how many thumbnails may wait to be made, and maxWait for how long.
	maxQueue = 64
	maxWait  = 30 * time.Second
	// entryBytes is what an entry takes beside the bytes of its thumbnail.
	entryBytes = 512
)

// Cache keeps thumbnails in memory, the most recently used ones. It makes each at most once
// at a time, and few at once. It is safe for concurrent use.
type Cache struct {
	maxBytes int64
	slots    chan struct{} // one for each thumbnail that is being made
	queue    int
	wait     time.Duration
	limits   limits

	mu      sync.Mutex
	bytes   int64
	entries map[key]*list.Element // of *entry
	used    list.List             // the most recently used first
	flights map[key]*flight
}

// key names a thumbnail by the bytes of its picture. All have one version.
type key struct {
	hash string
	edge int
}

// An entry is a thumbnail, or why there is none.
type entry struct {
	key   key
	image *Image
	err   error
}

func (e *entry) bytes() int64 {
	if e.image == nil {
		return entryBytes
	}
	return entryBytes + int64(len(e.image.Data))
}

// A flight is a thumbnail that is being made or waits for that. The callers that wait for it
// are counted. Without callers it is cancelled.
type flight struct {
	callers int
	cancel  context.CancelFunc
	done    chan struct{} // closed when the result is there
	image   *Image
	err     error
}

// Source is the bytes of a picture.
type Source interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// New returns a cache of at most maxBytes. Half of the processors make thumbnails at once,
// but at least one.
func New(maxBytes int64) *Cache {
	return &Cache{
		maxBytes: maxBytes, slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), queue: maxQueue, wait: maxWait, limits: defaults,
		entries: make(map[key]*list.Element), flights: make(map[key]*flight),
	}
}

// Thumb returns the thumbnail of the picture with a hash, see [Make]. If it is not in the
// cache, open is called for the bytes, in another goroutine and with a context of its own.
// Callers for the same thumbnail share the work. One whose ctx ends gets the context's error
// while the work continues for the others. Without callers it is cancelled.
//
// [ErrUnsupported] and [ErrTooLarge] are kept like thumbnails. [ErrBusy] reports that too many
// are waiting already. An error of open or of its source is not kept.
func (c *Cache) Thumb(ctx context.Context, hash string, edge int, open func(context.Context) (Source, error)) (*Image, error) {
	k := key{hash, edge}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, mine, found := c.join(ctx, k, open)
		switch {
		case found != nil:
			return found.image, found.err
		case f == nil:
			return nil, fmt.Errorf("%w: %d others wait", ErrBusy, c.queue)
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			c.leave(k, f)
			return nil, ctx.Err()
		}
		if f.err == nil || mine || lasting(f.err) || errors.Is(f.err, ErrBusy) {
			return f.image, f.err
		}
		// The source of another caller failed, perhaps since its object is gone.
	}
}

// join returns the entry of a thumbnail, or the flight that makes it, with the caller counted,
// and whether it began with this caller; or neither if too many wait.
func (c *Cache) join(ctx context.Context, k key, open func(context.Context) (Source, error)) (f *flight, mine bool, found *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[k]; e != nil {
		c.used.MoveToFront(e)
		return nil, false, e.Value.(*entry)
	}
	f = c.flights[k]
	if f == nil {
		if len(c.flights) >= cap(c.slots)+c.queue {
			return nil, false, nil
		}
		work, cancel := context.WithCancel(context.WithoutCancel(ctx))
		f, mine = &flight{cancel: cancel, done: make(chan struct{})}, true
		c.flights[k] = f
		go c.fly(work, k, f, open)
	}
	f.callers++
	return f, mine, nil
}

// leave takes a caller from a flight. Without callers it is cancelled, and the next caller
// begins another.
func (c *Cache) leave(k key, f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.callers--; f.callers == 0 {
		f.cancel()
		if c.flights[k] == f {
			delete(c.flights, k)
		}
	}
}

// fly makes a thumbnail and hands it to the callers.
func (c *Cache) fly(ctx context.Context, k key, f *flight, open func(context.Context) (Source, error)) {
	defer f.cancel()
	f.image, f.err = c.make(ctx, k.edge, open)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights[k] == f {
		delete(c.flights, k)
	}
	if f.err == nil || lasting(f.err) {
		c.keep(&entry{k, f.image, f.err})
	}
	close(f.done)
}

// make waits for its turn and makes a thumbnail.
func (c *Cache) make(ctx context.Context, edge int, open func(context.Context) (Source, error)) (img *Image, err error) {
	defer func() { // nobody else would: the goroutine is the cache's own
		if p := recover(); p != nil {
			img, err = nil, fmt.Errorf("thumb: panic: %v", p)
		}
	}()
	tooLong := time.NewTimer(c.wait)
	defer tooLong.Stop()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-tooLong.C:
		return nil, fmt.Errorf("%w: it waited for %s", ErrBusy, c.wait)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	source, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	return c.limits.make(ctx, source, source.Size(), edge)
}

// keep puts an entry in front, and drops the least recently used ones that have no room.
func (c *Cache) keep(e *entry) {
	if old := c.entries[e.key]; old != nil {
		c.drop(old)
	}
	c.entries[e.key] = c.used.PushFront(e)
	for c.bytes += e.bytes(); c.bytes > c.maxBytes; {
		c.drop(c.used.Back())
	}
}

func (c *Cache) drop(element *list.Element) {
	e := c.used.Remove(element).(*entry)
	delete(c.entries, e.key)
	c.bytes -= e.bytes()
}

// lasting reports whether an error is due to the picture, so that it would come again.
func lasting(err error) bool { return errors.Is(err, ErrUnsupported) || errors.Is(err, ErrTooLarge) }
