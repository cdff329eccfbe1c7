package bucketlite

import "time"

// SetStageLease shortens the lease of a store's staged content, which no test can
// wait for. It must be called before anything is staged.
func SetStageLease(s *Store, d time.Duration) { s.stageLease = d }
