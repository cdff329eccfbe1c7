package bucketlite

import (
	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/jobs"
)

// All statements that write the tables schema_changes and old_partitions are in this file,
// except that a commit saves the progress of copying; see [commit.Next].

// unbegun is the position above all objects: none has its next form yet.
const unbegun = 1 << commit.ClockBits

// insertChange records a change of a bucket's schema that is being prepared by a task. The
// partition is 0 if the change does not rewrite the objects.
func insertChange(tx *commit.Tx, bucket int64, s *storedDefinition) error {
	var partition any
	if s.partition != 0 {
		partition = s.partition
	}
	_, err := tx.Exec(`
INSERT INTO schema_changes (bucket, version, task, partition, checked, objects, invalid, reached, size, rules, renamed, dropped, schema)
VALUES (?, ?, ?, ?, ?, 0, 0, ?, 0, ?, ?, ?, ?)`, bucket, s.version, nilIfBlank(s.task), partition, int64(unbegun), int64(unbegun), int64(s.rules),
		nilIfBlank(s.renamed), nilIfBlank(s.dropped), s.schema)
	return err
}

// newPartition returns a number that no bucket and no partition has.
func newPartition(tx *commit.Tx) (partition int64, err error) {
	_, err = tx.QueryRow("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'buckets' RETURNING seq", nil,
		func(r engine.Row) { partition = r.Int(0) })
	return partition, err
}

// saveChecked records down to which position the objects have been checked, and how many were
// checked and found invalid since the last time.
func saveChecked(tx *commit.Tx, bucket, position, objects, invalid int64) error {
	_, err := tx.Exec("UPDATE schema_changes SET checked = ?, objects = objects + ?, invalid = invalid + ? WHERE bucket = ? AND since IS NULL",
		position, objects, invalid, bucket)
	return err
}

// endChange records that the bucket's change is in force. Its row stays for the sake of the
// names that it has removed.
func endChange(tx *commit.Tx, bucket int64) error {
	_, err := tx.Exec("UPDATE schema_changes SET since = ?, partition = NULL, schema = NULL WHERE bucket = ? AND since IS NULL", tx.Now(), bucket)
	if err == nil {
		_, err = tx.Exec("DELETE FROM schema_changes WHERE bucket = ? AND renamed IS NULL AND dropped IS NULL AND since IS NOT NULL", bucket)
	}
	return err
}

// recordChange records the names that a change without a task has removed, if any.
func recordChange(tx *commit.Tx, bucket int64, s storedDefinition) error {
	if s.renamed == "" && s.dropped == "" {
		return nil
	}
	s.task, s.partition = "", 0
	err := insertChange(tx, bucket, &s)
	if err == nil {
		err = endChange(tx, bucket)
	}
	return err
}

// withdrawChange ends the preparation of a change of the bucket's schema, if there is one,
// and its task with a status. The problem is the reason.
func withdrawChange(tx *commit.Tx, state *commit.Bucket, status Status, problem string) error {
	task := ""
	found, err := tx.QueryRow("DELETE FROM schema_changes WHERE bucket = ? AND since IS NULL RETURNING task", []any{state.Num},
		func(r engine.Row) { task = r.Text(0) })
	if err != nil || !found {
		return err
	}
	if state.Next.Partition != 0 {
		if err := leavePartition(tx, state.Num, state.Next.Partition); err != nil {
			return err
		}
	}
	if err := state.Redefine(tx, commit.Next{}); err != nil {
		return err
	}
	return jobs.EndTask(tx, task, string(status), problem)
}

// leavePartition records that no bucket uses a partition any more, and drops its indexes.
// The collector deletes its objects.
func leavePartition(tx *commit.Tx, bucket, partition int64) error {
	tx.Raise(commit.Background)
	if _, err := tx.Exec("INSERT INTO old_partitions (num, bucket) VALUES (?, ?)", partition, bucket); err != nil {
		return err
	}
	return index.Abandon(tx, partition)
}

// forgetPartition deletes the record of a partition that is empty.
func forgetPartition(tx *commit.Tx, partition int64) error {
	if err := commit.ForgetTallies(tx, partition); err != nil {
		return err
	}
	_, err := tx.Exec("DELETE FROM old_partitions WHERE num = ?", partition)
	return err
}

// forgetChanges deletes what is known of the changes of a bucket that is being deleted.
func forgetChanges(tx *commit.Tx, bucket int64) error {
	_, err := tx.Exec("DELETE FROM schema_changes WHERE bucket = ?", bucket)
	return err
}

// cancelChange withdraws the change that a task prepares.
func cancelChange(tx *commit.Tx, id string) error {
	var bucket int64
	found, err := tx.QueryRow("SELECT bucket FROM schema_changes WHERE task = ? AND since IS NULL", []any{id}, func(r engine.Row) { bucket = r.Int(0) })
	if err != nil || !found {
		return err
	}
	state, err := tx.Bucket(bucket)
	if err != nil || state == nil {
		return err
	}
	return withdrawChange(tx, state, StatusCanceled, "")
}
