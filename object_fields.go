package bucketlite

import (
	"bytes"
	"fmt"
	"maps"

	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/value"
)

// encodedFields are an object's fields in stored form, which is SQLite's JSONB. The
// inline data of blobs stands among them, so that it is found like any field. They
// are made in the caller's goroutine and never change.
type encodedFields struct {
	jsonb    []byte
	textSize int // of the user's own fields as compact JSON
}

// size is what fields add to an object's size; an object without any adds nothing.
func (e encodedFields) size() int64 {
	if e.textSize == len("{}") {
		return 0
	}
	return int64(e.textSize)
}

// encodeFields returns an object's fields in stored form, beside its blobs.
func (b *Bucket) encodeFields(fields map[string]any, blobs []Blob) (encodedFields, error) {
	e := b.def.plan.encodeFields(fields, blobs)
	if limit := b.store.opts.MaxObjectBytes; e.textSize > limit {
		message := fmt.Sprintf("an object's fields have at most %d bytes, these have %d", limit, e.textSize)
		return e, &ValidationError{Subject: b.String(), Issues: []Issue{{"", ruleSize, message}}}
	}
	return e, nil
}

func (p *plan) encodeFields(fields map[string]any, blobs []Blob) encodedFields {
	var few [1 << 10]byte // enough for most, and off the heap
	out, textSize := jsonb.Append(few[:0], fields)
	if all := withInline(fields, blobs, p.typeOf); all != nil {
		out, _ = jsonb.Append(few[:0], all)
	}
	return encodedFields{bytes.Clone(out), textSize}
}

// typeOf returns the type of a field, "" if it is not declared.
func (p *plan) typeOf(name string) FieldType {
	if f := p.index[name]; f != nil {
		return f.typ
	}
	return ""
}

// withInline returns a copy of fields with the inline data of the blobs that are
// the values of fields; nil if there is none. A blob of an array of files is but
// one item of a value.
func withInline(fields map[string]any, blobs []Blob, typeOf func(property string) FieldType) (all map[string]any) {
	for i := range blobs {
		b := &blobs[i]
		if data, ok := b.Properties["data"]; ok && b.Type == typeOf(b.Property) {
			if all == nil {
				all = make(map[string]any, len(fields)+len(blobs))
				maps.Copy(all, fields)
			}
			all[b.Property] = data
		}
	}
	return all
}

// takeInline takes the inline data of blobs out of fields.
func takeInline(fields map[string]any, blobs []Blob) {
	for i := range blobs {
		if _, ok := blobs[i].Properties["data"]; ok {
			delete(fields, blobs[i].Property)
		}
	}
}

// convertFields returns fields that were stored as JSON text, up to format 2, in
// stored form. Of the schema, nil if no blob has data, it wants the types. What
// cannot be read is left as it is, for [Store.Check] to tell: a file must open
// whatever is wrong with an object.
func convertFields(text, blobs, schema []byte) []byte {
	fields, err := value.ParseTrusted(string(text))
	if err != nil {
		return text
	}
	if list, err := decodeBlobs(string(blobs)); err == nil && schema != nil {
		doc, _ := value.ParseTrusted(string(schema)) // what is wrong with it is the bucket's problem
		properties, _ := doc["properties"].(map[string]any)
		all := withInline(fields, list, func(property string) FieldType {
			field, _ := properties[property].(map[string]any)
			name, _ := field["type"].(string)
			return FieldType(name)
		})
		if all != nil {
			fields = all
		}
	}
	out, _ := jsonb.Append(nil, fields)
	return out
}
