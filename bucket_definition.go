package bucketlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/bucketlite/bucketlite/internal/value"
)

// The names of rules that are this package's own. Those of JSON Schema keywords
// are the keywords.
const (
	ruleRequired = "required" // something must be there
	ruleType     = "type"     // a value has another type
	ruleName     = "name"     // a name cannot be used
	ruleReserved = "reserved" // a member is the system's own
	ruleNesting  = "nesting"  // a schema is nested too deep
	ruleKey      = "key"      // a unique key, or a value of one, cannot be used
	ruleFixed    = "fixed"    // something cannot be changed after creation
	ruleProperty = "property" // a blob names no property, or one that is taken
	ruleData     = "data"     // a blob's data has none of the known forms
	ruleMIME     = "mime"     // a blob's bytes do not fit the property's type
	ruleMatch    = "match"    // bytes are not those that were announced
	ruleSize     = "size"     // an input exceeds a size
	ruleFetch    = "fetch"    // what a URL stands for cannot be fetched
	ruleExists   = "exists"   // something that is named does not exist
	rulePath     = "path"     // a path cannot be used
)

const (
	maxSchemaNesting = 32  // fields within fields
	maxFieldName     = 100 // characters
)

// schemaLimits bound a schema's JSON form before anything else looks at it.
var schemaLimits = value.Limits{MaxDepth: 100, MaxBytes: 1 << 20}

// A definition is what is fixed when a bucket is created: its schema and unique
// key, as given and compiled.
type definition struct {
	schema Schema
	plan   *plan
	key    *keyPlan // nil without a unique key
}

// define judges a schema and a unique key over it, and compiles them.
func define(s Schema, key *UniqueKey) (*definition, []Issue) {
	var issues []Issue
	doc, ok := value.Plain(s.document(), nil, schemaLimits, appendTo(&issues))
	if !ok {
		return nil, issues
	}
	// Once through its JSON form, a schema built in Go is what it will be when
	// it is read back.
	doc, err := value.Parse(value.Append(nil, doc), schemaLimits)
	if err != nil {
		return nil, syntaxIssues(nil, err)
	}
	d := &definition{}
	d.schema, d.plan, issues = compileSchema(doc)
	d.key = compileKey(d.plan, key, &issues)
	return d, issues
}

// restore compiles a definition that has been judged, in its stored form. The
// patterns in it are neither judged again nor compiled.
func restore(schema, key string) (*definition, error) {
	doc, err := value.Parse([]byte(schema), schemaLimits)
	if err != nil {
		return nil, &ValidationError{Subject: "schema", Issues: syntaxIssues(nil, err)}
	}
	var config *UniqueKey
	if key != "" {
		if err := json.Unmarshal([]byte(key), &config); err != nil {
			return nil, err
		}
	}
	c := compiler{stored: true, broken: make(map[string]bool)}
	d := &definition{}
	d.schema, d.plan = c.schema(doc)
	d.key = compileKey(d.plan, config, &c.issues)
	if len(c.issues) > 0 {
		return nil, newValidationError("schema", c.issues)
	}
	return d, nil
}

// compileSchema judges a schema in its JSON form and compiles it. A plan is
// returned even if there are issues, with what of it could be understood.
func compileSchema(doc any) (Schema, *plan, []Issue) {
	c := compiler{broken: make(map[string]bool)}
	s, p := c.schema(doc)
	return s, p, c.issues
}

// schema compiles a schema, and is compileSchema but for what becomes of the issues.
func (c *compiler) schema(doc any) (Schema, *plan) {
	doc = assertion.Prune(doc)
	check := assertion.CheckDocument
	if c.stored {
		check = assertion.CheckShape
	}
	for _, f := range check(doc) {
		path := documentPath(f.Path).String()
		c.issues = append(c.issues, Issue{path, f.Rule, f.Message})
		c.broken[path] = true
	}
	root, _ := doc.(map[string]any)
	p := c.plan(nil, root, 0)
	sortIssues(c.issues)
	if len(c.issues) > 0 {
		return Schema{}, p
	}
	s, _ := schemaOf(root)
	return s, p
}

func documentPath(steps []any) value.Path {
	var path value.Path
	for _, step := range steps {
		switch step := step.(type) {
		case string:
			path = path.Member(step)
		case int:
			path = path.Item(step)
		}
	}
	return path
}

// compiler turns a schema's JSON form into a plan. It meets every fault that
// the meta-schema cannot express, and steps over what that has already refused.
type compiler struct {
	issues []Issue
	broken map[string]bool // the paths of what the meta-schema refused
	stored bool            // the schema has been judged before
	work   pattern.Allowance
}

// judge calls f with a judge of values in the schema.
func (c *compiler) judge(f func(*judge)) {
	j := &judge{work: c.work, unasserted: c.stored}
	f(j)
	c.work = j.work
	c.issues = append(c.issues, j.issues...)
}

func (c *compiler) fault(path value.Path, rule, format string, args ...any) {
	c.issues = append(c.issues, Issue{path.String(), rule, fmt.Sprintf(format, args...)})
}

// plan compiles a schema, or an ObjectField, whose JSON form is doc.
func (c *compiler) plan(path value.Path, doc map[string]any, depth int) *plan {
	p := &plan{index: make(map[string]*fieldPlan)}
	if open, ok := doc["additionalProperties"].(bool); ok {
		p.closed = !open
	}
	properties, _ := doc["properties"].(map[string]any)
	path = path.Member("properties")
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		at := path.Member(name)
		switch {
		case name == "":
			c.fault(at, ruleName, "a field's name must not be empty")
		case strings.Contains(name, "."):
			c.fault(at, ruleName, "a field's name must not contain a dot")
		case utf8.RuneCountInString(name) > maxFieldName:
			c.fault(at, ruleName, "a field's name has at most %d characters", maxFieldName)
		case depth == 0 && isReserved(name):
			c.fault(at, ruleReserved, "the name is reserved")
		}
		field, _ := properties[name].(map[string]any)
		p.fields = append(p.fields, *c.field(at, name, field, depth+1))
	}
	for i := range p.fields {
		p.index[p.fields[i].name] = &p.fields[i]
	}
	return p
}

func (c *compiler) field(path value.Path, name string, doc map[string]any, depth int) *fieldPlan {
	f := &fieldPlan{name: name}
	if depth > maxSchemaNesting {
		c.fault(path, ruleNesting, "fields are nested more than %d deep", maxSchemaNesting)
		return f
	}
	f.required, _ = doc["required"].(bool)
	t, isText := doc["type"].(string)
	known := slices.Contains(fieldTypes, FieldType(t))
	if known {
		f.typ = FieldType(t)
	} else if isText {
		c.fault(path.Member("type"), ruleType, "unknown type %s%s", value.Show(t), suggest(t))
	}
	if items, ok := doc["items"].(map[string]any); ok {
		f.items = c.field(path.Member("items"), "", items, depth+1)
	}
	if _, ok := doc["items"]; ok && known && f.typ != Array {
		c.fault(path.Member("items"), "items", "only an array has items, this is %s", t)
	}
	if _, ok := doc["properties"]; ok && known && f.typ != ObjectField {
		c.fault(path.Member("properties"), "properties", "only an object has properties, this is %s", t)
	}
	_, hasProperties := doc["properties"]
	_, hasAdditional := doc["additionalProperties"]
	if hasProperties || hasAdditional {
		f.members = c.plan(path, doc, depth)
	}
	if !known {
		return f
	}
	c.values(path, f, doc)
	return f
}

// values compiles the keywords that hold values or assertions. The field's type
// and structure are known by now.
func (c *compiler) values(path value.Path, f *fieldPlan, doc map[string]any) {
	if enum, ok := doc["enum"].([]any); ok {
		c.examples(path.Member("enum"), f, enum)
		f.enum = make(map[string]struct{}, len(enum))
		for _, v := range enum {
			f.enum[string(f.appendEnumKey(nil, v))] = struct{}{}
			// With the defaults of its members it is the same value.
			if stored, differs := f.conform(&judge{unasserted: true}, nil, v); differs {
				f.enum[string(f.appendEnumKey(nil, stored))] = struct{}{}
			}
		}
		f.allowed = allowed(enum)
	}
	if examples, ok := doc["examples"].([]any); ok && (!f.typ.isFile() || f.typ == Text) {
		c.examples(path.Member("examples"), f, examples)
	}
	keywords := make(map[string]any)
	for name, v := range doc {
		if assertion.IsKeyword(name) && !c.broken[path.Member(name).String()] {
			keywords[name] = v
		}
	}
	var err error
	if f.assert, err = assertion.Compile(keywords); err != nil {
		c.fault(path, ruleType, "%v", err)
	}
	if fallback, ok := doc["default"]; ok {
		c.judge(func(j *judge) { f.fallback, _ = f.conform(j, path.Member("default"), fallback) })
	}
}

// allowed names the values of an enum for messages, which are many where many values
// are refused: the first 20.
func allowed(enum []any) string {
	const most = 20
	names := make([]string, 0, most+1)
	for _, v := range enum[:min(len(enum), most)] {
		names = append(names, value.Show(v))
	}
	if more := len(enum) - most; more > 0 {
		names = append(names, fmt.Sprintf("… (%d more)", more))
	}
	return strings.Join(names, ", ")
}

// examples judges values by the field's type alone.
func (c *compiler) examples(path value.Path, f *fieldPlan, values []any) {
	typeOnly := &fieldPlan{typ: f.typ, items: f.items, members: f.members}
	c.judge(func(j *judge) {
		for i, v := range values {
			if v == nil {
				j.fault(path.Item(i), ruleType, "null is no value")
				continue
			}
			typeOnly.conform(j, path.Item(i), v)
		}
	})
}

// synonyms are type names of other systems.
var synonyms = map[string]FieldType{
	"json": ObjectField, "dict": ObjectField, "map": ObjectField, "list": Array, "str": String, "int": Integer, "long": Integer,
	"double": Float, "decimal": Number, "bool": Boolean, "timestamp": DateTime, "time": DateTime, "uuid": String,
	"document": PDF, "csv": Excel, "xlsx": Excel, "jpeg": Image, "png": Image, "gif": Image, "mp3": Audio, "mp4": Video,
}

// suggest returns `, did you mean "…"?` with the type most like t, if any is.
func suggest(t string) string {
	best, ok := synonyms[strings.ToLower(t)]
	if !ok {
		least := 3 // more than two edits away is another word
		for _, known := range fieldTypes {
			if d := distance(strings.ToLower(t), string(known)); d < least {
				best, least = known, d
			}
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", string(best))
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to turn a into b. It is not meant for long words.
func distance(a, b string) int {
	if len(a) > 2*len(b)+2 {
		return len(a)
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
			default:
				rows[i][j] = 1 + min(rows[i-1][j], rows[i][j-1], rows[i-1][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// syntaxIssues turns a parser's error into issues below path.
func syntaxIssues(path value.Path, err error) []Issue {
	var syntax *value.SyntaxError
	if !errors.As(err, &syntax) {
		return []Issue{{path.String(), "json", err.Error()}}
	}
	return []Issue{{below(path, syntax.Path), syntax.Rule, syntax.Message}}
}

// below returns the text of the path that goes on from path with rest.
func below(path value.Path, rest string) string {
	at := path.String()
	if at != "" && rest != "" && rest[0] != '[' {
		at += "."
	}
	return at + rest
}
