package httpapi

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

// objectInput reads the body as the JSON form of an object to be stored, or of a patch.
// Deviations of known clients are accepted with a warning: those of blobs (see
// [objectReader.mend]), a blob's type in upper case, as json or as url, an id that the
// client has chosen, fields in metadata, which is a field like any other, and a value
// that stands both at the root and in a blob.
func (c *call) objectInput() (bucketlite.ObjectInput, error) {
	data, err := c.body()
	if err != nil {
		return bucketlite.ObjectInput{}, err
	}
	r := c.objectReader()
	in, err := r.read(data)
	if err == nil {
		err = r.once(&in)
	}
	return in, err
}

// An objectReader reads objects for a bucket. Its warnings name no place in lists, so that
// each is given once.
type objectReader struct {
	call   *call
	to     *bucketlite.Bucket
	object string                 // the id of the object that the next one patches, or empty
	ownIDs bool                   // the client may choose the objects' ids
	info   *bucketlite.BucketInfo // nil before it was needed
}

// objectReader returns a reader of objects for the bucket, and the object, of the path.
func (c *call) objectReader() objectReader {
	return objectReader{call: c, to: c.bucket, object: c.r.PathValue("object")}
}

// bucket returns the bucket's state.
func (r *objectReader) bucket() (*bucketlite.BucketInfo, error) {
	var err error
	if r.info == nil {
		r.info, err = r.to.Info(r.call.ctx())
	}
	return r.info, err
}

// read reads an object as it is, and only then looks for what deviates: that costs
// the others nothing.
func (r *objectReader) read(data []byte) (in bucketlite.ObjectInput, err error) {
	if err = in.UnmarshalJSON(data); err == nil {
		r.types(in.Blobs)
	}
	if isSingle(err) || err == nil && deviates(&in) {
		in = bucketlite.ObjectInput{} // two at once would take twice the memory
		if data, err = r.mend(data); err != nil {
			return in, err
		}
		if err = in.UnmarshalJSON(data); err == nil {
			r.types(in.Blobs)
		}
	}
	if err != nil {
		return in, err
	}
	ownBlobs(in.Fields["blobs"])
	if in.ID != "" && !r.ownIDs {
		r.call.warn("object_id: none expected, it is chosen here")
	}
	if _, ok := in.Fields["metadata"]; ok {
		return in, r.metadata()
	}
	return in, nil
}

// types spells the types of blobs as the store knows them.
func (r *objectReader) types(blobs []bucketlite.BlobInput) {
	for i := range blobs {
		b := &blobs[i]
		if b.Type == "" || strings.EqualFold(string(b.Type), urlType) { // the store takes the field's
			r.call.warn("blobs.type: the field's type expected")
			b.Type = ""
		}
		b.Type = bucketlite.FieldType(r.call.knownType(string(b.Type), "blobs.type"))
		b.AllowDocument = true
		r.call.warnOfExtension(string(b.Type), "blobs.type") // the hosted service's name for it is enough
	}
}

// metadata warns of fields within metadata, unless the schema declares it.
func (r *objectReader) metadata() error {
	info, err := r.bucket()
	if err != nil {
		return err
	}
	if _, ok := info.Schema.Properties["metadata"]; !ok {
		r.call.warn("metadata: its members are expected at the root")
	}
	return nil
}

// once drops one of two equal values of a field, of which one stands at the root and the
// other in a blob.
func (r *objectReader) once(in *bucketlite.ObjectInput) error {
	for i := len(in.Blobs) - 1; i >= 0; i-- {
		property := in.Blobs[i].Property
		v := in.Fields[property]
		if v == nil || in.Blobs[i].Data == nil || !value.Equal(v, in.Blobs[i].Data) {
			continue
		}
		atRoot, err := r.belongsAtRoot(property)
		if err != nil {
			return err
		}
		r.call.warn("blobs.data: a value that stands at the root too is taken once")
		if atRoot {
			in.Blobs = slices.Delete(in.Blobs, i, i+1)
		} else {
			delete(in.Fields, property)
		}
	}
	return nil
}

// belongsAtRoot reports which of two equal values of a field is to be kept: that of the
// blob, since it may have metadata, unless the field is one of the unique key, which no
// blob can be, or the object to be patched has a value at the root.
func (r *objectReader) belongsAtRoot(property string) (bool, error) {
	info, err := r.bucket()
	if err != nil || info.UniqueKey != nil && slices.Contains(info.UniqueKey.Fields, property) {
		return true, err
	}
	if r.object == "" {
		return false, nil
	}
	o, err := r.to.Object(r.call.ctx(), r.object)
	if errors.Is(err, bucketlite.ErrNotFound) { // an earlier change of a set may create it
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return o.Fields[property] != nil, nil
}

// policy returns the parameter policy, empty if it is absent.
func (f *form) policy() bucketlite.Policy {
	given := f.text("policy")
	policy := bucketlite.Policy(strings.ToLower(given))
	switch policy {
	case "", bucketlite.Insert, bucketlite.Update, bucketlite.Upsert:
		if string(policy) != given {
			f.call.warn("policy: " + string(policy) + " expected")
		}
		return policy
	}
	f.fault("policy", "enum", "insert, update or upsert expected, got "+value.Show(given))
	return ""
}

// objectUpdate reads the form of an update: fields in metadata, where null keeps the stored
// value, and members such as blobs. Other members are not part of it. Since they would be
// fields elsewhere, the client gets a warning that they are ignored.
func (c *call) objectUpdate() (in bucketlite.ObjectInput, err error) {
	f, err := c.form("blobs")
	if err != nil {
		return in, err
	}
	metadata := f.object("metadata")
	if err := c.check(); err != nil {
		return in, err
	}
	beside := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(f.doc)) {
		switch name {
		case "metadata", "blob":
		case "key_prefix", "x-expires-at", "skip_duplicates", "canonicalize_source", "force_remirror":
			beside[name] = f.doc[name]
		default:
			if f.doc[name] != nil {
				c.warn(f.at.Member(name).String() + ": ignored, a member of metadata expected")
			}
		}
	}
	if f.doc["blob"] != nil {
		beside["blob"] = f.doc["blob"]
	}
	r := c.objectReader()
	if in, err = r.read(value.AppendObject(nil, beside, f.raw)); err != nil {
		return in, err
	}
	if _, ok := in.Fields["blob"]; ok { // it has become none
		c.warn("blob: ignored, a member of metadata expected")
		delete(in.Fields, "blob")
	}
	for name, v := range metadata {
		if v != nil {
			in.Fields[name] = v
		}
	}
	return in, r.once(&in)
}
