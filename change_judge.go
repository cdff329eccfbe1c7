package bucketlite

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// changeJudge checks the objects of a bucket by the schema that is to come into force.
type changeJudge struct {
	bucket   *Bucket
	next     *nextDefinition
	position int64 // the position down to which the objects are checked; 0 once all are
	rows     int   // of a page; 0 selects the default

	objects int64 // checked
	invalid int64 // of them, not conforming
	found   []any // the first that do not conform, in the form of the task's outputs
}

// run checks a page of objects, and more until the deadline, or all if there is none.
// Objects that are written meanwhile are checked by their writers.
func (j *changeJudge) run(ctx context.Context, deadline time.Time) error {
	read := func(f func(*engine.Conn) error) error { return j.bucket.store.read(ctx, f) }
	for first := true; j.position > 0 && (first || deadline.IsZero() || time.Now().Before(deadline)); first = false {
		rows, err := j.page(ctx)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			j.position = 0
		}
		for i := range rows {
			found, err := j.next.examine(&rows[i], read)
			if err != nil {
				return err
			}
			if j.objects++; found.invalid != nil {
				if j.invalid++; len(j.found) < maxInvalid {
					j.found = append(j.found, found.invalid)
				}
			}
			j.position = commit.Position(rows[i].object.seq)
		}
	}
	return nil
}

// page reads the next objects, from the newest to the oldest.
func (j *changeJudge) page(ctx context.Context) (rows []objectRow, err error) {
	partition := j.bucket.def.partition
	err = j.bucket.store.db.ReadAside(ctx, func(ctx context.Context, conn *engine.Conn) error {
		rows = rows[:0]
		size := 0
		err := conn.Query("SELECT "+objectColumns+" FROM object o WHERE o.seq > ? AND o.seq < ? ORDER BY o.seq DESC LIMIT ?",
			[]any{commit.Seq(partition, 0), commit.Seq(partition, j.position), int64(cmp.Or(j.rows, judgeRows))}, func(r engine.Row) error {
				var o objectRow
				o.scan(r, 0)
				rows = append(rows, o)
				if size += len(o.fields) + len(o.blobs); size > judgeBytes {
					return errEnough
				}
				return nil
			})
		if err == errEnough {
			err = nil
		}
		return err
	})
	return rows, public(err)
}

// examined is the result of checking an object.
type examined struct {
	next    *nextRow       // nil if the object keeps its form
	invalid map[string]any // nil if it conforms
}

// examine converts a stored object to its next form. An object that cannot be read does not
// conform.
func (n *nextDefinition) examine(row *objectRow, read reading) (examined, error) {
	unreadable := func(message string) examined {
		return examined{invalid: invalidForm(row, []Issue{{"", "checksum", message}})}
	}
	if row.damaged {
		return unreadable("its row does not match its checksum"), nil
	}
	next, issues, err := n.convert(row, nil, read)
	switch {
	case errors.Is(err, content.ErrGone): // the object has been written again
		return examined{}, nil
	case errors.Is(err, ErrCorrupt):
		return unreadable(err.Error()), nil
	case err != nil:
		return examined{}, err
	case len(issues) > 0:
		return examined{invalid: invalidForm(row, issues)}, nil
	}
	return examined{next: next}, nil
}

// invalidForm returns an [InvalidObject] as plain values.
func invalidForm(row *objectRow, issues []Issue) map[string]any {
	list := make([]any, len(issues))
	for i, issue := range issues {
		list[i] = map[string]any{"path": issue.Path, "rule": issue.Rule, "message": issue.Message}
	}
	return map[string]any{"object_id": row.object.ID, "issues": list}
}

// try checks the change against every object, for a dry run.
func (c *schemaChanger) try(ctx context.Context) error {
	b := c.bucket
	if err := b.store.read(ctx, func(conn *engine.Conn) error { return b.permit(conn, changeSchema) }); err != nil {
		return err
	}
	if c.result.Effect != EffectTightens && c.result.Effect != EffectRewrites {
		return nil
	}
	if c.result.Effect == EffectRewrites {
		c.next.partition = unbegun // any, so that objects are converted
	}
	j := &changeJudge{bucket: b, next: &c.next, position: unbegun}
	if err := j.run(ctx, time.Time{}); err != nil {
		return err
	}
	if b.redefined(ctx) {
		return errRedefined
	}
	c.result.Objects = j.objects
	if j.invalid == 0 {
		return nil
	}
	objects, err := invalidObjects(j.found)
	if err != nil {
		return err
	}
	return &SchemaChangeError{Subject: b.String(), Objects: objects, Count: j.invalid}
}
