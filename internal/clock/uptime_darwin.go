package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// Uptime returns the time that has passed since a fixed moment, also while the machine
// slept.
func Uptime() time.Duration { return uptimeOf(unix.CLOCK_MONOTONIC) }
