package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"time"

	"github.com/bucketlite/bucketlite"
)

var eventRoutes = []route{
	{"GET /v1/events", scoped, reads, noBody, (*call).watchNamespace},
	{"GET /v1/buckets/{bucket}/events", scoped, reads, noBody, (*call).watchBucket},
}

// watchNamespace streams the events of the namespace, its buckets and their objects.
func (c *call) watchNamespace() (any, error) { return c.watch(c.ns.Watch) }

// watchBucket streams the events of a bucket and its objects.
func (c *call) watchBucket() (any, error) { return c.watch(c.bucket.Watch) }

// watchFunc is the method Watch of a namespace or a bucket.
type watchFunc func(context.Context, *bucketlite.WatchOptions) iter.Seq2[bucketlite.Event, error]

// watch streams the events of a watch, from where the request says. A client that
// comes back names the last event it got in a header; its URL is still that of its
// first time, so the header counts.
func (c *call) watch(watch watchFunc) (any, error) {
	q := c.params()
	opts := bucketlite.WatchOptions{After: q.text("after"), FromStart: q.boolean("from_start", false)}
	if id := c.r.Header.Get("Last-Event-ID"); id != "" {
		opts.After, opts.FromStart = id, false
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return written{}, c.stream(watch, opts, nil)
}

// ServeEvents answers a request to a mount with a stream of the events of a watch, which
// is bounded, kept alive and ended as the API's streams are. The data of an event is the
// text that render returns for it, and nothing is sent if that is empty. The messages have
// the events' cursors as ids, and no names. An error means that nothing has been written.
func (h *Handler) ServeEvents(w http.ResponseWriter, r *http.Request, a *Access, watch func(context.Context, *bucketlite.WatchOptions) iter.Seq2[bucketlite.Event, error],
	opts bucketlite.WatchOptions, render func(bucketlite.Event) ([]byte, error)) error {
	c := &call{h: h, w: w.(*answer), r: r, key: a}
	return c.stream(watch, opts, render)
}

// moment is an item of a watch: an event, an error, or, with neither, the end of the
// existing events.
type moment struct {
	event bucketlite.Event
	err   error
	idle  bool
}

// stream writes the events of a watch until either side has had enough. The answer
// begins when it is settled that the watch can; an error before that is returned,
// one after it ends the stream. The text of an event is its JSON, or what render returns.
func (c *call) stream(watch watchFunc, opts bucketlite.WatchOptions, render func(bucketlite.Event) ([]byte, error)) error {
	select {
	case <-c.h.closing:
		return errServerEnds
	default:
	}
	leave, err := c.h.streams.enter(c.key, 1)
	if err != nil {
		return err
	}
	defer leave()
	// A deadline for reading would end the request's context.
	c.readDeadline(time.Time{})
	ctx, cancel := context.WithCancel(c.r.Context()) // a stream has no end
	moments := make(chan moment)
	defer func() {
		cancel()
		for range moments { // until the watch has let go of the store
		}
	}()
	tell := func(m moment) bool {
		select {
		case moments <- m:
			return true
		case <-ctx.Done():
			return false
		}
	}
	opts.Idle = func() { tell(moment{idle: true}) }
	events := watch(ctx, &opts)
	go func() {
		defer close(moments)
		for e, err := range events {
			if !tell(moment{event: e, err: err}) {
				return
			}
		}
	}()

	beat := time.NewTicker(c.h.heartbeat)
	defer beat.Stop()
	s := &eventStream{call: c, render: render}
	for {
		var err error
		select {
		case m, ok := <-moments:
			switch {
			case !ok:
				return s.flush() // the watched bucket or namespace has ended
			case m.err != nil:
				return s.end(m.err)
			case m.idle:
				err = s.flush()
			default:
				err = s.event(m.event)
			}
		case <-beat.C:
			if s.begun {
				err = s.beat()
			}
		case <-ctx.Done():
			return nil
		case <-c.h.closing:
			return s.flush()
		}
		switch {
		case err != nil:
			c.w.err = err // the client is gone, or too slow
			return nil
		case c.r.Method == http.MethodHead && s.begun:
			return nil
		}
	}
}

// eventStream writes server-sent events. It does not flush its buffer before
// there is nothing more to write for now.
type eventStream struct {
	call   *call
	render func(bucketlite.Event) ([]byte, error) // nil for JSON
	begun  bool
	buf    bytes.Buffer
}

// event writes an event.
func (s *eventStream) event(e bucketlite.Event) error {
	if s.render != nil {
		return s.rendered(e)
	}
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	s.buf.Reset()
	s.buf.WriteString("id: " + e.Cursor + "\nevent: " + string(e.Kind) + "\ndata: ")
	s.buf.Write(data)
	s.buf.WriteString("\n\n")
	return s.write(s.buf.Bytes())
}

// rendered writes an event in another form than JSON.
func (s *eventStream) rendered(e bucketlite.Event) error {
	text, err := s.render(e)
	if err != nil || len(text) == 0 {
		return err
	}
	s.buf.Reset()
	s.buf.WriteString("id: " + e.Cursor + "\n")
	for line := range bytes.Lines(text) {
		s.buf.WriteString("data: ")
		s.buf.Write(bytes.TrimRight(line, "\r\n"))
		s.buf.WriteString("\n")
	}
	s.buf.WriteString("\n")
	return s.write(s.buf.Bytes())
}

// message writes a message without an id: the client's last event stays the same.
func (s *eventStream) message(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.write([]byte("event: " + name + "\ndata: " + string(data) + "\n\n"))
}

// end ends the stream with an error. An error that comes first is the caller's
// answer; errors of leaving are dropped.
func (s *eventStream) end(err error) error {
	switch {
	case !s.begun:
		return err
	case s.call.ctx().Err() != nil:
		return nil
	case errors.Is(err, bucketlite.ErrClosed):
		return s.flush()
	}
	s.call.w.err = err
	if s.message("error", s.call.w.envelope(err)) == nil {
		s.flush()
	}
	return nil
}

// beat writes a comment, so that nobody on the way takes the connection for dead.
func (s *eventStream) beat() error {
	if err := s.write([]byte(":\n\n")); err != nil {
		return err
	}
	return s.flush()
}

// write writes bytes, for which the client has a while.
func (s *eventStream) write(p []byte) error {
	s.begin()
	_, err := s.call.w.Write(p)
	return err
}

// flush sends the written bytes, and the header before the first of them.
func (s *eventStream) flush() error {
	s.begin()
	return http.NewResponseController(s.call.w).Flush()
}

func (s *eventStream) begin() {
	c := s.call
	c.writeDeadline(time.Now().Add(c.h.patience))
	if s.begun {
		return
	}
	s.begun = true
	h := c.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy is not to gather events
	c.w.WriteHeader(http.StatusOK)
}
