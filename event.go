package bucketlite

import (
	"context"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// EventKind is the kind of a change, as in "object.created".
type EventKind string

// The kinds of events.
const (
	EventNamespaceCreated EventKind = "namespace.created"
	EventNamespaceUpdated EventKind = "namespace.updated"
	EventNamespaceDeleted EventKind = "namespace.deleted" // its deletion was accepted; follows an EventBucketDeleted for each of its buckets
	EventBucketCreated    EventKind = "bucket.created"
	EventBucketUpdated    EventKind = "bucket.updated"
	EventBucketDeleted    EventKind = "bucket.deleted" // its deletion was accepted; there are no events for its objects
	EventBucketLocked     EventKind = "bucket.locked"
	EventBucketUnlocked   EventKind = "bucket.unlocked"
	EventBucketArchived   EventKind = "bucket.archived"
	EventBucketSuspended  EventKind = "bucket.suspended"
	EventBucketActivated  EventKind = "bucket.activated"
	EventObjectCreated    EventKind = "object.created"
	EventObjectUpdated    EventKind = "object.updated"   // replaced or patched; the object has a new version
	EventObjectDeleted    EventKind = "object.deleted"   // also by the store itself; see [Event].Reason
	EventObjectProcessed  EventKind = "object.processed" // its job in a batch has ended
)

// EventReason is the reason for a change that the store has made by itself.
type EventReason string

// The reasons of an EventObjectDeleted.
const (
	ReasonExpired   EventReason = "expired"   // the object's ExpiresAt has passed
	ReasonRetention EventReason = "retention" // of a limit in the bucket's Retention
)

// because returns the kind of event with a reason, as the file knows it.
func (k EventKind) because(reason EventReason) string { return string(k) + "/" + string(reason) }

// Event is one committed change. It identifies the changed item; read the item for
// its new state.
type Event struct {
	// Seq numbers the store's events from 1, without gaps, in commit order.
	Seq int64 `json:"seq"`
	// Cursor is the position after this event, for [WatchOptions].After. It is valid
	// for this store only. Its characters are A–Z a–z 0–9 _ -.
	Cursor string    `json:"cursor"`
	Kind   EventKind `json:"kind"`
	// Reason is empty for a change that a caller has made.
	Reason EventReason `json:"reason,omitempty"`
	// NamespaceID, BucketID and ObjectID identify the changed item. A namespace's
	// event has no BucketID, a bucket's event no ObjectID.
	NamespaceID string `json:"namespace_id,omitempty"`
	BucketID    string `json:"bucket_id,omitempty"`
	ObjectID    string `json:"object_id,omitempty"`
	// At is the time of the commit.
	At time.Time `json:"at"`
}

// eventSlack is the number of events that may exceed the retention, so that each
// deletion removes many.
func (o *Options) eventSlack() int64 { return max(1, int64(o.EventRetention)/16) }

// trimSlice is the number of events to delete in one transaction.
const trimSlice = 2000

// trimEvents deletes some of the oldest events, if there are too many. It never
// deletes the newest row, since a store keeps at least one event.
func (c *collector) trimEvents() (worked bool, err error) {
	s := c.store
	ctx := context.Background()
	var oldest, expired int64 // the last number in the oldest row, and of the newest event to delete
	look := func(conn *engine.Conn) error {
		_, err := conn.QueryRow("SELECT (SELECT min(last) FROM events), (SELECT max(last) FROM events)", nil, func(r engine.Row) {
			oldest, expired = r.Int(0), r.Int(1)-int64(s.opts.EventRetention)
		})
		return err
	}
	if err := s.read(ctx, look); err != nil || oldest+s.opts.eventSlack() > expired {
		return false, err
	}
	return true, s.free(ctx, func(tx *commit.Tx) error {
		return tx.TrimEvents(min(expired, oldest+trimSlice))
	})
}

// event returns the event with the number and the change of a row.
func event(row *commit.Events, seq int64, c commit.Change) Event {
	kind, reason, _ := strings.Cut(c.Kind, "/")
	return Event{
		Seq: seq, Kind: EventKind(kind), Reason: EventReason(reason),
		NamespaceID: c.Namespace, BucketID: c.Bucket, ObjectID: c.Object, At: timeOf(row.At),
	}
}
