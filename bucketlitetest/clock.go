package bucketlitetest

import (
	"sync"
	"time"
)

// Clock is a clock that stands still until a test moves it. Its Now is for
// [bucketlite.Options].Now:
//
//	clock := bucketlitetest.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
//	st := bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{
//		Store: &bucketlite.Options{Now: clock.Now},
//	})
//
// It is safe for concurrent use. The clock does not hasten background work, such as
// ending expired uploads: that happens within some seconds, or when a call needs it.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows start.
func NewClock(start time.Time) *Clock { return &Clock{now: start} }

// Now returns the time the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance puts the clock forward by d, or back if d is negative, and returns the
// time it shows then.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// Set makes the clock show now, be it later or earlier.
func (c *Clock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}
