package bucketlite

import (
	"reflect"

	"github.com/bucketlite/bucketlite/internal/value"
)

// difference returns the patch that makes an object's value of its value before, and
// whether there is anything to patch.
func (t *TypedBucket[T]) difference(before, after *TypedObject[T]) (in ObjectInput, changed bool, err error) {
	was, err := t.plainInput(&before.Value)
	if err != nil {
		return in, false, err
	}
	is, err := t.plainInput(&after.Value)
	if err != nil {
		return in, false, err
	}
	var faults value.Faults
	stored := before.Object.withInline()
	in.Fields = t.record.Change(&faults, stored, was.Fields, is.Fields)
	in.Blobs = is.Blobs
	if is.KeyPrefix != was.KeyPrefix {
		in.KeyPrefix = is.KeyPrefix
	}
	expires := !is.ExpiresAt.Equal(was.ExpiresAt)
	if expires {
		in.ExpiresAt, in.NeverExpires = is.ExpiresAt, is.ExpiresAt.IsZero()
	}
	t.checkKept(&faults, reflect.ValueOf(&before.Value).Elem(), reflect.ValueOf(&after.Value).Elem())
	err = unwritable(reflect.TypeFor[T](), &faults)
	return in, len(in.Fields) > 0 || len(in.Blobs) > 0 || in.KeyPrefix != "" || expires, err
}

// plainInput is input with plain fields.
func (t *TypedBucket[T]) plainInput(v *T) (ObjectInput, error) {
	in, err := t.input(v)
	if err != nil {
		return in, err
	}
	j := &judge{}
	plain, _ := value.Plain(in.Fields, nil, t.bucket.store.opts.objectLimits(), j.fault)
	in.Fields, _ = plain.(map[string]any)
	return in, j.err(t.bucket.String())
}

// checkKept reports members that have changed and are not written: stored blobs, and most
// members of the system.
func (t *TypedBucket[T]) checkKept(faults *value.Faults, before, after reflect.Value) {
	for i := range t.record.System {
		m := &t.record.System[i]
		was, _ := m.In(before)
		is, ok := m.In(after)
		written := m.Name == expiryMember || m.Name == "key_prefix" && !is.IsZero()
		if ok && !written && !reflect.DeepEqual(was.Interface(), is.Interface()) {
			faults.Add(value.Path{{Name: m.Name}}, ruleReserved, "a member of the system cannot be changed")
		}
	}
	for i := range t.record.Files {
		m := &t.record.Files[i]
		was, _ := m.In(before)
		is, ok := m.In(after)
		if ok && !m.Given && !reflect.DeepEqual(was.Interface(), is.Interface()) {
			faults.Add(value.Path{{Name: m.Name}}, ruleProperty, "a Blob is not written: give a BlobInput")
		}
	}
}
