package bucketlite

import "time"

// SetStageLease shortens the lease of staged content, which no test can wait for.
// It must be called before anything is staged.
func (s *Store) SetStageLease(d time.Duration) { s.stageLease = d }
