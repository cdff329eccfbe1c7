package bucketlite

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// WatchOptions say where a watch begins. Nil, and the zero WatchOptions, mean at
// the moment of the call.
type WatchOptions struct {
	// After is the Cursor of an event, or what [Store.EventCursor] returned: the
	// watch begins with the event after it. Any of the store's will do, also if it
	// is about something else.
	After string
	// FromStart begins with the oldest event that is kept. It and After exclude
	// each other.
	FromStart bool
	// Idle is called each time the iteration has met every event there is, before it
	// waits for more: the moment to hand on what was gathered. Events wait for it as
	// they do for the loop's body. Default: nothing is called.
	Idle func()
}

// Watch iterates over the events of the whole store, in the order in which they
// were committed, by whatever process, and then waits for more. Each is met exactly
// once. Where the watch begins is settled by the call: what is committed after it
// has returned is met, however long it takes until the iteration begins. Iterating
// again begins at the same point.
//
// An event is met as soon as it is committed, one of another process within 250 ms.
// No statement is open while the loop's body runs, so the body may use the store,
// and write to it. Events wait for a slow body, but not for ever: see
// [Options].EventRetention.
//
// The iteration ends when the loop is left, and else with an error: the context's
// when ctx ends, [ErrClosed] when the store is closed, [ErrBadRequest] if After is
// no point of this store or past the last event, [ErrCursorExpired] if events that were
// to be met are no longer kept. To go on another time, keep the Cursor of the last
// event.
func (s *Store) Watch(ctx context.Context, opts *WatchOptions) iter.Seq2[Event, error] {
	return s.watch(ctx, opts, scope{live: "?1 = 0"})
}

// Watch is [Store.Watch] for the events of the namespace, its buckets and their
// objects. The iteration ends after the event of the namespace's own deletion,
// without an error; if that was before the point at which the watch begins, it
// ends with [ErrNotFound].
func (n *Namespace) Watch(ctx context.Context, opts *WatchOptions) iter.Seq2[Event, error] {
	return n.store.watch(ctx, opts, scope{
		Place: commit.Place{Namespace: n.id}, last: EventNamespaceDeleted, num: n.num, gone: notFound("%s", n),
		live: "EXISTS (SELECT 1 FROM namespaces WHERE num = ?1 AND delete_task IS NULL)",
	})
}

// Watch is [Store.Watch] for the events of the bucket and its objects, whatever
// the bucket's status. The iteration ends after the event of the bucket's own
// deletion, without an error; if that was before the point at which the watch
// begins, it ends with [ErrNotFound].
func (b *Bucket) Watch(ctx context.Context, opts *WatchOptions) iter.Seq2[Event, error] {
	return b.store.watch(ctx, opts, scope{
		Place: commit.Place{Bucket: b.id}, last: EventBucketDeleted, num: b.num, gone: b.gone(),
		live: "EXISTS (SELECT 1 FROM buckets WHERE num = ?1 AND status <> 'IN_PROGRESS')",
	})
}

// eventList is what the cursors of events belong to.
var eventList = list{kind: "events"}

// EventCursor returns the point after the newest event, for a later watch with
// [WatchOptions].After. Taken before a bucket is read, it makes the two fit
// together: the watch meets every change that was not read, and perhaps some
// that were.
func (s *Store) EventCursor(ctx context.Context) (string, error) {
	last, err := s.lastEvent(ctx)
	if err != nil {
		return "", err
	}
	return s.cursor(eventList, position{num: last}), nil
}

// lastEvent returns the number of the newest event.
func (s *Store) lastEvent(ctx context.Context) (last int64, err error) {
	err = s.read(ctx, func(c *engine.Conn) error {
		_, err := c.QueryRow("SELECT max(last) FROM events", nil, func(r engine.Row) { last = r.Int(0) })
		return err
	})
	return last, err
}

// scope is what a watch is about.
type scope struct {
	commit.Place           // whose events are wanted; none means all
	last         EventKind // of these, the one after which there are no others
	num          int64     // of what is watched, for live
	live         string    // a condition that holds until the last event
	gone         error     // what to say if it has long been over
}

// wants reports whether the event is within the scope.
func (s *scope) wants(e *Event) bool {
	return (s.Namespace == "" || s.Namespace == e.NamespaceID) && (s.Bucket == "" || s.Bucket == e.BucketID)
}

// watcher is one watch.
type watcher struct {
	store *Store
	ctx   context.Context
	scope
	after int64  // number of the last event that was read
	over  bool   // there will be no event beyond those there are
	idle  func() // to be called before it waits; nil for nothing
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

// start finds out where the watch begins.
func (w *watcher) start(opts WatchOptions) error {
	if opts.FromStart && opts.After != "" {
		return badRequest("watch: either a point or the start expected, got both")
	}
	begin, err := w.store.position(eventList, opts.After)
	if err != nil {
		return err
	}
	var first, last int64 // around the events that are kept
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
	case begin.num > last:
		return badRequest("watch: the point is past the last event")
	case begin.num < first:
		return tooOld(begin.num + 1)
	default:
		w.after = begin.num
	}
	return nil
}

// tooOld says that an event is missing.
func tooOld(seq int64) error {
	return errorf("watch: event %d is no longer kept: %w", seq, ErrCursorExpired)
}

// run hands out what there is, and waits for more.
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

// ended returns why the watch ends, or nil.
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

// hand hands out the wanted events of a row, the first of its page or not, and reports
// whether there may be more. They are decoded one by one: a slow loop holds the row,
// which is a fraction of its events.
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
		e.Cursor = w.store.cursor(eventList, position{num: e.Seq})
		if !yield(e, nil) || e.Kind == w.last {
			return false, nil
		}
	}
	w.after = row.Last
	return true, nil
}

// A page of events ends with the row that has the last of pageEvents, or reaches
// pageBytes: a watch holds it while its loop's body runs.
const (
	pageEvents = commit.MaxRowEvents
	pageBytes  = 16 << 10
)

// errPageFull ends the reading of a page.
var errPageFull = errors.New("page full")

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
					return errPageFull
				}
				return nil
			})
		if err == errPageFull {
			err = nil
		}
		return err
	})
	return rows, err
}

// pollTime is how often a file is asked whether another process has written.
const pollTime = 50 * time.Millisecond

// wait returns when there is an event that was not read, or why there will be
// none. One of those who wait takes the turn of asking the file on behalf of all.
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

// feed tells a store's watchers that there are more events.
type feed struct {
	watchers atomic.Int32
	turn     chan struct{} // holds a token while a watcher asks the file; nil if there is no need

	mu   sync.Mutex
	last int64         // the highest number heard of
	more chan struct{} // closed when that rises
}

// newFeed returns the feed of a store whose file may be shared.
func newFeed(shared bool) *feed {
	f := &feed{more: make(chan struct{})}
	if shared {
		f.turn = make(chan struct{}, 1)
	}
	return f
}

// committed tells that events up to a number are there. It costs next to nothing
// while nobody watches: who begins to reads the file first.
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
