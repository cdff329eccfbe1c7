package bucketlite

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite/internal/clock"
	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
)

// Objects are deleted in passes over a bucket: one over the objects that expire, in the
// order of these times, and if the bucket has limits, one over all objects from the oldest
// on. A pass continues, slice by slice, until no object is left to delete, except those
// that must wait. If there are any, a rest follows, so that they cost little however many
// they are. Several stores may work on a bucket at once: each transaction examines the
// objects again.

const (
	expiryPoll = time.Second // the interval at which to look for times that other processes have set
	restFactor = 20          // a rest lasts that many times as long as the pass before it
)

// expirer is the part of the collector that deletes objects by itself.
type expirer struct {
	clock  *clock.Wary
	passes map[passID]*pass
	last   passID      // of the last slice
	timer  *time.Timer // fires when the next object expires
}

// passID identifies the passes of a kind over a bucket.
type passID struct {
	bucket int64
	limits bool // over all objects; else over those that expire
}

func (i passID) compare(o passID) int {
	if c := cmp.Compare(i.bucket, o.bucket); c != 0 || i.limits == o.limits {
		return c
	} else if o.limits {
		return -1
	}
	return 1
}

// pass is the state of a pass, or of the rest after one.
type pass struct {
	begun   time.Time     // zero if it has not
	at, seq int64         // the time of expiry that has been reached, and its object
	oldest  commit.Passed // the point that has been reached among all objects
	removed bool          // some objects were deleted
	left    bool          // some objects must wait
	rest    time.Time     // when the next pass may begin
}

// end ends the pass.
func (p *pass) end() {
	next := pass{}
	if p.left || !p.removed {
		next.rest = time.Now().Add(max(expiryPoll, restFactor*time.Since(p.begun)))
	}
	*p = next
}

// newExpirer returns an expirer that expects the time to be soon after that of the newest
// commit.
func newExpirer(s *Store) (*expirer, error) {
	newest := int64(0)
	err := s.read(context.Background(), func(c *engine.Conn) error {
		_, err := c.QueryRow("SELECT committed_at FROM events ORDER BY last DESC LIMIT 1", nil, func(r engine.Row) { newest = r.Int(0) })
		return err
	})
	last := time.Time{}
	if newest != 0 {
		last = timeOf(newest)
	}
	return &expirer{clock: clock.New(s.opts.Now, last), passes: make(map[passID]*pass), timer: time.NewTimer(math.MaxInt64)}, err
}

// expireSome deletes a slice of the objects that have expired or exceed the limits of their
// bucket. If there are none, it sets the timer.
func (c *collector) expireSome() (worked bool, err error) {
	e := c.expirer
	now := e.clock.Now().UnixMicro()
	var found []duePass
	err = c.store.read(context.Background(), func(conn *engine.Conn) (err error) {
		found, err = duePasses(conn)
		return err
	})
	if err != nil {
		return false, err
	}
	next, ok := e.choose(found, now)
	if !ok {
		e.wait(found, now)
		return false, nil
	}
	e.last = next
	return true, c.runPass(next, now)
}

// duePass is a pass that finds objects to delete from a time on.
type duePass struct {
	passID
	at int64
}

// Statements that find the buckets with objects that expire, and when the first one does,
// and the buckets with limits. Buckets that forbid writes are left out.
const (
	selectExpiring = `
WITH RECURSIVE p (num) AS (
    SELECT min(partition) FROM object INDEXED BY object_expiry WHERE expires_at IS NOT NULL
    UNION ALL
    SELECT (SELECT min(partition) FROM object INDEXED BY object_expiry WHERE expires_at IS NOT NULL AND partition > p.num) FROM p WHERE p.num IS NOT NULL)
SELECT b.num, (SELECT min(expires_at) FROM object INDEXED BY object_expiry WHERE partition = p.num AND expires_at IS NOT NULL)
FROM p JOIN buckets b ON b.partition = p.num WHERE b.status = 'ACTIVE' AND b.is_locked = 0`

	selectLimited = `
SELECT r.max_age, r.max_objects, r.max_bytes, ` + commit.CountColumns + `,
    (SELECT o.updated_at FROM entries e CROSS JOIN object o ON o.seq = e.seq WHERE e.idx = i.num ORDER BY e.key LIMIT 1)
FROM retention r JOIN buckets b ON b.num = r.bucket JOIN indexes i ON i.partition = b.partition AND i.kind = 'age' AND i.status = 'READY' AND i.form = ?
    WHERE b.status = 'ACTIVE' AND b.is_locked = 0`
)

// duePasses returns the passes that find objects to delete, now or later.
func duePasses(conn *engine.Conn) (found []duePass, err error) {
	err = conn.Query(selectExpiring, nil, func(r engine.Row) error {
		found = append(found, duePass{passID{bucket: r.Int(0)}, r.Int(1)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = conn.Query(selectLimited, []any{index.Format}, func(r engine.Row) error {
		const oldest = 3 + commit.CountWidth
		d := duePass{passID: passID{r.Int(3), true}}
		counts, err := commit.ScanCounts(r, 3)
		switch age := r.Int(0); {
		case err != nil:
			return err
		case !r.Null(1) && counts.Objects > r.Int(1) || !r.Null(2) && counts.Size > r.Int(2):
		case age == 0 || r.Null(oldest):
			return nil
		default:
			d.at = r.Int(oldest) + age
		}
		found = append(found, d)
		return nil
	})
	return found, err
}

// choose returns the pass that is due and not at rest, in turn. It forgets passes that are
// not due.
func (e *expirer) choose(found []duePass, now int64) (next passID, ok bool) {
	due := make(map[passID]bool, len(found))
	slices.SortFunc(found, func(a, b duePass) int { return a.compare(b.passID) })
	turn := func(later bool) {
		for _, f := range found {
			due[f.passID] = due[f.passID] || f.at <= now
			if p := e.passes[f.passID]; ok || f.at > now || p != nil && time.Now().Before(p.rest) || later != (f.compare(e.last) > 0) {
				continue
			}
			next, ok = f.passID, true
		}
	}
	turn(true)
	turn(false)
	maps.DeleteFunc(e.passes, func(id passID, _ *pass) bool { return !due[id] })
	return next, ok
}

// wait sets the timer for the time at which the first pass is due or has rested.
func (e *expirer) wait(found []duePass, now int64) {
	if len(found) == 0 {
		e.timer.Stop()
		return
	}
	wait := expiryPoll
	for _, f := range found {
		until := time.Duration(f.at-now) * time.Microsecond
		if p := e.passes[f.passID]; p != nil {
			until = max(until, time.Until(p.rest))
		}
		wait = min(wait, until)
	}
	e.timer.Reset(max(wait, time.Millisecond))
}

// runPass deletes a slice of a pass.
func (c *collector) runPass(id passID, now int64) error {
	p := c.expirer.passes[id]
	if p == nil {
		p = &pass{}
		c.expirer.passes[id] = p
	}
	ctx := context.Background()
	b, err := c.store.bucketNumbered(ctx, id.bucket)
	var reached pass
	done := false
	if err == nil {
		err = b.following(ctx, func(b *Bucket) error {
			return c.write(func(tx *commit.Tx) (err error) {
				reached = *p
				done, err = b.continuePass(tx, id, &reached, now)
				return err
			})
		})
	}
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrLocked) || errors.Is(err, ErrNotActive) {
		return nil // from now on the bucket is not found either
	}
	if err == nil {
		if *p = reached; done {
			p.end()
		}
	}
	return err
}

// continuePass deletes a slice of a pass, and reports whether that was the last.
func (b *Bucket) continuePass(tx *commit.Tx, id passID, p *pass, now int64) (done bool, err error) {
	state, err := b.defined(tx)
	if err != nil {
		return false, err
	}
	if p.begun.IsZero() {
		p.begun = time.Now()
		state.Passed = commit.Passed{} // objects that had to wait may not have to any more
	}
	r := b.remover(tx, state, retainSlice, now)
	if id.limits {
		done, err = r.removeOldest(p.oldest, math.MaxInt64)
		p.oldest = r.passed
	} else {
		done, err = r.removeExpired(p)
	}
	p.removed = p.removed || r.removed > 0
	p.left = p.left || r.left
	return done, err
}

// removeExpired deletes the next objects whose time has come, and reports whether those
// were the last.
func (r *remover) removeExpired(p *pass) (done bool, err error) {
	rows, err := r.expired(p)
	for i := 0; i < len(rows) && err == nil; i++ {
		row := &rows[i]
		p.at, p.seq = row.object.ExpiresAt.UnixMicro(), row.object.seq
		_, err = r.remove(row, ReasonExpired)
	}
	return len(rows) < r.most && r.bytes < retainBytes, err
}

// expired returns the next objects of a pass whose time has come.
func (r *remover) expired(p *pass) (rows []objectRow, err error) {
	err = r.tx.Query("SELECT "+objectColumns+` FROM object o INDEXED BY object_expiry
WHERE o.partition = ?1 AND o.expires_at IS NOT NULL AND (o.expires_at, o.seq) > (?2, ?3) AND o.expires_at <= ?4
ORDER BY o.expires_at, o.seq LIMIT ?5 + 0`, []any{r.state.Partition, p.at, p.seq, r.now, int64(r.most)}, func(c engine.Row) error {
		var row objectRow
		row.scan(c, 0)
		rows = append(rows, row)
		if r.bytes += len(row.fields) + len(row.blobs); r.bytes >= retainBytes {
			return errEnough
		}
		return nil
	})
	if err == errEnough {
		err = nil
	}
	return rows, err
}

// noteExpiry wakes the background if an object expires before it would look.
func (b *Bucket) noteExpiry(tx *commit.Tx, o *Object) {
	if !o.ExpiresAt.IsZero() && o.ExpiresAt.UnixMicro()-tx.Now() < 2*idleTime.Microseconds() {
		tx.Raise(commit.Background)
	}
}
