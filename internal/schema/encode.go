package schema

import (
	"bytes"
	"maps"

	"github.com/bucketlite/bucketlite/internal/jsonb"
)

// Fields are an object's fields in stored form. They never change.
type Fields struct {
	// JSONB is SQLite's form of the fields. It includes the inline data of blobs, so
	// that queries find the data like any field.
	JSONB []byte
	// TextSize is the size of the user's own fields as compact JSON, in bytes.
	TextSize int
}

// Size returns the fields' share of an object's size. An object without fields has 0.
func (f Fields) Size() int64 {
	if f.TextSize == len("{}") {
		return 0
	}
	return int64(f.TextSize)
}

// Encode returns the stored form of an object's fields, which are valid, and of the
// inline data of its blobs. A nil Plan declares no fields.
func (p *Plan) Encode(fields map[string]any, blobs []Blob) Fields {
	var few [1 << 10]byte // enough for most objects, and off the heap
	out, textSize := jsonb.Append(few[:0], fields)
	if all := WithInline(fields, blobs, p.typeOf); all != nil {
		out, _ = jsonb.Append(few[:0], all)
	}
	return Fields{bytes.Clone(out), textSize}
}

// WithInline returns a copy of fields with the inline data of the blobs that are the
// values of fields, or nil if there is none. A blob of an array of files is only one
// item of a value; typeOf returns the type of a property's field, which reveals that.
func WithInline(fields map[string]any, blobs []Blob, typeOf func(property string) string) (all map[string]any) {
	for i := range blobs {
		b := &blobs[i]
		if !b.Inline || !FitsField(b.Type, typeOf(b.Property)) {
			continue
		}
		if all == nil {
			all = make(map[string]any, len(fields)+len(blobs))
			maps.Copy(all, fields)
		}
		all[b.Property] = b.Data
	}
	return all
}
