package assertion

import (
	"github.com/bucketlite/bucketlite/internal/format"
	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/kaptinlin/jsonschema"
)

// Rules is a version of the rules for schemas. A stored schema has the version by which
// it was accepted, and is compiled by it. Values of a schema are then valid or not as
// they were on the day the schema was accepted, whatever later versions say.
type Rules int

const (
	// Rules1 checks formats with the functions of the JSON Schema library. Schemas had
	// these rules until they had versions.
	Rules1 Rules = 1 + iota
	// Rules2 checks formats with package format.
	Rules2

	// LatestRules are the rules of new schemas.
	LatestRules = Rules2
)

// Known reports whether this release knows the version.
func (r Rules) Known() bool { return Rules1 <= r && r <= LatestRules }

// format returns the function that checks strings by the format with the name, or nil if
// the format is unknown.
func (r Rules) format(name string) func(string) bool {
	if name == "regex" { // which the library does not bound
		return func(s string) bool { return pattern.Check(s, new(pattern.Budget)) == nil }
	}
	if r > Rules1 {
		return format.Lookup(name)
	}
	if check := jsonschema.Formats[name]; check != nil {
		return func(s string) bool { return check(s) }
	}
	return nil
}
