package bucketlite

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// changeJudge checks the objects of a bucket by the schema that is to come into force.
type changeJudge struct {
	bucket   *Bucket
	next     *nextDefinition
	position int64 // the position down to which the objects are checked; 0 once all are
	span     int   // positions to check in one statement; 0 selects the default

	objects int64 // checked
	invalid int64 // of them, not conforming
	found   []any // the first that do not conform, in the form of the task's outputs
	size    int   // bytes of found
}

// run checks some objects, and more until the deadline, or all if there is none. Objects
// that are written meanwhile are checked by their writers.
func (j *changeJudge) run(ctx context.Context, deadline time.Time) error {
	read := func(f func(*engine.Conn) error) error { return j.bucket.store.read(ctx, f) }
	for first := true; j.position > 0 && (first || deadline.IsZero() || time.Now().Before(deadline)); first = false {
		doubtful, err := j.sweep(ctx)
		if err != nil {
			return err
		}
		for len(doubtful) > 0 {
			rows, done, err := j.rowsOf(ctx, doubtful)
			if err != nil {
				return err
			}
			for i := range rows {
				found, err := j.next.examine(&rows[i], read)
				if err != nil {
					return err
				}
				if found.invalid == nil {
					continue
				}
				if j.invalid++; len(j.found) < maxInvalid && j.size < maxInvalidBytes {
					j.found = append(j.found, found.invalid)
					j.size += len(value.Append(nil, found.invalid))
				}
			}
			doubtful = doubtful[done:]
		}
	}
	return nil
}

// sweep checks the objects of the next span of positions, in one statement, as far as their
// fields alone show that they conform. It returns the seqs of the others.
func (j *changeJudge) sweep(ctx context.Context) (doubtful []int64, err error) {
	partition, span := j.bucket.def.partition, int64(cmp.Or(j.span, judgeSpan))
	fast := j.next.quickFields()
	var v schema.Validation
	var objects, low int64
	err = j.bucket.store.db.ReadAside(ctx, func(ctx context.Context, conn *engine.Conn) error {
		doubtful, objects, low = nil, 0, 0
		top := int64(0)
		_, err := conn.QueryRow("SELECT max(seq) FROM object WHERE seq > ? AND seq < ?", []any{commit.Seq(partition, 0), commit.Seq(partition, j.position)},
			func(r engine.Row) { top = r.Int(0) })
		if err != nil || top == 0 {
			return err
		}
		low = max(commit.Position(top)-span, 0)
		each := engine.NewCallback(ctx, func(r engine.Row) (any, error) {
			objects++
			if fast == nil || !r.Null(2) || !conformsQuickly(&v, fast, r.Bytes(1)) {
				doubtful = append(doubtful, r.Int(0))
			}
			return nil, nil
		})
		defer each.Release()
		err = conn.LongQuery(ctx, "SELECT count(bucketlite_callback(?1, o.seq, o.fields, o.blobs)) FROM object o WHERE o.seq > ?2 AND o.seq <= ?3",
			[]any{each.Token(), commit.Seq(partition, low), top}, func(engine.Row) error { return nil })
		return cmp.Or(each.Err(), err)
	})
	if err != nil {
		return nil, public(err)
	}
	slices.Reverse(doubtful)
	j.objects += objects
	if j.position = 0; low > 0 {
		j.position = low + 1
	}
	return doubtful, nil
}

// quickFields returns the fields that decide whether an object without blobs conforms to the
// next schema. It returns nil if they do not suffice.
func (n *nextDefinition) quickFields() []*schema.Field {
	if n.rewrites() {
		return nil
	}
	fields := []*schema.Field{}
	for _, change := range n.change.Fields {
		if change.Effect <= schema.Loosens {
			continue
		}
		name, _, _ := strings.Cut(change.Path, ".")
		f := n.plan.Field(name)
		if f == nil {
			return nil // the schema as a whole
		}
		if !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	return fields
}

// conformsQuickly reports whether fields in stored form conform in those that are given.
func conformsQuickly(v *schema.Validation, fields []*schema.Field, stored []byte) bool {
	*v = schema.Validation{NoDefaults: true, TrustCostly: true}
	for _, f := range fields {
		given, there, err := jsonb.Member(stored, f.Name)
		switch {
		case err != nil || there && given == nil || !there && f.Required:
			return false
		case there:
			if _, changed := f.Validate(v, nil, given); changed || v.Any() {
				return false
			}
		}
	}
	return true
}

// rowsOf reads the objects with the first seqs, as far as they still exist, and returns how
// many seqs these are.
func (j *changeJudge) rowsOf(ctx context.Context, seqs []int64) (rows []objectRow, done int, err error) {
	most := min(len(seqs), judgeRows)
	text, err := json.Marshal(seqs[:most])
	if err != nil {
		return nil, 0, err
	}
	err = j.bucket.store.db.ReadAside(ctx, func(ctx context.Context, conn *engine.Conn) error {
		rows, done = rows[:0], most
		size := 0
		err := conn.Query("SELECT j.key, "+objectColumns+" FROM json_each(?) j CROSS JOIN object o ON o.seq = j.value", []any{string(text)}, func(r engine.Row) error {
			var o objectRow
			o.scan(r, 1)
			rows = append(rows, o)
			if size += len(o.fields) + len(o.blobs); size > judgeBytes {
				done = int(r.Int(0)) + 1
				return errEnough
			}
			return nil
		})
		if err == errEnough {
			err = nil
		}
		return err
	})
	return rows, done, public(err)
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
