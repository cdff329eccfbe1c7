package console

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
)

var liveRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/live", inPlace, reads, (*request).live},
	{"GET /n/{namespace}/b/{bucket}/live/events", inPlace, streams, (*request).liveEvents},
}

// liveLimit is how many events the page of the feed shows when it is loaded.
const liveLimit = 100

// livePage is what the page of the change feed shows: the events after a position, the
// newest first.
type livePage struct {
	Rows   []eventRow
	Cursor string // the position after them
	More   bool   // there are more already
	Start  bool   // they begin with the oldest that are stored
	Paused bool
	Kind   string
	Kinds  []choice
	Wrong  string // why there are none
}

// An eventRow is an event, as people read it.
type eventRow struct {
	bucketlite.Event
	Text string // what happened
	Path string // of the object, relative to the page; empty if there is none or none any more
}

// Stream is the address of the stream of further events.
func (p livePage) Stream() string {
	return "live/events?" + url.Values{"after": {p.Cursor}, "kind": {p.Kind}}.Encode()
}

// Next is the address of the page of further events.
func (p livePage) Next() string { return p.address(p.Paused) }

// Other is the address of the same page paused, or not.
func (p livePage) Other() string { return p.address(!p.Paused) }

func (p livePage) address(paused bool) string {
	params := url.Values{"after": {p.Cursor}}
	if p.Kind != "" {
		params.Set("kind", p.Kind)
	}
	if paused {
		params.Set("paused", "1")
	}
	return "?" + params.Encode()
}

// live shows the change feed of the bucket: from now on, after a position, or from the
// oldest event that is stored.
func (q *request) live() error {
	p := &livePage{Kind: q.query("kind"), Start: q.query("from") == "start", Paused: q.query("paused") != ""}
	p.Kinds = choices(p.Kind, "", "all changes", "object.", "objects", "object.created", "objects created", "object.updated", "objects updated",
		"object.deleted", "objects deleted", "object.processed", "objects processed", "bucket.", "the bucket")
	err := q.fillLive(p)
	if errors.Is(err, bucketlite.ErrCursorExpired) || errors.Is(err, bucketlite.ErrBadRequest) {
		_, p.Wrong = describe(err)
		p.Cursor, err = q.c.store.EventCursor(q.ctx())
	}
	if err != nil {
		return err
	}
	return q.render(http.StatusOK, "live", "Live", p)
}

// fillLive takes the events that there are already.
func (q *request) fillLive(p *livePage) (err error) {
	opts := bucketlite.WatchOptions{After: q.query("after"), FromStart: p.Start}
	if opts.After == "" && !p.Start {
		p.Cursor, err = q.c.store.EventCursor(q.ctx())
		return err
	}
	opts.FromStart = opts.FromStart && opts.After == ""
	ctx, cancel := context.WithCancel(q.ctx())
	defer cancel()
	opts.Idle = cancel // there are no more for now
	p.Cursor = opts.After
	for e, err := range q.bucket.Watch(ctx, &opts) {
		if ctx.Err() != nil && q.ctx().Err() == nil {
			break
		}
		if err != nil {
			return err
		}
		if len(p.Rows) == liveLimit {
			p.More = true
			break
		}
		p.Cursor = e.Cursor
		if wanted(e, p.Kind) {
			p.Rows = append(p.Rows, rowOf(e))
		}
	}
	if p.Cursor == "" {
		p.Cursor, err = q.c.store.EventCursor(q.ctx())
	}
	slices.Reverse(p.Rows)
	return err
}

// liveEvents streams further events as rows of the page.
func (q *request) liveEvents() error {
	kind := q.query("kind")
	opts := bucketlite.WatchOptions{After: q.query("after")}
	if id := q.r.Header.Get("Last-Event-ID"); id != "" {
		opts.After = id
	}
	return q.c.api.ServeEvents(q.w, q.r, q.access, q.bucket.Watch, opts, func(e bucketlite.Event) ([]byte, error) {
		if !wanted(e, kind) {
			return nil, nil
		}
		var b bytes.Buffer
		err := screens["live"].ExecuteTemplate(&b, "event", rowOf(e))
		return b.Bytes(), err
	})
}

func wanted(e bucketlite.Event, kind string) bool { return strings.HasPrefix(string(e.Kind), kind) }

// rowOf returns an event as people read it.
func rowOf(e bucketlite.Event) eventRow {
	row := eventRow{Event: e, Text: strings.ReplaceAll(string(e.Kind), ".", " ")}
	if e.Reason != "" {
		row.Text += " (" + string(e.Reason) + ")"
	}
	if e.ObjectID != "" && e.Kind != bucketlite.EventObjectDeleted {
		row.Path = "o/" + e.ObjectID + "/"
	}
	return row
}
