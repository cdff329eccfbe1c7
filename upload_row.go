package bucketlite

import (
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// uploadColumns are the columns of uploads AS u that uploadRow reads.
const uploadColumns = `u.num, u.id, u.status, u.request, u.hash, u.size, u.mime_type, u.holds, u.duplicate_of, u.object, u.task,
    u.created_at, u.expires_at, u.written_at, u.ended_at`

// uploadRow is a stored upload. Its JSON is decoded later.
type uploadRow struct {
	num         int64
	namespace   string // the namespace's id
	id          string
	status      Status
	request     string
	hash        []byte // nil until bytes are written
	size        int64
	mimeType    string
	holds       bool // the upload counts as a reference to the content
	duplicateOf string
	object      string
	task        string
	created     int64
	expires     int64
	written     *time.Time
	ended       *time.Time
}

// scan reads uploadColumns, starting at column i.
func (u *uploadRow) scan(r engine.Row, i int) {
	*u = uploadRow{
		num: r.Int(i), id: r.Text(i + 1), status: Status(r.Text(i + 2)), request: r.Text(i + 3),
		hash: r.Bytes(i + 4), size: r.Int(i + 5), mimeType: r.Text(i + 6), holds: r.Int(i+7) != 0,
		duplicateOf: r.Text(i + 8), object: r.Text(i + 9), task: r.Text(i + 10),
		created: r.Int(i + 11), expires: r.Int(i + 12), written: optionalTime(r, i+13), ended: optionalTime(r, i+14),
	}
}

// insert stores a new upload of a bucket, with the unique key of an object that may exist.
// The caller has added the reference to its bytes, if it has any.
func (u *uploadRow) insert(tx *commit.Tx, bucket int64, key []byte) error {
	var size, mimeType any
	if u.hash != nil {
		size, mimeType = u.size, u.mimeType
	}
	_, err := tx.Exec(`
INSERT INTO uploads (id, bucket, status, request, hash, size, mime_type, holds, duplicate_of, object, created_at, expires_at, written_at, ended_at, key)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		u.id, bucket, string(u.status), u.request, nilIfEmpty(u.hash), size, mimeType, u.holds, nilIfBlank(u.duplicateOf),
		nilIfBlank(u.object), u.created, u.expires, nilIfNoTime(u.written), nilIfNoTime(u.ended), nilIfEmpty(key))
	return err
}

// saveContent stores which bytes the upload now has.
func (u *uploadRow) saveContent(tx *commit.Tx) error {
	_, err := tx.Exec("UPDATE uploads SET hash = ?, size = ?, mime_type = ?, holds = ?, written_at = ? WHERE num = ?",
		u.hash, u.size, u.mimeType, u.holds, nilIfNoTime(u.written), u.num)
	return err
}

// saveStatus stores the final status of an upload that keeps its bytes.
func (u *uploadRow) saveStatus(tx *commit.Tx) error {
	_, err := tx.Exec("UPDATE uploads SET status = ?, object = ?, holds = ?, ended_at = ? WHERE num = ?",
		string(u.status), nilIfBlank(u.object), u.holds, nilIfNoTime(u.ended), u.num)
	return err
}

// end sets a final status, and drops the upload's bytes.
func (u *uploadRow) end(tx *commit.Tx, status Status, at int64) error {
	_, err := tx.Exec(`
UPDATE uploads SET status = ?, hash = NULL, size = NULL, mime_type = NULL, holds = 0, duplicate_of = NULL, written_at = NULL, ended_at = ?
WHERE num = ?`, string(status), at, u.num)
	if err == nil && u.holds {
		err = content.DropHash(tx, u.hash)
	}
	return err
}

// delete deletes the upload's record, and drops its reference to the bytes.
func (u *uploadRow) delete(tx *commit.Tx) error {
	_, err := tx.Exec("DELETE FROM uploads WHERE num = ?", u.num)
	if err == nil && u.holds {
		err = content.DropHash(tx, u.hash)
	}
	return err
}

// handUpload gives a pending upload to the task that is to confirm it.
func handUpload(tx *commit.Tx, num int64, task string) error {
	_, err := tx.Exec("UPDATE uploads SET status = 'PROCESSING', task = ? WHERE num = ?", task, num)
	return err
}

// giveBackUpload makes an upload pending again that its task has not confirmed.
func giveBackUpload(tx *commit.Tx, id, task string) error {
	_, err := tx.Exec("UPDATE uploads SET status = 'PENDING' WHERE id = ? AND status = 'PROCESSING' AND task = ?", id, task)
	return err
}

// giveBackUploads makes the unconfirmed uploads of a task pending again. It runs in
// the transaction that cancels the task.
func giveBackUploads(tx *commit.Tx, task string) error {
	_, err := tx.Exec(`
UPDATE uploads SET status = 'PENDING'
WHERE id IN (SELECT i.value FROM tasks t, json_each(t.inputs) i WHERE t.id = ?1) AND status = 'PROCESSING' AND task = ?1`, task)
	return err
}
