package main

import (
	"math"
	"testing"
	"time"
)

// The speed is that of the last seconds, whatever was before and wherever it began.
func TestSpeed(t *testing.T) {
	t.Parallel()
	// reached is how much there is, every 10 ms, from a beginning at 1,000,000.
	reached := func(s *speed, at *time.Time, done *int64, span time.Duration, perSecond int64) {
		for end := at.Add(span); at.Before(end); *at = at.Add(10 * time.Millisecond) {
			*done += perSecond / 100
			s.reach(*at, *done)
		}
	}
	s, at, done := &speed{}, time.Unix(0, 0), int64(1_000_000)
	want := func(what string, want, tolerance float64) {
		t.Helper()
		if got := s.perSecond(); math.Abs(got-want) > tolerance {
			t.Errorf("%s: got %.0f, want %.0f", what, got, want)
		}
	}
	s.reach(at, done)
	want("at once", 0, 0)
	reached(s, &at, &done, 100*time.Millisecond, 5000)
	want("too early to say", 0, 0)
	reached(s, &at, &done, time.Second, 5000)
	want("from the beginning", 5000, 100)
	reached(s, &at, &done, 20*time.Second, 5000)
	want("steady", 5000, 100)
	reached(s, &at, &done, 4*time.Second, 100)
	want("slower for some seconds", 100, 10)
	at = at.Add(time.Minute)
	s.reach(at, done+60)
	want("after a pause", 1, 1)
	reached(s, &at, &done, 4*time.Second, 50_000)
	want("faster", 50_000, 1000)
	s.reach(at, done-1_000_000)
	want("backwards", 0, 0)
	if n := len(s.samples); n > 40 {
		t.Errorf("got %d samples, want few", n)
	}
}

func TestProgressText(t *testing.T) {
	t.Parallel()
	at := time.Unix(0, 0)
	for _, test := range []struct {
		name                 string
		in                   unit
		first, second, total int64
		want                 string
	}{
		{"bytes", inBytes, 1 << 20, 3 << 20, 9 << 20, "putting 3.0 MiB of 9.0 MiB, 1.0 MiB/s, 6s left"},
		{"bytes of an unknown number", inBytes, 0, 4 << 10, -1, "putting 4.0 KiB, 2.0 KiB/s"},
		{"objects", inNumbers, 0, 5000, 20_000, "putting 5,000 of 20,000, 2,500/s, 6s left"},
		{"nothing yet", inNumbers, 0, 0, 20_000, "putting 0 of 20,000"},
		{"more than expected", inNumbers, 0, 50, 20, "putting 50 of 20, 25/s"},
		{"percent", inPercent, 0, 50, 100, "putting"},
	} {
		p := &progress{what: "putting", in: test.in}
		p.speed.reach(at, test.first)
		p.speed.reach(at.Add(2*time.Second), test.second)
		if got := p.text(test.second, test.total); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
