package jobs

import "github.com/bucketlite/bucketlite/internal/commit"

// The status of an object is that of the last batch that has touched it. All statements
// that write the status of objects on behalf of jobs are in this file. They write the rows
// of the objects in the partition that a change of the schema prepares, too. Seqs of
// objects are those that their jobs have.

// eachPartition calls f with the partitions of a bucket in which its objects may have rows.
func eachPartition(tx *commit.Tx, bucket int64, f func(partition int64) error) error {
	state, err := tx.Bucket(bucket)
	if err != nil || state == nil {
		return err
	}
	if err := f(state.Partition); err != nil || state.Next.Partition == 0 {
		return err
	}
	return f(state.Next.Partition)
}

// updateObject runs an update of the object of a job; its first parameter is the seq.
func updateObject(tx *commit.Tx, bucket, seq int64, update string, args ...any) error {
	return eachPartition(tx, bucket, func(partition int64) error {
		_, err := tx.Exec(update, append([]any{commit.Seq(partition, commit.Position(seq))}, args...)...)
		return err
	})
}

// markQueued sets the status of the objects of the queued jobs of a batch between two
// positions, except objects that a job of another batch has queued or is processing.
func markQueued(tx *commit.Tx, b *Batch, first, last int64) error {
	return eachPartition(tx, b.Bucket, func(partition int64) error {
		_, err := tx.Exec(`
UPDATE object SET status = 'PENDING', error = NULL
WHERE seq IN (SELECT `+seqOfJob+` FROM jobs WHERE batch = ?2 AND position BETWEEN ?3 AND ?4 AND status = 'PENDING')
    AND status NOT IN ('PENDING', 'PROCESSING')`, partition, b.Num, first, last)
		return err
	})
}

// markReleased resets the objects of the open jobs of a batch between two positions to
// drafts, except objects that another batch has yet to process.
func markReleased(tx *commit.Tx, b *Batch, first, last int64) error {
	return eachPartition(tx, b.Bucket, func(partition int64) error {
		_, err := tx.Exec(`
UPDATE object SET status = 'DRAFT'
WHERE seq IN (SELECT `+seqOfJob+` FROM jobs WHERE batch = ?2 AND position BETWEEN ?3 AND ?4 AND status IN ('PENDING', 'PROCESSING'))
    AND status IN ('PENDING', 'PROCESSING')
    AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.seq = (?5 << 40) | (object.seq & 0xffffffffff)
        AND j.status IN ('PENDING', 'PROCESSING') AND j.batch <> ?2)`,
			partition, b.Num, first, last, b.Bucket)
		return err
	})
}

// markHandedOut sets the status of an object whose job is handed out.
func markHandedOut(tx *commit.Tx, bucket, seq int64) error {
	return updateObject(tx, bucket, seq, "UPDATE object SET status = 'PROCESSING', error = NULL WHERE seq = ? AND status <> 'PROCESSING'")
}

// markRequeued sets the status of an object whose job goes back into the queue, unless
// another batch has changed the status meanwhile.
func markRequeued(tx *commit.Tx, bucket, seq int64) error {
	return updateObject(tx, bucket, seq, "UPDATE object SET status = 'PENDING' WHERE seq = ? AND status = 'PROCESSING'")
}

// markEnded sets the status of an object whose job has ended; message is nil unless the
// job failed.
func markEnded(tx *commit.Tx, bucket, seq int64, status string, message any) error {
	return updateObject(tx, bucket, seq, "UPDATE object SET status = ?2, error = ?3 WHERE seq = ?1", status, message)
}

// passOver handles an object whose content has changed since it was handed out. It is a
// draft, or queued again, and stays so. Only if its status comes from the job that has
// just ended, it becomes a draft too.
func passOver(tx *commit.Tx, bucket, seq int64) error {
	return updateObject(tx, bucket, seq, `
UPDATE object SET status = 'DRAFT'
WHERE seq = ?1 AND status IN ('PENDING', 'PROCESSING')
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE seq = ?2 AND status IN ('PENDING', 'PROCESSING'))`, seq)
}
