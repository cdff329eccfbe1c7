package bucketlite

import (
	"fmt"

	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// encodeFields returns an object's fields in stored form, beside its blobs.
func (b *Bucket) encodeFields(fields map[string]any, blobs []Blob) (schema.Fields, error) {
	var views [4]schema.Blob // enough for most, and off the heap
	e := b.def.plan.Encode(fields, appendViews(views[:0], blobs))
	if limit := b.store.opts.MaxObjectBytes; e.TextSize > limit {
		message := fmt.Sprintf("an object's fields have at most %d bytes, these have %d", limit, e.TextSize)
		return e, &ValidationError{Subject: b.String(), Issues: []Issue{{"", ruleSize, message}}}
	}
	return e, nil
}

// appendViews appends what the schema package wants to know of blobs.
func appendViews(views []schema.Blob, blobs []Blob) []schema.Blob {
	for i := range blobs {
		b := &blobs[i]
		data, inline := b.Properties["data"]
		views = append(views, schema.Blob{Property: b.Property, Type: string(b.Type), Data: data, Inline: inline})
	}
	return views
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
func convertFields(text, blobs, definition []byte) []byte {
	fields, err := value.ParseTrusted(string(text))
	if err != nil {
		return text
	}
	if list, err := decodeBlobs(string(blobs)); err == nil && definition != nil {
		doc, _ := value.ParseTrusted(string(definition)) // what is wrong with it is the bucket's problem
		properties, _ := doc["properties"].(map[string]any)
		all := schema.WithInline(fields, appendViews(nil, list), func(property string) string {
			field, _ := properties[property].(map[string]any)
			t, _ := field["type"].(string)
			return t
		})
		if all != nil {
			fields = all
		}
	}
	out, _ := jsonb.Append(nil, fields)
	return out
}
