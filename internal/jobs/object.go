package jobs

import "github.com/bucketlite/bucketlite/internal/commit"

// The status of an object is that of the last batch that has touched it. All statements
// that write the status of objects on behalf of jobs are in this file.

// markQueued sets the status of the objects of the queued jobs of a batch between two
// positions, except objects that a job of another batch has queued or is processing.
func markQueued(tx *commit.Tx, batch, first, last int64) error {
	_, err := tx.Exec(`
UPDATE object SET status = 'PENDING', error = NULL
WHERE seq IN (SELECT seq FROM jobs WHERE batch = ? AND position BETWEEN ? AND ? AND status = 'PENDING')
    AND status NOT IN ('PENDING', 'PROCESSING')`, batch, first, last)
	return err
}

// markReleased resets the objects of the open jobs of a batch between two positions to
// drafts, except objects that another batch has yet to process.
func markReleased(tx *commit.Tx, batch, first, last int64) error {
	_, err := tx.Exec(`
UPDATE object SET status = 'DRAFT'
WHERE seq IN (SELECT seq FROM jobs WHERE batch = ?1 AND position BETWEEN ?2 AND ?3 AND status IN ('PENDING', 'PROCESSING'))
    AND status IN ('PENDING', 'PROCESSING')
    AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.seq = object.seq AND j.status IN ('PENDING', 'PROCESSING') AND j.batch <> ?1)`,
		batch, first, last)
	return err
}

// markHandedOut sets the status of an object whose job is handed out.
func markHandedOut(tx *commit.Tx, seq int64) error {
	_, err := tx.Exec("UPDATE object SET status = 'PROCESSING', error = NULL WHERE seq = ? AND status <> 'PROCESSING'", seq)
	return err
}

// markRequeued sets the status of an object whose job goes back into the queue, unless
// another batch has changed the status meanwhile.
func markRequeued(tx *commit.Tx, seq int64) error {
	_, err := tx.Exec("UPDATE object SET status = 'PENDING' WHERE seq = ? AND status = 'PROCESSING'", seq)
	return err
}

// markEnded sets the status of an object whose job has ended; message is nil unless the
// job failed.
func markEnded(tx *commit.Tx, seq int64, status string, message any) error {
	_, err := tx.Exec("UPDATE object SET status = ?, error = ? WHERE seq = ?", status, message, seq)
	return err
}

// passOver handles an object whose content has changed since it was handed out. It is a
// draft, or queued again, and stays so. Only if its status comes from the job that has
// just ended, it becomes a draft too.
func passOver(tx *commit.Tx, seq int64) error {
	_, err := tx.Exec(`
UPDATE object SET status = 'DRAFT'
WHERE seq = ?1 AND status IN ('PENDING', 'PROCESSING')
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE seq = ?1 AND status IN ('PENDING', 'PROCESSING'))`, seq)
	return err
}
