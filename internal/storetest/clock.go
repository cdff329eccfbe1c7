package storetest

import (
	"sync"
	"time"
)

// ManualClock is a clock that moves only when a test moves it.
type ManualClock struct {
	mu sync.Mutex
	t  time.Time
}

// NewManualClock returns a clock that stands at a moment of 2024.
func NewManualClock() *ManualClock {
	return &ManualClock{t: time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC)}
}

// Now returns what the clock shows.
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Add moves the clock and returns what it shows then, as the file keeps it.
func (c *ManualClock) Add(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
	return c.t.Truncate(time.Microsecond)
}
