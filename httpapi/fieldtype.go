package httpapi

import (
	"bytes"
	"maps"
	"strings"

	"github.com/bucketlite/bucketlite"
	fieldtype "github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// The hosted service has a closed list of field types, and its clients fail on a whole
// answer that has another one. So document is given as pdf and file as text, with the
// true name beside it.
const trueType = "x-type"

// extension returns the name of a type that the hosted service lacks, in lower case,
// or "" if it has the type.
func extension(name any) string {
	s, _ := name.(string)
	if s = strings.ToLower(s); fieldtype.Hosted(s) != s {
		return s
	}
	return ""
}

// ownType returns the type of a member of a request that the hosted service lacks, or
// "". The true type beside the member takes precedence.
func (c *call) ownType(doc map[string]any, name, at string) string {
	if t := extension(doc[trueType]); t != "" {
		return t
	}
	return c.warnOfExtension(doc[name], at)
}

// warnOfExtension warns of a type that the hosted service lacks, and returns it, or "".
func (c *call) warnOfExtension(name any, at string) string {
	t := extension(name)
	if t != "" {
		c.warn(at + ": " + fieldtype.Hosted(t) + " expected, with " + trueType + " " + t)
	}
	return t
}

// hostedAnswer returns an answer with the hosted service's names for types.
func hostedAnswer(body any) any {
	switch v := body.(type) {
	case *bucketlite.BucketInfo:
		if v != nil {
			info := *v
			info.Schema.Properties = hostedFields(v.Schema.Properties)
			return &info
		}
	case *bucketlite.Upload:
		if v != nil {
			return hostedUploadOf(v)
		}
	case *bucketlite.Object:
		if v != nil {
			return hostedObject{v}
		}
	}
	return body
}

// hostedFields returns fields of a schema with the hosted service's types.
func hostedFields(own map[string]bucketlite.Field) map[string]bucketlite.Field {
	if own == nil {
		return nil
	}
	fields := make(map[string]bucketlite.Field, len(own))
	for name, f := range own {
		fields[name] = hostedField(f)
	}
	return fields
}

func hostedField(f bucketlite.Field) bucketlite.Field {
	if t := extension(string(f.Type)); t != "" {
		f.Type = bucketlite.FieldType(fieldtype.Hosted(t))
		if f.Keywords = maps.Clone(f.Keywords); f.Keywords == nil {
			f.Keywords = make(map[string]any)
		}
		f.Keywords[trueType] = t
	}
	if f.Items != nil {
		f.Items = new(hostedField(*f.Items))
	}
	f.Properties = hostedFields(f.Properties)
	return f
}

// hostedObject is an object whose blobs have the hosted service's types.
type hostedObject struct{ *bucketlite.Object }

func (o hostedObject) MarshalJSON() ([]byte, error) {
	text, err := o.Object.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return hostedBlobs(text)
}

// hostedObjects are several of them.
type hostedObjects []*bucketlite.Object

func (list hostedObjects) MarshalJSON() ([]byte, error) {
	all := []byte{'['}
	for i, o := range list {
		text, err := hostedObject{o}.MarshalJSON()
		if err != nil {
			return nil, err
		}
		if i > 0 {
			all = append(all, ',')
		}
		all = append(all, text...)
	}
	return append(all, ']'), nil
}

// hostedBlobs returns the JSON form of an object with the hosted service's types of
// blobs. Without blobs of other types, it returns the text itself.
func hostedBlobs(text []byte) ([]byte, error) {
	if !bytes.Contains(text, []byte(`"type":"document"`)) && !bytes.Contains(text, []byte(`"type":"file"`)) {
		return text, nil
	}
	doc, raw, err := value.ParseObject(text, objectLimits, "blobs")
	if err != nil {
		return nil, err
	}
	items, _ := value.Items(raw["blobs"])
	blobs := make([]any, len(items))
	for i, item := range items {
		if blobs[i], err = value.Parse(item, objectLimits); err != nil {
			return nil, err
		}
		blob, _ := blobs[i].(map[string]any)
		if t := extension(blob["type"]); t != "" {
			blob["type"], blob[trueType] = fieldtype.Hosted(t), t
		}
	}
	if len(items) > 0 {
		raw["blobs"] = value.Append(nil, blobs)
	}
	return value.AppendObject(nil, doc, raw), nil
}

// hostedUpload is an upload with the hosted service's type of blob.
type hostedUpload struct {
	*bucketlite.Upload
	Type     bucketlite.FieldType `json:"blob_type,omitempty"`
	TrueType string               `json:"x-type,omitempty"`
	Size     *int64               `json:"file_size_bytes,omitempty"`
}

// hostedUploadOf returns the answer for an upload. Its size is given as soon as there
// is content, even if that is empty.
func hostedUploadOf(u *bucketlite.Upload) hostedUpload {
	t := string(u.Type)
	hosted := hostedUpload{Upload: u, Type: bucketlite.FieldType(fieldtype.Hosted(t)), TrueType: extension(t)}
	if u.Size != 0 || u.ETag != "" {
		hosted.Size = &u.Size
	}
	return hosted
}

// ownBlobs gives blobs in the form of answers, which an object that is sent back has,
// their true types.
func ownBlobs(blobs any) {
	list, _ := blobs.([]any)
	for _, item := range list {
		blob, _ := item.(map[string]any)
		if t := extension(blob[trueType]); t != "" {
			blob["type"] = t
			delete(blob, trueType)
		}
	}
}

// warnOfDocuments warns of blobs that are documents in fields of text. Programs for the
// hosted service send those.
func (c *call) warnOfDocuments(o *bucketlite.Object) {
	for _, b := range o.Blobs {
		c.warnOfDocument("blobs."+b.Property, b.Type, b.Details.MIMEType)
	}
}

func (c *call) warnOfDocument(at string, t bucketlite.FieldType, mimeType string) {
	if t == bucketlite.Text && !fieldtype.Fits(fieldtype.Text, mimeType) && fieldtype.Fits(fieldtype.Document, mimeType) {
		c.warn(at + ": text expected, got " + fieldtype.Base(mimeType))
	}
}
