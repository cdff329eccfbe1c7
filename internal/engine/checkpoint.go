package engine

import "time"

// SQLite copies the log into the file in a commit that makes the log longer than
// commitPages. That commit waits for the copy and its two syncs, which take as long as dozens of
// commits. So the copy happens earlier, beside the commits. It remains SQLite's if the
// checkpoint gets no time to run.

// How many pages of the log are not in the file when a checkpoint begins, and when a commit
// does the work. The more there are, the fewer are copied twice and the fewer syncs it takes;
// but with fewer the log needs less of a disk that is nearly full.
const (
	checkpointPages = 1000
	commitPages     = 1500
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

func newCheckpointer(w *writer) *checkpointer {
	return &checkpointer{w: w, running: make(chan struct{}, 1)}
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
	if log, err := p.w.conn.checkpoint("NOOP"); err == nil && log.pages-log.copied >= checkpointPages {
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

// checkpoint copies what the log has now. Commits continue meanwhile. Then it copies the
// few pages that have come, with the turn of the writer: only when all are in the file,
// SQLite begins the log anew.
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
	if _, err := p.conn.checkpoint("PASSIVE"); err != nil {
		return
	}
	select {
	case <-p.w.db.closing:
	case p.w.turn <- struct{}{}:
		if p.w.refused() == nil { // a commit may have failed meanwhile
			p.w.db.readers.hold.letGo()
			p.conn.checkpoint("PASSIVE")
		}
		<-p.w.turn
	}
}

// pause waits for a checkpoint that is under way, and keeps others from beginning until
// the function that it returns is called. The caller must not have the writer's turn.
func (p *checkpointer) pause() (resume func()) {
	if p == nil {
		return func() {}
	}
	p.running <- struct{}{}
	return func() { <-p.running }
}

// close waits for a checkpoint that is under way, and closes the connection.
func (p *checkpointer) close() error {
	if p == nil {
		return nil
	}
	defer p.pause()()
	p.ended = true
	if p.conn == nil {
		return nil
	}
	return p.conn.close()
}

// openCheckpointer opens a connection for checkpoints.
func (db *DB) openCheckpointer() (*Conn, error) {
	if err := db.vanished(); err != nil {
		return nil, err
	}
	return openFurther(db.loc, db.cfg)
}

// logState is the state of the write-ahead log.
type logState struct {
	busy   bool  // others kept the checkpoint from doing all of its work
	pages  int64 // since the log was begun
	copied int64 // of these, in the file
}

// checkpoint runs a checkpoint, which with mode NOOP does nothing, and returns the state of
// the log after it.
func (c *Conn) checkpoint(mode string) (s logState, err error) {
	_, err = c.QueryRow("PRAGMA wal_checkpoint("+mode+")", nil, func(r Row) { s = logState{r.Int(0) != 0, r.Int(1), r.Int(2)} })
	return s, err
}
