package engine

import (
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"time"
)

// checkpointTime is how long Close tries to move the log into the file.
const checkpointTime = time.Second

// Close tries this often to remove the log, with random pauses of up to twice the
// last bound between: two processes that close at once can hinder each other.
const (
	removalTries = 5
	removalPause = time.Millisecond
)

// removal lets one store of this process try at a time, so that they do not
// hinder each other.
var removal sync.Mutex

// lastCheckpoint moves the whole log into the file, so that the file is whole by
// itself even if other processes keep it open. Readers and writers of other
// processes may be in the way; then it gives up.
func (w *writer) lastCheckpoint() {
	if info, err := os.Stat(w.db.loc.file + "-wal"); err == nil && info.Size() == 0 {
		return
	}
	wait := newPoll()
	for deadline := time.Now().Add(checkpointTime); ; time.Sleep(wait.next()) {
		log, err := w.conn.checkpoint("TRUNCATE")
		if err != nil && !errors.Is(err, ErrBusy) || err == nil && !log.busy || time.Now().After(deadline) {
			return
		}
	}
}

// removeLog removes the log that is left when every connection is closed. A
// connection that only reads cannot do that, and of two that close at once each
// may leave it to the other. So it opens one more connection that may write:
// if no other process has the file open, SQLite moves the log into the file and
// deletes it on closing.
func (db *DB) removeLog() {
	bound := removalPause
	for range removalTries {
		if _, err := os.Stat(db.loc.file + "-wal"); err != nil || db.vanished() != nil || !removeLog(db.loc, db.cfg) {
			return
		}
		bound *= 2
		time.Sleep(rand.N(bound))
	}
}

// removeLog opens and closes one connection that may write. It reports false if
// the file, or its side files, may not be written.
func removeLog(loc location, cfg Config) bool {
	removal.Lock()
	defer removal.Unlock()
	c, err := openFurther(loc, cfg)
	if err == nil {
		defer c.close()
		if c.raw.ReadOnly() {
			return false
		}
		err = checkIdentity(c, loc, cfg) // this reads the file, and thus opens the log
	}
	return err == nil || errors.Is(err, ErrBusy)
}
