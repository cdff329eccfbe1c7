package bucketlite

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/query"
)

// WatchOptions set the starting point of a watch. Nil, and the zero WatchOptions,
// start at the moment of the call.
type WatchOptions struct {
	// After is the Cursor of an event, or a result of [Store.EventCursor]. The watch
	// starts after that point. Any cursor of the store's events is valid, whatever
	// the event's subject.
	After string
	// FromStart starts with the oldest event that is stored. FromStart and After
	// exclude each other.
	FromStart bool
	// Idle is called each time the iteration has delivered all existing events,
	// before it waits for more. Use it to flush gathered events. Further events wait
	// until it returns. Default: nil, nothing is called.
	Idle func()
}

// Watch iterates over all events of the store in commit order, each exactly once, and
// then waits for more. Events of all processes are included. The call itself fixes
// the starting point: events committed after Watch returns are delivered, even if the
// iteration starts later. A second iteration starts at the same point.
//
// An event is delivered as soon as it is committed, and within 250 ms if another
// process commits it. No statement is open while the loop's body runs, so the body
// may use the store, and write to it. Events wait for a slow body, within the limit
// of [Options].EventRetention.
//
// The iteration ends when the loop is left, or with an error: the context's error,
// [ErrClosed], [ErrBadRequest] if After is not a cursor of this store or is past the
// last event, or [ErrCursorExpired] if the next event has been deleted. To resume
// later, keep the Cursor of the last event.
func (s *Store) Watch(ctx context.Context, opts *WatchOptions) iter.Seq2[Event, error] {
	return s.watch(ctx, opts, scope{live: "?1 = 0"})
}

// Watch is [Store.Watch] for the events of the namespace, its buckets and their
// objects. The iteration ends without an error after the event of the namespace's
// deletion. If the starting point is after that event, it ends with [ErrNotFound].
func (n *Namespace) Watch(ctx context.Context, opts *WatchOptions) iter.Seq2[Event, error] {
	return n.store.watch(ctx, opts, scope{
		Place: commit.Place{Namespace: n.id}, last: EventNamespaceDeleted, num: n.num, gone: notFound("%s", n),
		live: "EXISTS (SELECT 1 FROM namespaces WHERE num = ?1 AND delete_task IS NULL)",
	})
}

// Watch is [Store.Watch] for the events of the bucket and its objects, whatever the
// bucket's status. The iteration ends without an error after the event of the
// bucket's deletion. If the starting point is after that event, it ends with
// [ErrNotFound].
func (b *Bucket) Watch(ctx context.Context, opts *WatchOptions) iter.Seq2[Event, error] {
	return b.store.watch(ctx, opts, scope{
		Place: commit.Place{Bucket: b.id}, last: EventBucketDeleted, num: b.num, gone: b.gone(),
		live: "EXISTS (SELECT 1 FROM buckets WHERE num = ?1 AND status <> 'IN_PROGRESS')",
	})
}

// eventList identifies the cursors of events.
var eventList = list{kind: "events"}

// EventCursor returns the position after the newest event, for [WatchOptions].After.
// Call it before reading a bucket, and watch from there: the watch delivers every
// change that the reads have missed, and possibly some that they have seen.
func (s *Store) EventCursor(ctx context.Context) (string, error) {
	last, err := s.lastEvent(ctx)
	if err != nil {
		return "", err
	}
	return s.cursor(eventList, query.Position{Num: last}), nil
}

// lastEvent returns the number of the newest event.
func (s *Store) lastEvent(ctx context.Context) (last int64, err error) {
	err = s.read(ctx, func(c *engine.Conn) error {
		_, err := c.QueryRow("SELECT max(last) FROM events", nil, func(r engine.Row) { last = r.Int(0) })
		return err
	})
	return last, err
}

// scope is the set of events that a watch delivers.
type scope struct {
	commit.Place           // the namespace or bucket of the events; empty for all
	last         EventKind // the kind of the scope's last event
	num          int64     // the namespace's or bucket's number, for live
	live         string    // an SQL condition that holds until the last event
	gone         error     // the error if the last event is before the starting point
}

// wants reports whether the event is in the scope.
func (s *scope) wants(e *Event) bool {
	return (s.Namespace == "" || s.Namespace == e.NamespaceID) && (s.Bucket == "" || s.Bucket == e.BucketID)
}

// watcher is one watch.
type watcher struct {
	store *Store
	ctx   context.Context
	scope
	after int64  // the number of the last event that was read
	over  bool   // the scope has no events after the existing ones
	idle  func() // called before waiting; may be nil
}

func (s *Store) watch(ctx context.Context, opts *WatchOptions, of scope) iter.Seq2[Event, error] {
	if opts == nil {
		opts = &WatchOptions{}
	}
	begin := watcher{store: s, ctx: ctx, scope: of, idle: opts.Idle}
	err := begin.start(*opts)
	return func(yield func(Event, error) bool) {
		if err != nil {
			yield(Event{}, err)
			return
		}
		w := begin
		w.run(yield)
	}
}

// start finds the starting point.
func (w *watcher) start(opts WatchOptions) error {
	if opts.FromStart && opts.After != "" {
		return badRequest("watch: After and FromStart exclude each other")
	}
	begin, err := w.store.position(eventList, opts.After)
	if err != nil {
		return err
	}
	var first, last int64 // the numbers before the oldest and of the newest stored event
	err = w.store.read(w.ctx, func(c *engine.Conn) error {
		_, err := c.QueryRow("SELECT (SELECT last - count FROM events ORDER BY last LIMIT 1), (SELECT max(last) FROM events), "+w.live,
			[]any{w.num}, func(r engine.Row) { first, last, w.over = r.Int(0), r.Int(1), r.Int(2) == 0 })
		return err
	})
	switch {
	case err != nil:
		return err
	case opts.FromStart:
		w.after = first
	case opts.After == "":
		w.after = last
	case begin.Num > last:
		return badRequest("watch: the cursor is past the last event")
	case begin.Num < first:
		return tooOld(begin.Num + 1)
	default:
		w.after = begin.Num
	}
	return nil
}

// tooOld returns the error for an event that is no longer stored.
func tooOld(seq int64) error {
	return errorf("watch: event %d is no longer stored: %w", seq, ErrCursorExpired)
}

// run delivers the existing events, and waits for more.
func (w *watcher) run(yield func(Event, error) bool) {
	feed := w.store.feed
	feed.watchers.Add(1)
	defer feed.watchers.Add(-1)
	for {
		before := w.after
		rows, err := w.rows()
		for i := range rows {
			var more bool
			if more, err = w.hand(&rows[i], i == 0, yield); err != nil {
				break
			}
			if !more {
				return
			}
			rows[i].Data = nil
		}
		switch {
		case err != nil:
		case w.after > before: // there may be more
		case w.over:
			err = w.gone
		default:
			if w.idle != nil {
				w.idle()
			}
			err = w.wait()
		}
		if err != nil {
			yield(Event{}, err)
			return
		}
	}
}

// ended returns the reason why the watch ends, or nil.
func (w *watcher) ended() error {
	select {
	case <-w.ctx.Done():
		return w.ctx.Err()
	case <-w.store.db.Closing():
		return public(ErrClosed)
	default:
		return nil
	}
}

// hand delivers the events of a row that are in the scope, and reports whether there
// may be more; first is true for the first row of a page. It decodes them one by one,
// so that a slow loop holds only the row, which is a fraction of the size of its
// events.
func (w *watcher) hand(row *commit.Events, first bool, yield func(Event, error) bool) (more bool, err error) {
	switch missing := row.First() - 1 - w.after; {
	case missing > 0 && first:
		return false, tooOld(w.after + 1)
	case missing > 0:
		return false, errorf("event %d is missing: %w", w.after+1, ErrCorrupt)
	}
	if err := row.Check(); err != nil {
		return false, public(err)
	}
	for seq, change := range row.Changes() {
		e := event(row, seq, change)
		if e.Seq <= w.after || !w.wants(&e) {
			continue
		}
		if err := w.ended(); err != nil {
			return false, err
		}
		e.Cursor = w.store.cursor(eventList, query.Position{Num: e.Seq})
		if !yield(e, nil) || e.Kind == w.last {
			return false, nil
		}
	}
	w.after = row.Last
	return true, nil
}

// A page of events ends with the row that has the last of pageEvents, or reaches
// pageBytes. A watch holds the page while its loop's body runs.
const (
	pageEvents = commit.MaxRowEvents
	pageBytes  = 16 << 10
)

// rows returns the rows of the next page.
func (w *watcher) rows() ([]commit.Events, error) {
	var rows []commit.Events
	err := w.store.read(w.ctx, func(c *engine.Conn) error {
		rows = nil
		count, size := int64(0), 0
		err := c.Query(commit.SelectEvents+"WHERE last > ? ORDER BY last LIMIT ?", []any{w.after, int64(pageEvents)},
			func(r engine.Row) error {
				rows = append(rows, commit.ScanEvents(r))
				count, size = count+r.Int(1), size+len(rows[len(rows)-1].Data)
				if count >= pageEvents || size >= pageBytes {
					return errEnough
				}
				return nil
			})
		if err == errEnough {
			err = nil
		}
		return err
	})
	return rows, err
}

// pollTime is the interval at which a watcher checks whether another process has
// written.
const pollTime = 50 * time.Millisecond

// wait returns once there is an event after the last one read, or the error that ends
// the watch. Among waiting watchers, one at a time polls the file on behalf of all.
func (w *watcher) wait() error {
	feed := w.store.feed
	more := feed.beyond(w.after)
	turn := feed.turn
	var poll <-chan time.Time
	for {
		select {
		case <-more:
			return nil
		case <-w.ctx.Done():
			return w.ctx.Err()
		case <-w.store.db.Closing():
			return public(ErrClosed)
		case turn <- struct{}{}:
			defer func() { <-feed.turn }()
			turn = nil
			ticker := time.NewTicker(pollTime)
			defer ticker.Stop()
			poll = ticker.C
		case <-poll:
			last, err := w.store.lastEvent(w.ctx)
			if err != nil {
				return err
			}
			feed.reach(last)
		}
	}
}

// feed notifies a store's watchers of new events.
type feed struct {
	watchers atomic.Int32
	turn     chan struct{} // holds a token while a watcher polls the file; nil if the file is not shared

	mu   sync.Mutex
	last int64         // the highest known number
	more chan struct{} // closed when last rises
}

// newFeed returns the feed of a store; shared means that other stores may use its
// file.
func newFeed(shared bool) *feed {
	f := &feed{more: make(chan struct{})}
	if shared {
		f.turn = make(chan struct{}, 1)
	}
	return f
}

// committed notifies watchers of events up to a number. Without watchers it costs
// almost nothing, since each new watcher reads the file first.
func (f *feed) committed(last int64) {
	if f.watchers.Load() > 0 {
		f.reach(last)
	}
}

func (f *feed) reach(last int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if last > f.last {
		f.last = last
		close(f.more)
		f.more = make(chan struct{})
	}
}

// beyond returns a channel that is closed once there are events after a number.
func (f *feed) beyond(after int64) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last <= after {
		return f.more
	}
	there := make(chan struct{})
	close(there)
	return there
}
