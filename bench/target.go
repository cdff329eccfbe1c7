package main

import "fmt"

const (
	holdsSign  = "✓"
	missesSign = "✗"
)

// target is what a line of ours is to reach, compared with another value of the report.
type target struct {
	times  float64 // at least that many times the other value; at most, if less is better
	line   string  // the other value's line; empty is the same
	peer   string  // and peer; empty is ours
	orUpTo float64 // a value that is good enough in any case, where less is better
}

func atLeast(times float64, peer string) *target { return &target{times: times, peer: peer} }

func atLeastOf(times float64, line string) *target { return &target{times: times, line: line} }

// verdict says whether the line holds its target. It is empty if there is none, or a
// value of either side is missing.
func (t *target) verdict(results results, l line) string {
	if t == nil {
		return ""
	}
	name, other := l.name, t.peer
	if t.line != "" {
		name = t.line
	}
	if other == "" {
		other = ours
	}
	mine, ok := results.median(l.name, ours)
	theirs, also := results.median(name, other)
	if !ok || !also || theirs == 0 {
		return ""
	}
	ratio := mine / theirs
	holds := ratio >= t.times
	bound := "≥"
	if !l.unit.more() {
		holds, bound = ratio <= t.times || mine <= t.orUpTo, "≤"
	}
	of := other
	if t.line != "" {
		of = name
	}
	sign := holdsSign
	if !holds {
		sign = missesSign
	}
	text := fmt.Sprintf("%s %.3g × %s (%s %g", sign, ratio, of, bound, t.times)
	if t.orUpTo > 0 {
		text += " or " + l.unit.format(t.orUpTo)
	}
	return text + ")"
}
