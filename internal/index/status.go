package index

import (
	"fmt"
	"slices"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/query"
)

// A Restatement is a statement that changes the status and the error of objects in one
// partition of a bucket. No other member of a stored object changes by a statement over
// several rows.
type Restatement struct {
	Where string // an SQL condition on the table object
	Args  []any  // its parameters, numbered from 1

	Set    string // the assignments
	Values []any  // their parameters, whose numbers follow those of Where
}

// Run runs the statement, and updates the indexes of status and error.
func (r *Restatement) Run(tx *commit.Tx, state *commit.Bucket, partition int64) error {
	statement, args := "UPDATE object SET "+r.Set+" WHERE "+r.Where, append(slices.Clip(r.Args), r.Values...)
	indexes, err := loadOf(tx, state, partition)
	if err != nil {
		return err
	}
	indexes = slices.DeleteFunc(slices.Clone(indexes), func(i *Index) bool { return i.Kind != Value || !isRestated(i.path) })
	if len(indexes) == 0 {
		_, err := tx.Exec(statement, args...)
		return err
	}
	before := make(map[int64]query.Map)
	err = tx.Query("SELECT seq, status, error FROM object WHERE "+r.Where, r.Args, func(row engine.Row) error {
		before[row.Int(0)] = restated(row)
		return nil
	})
	if err != nil {
		return err
	}
	after := make(map[int64]query.Map)
	err = tx.Query(statement+" RETURNING seq, status, error", args, func(row engine.Row) error {
		after[row.Int(0)] = restated(row)
		return nil
	})
	if err != nil {
		return err
	}
	for seq, now := range after {
		was, ok := before[seq]
		if !ok {
			return fmt.Errorf("%w: object number %d changes its status without having been selected", engine.ErrCorrupt, seq)
		}
		for _, i := range indexes {
			if err := i.exchange(tx, seq, i.restatedEntries(was), i.restatedEntries(now), true); err != nil {
				return err
			}
		}
	}
	return nil
}

// StatusKey returns the key that objects with a status have in an index of it.
func StatusKey(status string) []byte {
	path := []string{"status"}
	return query.EntriesOf(query.Map{"status": status}, path, TypeOf(nil, path)).Keys[0]
}

// isRestated reports whether statements over several rows change what a path leads to.
func isRestated(path []string) bool {
	return len(path) == 1 && (path[0] == "status" || path[0] == "error")
}

// restated returns the members of an object from its seq, status and error.
func restated(row engine.Row) query.Map {
	m := query.Map{"status": row.Text(1)}
	if !row.Null(2) {
		m["error"] = row.Text(2)
	}
	return m
}

func (i *Index) restatedEntries(m query.Map) query.Entries {
	return query.EntriesOf(m, i.path, TypeOf(nil, i.path))
}
