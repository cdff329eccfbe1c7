package bucketlite

import (
	"sync"

	"github.com/bucketlite/bucketlite/internal/commit"
)

// queue holds the processors of a store, which wait in it for jobs. The jobs themselves
// are in the file.
type queue struct {
	mu         sync.Mutex
	closed     bool
	processors map[*processor]struct{}
	running    sync.WaitGroup
}

// join adds a processor, unless the store is being closed.
func (q *queue) join(p *processor) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	if q.processors == nil {
		q.processors = make(map[*processor]struct{})
	}
	q.processors[p] = struct{}{}
	q.running.Add(1)
	return true
}

func (q *queue) leave(p *processor) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.processors, p)
	q.running.Done()
}

// notify wakes the processors that a signal concerns.
func (q *queue) notify(s commit.Signal) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for p := range q.processors {
		wake := p.wake
		if s == commit.Drafts {
			if wake = p.drafts.wake; wake == nil {
				continue
			}
		}
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}

// close stops the processors, and returns when they have handed back their jobs.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	for p := range q.processors {
		p.stop(ErrClosed)
	}
	q.mu.Unlock()
	q.running.Wait()
}
