package bucketlite

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Limits of finding the objects of a change by query.
const (
	fewObjects  = 1000                   // objects that are changed at once, without a task
	fewBytes    = 4 << 20                // stored bytes of them
	findObjects = 2000                   // objects to find for a task before it changes them
	findSpan    = 20_000                 // positions to match in one statement
	findTime    = 250 * time.Millisecond // after which no further statement begins
)

// A queryRun is a change by query, compiled by the definition of a bucket.
type queryRun struct {
	bucket *Bucket
	change *queryChange
	query  *compiledQuery
	patch  *patcher // a patch of no object yet; nil deletes
}

// queryRun compiles a change. The errors are those of the query, and of a patch that no
// object can take.
func (b *Bucket) queryRun(ctx context.Context, change *queryChange) (*queryRun, error) {
	c, err := change.query.compile(b.store, list{kind: "objects", owner: b.num}, b.types)
	if err != nil {
		return nil, err
	}
	r := &queryRun{bucket: b, change: change, query: c}
	if change.patch == nil {
		return r, nil
	}
	r.patch = &patcher{bucket: b, in: change.patch}
	if err := r.patch.judgeAlone(ctx); err != nil {
		return nil, err
	}
	if size := len(value.Append(nil, r.patch.form())); size > MaxBulkPatchBytes {
		return nil, errorf("%s: %w: got a patch of %d bytes, want at most %d", b, ErrTooLarge, size, MaxBulkPatchBytes)
	}
	return r, nil
}

// judgeAlone is judge for a patch of several objects. It also reports the faults that the
// patch has whatever the object is.
func (p *patcher) judgeAlone(ctx context.Context) error {
	if err := p.judge(ctx); err != nil {
		return err
	}
	j := &judge{}
	j.Faults, j.NoDefaults = p.own.Clone(), true
	for _, name := range slices.Sorted(maps.Keys(p.reserved)) {
		j.fault(value.Path{{Name: name}}, ruleReserved, "the name is reserved for the system")
	}
	values := make(map[string]any, len(p.given))
	for _, name := range slices.Sorted(maps.Keys(p.given)) {
		switch {
		case p.given[name] != nil:
			values[name] = p.given[name]
		case p.isRequired(name) || p.bucket.def.key.Covers(name):
			j.fault(value.Path{{Name: name}}, ruleRequired, "required, it cannot be removed")
		}
	}
	p.bucket.def.plan.Validate(&j.Validation, nil, values, &schema.Beside{Partial: true})
	return p.bucket.refusal(j)
}

// queryFound are the positions of objects that matched in a snapshot, in ascending order. It
// implements [index.Page].
type queryFound struct {
	positions []int64
	reached   int64 // the position up to which every match is among them
	all       bool  // there are no more

	most  int // of positions
	bytes int64
	full  bool
}

// Left returns the number of objects that may still be added.
func (f *queryFound) Left() int { return f.most - len(f.positions) }

// Add adds an object.
func (f *queryFound) Add(at query.Position, bytes int64) (full bool) {
	f.positions = append(f.positions, commit.Position(at.Num))
	f.bytes += bytes
	f.full = len(f.positions) >= f.most || f.bytes > fewBytes
	return f.full
}

// reachedBy returns the position up to which all objects have had their turn once the first
// of the positions have.
func (f *queryFound) reachedBy(done int) int64 {
	if done < len(f.positions) {
		return f.positions[done-1]
	}
	return f.reached
}

// findFew finds the objects to change at once. There may be more than those if it takes
// long, or if the objects are many or large.
func (r *queryRun) findFew(ctx context.Context) (*queryFound, error) {
	last, err := r.newest(ctx)
	if err != nil {
		return nil, err
	}
	return r.find(ctx, r.readPage, 0, last, cmp.Or(r.bucket.store.opts.changeRows, fewObjects)+1)
}

// readPage is the [objectReader] of a caller that waits.
func (r *queryRun) readPage(ctx context.Context, f func(context.Context, *engine.Conn, bool) error) error {
	return r.bucket.store.readPage(ctx, r.query, f)
}

// newest returns the position of the bucket's newest object, or 0.
func (r *queryRun) newest(ctx context.Context) (last int64, err error) {
	err = r.bucket.store.read(ctx, func(conn *engine.Conn) (err error) {
		if err = r.bucket.readable(conn); err == nil {
			_, last, err = r.bucket.positions(conn)
		}
		return err
	})
	return last, err
}

// positions returns the positions of the bucket's oldest and newest object, or 0.
func (b *Bucket) positions(conn *engine.Conn) (first, last int64, err error) {
	_, err = conn.QueryRow("SELECT (SELECT min(seq) FROM object WHERE seq > ?1 AND seq < ?2), (SELECT max(seq) FROM object WHERE seq > ?1 AND seq < ?2)",
		[]any{commit.Seq(b.def.partition, 0), commit.Seq(b.def.partition+1, 0)},
		func(r engine.Row) { first, last = commit.Position(r.Int(0)), commit.Position(r.Int(1)) })
	return first, last, err
}

// objectReader calls f with a connection, and says whether the read must be a short one.
type objectReader func(ctx context.Context, f func(ctx context.Context, conn *engine.Conn, short bool) error) error

// find finds up to most matching objects after a position and up to another. It returns
// earlier once findTime has passed.
func (r *queryRun) find(ctx context.Context, read objectReader, after, last int64, most int) (*queryFound, error) {
	found := &queryFound{reached: after}
	for began := time.Now(); found.reached < last && !found.full; {
		var next queryFound
		err := read(ctx, func(ctx context.Context, conn *engine.Conn, short bool) error {
			next = queryFound{most: most - len(found.positions), bytes: found.bytes}
			return conn.Snapshot(func() error {
				err := r.bucket.readable(conn)
				if err == nil {
					err = r.findMore(ctx, conn, short, found.reached, last, &next)
				}
				return err
			})
		})
		if err != nil {
			return nil, err
		}
		found.positions = append(found.positions, next.positions...)
		found.reached, found.bytes, found.full = next.reached, next.bytes, next.full
		if time.Since(began) > findTime {
			break
		}
	}
	found.all = found.reached >= last && !found.full
	return found, nil
}

// findMore finds objects in one statement, inside a snapshot. Without an index it matches
// those in a span of positions.
func (r *queryRun) findMore(ctx context.Context, conn *engine.Conn, short bool, after, last int64, found *queryFound) error {
	q := r.query.Query
	q.After, q.Last, q.Limit = query.Position{Num: after}, last, found.most
	how, err := index.Choose(ctx, conn, r.bucket.indexed(), &q, false)
	if err != nil {
		return err
	}
	if short && !how.IsShort() {
		return errScan
	}
	if len(how.Used()) == 0 && !q.IsAll() {
		if q.Last, err = r.bucket.spanEnd(conn, after, last); err == nil {
			how, err = index.Choose(ctx, conn, r.bucket.indexed(), &q, false)
		}
		if err != nil {
			return err
		}
	}
	if err := how.Find(ctx, conn, found); err != nil {
		return err
	}
	if found.reached = q.Last; found.full {
		found.reached = found.positions[len(found.positions)-1]
	}
	return nil
}

// spanEnd returns the position up to which one statement matches objects after a position,
// at most last. Positions have gaps, so the span begins at the next object.
func (b *Bucket) spanEnd(conn *engine.Conn, after, last int64) (int64, error) {
	end := last
	_, err := conn.QueryRow("SELECT seq FROM object WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT 1",
		[]any{commit.Seq(b.def.partition, after), commit.Seq(b.def.partition, last)},
		func(r engine.Row) { end = min(last, commit.Position(r.Int(0))+findSpan) })
	return end, err
}

// paths returns the paths that the change names: those of its filter and its patch.
func (r *queryRun) paths() (paths []string) {
	if r.query.Filter != nil {
		r.query.Filter.Root.Any(func(n *query.Node) bool {
			paths = append(paths, strings.Join(n.Path, "."))
			return false
		})
	}
	if r.patch != nil {
		paths = slices.AppendSeq(paths, maps.Keys(r.patch.given))
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}
