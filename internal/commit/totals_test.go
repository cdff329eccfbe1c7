package commit_test

import (
	"context"
	"encoding/hex"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/committest"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var someTotals = map[string][]commit.Running{
	"none":     nil,
	"one":      {{Bucket: 1, Clock: 300, Commits: 2, Objects: 1, Size: 396, Upload: 1_700_000_000_000_000, Pending: commit.Pending{Objects: 2, After: 297, Min: 390, Max: 400}, Tally: []byte{0, 1, 'a', 2}}},
	"negative": {{Bucket: 7, Clock: 1 << 39, Commits: 256, Objects: -200, Size: -1 << 40}},
	"extremes": {{math.MaxInt64, math.MinInt64, math.MaxInt64, math.MinInt64, math.MaxInt64, math.MinInt64, commit.Pending{Objects: 1, After: math.MinInt64, Min: math.MaxInt64, Max: math.MaxInt64}, make([]byte, 700)}},
	"several":  {{Bucket: 1, Clock: 1, Commits: 1}, {Bucket: 2, Clock: 1, Commits: 1, Tally: []byte{1}}, {Bucket: 3, Clock: 1, Commits: 1}},
}

func TestTotalsRoundTrip(t *testing.T) {
	t.Parallel()
	for name, want := range someTotals {
		got, err := commit.UnpackTotals(commit.PackTotals(want))
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%s: got %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// Files hold these bytes.
func TestTotalsFormat(t *testing.T) {
	t.Parallel()
	const want = "02d804040298068080f2818389850604068c0614" + "0400016102" + "4c2637b1"
	if got := hex.EncodeToString(commit.PackTotals(someTotals["one"])); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Totals of which a byte is another, or missing, are refused.
func TestTotalsRefuseDamage(t *testing.T) {
	t.Parallel()
	for name, totals := range someTotals {
		data := commit.PackTotals(totals)
		for i := range data {
			cut := data[:i]
			flipped := append([]byte{}, data...)
			flipped[i] ^= 1 << (i % 8)
			for _, damaged := range [][]byte{cut, flipped} {
				if got, err := commit.UnpackTotals(damaged); !errors.Is(err, commit.ErrTotals) || !errors.Is(err, engine.ErrCorrupt) {
					t.Fatalf("%s, byte %d: got %v, %v, want ErrTotals", name, i, got, err)
				}
			}
		}
	}
}

// A tally over many hours is folded before it is long.
func TestLongTalliesAreFolded(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	file := committest.Open(t)
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		err := file.Write(ctx, func(e *engine.Tx) error {
			tx := commit.Of(e)
			state, err := tx.Bucket(1)
			if err != nil {
				return err
			}
			for range 5 {
				state.Added(state.Tick(), r.Int64N(1<<40)*commit.HourMicros/1000, 10, "DRAFT")
			}
			tx.Note("object.created", state.Place, "o")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := file.Read(ctx, func(conn *engine.Conn) error {
		longest := int64(0)
		if _, err := conn.QueryRow("SELECT max(length(running)) FROM events", nil, func(r engine.Row) { longest = r.Int(0) }); err != nil {
			return err
		}
		if longest == 0 || longest > 600 {
			t.Errorf("totals: got %d bytes, want at most 600", longest)
		}
		c, err := commit.ReadCounts(conn, 1, math.MinInt64)
		if err == nil && (c.Objects != 1500 || c.Size != 15_000 || len(c.Tally.Statuses()) != 1 || c.Tally.Statuses()[0].Objects != 1500) {
			t.Errorf("got %+v, want 1500 objects", c)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The newest row of events stays, whatever is to be deleted.
func TestTrimKeepsTheNewestRow(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	file := committest.Open(t)
	for range 3 {
		err := file.Write(ctx, func(e *engine.Tx) error {
			commit.Of(e).Note("bucket.updated", commit.Place{Namespace: "ns", Bucket: "bkt"}, "")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Write(ctx, func(e *engine.Tx) error { return commit.Of(e).TrimEvents(99) }); err != nil {
		t.Fatal(err)
	}
	err := file.Read(ctx, func(conn *engine.Conn) error {
		var lasts []int64
		err := conn.Query("SELECT last FROM events", nil, func(r engine.Row) error { lasts = append(lasts, r.Int(0)); return nil })
		if !cmp.Equal(lasts, []int64{3}) {
			t.Errorf("events: got %v, want the third", lasts)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzTotals(f *testing.F) {
	for _, totals := range someTotals {
		f.Add(commit.PackTotals(totals))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		totals, err := commit.UnpackTotals(data)
		if err != nil {
			return
		}
		again, err := commit.UnpackTotals(commit.PackTotals(totals))
		if diff := cmp.Diff(totals, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("got %v (-want +got):\n%s", err, diff)
		}
	})
}
