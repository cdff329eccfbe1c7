package query

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/value"
)

// The rules a filter or a search term can break. Those for values that are not
// plain are the value package's.
const (
	ruleType       = "type"       // a value, or a part of the filter, has another type
	ruleRequired   = "required"   // something must be there
	ruleUnknown    = "unknown"    // a member or an operator that does not exist
	ruleText       = "utf8"       // text is not valid UTF-8
	rulePath       = "path"       // a path cannot be used
	ruleUndeclared = "undeclared" // there is never a value at a path
	rulePattern    = "pattern"    // a regular expression cannot be used
	ruleDynamic    = "dynamic"    // a value to be filled in by the hosted service
	ruleDepth      = "depth"      // something is nested too deep
	ruleCount      = "count"      // there are too many of something
	ruleSize       = "size"       // something is too long
)

// Error lists the faults of a query, in the order of its JSON form.
type Error struct {
	// Faults are the first [value.MaxFaults]. Their paths lead into the query's JSON
	// form, as in "AND[2].value".
	Faults []value.Fault
	// Omitted counts those beyond.
	Omitted int
}

// Error returns the first fault and the number of the others.
func (e *Error) Error() string {
	var b strings.Builder
	if first := e.Faults[0]; first.Path == "" {
		b.WriteString(first.Message)
	} else {
		b.WriteString(first.Path + ": " + first.Message)
	}
	if more := len(e.Faults) - 1 + e.Omitted; more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// faults collects the faults of one query.
type faults struct{ found value.Faults }

func (f *faults) add(path value.Path, rule, format string, args ...any) {
	f.found.Addf(path, rule, format, args...)
}

func (f *faults) any() bool { return f.found.Any() }

func (f *faults) err() error {
	if !f.found.Any() {
		return nil
	}
	return &Error{Faults: slices.Clip(f.found.List), Omitted: f.found.Omitted}
}
