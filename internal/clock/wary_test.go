package clock

import (
	"testing"
	"time"
)

// The test is inside the package since no test can wait for the hours that pass by the
// uptime.

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A step lets time pass, and may move the wall clock besides.
type step struct {
	pass, jump time.Duration
	want       time.Duration // what the clock shows then, after noon
}

const (
	day  = 24 * time.Hour
	year = 365 * day
)

var waryTests = map[string]struct {
	last  time.Duration // the last known time, before noon; 0 for none
	first time.Duration // what the clock shows at noon, after noon
	steps []step
}{
	"time passes": {steps: []step{{pass: time.Minute, want: time.Minute}, {pass: 3 * day, want: 3*day + time.Minute}}},
	"an hour forward is believed": {steps: []step{
		{jump: time.Hour, want: time.Hour},
		{jump: time.Hour, want: 2 * time.Hour},
	}},
	"an hour back is believed": {steps: []step{{jump: -time.Hour, want: -time.Hour}, {pass: time.Hour, want: 0}}},
	"a jump is believed after as much time": {steps: []step{
		{jump: 3 * time.Hour, want: 0},
		{pass: time.Hour, want: time.Hour},
		{pass: 2*time.Hour - time.Second, want: 3*time.Hour - time.Second},
		{pass: time.Second, want: 6 * time.Hour},
		{pass: time.Minute, want: 6*time.Hour + time.Minute},
	}},
	"a jump that is taken back leaves nothing": {steps: []step{
		{jump: 10 * year, want: 0},
		{pass: time.Minute, want: time.Minute},
		{jump: -10 * year, want: time.Minute},
		{pass: day, want: day + time.Minute},
	}},
	"another jump begins anew": {steps: []step{
		{jump: 3 * time.Hour, want: 0},
		{pass: 2 * time.Hour, want: 2 * time.Hour},
		{jump: 4 * time.Hour, want: 2 * time.Hour},
		{pass: time.Hour, want: 3 * time.Hour},
		{pass: 6*time.Hour - time.Second, want: 9*time.Hour - time.Second},
		{pass: time.Second, want: 16 * time.Hour},
	}},
	"a jump that is corrected a little is the same": {steps: []step{
		{jump: 3 * time.Hour, want: 0},
		{pass: 2 * time.Hour, jump: time.Minute, want: 2 * time.Hour},
		{pass: time.Hour, want: 6*time.Hour + time.Minute},
	}},
	"a jump back is shown at once": {steps: []step{
		{jump: -5 * year, want: -5 * year},
		{pass: time.Hour, want: -5*year + time.Hour},
	}},
	"a jump back that is taken back is no jump": {steps: []step{
		{jump: -5 * year, want: -5 * year},
		{pass: day, want: -5*year + day},
		{jump: 5 * year, want: day},
	}},
	"beyond the time before a jump back": {steps: []step{
		{jump: -5 * year, want: -5 * year},
		{pass: day, jump: 6 * year, want: day},
	}},
	"a jump back is believed after as much time": {steps: []step{
		{jump: -3 * time.Hour, want: -3 * time.Hour},
		{pass: 3 * time.Hour, want: 0},
		{jump: 3 * time.Hour, want: 0},
	}},

	"opened soon after the last time":      {last: time.Hour, first: 0, steps: []step{{pass: time.Minute, want: time.Minute}}},
	"opened with a clock that stands back": {last: -day, first: 0, steps: []step{{pass: time.Minute, want: time.Minute}, {jump: day, want: day + time.Minute}}},
	"opened after two hours": {last: 2 * time.Hour, first: -2 * time.Hour, steps: []step{
		{pass: time.Hour - time.Second, want: -time.Hour - time.Second},
		{pass: time.Second, want: time.Hour},
	}},
	"opened after a year": {last: year, first: -year, steps: []step{
		{pass: time.Hour - time.Second, want: -year + time.Hour - time.Second},
		{pass: time.Second, want: time.Hour},
	}},
	"opened with a wrong clock that is set": {last: time.Minute, first: 0, steps: []step{{jump: -year, want: -year}, {jump: year, want: 0}}},
	"opened ten years ahead": {last: 10 * year, first: -10 * year, steps: []step{
		{pass: time.Minute, jump: -10*year + time.Minute, want: -10*year + 2*time.Minute},
		{pass: time.Hour, want: -10*year + time.Hour + 2*time.Minute},
	}},
	"another jump after opening waits for its own width": {last: day, first: -day, steps: []step{
		{pass: time.Minute, jump: year, want: -day + time.Minute},
		{pass: 2 * day, want: day + time.Minute},
	}},
}

func TestWary(t *testing.T) {
	t.Parallel()
	for name, test := range waryTests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wall, up := noon, 5*time.Hour
			last := time.Time{}
			if test.last != 0 {
				last = noon.Add(-test.last)
			}
			c := newWary(func() time.Time { return wall }, func() time.Duration { return up }, last)
			check := func(i int, want time.Duration) {
				t.Helper()
				if got := c.Now().Sub(noon); got != want {
					t.Errorf("step %d: got %s after noon, want %s", i, got, want)
				}
			}
			check(0, test.first)
			for i, s := range test.steps {
				wall, up = wall.Add(s.pass+s.jump), up+s.pass
				check(i+1, s.want)
			}
		})
	}
}

// A clock that is read more or less often shows the same, as long as it is read between a
// jump and the next.
func TestWaryReadOften(t *testing.T) {
	t.Parallel()
	wall, up := noon, time.Duration(0)
	c := newWary(func() time.Time { return wall }, func() time.Duration { return up }, time.Time{})
	wall = wall.Add(50 * time.Hour)
	for range 50 * 3600 {
		if got, want := c.Now().Sub(noon), up; got != want {
			t.Fatalf("after %s: got %s after noon, want %s", up, got, want)
		}
		wall, up = wall.Add(time.Second), up+time.Second
	}
	if got, want := c.Now().Sub(noon), 100*time.Hour; got != want {
		t.Errorf("after the width of the jump: got %s after noon, want %s", got, want)
	}
}

// The uptime moves on with time.
func TestUptime(t *testing.T) {
	t.Parallel()
	before := Uptime()
	time.Sleep(20 * time.Millisecond)
	if passed := Uptime() - before; passed < 19*time.Millisecond || passed > time.Minute {
		t.Errorf("got %s, want 20 ms or a little more", passed)
	}
}
