package engine

import (
	"strconv"
	"time"
)

// The write-ahead log is copied into the file every checkpointPages, but SQLite begins the
// log anew only at a moment at which nobody reads from it. While readers overlap
// there is no such moment, and the log grows. So the writer makes one: once the log
// is longer than MaxLog it keeps its turn, waits for running readers, and empties the
// log. Readers that begin meanwhile find everything in the file and are not in the way.
const (
	// MaxLog is the length in bytes from which on the writer empties the log.
	MaxLog = 16 << 20

	urgentLog = 32 << 20 // bytes from which on it waits for longer

	shortWait = 50 * time.Millisecond
	longWait  = 1100 * time.Millisecond // for reads that last a second

	longEvery  = 8 * time.Second // between long waits, while an older reader is in the way
	shortEvery = time.Second     // between short waits, likewise
	soon       = 50 * time.Millisecond

	// A commit that took longer than checkTime may have been a large one. After others,
	// the log is measured now and then.
	checkTime  = 2 * time.Millisecond
	checkEvery = 16
)

// writeLog is the writer's state of its write-ahead log. It belongs to the
// leader.
type writeLog struct {
	path    string    // empty if there is none
	commits int       // since it was last measured
	after   time.Time // when it may be emptied again
	longAt  time.Time // when a long wait last failed
}

func newWriteLog(loc location) writeLog {
	if loc.path == Memory {
		return writeLog{}
	}
	return writeLog{path: loc.file + "-wal"}
}

// size returns the length of the log's file, 0 if there is none.
func (l *writeLog) size() int64 {
	if l.path == "" {
		return 0
	}
	return fileSize(l.path)
}

// due tells, after a commit that took some time, how long to wait for readers in order
// to empty the log; 0 if it need not be emptied.
func (l *writeLog) due(took time.Duration) time.Duration {
	l.commits++
	if l.path == "" || took < checkTime && l.commits < checkEvery {
		return 0
	}
	l.commits = 0
	now := time.Now()
	if now.Before(l.after) {
		return 0
	}
	switch size := l.size(); {
	case size <= MaxLog:
		return 0
	case size > urgentLog && now.Sub(l.longAt) > longEvery:
		return longWait
	}
	return shortWait
}

// emptied records the result of an attempt.
func (l *writeLog) emptied(ok bool, waited time.Duration) {
	now := time.Now()
	switch {
	case ok:
		l.after, l.longAt = time.Time{}, time.Time{}
	case waited >= longWait:
		l.longAt, l.after = now, now.Add(shortEvery)
	case l.longAt.IsZero():
		l.after = now.Add(soon)
	default:
		l.after = now.Add(shortEvery)
	}
}

// truncateLog copies all of the log into the file and cuts it to nothing, waiting for
// readers for some time. It needs the turn. A failure does no harm: the log is as
// good as the file, and a later attempt may succeed. SQLite itself waits, since it
// keeps out other processes that write meanwhile, but only shortly at a time at first,
// because its pauses between attempts grow.
func (w *writer) truncateLog(wait time.Duration) (ok bool) {
	if w.refused() != nil {
		return false // the disk has failed
	}
	w.db.readers.hold.letGo()
	defer w.conn.script("PRAGMA busy_timeout = 0")
	start := time.Now()
	for slice := 4 * time.Millisecond; ; slice *= 2 {
		left := wait - time.Since(start)
		if left <= 0 {
			break
		}
		w.conn.script("PRAGMA busy_timeout = " + strconv.FormatInt(max(1, min(slice, left).Milliseconds()), 10))
		log, err := w.conn.checkpoint("TRUNCATE")
		if ok = err == nil && !log.busy; ok || err != nil || w.db.isClosing() {
			break
		}
	}
	w.log.emptied(ok, wait)
	return ok
}

// EmptyLog empties the write-ahead log if it is longer than limit, and reports
// whether it is not any more. It does not wait long for readers.
func (db *DB) EmptyLog(limit int64) (bool, error) {
	switch w := db.writer; {
	case w == nil:
		return false, ErrReadOnly
	case w.conn == nil:
		return true, nil // memory has no log
	default:
		defer w.checkpoints.pause()()
		select {
		case <-db.closing:
			return false, ErrClosed
		case w.turn <- struct{}{}:
		}
		defer func() { <-w.turn }()
		return w.log.size() <= limit || w.truncateLog(shortWait), nil
	}
}
