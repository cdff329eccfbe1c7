package schema

import "github.com/bucketlite/bucketlite/internal/value"

// absent returns what is stored for a field without a value, and whether that differs
// from what was given, which may be null. Without a default a required field is a
// fault, unless a blob may supply it.
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

// fallback compiles a field's default. Only values that the field accepts can be one.
func (c *compiler) fallback(path value.Path, f *Field, doc map[string]any) {
	fallback, ok := doc["default"]
	if !ok {
		return
	}
	c.validate(func(v *Validation) { f.fallback, _ = f.Validate(v, path.Member("default"), fallback) })
}
