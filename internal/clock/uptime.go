package clock

import "time"

// started has a reading of the monotonic clock.
var started = time.Now()
