package bucketlite

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
)

// These tests are inside the package since a row's bytes show nowhere outside.

const (
	someULID  = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	otherULID = "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"
)

var somePlace = place{ident.NamespacePrefix + someULID, ident.BucketPrefix + otherULID}

var changeTables = map[string][]change{
	"none":            nil,
	"an object":       {{EventObjectCreated, somePlace, ident.ObjectPrefix + someULID}},
	"a caller's id":   {{EventObjectUpdated, somePlace, "x"}},
	"a prefix":        {{EventObjectUpdated, somePlace, "obj_"}},
	"lower case":      {{EventObjectDeleted, somePlace, "obj_01arz3ndektsv4rrffq69g5fav"}},
	"too large":       {{EventObjectDeleted, somePlace, "obj_80000000000000000000000000"}},
	"another's id":    {{EventObjectDeleted, somePlace, ident.BucketPrefix + someULID}},
	"longest id":      {{EventObjectDeleted, somePlace, fmt.Sprintf("%0128d", 7)}},
	"a bucket":        {{EventBucketLocked, somePlace, ""}},
	"a namespace":     {{EventNamespaceUpdated, place{namespace: somePlace.namespace}, ""}},
	"one place twice": {{EventObjectCreated, somePlace, "a"}, {EventObjectDeleted, somePlace, "a"}},
	"places in turn": {
		{EventObjectCreated, somePlace, "a"}, {EventNamespaceCreated, place{namespace: "ns"}, ""}, {EventObjectProcessed, somePlace, "a"},
		{EventBucketCreated, place{"ns", "b"}, ""}, {EventBucketDeleted, place{"ns", "b"}, ""},
	},
	"many places": manyPlaces(300),
}

func manyPlaces(n int) (changes []change) {
	for i := range 2 * n {
		changes = append(changes, change{EventBucketDeleted, place{"n", fmt.Sprint("b", i%n)}, ""})
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
	var changes []change
	for _, kind := range eventKinds[1:] {
		changes = append(changes, change{kind, place{"n", "b"}, ""})
	}
	changes = append(changes, change{EventObjectCreated, somePlace, "x"}, change{EventObjectDeleted, somePlace, ident.ObjectPrefix + someULID})
	const want = "0100016e016200" + "020000" + "030000" + "040000" + "050000" + "060000" + "070000" + "080000" +
		"090000" + "0a0000" + "0b0000" + "0c0000" + "0d0000" + "0e0000" + "0f0000" +
		"0c01ff01563e3ab5d3d6764c61efb99302bd5bffffffffffffffffffffffffffffffffff0178" +
		"0e01ff01563e3ab5d3d6764c61efb99302bd5b"
	if got := hex.EncodeToString(encodeChanges(changes)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestChangesAreCompact(t *testing.T) {
	t.Parallel()
	ids := ident.NewSource(time.Now, nil)
	var changes []change
	for range maxRowEvents {
		id, err := ids.Next(ident.ObjectPrefix)
		if err != nil {
			t.Fatal(err)
		}
		changes = append(changes, change{EventObjectCreated, somePlace, id})
	}
	if got, most := len(encodeChanges(changes)), 34+19*len(changes); got > most {
		t.Errorf("got %d bytes, want at most %d", got, most)
	}
}

func TestDecodeChangesRefuses(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"kind 0":                "\x00\x00\x01n\x01b\x01x",
		"unknown kind":          "\x10\x00\x01n\x01b\x01x",
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
			if got, err := decodeChanges(data[:n]); err == nil && (len(got) >= len(changes) || !reflect.DeepEqual(got, append([]change(nil), changes[:len(got)]...))) {
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
		var changes []change
		for range max(0, n%1000) {
			changes = append(changes, change{eventKinds[1+r.IntN(len(eventKinds)-1)], place{text(), text()}, text()})
		}
		got, err := decodeChanges(encodeChanges(changes))
		if err != nil || !reflect.DeepEqual(got, changes) {
			t.Errorf("got %v, %v, want %v", got, err, changes)
		}
	})
}

// BenchmarkFeed stores records with and without their events, in turn, as slices
// of a bulk and one by one. An operation is one record; ratio 0.95: with the
// events 0.95 operations in the time of one without.
func BenchmarkFeed(b *testing.B) {
	for d, name := range []string{DurabilityFull: "FULL", DurabilityNormal: "NORMAL"} {
		for _, size := range []int{1, sliceObjects} {
			b.Run(fmt.Sprintf("%s/objects=%d", name, size), func(b *testing.B) {
				with, without := newFeedBench(b, Durability(d)), newFeedBench(b, Durability(d))
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
	b      *testing.B
	bucket *Bucket
	begin  int64
}

func newFeedBench(b *testing.B, d Durability) *feedBench {
	b.Helper()
	ctx := context.Background()
	s, err := Open(ctx, filepath.Join(b.TempDir(), "bench.db"), &Options{Durability: d})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	n, err := s.CreateNamespace(ctx, NamespaceConfig{Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	f := &feedBench{b: b}
	f.bucket, err = n.CreateBucket(ctx, BucketConfig{Name: "records", UniqueKey: &UniqueKey{Fields: []string{"k"}, DefaultPolicy: Insert},
		Schema: Schema{Properties: map[string]Field{"k": {Type: String}, "body": {Type: String}}}})
	if err == nil {
		f.begin, err = s.lastEvent(ctx)
	}
	if err != nil {
		b.Fatal(err)
	}
	return f
}

// put stores n records of 400 bytes, the first with a number, so many in an operation.
func (f *feedBench) put(first, n, size int, events bool) {
	ctx := context.Background()
	for end := first + n; first < end; {
		inputs := make([]ObjectInput, min(size, end-first))
		for i := range inputs {
			inputs[i].Fields = map[string]any{"k": fmt.Sprintf("%09d", first), "body": fmt.Sprintf("%0370d", first)}
			first++
		}
		k := &bulk{bucket: f.bucket, items: make([]bulkItem, len(inputs))}
		k.prepare(ctx, inputs, 0, size)
		err := f.bucket.store.write(ctx, func(tx *engine.Tx, g *group) error {
			err := putSlice(tx, g, k.items)
			if !events {
				g.events = nil
			}
			return err
		})
		if err == nil {
			err = k.firstError()
		}
		if err != nil {
			f.b.Fatal(err)
		}
	}
}

func (f *feedBench) wantEvents(n int) {
	f.b.Helper()
	if last, err := f.bucket.store.lastEvent(context.Background()); err != nil || last-f.begin != int64(n) {
		f.b.Errorf("got %d events, %v, want %d", last-f.begin, err, n)
	}
}
