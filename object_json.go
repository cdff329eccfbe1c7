package bucketlite

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/value"
)

// MarshalJSON returns the object's JSON form.
func (o Object) MarshalJSON() ([]byte, error) {
	if o.chosen == nil {
		if text, ok := o.appendSound(nil); ok {
			return text, nil
		}
	}
	return o.marshal()
}

// marshal returns the JSON form of any object, or all its faults.
func (o *Object) marshal() ([]byte, error) {
	doc := make(map[string]any, len(o.Fields)+10)
	maps.Copy(doc, o.Fields)
	doc["object_id"] = o.ID
	doc["bucket_id"] = o.BucketID
	doc["status"] = string(o.Status)
	doc["created_at"] = o.CreatedAt
	doc["updated_at"] = o.UpdatedAt
	doc["blobs"] = o.Blobs
	if o.Blobs == nil {
		doc["blobs"] = []any{}
	}
	if o.KeyPrefix != "" {
		doc["key_prefix"] = o.KeyPrefix
	}
	if o.Error != "" {
		doc["error"] = o.Error
	}
	if !o.ExpiresAt.IsZero() {
		doc[expiryMember] = o.ExpiresAt
	}
	var issues []Issue
	plain, ok := value.Plain(doc, nil, objectFormLimits, appendTo(&issues))
	if !ok {
		return nil, newValidationError("object", issues)
	}
	if o.chosen != nil {
		doc = o.chosen.Members(plain.(map[string]any))
		doc["object_id"], doc["bucket_id"] = o.ID, o.BucketID
		plain = doc
	}
	return value.Append(nil, plain), nil
}

// objectFormLimits limit an object's JSON form. Inline data may nest as deep as
// fields, and starts four levels down.
var objectFormLimits = value.Limits{MaxDepth: value.DefaultMaxDepth + 4, MaxBytes: 1 << 30}

// soundMember is a member of an object's JSON form: a text of the system, or any plain value.
type soundMember struct {
	name   string
	text   string
	value  any
	isText bool
}

// systemBytes is room for the system members of most objects.
const systemBytes = 320

// appendSound appends the JSON form of a whole object, without a map of all members. It
// reports false if a member has a fault, or a field has the name of a system member.
func (o *Object) appendSound(dst []byte) (out []byte, ok bool) {
	var some [40]soundMember // enough for most objects, and off the heap
	members, ok := o.soundSystem(some[:0])
	if !ok {
		return nil, false
	}
	fields, ok := value.Plain(o.Fields, nil, objectFormLimits, nil)
	if !ok {
		return nil, false
	}
	for name, v := range fields.(map[string]any) {
		if index.InSystem(name) {
			return nil, false
		}
		members = append(members, soundMember{name: name, value: v})
	}
	slices.SortFunc(members, func(a, b soundMember) int { return strings.Compare(a.name, b.name) })
	dst = append(slices.Grow(dst, systemBytes+int(min(o.Size, 16<<10))), '{')
	for i := range members {
		m := &members[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(value.AppendString(dst, m.name), ':')
		if m.isText {
			dst = value.AppendString(dst, m.text)
		} else {
			dst = value.Append(dst, m.value)
		}
	}
	return append(dst, '}'), true
}

// soundSystem appends the system members of the JSON form, unless one has a fault.
func (o *Object) soundSystem(members []soundMember) ([]soundMember, bool) {
	sound := true
	text := func(name, s string) {
		members = append(members, soundMember{name: name, text: s, isText: true})
		sound = sound && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
	}
	moment := func(name string, t time.Time) {
		s, err := value.FormatTime(t)
		text(name, s)
		sound = sound && err == nil
	}
	text("object_id", o.ID)
	text("bucket_id", o.BucketID)
	text("status", string(o.Status))
	moment("created_at", o.CreatedAt)
	moment("updated_at", o.UpdatedAt)
	if o.KeyPrefix != "" {
		text("key_prefix", o.KeyPrefix)
	}
	if o.Error != "" {
		text("error", o.Error)
	}
	if !o.ExpiresAt.IsZero() {
		moment(expiryMember, o.ExpiresAt)
	}
	blobs := any([]any(nil))
	if len(o.Blobs) > 0 {
		limits, ok := objectFormLimits, false
		limits.MaxDepth-- // they are one level down
		blobs, ok = value.Plain(o.Blobs, nil, limits, nil)
		sound = sound && ok
	}
	return append(members, soundMember{name: "blobs", value: blobs}), sound
}
