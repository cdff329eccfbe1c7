package clock

import "time"

// MaxJump is the largest difference between a wall clock and the expected time that is
// believed at once.
const MaxJump = time.Hour

// Wary is a clock that is not ahead of the wall clock, and that follows its jumps late. It
// is not safe for concurrent use.
//
// If the wall clock jumps forward by more than MaxJump, Wary continues from the time before,
// until as much time has passed as the jump is wide. If the wall clock jumps back, Wary
// shows the earlier time at once, and likewise does not believe the next jump forward that
// goes beyond the time that it knew.
type Wary struct {
	wall   func() time.Time
	uptime func() time.Duration

	believed time.Time     // the expected time
	at       time.Duration // the uptime at which it was

	ahead time.Duration // of the wall clock before the expected time, if that is a jump; else 0
	since time.Duration // the uptime at which the jump was seen
	wait  time.Duration // how long it must stand
}

// New returns a clock that reads the wall clock. The last known time is zero if there is
// none. If it is more than MaxJump ago, the clock begins with that time and believes the
// wall clock after MaxJump at most, since the usual reason is that no program was running.
func New(wall func() time.Time, last time.Time) *Wary {
	return newWary(wall, Uptime, last)
}

func newWary(wall func() time.Time, uptime func() time.Duration, last time.Time) *Wary {
	c := &Wary{wall: wall, uptime: uptime, believed: last, at: uptime()}
	if last.IsZero() {
		c.believed = wall()
	}
	c.Now()
	c.wait = min(c.wait, MaxJump)
	return c
}

// Now returns the time.
func (c *Wary) Now() time.Time {
	wall, up := c.wall(), c.uptime()
	c.believed, c.at = c.believed.Add(up-c.at), up
	switch ahead := wall.Sub(c.believed); {
	case ahead.Abs() <= MaxJump:
		c.believe(wall)
	case c.ahead == 0 || (ahead-c.ahead).Abs() > MaxJump:
		c.ahead, c.since, c.wait = ahead, up, ahead.Abs()
	case up-c.since >= c.wait:
		c.believe(wall)
	}
	if wall.Before(c.believed) {
		return wall
	}
	return c.believed
}

func (c *Wary) believe(wall time.Time) { c.believed, c.ahead, c.wait = wall, 0, 0 }
