package schema

import (
	"maps"
	"slices"
	"strconv"

	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A Validation checks the values of one input, and collects their faults. The zero
// Validation checks an object that is to be stored.
type Validation struct {
	value.Faults
	// NoDefaults leaves absent fields absent.
	NoDefaults bool
	// TrustCostly accepts a string whose match with a pattern would cost too much.
	TrustCostly bool

	typesOnly bool              // assertion keywords are not checked
	work      pattern.Allowance // remaining budget for matching
}

// A Blob holds the properties of a blob that a schema restricts.
type Blob struct {
	// Property names the field that the blob is a value of.
	Property string
	// Type is the type of the value.
	Type string
	// Data is the blob's inline data. It counts only if Inline is set.
	Data   any
	Inline bool
}

// Beside holds the blobs of an object, which may hold the values of fields, and its
// unique key. A nil Beside has none.
type Beside struct {
	// Blobs are the object's blobs.
	Blobs []Blob
	// Partial means that there may be more blobs. They can supply any field that is
	// not part of Key.
	Partial bool
	// Key is the unique key; nil if there is none.
	Key *Key
}

func (b *Beside) count(property string) (n int) {
	if b == nil {
		return 0
	}
	for i := range b.Blobs {
		if b.Blobs[i].Property == property {
			n++
		}
	}
	return n
}

// maySupply reports whether an unknown blob can supply the field.
func (b *Beside) maySupply(name string) bool { return b != nil && b.Partial && !b.Key.Covers(name) }

// Validate checks the members of the object at path and returns them in stored form.
// If a default is added or a null removed, the result is a changed copy, otherwise
// doc itself. Faults go to v; the result is then unusable.
func (p *Plan) Validate(v *Validation, path value.Path, doc map[string]any, beside *Beside) (out map[string]any, changed bool) {
	out = doc
	declared := 0
	for i := range p.fields {
		f := &p.fields[i]
		given, present := doc[f.Name]
		if present {
			declared++
		}
		stored, differs := given, false
		switch blobs := beside.count(f.Name); {
		case given != nil && blobs > 0:
			v.Add(path.Member(f.Name), ruleProperty, "given both at the root and in a blob")
		case given != nil:
			stored, differs = f.Validate(v, path.Member(f.Name), given)
		case blobs > 0:
			f.checkCount(v, path.Member(f.Name), blobs)
			differs = present
		default:
			stored, differs = f.absent(v, path, beside, present)
		}
		if differs {
			out, changed = set(out, changed, f.Name, stored), true
		}
	}
	if p.closed && declared < len(doc) {
		p.refuseUndeclared(v, path, doc)
	}
	return out, changed
}

// set sets m[name] to v, or deletes it if v is nil. It copies m first, unless copied
// is set.
func set(m map[string]any, copied bool, name string, v any) map[string]any {
	if !copied {
		if m = maps.Clone(m); m == nil {
			m = make(map[string]any)
		}
	}
	if v == nil {
		delete(m, name)
	} else {
		m[name] = v
	}
	return m
}

func (p *Plan) refuseUndeclared(v *Validation, path value.Path, doc map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(doc)) {
		if p.index[name] == nil {
			v.Add(path.Member(name), "additionalProperties", "not declared in the schema")
		}
	}
}

// Validate checks a value of the field that is not null. It returns the value in
// stored form, and whether that differs from given.
func (f *Field) Validate(v *Validation, path value.Path, given any) (out any, changed bool) {
	if want := f.mismatch(given); want != "" {
		v.Add(path, ruleType, want+", got "+value.Show(given))
		return given, false
	}
	out = given
	switch f.Type {
	case Object:
		if f.members != nil {
			out, changed = f.members.Validate(v, path, given.(map[string]any), nil)
		}
	case Array:
		out, changed = f.validateItems(v, path, given.([]any))
	}
	if f.enum != nil {
		key := f.appendEnumKey(make([]byte, 0, 64), out)
		if _, ok := f.enum[string(key)]; !ok {
			v.Add(path, "enum", "one of "+f.allowed+" expected, got "+value.Show(given))
		}
	}
	if f.assert != nil && !v.typesOnly {
		for _, failure := range f.assert.Check(out, &v.work) {
			if !failure.Costly || !v.TrustCostly {
				v.Add(path, failure.Rule, failure.Message)
			}
		}
	}
	return out, changed
}

func (f *Field) validateItems(v *Validation, path value.Path, items []any) (out []any, changed bool) {
	out = items
	for i, item := range items {
		if item == nil {
			v.Add(path.Item(i), ruleType, "null is not allowed as an array item")
			continue
		}
		if f.Items == nil {
			continue
		}
		stored, differs := f.Items.Validate(v, path.Item(i), item)
		if !differs {
			continue
		}
		if !changed {
			out, changed = slices.Clone(items), true
		}
		out[i] = stored
	}
	return out, changed
}

// checkCount checks the number of files in an array of files.
func (f *Field) checkCount(v *Validation, path value.Path, n int) {
	if f.Type != Array || f.assert == nil {
		return
	}
	files := make([]any, n)
	for i := range files {
		files[i] = i // no two files count as equal
	}
	for _, failure := range f.assert.Check(files, &v.work) {
		v.Add(path, failure.Rule, failure.Message)
	}
}

// mismatch returns the expectation that v violates if v is not of the field's type,
// else "".
func (f *Field) mismatch(v any) string {
	switch f.Type {
	case "": // unknown, in a schema that is refused for it
		return ""
	case String, Text:
		if _, ok := v.(string); !ok {
			return "string expected"
		}
	case Number, Float:
		if !value.IsNumber(v) {
			return "number expected"
		}
	case Integer:
		if _, ok := value.Int(v); ok {
			return ""
		}
		if value.IsNumber(v) && value.IsIntegral(v) {
			return "integer within 64 bits expected"
		}
		return "integer expected"
	case Boolean:
		if _, ok := v.(bool); !ok {
			return "boolean expected"
		}
	case Object:
		if _, ok := v.(map[string]any); !ok {
			return "object expected"
		}
	case Array:
		if _, ok := v.([]any); !ok {
			return "array expected"
		}
	case Date:
		if s, ok := v.(string); !ok || !value.ParseDate(s) {
			return "date as YYYY-MM-DD expected"
		}
	case DateTime:
		s, ok := v.(string)
		if ok {
			_, _, ok = value.ParseDateTime(s)
		}
		if !ok {
			return "datetime as in RFC 3339 expected"
		}
	default:
		return f.Type + " comes as a blob, not as a value"
	}
	return ""
}

// appendEnumKey appends bytes that are the same for equal values of the field's type.
func (f *Field) appendEnumKey(dst []byte, v any) []byte {
	if s, ok := v.(string); ok && f.Type == DateTime {
		if sec, nanos, ok := value.ParseDateTime(s); ok {
			return strconv.AppendInt(strconv.AppendInt(dst, sec, 10), int64(nanos)+1e9, 10)
		}
	}
	return value.AppendKey(dst, v)
}
