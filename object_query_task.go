package bucketlite

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jobs"
	"github.com/bucketlite/bucketlite/internal/value"
)

// The time after which a slice of a change by query ends: while others use the store, and
// while nobody waits.
const (
	busySlice = 2 * time.Millisecond
	restSlice = 20 * time.Millisecond
)

// The operations of a [ChangeObjectsTask].
const (
	deleteOperation = "delete_objects"
	patchOperation  = "patch_objects"
)

// start begins the task that makes the change.
func (r *queryRun) start(ctx context.Context, id string) error {
	record := r.record()
	b, write := r.bucket, r.bucket.store.write
	if r.patch == nil {
		write = b.store.free
	}
	return write(ctx, func(tx *commit.Tx) error {
		state, err := b.defined(tx)
		if err != nil {
			return err
		}
		first, last, err := b.positions(tx.Conn)
		if err != nil {
			return err
		}
		var namespace, objects int64
		_, err = tx.QueryRow("SELECT namespace, object_count FROM buckets WHERE num = ?", []any{b.num}, func(row engine.Row) {
			namespace, objects = row.Int(0), row.Int(1)+state.Objects
		})
		if err != nil {
			return err
		}
		t := &Task{ID: id, Type: ChangeObjectsTask, Inputs: []string{b.id}, Total: objects, AdditionalData: map[string]any{
			"bucket_id": b.id, "bucket_name": state.Name, "object_count": objects, "schema_version": b.def.version,
			"position": max(first-1, 0), "last_position": last, "matched_count": int64(0), "changed_count": int64(0), "failed_count": int64(0),
		}}
		maps.Copy(t.AdditionalData, record)
		tx.Raise(commit.Background)
		return b.store.newTask(tx, t, namespace, b.num)
	})
}

// record returns the change in the form of a task's details.
func (r *queryRun) record() map[string]any {
	q := &r.change.query
	selected := map[string]any{}
	if q.Filter.expr != nil {
		selected["filters"] = q.Filter.expr.JSON()
	}
	if q.Search != "" {
		selected["search"] = q.Search
	}
	if q.CaseSensitive {
		selected["case_sensitive"] = true
	}
	record := map[string]any{"operation": deleteOperation, "query": selected}
	if r.patch != nil {
		record["operation"], record["patch"] = patchOperation, r.patch.form()
	}
	return record
}

// form returns the JSON form of a patch without blobs.
func (p *patcher) form() map[string]any {
	form := maps.Clone(p.given)
	if p.in.KeyPrefix != "" {
		if form == nil {
			form = make(map[string]any)
		}
		form["key_prefix"] = p.in.KeyPrefix
	}
	return form
}

// queryWork is the state of a collector's work on changes by query.
type queryWork struct {
	turn  int64       // the number of the task that had the last turn
	task  int64       // the number of the task of run and found
	run   *queryRun   // nil if the next slice has to compile and to find
	found *queryFound // what is left to change
	ended time.Time   // when the last slice ended
}

// queryTask is a slice of a change by query.
type queryTask struct {
	*leasedTask
	collector *collector
	change    queryChange
	queryProgress
}

// queryProgress is the part of a task's details that a slice changes, or needs.
type queryProgress struct {
	Version  int64 `json:"schema_version"` // of the schema by which the change was made
	Last     int64 `json:"last_position"`  // of the newest object when the task was accepted
	Position int64 `json:"position"`       // up to which all objects have had their turn
	Matched  int64 `json:"matched_count"`
	Changed  int64 `json:"changed_count"`
	Failed   int64 `json:"failed_count"`
}

// changeObjectsSome does a slice of a change by query that no other store is working on.
// The changes take turns, so that one that cannot continue does not keep others waiting.
func (c *collector) changeObjectsSome() (worked bool, err error) {
	ctx := context.Background()
	w := &c.queryWork
	t := &queryTask{collector: c}
	err = c.store.read(ctx, func(conn *engine.Conn) (err error) {
		after := w.turn
		if w.run != nil {
			after-- // the task continues with what it has found
		}
		if t.leasedTask, err = c.takeTask(conn, after, ChangeObjectsTask, ChangeObjectsTask); err == nil && t.leasedTask == nil && after > 0 {
			t.leasedTask, err = c.takeTask(conn, 0, ChangeObjectsTask, ChangeObjectsTask)
		}
		return err
	})
	if err != nil || t.leasedTask == nil {
		return false, err
	}
	if w.task != t.num {
		w.task, w.run, w.found = t.num, nil, nil
	}
	w.turn = t.num
	if err = t.load(); err == nil {
		err = t.work(ctx)
	}
	if err == nil {
		return true, nil
	}
	w.run, w.found = nil, nil
	return true, t.settle(ctx, err)
}

// settle ends the task, unless the error is one after which it continues.
func (t *queryTask) settle(ctx context.Context, err error) error {
	store := t.collector.store
	for _, passing := range []error{ErrBusy, ErrClosed, ErrFull, ErrReadOnly, ErrOutcomeUnknown} {
		if errors.Is(err, passing) {
			t.collector.noteStall(t.id, err)
			return err
		}
	}
	switch {
	case errors.Is(err, errRedefined):
		return store.redefine(ctx, t.bucket)
	case errors.Is(err, ErrNotFound):
		err = errors.New("the bucket was deleted")
	}
	return store.freeing(ctx, func(tx *commit.Tx) error { return t.fail(tx, err) })
}

// load reads the change and its progress from the task's record.
func (t *queryTask) load() error {
	var detail struct {
		queryProgress
		Operation string
		Query     struct {
			Filters       Filter
			Search        string
			CaseSensitive bool `json:"case_sensitive"`
		}
		Patch *ObjectInput
	}
	if err := json.Unmarshal([]byte(t.detail), &detail); err != nil {
		return errorf("task %s: %w: %v", value.Show(t.id), ErrCorrupt, err)
	}
	q := &detail.Query
	t.queryProgress = detail.queryProgress
	t.change = queryChange{query: Query{Filter: q.Filters, Search: q.Search, CaseSensitive: q.CaseSensitive}, patch: detail.Patch}
	if isPatch := detail.Operation == patchOperation; isPatch != (detail.Patch != nil) || !isPatch && detail.Operation != deleteOperation {
		return errorf("task %s: %w: operation %s", value.Show(t.id), ErrCorrupt, value.Show(detail.Operation))
	}
	return nil
}

// work finds the next objects to change, or changes some that were found before.
func (t *queryTask) work(ctx context.Context) error {
	w := &t.collector.queryWork
	if w.run == nil {
		if err := t.find(ctx); err != nil {
			return err
		}
		if len(w.found.positions) > 0 {
			t.collector.unpaused = true // no writer has waited
			return nil
		}
	}
	return t.apply(ctx)
}

// find finds the next objects to change.
func (t *queryTask) find(ctx context.Context) error {
	s, w := t.collector.store, &t.collector.queryWork
	b, err := s.bucketNumbered(ctx, t.bucket)
	if err != nil {
		return err
	}
	r, err := b.queryRun(ctx, &t.change)
	if err != nil {
		return err
	}
	if message, err := b.removal(ctx, t.Version, 0, r.paths()); err != nil || message != "" {
		return cmp.Or(err, errors.New(message))
	}
	read := func(ctx context.Context, f func(context.Context, *engine.Conn, bool) error) error {
		return public(s.db.ReadAside(ctx, func(ctx context.Context, conn *engine.Conn) error { return f(ctx, conn, false) }))
	}
	found, err := r.find(ctx, read, t.Position, t.Last, findObjects)
	if err == nil {
		w.run, w.found = r, found
	}
	return err
}

// apply changes some of the found objects, and records the progress in the same commit.
func (t *queryTask) apply(ctx context.Context) error {
	c, w := t.collector, &t.collector.queryWork
	slice := restSlice
	if c.store.commits.Unused() < time.Since(w.ended) { // others have used the store since
		slice = busySlice
	}
	if c.store.opts.changeRows > 0 {
		slice = 0
	}
	found := w.found
	prepared, err := w.run.prepare(ctx, found.positions[:min(len(found.positions), 2*partObjects)])
	if err != nil {
		return err
	}
	done, mine := 0, false
	err = t.write(ctx, func(tx *commit.Tx) (err error) {
		if mine, err = t.holds(tx); err != nil || !mine {
			return err
		}
		state, err := w.run.bucket.defined(tx)
		if err != nil {
			return err
		}
		var tally queryTally
		if done, err = w.run.apply(tx, state, found.positions, prepared, &tally, time.Now().Add(slice)); err != nil {
			return err
		}
		return t.save(tx, &tally, found.reachedBy(done))
	})
	w.ended = time.Now()
	if err != nil {
		return err
	}
	c.unpaused = slice == restSlice
	if found.positions = found.positions[done:]; len(found.positions) == 0 || !mine {
		w.run, w.found = nil, nil
	}
	return nil
}

// write runs a slice in a transaction, which does not count as use of the store. A deletion
// frees space, and works on a full disk.
func (t *queryTask) write(ctx context.Context, op operation) error {
	s := t.collector.store
	if t.change.patch == nil {
		return s.freeing(ctx, op)
	}
	return public(s.db.Write(ctx, func(tx *engine.Tx) error {
		if s.reserve.spent.Load() {
			return errSpent
		}
		return op(commit.Of(tx))
	}))
}

// save records what a slice has done, and the position up to which all objects have had
// their turn. The last slice ends the task.
func (t *queryTask) save(tx *commit.Tx, tally *queryTally, position int64) error {
	p := taskProgress{status: StatusInProgress, outputs: t.outputs}
	if len(tally.failures) > 0 {
		var err error
		if p.outputs, err = tally.outputs(t.outputs); err != nil {
			return errorf("task %s: %w: %v", value.Show(t.id), ErrCorrupt, err)
		}
	}
	failed := t.Failed + tally.failed
	if position >= t.Last {
		if p.status = StatusCompleted; failed > 0 {
			p.status = StatusCompletedWithErrors
		}
	}
	_, err := tx.Exec(`
UPDATE tasks SET detail = json_set(detail, '$.position', ?2, '$.matched_count', ?3, '$.changed_count', ?4, '$.failed_count', ?5),
    processed = iif(?2 >= ?6, total, processed + CAST((total - processed) * (?2 - ?7) / CAST(?6 - ?7 AS REAL) AS INTEGER))
WHERE num = ?1`, t.num, position, t.Matched+tally.matched, t.Changed+tally.changed, failed, t.Last, t.Position)
	if err != nil {
		return err
	}
	return t.collector.renewTask(tx, t.leasedTask, p)
}

// fail ends the task with a problem, and says what it has done before.
func (t *queryTask) fail(tx *commit.Tx, problem error) error {
	mine, err := t.holds(tx)
	if err != nil || !mine {
		return err
	}
	done := "deleted"
	if t.change.patch != nil {
		done = "changed"
	}
	text := fmt.Sprintf("%s; %d objects were %s before", trimPackage(problem), t.Changed, done)
	return jobs.EndTask(tx, t.id, string(StatusFailed), text)
}
