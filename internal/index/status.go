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

	From   string // the status that all the objects have, or "" if it is not known
	Status string // the new status
	Set    string // other assignments, each preceded by a comma
	Values []any  // their parameters, whose numbers follow those of Where
}

// Run runs the statement, and updates the indexes of status and error.
func (r *Restatement) Run(tx *commit.Tx, state *commit.Bucket, partition int64) error {
	statement, args := "UPDATE object SET status = '"+r.Status+"'"+r.Set+" WHERE "+r.Where, append(slices.Clip(r.Args), r.Values...)
	if err := r.countUnknown(tx, state, partition); err != nil {
		return err
	}
	indexes, err := loadOf(tx, state, partition)
	if err != nil {
		return err
	}
	indexes = slices.DeleteFunc(slices.Clone(indexes), func(i *Index) bool { return i.Kind != Value || !isRestated(i.path) })
	if len(indexes) == 0 {
		n, err := tx.Exec(statement, args...)
		r.countKnown(state, partition, n)
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
	r.countKnown(state, partition, int64(len(after)))
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

// knows reports whether the number of changed rows says how many objects of each status the
// bucket has now.
func (r *Restatement) knows(state *commit.Bucket) bool { return r.From != "" && state.Reached == 0 }

// countUnknown tells the bucket, before the statement runs, which statuses change. The
// objects of a partition that a change of the schema prepares are counted with their
// present form.
func (r *Restatement) countUnknown(tx *commit.Tx, state *commit.Bucket, partition int64) error {
	if partition != state.Partition || r.knows(state) {
		return nil
	}
	query := fmt.Sprintf("SELECT status, count(*) FROM object WHERE (%s) AND seq >= ?%d GROUP BY status", r.Where, len(r.Args)+1)
	return tx.Query(query, append(slices.Clip(r.Args), commit.Seq(partition, state.Reached)), func(row engine.Row) error {
		state.Restated(row.Text(0), r.Status, row.Int(1))
		return nil
	})
}

// countKnown tells the bucket that the statement has changed n objects.
func (r *Restatement) countKnown(state *commit.Bucket, partition, n int64) {
	if partition == state.Partition && r.knows(state) {
		state.Restated(r.From, r.Status, n)
	}
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
