package bucketlite

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/value"
)

// Policy says what Put does when an object's unique key is taken or free.
type Policy string

// The policies. The zero Policy means the bucket's default.
const (
	// Insert creates; a taken key is [ErrExists].
	Insert Policy = "insert"
	// Update replaces; a free key is [ErrNotFound].
	Update Policy = "update"
	// Upsert replaces if the key is taken and creates if it is free.
	Upsert Policy = "upsert"
)

func (p Policy) known() bool { return p == Insert || p == Update || p == Upsert }

// UniqueKey names the fields whose values, taken together, identify an object of
// the bucket. It is fixed when the bucket is created.
type UniqueKey struct {
	// Fields are names of scalar fields: not object, array or files. Their order
	// does not matter. They are required in every object, declared so or not; a
	// string has 1 to 255 characters.
	Fields []string `json:"fields"`
	// DefaultPolicy applies where a call names none. If it is empty too, the call
	// is [ErrBadRequest].
	DefaultPolicy Policy `json:"default_policy,omitempty"`
}

const maxKeyString = 255 // characters

// keyPlan is a compiled unique key.
type keyPlan struct {
	fields []*fieldPlan // sorted by name
	config UniqueKey
}

// compileKey judges a unique key and compiles it. A nil key is a nil plan.
func compileKey(p *plan, key *UniqueKey, issues *[]Issue) *keyPlan {
	if key == nil {
		return nil
	}
	fault := func(path value.Path, format string, args ...any) {
		*issues = append(*issues, Issue{path.String(), ruleKey, fmt.Sprintf(format, args...)})
	}
	root := value.Path{}.Member("unique_key")
	if len(key.Fields) == 0 {
		fault(root.Member("fields"), "at least one field expected")
	}
	if key.DefaultPolicy != "" && !key.DefaultPolicy.known() {
		fault(root.Member("default_policy"), "insert, update or upsert expected, got %s", value.Show(string(key.DefaultPolicy)))
	}
	k := &keyPlan{config: UniqueKey{slices.Sorted(slices.Values(key.Fields)), key.DefaultPolicy}}
	for i, name := range key.Fields {
		at := root.Member("fields").Item(i)
		f := p.index[name]
		switch {
		case slices.Contains(key.Fields[:i], name):
			fault(at, "%s is named twice", value.Show(name))
		case f == nil:
			fault(at, "%s is not a field of the schema", value.Show(name))
		case !f.typ.isScalar():
			fault(at, "%s is of type %s, which cannot be part of a key", value.Show(name), f.typ)
		case f.fallback != nil:
			fault(value.Path{}.Member("properties").Member(name).Member("default"), "a field of the unique key cannot have a default")
		default:
			f.required = true
		}
	}
	for _, name := range k.config.Fields {
		k.fields = append(k.fields, p.index[name])
	}
	return k
}

// covers reports whether the field is part of the key.
func (k *keyPlan) covers(name string) bool {
	return k != nil && slices.Contains(k.config.Fields, name)
}

// encode returns the key of an object with the given fields: bytes that two
// objects share if and only if their key values are equal. Values the schema
// refuses are taken to have been reported already; encode reports what only a
// key refuses.
func (k *keyPlan) encode(j *judge, fields map[string]any) []byte {
	key := make([]byte, 0, 32)
	for _, f := range k.fields {
		v, ok := fields[f.name]
		if !ok || v == nil || f.mismatch(v) != "" {
			continue
		}
		if s, ok := v.(string); ok && f.typ == String {
			path := value.Path{{Name: f.name}}
			if s == "" {
				j.fault(path, ruleKey, "a field of the unique key must not be empty")
			} else if len(s) > maxKeyString && utf8.RuneCountInString(s) > maxKeyString {
				j.fault(path, ruleKey, fmt.Sprintf("a field of the unique key has at most %d characters, got %d", maxKeyString, utf8.RuneCountInString(s)))
			}
		}
		key = f.appendKey(key, v)
	}
	return key
}

// appendKey appends a value of the field's type: a tag, so that "1" is not 1,
// and a form of its own for each type, whose end is known, so that ("a", "bc")
// is not ("ab", "c").
func (f *fieldPlan) appendKey(dst []byte, v any) []byte {
	switch f.typ {
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

// describe shows an object's key to people: `video_id "v1"`.
func (k *keyPlan) describe(fields map[string]any) string {
	text := ""
	for i, f := range k.fields {
		if i > 0 {
			text += ", "
		}
		text += f.name + " " + value.Show(fields[f.name])
	}
	return text
}

// policy returns the policy that applies to a call.
func (k *keyPlan) policy(asked Policy) (Policy, error) {
	p := asked
	if p == "" {
		p = k.config.DefaultPolicy
	}
	switch {
	case p.known():
		return p, nil
	case p == "":
		return "", badRequest("policy: the bucket has a unique key without a default policy: insert, update or upsert expected")
	}
	return "", badRequest("policy: insert, update or upsert expected, got %s", value.Show(string(p)))
}

// equal reports whether two unique keys mean the same.
func (k *UniqueKey) equal(o *UniqueKey) bool {
	if k == nil || o == nil {
		return k == o
	}
	return k.DefaultPolicy == o.DefaultPolicy &&
		slices.Equal(slices.Sorted(slices.Values(k.Fields)), slices.Sorted(slices.Values(o.Fields)))
}
