package assertion

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/spell"
)

// The rules of faults in the names of keywords.
const (
	// RuleKeyword is the rule of a JSON Schema assertion that would have no effect where
	// it stands.
	RuleKeyword = "keyword"
	// RuleSpelling is the rule of a name that is close to that of a keyword.
	RuleSpelling = "spelling"
)

// maxEdits is the number of edits up to which a name counts as misspelt.
const maxEdits = 2

// structural are the keywords with effect that are not assertions of this package.
var structural = []string{"type", "required", "default", "enum", "items", "properties", "additionalProperties"}

// The keywords with effect, in a field and at the root of a schema.
var (
	fieldKeywords = slices.Concat(Keywords(), structural)
	rootKeywords  = []string{"properties", "additionalProperties"}
)

// ineffective are the assertions of JSON Schema, of all its drafts, that have no effect,
// and what to write instead.
var ineffective = map[string]string{
	"allOf":                 `write the keywords of its schemas in the field itself`,
	"anyOf":                 `write one type, and list the values that are allowed in "enum"`,
	"oneOf":                 `write one type, and list the values that are allowed in "enum"`,
	"not":                   `write what is allowed, with "enum" or "pattern"`,
	"if":                    conditions,
	"then":                  conditions,
	"else":                  conditions,
	"dependentRequired":     conditions,
	"dependentSchemas":      conditions,
	"dependencies":          conditions,
	"patternProperties":     declareAll,
	"propertyNames":         declareAll,
	"unevaluatedProperties": `write "additionalProperties": false`,
	"prefixItems":           `write one schema for all items in "items"`,
	"additionalItems":       `write one schema for all items in "items"`,
	"unevaluatedItems":      `write one schema for all items in "items"`,
	"contains":              `write what all items are in "items", and their number in "minItems"`,
	"minContains":           `write the number of items in "minItems"`,
	"maxContains":           `write the number of items in "maxItems"`,
	"divisibleBy":           `write "multipleOf"`,
	"disallow":              `write what is allowed, with "type" or "enum"`,
	"extends":               `write the keywords of its schema in the field itself`,
	"$recursiveRef":         `write the fields themselves`,
}

const (
	conditions = `a schema has no conditions; check them before an object is stored`
	declareAll = `declare each field in "properties", and write "additionalProperties": false`
)

// chance are words within two edits of a keyword that rather mean what they say.
var chance = strings.Fields("boost byte cast cost count dtype font form host menu normal post style sum terms time times tone top tree")

// appendKeywordFaults appends the faults of names that have no effect in a schema, and in
// the fields below it.
func appendKeywordFaults(faults []Fault, doc map[string]any) []Fault {
	for name, v := range doc {
		if rule, message := rootFault(name, v); rule != "" {
			faults = append(faults, Fault{[]any{name}, rule, message})
		}
	}
	return appendFieldsFaults(faults, doc, nil)
}

// appendFieldsFaults appends the faults in the fields of a schema or field, which stands
// at path.
func appendFieldsFaults(faults []Fault, doc map[string]any, path []any) []Fault {
	fields, _ := doc["properties"].(map[string]any)
	for name, v := range fields {
		if field, ok := v.(map[string]any); ok {
			faults = appendFieldFaults(faults, field, join(join(path, "properties"), name))
		}
	}
	return faults
}

func appendFieldFaults(faults []Fault, field map[string]any, path []any) []Fault {
	for name := range field {
		if rule, message := fieldFault(name); rule != "" {
			faults = append(faults, Fault{join(path, name), rule, message})
		}
	}
	if items, ok := field["items"].(map[string]any); ok {
		faults = appendFieldFaults(faults, items, join(path, "items"))
	}
	return appendFieldsFaults(faults, field, path)
}

// fieldFault returns the fault of a keyword of a field; the rule is "" if there is none.
func fieldFault(name string) (rule, message string) {
	if slices.Contains(fieldKeywords, name) {
		return "", ""
	}
	if keyword, instead := ineffectiveKeyword(name); keyword != "" {
		return RuleKeyword, "has no effect here: " + instead
	}
	if keyword := misspelt(name, fieldKeywords); keyword != "" {
		return RuleSpelling, didYouMean(keyword)
	}
	return "", ""
}

// rootFault is [fieldFault] for a keyword at the root of a schema, with the value v.
func rootFault(name string, v any) (rule, message string) {
	switch {
	case slices.Contains(rootKeywords, name), name == "default", name == "type" && v == "object":
		return "", ""
	case strings.EqualFold(name, "required") || misspelt(name, []string{"required"}) != "":
		names, ok := v.([]any)
		if ok && len(names) == 0 {
			return "", ""
		}
		return RuleKeyword, "has no effect here: " + requiredInstead(names)
	case slices.Contains(fieldKeywords, name):
		return RuleKeyword, fmt.Sprintf("has no effect here: write %q in a field", name)
	}
	if keyword, instead := ineffectiveKeyword(name); keyword != "" {
		return RuleKeyword, "has no effect here: " + instead
	}
	if keyword := misspelt(name, rootKeywords); keyword != "" {
		return RuleSpelling, didYouMean(keyword)
	}
	return "", ""
}

// requiredInstead says what to write for a list of required fields.
func requiredInstead(names []any) string {
	const most = 5
	if len(names) == 0 || len(names) > most {
		return `write "required": true in each field that is required`
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = show(name)
	}
	return `write "required": true in the field ` + strings.Join(quoted, ", ")
}

func didYouMean(keyword string) string {
	return fmt.Sprintf(`not a keyword, did you mean %q? A name that begins with "x-" is kept`, keyword)
}

// ineffectiveKeyword returns the assertion without effect that a name is, however
// capitalized, and what to write instead.
func ineffectiveKeyword(name string) (keyword, instead string) {
	if instead, ok := ineffective[name]; ok {
		return name, instead
	}
	for keyword, instead := range ineffective {
		if strings.EqualFold(keyword, name) {
			return keyword, instead
		}
	}
	return "", ""
}

// misspelt returns the keyword that a name was likely meant as, or "". Names of other
// vocabularies have a character that no keyword has.
func misspelt(name string, keywords []string) (keyword string) {
	if strings.HasPrefix(strings.ToLower(name), "x-") || strings.ContainsAny(name, "_$") || slices.Contains(chance, name) {
		return ""
	}
	least := maxEdits + 1
	for _, k := range keywords {
		if d := spell.Distance(strings.ToLower(name), strings.ToLower(k)); d < least {
			keyword, least = k, d
		}
	}
	return keyword
}

// foreign are assertions of the hosted service that have no effect.
var foreign = map[string]string{
	"must_contain": `write "pattern" if the values are strings`,
}

// Foreign reports whether a name in a schema is an assertion of another vocabulary, such
// as min_length, and what to write instead. It is kept without effect.
func Foreign(name string) (instead string, ok bool) {
	if instead, ok := foreign[name]; ok {
		return instead, true
	}
	if !strings.Contains(name, "_") {
		return "", false
	}
	plain := strings.ReplaceAll(name, "_", "")
	for _, keyword := range fieldKeywords {
		if strings.EqualFold(plain, keyword) {
			return fmt.Sprintf("write %q", keyword), true
		}
	}
	return "", false
}

// Tolerable reports whether the JSON Schema assertion with the name, which has a fault of
// [RuleKeyword], may be kept with a warning. Combined schemas and a list of required
// fields may not: without them the schema means something else.
func Tolerable(name string) bool {
	switch strings.ToLower(name) {
	case "allof", "anyof", "oneof", "not", "if", "then", "else":
		return false
	}
	return misspelt(name, []string{"required"}) == ""
}
