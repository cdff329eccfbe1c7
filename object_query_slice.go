package bucketlite

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
)

// Limits of a slice of a change by query.
const (
	partObjects = 50 // objects that are read at once
	partBytes   = 1 << 20

	maxFailures     = 100      // failures to report
	maxFailureBytes = 64 << 10 // of them, after which no more are reported
	maxFailureText  = 1000     // bytes of a message
)

// A queryTally counts what a change by query has done.
type queryTally struct {
	matched, changed, failed int64
	failures                 []BulkFailure
	bytes                    int // of failures
}

// result returns the tally as the result of a call.
func (t *queryTally) result() *BulkResult {
	r := &BulkResult{Matched: t.matched, Changed: t.changed, Failed: t.failed, Failures: t.failures}
	if r.Failures == nil {
		r.Failures = []BulkFailure{}
	}
	return r
}

// refuse counts a refused object.
func (t *queryTally) refuse(id string, err error) {
	t.failed++
	if len(t.failures) == maxFailures || t.bytes > maxFailureBytes {
		return
	}
	text := trimPackage(err)
	if len(text) > maxFailureText {
		text = strings.ToValidUTF8(text[:maxFailureText], "") + "…"
	}
	t.failures = append(t.failures, BulkFailure{ID: strings.Clone(id), Message: text})
	t.bytes += len(id) + len(text)
}

// trimPackage returns the text of an error without the name of this package.
func trimPackage(err error) string { return strings.TrimPrefix(err.Error(), "bucketlite: ") }

// add adds what another slice has done.
func (t *queryTally) add(o *queryTally) {
	t.matched, t.changed, t.failed = t.matched+o.matched, t.changed+o.changed, t.failed+o.failed
	for _, f := range o.failures {
		if len(t.failures) < maxFailures && t.bytes <= maxFailureBytes {
			t.failures = append(t.failures, f)
			t.bytes += len(f.ID) + len(f.Message)
		}
	}
}

// outputs returns the failures as the outputs of a task, after those that it has already.
func (t *queryTally) outputs(stored string) (string, error) {
	var all queryTally
	if stored != "" {
		var before queryTally
		if err := json.Unmarshal([]byte(stored), &before.failures); err != nil {
			return "", err
		}
		all.add(&before)
	}
	all.add(t)
	text, err := json.Marshal(all.failures)
	return string(text), err
}

// apply changes the objects at the positions, in order, unless they no longer match. After
// the deadline, if it is not zero, it leaves the rest. It returns how many positions it has
// examined. A refused object has written nothing; any error must roll back the whole.
func (r *queryRun) apply(tx *commit.Tx, state *commit.Bucket, positions []int64, prepared map[int64]*patcher, t *queryTally, deadline time.Time) (done int, err error) {
	matcher := index.NewMatcher(context.Background(), r.bucket.indexed(), &r.query.Query)
	for done < len(positions) && (done == 0 || deadline.IsZero() || time.Now().Before(deadline)) {
		rows, n, err := r.rows(tx.Conn, positions[done:])
		if err != nil {
			return 0, err
		}
		for i := range rows {
			if err := r.applyRow(tx, state, matcher, &rows[i], prepared, t); err != nil {
				return 0, err
			}
		}
		done += n
	}
	return done, nil
}

// applyRow changes one object, if it matches.
func (r *queryRun) applyRow(tx *commit.Tx, state *commit.Bucket, matcher *index.Matcher, row *objectRow, prepared map[int64]*patcher, t *queryTally) error {
	wanted, err := matcher.Match(row.row())
	if err != nil || !wanted {
		return err
	}
	changed := false
	wrote, err := tx.Part(func() (err error) {
		changed, err = r.changeRow(tx, state, row, prepared[row.object.seq])
		return err
	})
	switch {
	case err == nil:
		t.matched++
		if changed {
			t.changed++
		}
		return nil
	case wrote || !ours(err):
		return err
	}
	t.matched++
	t.refuse(row.object.ID, err)
	return nil
}

// changeRow changes an object that matches. It reports false if the patch leaves the object
// as it is.
func (r *queryRun) changeRow(tx *commit.Tx, state *commit.Bucket, row *objectRow, p *patcher) (changed bool, err error) {
	if r.patch == nil {
		if !r.query.IsAll() {
			if err := row.intact(r.bucket); err != nil {
				return false, err // its fields may not be those that were stored
			}
		}
		return true, r.bucket.deleteRow(tx, state, row)
	}
	if p == nil || p.base.object.Version != row.object.Version {
		if p, err = r.merge(row); err != nil {
			return false, err
		}
	}
	if p.changesNothing() {
		return false, nil
	}
	return true, p.patchRow(tx, state, row)
}

// merge computes a patched object.
func (r *queryRun) merge(row *objectRow) (*patcher, error) {
	p := *r.patch
	p.id, p.base = row.object.ID, *row
	if err := p.merge(); err != nil {
		return nil, err
	}
	return &p, nil
}

// changesNothing reports whether the merged object is the stored one.
func (p *patcher) changesNothing() bool {
	return bytes.Equal(p.merged.data.JSONB, p.base.fields) && p.merged.encoded == nilIfBlank(p.base.blobs) &&
		(p.in.KeyPrefix == "" || p.in.KeyPrefix == p.base.object.KeyPrefix)
}

// rows reads the first objects at the positions, as far as they exist, and returns for how
// many positions that is.
func (r *queryRun) rows(conn *engine.Conn, positions []int64) (rows []objectRow, done int, err error) {
	partition := r.bucket.def.partition
	some := make([]int64, min(len(positions), cmp.Or(r.bucket.store.opts.changeRows, partObjects)))
	for i := range some {
		some[i] = commit.Seq(partition, positions[i])
	}
	text, _ := json.Marshal(some)
	rows = make([]objectRow, 0, len(some))
	size, last := 0, int64(0)
	err = conn.Query("SELECT "+objectColumns+" FROM json_each(?) j CROSS JOIN object o ON o.seq = j.value", []any{string(text)}, func(row engine.Row) error {
		var o objectRow
		o.scan(row, 0)
		rows, last = append(rows, o), o.object.seq
		if size += len(o.fields) + len(o.blobs); size > partBytes {
			return errEnough
		}
		return nil
	})
	if err == errEnough {
		done, _ = slices.BinarySearch(some, last)
		return rows, done + 1, nil
	}
	return rows, len(some), err
}

// prepare merges the patch into the objects at the positions, to keep the writer free. An
// object that changes before it is written is merged again.
func (r *queryRun) prepare(ctx context.Context, positions []int64) (map[int64]*patcher, error) {
	if r.patch == nil {
		return nil, nil
	}
	prepared := make(map[int64]*patcher, len(positions))
	for len(positions) > 0 {
		var rows []objectRow
		done := 0
		err := r.bucket.store.read(ctx, func(conn *engine.Conn) (err error) {
			rows, done, err = r.rows(conn, positions)
			return err
		})
		if err != nil {
			return nil, err
		}
		positions = positions[done:]
		for i := range rows {
			if p, err := r.merge(&rows[i]); err == nil { // else the writer finds the same refusal
				prepared[rows[i].object.seq] = p
			}
		}
	}
	return prepared, nil
}

// try counts what the change would do, and writes nothing.
func (r *queryRun) try(ctx context.Context) (tally queryTally, err error) {
	if r.patch == nil {
		tally.matched, err = r.bucket.count(ctx, r.query, 0)
		tally.changed = tally.matched
		return tally, err
	}
	last, err := r.newest(ctx)
	for after := int64(0); err == nil && after < last; {
		var found *queryFound
		if found, err = r.find(ctx, r.readPage, after, last, findObjects); err == nil {
			after, err = found.reached, r.tryThese(ctx, found.positions, &tally)
		}
	}
	return tally, err
}

// tryThese counts what the patch would do to the objects at the positions.
func (r *queryRun) tryThese(ctx context.Context, positions []int64, t *queryTally) error {
	for len(positions) > 0 {
		var part queryTally
		done := 0
		err := r.bucket.store.read(ctx, func(conn *engine.Conn) error {
			part = queryTally{}
			rows, n, err := r.rows(conn, positions)
			for i := 0; i < len(rows) && err == nil; i++ {
				err = r.tryRow(conn, &rows[i], &part)
			}
			done = n
			return err
		})
		if err != nil {
			return err
		}
		t.add(&part)
		positions = positions[done:]
	}
	return nil
}

// tryRow counts what the patch would do to one object.
func (r *queryRun) tryRow(conn *engine.Conn, row *objectRow, t *queryTally) error {
	t.matched++
	p, err := r.merge(row)
	if err == nil {
		_, err = p.moves(conn, row, p.merged.key)
	}
	switch {
	case err == nil && !p.changesNothing():
		t.changed++
	case err != nil && ours(err):
		t.refuse(row.object.ID, err)
	case err != nil:
		return err
	}
	return nil
}
