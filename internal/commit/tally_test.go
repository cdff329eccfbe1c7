package commit_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/committest"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/google/go-cmp/cmp"
)

func TestHourOf(t *testing.T) {
	t.Parallel()
	for at, want := range map[int64]int64{0: 0, commit.HourMicros - 1: 0, commit.HourMicros: 1, -1: -1, -commit.HourMicros: -1, -commit.HourMicros - 1: -2} {
		if got := commit.HourOf(at); got != want {
			t.Errorf("%d: got %d, want %d", at, got, want)
		}
	}
}

// A tally has the sums of what was added, whatever the order.
func TestTally(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var tally commit.Tally
	hours, statuses := make(map[int64]commit.Hour), make(map[string]int64)
	for range 20_000 {
		hour, objects, size := r.Int64N(3000)-1000, r.Int64N(3)-1, r.Int64N(100)-50
		h := hours[hour]
		hours[hour] = commit.Hour{Hour: hour, Objects: h.Objects + objects, Size: h.Size + size}
		tally.AddHour(hour, objects, size)
		status := []string{"DRAFT", "FAILED", ""}[r.IntN(3)]
		statuses[status] += objects
		tally.AddStatus(status, objects)
	}
	before := int64(math.MinInt64)
	for _, h := range tally.Hours() {
		if h.Hour <= before || h != hours[h.Hour] || h.Objects == 0 && h.Size == 0 {
			t.Fatalf("got %+v after hour %d, want %+v", h, before, hours[h.Hour])
		}
		before = h.Hour
		delete(hours, h.Hour)
	}
	for _, h := range hours {
		if h.Objects != 0 || h.Size != 0 {
			t.Errorf("missing: %+v", h)
		}
	}
	for _, s := range tally.Statuses() {
		if s.Objects != statuses[s.Status] {
			t.Errorf("status %q: got %d, want %d", s.Status, s.Objects, statuses[s.Status])
		}
	}
}

// The delta rows and the tables together have the counts after each commit, and an
// attempt that fails leaves nothing behind.
func TestTalliesAreStored(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	file := committest.Open(t)
	r := rand.New(rand.NewPCG(3, 4))
	var want commit.Tally
	count := func(tx *commit.Tx) {
		state, err := tx.Bucket(1)
		if err != nil {
			t.Fatal(err)
		}
		hour, size := r.Int64N(40)-20, r.Int64N(1000)
		state.Added(state.Tick(), hour*commit.HourMicros, size, "DRAFT")
		want.AddHour(hour, 1, size)
		want.AddStatus("DRAFT", 1)
	}
	refused := errors.New("refused")
	for i := range 600 {
		err := file.Write(ctx, func(e *engine.Tx) error {
			tx := commit.Of(e)
			count(tx)
			counted := want
			err := tx.Attempt(func() error {
				kept := want
				want = commit.Tally{}
				count(tx)
				want = kept
				return refused
			})
			want = counted
			if err != refused {
				return err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = file.Read(ctx, func(conn *engine.Conn) error {
			got, err := commit.ReadCounts(conn, 1, math.MinInt64)
			if err != nil {
				return err
			}
			if diff := cmp.Diff(want.Hours(), got.Tally.Hours()); diff != "" {
				t.Errorf("hours (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want.Statuses(), got.Tally.Statuses()); diff != "" {
				t.Errorf("statuses (-want +got):\n%s", diff)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("after commit %d", i)
		}
	}
}
