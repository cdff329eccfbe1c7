package engine

import (
	"time"
)

// With [Full], SQLite copies the log into the file in the commit that makes the log longer
// than it likes. With [Normal], where a commit waits for no disk, that copy and its two
// syncs would be most of what a commit waits for. So it happens beside the commits there.
const (
	// checkpointPages is how many pages the log may have that are not in the file.
	checkpointPages = 1000

	// restartPages is the length of the log, in pages, from which on a checkpoint holds up
	// the commits for its last pages. Only if all pages are in the file, SQLite begins
	// the log anew.
	restartPages = 3000
)

// checkpointer copies the log into the file beside the writer, with a connection of its
// own. A failure does no harm: the log is as good as the file, and a later attempt may
// succeed.
type checkpointer struct {
	w       *writer
	running chan struct{} // holds a token during a checkpoint
	ended   bool          // no further checkpoint begins; under the token
	conn    *Conn         // nil until the first checkpoint

	commits int // since the log was last measured; it belongs to the leader
}

// newCheckpointer takes the checkpoints from the writer's connection.
func newCheckpointer(w *writer) (*checkpointer, error) {
	if err := configure(w.conn, []pragma{{"wal_autocheckpoint", "0"}}); err != nil {
		return nil, err
	}
	return &checkpointer{w: w, running: make(chan struct{}, 1)}, nil
}

// committed tells that a commit took some time. The caller leads the writer.
func (p *checkpointer) committed(took time.Duration) {
	if p == nil {
		return
	}
	p.commits++
	if took < checkTime && p.commits < checkEvery {
		return
	}
	p.commits = 0
	if log, err := p.w.conn.logPages("NOOP"); err == nil && log.pages-log.copied >= checkpointPages {
		p.begin()
	}
}

// begin begins a checkpoint, unless one is under way.
func (p *checkpointer) begin() {
	select {
	case p.running <- struct{}{}:
		go func() {
			defer func() { <-p.running }()
			p.checkpoint()
		}()
	default:
	}
}

// checkpoint copies what the log has now. Commits continue meanwhile. If the log is
// long, it copies the rest with the turn of the writer.
func (p *checkpointer) checkpoint() {
	if p.ended || p.w.refused() != nil {
		return // the disk has failed, or the file is being closed
	}
	if p.conn == nil {
		conn, err := p.w.db.openCheckpointer()
		if err != nil {
			return
		}
		p.conn = conn
	}
	log, err := p.conn.logPages("PASSIVE")
	if err != nil || log.pages < restartPages {
		return
	}
	select {
	case <-p.w.db.closing:
	case p.w.turn <- struct{}{}:
		p.w.db.readers.hold.letGo()
		p.conn.logPages("PASSIVE")
		<-p.w.turn
	}
}

// close waits for a checkpoint that is under way, and closes the connection.
func (p *checkpointer) close() error {
	if p == nil {
		return nil
	}
	p.running <- struct{}{}
	defer func() { <-p.running }()
	p.ended = true
	if p.conn == nil {
		return nil
	}
	return p.conn.close()
}

// openCheckpointer opens a connection that writes as the writer's does.
func (db *DB) openCheckpointer() (*Conn, error) {
	if err := db.vanished(); err != nil {
		return nil, err
	}
	c, err := connect(db.loc.uri + "?mode=rw")
	if err != nil {
		return nil, err
	}
	if err := configure(c, writerPragmas(db.cfg)); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// logState is the state of the write-ahead log.
type logState struct {
	pages  int64 // since the log was begun
	copied int64 // of these, in the file
}

// logPages runs a checkpoint, which with mode NOOP does nothing, and returns the state of
// the log after it.
func (c *Conn) logPages(mode string) (s logState, err error) {
	_, err = c.QueryRow("PRAGMA wal_checkpoint("+mode+")", nil, func(r Row) { s = logState{r.Int(1), r.Int(2)} })
	return s, err
}
