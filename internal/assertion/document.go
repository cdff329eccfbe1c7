package assertion

import (
	"cmp"
	_ "embed" // for the meta-schema
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/kaptinlin/jsonschema"
)

//go:embed metaschema.json
var metaschemaJSON []byte

var metaschema = copies{text: metaschemaJSON}

// A Fault is one thing wrong with a schema document.
type Fault struct {
	// Path leads from the document to the fault: member names as strings,
	// array positions as ints. It is empty for the document itself; that of a
	// missing member ends in the member's name.
	Path []any

	// Rule is the JSON Schema keyword the document breaks: type, required,
	// minimum, exclusiveMinimum, minItems, or format where a pattern is no
	// regular expression, or pattern where it is too large. For a member no schema may
	// have it is the member's name, and for one without effect [RuleKeyword] or
	// [RuleSpelling].
	Rule string

	// Message says the expected and the found value.
	Message string
}

// CheckDocument returns every fault in a new bucket schema document, sorted by path and
// then rule, or nil if there are none. Null members count as absent, as [Prune]
// leaves them out. Whether a field's type exists, and whether its keywords suit it,
// is not checked here.
func CheckDocument(doc any) []Fault {
	doc = Prune(doc)
	faults := CheckShape(doc)
	if members, ok := doc.(map[string]any); ok {
		faults = appendPatternFaults(faults, new(pattern.Budget), members, nil)
		faults = appendKeywordFaults(faults, members)
	}
	sortFaults(faults)
	return faults
}

// CheckShape is [CheckDocument] without the text of patterns and the names of keywords.
// It is for a document that has been accepted already, maybe by another release with
// other bounds.
func CheckShape(doc any) []Fault {
	doc = Prune(doc)
	text, err := json.Marshal(doc)
	if err != nil {
		return []Fault{unreadable(err.Error())}
	}
	result := metaschema.validate(text)
	if result.IsValid() {
		return nil
	}
	faults := appendFaults(nil, result, doc, nil)
	if faults == nil || result.Errors["format"] != nil {
		// No format applies to a document: the library uses the word for text it
		// cannot read. Names in invalid UTF-8 become other names, or the same one.
		return []Fault{unreadable("invalid text or nesting")}
	}
	sortFaults(faults)
	return faults
}

func sortFaults(faults []Fault) {
	slices.SortFunc(faults, func(a, b Fault) int {
		return cmp.Or(slices.CompareFunc(a.Path, b.Path, compareSteps), cmp.Compare(a.Rule, b.Rule))
	})
}

// appendPatternFaults appends the faults of the patterns of a schema or field,
// which stands at path, and of the fields below it. They share a budget.
func appendPatternFaults(faults []Fault, budget *pattern.Budget, doc map[string]any, path []any) []Fault {
	if expr, ok := doc["pattern"].(string); ok && len(path) > 0 {
		switch err := pattern.Check(expr, budget); {
		case errors.Is(err, pattern.ErrSize):
			faults = append(faults, Fault{join(path, "pattern"), "pattern",
				fmt.Sprintf("too large: all patterns of a schema have at most %d instructions together; repeat less in them", pattern.MaxSize)})
		case err != nil:
			faults = append(faults, Fault{join(path, "pattern"), "format", "regular expression in RE2 syntax expected, got " + show(expr)})
		}
	}
	if items, ok := doc["items"].(map[string]any); ok {
		faults = appendPatternFaults(faults, budget, items, join(path, "items"))
	}
	fields, _ := doc["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if field, ok := fields[name].(map[string]any); ok {
			faults = appendPatternFaults(faults, budget, field, join(join(path, "properties"), name))
		}
	}
	return faults
}

// Prune returns doc without the null members of its schema and of every field
// below it, which count as absent. A null field definition, an entry of a
// properties map, stays, and so does all that is no schema: default, enum,
// examples, const and unknown keywords are not changed. A value that is not an
// object is returned as it is. Nothing is written into doc, but the result
// shares the unchanged parts with it.
func Prune(doc any) any {
	members, ok := doc.(map[string]any)
	if !ok {
		return doc
	}
	pruned := make(map[string]any, len(members))
	for name, v := range members {
		if v == nil {
			continue
		}
		switch name {
		case "items":
			v = Prune(v)
		case "properties":
			v = pruneFields(v)
		}
		pruned[name] = v
	}
	return pruned
}

func pruneFields(v any) any {
	fields, ok := v.(map[string]any)
	if !ok {
		return v
	}
	pruned := make(map[string]any, len(fields))
	for name, field := range fields {
		pruned[name] = Prune(field)
	}
	return pruned
}

// leafRules are the rules of the meta-schema that are about one value alone. The
// others, which lead from a value to its members, fail when a rule below them
// does. Only the first failure is reported: a value that is not a number is not also
// too small.
var leafRules = []string{"schema", "type", "required", "minItems", "minimum", "exclusiveMinimum"}

// appendFaults appends what result, and the results below it, say of v, which
// stands at path.
func appendFaults(faults []Fault, result *jsonschema.EvaluationResult, v any, path []any) []Fault {
	for _, rule := range leafRules {
		if result.Errors[rule] != nil {
			faults = append(faults, newFault(rule, result, v, path))
			break
		}
	}
	members, _ := v.(map[string]any)
	for _, r := range result.Details {
		if r.InstanceLocation == "" { // a reference, which checks the same value
			faults = appendFaults(faults, r, v, path)
			continue
		}
		// A location is "/" and the member's name, unescaped. A required member
		// that is missing is checked as well, as if it were null.
		name := r.InstanceLocation[1:]
		if member, ok := members[name]; ok {
			faults = appendFaults(faults, r, member, join(path, name))
		}
	}
	return faults
}

func newFault(rule string, result *jsonschema.EvaluationResult, v any, path []any) Fault {
	switch rule {
	case "schema": // false, which nothing satisfies
		return Fault{path, path[len(path)-1].(string), "not allowed: a schema must not refer to anything outside itself"}
	case "required":
		// The document requires one member, and so does a field.
		if len(path) == 0 {
			return Fault{join(path, "properties"), rule, "object expected, got nothing"}
		}
		return Fault{join(path, "type"), rule, "string expected, got nothing"}
	}
	want := result.Annotations["description"].(*string)
	message := *want + " expected, got " + show(v)
	if names, ok := v.([]any); ok && *want == "boolean" && path[len(path)-1] == "required" {
		message += ": " + requiredInstead(names)
	}
	return Fault{path, rule, message}
}

func unreadable(why string) Fault {
	return Fault{nil, "type", "not a JSON document: " + why}
}

func join(path []any, name string) []any {
	return append(slices.Clip(path), name)
}

// compareSteps orders member names. The meta-schema looks into no array, so
// there are no positions to order.
func compareSteps(a, b any) int {
	return cmp.Compare(a.(string), b.(string))
}
