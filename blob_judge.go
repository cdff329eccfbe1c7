package bucketlite

import (
	"fmt"

	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// judgeBlob checks the i-th of an object's stored blobs.
func (d *definition) judgeBlob(j *judge, path value.Path, blobs []Blob, i int) {
	b := &blobs[i]
	f := d.blobField(j, path, b.Property, blobs[:i])
	if f == nil {
		return
	}
	if !schema.FitsField(string(b.Type), f.Type) {
		j.fault(path, ruleType, fmt.Sprintf("%s expected for %s, got %s", f.Type, value.Show(b.Property), value.Show(string(b.Type))))
	}
	data, inline := b.Properties["data"]
	_, reference := b.Properties["url"]
	switch {
	case b.Details.Hash != "":
		if !f.IsFile() {
			j.fault(path, ruleData, "a value expected for a field of type "+f.Type+", got bytes")
		}
	case inline:
		f.Validate(&j.Validation, path.Member("data"), data)
		if size := inlineSize(data); size != b.Details.Size {
			j.fault(path, ruleSize, fmt.Sprintf("%d bytes are recorded, but there are %d", b.Details.Size, size))
		}
	case !reference || !f.IsFile():
		j.fault(path, ruleRequired, "no content, reference or inline data")
	case b.Details.Size != 0:
		j.fault(path, ruleSize, fmt.Sprintf("a reference has no bytes, %d are recorded", b.Details.Size))
	}
}
