package bucketlite

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// A lease keeps other stores off a piece of work while its owner is at it. It names
// the owner and the time of its end, which the owner puts off again and again; when
// the owner has died it runs out, and another store takes the work over.
//
// The end is a time of the wall clock, the only one that processes share, and a clock
// may be years ahead. So a lease is also over for a store that has seen the same one
// for as long as it lasts: an owner that is alive would have renewed it. Only leases
// that end later than they can if the clocks agree need to be watched that closely.

// maxWatched bounds the leases that a store watches at once.
const maxWatched = 1000

// leases are the leases that this store watches.
type leases struct {
	mu      sync.Mutex
	watched map[leaseID]sighting
}

// leaseID names what is leased.
type leaseID struct {
	kind string
	a, b int64
}

// sighting is when this store first saw a lease with an end, and last.
type sighting struct {
	until       int64
	first, last time.Time
}

// over reports whether a lease is over that ends at until and lasts for so long.
func (l *leases) over(id leaseID, until int64, lasts time.Duration) bool {
	now := time.Now()
	if until <= now.UnixMicro() {
		return true
	}
	if until-now.UnixMicro() <= lasts.Microseconds() {
		return false // the clock will tell
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.watched[id]
	if !ok || s.until != until {
		s = sighting{until: until, first: now}
	}
	s.last = now
	if !ok && len(l.watched) >= maxWatched && !l.forget(now) {
		return false
	}
	if l.watched == nil {
		l.watched = make(map[leaseID]sighting)
	}
	l.watched[id] = s
	return now.Sub(s.first) > lasts // by the monotonic clock
}

// forget drops the leases that nobody has asked about for a while, and reports
// whether there were any.
func (l *leases) forget(now time.Time) bool {
	before := len(l.watched)
	for id, s := range l.watched {
		if now.Sub(s.last) > time.Minute {
			delete(l.watched, id)
		}
	}
	return len(l.watched) < before
}

// ownerLasting returns the name of an owner whose leases last for so long.
func ownerLasting(id string, lasts time.Duration) string { return id + "/" + lasts.String() }

// lasting returns how long the leases of an owner last. Earlier versions did not say.
func lasting(owner string, unsaid time.Duration) time.Duration {
	if _, text, ok := strings.Cut(owner, "/"); ok {
		if d, err := time.ParseDuration(text); err == nil && d > 0 {
			return d
		}
	}
	return unsaid
}

// endStaging ends the leases of staged content that are over although the clock does
// not say so, which makes the content that of nobody.
func (c *collector) endStaging() (worked bool, err error) {
	s := c.store
	now := time.Now()
	if now.Before(c.stagingAt) {
		return false, nil
	}
	c.stagingAt = now.Add(min(s.opts.idleTime, s.stage.Lease/4))
	ended := make(map[int64]int64) // the ends of their leases
	err = s.read(context.Background(), func(conn *engine.Conn) error {
		clear(ended)
		return content.Leases(conn, s.stage.LeaseEnd(), maxWatched, func(num, until int64) {
			if s.leases.over(leaseID{kind: "content", a: num}, until, s.stage.Lease) {
				ended[num] = until
			}
		})
	})
	if err != nil || len(ended) == 0 {
		return false, err
	}
	return true, c.write(func(tx *commit.Tx) error {
		for num, until := range ended {
			if err := content.EndLease(tx, num, until); err != nil {
				return err
			}
		}
		tx.Raise(commit.Background)
		return nil
	})
}
