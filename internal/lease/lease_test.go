package lease

import (
	"testing"
	"testing/synctest"
	"time"
)

// A lease is over by the clock, or once it has been seen unchanged for as long as it
// lasts.
func TestLeases(t *testing.T) {
	t.Parallel()
	const lasts = 3 * time.Second
	type look struct {
		after time.Duration // since the look before
		until time.Duration // the end, from the first look on
		want  bool
	}
	const years = 10 * 365 * 24 * time.Hour
	for name, looks := range map[string][]look{
		"never taken":                   {{0, -years, true}},
		"by the clock":                  {{0, lasts, false}, {lasts - 1, lasts, false}, {1, lasts, true}},
		"renewed":                       {{0, lasts, false}, {2 * time.Second, 5 * time.Second, false}, {2 * time.Second, 7 * time.Second, false}},
		"years ahead":                   {{0, years, false}, {lasts, years, false}, {1, years, true}, {1, years, true}},
		"years ahead, renewed":          {{0, years, false}, {lasts, years + lasts, false}, {lasts, years + 2*lasts, false}},
		"years ahead, and then not":     {{0, years, false}, {lasts, years + time.Second, false}, {lasts, years + time.Second, false}, {1, years + time.Second, true}},
		"a little ahead":                {{0, lasts + time.Second, false}, {lasts, lasts + time.Second, false}, {time.Second, lasts + time.Second, true}},
		"years ahead, mended meanwhile": {{0, years, false}, {lasts, lasts + time.Second, false}, {time.Second, lasts + time.Second, true}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var l Watcher
				begin := time.Now()
				for i, look := range looks {
					time.Sleep(look.after) // of the bubble's own time
					until := begin.Add(look.until).UnixMicro()
					if got := l.Over(ID{Kind: "task", A: 1}, until, lasts); got != look.want {
						t.Errorf("look %d: got %t, want %t", i, got, look.want)
					}
					if l.Over(ID{Kind: "task", A: int64(2 + i)}, begin.Add(years).UnixMicro(), lasts) {
						t.Errorf("look %d: a lease that is seen first is over", i)
					}
				}
			})
		})
	}
}

// A watcher remembers a bounded number of leases. Those that are not seen any more make
// room. The test is within the package, since it counts them.
func TestLeasesAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Watcher
		until := time.Now().Add(1000 * time.Hour).UnixMicro()
		for round := range 3 {
			for i := range int64(2 * MaxWatched) {
				l.Over(ID{Kind: "content", A: int64(round)<<32 | i}, until, time.Second)
			}
			if got := len(l.watched); got != MaxWatched {
				t.Errorf("round %d: got %d leases that are watched, want %d", round, got, MaxWatched)
			}
			time.Sleep(2 * time.Minute)
		}
		last := ID{Kind: "content", A: 2<<32 | 1}
		if l.Over(last, until, time.Second) != true {
			t.Error("a lease that is watched: got false after minutes, want true")
		}
	})
}

func TestLasting(t *testing.T) {
	t.Parallel()
	for owner, want := range map[string]time.Duration{
		Owner("01J", 90*time.Second): 90 * time.Second, "01J": time.Hour, "": time.Hour,
		"01J/": time.Hour, "01J/x": time.Hour, "01J/-1s": time.Hour, "01J/0s": time.Hour, "a/250ms": 250 * time.Millisecond,
	} {
		if got := Lasting(owner, time.Hour); got != want {
			t.Errorf("Lasting(%q): got %v, want %v", owner, got, want)
		}
	}
}
