package bucketlite

import (
	"context"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// Status is where a bucket, an object, an upload, a batch or a task stands. The
// values are those of the hosted service's TaskStatusEnum.
type Status string

// The statuses of a bucket. One in progress is being deleted.
const (
	StatusActive    Status = "ACTIVE"
	StatusArchived  Status = "ARCHIVED"
	StatusSuspended Status = "SUSPENDED"
)

// The statuses of objects, uploads, batches, jobs and tasks, besides InProgress.
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

// access is what a call wants of a bucket. Reading its info and statistics is
// always allowed.
type access int

const (
	readObjects access = iota
	writeObjects
	changeInfo
	deleteBucket
)

var accessNames = [...]string{"read objects", "write objects", "change its info", "be deleted"}

// statusRules is what each status allows; a locked bucket allows readObjects
// alone, and that only if its status does.
var statusRules = map[Status][4]bool{
	StatusActive:     {readObjects: true, writeObjects: true, changeInfo: true, deleteBucket: true},
	StatusArchived:   {readObjects: true, changeInfo: true, deleteBucket: true},
	StatusSuspended:  {changeInfo: true, deleteBucket: true},
	StatusInProgress: {},
}

// permit returns a [*StateError] if a bucket of that name and state forbids the
// access. A lock is reported before the status.
func permit(name string, status Status, locked bool, a access) error {
	lockForbids := locked && a != readObjects
	if !lockForbids && statusRules[status][a] {
		return nil
	}
	return &StateError{Bucket: name, Action: accessNames[a], Status: status, Locked: lockForbids}
}

// transitions holds for each status the ones it can turn into, beside itself.
var transitions = map[Status][]Status{
	StatusActive:    {StatusArchived, StatusSuspended},
	StatusArchived:  {StatusActive},
	StatusSuspended: {StatusActive, StatusArchived},
}

// transitionEvents are the events of the transitions, by the status they lead to.
var transitionEvents = map[Status]EventKind{StatusActive: EventBucketActivated, StatusArchived: EventBucketArchived, StatusSuspended: EventBucketSuspended}

// Activate makes an archived or suspended bucket active again.
//
// Errors, of this and the other transitions: [ErrNotFound], [ErrLocked], and
// [ErrNotActive] where the status does not allow it. A transition to the status
// the bucket has changes nothing and succeeds.
func (b *Bucket) Activate(ctx context.Context) error {
	return b.transit(ctx, StatusActive, "be activated")
}

// Archive makes a bucket read-only for the time being.
func (b *Bucket) Archive(ctx context.Context) error {
	return b.transit(ctx, StatusArchived, "be archived")
}

// Suspend closes an active bucket's objects to reading as well as writing.
func (b *Bucket) Suspend(ctx context.Context) error {
	return b.transit(ctx, StatusSuspended, "be suspended")
}

// Lock makes a bucket read-only, whatever its status, until it is unlocked. A
// locked bucket cannot change its status or be deleted.
func (b *Bucket) Lock(ctx context.Context) error { return b.setLocked(ctx, true, "be locked") }

// Unlock takes back Lock.
func (b *Bucket) Unlock(ctx context.Context) error { return b.setLocked(ctx, false, "be unlocked") }

func (b *Bucket) transit(ctx context.Context, to Status, action string) error {
	return b.store.write(ctx, func(tx *engine.Tx, g *group) error {
		state, err := b.state(tx, g)
		if err != nil || state.status == to {
			return err
		}
		allowed := false
		for _, s := range transitions[state.status] {
			allowed = allowed || s == to
		}
		if state.locked || !allowed {
			return &StateError{Bucket: state.name, Action: action, Status: state.status, Locked: state.locked}
		}
		_, err = tx.Exec("UPDATE buckets SET status = ?, updated_at = ? WHERE num = ?", string(to), b.store.now(), b.num)
		state.status = to
		g.note(transitionEvents[to], state.place, "")
		return err
	})
}

func (b *Bucket) setLocked(ctx context.Context, locked bool, action string) error {
	return b.store.write(ctx, func(tx *engine.Tx, g *group) error {
		state, err := b.state(tx, g)
		if err != nil {
			return err
		}
		if state.status == StatusInProgress {
			return &StateError{Bucket: state.name, Action: action, Status: state.status}
		}
		if state.locked == locked {
			return nil
		}
		_, err = tx.Exec("UPDATE buckets SET locked = ?, updated_at = ? WHERE num = ?", locked, b.store.now(), b.num)
		state.locked = locked
		kind := EventBucketUnlocked
		if locked {
			kind = EventBucketLocked
		}
		g.note(kind, state.place, "")
		return err
	})
}

// state returns the bucket as the transaction sees it. Because the transaction
// holds the write lock, no write can commit after a transition that forbids it,
// from whatever process.
func (b *Bucket) state(tx *engine.Tx, g *group) (*bucketState, error) {
	state, err := g.bucket(tx, b.num)
	if err == nil && state == nil {
		err = b.gone()
	}
	return state, err
}

// writable returns the bucket's state if it allows objects to be written.
func (b *Bucket) writable(tx *engine.Tx, g *group) (*bucketState, error) {
	state, err := b.state(tx, g)
	if err == nil {
		err = permit(state.name, state.status, state.locked, writeObjects)
	}
	return state, err
}
