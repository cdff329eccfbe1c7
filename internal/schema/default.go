package schema

import "github.com/bucketlite/bucketlite/internal/value"

// absent returns the stored value of a field without a value, and whether that
// differs from the given one, which may be null. It reports a required field without
// a default, unless a blob may supply the value.
func (f *Field) absent(v *Validation, path value.Path, beside *Beside, isNull bool) (stored any, differs bool) {
	switch {
	case f.fallback != nil && !v.NoDefaults:
		return f.fallback, true
	case f.Required && !beside.maySupply(f.Name):
		v.Add(path.Member(f.Name), ruleRequired, "required")
		return nil, false
	}
	return nil, isNull
}

// fallback compiles a field's default, which must be a value that the field accepts.
func (c *compiler) fallback(path value.Path, f *Field, doc map[string]any) {
	fallback, ok := doc["default"]
	if !ok {
		return
	}
	c.validate(func(v *Validation) { f.fallback, _ = f.Validate(v, path.Member("default"), fallback) })
}
