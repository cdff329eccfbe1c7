package jobs

import (
	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/index"
)

// The status of an object is that of the last batch that has touched it. All statements
// that write the status of objects on behalf of jobs are in this file. They write the rows
// of the objects in the partition that a change of the schema prepares, too, and the indexes
// of the status and the error. Seqs of objects are those that their jobs have.

// eachPartition calls f with the state of a bucket and the partitions in which its objects
// may have rows.
func eachPartition(tx *commit.Tx, bucket int64, f func(state *commit.Bucket, partition int64) error) error {
	state, err := tx.Bucket(bucket)
	if err != nil || state == nil {
		return err
	}
	if err := f(state, state.Partition); err != nil || state.Next.Partition == 0 {
		return err
	}
	return f(state, state.Next.Partition)
}

// restateObject changes the object of a job. The conditions beside its seq have parameters
// from 2 on.
func restateObject(tx *commit.Tx, bucket, seq int64, r index.Restatement) error {
	return eachPartition(tx, bucket, func(state *commit.Bucket, partition int64) error {
		own := r
		own.Where = "seq = ?1" + r.Where
		own.Args = append([]any{commit.Seq(partition, commit.Position(seq))}, r.Args...)
		return own.Run(tx, state, partition)
	})
}

// markQueued sets the status of the objects of the queued jobs of a batch between two
// positions, except objects that a job of another batch has queued or is processing.
func markQueued(tx *commit.Tx, b *Batch, first, last int64) error {
	return eachPartition(tx, b.Bucket, func(state *commit.Bucket, partition int64) error {
		r := index.Restatement{Status: "PENDING", Set: ", error = NULL", Where: `
seq IN (SELECT ` + seqOfJob + ` FROM jobs WHERE batch = ?2 AND position BETWEEN ?3 AND ?4 AND status = 'PENDING')
    AND status NOT IN ('PENDING', 'PROCESSING')`, Args: []any{partition, b.Num, first, last}}
		return r.Run(tx, state, partition)
	})
}

// markReleased resets the objects of the open jobs of a batch between two positions to
// drafts, except objects that another batch has yet to process.
func markReleased(tx *commit.Tx, b *Batch, first, last int64) error {
	return eachPartition(tx, b.Bucket, func(state *commit.Bucket, partition int64) error {
		tx.Raise(commit.Drafts)
		r := index.Restatement{Status: "DRAFT", Where: `
seq IN (SELECT ` + seqOfJob + ` FROM jobs WHERE batch = ?2 AND position BETWEEN ?3 AND ?4 AND status IN ('PENDING', 'PROCESSING'))
    AND status IN ('PENDING', 'PROCESSING')
    AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.seq = (?5 << 40) | (object.seq & 0xffffffffff)
        AND j.status IN ('PENDING', 'PROCESSING') AND j.batch <> ?2)`, Args: []any{partition, b.Num, first, last, b.Bucket}}
		return r.Run(tx, state, partition)
	})
}

// markHandedOut sets the status of an object whose job is handed out.
func markHandedOut(tx *commit.Tx, bucket, seq int64, from string) error {
	return restateObject(tx, bucket, seq, index.Restatement{From: from, Status: "PROCESSING", Set: ", error = NULL", Where: " AND status <> 'PROCESSING'"})
}

// markRequeued sets the status of an object whose job goes back into the queue, unless
// another batch has changed the status meanwhile.
func markRequeued(tx *commit.Tx, bucket, seq int64) error {
	return restateObject(tx, bucket, seq, index.Restatement{From: "PROCESSING", Status: "PENDING", Where: " AND status = 'PROCESSING'"})
}

// markEnded sets the status of an object whose job has ended; message is nil unless the
// job failed.
func markEnded(tx *commit.Tx, bucket, seq int64, from, status string, message any) error {
	return restateObject(tx, bucket, seq, index.Restatement{From: from, Status: status, Set: ", error = ?2", Values: []any{message}})
}

// passOver handles an object whose content has changed since it was handed out. It is a
// draft, or queued again, and stays so. Only if its status comes from the job that has
// just ended, it becomes a draft too.
func passOver(tx *commit.Tx, bucket, seq int64) error {
	tx.Raise(commit.Drafts)
	return restateObject(tx, bucket, seq, index.Restatement{Status: "DRAFT", Where: `
    AND status IN ('PENDING', 'PROCESSING')
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE seq = ?2 AND status IN ('PENDING', 'PROCESSING'))`, Args: []any{seq}})
}
