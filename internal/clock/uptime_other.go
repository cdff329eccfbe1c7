//go:build !linux && !darwin

package clock

import "time"

// Uptime returns the time that has passed since a fixed moment. On some systems the time
// during which the machine slept does not count.
func Uptime() time.Duration { return time.Since(started) }
