package bucketlite

import (
	"context"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// uploadRetention is how long the record of an upload is kept after the upload ended.
const uploadRetention = 30 * 24 * time.Hour

// expireUploads ends some uploads that were not confirmed in time.
func (c *collector) expireUploads() (worked bool, err error) {
	const expired = "SELECT " + uploadColumns + " FROM uploads u WHERE u.status = 'PENDING' AND u.expires_at <= ? LIMIT ?"
	return c.eachUpload(expired, c.store.now(), func(tx *commit.Tx, u *uploadRow) error {
		return u.end(tx, StatusFailed, u.expires)
	})
}

// forgetUploads deletes the records of some uploads that ended long ago. It keeps
// uploads whose bytes no object uses, since these hold the only reference. The
// condition must equal that of a partial index word for word, so that SQLite uses the
// index.
func (c *collector) forgetUploads() (worked bool, err error) {
	const ended = "SELECT " + uploadColumns + ` FROM uploads u
WHERE u.ended_at <= ? AND (u.status <> 'COMPLETED' OR u.holds = 0 OR u.object IS NOT NULL) LIMIT ?`
	before := c.store.opts.Now().Add(-uploadRetention).UnixMicro()
	return c.eachUpload(ended, before, func(tx *commit.Tx, u *uploadRow) error { return u.delete(tx) })
}

// eachUpload calls do with the first uploads of a query, whose arguments are a time
// and a number of rows.
func (c *collector) eachUpload(query string, at int64, do func(*commit.Tx, *uploadRow) error) (worked bool, err error) {
	ctx := context.Background()
	err = c.store.read(ctx, func(conn *engine.Conn) (err error) {
		worked, err = conn.QueryRow(query, []any{at, int64(1)}, nil)
		return err
	})
	if err != nil || !worked {
		return false, err
	}
	return true, c.store.free(ctx, func(tx *commit.Tx) error {
		rows, err := firstUploads(tx, query, at)
		for i := 0; i < len(rows) && err == nil; i++ {
			err = do(tx, &rows[i])
		}
		return err
	})
}

// firstUploads returns one slice of the uploads of a query, whose arguments are arg
// and a number of rows.
func firstUploads(tx *commit.Tx, query string, arg int64) (rows []uploadRow, err error) {
	err = tx.Query(query, []any{arg, int64(deleteSlice)}, func(r engine.Row) error {
		rows = append(rows, uploadRow{})
		rows[len(rows)-1].scan(r, 0)
		return nil
	})
	return rows, err
}

// deleteUploads deletes the first uploads of a bucket that is being deleted, and
// reports whether none is left.
func deleteUploads(tx *commit.Tx, bucket int64) (done bool, err error) {
	rows, err := firstUploads(tx, "SELECT "+uploadColumns+" FROM uploads u WHERE u.bucket = ? ORDER BY u.num LIMIT ?", bucket)
	for i := 0; i < len(rows) && err == nil; i++ {
		err = rows[i].delete(tx)
	}
	return len(rows) < deleteSlice, err
}
