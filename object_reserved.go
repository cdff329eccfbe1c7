package bucketlite

import (
	"maps"
	"slices"

	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// takeReserved moves the system members from the given fields to a map of their own.
func (p *putter) takeReserved() {
	for name, v := range p.given {
		if !schema.IsReserved(name) {
			continue
		}
		if p.reserved == nil {
			p.reserved = make(map[string]any)
		}
		p.reserved[name] = v
	}
	if p.reserved == nil {
		return
	}
	p.given = maps.Clone(p.given) // the caller's map must not change
	for name := range p.reserved {
		delete(p.given, name)
	}
}

// checkReserved returns the faults of system members that differ from the stored
// object's, or from a new object's if old is nil.
func checkReserved(b *Bucket, reserved map[string]any, old *objectRow) error {
	if len(reserved) == 0 {
		return nil
	}
	o := &Object{BucketID: b.id, Status: StatusDraft}
	if old != nil {
		var err error
		if o, err = old.decode(b, nil); err != nil {
			return err
		}
	}
	j := &judge{}
	for _, name := range slices.Sorted(maps.Keys(reserved)) {
		if v := reserved[name]; !equalsReserved(o, name, v) {
			j.fault(value.Path{{Name: name}}, ruleReserved, "the name is reserved for the system, and "+value.Show(v)+" differs from the stored value")
		}
	}
	return b.refusal(j)
}

// equalsReserved reports whether v is o's value of the system member.
func equalsReserved(o *Object, name string, v any) bool {
	if v == nil {
		return true // null counts as absent
	}
	switch name {
	case "object_id":
		return v == o.ID
	case "bucket_id":
		return v == o.BucketID
	case "status":
		return v == string(o.Status)
	case "error":
		return v == o.Error
	case "key_prefix":
		return v == o.KeyPrefix
	case "created_at":
		return equalsTime(o.CreatedAt.Unix(), int32(o.CreatedAt.Nanosecond()), v)
	case "updated_at":
		return equalsTime(o.UpdatedAt.Unix(), int32(o.UpdatedAt.Nanosecond()), v)
	case expiryMember:
		return !o.ExpiresAt.IsZero() && equalsTime(o.ExpiresAt.Unix(), int32(o.ExpiresAt.Nanosecond()), v)
	case "blobs":
		return equalsBlobs(o.Blobs, v)
	case "source_details":
		list, ok := v.([]any)
		return ok && len(list) == 0
	case "skip_duplicates", "canonicalize_source", "force_remirror":
		_, ok := v.(bool)
		return ok // options of the input form, not members: they have no effect here
	}
	return false
}

// equalsBlobs reports whether v is the JSON form of blobs.
func equalsBlobs(blobs []Blob, v any) bool {
	list, ok := v.([]any)
	if !ok || len(list) != len(blobs) {
		return false
	}
	for i := range blobs {
		stored, ok := value.Plain(blobs[i], nil, objectFormLimits, nil)
		given, _ := list[i].(map[string]any)
		given = withoutNulls(given)
		if details, ok := given["details"].(map[string]any); ok {
			given["details"] = withoutNulls(details)
		}
		if !ok || !value.Equal(stored, given) {
			return false
		}
	}
	return true
}

func withoutNulls(m map[string]any) map[string]any {
	m = maps.Clone(m)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	return m
}

func equalsTime(sec int64, nanos int32, v any) bool {
	s, ok := v.(string)
	if !ok {
		return false
	}
	gotSec, gotNanos, ok := value.ParseDateTime(s)
	return ok && gotSec == sec && gotNanos == nanos
}
