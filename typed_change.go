package bucketlite

// PutChange returns a change that puts v, as [TypedBucket.Put] does. It writes nothing; see
// [Store.Apply]. The error is [ErrInvalid] for a value without a JSON form.
func (t *TypedBucket[T]) PutChange(v T, opts *PutOptions) (Change, error) {
	in, err := t.input(&v)
	if err != nil {
		return Change{}, err
	}
	return t.bucket.PutChange(in, opts), nil
}

// PatchChange returns a change that writes what has changed in o.Value since the object was
// read, as [TypedBucket.Patch] does, if the object still has o.Version. It writes nothing;
// see [Store.Apply]. Errors: those of TypedBucket.Patch about the value, and
// [ErrBadRequest] if the object was read by a query with a [Query].Select.
func (t *TypedBucket[T]) PatchChange(o *TypedObject[T]) (Change, error) {
	if o.chosen != nil {
		return Change{}, badRequest("%s: object %q has only the members that its query selected", t.bucket, o.ID)
	}
	before, err := t.typed(o.Object, nil)
	if err != nil {
		return Change{}, err
	}
	in, _, err := t.difference(before, o)
	if err != nil {
		return Change{}, err
	}
	return t.bucket.PatchChange(o.ID, in, &PatchOptions{IfVersion: o.Version}), nil
}
