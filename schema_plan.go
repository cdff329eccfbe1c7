package bucketlite

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A plan is a compiled schema: what is asked of the members of an object, in
// order of their names. It never changes and is shared by all goroutines.
//
// It judges what is this domain's own, the 15 types, required, enum, items,
// properties and defaults, since that is the hot path; standard assertion
// keywords are left to the assertion package.
type plan struct {
	fields []fieldPlan
	index  map[string]*fieldPlan
	closed bool // undeclared members are refused
}

// fieldPlan is what is asked of one field.
type fieldPlan struct {
	name     string
	typ      FieldType
	required bool
	fallback any                 // the default; nil means none
	enum     map[string]struct{} // keys of the values allowed; nil means any
	allowed  string              // the values allowed, for people
	items    *fieldPlan
	members  *plan // of an ObjectField
	assert   *assertion.Assertion
}

// judge collects what is wrong with one input.
type judge struct {
	issues     []Issue
	omitted    int
	noDefaults bool // defaults do not apply
	unasserted bool // the keywords of JSON Schema are not asserted
	believing  bool // patterns that cost too much to match are taken to match
	work       pattern.Allowance
}

func (j *judge) fault(path value.Path, rule, message string) {
	if len(j.issues) == maxIssues {
		j.omitted++
		return
	}
	j.issues = append(j.issues, Issue{path.String(), rule, message})
}

// err returns what was collected as an error about subject, or nil.
func (j *judge) err(subject string) error {
	if len(j.issues) == 0 {
		return nil
	}
	return &ValidationError{Subject: subject, Issues: j.issues, Omitted: j.omitted}
}

// newValidationError bounds issues to what an error may carry.
func newValidationError(subject string, issues []Issue) *ValidationError {
	n := min(len(issues), maxIssues)
	return &ValidationError{Subject: subject, Issues: issues[:n], Omitted: len(issues) - n}
}

// beside is what stands beside the fields at an object's root: the blobs, which
// may hold the value of a field as well.
type beside struct {
	blobs   []Blob
	key     *keyPlan
	partial bool // there may be more blobs than these
}

func (b *beside) has(name string) bool { return b != nil && hasBlob(b.blobs, name) }

// mayHave reports whether a blob that is not known yet can supply the field.
func (b *beside) mayHave(name string) bool { return b != nil && b.partial && !b.key.covers(name) }

// conform judges the members of an object and returns them as they are to be
// stored. Where a default comes in or a null goes out that is a changed copy,
// else m itself. Below the root nothing stands beside them.
func (p *plan) conform(j *judge, path value.Path, m map[string]any, root *beside) (out map[string]any, changed bool) {
	out = m
	declared := 0
	for i := range p.fields {
		f := &p.fields[i]
		v, present := m[f.name]
		if present {
			declared++
		}
		stored, differs := v, false
		switch inBlob := root.has(f.name); {
		case v != nil && inBlob:
			j.fault(path.Member(f.name), ruleProperty, "stands at the root and in a blob")
		case v != nil:
			stored, differs = f.conform(j, path.Member(f.name), v)
		case inBlob:
			f.checkCount(j, path.Member(f.name), root.blobs)
			differs = present
		case f.fallback != nil && !j.noDefaults:
			stored, differs = f.fallback, true
		case f.required && !root.mayHave(f.name):
			j.fault(path.Member(f.name), ruleRequired, "required")
		default:
			differs = present
		}
		if differs {
			out, changed = set(out, changed, f.name, stored), true
		}
	}
	if p.closed && declared < len(m) {
		p.refuseUndeclared(j, path, m)
	}
	return out, changed
}

// set puts v into m under name, or takes name out if v is nil; unless m is a
// copy already, it makes one first.
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

func (p *plan) refuseUndeclared(j *judge, path value.Path, m map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if p.index[name] == nil {
			j.fault(path.Member(name), "additionalProperties", "not declared in the schema")
		}
	}
}

// conform judges a value that is not null and returns it as it is to be stored.
func (f *fieldPlan) conform(j *judge, path value.Path, v any) (out any, changed bool) {
	if want := f.mismatch(v); want != "" {
		j.fault(path, ruleType, want+", got "+value.Show(v))
		return v, false
	}
	out = v
	switch f.typ {
	case ObjectField:
		if f.members != nil {
			out, changed = f.members.conform(j, path, v.(map[string]any), nil)
		}
	case Array:
		out, changed = f.conformItems(j, path, v.([]any))
	}
	if f.enum != nil {
		var key [64]byte // enough for most, and off the heap
		if _, ok := f.enum[string(f.appendEnumKey(key[:0], out))]; !ok {
			j.fault(path, "enum", "one of "+f.allowed+" expected, got "+value.Show(v))
		}
	}
	if f.assert != nil && !j.unasserted {
		for _, failure := range f.assert.Check(out, &j.work) {
			if !failure.Costly || !j.believing {
				j.fault(path, failure.Rule, failure.Message)
			}
		}
	}
	return out, changed
}

func (f *fieldPlan) conformItems(j *judge, path value.Path, items []any) (out []any, changed bool) {
	out = items
	for i, item := range items {
		if item == nil {
			j.fault(path.Item(i), ruleType, "null is no array item")
			continue
		}
		if f.items == nil {
			continue
		}
		stored, differs := f.items.conform(j, path.Item(i), item)
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

// checkCount judges how many files an array of files has. Each counts as another.
func (f *fieldPlan) checkCount(j *judge, path value.Path, blobs []Blob) {
	if f.typ != Array || f.assert == nil {
		return
	}
	var files []any
	for i := range blobs {
		if blobs[i].Property == f.name {
			files = append(files, i)
		}
	}
	for _, failure := range f.assert.Check(files, &j.work) {
		j.fault(path, failure.Rule, failure.Message)
	}
}

// fileField returns what is asked of a file that is a value of the property, or
// an item of one; nil if the property takes no files.
func (p *plan) fileField(property string) *fieldPlan {
	f := p.index[property]
	if f != nil && f.typ == Array {
		f = f.items
	}
	if f == nil || !f.typ.isFile() {
		return nil
	}
	return f
}

// judgesText reports whether more is asked of a text than that it is one, so
// that it must be seen as a whole.
func (f *fieldPlan) judgesText() bool {
	return f.typ == Text && (f.enum != nil || f.assert != nil)
}

// mismatch says what was expected if v is not of the field's type.
func (f *fieldPlan) mismatch(v any) string {
	switch f.typ {
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
	case ObjectField:
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
		return string(f.typ) + " comes as a blob, not as a value"
	}
	return ""
}

// appendEnumKey appends bytes that equal values of the field's type share.
func (f *fieldPlan) appendEnumKey(dst []byte, v any) []byte {
	if s, ok := v.(string); ok && f.typ == DateTime {
		if sec, nanos, ok := value.ParseDateTime(s); ok {
			return strconv.AppendInt(strconv.AppendInt(dst, sec, 10), int64(nanos)+1e9, 10)
		}
	}
	return value.AppendKey(dst, v)
}

// appendTo returns a report that collects issues.
func appendTo(issues *[]Issue) value.Report {
	return func(path value.Path, rule, message string) {
		*issues = append(*issues, Issue{path.String(), rule, message})
	}
}

// sortIssues puts issues in the order of their paths.
func sortIssues(issues []Issue) {
	slices.SortStableFunc(issues, func(a, b Issue) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule))
	})
}
