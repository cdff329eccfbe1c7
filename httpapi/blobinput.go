package httpapi

import (
	"errors"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
	bucketschema "github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// urlType is a type that some clients have. In a schema it stands for strings that are
// URLs, in a blob for whatever the field's type is.
const urlType = "url"

// isSingle reports whether an object was refused because its blobs are no list.
func isSingle(err error) bool {
	var invalid *bucketlite.ValidationError
	return errors.As(err, &invalid) && slices.ContainsFunc(invalid.Issues, func(i bucketlite.Issue) bool { return i.Path == "blobs" && i.Rule == "type" })
}

// deviates reports whether an object may have blobs that [objectReader.mend] changes.
func deviates(in *bucketlite.ObjectInput) bool {
	_, ok := in.Fields["blob"].(map[string]any)
	return ok || slices.ContainsFunc(in.Blobs, func(b bucketlite.BlobInput) bool {
		return b.Property == "" || b.Data == nil && b.UploadID == "" || linkIn(b.Data) != ""
	})
}

// hasContent reports whether an object can be a blob.
func hasContent(blob map[string]any) bool {
	return blob["data"] != nil || blob["upload_id"] != nil || blob["url"] != nil
}

func hasProperty(blob map[string]any) bool { return blob["property"] != nil && blob["property"] != "" }

// linkIn returns the URL that stands as the filename of data, "" if there is none.
func linkIn(data any) string {
	of, _ := data.(map[string]any)
	if name, _ := of["filename"].(string); of["base64"] == nil && of["url"] == nil && strings.Contains(name, "://") {
		return name
	}
	return ""
}

// mend returns an object with its blobs in the form that the store takes. It accepts
// with a warning:
//
//   - one blob in blobs, or as the member blob, in place of a list
//   - a blob without its property, if only one field can have it
//   - url for data
//   - the URL of data as its filename
//
// A member blob that can be a field, or a blob of several, stays what it is.
func (r *objectReader) mend(data []byte) ([]byte, error) {
	v, err := value.Parse(data, objectLimits)
	doc, ok := v.(map[string]any)
	if err != nil || !ok {
		return data, nil // the store's error says more
	}
	info, err := r.bucket()
	if err != nil {
		return nil, err
	}
	fields := info.Schema.Properties
	if blob, ok := doc["blobs"].(map[string]any); ok && hasContent(blob) {
		r.call.warn("blobs: a list expected")
		doc["blobs"] = []any{blob}
	}
	r.gather(doc, fields)
	list, _ := doc["blobs"].([]any)
	for _, item := range list {
		if blob, ok := item.(map[string]any); ok {
			r.mendBlob(blob, fields)
		}
	}
	return value.Append(nil, doc), nil
}

// gather moves the member blob of an object to its list of blobs, if it has content and
// its property is clear.
func (r *objectReader) gather(doc map[string]any, fields map[string]bucketlite.Field) {
	blob, _ := doc["blob"].(map[string]any)
	list, ok := doc["blobs"].([]any)
	own, declared := fields["blob"]
	if !ok && doc["blobs"] != nil || declared && fileType(own) == "" || !hasContent(blob) {
		return
	}
	property, _ := blob["property"].(string)
	switch {
	case hasProperty(blob):
	case declared:
		property = "blob"
	default:
		property = onlyField(fields, blob["type"])
	}
	if _, ok := fields[property]; !ok { // blob stays as it was given
		if holdFiles(fields) {
			r.call.warn("blob: a list of blobs with their properties expected")
		}
		return
	}
	blob["property"] = property
	r.call.warn("blob: a list of blobs expected")
	doc["blobs"] = append(list, blob)
	delete(doc, "blob")
}

// mendBlob changes a blob to the form that the store takes.
func (r *objectReader) mendBlob(blob map[string]any, fields map[string]bucketlite.Field) {
	if !hasProperty(blob) {
		if property := onlyField(fields, blob["type"]); property != "" {
			r.call.warn("blobs.property: the name of a field expected")
			blob["property"] = property
		}
	}
	if link := blob["url"]; link != nil && blob["data"] == nil && blob["upload_id"] == nil {
		r.call.warn("blobs.url: data expected")
		blob["data"] = link
	}
	property, _ := blob["property"].(string)
	if link := linkIn(blob["data"]); link != "" && fileType(fields[property]) != "" {
		r.call.warn("blobs.data.filename: a URL as url expected")
		data := blob["data"].(map[string]any)
		delete(data, "filename")
		data["url"] = link
	}
}

// onlyField returns the one field that can have a blob of a type, or of any type if it is
// none that files have; "" if there is no such field, or more than one.
func onlyField(fields map[string]bucketlite.Field, of any) (only string) {
	kind, _ := of.(string)
	kind = strings.ToLower(kind)
	for name, f := range fields {
		switch t := fileType(f); {
		case t == "", kind != "" && kind != urlType && kind != t:
		case only != "":
			return ""
		default:
			only = name
		}
	}
	return only
}

func holdFiles(fields map[string]bucketlite.Field) bool {
	for _, f := range fields {
		if fileType(f) != "" {
			return true
		}
	}
	return false
}

// fileType returns the type of the files that a field holds, of an array that of its
// items; "" if it holds none.
func fileType(f bucketlite.Field) string {
	if f.Type == bucketlite.Array && f.Items != nil {
		f = *f.Items
	}
	if bucketschema.IsFile(string(f.Type)) {
		return string(f.Type)
	}
	return ""
}
