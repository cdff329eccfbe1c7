package bucketlite

import (
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// maxDeltas is how many delta rows a bucket may have before they are folded
// into its own row. More would make statistics slower to read, fewer would
// rewrite the bucket's row more often.
const maxDeltas = 256

// maxKnown is of how many buckets a group's knowledge is kept for the next.
const maxKnown = 32

// group is what the operations of one commit group share: the state of each
// bucket they touched, read once, and what they changed in its statistics,
// written once; and the events it will have been.
type group struct {
	store     *Store
	buckets   []*bucketState // few: a group rarely touches more than one
	content   contentTally
	events    []change
	lastEvent int64 // number of the newest event in the file, 0 if it is not known
	wake      bool  // there may be work for the collector
	user      bool  // not all of it is background work
	jobs      bool  // there may be jobs for processors
}

// bucketState is a bucket as the running transaction sees it.
type bucketState struct {
	num    int64
	place  // of its events
	name   string
	status Status
	locked bool
	gone   bool // its row was deleted in this transaction

	clock   int64 // counts changes: it numbers creations and versions
	rank    int64 // delta rows since the last fold
	objects int64 // change of the object count since then
	size    int64 // change of the total size since then
	upload  int64 // latest upload since then, 0 for none
	dirty   bool  // this group has changed something

	replacing bool // the last put found its key taken

	indexed bool     // it has, or may have, indexes
	indexes []*index // nil if they are still to be read
}

// newGroup begins a group. If the file is unchanged since the last one, the next
// may go on from what that knew, and a bucket written over and over is not read
// each time.
func (s *Store) newGroup(unchanged bool) engine.Group {
	g := &group{store: s, user: !unchanged} // else another process has written
	g.content.total = -1
	if unchanged {
		g.buckets, g.lastEvent, g.content.total = s.known, s.knownEvent, s.knownWaiting
	} else {
		s.reserve.notice()
	}
	s.known, s.knownEvent, s.knownWaiting = nil, 0, -1
	return g
}

const selectBucketState = `
SELECT b.name, b.status, b.locked, max(b.clock, ifnull(d.clock, 0)), d.rank, d.objects, d.size, d.last_upload_at,
    b.id, (SELECT id FROM namespaces WHERE num = b.namespace),
    EXISTS (SELECT 1 FROM indexes WHERE bucket = b.num AND status <> 'DROPPING')
FROM buckets b ` + joinDelta + ` WHERE b.num = ?`

// joinDelta adds a bucket's newest delta row AS d to its row AS b.
const joinDelta = "LEFT JOIN deltas d ON d.bucket = b.num AND d.clock = (SELECT max(clock) FROM deltas WHERE bucket = b.num)"

// bucket returns the state of the bucket, reading it on first use. A bucket
// that does not exist is nil.
func (g *group) bucket(tx *engine.Tx, num int64) (*bucketState, error) {
	for _, b := range g.buckets {
		if b.num == num {
			if b.gone {
				return nil, nil
			}
			return b, nil
		}
	}
	b := &bucketState{num: num}
	found, err := tx.QueryRow(selectBucketState, []any{num}, func(r engine.Row) {
		b.name, b.status, b.locked = r.Text(0), Status(r.Text(1)), r.Int(2) != 0
		b.clock, b.rank, b.objects, b.size, b.upload = r.Int(3), r.Int(4), r.Int(5), r.Int(6), r.Int(7)
		b.place = place{namespace: r.Text(9), bucket: r.Text(8)}
		b.indexed = r.Int(10) != 0
	})
	if err != nil || !found {
		return nil, err
	}
	g.buckets = append(g.buckets, b)
	return b, nil
}

// tick counts one change of the bucket's objects and returns its number.
func (b *bucketState) tick() int64 {
	b.dirty = true
	b.clock++
	return b.clock
}

// attempt runs f, and takes back what it wrote and what that adds to the group if
// it fails. It touches no bucket but that of the state.
func (g *group) attempt(tx *engine.Tx, state *bucketState, f func() error) error {
	before, content, events := *state, g.content, len(g.events)
	err := tx.Savepoint(f)
	if err != nil {
		*state, g.content, g.events = before, content, g.events[:events]
		state.forgetIndexes(before.indexed) // they may have been changed
	}
	return err
}

// BeforeCommit writes one delta row for each bucket the group touched, or folds
// the rows there are, and the events; it collects the group's share of what waits,
// and counts the content.
func (g *group) BeforeCommit(tx *engine.Tx) error {
	if err := g.flush(tx); err != nil {
		return err
	}
	if err := g.writeEvents(tx); err != nil {
		return err
	}
	if err := g.collectShare(tx); err != nil {
		return err
	}
	return g.content.save(tx)
}

// flush writes what has changed in the buckets' statistics so far.
func (g *group) flush(tx *engine.Tx) error {
	for _, b := range g.buckets {
		if !b.dirty || b.gone {
			continue
		}
		if err := b.save(tx, g.store.now()); err != nil {
			return err
		}
	}
	return nil
}

// save writes the state's delta row, or folds it into the bucket's row.
func (b *bucketState) save(tx *engine.Tx, now int64) error {
	var upload any
	if b.upload != 0 {
		upload = b.upload
	}
	b.dirty = false
	if b.rank++; b.rank <= maxDeltas {
		_, err := tx.Exec("INSERT INTO deltas (bucket, clock, rank, objects, size, last_upload_at) VALUES (?, ?, ?, ?, ?, ?)",
			b.num, b.clock, b.rank, b.objects, b.size, upload)
		return err
	}
	_, err := tx.Exec(`
UPDATE buckets SET clock = ?, object_count = object_count + ?, total_size = total_size + ?,
    last_upload_at = nullif(max(ifnull(last_upload_at, 0), ifnull(?, 0)), 0), stats_updated_at = ?
WHERE num = ?`, b.clock, b.objects, b.size, upload, now, b.num)
	if err != nil {
		return err
	}
	b.rank, b.objects, b.size, b.upload = 0, 0, 0, 0
	_, err = tx.Exec("DELETE FROM deltas WHERE bucket = ?", b.num)
	return err
}

// AfterCommit keeps what the group knows for the next one, and wakes those who
// watch, and the collector and the processors if there may be work for them.
func (g *group) AfterCommit() {
	if len(g.buckets) <= maxKnown {
		g.store.known = g.buckets
	}
	g.store.knownEvent, g.store.knownWaiting = g.lastEvent, g.content.total
	if g.user {
		g.store.lastWrite.Store(time.Now().UnixNano())
	}
	if len(g.events) > 0 {
		g.store.feed.committed(g.lastEvent)
	}
	if g.wake && g.store.collector != nil {
		g.store.collector.notify()
	}
	if g.jobs {
		g.store.queue.notify()
	}
}
