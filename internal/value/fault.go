package value

import (
	"fmt"
	"slices"
)

// MaxFaults is how many faults [Faults] keeps. A hostile input may have millions.
const MaxFaults = 100

// A Fault is one reason to refuse a value.
type Fault struct {
	// Path is the place of the fault, as [Path.String] writes it. It is empty for
	// the value as a whole.
	Path string
	// Rule is the stable name of the broken rule.
	Rule string
	// Message says the expected and the found value.
	Message string
}

// Faults collects the faults of one value. The zero Faults is empty. Code that runs for
// every write takes a *Faults and not a [Report]: a call of a function value moves the
// path to the heap.
type Faults struct {
	// List holds the first [MaxFaults] faults, in the order they were added.
	List []Fault
	// Omitted counts the faults after those.
	Omitted int
}

// Add adds a fault at path. It is a [Report], and does not keep path.
func (f *Faults) Add(path Path, rule, message string) {
	if len(f.List) == MaxFaults {
		f.Omitted++
		return
	}
	f.List = append(f.List, Fault{path.String(), rule, message})
}

// Addf is Add with a message that it formats if it keeps the fault.
func (f *Faults) Addf(path Path, rule, format string, args ...any) {
	if len(f.List) == MaxFaults {
		f.Omitted++
		return
	}
	f.Add(path, rule, fmt.Sprintf(format, args...))
}

// AddBelow adds the faults of the part of the value that is at path.
func (f *Faults) AddBelow(path Path, part Faults) {
	for _, fault := range part.List {
		if len(f.List) == MaxFaults {
			f.Omitted++
			continue
		}
		fault.Path = Below(path, fault.Path)
		f.List = append(f.List, fault)
	}
	f.Omitted += part.Omitted
}

// Any reports whether there is a fault.
func (f *Faults) Any() bool { return len(f.List) > 0 }

// Clone returns a copy. Adding to one does not change the other.
func (f *Faults) Clone() Faults {
	return Faults{slices.Clone(f.List), f.Omitted}
}

// Below returns the text of the path that leads from path on by rest, which is the
// text of a path itself.
func Below(path Path, rest string) string {
	at := path.String()
	if at != "" && rest != "" && rest[0] != '[' {
		at += "."
	}
	return at + rest
}
