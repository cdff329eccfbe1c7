package httpapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

// objectInput reads the body as the JSON form of an object to be stored, or of a patch.
// Deviations of known clients are accepted with a warning: url for a blob's data,
// its type in upper case or as json, an id that the client has chosen, and fields in
// metadata, which is a field like any other.
func (c *call) objectInput() (bucketlite.ObjectInput, error) {
	data, err := c.body()
	if err != nil {
		return bucketlite.ObjectInput{}, err
	}
	r := objectReader{call: c}
	return r.read(data)
}

// An objectReader reads objects for the bucket of the path. Its warnings name no place
// in lists, so that each is given once.
type objectReader struct {
	call   *call
	schema *bucketlite.Schema // nil before it was needed
}

// read reads an object as it is, and only then looks for what deviates: that costs
// the others nothing.
func (r *objectReader) read(data []byte) (bucketlite.ObjectInput, error) {
	var in bucketlite.ObjectInput
	if err := in.UnmarshalJSON(data); err != nil {
		return in, err
	}
	if in.ID != "" {
		r.call.warn("object_id: none expected, it is chosen here")
	}
	for i := range in.Blobs {
		b := &in.Blobs[i]
		if b.Type == "" {
			r.call.warn("blobs.type: the field's type expected")
		}
		b.Type = bucketlite.FieldType(r.call.knownType(string(b.Type), "blobs.type"))
	}
	if slices.ContainsFunc(in.Blobs, isBare) {
		if err := r.links(data, in.Blobs); err != nil {
			return in, err
		}
	}
	if _, ok := in.Fields["metadata"]; ok {
		return in, r.metadata()
	}
	return in, nil
}

// isBare reports whether a blob has no content.
func isBare(b bucketlite.BlobInput) bool { return b.Data == nil && b.UploadID == "" }

// links gives the blobs that are bare the data that stands as their url.
func (r *objectReader) links(data []byte, blobs []bucketlite.BlobInput) error {
	_, raw, err := value.ParseObject(data, objectLimits, "blobs")
	if err != nil {
		return err
	}
	items, _ := value.Items(raw["blobs"])
	for i := range min(len(items), len(blobs)) {
		if !isBare(blobs[i]) {
			continue
		}
		v, err := value.Parse(items[i], objectLimits)
		if err != nil {
			return err
		}
		blob, _ := v.(map[string]any)
		if url := blob["url"]; url != nil {
			blobs[i].Data = url
			r.call.warn("blobs.url: data expected")
		}
	}
	return nil
}

// metadata warns of fields within metadata, unless the schema declares it.
func (r *objectReader) metadata() error {
	if r.schema == nil {
		info, err := r.call.bucket.Info(r.call.ctx())
		if err != nil {
			return err
		}
		r.schema = &info.Schema
	}
	if _, ok := r.schema.Properties["metadata"]; !ok {
		r.call.warn("metadata: its members are expected at the root")
	}
	return nil
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
		case "metadata":
		case "key_prefix", "skip_duplicates", "canonicalize_source", "force_remirror":
			beside[name] = f.doc[name]
		default:
			if f.doc[name] != nil {
				c.warn(f.at.Member(name).String() + ": ignored, a member of metadata expected")
			}
		}
	}
	r := objectReader{call: c}
	if in, err = r.read(value.AppendObject(nil, beside, f.raw)); err != nil {
		return in, err
	}
	for name, v := range metadata {
		if v != nil {
			in.Fields[name] = v
		}
	}
	return in, nil
}
