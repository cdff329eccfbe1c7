package bucketlite

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/oklog/ulid/v2"
)

// EventKind says what happened, as in "object.created".
type EventKind string

// The kinds of events.
const (
	EventNamespaceCreated EventKind = "namespace.created"
	EventNamespaceUpdated EventKind = "namespace.updated"
	EventNamespaceDeleted EventKind = "namespace.deleted" // its deletion was accepted; after one EventBucketDeleted for each of its buckets
	EventBucketCreated    EventKind = "bucket.created"
	EventBucketUpdated    EventKind = "bucket.updated"
	EventBucketDeleted    EventKind = "bucket.deleted" // its deletion was accepted; stands for all its objects
	EventBucketLocked     EventKind = "bucket.locked"
	EventBucketUnlocked   EventKind = "bucket.unlocked"
	EventBucketArchived   EventKind = "bucket.archived"
	EventBucketSuspended  EventKind = "bucket.suspended"
	EventBucketActivated  EventKind = "bucket.activated"
	EventObjectCreated    EventKind = "object.created"
	EventObjectUpdated    EventKind = "object.updated" // replaced or patched; it has a new version
	EventObjectDeleted    EventKind = "object.deleted"
	EventObjectProcessed  EventKind = "object.processed" // its job in a batch has ended
)

// Event is one committed change. It says what changed, not how: whoever wants to
// know reads the object.
type Event struct {
	// Seq numbers the store's events, from 1 and without gaps, in the order in
	// which they were committed.
	Seq int64 `json:"seq"`
	// Cursor is the point after this event, for [WatchOptions].After. It belongs to
	// the store, and consists of the characters A–Z a–z 0–9 _ -.
	Cursor string    `json:"cursor"`
	Kind   EventKind `json:"kind"`
	// NamespaceID, BucketID and ObjectID say what the event is about. A namespace's
	// has no BucketID, a bucket's no ObjectID.
	NamespaceID string `json:"namespace_id,omitempty"`
	BucketID    string `json:"bucket_id,omitempty"`
	ObjectID    string `json:"object_id,omitempty"`
	// At is when it was committed.
	At time.Time `json:"at"`
}

// eventKinds holds each kind at the number that stands for it in the file. It is
// append-only.
var eventKinds = [...]EventKind{
	1: EventNamespaceCreated, 2: EventNamespaceUpdated, 3: EventNamespaceDeleted,
	4: EventBucketCreated, 5: EventBucketUpdated, 6: EventBucketDeleted,
	7: EventBucketLocked, 8: EventBucketUnlocked, 9: EventBucketArchived, 10: EventBucketSuspended, 11: EventBucketActivated,
	12: EventObjectCreated, 13: EventObjectUpdated, 14: EventObjectDeleted, 15: EventObjectProcessed,
}

// place is where a change happened.
type place struct{ namespace, bucket string } // ids

// change is an event that has no number yet.
type change struct {
	kind EventKind
	place
	object string
}

// maxRowEvents is how many events a row holds at most, so that a reader need not
// take more at a time, and old ones can go bit by bit.
const maxRowEvents = 500

// note adds an event to those of the group. An operation that notes one has
// written, or is about to; if it fails it does so after a write or in an attempt.
func (g *group) note(kind EventKind, at place, object string) {
	g.events = append(g.events, change{kind, at, object})
}

// writeEvents writes the group's events.
func (g *group) writeEvents(tx *engine.Tx) error {
	if len(g.events) == 0 {
		return nil
	}
	if g.lastEvent == 0 {
		if _, err := tx.QueryRow("SELECT max(last) FROM events", nil, func(r engine.Row) { g.lastEvent = r.Int(0) }); err != nil {
			return err
		}
	}
	before, now := g.lastEvent, g.store.now()
	for changes := range slices.Chunk(g.events, maxRowEvents) {
		count := int64(len(changes))
		g.lastEvent += count
		_, err := tx.Exec("INSERT INTO events (last, count, at, data) VALUES (?, ?, ?, ?)", g.lastEvent, count, now, encodeChanges(changes))
		if err != nil {
			return err
		}
	}
	if slack := g.store.opts.eventSlack(); before/slack != g.lastEvent/slack {
		g.wake = true
	}
	return nil
}

// eventSlack is by how many the events may exceed their retention, so that old
// ones go many at a time.
func (o *Options) eventSlack() int64 { return max(1, int64(o.EventRetention)/16) }

// trimSlice is how many events go in one transaction.
const trimSlice = 2000

// trimEvents deletes some of the oldest events, if there are too many. The newest
// row stays in any case, since at least one event is to be kept.
func (c *collector) trimEvents() (worked bool, err error) {
	s := c.store
	ctx := context.Background()
	var oldest, expired int64 // the last number in the oldest row, and of what may go
	look := func(conn *engine.Conn) error {
		_, err := conn.QueryRow("SELECT (SELECT min(last) FROM events), (SELECT max(last) FROM events)", nil, func(r engine.Row) {
			oldest, expired = r.Int(0), r.Int(1)-int64(s.opts.EventRetention)
		})
		return err
	}
	if err := s.read(ctx, look); err != nil || oldest+s.opts.eventSlack() > expired {
		return false, err
	}
	return true, s.free(ctx, func(tx *engine.Tx, g *group) error {
		_, err := tx.Exec("DELETE FROM events WHERE last <= ?", min(expired, oldest+trimSlice))
		return err
	})
}

// eventRow is a row of the table events.
type eventRow struct {
	last, count, at int64
	data            []byte
}

// decode returns the row's events, but for their cursors.
func (r *eventRow) decode() ([]Event, error) {
	changes, err := decodeChanges(r.data)
	if err == nil && int64(len(changes)) != r.count {
		err = errorf("%d expected, got %d", r.count, len(changes))
	}
	if err != nil {
		return nil, errorf("events up to number %d: %w: %v", r.last, ErrCorrupt, err)
	}
	events := make([]Event, len(changes))
	for i, c := range changes {
		events[i] = r.event(int64(i), c)
	}
	return events, nil
}

// event returns the event of the row's change number i.
func (r *eventRow) event(i int64, c change) Event {
	return Event{
		Seq: r.last - r.count + 1 + i, Kind: c.kind,
		NamespaceID: c.namespace, BucketID: c.bucket, ObjectID: c.object, At: timeOf(r.at),
	}
}

// check judges the row as decode does, and keeps nothing of it.
func (r *eventRow) check() error {
	d := changeDecoder{data: r.data}
	n := int64(0)
	for ; len(d.data) > 0; n++ {
		d.change()
	}
	if d.failed || n != r.count {
		_, err := r.decode()
		return err
	}
	return nil
}

// encodeChanges packs changes. Each is its kind's number, the number of its place
// among those that have occurred, and its object's id. A place that has not
// occurred has the next number, and its ids follow.
func encodeChanges(changes []change) []byte {
	data := make([]byte, 0, 40+20*len(changes))
	var places []place
	at := -1
	for _, c := range changes {
		if at < 0 || places[at] != c.place {
			at = slices.Index(places, c.place)
		}
		data = append(data, byte(slices.Index(eventKinds[:], c.kind)))
		if at >= 0 {
			data = binary.AppendUvarint(data, uint64(at))
		} else {
			at = len(places)
			places = append(places, c.place)
			data = binary.AppendUvarint(data, uint64(at))
			data = appendID(data, ident.NamespacePrefix, c.namespace)
			data = appendID(data, ident.BucketPrefix, c.bucket)
		}
		data = appendID(data, ident.ObjectPrefix, c.object)
	}
	return data
}

// packedID, in the place of an id's length, says that a ULID's 16 bytes follow.
const packedID = 0xff

// appendID appends an id, as a ULID if it is prefix and one, else as text with
// its length before it. One of length 0 stands for none.
func appendID(data []byte, prefix, id string) []byte {
	if rest, ok := strings.CutPrefix(id, prefix); ok {
		var text [ulid.EncodedSize]byte
		u, err := ulid.ParseStrict(rest)
		u.MarshalTextTo(text[:])
		if err == nil && string(text[:]) == rest { // a caller's own may have lower case letters
			return append(append(data, packedID), u[:]...)
		}
	}
	return append(append(data, byte(len(id))), id...)
}

// errPacked says that something is not what encodeChanges makes.
var errPacked = errors.New("badly packed")

// decodeChanges is the inverse of encodeChanges.
func decodeChanges(data []byte) ([]change, error) {
	d := changeDecoder{data: data}
	var changes []change
	for len(d.data) > 0 {
		c := d.change()
		if d.failed {
			return nil, errPacked
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// changeDecoder takes changes apart. What it returns is good unless it has failed.
type changeDecoder struct {
	data   []byte // what is left
	places []place
	failed bool
}

// change takes the next change.
func (d *changeDecoder) change() change {
	return change{kind: d.kind(), place: d.place(), object: d.id(ident.ObjectPrefix)}
}

func (d *changeDecoder) fail() { d.data, d.failed = nil, true }

// take returns the next n bytes, or fails and returns none.
func (d *changeDecoder) take(n int) []byte {
	if len(d.data) < n {
		d.fail()
		return nil
	}
	taken := d.data[:n]
	d.data = d.data[n:]
	return taken
}

func (d *changeDecoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *changeDecoder) kind() EventKind {
	code := int(d.byte())
	if code == 0 || code >= len(eventKinds) {
		d.fail()
		return ""
	}
	return eventKinds[code]
}

func (d *changeDecoder) place() place {
	at, n := binary.Uvarint(d.data)
	if n <= 0 || at > uint64(len(d.places)) {
		d.fail()
		return place{}
	}
	d.take(n)
	if at == uint64(len(d.places)) {
		d.places = append(d.places, place{d.id(ident.NamespacePrefix), d.id(ident.BucketPrefix)})
	}
	return d.places[at]
}

func (d *changeDecoder) id(prefix string) string {
	n := d.byte()
	if n != packedID {
		text := string(d.take(int(n)))
		if text != "" && !ident.IsObject(text) {
			d.fail()
		}
		return text
	}
	var u ulid.ULID
	if raw := d.take(len(u)); raw != nil {
		copy(u[:], raw)
	}
	return prefix + u.String()
}
