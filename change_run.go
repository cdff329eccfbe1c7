package bucketlite

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jobs"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Limits of a slice of the work on a change of a schema.
const (
	judgeTime  = 500 * time.Millisecond // of checking objects, which blocks nobody
	judgeSpan  = 20_000                 // positions to check in one statement
	judgeRows  = 500                    // objects to read as a whole at once
	judgeBytes = 4 << 20                // bytes of objects after which no more are read
	copyRows   = 100                    // objects to write in one transaction
	copyBytes  = 256 << 10              // bytes of objects after which no more are written

	maxInvalid      = 100     // objects to report that do not conform
	maxInvalidBytes = 1 << 20 // of the report, after which no more objects come into it
)

// changeSome does a slice of the oldest change of a schema that no other store is working
// on. It checks all objects first, from the newest to the oldest, then writes their next
// form if the change rewrites them, and then brings the schema into force.
func (c *collector) changeSome() (worked bool, err error) {
	ctx := context.Background()
	r := &changeRun{collector: c}
	err = c.store.read(ctx, r.load)
	if err != nil || r.leasedTask == nil {
		return false, err
	}
	if r.b, err = c.store.bucketNumbered(ctx, r.leasedTask.bucket); err == nil {
		err = r.work(ctx)
	}
	switch {
	case errors.Is(err, errRedefined):
		return true, c.store.redefine(ctx, r.leasedTask.bucket)
	case errors.Is(err, ErrNotFound): // the bucket is gone, and with it the change
		return true, c.store.write(ctx, func(tx *commit.Tx) error {
			return jobs.EndTask(tx, r.id, string(StatusFailed), "the bucket was deleted")
		})
	case errors.Is(err, ErrFull):
		c.noteStall(r.id, err)
	}
	return true, err
}

// changeRun is a slice of the work on a change of a schema.
type changeRun struct {
	*leasedTask
	collector *collector
	b         *Bucket

	version int64 // of the schema; 0 if the task prepares no change
	checked int64 // the position down to which the objects are checked
	objects int64 // checked
	invalid int64 // of them, not conforming
	reached int64 // the position down to which the objects have their next form
}

// load finds the change and its progress.
func (r *changeRun) load(conn *engine.Conn) (err error) {
	r.version = 0
	if r.leasedTask, err = r.collector.takeTask(conn, 0, ChangeSchemaTask, ChangeSchemaTask); err != nil || r.leasedTask == nil {
		return err
	}
	_, err = conn.QueryRow("SELECT version, checked, objects, invalid, reached FROM schema_changes WHERE task = ? AND since IS NULL", []any{r.id},
		func(row engine.Row) {
			r.version, r.checked, r.objects, r.invalid, r.reached = row.Int(0), row.Int(1), row.Int(2), row.Int(3), row.Int(4)
		})
	return err
}

// work does the slice.
func (r *changeRun) work(ctx context.Context) error {
	next := r.b.def.next
	switch {
	case r.version == 0 || next == nil || next.task != r.id:
		return r.write(ctx, func(*commit.Tx, *commit.Bucket) (taskProgress, error) {
			return taskProgress{status: StatusFailed, problem: "the change is not recorded"}, nil
		})
	case r.checked > 0:
		return r.judge(ctx)
	case next.rewrites():
		return r.write(ctx, r.copy)
	}
	return r.write(ctx, r.finish)
}

// write runs a part of the work in a transaction, if the task is still this store's, and
// records its progress. If the bucket no longer permits the change, write withdraws it.
func (r *changeRun) write(ctx context.Context, part func(*commit.Tx, *commit.Bucket) (taskProgress, error)) error {
	return r.collector.store.write(ctx, func(tx *commit.Tx) error {
		mine, err := r.holds(tx)
		if err != nil || !mine {
			return err
		}
		state, err := r.b.state(tx)
		if err != nil {
			return err
		}
		if state.Definition != r.b.def.number {
			return errRedefined
		}
		if refusal := permitState(state, changeSchema); refusal != nil {
			return withdrawChange(tx, state, StatusFailed, strings.TrimPrefix(refusal.Error(), "bucketlite: "))
		}
		p, err := part(tx, state)
		if err != nil {
			return err
		}
		if p.outputs == "" {
			p.outputs = r.outputs
		}
		return r.collector.renewTask(tx, r.leasedTask, p)
	})
}

// judge checks objects for as long as a slice may take.
func (r *changeRun) judge(ctx context.Context) error {
	j := &changeJudge{bucket: r.b, next: r.b.def.next, position: r.checked, size: len(r.outputs)}
	if r.outputs != "" {
		outputs, err := value.Parse([]byte(r.outputs), value.Limits{MaxBytes: maxInputBytes})
		if err != nil {
			return errorf("task %s: %w: %v", value.Show(r.id), ErrCorrupt, err)
		}
		j.found, _ = outputs.([]any)
	}
	end := time.Now().Add(judgeTime)
	if j.span = r.collector.store.opts.changeRows; j.span != 0 {
		end = time.Now() // after one statement
	}
	if err := j.run(ctx, end); err != nil {
		return err
	}
	r.collector.unpaused = true // no writer has waited
	return r.write(ctx, func(tx *commit.Tx, state *commit.Bucket) (taskProgress, error) {
		p := taskProgress{status: StatusInProgress, processed: j.objects, outputs: r.outputs}
		if len(j.found) > 0 {
			p.outputs = string(value.Append(nil, j.found))
		}
		err := saveChecked(tx, r.b.num, j.position, j.objects, j.invalid)
		if err != nil || j.position > 0 {
			return p, err
		}
		if invalid := r.invalid + j.invalid; invalid > 0 {
			p.status, p.problem = StatusFailed, "objects do not conform to the new schema"
			return p, r.refuse(tx, state, invalid)
		}
		// From here on, new objects get their next form when they are written.
		if state.Next.Partition != 0 {
			state.Next.Reach(state.Clock() + 1)
			if err := r.expect(tx, state, j.objects); err != nil {
				return p, err
			}
		}
		return p, setDetail(tx, r.num, "checked_objects", r.objects+j.objects)
	})
}

// expect sets the total of the task to what is done, with the objects that were checked last,
// and the objects that are to be written.
func (r *changeRun) expect(tx *commit.Tx, state *commit.Bucket, checked int64) error {
	_, err := tx.Exec("UPDATE tasks SET total = processed + ?2 + (SELECT object_count FROM buckets WHERE num = ?3) + ?4 WHERE num = ?1",
		r.num, checked, state.Num, state.Objects)
	return err
}

// refuse withdraws the change because of objects that do not conform.
func (r *changeRun) refuse(tx *commit.Tx, state *commit.Bucket, invalid int64) error {
	if err := setDetail(tx, r.num, "invalid_objects", invalid); err != nil {
		return err
	}
	return withdrawChange(tx, state, StatusFailed, "")
}

// setDetail adds a number to the details of a task.
func setDetail(tx *commit.Tx, task int64, name string, n int64) error {
	_, err := tx.Exec("UPDATE tasks SET detail = json_set(detail, '$.' || ?, ?) WHERE num = ?", name, n, task)
	return err
}

// finish brings the schema into force.
func (r *changeRun) finish(tx *commit.Tx, state *commit.Bucket) (taskProgress, error) {
	stored, exists, err := selectDefinition(tx.Conn, r.b.num)
	if err == nil && (!exists || stored.next == nil) {
		err = errRedefined
	}
	if err != nil {
		return taskProgress{}, err
	}
	info, err := pendingUpdate(tx, r.id)
	if err == nil && !info.isEmpty() {
		err = info.apply(tx, state)
	}
	var taken *ConflictError
	if errors.As(err, &taken) { // the bucket's new name was free when the change began
		return taskProgress{status: StatusFailed, problem: taken.Reason}, withdrawChange(tx, state, StatusFailed, taken.Reason)
	}
	if err != nil {
		return taskProgress{}, err
	}
	if err := r.b.enforce(tx, state, stored.next, r.b.def.next); err != nil {
		return taskProgress{}, err
	}
	return taskProgress{status: StatusCompleted}, endChange(tx, r.b.num)
}

// copy writes the next form of some objects. Once all have it, copy brings the schema into
// force.
func (r *changeRun) copy(tx *commit.Tx, state *commit.Bucket) (taskProgress, error) {
	rows, err := r.rowsBelow(tx, state)
	if err != nil {
		return taskProgress{}, err
	}
	if len(rows) == 0 {
		return r.finish(tx, state)
	}
	// FTS5 stores texts that come in ascending order in one piece.
	slices.Reverse(rows)
	next := make([]*nextRow, len(rows))
	for i := range rows {
		found, err := r.b.def.next.examine(&rows[i], nil)
		if err != nil {
			return taskProgress{}, err
		}
		if found.invalid != nil { // it was damaged after it was checked
			p := taskProgress{status: StatusFailed, problem: "objects do not conform to the new schema", outputs: string(value.Append(nil, []any{found.invalid}))}
			return p, r.refuse(tx, state, 1)
		}
		next[i] = found.next
	}
	for _, n := range next {
		if err := r.b.insertNext(tx, state, n); err != nil {
			return taskProgress{}, err
		}
	}
	state.Next.Reach(commit.Position(rows[0].object.seq))
	return taskProgress{status: StatusInProgress, processed: int64(len(rows))}, nil
}

// rowsBelow returns the next objects to write, in descending order.
func (r *changeRun) rowsBelow(tx *commit.Tx, state *commit.Bucket) (rows []objectRow, err error) {
	size := 0
	err = tx.Query("SELECT "+objectColumns+" FROM object o WHERE o.seq > ? AND o.seq < ? ORDER BY o.seq DESC LIMIT ?",
		[]any{commit.Seq(state.Partition, 0), commit.Seq(state.Partition, state.Next.Reached), int64(cmp.Or(r.collector.store.opts.changeRows, copyRows))}, func(row engine.Row) error {
			var o objectRow
			o.scan(row, 0)
			rows = append(rows, o)
			if size += len(o.fields) + len(o.blobs); size > copyBytes {
				return errEnough
			}
			return nil
		})
	if err == errEnough {
		err = nil
	}
	return rows, err
}
