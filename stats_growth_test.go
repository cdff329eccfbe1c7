package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestGrowth(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clock := storetest.NewManualClock() // a Monday, 07:08:09
	b := storetest.Items(t, storetest.OpenMemory(t, &bucketlite.Options{Now: clock.Now}))
	at := func(text string) time.Time {
		v, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	storetest.PutItem(t, b, storetest.Item("a", strings.Repeat("v", 84))) // 100 bytes at 07:08
	clock.Add(2 * time.Hour)
	storetest.PutItem(t, b, storetest.Item("b", strings.Repeat("v", 34))) // 50 bytes at 09:08
	gone := storetest.PutItem(t, b, storetest.Item("c", ""))
	clock.Add(24 * time.Hour)
	storetest.PutItem(t, b, storetest.Item("d", strings.Repeat("v", 4))) // 20 bytes at 09:08 of the next day
	if err := b.DeleteObject(ctx, gone.ID, nil); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		from, to string
		unit     bucketlite.DateUnit
		want     []bucketlite.Growth
	}{
		{"hours", "2024-05-06T07:30:00Z", "2024-05-06T10:00:00Z", bucketlite.UnitHour, []bucketlite.Growth{
			{at("2024-05-06T07:00:00Z"), 1, 100, 100},
			{at("2024-05-06T08:00:00Z"), 1, 100, 100},
			{at("2024-05-06T09:00:00Z"), 2, 150, 150},
		}},
		{"before all", "2024-05-06T05:00:00Z", "2024-05-06T07:00:00Z", bucketlite.UnitHour, []bucketlite.Growth{
			{at("2024-05-06T05:00:00Z"), 0, 0, 0},
			{at("2024-05-06T06:00:00Z"), 0, 0, 0},
		}},
		{"objects from before, and an end within a unit", "2024-05-06T09:00:00Z", "2024-05-06T09:05:00Z", bucketlite.UnitHour, []bucketlite.Growth{
			{at("2024-05-06T09:00:00Z"), 1, 100, 100.0 / 12},
		}},
		{"days of another zone", "2024-05-06T23:30:00-02:00", "2024-05-07T12:00:00Z", bucketlite.UnitDay, []bucketlite.Growth{
			{at("2024-05-07T00:00:00Z"), 3, 170, 150*12 + 20*3},
		}},
		{"days", "2024-05-05T12:00:00Z", "2024-05-08T00:00:00Z", bucketlite.UnitDay, []bucketlite.Growth{
			{at("2024-05-05T00:00:00Z"), 0, 0, 0},
			{at("2024-05-06T00:00:00Z"), 2, 150, 100*17 + 50*15},
			{at("2024-05-07T00:00:00Z"), 3, 170, 150*24 + 20*15},
		}},
		{"weeks", "2024-05-05T12:00:00Z", "2024-05-13T00:00:00Z", bucketlite.UnitWeek, []bucketlite.Growth{
			{at("2024-04-29T00:00:00Z"), 0, 0, 0},
			{at("2024-05-06T00:00:00Z"), 3, 170, 170*5*24 + 100*(17+24) + 50*(15+24) + 20*15},
		}},
		{"months", "2024-04-30T23:59:59Z", "2024-05-01T00:00:01Z", bucketlite.UnitMonth, []bucketlite.Growth{
			{at("2024-04-01T00:00:00Z"), 0, 0, 0},
			{at("2024-05-01T00:00:00Z"), 0, 0, 0},
		}},
		{"years from before there were computers", "1000-02-01T00:00:00Z", "1002-01-01T00:00:00Z", bucketlite.UnitYear, []bucketlite.Growth{
			{at("1000-01-01T00:00:00Z"), 0, 0, 0},
			{at("1001-01-01T00:00:00Z"), 0, 0, 0},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := b.Growth(ctx, at(tt.from), at(tt.to), tt.unit)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Growth agrees with counting object by object, whatever the unit and the times.
func TestGrowthIsExact(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clock := storetest.NewManualClock()
	b := storetest.Items(t, storetest.OpenMemory(t, &bucketlite.Options{Now: clock.Now}))
	r := rand.New(rand.NewPCG(1, 2))
	begin := clock.Now()
	var objects []*bucketlite.Object
	for i := range 300 {
		clock.Add(time.Duration(r.Int64N(int64(20*time.Hour))) - 2*time.Hour) // it may go back
		objects = append(objects, storetest.PutItem(t, b, storetest.Item(fmt.Sprint(i), strings.Repeat("v", r.IntN(100)))))
	}
	for range 50 {
		units := []bucketlite.DateUnit{bucketlite.UnitHour, bucketlite.UnitDay, bucketlite.UnitWeek, bucketlite.UnitMonth, bucketlite.UnitYear}
		unit := units[r.IntN(len(units))]
		from := begin.Add(time.Duration(r.Int64N(int64(200 * 24 * time.Hour))))
		to := from.Add(1 + time.Duration(r.Int64N(int64(100*24*time.Hour))))
		growth, err := b.Growth(ctx, from, to, unit)
		if err != nil {
			t.Fatal(err)
		}
		if first, last := growth[0].Time, growth[len(growth)-1].Time; first.After(from) || !last.Before(to) {
			t.Errorf("%s from %s to %s: got %s to %s", unit, from, to, first, last)
		}
		for i, g := range growth {
			end := to
			if i+1 < len(growth) {
				end = growth[i+1].Time
			}
			want := bucketlite.Growth{Time: g.Time, ByteHours: g.ByteHours}
			for _, o := range objects {
				if o.CreatedAt.Before(end) {
					want.Objects++
					want.Size += o.Size
				}
			}
			if g != want {
				t.Errorf("%s from %s to %s: got %+v, want %+v", unit, from, to, g, want)
			}
		}
	}
}

func TestGrowthRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	now := time.Now()
	for name, call := range map[string]func() ([]bucketlite.Growth, error){
		"no time":      func() ([]bucketlite.Growth, error) { return b.Growth(ctx, now, now, bucketlite.UnitDay) },
		"back in time": func() ([]bucketlite.Growth, error) { return b.Growth(ctx, now, now.Add(-1), bucketlite.UnitDay) },
		"another unit": func() ([]bucketlite.Growth, error) { return b.Growth(ctx, now, now.Add(1), bucketlite.UnitMinute) },
		"no unit":      func() ([]bucketlite.Growth, error) { return b.Growth(ctx, now, now.Add(1), "") },
		"too many": func() ([]bucketlite.Growth, error) {
			return b.Growth(ctx, time.Unix(0, 0), time.Unix(3600*bucketlite.MaxGrowth, 1), bucketlite.UnitHour)
		},
	} {
		if got, err := call(); got != nil || !errors.Is(err, bucketlite.ErrBadRequest) {
			t.Errorf("%s: got %v, %v, want ErrBadRequest", name, got, err)
		}
	}
	if got, err := b.Growth(ctx, time.Unix(0, 0), time.Unix(3600*bucketlite.MaxGrowth, 0), bucketlite.UnitHour); err != nil || len(got) != bucketlite.MaxGrowth {
		t.Errorf("got %d, %v, want all", len(got), err)
	}
	if err := b.Suspend(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Growth(ctx, now, now.Add(1), bucketlite.UnitDay); err != nil {
		t.Errorf("suspended: got %v", err)
	}
	if err := b.Activate(ctx); err != nil {
		t.Fatal(err)
	}
	storetest.WaitDeleted(t, st, mustDelete(t, b), 0)
	if _, err := b.Growth(ctx, now, now.Add(1), bucketlite.UnitDay); !errors.Is(err, bucketlite.ErrNotFound) {
		t.Errorf("gone: got %v, want ErrNotFound", err)
	}
}
