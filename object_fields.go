package bucketlite

import (
	"fmt"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// encodeFields returns the stored form of an object's fields and of its blobs' inline
// data. It returns [ErrTooLarge] if the fields exceed [Options].MaxObjectBytes.
func (b *Bucket) encodeFields(fields map[string]any, blobs []Blob) (schema.Fields, error) {
	var views [4]schema.Blob // enough for most objects, and off the heap
	e := b.def.plan.Encode(fields, appendViews(views[:0], blobs))
	if limit := b.store.opts.MaxObjectBytes; e.TextSize > limit {
		return e, &ValidationError{Subject: b.String(), Issues: []Issue{{"", ruleSize, tooManyBytes(limit, e.TextSize)}}}
	}
	return e, nil
}

func tooManyBytes(limit, got int) string {
	return fmt.Sprintf("at most %d bytes expected for an object's fields (Options.MaxObjectBytes), got %d", limit, got)
}

// takeInline removes the inline data of blobs from decoded fields.
func takeInline(fields map[string]any, blobs []Blob) {
	for i := range blobs {
		if _, ok := blobs[i].Properties["data"]; ok {
			delete(fields, blobs[i].Property)
		}
	}
}

// A migration calls convertFields.
func init() {
	engine.RegisterFunction("bucketlite_jsonb", 3, func(args [][]byte) []byte { return convertFields(args[0], args[1], args[2]) })
}

// convertFields converts fields from the JSON text of formats up to 2 to the stored
// form. The bucket's schema gives their types; it may be nil if no blob has inline
// data. Text that cannot be parsed is returned unchanged, and [Store.Check] reports
// it: a damaged object must not keep a file from opening.
func convertFields(text, blobs, stored []byte) []byte {
	fields, err := value.ParseTrusted(string(text))
	if err != nil {
		return text
	}
	if list, err := decodeBlobs(string(blobs)); err == nil && stored != nil {
		doc, _ := value.ParseTrusted(string(stored)) // Check reports a schema that cannot be parsed
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
