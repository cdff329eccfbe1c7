package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// work is something that every peer does that can: one or more lines of the report.
type work struct {
	section string
	name    string
	lines   []line
	peers   []string // those that take part; nil is all except guests
	guests  []string // guests that take part too, if peers is nil
	full    bool     // only with -full
	// begin prepares a peer, outside of all rounds. The error is errUnable if the
	// peer cannot do the work.
	begin func(ctx context.Context, b *bench, p *peer, dir string) (cell, error)
}

// has reports whether a peer takes part, if it can.
func (w *work) has(p *peer) bool {
	if w.peers != nil {
		return slices.Contains(w.peers, p.name)
	}
	return !p.guest || slices.Contains(w.guests, p.name)
}

// restrict leaves the peers that take part and whose names match.
func (w *work) restrict(names *regexp.Regexp) {
	var some []string
	for _, p := range peers {
		if w.has(p) && names.MatchString(p.name) {
			some = append(some, p.name)
		}
	}
	w.peers, w.guests = some, nil
}

// cell is a peer that is ready to do a work.
type cell interface {
	// Round works for about as long as budget and returns a value for each line.
	Round(ctx context.Context, budget time.Duration) ([]float64, error)
	// Close verifies what the peer has stored, and closes it.
	Close(ctx context.Context) error
}

// line is one line of the report.
type line struct {
	name   string
	unit   unit
	target *target
}

// unit says what values are and how they are written.
type unit int

const (
	perSecond   unit = iota // operations a second: more is better
	megabytes               // MB/s: more is better
	seconds                 // less is better
	bytesEach               // bytes of file an object: less is better
	memoryBytes             // less is better
)

// more reports whether larger values are better ones.
func (u unit) more() bool { return u == perSecond || u == megabytes }

// format writes a value.
func (u unit) format(v float64) string {
	switch u {
	case perSecond:
		return short(v)
	case megabytes:
		if v >= 999.5 {
			return short(v/1000) + " GB/s"
		}
		return short(v) + " MB/s"
	case seconds:
		return time.Duration(v * float64(time.Second)).Round(roundTo(v)).String()
	case memoryBytes:
		return short(v/(1<<20)) + " MiB"
	default:
		return fmt.Sprintf("%.0f B", v)
	}
}

// roundTo returns the unit that leaves three digits of a number of seconds.
func roundTo(v float64) time.Duration {
	to := time.Nanosecond
	for d := time.Duration(v * float64(time.Second)); d >= 1000; d /= 10 {
		to *= 10
	}
	return to
}

// short writes a number with two or three digits that count: 5.43 k, 54.3 k, 543 k.
func short(v float64) string {
	suffix := ""
	switch {
	case v >= 999_500:
		v, suffix = v/1e6, " M"
	case v >= 999.5:
		v, suffix = v/1e3, " k"
	}
	switch {
	case v >= 99.95:
		return fmt.Sprintf("%.0f", v) + suffix
	case v >= 9.995:
		return fmt.Sprintf("%.1f", v) + suffix
	}
	return fmt.Sprintf("%.2f", v) + suffix
}

// plain writes a whole number without a suffix.
func plain(v float64) string { return fmt.Sprintf("%.0f", v) }
