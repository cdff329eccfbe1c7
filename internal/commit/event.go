package commit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/oklog/ulid/v2"
)

// kinds holds the kinds of events at the numbers that the file stores for them. It is
// append-only.
var kinds = [...]string{
	1: "namespace.created", 2: "namespace.updated", 3: "namespace.deleted",
	4: "bucket.created", 5: "bucket.updated", 6: "bucket.deleted",
	7: "bucket.locked", 8: "bucket.unlocked", 9: "bucket.archived", 10: "bucket.suspended", 11: "bucket.activated",
	12: "object.created", 13: "object.updated", 14: "object.deleted", 15: "object.processed",
	16: "object.deleted/expired", 17: "object.deleted/retention", // with a reason
}

// Kinds returns the kinds of events, in the order of their numbers.
func Kinds() []string { return slices.Clone(kinds[1:]) }

// Place is the namespace and the bucket of a change.
type Place struct{ Namespace, Bucket string } // ids

// Change is an event without a number.
type Change struct {
	Kind string
	Place
	Object string // the id, or "" if the change is not about an object
}

// MaxRowEvents is the maximum number of events in a row. It limits the work for one
// row, both to read it and to delete it.
const MaxRowEvents = 500

// Note adds an event to the transaction. The operation must have written the change,
// or be about to. If it fails afterwards, it fails after a write or inside an
// attempt.
func (tx *Tx) Note(kind string, at Place, object string) {
	tx.events = append(tx.events, Change{kind, at, object})
}

// writeEvents writes the transaction's events. The last row carries the running totals of
// buckets. Without events, those of the changed buckets are folded.
func (tx *Tx) writeEvents() error {
	if len(tx.events) == 0 {
		return tx.Flush()
	}
	if err := tx.saveNext(); err != nil {
		return err
	}
	if err := tx.readNewest(); err != nil {
		return err
	}
	all, err := tx.carry()
	if err != nil {
		return err
	}
	before, now, totals := tx.newest, tx.Now(), PackTotals(all)
	next := &newestRow{last: before.last, running: all, size: len(totals)}
	for rest := tx.events; len(rest) > 0; {
		row := rest[:min(MaxRowEvents, len(rest))]
		rest = rest[len(row):]
		next.last += int64(len(row))
		var carried any
		if len(rest) == 0 && totals != nil {
			carried = totals
		}
		_, err := tx.Exec("INSERT INTO events (last, count, committed_at, data, running) VALUES (?, ?, ?, ?, ?)",
			next.last, int64(len(row)), now, encodeChanges(row), carried)
		if err != nil {
			return err
		}
	}
	if before.size > maxLeft {
		if _, err := tx.Exec("UPDATE events SET running = NULL WHERE last = ?", before.last); err != nil {
			return err
		}
	}
	tx.newest = next
	if slack := tx.committer.cfg.EventSlack; before.last/slack != next.last/slack {
		tx.Raise(Background) // to trim the events
	}
	return nil
}

// TrimEvents deletes the rows that contain only events with numbers up to last, except the
// newest row, which carries the running totals of buckets.
func (tx *Tx) TrimEvents(last int64) error {
	_, err := tx.Exec("DELETE FROM events WHERE last <= ? AND last < (SELECT max(last) FROM events)", last)
	return err
}

// SelectEvents selects rows of events for [ScanEvents].
const SelectEvents = "SELECT last, count, committed_at, data FROM events "

// Events is a row of the table events.
type Events struct {
	Last  int64 // number of the newest event
	Count int64
	At    int64 // time of the commit
	Data  []byte
}

// ScanEvents returns the row that [SelectEvents] has selected.
func ScanEvents(r engine.Row) Events { return Events{r.Int(0), r.Int(1), r.Int(2), r.Bytes(3)} }

// First returns the number of the row's oldest event.
func (e *Events) First() int64 { return e.Last - e.Count + 1 }

// Check returns an error that matches [engine.ErrCorrupt] if the row cannot be read.
func (e *Events) Check() error {
	d := changeDecoder{data: e.Data}
	n := int64(0)
	for ; len(d.data) > 0 && !d.failed; n++ {
		d.change()
	}
	var err error
	switch {
	case d.failed:
		err = errPacked
	case n != e.Count:
		err = fmt.Errorf("%d expected, got %d", e.Count, n)
	default:
		return nil
	}
	return fmt.Errorf("events up to number %d: %w: %v", e.Last, engine.ErrCorrupt, err)
}

// Changes iterates over the numbers and events of a row that [Events.Check] has
// accepted. It decodes the events one by one.
func (e *Events) Changes() iter.Seq2[int64, Change] {
	return func(yield func(int64, Change) bool) {
		d := changeDecoder{data: e.Data}
		for seq := e.First(); seq <= e.Last; seq++ {
			if !yield(seq, d.change()) {
				return
			}
		}
	}
}

// encodeChanges encodes changes. Each consists of the number of its kind, the index
// of its place among the places so far, and the id of its object. A new place has the
// next index, followed by its ids.
func encodeChanges(changes []Change) []byte {
	data := make([]byte, 0, 40+20*len(changes))
	var places []Place
	at := -1
	for _, c := range changes {
		if at < 0 || places[at] != c.Place {
			at = slices.Index(places, c.Place)
		}
		data = append(data, byte(slices.Index(kinds[:], c.Kind)))
		if at >= 0 {
			data = binary.AppendUvarint(data, uint64(at))
		} else {
			at = len(places)
			places = append(places, c.Place)
			data = binary.AppendUvarint(data, uint64(at))
			data = appendID(data, ident.NamespacePrefix, c.Namespace)
			data = appendID(data, ident.BucketPrefix, c.Bucket)
		}
		data = appendID(data, ident.ObjectPrefix, c.Object)
	}
	return data
}

// packedID, in place of an id's length, is followed by the 16 bytes of a ULID.
const packedID = 0xff

// appendID appends an id: as the bytes of its ULID, if it is prefix and a ULID, and
// otherwise as text preceded by its length. An absent id has length 0.
func appendID(data []byte, prefix, id string) []byte {
	if rest, ok := strings.CutPrefix(id, prefix); ok {
		var text [ulid.EncodedSize]byte
		u, err := ulid.ParseStrict(rest)
		u.MarshalTextTo(text[:])
		if err == nil && string(text[:]) == rest { // an id chosen by a caller may have lower case letters
			return append(append(data, packedID), u[:]...)
		}
	}
	return append(append(data, byte(len(id))), id...)
}

// errPacked reports data that encodeChanges does not produce.
var errPacked = errors.New("badly packed")

// changeDecoder decodes changes. Its results are valid unless it has failed.
type changeDecoder struct {
	data   []byte // the remaining data
	places []Place
	failed bool
}

// change decodes the next change.
func (d *changeDecoder) change() Change {
	return Change{Kind: d.kind(), Place: d.place(), Object: d.id(ident.ObjectPrefix)}
}

func (d *changeDecoder) fail() { d.data, d.failed = nil, true }

// take returns the next n bytes. If there are fewer, it fails and returns nil.
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

func (d *changeDecoder) kind() string {
	code := int(d.byte())
	if code == 0 || code >= len(kinds) {
		d.fail()
		return ""
	}
	return kinds[code]
}

func (d *changeDecoder) place() Place {
	at, n := binary.Uvarint(d.data)
	if n <= 0 || at > uint64(len(d.places)) {
		d.fail()
		return Place{}
	}
	d.take(n)
	if at == uint64(len(d.places)) {
		d.places = append(d.places, Place{d.id(ident.NamespacePrefix), d.id(ident.BucketPrefix)})
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
