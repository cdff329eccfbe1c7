package commit

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
)

// These tests are inside the package since a row's bytes show nowhere outside.

// decodeChanges is the inverse of encodeChanges.
func decodeChanges(data []byte) ([]Change, error) {
	d := changeDecoder{data: data}
	var changes []Change
	for len(d.data) > 0 {
		c := d.change()
		if d.failed {
			return nil, errPacked
		}
		changes = append(changes, c)
	}
	return changes, nil
}

const (
	someULID  = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	otherULID = "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"
)

var somePlace = Place{ident.NamespacePrefix + someULID, ident.BucketPrefix + otherULID}

var changeTables = map[string][]Change{
	"none":            nil,
	"an object":       {{"object.created", somePlace, ident.ObjectPrefix + someULID}},
	"a caller's id":   {{"object.updated", somePlace, "x"}},
	"a prefix":        {{"object.updated", somePlace, "obj_"}},
	"lower case":      {{"object.deleted", somePlace, "obj_01arz3ndektsv4rrffq69g5fav"}},
	"too large":       {{"object.deleted", somePlace, "obj_80000000000000000000000000"}},
	"another's id":    {{"object.deleted", somePlace, ident.BucketPrefix + someULID}},
	"longest id":      {{"object.deleted", somePlace, fmt.Sprintf("%0128d", 7)}},
	"a bucket":        {{"bucket.locked", somePlace, ""}},
	"a namespace":     {{"namespace.updated", Place{Namespace: somePlace.Namespace}, ""}},
	"one place twice": {{"object.created", somePlace, "a"}, {"object.deleted", somePlace, "a"}},
	"places in turn": {
		{"object.created", somePlace, "a"}, {"namespace.created", Place{Namespace: "ns"}, ""}, {"object.processed", somePlace, "a"},
		{"bucket.created", Place{"ns", "b"}, ""}, {"bucket.deleted", Place{"ns", "b"}, ""},
	},
	"many places": manyPlaces(300),
}

func manyPlaces(n int) (changes []Change) {
	for i := range 2 * n {
		changes = append(changes, Change{"bucket.deleted", Place{"n", fmt.Sprint("b", i%n)}, ""})
	}
	return changes
}

func TestChangesRoundTrip(t *testing.T) {
	t.Parallel()
	for name, changes := range changeTables {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decodeChanges(encodeChanges(changes))
			if err != nil || !reflect.DeepEqual(got, changes) {
				t.Errorf("got %v, %v, want %v", got, err, changes)
			}
		})
	}
}

// Files hold these bytes.
func TestChangesFormat(t *testing.T) {
	t.Parallel()
	var changes []Change
	for _, kind := range kinds[1:] {
		changes = append(changes, Change{kind, Place{"n", "b"}, ""})
	}
	changes = append(changes, Change{"object.created", somePlace, "x"}, Change{"object.deleted", somePlace, ident.ObjectPrefix + someULID})
	const want = "0100016e016200" + "020000" + "030000" + "040000" + "050000" + "060000" + "070000" + "080000" +
		"090000" + "0a0000" + "0b0000" + "0c0000" + "0d0000" + "0e0000" + "0f0000" + "100000" + "110000" +
		"0c01ff01563e3ab5d3d6764c61efb99302bd5bffffffffffffffffffffffffffffffffff0178" +
		"0e01ff01563e3ab5d3d6764c61efb99302bd5b"
	if got := hex.EncodeToString(encodeChanges(changes)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestChangesAreCompact(t *testing.T) {
	t.Parallel()
	ids := ident.NewSource(time.Now, nil)
	var changes []Change
	for range MaxRowEvents {
		id, err := ids.Next(ident.ObjectPrefix)
		if err != nil {
			t.Fatal(err)
		}
		changes = append(changes, Change{"object.created", somePlace, id})
	}
	if got, most := len(encodeChanges(changes)), 34+19*len(changes); got > most {
		t.Errorf("got %d bytes, want at most %d", got, most)
	}
}

func TestDecodeChangesRefuses(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"kind 0":                "\x00\x00\x01n\x01b\x01x",
		"unknown kind":          "\x12\x00\x01n\x01b\x01x",
		"nothing after a kind":  "\x0c",
		"unknown place":         "\x0c\x01\x01n\x01b\x01x",
		"endless place":         "\x0c\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"no place":              "\x0c\x00",
		"no bucket":             "\x0c\x00\x01n",
		"no object":             "\x0c\x00\x01n\x01b",
		"short id":              "\x0c\x00\x01n\x01b\x05abcd",
		"long id":               "\x0c\x00\x01n\x01b\x81" + fmt.Sprintf("%0129d", 0),
		"bad id":                "\x0c\x00\x01n\x01b\x01 ",
		"bad place":             "\x0c\x00\x01\xff\x01b\x01x",
		"short ULID":            "\x0c\x00\x01n\x01b\xff0123456789abcde",
		"something after it":    "\x0c\x00\x01n\x01b\x01x\x00",
		"something after many":  string(encodeChanges(manyPlaces(300))) + "\x06",
		"a place beyond a byte": string(encodeChanges(manyPlaces(300))) + "\x06\xad\x02",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := decodeChanges([]byte(data)); err == nil {
				t.Errorf("got %v, want an error", got)
			}
		})
	}
}

// A row that is cut short is either refused or has fewer changes, which the row's
// count then tells.
func TestDecodeChangesCutShort(t *testing.T) {
	t.Parallel()
	for name, changes := range changeTables {
		data := encodeChanges(changes)
		for n := range data {
			if got, err := decodeChanges(data[:n]); err == nil && (len(got) >= len(changes) || !reflect.DeepEqual(got, append([]Change(nil), changes[:len(got)]...))) {
				t.Errorf("%s: %d of %d bytes: got %v, want fewer than %v", name, n, len(data), got, changes)
			}
		}
	}
}

func FuzzDecodeChanges(f *testing.F) {
	for _, changes := range changeTables {
		f.Add(encodeChanges(changes))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		changes, err := decodeChanges(data)
		if err != nil {
			return
		}
		again, err := decodeChanges(encodeChanges(changes))
		if err != nil || !reflect.DeepEqual(again, changes) {
			t.Errorf("%q: got %v, %v, want %v", data, again, err, changes)
		}
	})
}

func FuzzEncodeChanges(f *testing.F) {
	f.Add(uint64(1), 3, "x", "obj_"+someULID, "ns_"+someULID, "bkt_"+someULID)
	f.Add(uint64(2), 700, "", "obj_01arz3ndektsv4rrffq69g5fav", "n", "")
	f.Fuzz(func(t *testing.T, seed uint64, n int, a, b, c, d string) {
		var texts []string
		for _, text := range []string{a, b, c, d, "", ident.ObjectPrefix + otherULID, ident.BucketPrefix + someULID} {
			if text == "" || ident.IsObject(text) {
				texts = append(texts, text)
			}
		}
		r := rand.New(rand.NewPCG(seed, 0))
		text := func() string { return texts[r.IntN(len(texts))] }
		var changes []Change
		for range max(0, n%1000) {
			changes = append(changes, Change{kinds[1+r.IntN(len(kinds)-1)], Place{text(), text()}, text()})
		}
		got, err := decodeChanges(encodeChanges(changes))
		if err != nil || !reflect.DeepEqual(got, changes) {
			t.Errorf("got %v, %v, want %v", got, err, changes)
		}
	})
}

// BenchmarkFeed stores rows of 400 bytes with and without an event for each, in turn, so
// many rows in a transaction. The ratio is the time without to the time with events.
func BenchmarkFeed(b *testing.B) {
	for level, name := range map[engine.Synchronous]string{engine.Full: "FULL", engine.Normal: "NORMAL"} {
		for _, size := range []int{1, 200} {
			b.Run(fmt.Sprintf("%s/objects=%d", name, size), func(b *testing.B) {
				with, without := newFeedBench(b, level), newFeedBench(b, level)
				const rounds = 10
				var times [2]time.Duration
				done := 0
				b.ResetTimer()
				for round := range rounds {
					n := b.N*(round+1)/rounds - done
					for i, side := range []*feedBench{with, without} {
						if i == 1 {
							b.StopTimer()
						}
						start := time.Now()
						side.put(done, n, size, i == 0)
						times[i] += time.Since(start)
						b.StartTimer()
					}
					done += n
				}
				b.StopTimer()
				with.wantEvents(b.N)
				without.wantEvents(0)
				b.ReportMetric(float64(times[1])/float64(times[0]), "ratio")
			})
		}
	}
}

type feedBench struct {
	b  *testing.B
	db *engine.DB
}

func newFeedBench(b *testing.B, level engine.Synchronous) *feedBench {
	b.Helper()
	ignore := func() {}
	c := NewCommitter(Config{
		Now: time.Now, EventSlack: 1 << 40, Signals: [signals]func(){ignore, ignore, ignore}, Overtaken: ignore,
		Last: func(*Tx) error { return nil }, Noted: func(int64) {},
	})
	db, err := engine.Open(context.Background(), engine.Config{
		Path: filepath.Join(b.TempDir(), "bench.db"), Synchronous: level, BusyTimeout: time.Second, Readers: 1, LongReads: 1,
		ApplicationID: 1, NewGroup: c.Begin, Migrations: []string{`
CREATE TABLE events (last INTEGER PRIMARY KEY, count INTEGER, committed_at INTEGER, data BLOB, running BLOB) STRICT;
INSERT INTO events VALUES (0, 0, 0, x'', NULL);
CREATE TABLE rows (num INTEGER PRIMARY KEY, body TEXT) STRICT;`},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	return &feedBench{b, db}
}

// put stores n rows, the first with a number, so many in a transaction.
func (f *feedBench) put(first, n, size int, events bool) {
	body, id := strings.Repeat("x", 390), ident.ObjectPrefix+someULID
	for end := first + n; first < end; {
		count := min(size, end-first)
		err := f.db.Write(context.Background(), func(t *engine.Tx) error {
			tx := Of(t)
			for i := range count {
				if _, err := tx.Exec("INSERT INTO rows VALUES (?, ?)", int64(first+i), body); err != nil {
					return err
				}
				if events {
					tx.Note("object.created", somePlace, id)
				}
			}
			return nil
		})
		if err != nil {
			f.b.Fatal(err)
		}
		first += count
	}
}

func (f *feedBench) wantEvents(n int) {
	f.b.Helper()
	var last int64
	err := f.db.Read(context.Background(), func(c *engine.Conn) error {
		_, err := c.QueryRow("SELECT max(last) FROM events", nil, func(r engine.Row) { last = r.Int(0) })
		return err
	})
	if err != nil || last != int64(n) {
		f.b.Errorf("got %d events, %v, want %d", last, err, n)
	}
}
