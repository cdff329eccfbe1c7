package commit

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// HourMicros is the number of microseconds in an hour.
const HourMicros = 3600 * 1_000_000

// HourOf returns the hour of a time in stored form, in hours since 1970.
func HourOf(at int64) int64 {
	hour := at / HourMicros
	if at%HourMicros < 0 {
		hour--
	}
	return hour
}

// Hour holds the number and the total size of the objects created in an hour, or the
// changes of both.
type Hour struct{ Hour, Objects, Size int64 }

// StatusCount holds the number of the objects with a status, or its change.
type StatusCount struct {
	Status  string
	Objects int64
}

// Tally counts objects by the hour of their creation and by their status. The zero Tally
// is empty.
type Tally struct {
	hours    []Hour // may have an hour several times
	statuses []StatusCount
	merged   int // number of hours after the last merge
}

// minHours is the number of hours up to which a Tally does not merge them by itself.
const minHours = 1024

// AddHour adds to the counts of an hour. Objects that follow one another mostly have the
// same hour.
func (t *Tally) AddHour(hour, objects, size int64) {
	if n := len(t.hours); n > 0 && t.hours[n-1].Hour == hour {
		t.hours[n-1].Objects += objects
		t.hours[n-1].Size += size
		return
	}
	if len(t.hours) >= max(minHours, 2*t.merged) {
		t.merge()
	}
	t.hours = append(t.hours, Hour{hour, objects, size})
}

// AddStatus adds to the number of objects with a status. It copies the status.
func (t *Tally) AddStatus(status string, objects int64) {
	for i := range t.statuses {
		if t.statuses[i].Status == status {
			t.statuses[i].Objects += objects
			return
		}
	}
	t.statuses = append(t.statuses, StatusCount{strings.Clone(status), objects})
}

// AddTally adds another tally.
func (t *Tally) AddTally(o *Tally) {
	for _, h := range o.hours {
		t.AddHour(h.Hour, h.Objects, h.Size)
	}
	for _, s := range o.statuses {
		t.AddStatus(s.Status, s.Objects)
	}
}

// Hours returns the hours that have objects, in ascending order. The slice is valid until
// the tally changes.
func (t *Tally) Hours() []Hour {
	t.merge()
	return t.hours
}

// Statuses returns the statuses that have objects, in ascending order. The slice is valid
// until the tally changes.
func (t *Tally) Statuses() []StatusCount {
	t.statuses = slices.DeleteFunc(t.statuses, func(s StatusCount) bool { return s.Objects == 0 })
	slices.SortFunc(t.statuses, func(a, b StatusCount) int { return cmp.Compare(a.Status, b.Status) })
	return t.statuses
}

// merge sorts the hours, joins equal ones, and removes those without counts.
func (t *Tally) merge() {
	slices.SortFunc(t.hours, func(a, b Hour) int { return cmp.Compare(a.Hour, b.Hour) })
	joined := t.hours[:0]
	for _, h := range t.hours {
		if n := len(joined); n > 0 && joined[n-1].Hour == h.Hour {
			joined[n-1].Objects += h.Objects
			joined[n-1].Size += h.Size
		} else {
			joined = append(joined, h)
		}
	}
	t.hours = slices.DeleteFunc(joined, func(h Hour) bool { return h.Objects == 0 && h.Size == 0 })
	t.merged = len(t.hours)
}

func (t *Tally) clone() Tally {
	return Tally{slices.Clone(t.hours), slices.Clone(t.statuses), t.merged}
}

// clear empties the tally. It keeps the memory.
func (t *Tally) clear() { t.hours, t.statuses, t.merged = t.hours[:0], t.statuses[:0], 0 }

// appendPacked appends the packed form of the tally, nothing if it is empty: the number of
// hours; of each hour the distance from the one before, the objects and the size; and then
// of each status its length, its name and the objects.
func (t *Tally) appendPacked(data []byte) []byte {
	hours, statuses := t.Hours(), t.Statuses()
	if len(hours)+len(statuses) == 0 {
		return data
	}
	data = binary.AppendUvarint(data, uint64(len(hours)))
	before := int64(0)
	for _, h := range hours {
		data = binary.AppendVarint(data, h.Hour-before)
		data = binary.AppendVarint(data, h.Objects)
		data = binary.AppendVarint(data, h.Size)
		before = h.Hour
	}
	for _, s := range statuses {
		data = binary.AppendUvarint(data, uint64(len(s.Status)))
		data = append(data, s.Status...)
		data = binary.AppendVarint(data, s.Objects)
	}
	return data
}

// addPacked adds a tally in its packed form. If it fails, it may have added a part.
func (t *Tally) addPacked(data []byte) error {
	d := totalsDecoder{data: data}
	n := d.uvarint()
	hour := int64(0)
	for ; n > 0 && !d.failed; n-- {
		hour += d.varint()
		objects := d.varint()
		size := d.varint()
		t.AddHour(hour, objects, size)
	}
	for len(d.data) > 0 {
		status := string(d.bytes())
		t.AddStatus(status, d.varint())
	}
	if d.failed {
		return corruptTotals("a tally ends early")
	}
	return nil
}

// totalsDecoder decodes packed totals. Its results are valid unless it has failed.
type totalsDecoder struct {
	data   []byte // the remaining data
	failed bool
}

func (d *totalsDecoder) fail() { d.data, d.failed = nil, true }

func (d *totalsDecoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.data)
	d.pass(n)
	return v
}

func (d *totalsDecoder) varint() int64 {
	v, n := binary.Varint(d.data)
	d.pass(n)
	return v
}

// pass passes over a number of n bytes. It fails if there is none, where n is 0 or less.
func (d *totalsDecoder) pass(n int) {
	if n <= 0 {
		d.fail()
		return
	}
	d.data = d.data[n:]
}

// bytes returns the bytes that follow their number.
func (d *totalsDecoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.data)) {
		d.fail()
		return nil
	}
	taken := d.data[:n]
	d.data = d.data[n:]
	return taken
}
