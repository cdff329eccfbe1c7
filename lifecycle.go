package bucketlite

import (
	"context"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// Status is the state of a bucket, an object, an upload, a batch or a task. The
// values are those of the hosted service's TaskStatusEnum.
type Status string

// The statuses of a bucket. A bucket that is being deleted has StatusInProgress.
const (
	StatusActive    Status = "ACTIVE"
	StatusArchived  Status = "ARCHIVED"
	StatusSuspended Status = "SUSPENDED"
)

// The statuses of objects, uploads, batches, jobs and tasks.
const (
	StatusDraft               Status = "DRAFT"
	StatusPending             Status = "PENDING"
	StatusInProgress          Status = "IN_PROGRESS"
	StatusProcessing          Status = "PROCESSING"
	StatusCompleted           Status = "COMPLETED"
	StatusCompletedWithErrors Status = "COMPLETED_WITH_ERRORS"
	StatusFailed              Status = "FAILED"
	StatusCanceled            Status = "CANCELED"
	StatusSkipped             Status = "SKIPPED"
)

// access is a kind of access to a bucket. Reading the bucket's info and statistics is
// always allowed.
type access int

const (
	readObjects access = iota
	writeObjects
	changeInfo
	deleteBucket
	changeSchema
)

var accessNames = [...]string{"read objects", "write objects", "change its info", "be deleted", "change its schema"}

// statusRules holds the accesses that each status allows. A locked bucket allows only
// readObjects, and only if its status does.
var statusRules = map[Status][5]bool{
	StatusActive:     {readObjects: true, writeObjects: true, changeInfo: true, deleteBucket: true, changeSchema: true},
	StatusArchived:   {readObjects: true, changeInfo: true, deleteBucket: true},
	StatusSuspended:  {changeInfo: true, deleteBucket: true},
	StatusInProgress: {},
}

// permit returns a [*StateError] if a bucket with the name, status and lock forbids
// the access. A lock is reported before the status.
func permit(name string, status Status, locked bool, a access) error {
	lockForbids := locked && a != readObjects
	if !lockForbids && statusRules[status][a] {
		return nil
	}
	return &StateError{Bucket: name, Action: accessNames[a], Status: status, Locked: lockForbids}
}

// permitState is permit for a bucket's state inside a transaction.
func permitState(state *commit.Bucket, a access) error {
	return permit(state.Name, Status(state.Status), state.Locked, a)
}

// permit is [permit] for the bucket's committed state, as a reader sees it.
func (b *Bucket) permit(c *engine.Conn, a access) error {
	verdict := b.gone()
	_, err := c.QueryRow("SELECT name, status, is_locked FROM buckets WHERE num = ?", []any{b.num}, func(r engine.Row) {
		verdict = permit(r.Text(0), Status(r.Text(1)), r.Int(2) != 0, a)
	})
	if err != nil {
		return err
	}
	return verdict
}

// mayWrite returns an error if the committed state of the bucket forbids to write objects.
// It spares a call that reads objects first the work; the write asks again.
func (b *Bucket) mayWrite(ctx context.Context) error {
	return b.store.read(ctx, func(c *engine.Conn) error { return b.permit(c, writeObjects) })
}

// transitions holds the statuses that each status can change to.
var transitions = map[Status][]Status{
	StatusActive:    {StatusArchived, StatusSuspended},
	StatusArchived:  {StatusActive},
	StatusSuspended: {StatusActive, StatusArchived},
}

// transitionEvents holds the event of each transition, by the new status.
var transitionEvents = map[Status]EventKind{StatusActive: EventBucketActivated, StatusArchived: EventBucketArchived, StatusSuspended: EventBucketSuspended}

// Activate makes an archived or suspended bucket active again.
//
// Errors of Activate, Archive and Suspend: [ErrNotFound], [ErrLocked], and
// [ErrNotActive] if the current status does not allow the change. A change to the
// current status does nothing and succeeds.
func (b *Bucket) Activate(ctx context.Context) error {
	return b.transit(ctx, StatusActive, "be activated")
}

// Archive makes a bucket read-only until it is activated. Errors: see
// [Bucket.Activate].
func (b *Bucket) Archive(ctx context.Context) error {
	return b.transit(ctx, StatusArchived, "be archived")
}

// Suspend stops both reads and writes of an active bucket's objects, until the bucket is
// activated or archived. Errors: see [Bucket.Activate].
func (b *Bucket) Suspend(ctx context.Context) error {
	return b.transit(ctx, StatusSuspended, "be suspended")
}

// Lock makes a bucket read-only, whatever its status, until it is unlocked. A locked
// bucket can neither change its status nor be deleted. Locking a locked bucket
// succeeds. Errors: [ErrNotFound], and [ErrNotActive] if the bucket is being deleted.
func (b *Bucket) Lock(ctx context.Context) error { return b.setLocked(ctx, true, "be locked") }

// Unlock reverses Lock. The errors are those of Lock.
func (b *Bucket) Unlock(ctx context.Context) error { return b.setLocked(ctx, false, "be unlocked") }

func (b *Bucket) transit(ctx context.Context, to Status, action string) error {
	return b.store.write(ctx, func(tx *commit.Tx) error {
		state, err := b.state(tx)
		if err != nil || state.Status == string(to) {
			return err
		}
		allowed := false
		for _, s := range transitions[Status(state.Status)] {
			allowed = allowed || s == to
		}
		if state.Locked || !allowed {
			return &StateError{Bucket: state.Name, Action: action, Status: Status(state.Status), Locked: state.Locked}
		}
		_, err = tx.Exec("UPDATE buckets SET status = ?, updated_at = ? WHERE num = ?", string(to), b.store.now(), b.num)
		state.Status = string(to)
		tx.Note(string(transitionEvents[to]), state.Place, "")
		return err
	})
}

func (b *Bucket) setLocked(ctx context.Context, locked bool, action string) error {
	return b.store.write(ctx, func(tx *commit.Tx) error {
		state, err := b.state(tx)
		if err != nil {
			return err
		}
		if state.Status == string(StatusInProgress) {
			return &StateError{Bucket: state.Name, Action: action, Status: Status(state.Status)}
		}
		if state.Locked == locked {
			return nil
		}
		_, err = tx.Exec("UPDATE buckets SET is_locked = ?, updated_at = ? WHERE num = ?", locked, b.store.now(), b.num)
		state.Locked = locked
		kind := EventBucketUnlocked
		if locked {
			kind = EventBucketLocked
		}
		tx.Note(string(kind), state.Place, "")
		return err
	})
}

// state returns the bucket's state inside the transaction. The transaction holds the
// write lock, so once a transition has been committed, no process can commit a write
// that the new status forbids.
func (b *Bucket) state(tx *commit.Tx) (*commit.Bucket, error) {
	state, err := tx.Bucket(b.num)
	if err == nil && state == nil {
		err = b.gone()
	}
	return state, err
}

// gone returns the error for a bucket that was deleted after its handle was made.
func (t *target) gone() error { return notFound("%s", t) }

// permitted returns the bucket's state, or an error if it forbids the access.
func (b *Bucket) permitted(tx *commit.Tx, a access) (*commit.Bucket, error) {
	state, err := b.state(tx)
	if err == nil {
		err = permitState(state, a)
	}
	return state, err
}
