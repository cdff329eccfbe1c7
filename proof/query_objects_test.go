package proof_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// modelDoc is an object of a query model.
type modelDoc struct {
	key    string
	fields map[string]any    // as they were put, without the key
	inline map[string]any    // what blobs hold of declared fields
	forms  [2]map[string]any // the JSON forms
}

// longTexts are as long, as they are or folded, as what counts of a text when it is
// sorted by, or about so long.
var (
	longTexts = []string{strings.Repeat("é", 256), strings.Repeat("É", 256), strings.Repeat("x", 511), strings.Repeat("x", 512), strings.Repeat("\u212a", 512)}
	longEnds  = []string{"", "a", "A", "b", "é"}
)

// twice returns blobs of the same content. Readers are read but once.
func twice(blobs []bucketlite.BlobInput) []bucketlite.BlobInput {
	blobs = slices.Clone(blobs)
	for i := range blobs {
		if r, ok := blobs[i].Reader.(*strings.Reader); ok {
			again := *r
			blobs[i].Reader = &again
		}
	}
	return blobs
}

// stored records the stored form of an object. Values of the system, such as the ids of
// blobs, are taken from it.
func (o *modelDoc) stored(t *testing.T, i int, got *bucketlite.Object) {
	t.Helper()
	system := storetest.FormOf(t, got)
	form := maps.Clone(o.fields)
	form["k"] = o.key
	for _, name := range []string{"object_id", "bucket_id", "key_prefix", "status", "created_at", "updated_at", "blobs"} {
		if v, ok := system[name]; ok {
			form[name] = v
		}
	}
	o.forms[i] = form
	o.inline = make(map[string]any)
	for _, b := range got.Blobs {
		if data, ok := b.Properties["data"]; ok && b.Property != "notes" {
			o.inline[b.Property] = data
		}
	}
}
