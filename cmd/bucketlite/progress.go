package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
)

// progress shows how far a command has come, if there is a terminal to show it on.
// A nil progress shows nothing.
type progress struct {
	app  *app
	bar  *progressbar.ProgressBar
	what string
	in   unit

	mu    sync.Mutex
	speed speed
}

// unit is the unit of a bar.
type unit int

const (
	inBytes   unit = iota
	inNumbers      // of objects
	inPercent      // of anything without a unit
)

// progress begins to show a bar. A total of -1 stands for one that is not known.
func (a *app) progress(what string, total int64, in unit) *progress {
	if !a.bars {
		return nil
	}
	// The text before the bar is ours: the bar's own speed takes a position from which a
	// command continues for work done.
	a.bar = &progress{app: a, what: what, in: in, bar: progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(a.err),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
	)}
	return a.bar
}

// set says how much has been done. It is safe for concurrent use.
func (p *progress) set(done int64) {
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.speed.reach(time.Now(), done)
		p.bar.Describe(p.text(done, p.bar.GetMax64()))
		p.bar.Set64(done)
	}
}

// of says how much has been done, and of how much.
func (p *progress) of(done, total int64) {
	if p == nil {
		return
	}
	if total > 0 && total != p.bar.GetMax64() {
		p.bar.ChangeMax64(total)
	}
	p.set(done)
}

// text says what is done, how much of how much, how fast, and how long it will take.
func (p *progress) text(done, total int64) string {
	if p.in == inPercent {
		return p.what
	}
	amount := func(n int64) string {
		if p.in == inBytes {
			return humanize.IBytes(uint64(n))
		}
		return humanize.Comma(n)
	}
	text := p.what + " " + amount(max(done, 0))
	if total > 0 {
		text += " of " + amount(total)
	}
	rate := p.speed.perSecond()
	if rate < 1 {
		return text
	}
	text += ", " + amount(int64(rate)) + "/s"
	if left := time.Duration(float64(total-done) / rate * float64(time.Second)); total > 0 && left > 0 {
		text += fmt.Sprintf(", %v left", left.Round(time.Second))
	}
	return text
}

// clear makes room for a message. The bar comes back with the next set.
func (p *progress) clear() {
	if p != nil {
		p.bar.Clear()
	}
}

// end takes the bar away.
func (p *progress) end() {
	if p != nil {
		p.bar.Clear()
		p.app.bar = nil
	}
}

// speedWindow is how far back the speed of something is measured.
const speedWindow = 3 * time.Second

// speed measures how fast a count has risen in the last few seconds. The count may begin
// at any number, since a command may continue from a position.
type speed struct {
	samples []sample // the oldest first
}

type sample struct {
	at   time.Time
	done int64
}

// reach notes the count at a time.
func (s *speed) reach(now time.Time, done int64) {
	const apart = speedWindow / 30
	if n := len(s.samples); n > 1 && now.Sub(s.samples[n-2].at) < apart {
		s.samples = s.samples[:n-1] // of several that are close, the last is enough
	}
	s.samples = append(s.samples, sample{now, done})
	// One older than the window stays, so that the window is covered.
	for len(s.samples) > 2 && now.Sub(s.samples[1].at) >= speedWindow {
		s.samples = s.samples[1:]
	}
}

// perSecond returns the speed at the time that was reached last; 0 if it is not known yet.
func (s *speed) perSecond() float64 {
	if len(s.samples) < 2 {
		return 0
	}
	first, last := s.samples[0], s.samples[len(s.samples)-1]
	if last.at.Sub(first.at) < speedWindow/10 {
		return 0
	}
	return max(0, float64(last.done-first.done)/last.at.Sub(first.at).Seconds())
}
