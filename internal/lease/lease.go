// Package lease decides when a lease is over, so that another store may take over the
// work that it protects.
//
// A lease names its owner and the time of its end. A running owner renews it in time. If
// the owner has died, the lease runs out.
//
// The end is a time of the wall clock, the only one that processes share. A wrong clock
// can set it years ahead. So a lease is also over once a [Watcher] has seen it unchanged
// for as long as it lasts: a running owner would have renewed it. Only leases that end
// later than correct clocks allow are watched that closely.
package lease

import (
	"strings"
	"sync"
	"time"
)

// MaxWatched limits the leases that a watcher remembers at once.
const MaxWatched = 1000

// ID identifies a leased item: its kind, and one or two numbers.
type ID struct {
	Kind string
	A, B int64
}

// Watcher remembers leases that end suspiciously late. The zero Watcher is ready to use.
// It is safe for concurrent use.
type Watcher struct {
	mu      sync.Mutex
	watched map[ID]sighting
}

// sighting records when a lease with an unchanged end was seen first and last.
type sighting struct {
	until       int64
	first, last time.Time
}

// Over reports whether a lease is over. The lease ends at until, in microseconds since
// 1970, and its owner renews it more often than once in lasts.
func (w *Watcher) Over(id ID, until int64, lasts time.Duration) bool {
	now := time.Now()
	if until <= now.UnixMicro() {
		return true
	}
	if until-now.UnixMicro() <= lasts.Microseconds() {
		return false // the clock will show when it is over
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.watched[id]
	if !ok || s.until != until {
		s = sighting{until: until, first: now}
	}
	s.last = now
	if !ok && len(w.watched) >= MaxWatched && !w.forget(now) {
		return false
	}
	if w.watched == nil {
		w.watched = make(map[ID]sighting)
	}
	w.watched[id] = s
	return now.Sub(s.first) > lasts // by the monotonic clock
}

// forget drops the leases that have not been seen for a while, and reports whether
// there were any.
func (w *Watcher) forget(now time.Time) bool {
	before := len(w.watched)
	for id, s := range w.watched {
		if now.Sub(s.last) > time.Minute {
			delete(w.watched, id)
		}
	}
	return len(w.watched) < before
}

// Owner returns the name of an owner whose leases have the duration lasts.
func Owner(id string, lasts time.Duration) string { return id + "/" + lasts.String() }

// Lasting returns the duration of an owner's leases. It is part of the owner's name, except
// for owners of earlier versions, for which Lasting returns unsaid.
func Lasting(owner string, unsaid time.Duration) time.Duration {
	if _, text, ok := strings.Cut(owner, "/"); ok {
		if d, err := time.ParseDuration(text); err == nil && d > 0 {
			return d
		}
	}
	return unsaid
}
