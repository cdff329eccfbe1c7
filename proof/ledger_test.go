package proof_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// absent is the state of what does not exist.
const absent = "absent"

// changes are what one call does if it takes effect: the new states by subject.
// A subject is an object, a bucket or another thing with a name, such as
// "object/items/a". Neither has spaces.
type changes map[string]string

// String returns the changes as they stand in a line: "object/items/a=1 …".
func (c changes) String() string {
	var words []string
	for _, subject := range slices.Sorted(maps.Keys(c)) {
		words = append(words, subject+"="+c[subject])
	}
	return strings.Join(words, " ")
}

// ledger holds what a store may contain, given the outcome of each call. A call
// that has succeeded took effect, one that was refused did not, and one whose
// outcome is unknown, or that has not returned, took effect as a whole or not at all.
type ledger struct {
	states map[string][]string // in which a subject may be
	begun  map[string]changes  // by calls that have not returned
	open   []changes           // of calls whose outcome is unknown, as far as they show
	ever   map[string][]string // the states in which calls were to bring a subject
}

func newLedger() *ledger {
	return &ledger{states: make(map[string][]string), begun: make(map[string]changes), ever: make(map[string][]string)}
}

// The words with which a line of a workload's output begins.
const (
	wordBegin   = "begin"   // a call begins: its number, and its changes
	wordDone    = "done"    // it has succeeded: its number
	wordRefused = "refused" // it has failed, and nothing has happened: its number, and the error
	wordUnknown = "unknown" // the store cannot tell whether it took effect: the same
	wordWrong   = "wrong"   // the workload has read what cannot be there: the difference
	wordEnd     = "end"     // the workload has come to its end
)

// note takes one line of a workload's output, and returns an error if that tells of one.
func (l *ledger) note(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	call, rest, _ := strings.Cut(rest, " ")
	switch word {
	case wordBegin:
		c := make(changes)
		for _, change := range strings.Fields(rest) {
			subject, state, _ := strings.Cut(change, "=")
			c[subject] = state
			l.ever[subject] = append(l.ever[subject], state)
		}
		l.begun[call] = c
	case wordDone:
		for subject, state := range l.begun[call] {
			l.states[subject] = []string{state}
		}
		delete(l.begun, call)
	case wordRefused:
		delete(l.begun, call)
	case wordUnknown:
		l.leaveOpen(call)
	case wordWrong:
		return errors.New(line)
	}
	return nil
}

// settled returns a copy in which the calls that have not returned are open.
func (l *ledger) settled() *ledger {
	l = &ledger{states: maps.Clone(l.states), begun: maps.Clone(l.begun), open: slices.Clone(l.open)}
	for _, call := range slices.Sorted(maps.Keys(l.begun)) {
		l.leaveOpen(call)
	}
	return l
}

// loosened returns a ledger that allows what any of the calls has written, or nothing.
func (l *ledger) loosened() *ledger {
	loose := newLedger()
	for subject, states := range l.ever {
		loose.states[subject] = append([]string{absent}, states...)
	}
	return loose
}

func (l *ledger) leaveOpen(call string) {
	c := l.begun[call]
	delete(l.begun, call)
	shows := make(changes)
	for subject, state := range c {
		if len(l.states[subject]) == 0 {
			l.states[subject] = []string{absent}
		}
		// A state that was possible before does not show whether the call took effect.
		if !slices.Contains(l.states[subject], state) {
			shows[subject] = state
		}
		l.states[subject] = append(slices.Clone(l.states[subject]), state)
	}
	l.open = append(l.open, shows)
}

// compare returns how what was found, by subject, differs from what may be there.
func (l *ledger) compare(found map[string]string) error {
	l = l.settled()
	state := func(subject string) string {
		if s, ok := found[subject]; ok {
			return s
		}
		return absent
	}
	var wrong []error
	for _, subject := range slices.Sorted(maps.Keys(l.states)) {
		if got, want := state(subject), l.states[subject]; !slices.Contains(want, got) {
			wrong = append(wrong, fmt.Errorf("%s: got %q, want %q", subject, got, want))
		}
	}
	for _, subject := range slices.Sorted(maps.Keys(found)) {
		if len(l.states[subject]) == 0 && found[subject] != absent {
			wrong = append(wrong, fmt.Errorf("%s: got %q, want nothing, since nobody wrote it", subject, found[subject]))
		}
	}
	for _, c := range l.open {
		effects, settled := 0, 0
		for subject, s := range c {
			// A subject that a later call changed says nothing about this one.
			if last := l.states[subject]; last[len(last)-1] != s {
				continue
			}
			settled++
			if state(subject) == s {
				effects++
			}
		}
		if 0 < effects && effects < settled {
			wrong = append(wrong, fmt.Errorf("%s: got %d of %d changes, want all or none", c, effects, settled))
		}
	}
	return errors.Join(wrong...)
}

func TestLedger(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		lines []string
		found map[string]string
		sound bool
	}{
		"done, and there":              {[]string{"begin 1 a=1", "done 1"}, map[string]string{"a": "1"}, true},
		"done, and lost":               {[]string{"begin 1 a=1", "done 1"}, nil, false},
		"done, and older":              {[]string{"begin 1 a=1", "done 1", "begin 2 a=2", "done 2"}, map[string]string{"a": "1"}, false},
		"refused, and not there":       {[]string{"begin 1 a=1", "refused 1 full"}, nil, true},
		"refused, and there":           {[]string{"begin 1 a=1", "refused 1 full"}, map[string]string{"a": "1"}, false},
		"refused, and as before":       {[]string{"begin 1 a=1", "done 1", "begin 2 a=2", "refused 2 full"}, map[string]string{"a": "1"}, true},
		"unknown, and there":           {[]string{"begin 1 a=1", "unknown 1 disk"}, map[string]string{"a": "1"}, true},
		"unknown, and not there":       {[]string{"begin 1 a=1", "unknown 1 disk"}, nil, true},
		"unknown, and something else":  {[]string{"begin 1 a=1", "unknown 1 disk"}, map[string]string{"a": "2"}, false},
		"unknown, and half of it":      {[]string{"begin 1 a=1 b=1", "unknown 1 disk"}, map[string]string{"a": "1"}, false},
		"unknown, half written again":  {[]string{"begin 1 a=1 b=1", "unknown 1 disk", "begin 2 b=2", "done 2"}, map[string]string{"b": "2"}, true},
		"unknown, of what may be so":   {[]string{"begin 1 b=1", "done 1", "begin 2 a=1", "unknown 2 disk", "begin 3 a=absent b=absent", "unknown 3 disk"}, map[string]string{"b": "1"}, true},
		"not returned, and there":      {[]string{"begin 1 a=1"}, map[string]string{"a": "1"}, true},
		"not returned, and not there":  {[]string{"begin 1 a=1"}, nil, true},
		"deleted, and there":           {[]string{"begin 1 a=1", "done 1", "begin 2 a=absent", "done 2"}, map[string]string{"a": "1"}, false},
		"deleted":                      {[]string{"begin 1 a=1", "done 1", "begin 2 a=absent", "done 2"}, nil, true},
		"there, and written by nobody": {nil, map[string]string{"a": "1"}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger()
			for _, line := range test.lines {
				if err := l.note(line); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.compare(test.found); (err == nil) != test.sound {
				t.Errorf("compare: got %v, want an error: %t", err, !test.sound)
			}
		})
	}
}

// Where acknowledged calls may be lost, what is there was still written by one of them.
func TestLooseLedger(t *testing.T) {
	t.Parallel()
	l := newLedger()
	for _, line := range []string{"begin 1 a=1", "done 1", "begin 2 a=2", "done 2"} {
		if err := l.note(line); err != nil {
			t.Fatal(err)
		}
	}
	for state, sound := range map[string]bool{absent: true, "1": true, "2": true, "3": false} {
		if err := l.loosened().compare(map[string]string{"a": state}); (err == nil) != sound {
			t.Errorf("state %q: got %v, want an error: %t", state, err, !sound)
		}
	}
}
