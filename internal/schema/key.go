package schema

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/value"
)

const maxKeyString = 255 // characters

// A Key is a compiled unique key. It never changes, and any number of goroutines may
// use it at once.
type Key struct {
	fields []*Field // sorted by name
}

// CompileKey compiles the unique key that consists of the named fields, and makes
// these fields required. Faults go to report, with paths below at, the path of fields in
// the JSON form of the key.
func (p *Plan) CompileKey(fields []string, at value.Path, report value.Report) *Key {
	for i, name := range fields {
		fault := func(format string, args ...any) { report(at.Item(i), ruleKey, fmt.Sprintf(format, args...)) }
		f := p.index[name]
		switch {
		case slices.Contains(fields[:i], name):
			fault("%s is named twice", value.Show(name))
		case f == nil:
			fault("%s is not a field of the schema", value.Show(name))
		case !isScalar(f.Type):
			fault("%s is of type %s, which cannot be part of a key", value.Show(name), f.Type)
		case f.fallback != nil:
			report(value.Path{}.Member("properties").Member(name).Member("default"), ruleKey, "a field of the unique key cannot have a default")
		default:
			f.Required = true
		}
	}
	k := &Key{}
	for _, name := range slices.Sorted(slices.Values(fields)) {
		if f := p.index[name]; f != nil {
			k.fields = append(k.fields, f)
		}
	}
	return k
}

// Covers reports whether the field is part of the key. A nil Key has no fields.
func (k *Key) Covers(name string) bool {
	return k != nil && slices.ContainsFunc(k.fields, func(f *Field) bool { return f.Name == name })
}

// Encode returns the key of an object with the given fields: bytes that two objects
// share if and only if their key values are equal. Without a key, which is a nil Key,
// it returns nil. It reports only faults of key values that [Plan.Validate] does not
// report, and skips values of a wrong type.
func (k *Key) Encode(v *Validation, fields map[string]any) []byte {
	if k == nil {
		return nil
	}
	key := make([]byte, 0, 32)
	for _, f := range k.fields {
		part, ok := fields[f.Name]
		if !ok || part == nil || f.mismatch(part) != "" {
			continue
		}
		if s, ok := part.(string); ok && f.Type == String {
			path := value.Path{{Name: f.Name}}
			if s == "" {
				v.Add(path, ruleKey, "a field of the unique key must not be empty")
			} else if len(s) > maxKeyString && utf8.RuneCountInString(s) > maxKeyString {
				v.Addf(path, ruleKey, "a field of the unique key has at most %d characters, got %d", maxKeyString, utf8.RuneCountInString(s))
			}
		}
		key = f.appendKey(key, part)
	}
	return key
}

// EncodeOnly is [Key.Encode] for values that have not been validated as an object's.
// If they are not exactly the values of a key, it reports all faults and returns nil.
func (k *Key) EncodeOnly(v *Validation, values map[string]any) []byte {
	for _, f := range k.fields {
		path := value.Path{{Name: f.Name}}
		if part := values[f.Name]; part == nil {
			v.Add(path, ruleRequired, "required")
		} else if want := f.mismatch(part); want != "" {
			v.Add(path, ruleType, want+", got "+value.Show(part))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !k.Covers(name) {
			v.Add(value.Path{{Name: name}}, ruleKey, "not a field of the unique key")
		}
	}
	if v.Any() {
		return nil
	}
	return k.Encode(v, values)
}

// appendKey appends a value of the field's type: a tag, so that "1" differs from 1,
// and a form whose end is known, so that ("a", "bc") differs from ("ab", "c").
func (f *Field) appendKey(dst []byte, v any) []byte {
	switch f.Type {
	case Number, Float, Integer:
		return appendFramed(dst, 'n', string(value.AppendNumberKey(make([]byte, 0, 24), v)))
	case Boolean:
		if v.(bool) {
			return append(dst, 'b', 1)
		}
		return append(dst, 'b', 0)
	case DateTime:
		sec, nanos, _ := value.ParseDateTime(v.(string))
		dst = binary.BigEndian.AppendUint64(append(dst, 't'), uint64(sec))
		return binary.BigEndian.AppendUint32(dst, uint32(nanos))
	case Date:
		return appendFramed(dst, 'd', v.(string))
	default:
		return appendFramed(dst, 's', v.(string))
	}
}

func appendFramed(dst []byte, tag byte, s string) []byte {
	dst = binary.AppendUvarint(append(dst, tag), uint64(len(s)))
	return append(dst, s...)
}

// Describe returns a readable form of an object's key, as in `video_id "v1"`.
func (k *Key) Describe(fields map[string]any) string {
	text := ""
	for i, f := range k.fields {
		if i > 0 {
			text += ", "
		}
		text += f.Name + " " + value.Show(fields[f.Name])
	}
	return text
}
