package bucketlite

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/filename"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Blob is one value of a property of an object: stored content, a reference to a URL,
// or inline data. It belongs to the caller.
//
// Its JSON form is that of the hosted service's BlobModel.
type Blob struct {
	ID        string    `json:"blob_id"`
	Property  string    `json:"property"`
	KeyPrefix string    `json:"key_prefix,omitempty"`
	Type      FieldType `json:"type"`
	// Properties are the metadata given with the blob, plus "url" for a reference, or
	// "data" for inline data.
	Properties map[string]any `json:"properties"`
	Details    BlobDetails    `json:"details"`
}

// BlobDetails describe the content of a blob.
type BlobDetails struct {
	Filename string `json:"filename,omitempty"`
	// Size is the size of stored content or inline data in bytes; 0 for a reference,
	// whose JSON form has no size.
	Size int64 `json:"size_bytes,omitempty"`
	// MIMEType has the charset of text, if it was declared or is UTF-16.
	MIMEType string `json:"mime_type,omitempty"`
	// Hash is the SHA-256 of stored content in hexadecimal; else empty.
	Hash string `json:"hash,omitempty"`
}

// blobForm is a Blob whose JSON form has no size of 0.
type blobForm Blob

// MarshalJSON returns the blob's JSON form. Its size is there unless the blob is a
// reference.
func (b Blob) MarshalJSON() ([]byte, error) {
	_, inline := b.Properties["data"]
	if b.Details.Size != 0 || b.Details.Hash == "" && !inline {
		return json.Marshal(blobForm(b))
	}
	type details struct {
		Filename string `json:"filename,omitempty"`
		Size     int64  `json:"size_bytes"`
		MIMEType string `json:"mime_type,omitempty"`
		Hash     string `json:"hash,omitempty"`
	}
	return json.Marshal(struct {
		blobForm
		Details details `json:"details"`
	}{blobForm(b), details(b.Details)})
}

// BlobInput is a blob to be stored. Its content comes from exactly one of Data,
// Reader and UploadID.
//
// Its JSON form is that of the hosted service's CreateBlobRequest.
type BlobInput struct {
	// Property is the schema field of which the blob is a value. If the field is an
	// array of files, several blobs may have the same property.
	Property string
	// Type, if given, must be the type of the field, or of its items, in any letter
	// case. [PDF] also names a [Document], and [Text] a [File], since these are what
	// the hosted service has for them.
	Type FieldType
	// KeyPrefix is a storage path. It is stored and returned unchanged.
	KeyPrefix string
	// Data is the content of the blob. For a file field it is a URL (http, https, s3,
	// gs, file), a data URI, an object {"base64", "mime_type", "filename"}, or an
	// object {"url"} with the same optional members. For a text field any other
	// string is stored inline. For any other field Data is the field's value, stored
	// inline.
	//
	// A URL is stored as a reference. With an [Options].Fetcher, Put, PutMany and
	// Patch first download and store its content, just as they store the bytes of a
	// Reader; the blob then has both the URL and the content. If a URL cannot be
	// fetched, the error is [ErrInvalid] with the rule "fetch", and wraps the
	// fetcher's error.
	Data any
	// Reader supplies the bytes to store, at most [Options].MaxBlobBytes. They are
	// written as they arrive, in constant memory and without blocking other writers,
	// but become visible only with the object.
	Reader io.Reader
	// UploadID names a confirmed upload of the bucket, whose bytes the blob shares;
	// see [Bucket.ConfirmUpload]. Any number of objects may use one upload. Without
	// such an upload, or if its bytes are deleted, the error is [ErrNotFound]; if the
	// upload is not confirmed, [ErrConflict].
	UploadID string
	// Filename and MIMEType describe the bytes of Reader. Both may be empty. Bytes are
	// refused, by the rule "mime", only if MIMEType is of another family than the
	// field, if they have the signature of another kind of file, or if they lack the
	// signature that their type always has. A [Text] field also needs text. A type
	// such as application/octet-stream says nothing.
	Filename, MIMEType string
	// AllowDocument lets a [Text] field take a document, such as a PDF or a ZIP
	// archive, if the given MIME type is one of documents. Programs for the hosted
	// service send those. The field's assertions still need UTF-8.
	AllowDocument bool
	// Metadata is stored in the blob's Properties. The names "url" and "data" are
	// reserved.
	Metadata map[string]any
	// KeepReference and Refetch, unless nil, override those of the [ObjectInput].
	KeepReference, Refetch *bool

	// Origin is the URL that the bytes of Reader came from, or empty. It is stored beside
	// the content, as the URL of a fetched blob is. Without a Reader it has no effect.
	Origin string
}

// UnmarshalJSON decodes the JSON form strictly, as [ObjectInput.UnmarshalJSON] does.
func (in *BlobInput) UnmarshalJSON(data []byte) error {
	v, err := value.Parse(data, value.Limits{MaxBytes: maxInputBytes})
	if err != nil {
		return &ValidationError{Subject: "blob", Issues: syntaxIssues(nil, err)}
	}
	j := &judge{}
	*in = blobInput(j, nil, v)
	return j.err("blob")
}

// blobInputs decodes the JSON form of a list of blobs; null counts as absent.
func blobInputs(j *judge, v any) []BlobInput {
	if v == nil {
		return nil
	}
	path := value.Path{{Name: "blobs"}}
	list, ok := v.([]any)
	if !ok {
		j.fault(path, ruleType, "array expected, got "+value.Show(v))
		return nil
	}
	inputs := make([]BlobInput, len(list))
	for i, item := range list {
		inputs[i] = blobInput(j, path.Item(i), item)
	}
	return inputs
}

func blobInput(j *judge, path value.Path, v any) BlobInput {
	doc, ok := v.(map[string]any)
	if !ok {
		j.fault(path, ruleType, "object expected, got "+value.Show(v))
		return BlobInput{}
	}
	var in BlobInput
	text := func(name string) string {
		s, ok := doc[name].(string)
		if !ok && doc[name] != nil {
			j.fault(path.Member(name), ruleType, "string expected, got "+value.Show(doc[name]))
		}
		return s
	}
	in.Property, in.Type, in.KeyPrefix = text("property"), FieldType(text("type")), text("key_prefix")
	in.UploadID, in.Data = text("upload_id"), doc["data"]
	metadata, ok := doc["metadata"].(map[string]any)
	if !ok && doc["metadata"] != nil {
		j.fault(path.Member("metadata"), ruleType, "object expected, got "+value.Show(doc["metadata"]))
	}
	in.Metadata = metadata
	if canonicalize := takeBool(j, doc, "canonicalize_source", path); canonicalize != nil {
		in.KeepReference = new(!*canonicalize)
	}
	in.Refetch = takeBool(j, doc, "force_remirror", path)
	return in
}

// maxDataBytes limits blobs that are held in memory.
const maxDataBytes = 32 << 20

// blobBuilder converts the blobs of one input to stored form.
type blobBuilder struct {
	ctx      context.Context
	bucket   *Bucket
	judge    *judge
	upload   *uploadRow // the upload that is being confirmed, or nil
	judging  bool       // validates only: reads and stores nothing
	document bool       // the current blob may be a document in a field of text
	blobs    []Blob
	contents []*content.Content
	err      error // of a reader, or of the id source
}

var blobsPath = value.Path{{Name: "blobs"}}

// build validates and converts inputs. It reports faults to the judge, and returns an
// error that ends the call, such as one of a reader.
func (bb *blobBuilder) build(inputs []BlobInput) error {
	bb.blobs = make([]Blob, 0, len(inputs))
	for i := range inputs {
		bb.add(slices.Clip(blobsPath.Item(i)), &inputs[i])
		if bb.err != nil {
			return bb.err
		}
	}
	return nil
}

func (bb *blobBuilder) add(path value.Path, in *BlobInput) {
	defer bb.judge.nameProperty(len(bb.judge.List), in.Property)
	f := bb.bucket.def.blobField(bb.judge, path.Member("property"), in.Property, bb.blobs)
	if f == nil {
		return
	}
	bb.document = in.AllowDocument
	if in.Type != "" && !schema.Names(string(in.Type), f.Type) {
		bb.judge.fault(path.Member("type"), ruleType, fmt.Sprintf("%s expected for %s, got %s", f.Type, value.Show(in.Property), value.Show(string(in.Type))))
	}
	b := Blob{Property: in.Property, KeyPrefix: in.KeyPrefix, Type: FieldType(f.Type)}
	if b.ID, bb.err = bb.bucket.store.newID(ident.BlobPrefix); bb.err != nil {
		return
	}
	b.Properties = bb.metadata(path.Member("metadata"), in)
	bb.text(path.Member("key_prefix"), in.KeyPrefix)
	bb.fill(path, in, f, &b)
	bb.blobs = append(bb.blobs, b)
}

// blobField returns the field of a blob's property, for an array the field of its
// items, or nil if the schema has none. It reports a fault at the path if the
// property cannot have a blob, or has one already in before.
func (d *definition) blobField(j *judge, at value.Path, property string, before []Blob) *schema.Field {
	f := d.plan.Field(property)
	switch {
	case f == nil && property == "":
		j.fault(at, ruleProperty, "required")
		return nil
	case f == nil:
		j.fault(at, ruleProperty, "not declared in the schema: "+value.Show(property))
		return nil
	case f.HasFiles():
		f = f.Items
	case hasBlob(before, property):
		j.fault(at, ruleProperty, value.Show(property)+" already has a blob, and is not an array of files")
	}
	if d.key.Covers(property) {
		j.fault(at, ruleKey, "a field of the unique key cannot be a blob")
	}
	return f
}

// metadata returns a copy of the blob's metadata, validated for storage.
func (bb *blobBuilder) metadata(path value.Path, in *BlobInput) map[string]any {
	properties := make(map[string]any, len(in.Metadata)+1)
	plain, ok := value.Plain(in.Metadata, path, bb.bucket.store.opts.objectLimits(), bb.judge.fault)
	if !ok {
		return properties
	}
	maps.Copy(properties, plain.(map[string]any))
	for _, name := range []string{"data", "url"} {
		if _, ok := properties[name]; ok {
			bb.judge.fault(path.Member(name), ruleReserved, "the name is reserved for the blob's own data")
		}
	}
	return properties
}

// text validates a string that is stored next to the fields.
func (bb *blobBuilder) text(path value.Path, s string) {
	value.Plain(s, path, bb.bucket.store.opts.objectLimits(), bb.judge.fault)
}

// fill sets the blob's content.
func (bb *blobBuilder) fill(path value.Path, in *BlobInput, f *schema.Field, b *Blob) {
	sources := 0
	for _, given := range []bool{in.Data != nil, in.Reader != nil, in.UploadID != ""} {
		if given {
			sources++
		}
	}
	switch {
	case sources == 0:
		bb.judge.fault(path.Member("data"), ruleRequired, "data or an upload_id expected")
	case sources > 1:
		bb.judge.fault(path.Member("data"), ruleData, "data, a reader and an upload_id exclude each other")
	case !f.IsFile() && in.Data == nil:
		bb.judge.fault(path.Member("data"), ruleData, "a value expected for a field of type "+f.Type+", got bytes")
	case !f.IsFile():
		bb.inline(path.Member("data"), in.Data, f, b)
	case in.UploadID != "":
		bb.uploaded(path.Member("upload_id"), in.UploadID, f, b)
	case in.Reader != nil:
		bb.stream(path, in, f, b)
		bb.originate(path, in.Origin, b)
	default:
		bb.file(path.Member("data"), in.Data, f, b)
	}
}

// originate notes the URL that the blob's bytes came from.
func (bb *blobBuilder) originate(path value.Path, url string, b *Blob) {
	switch {
	case url == "":
	case !urlPattern.MatchString(url):
		bb.judge.fault(path.Member("url"), ruleData, "a URL of scheme http, https, s3, gs or file expected, got "+value.Show(url))
	default:
		b.Properties["url"] = url
	}
}

// inline stores the value of a field that holds no file.
func (bb *blobBuilder) inline(path value.Path, data any, f *schema.Field, b *Blob) {
	data, ok := value.Plain(data, path, bb.bucket.store.opts.objectLimits(), bb.judge.fault)
	if !ok {
		return
	}
	data, _ = f.Validate(&bb.judge.Validation, path, data)
	b.Properties["data"] = data
	b.Details.Size = inlineSize(data)
	b.Details.MIMEType = "application/json"
	if _, ok := data.(string); ok {
		b.Details.MIMEType = "text/plain"
	}
}

// inlineSize returns the size of inline data in bytes: of text as UTF-8, of other
// values as compact JSON.
func inlineSize(data any) int64 {
	if s, ok := data.(string); ok {
		return int64(len(s))
	}
	return int64(len(value.Append(nil, data)))
}

// urlPattern matches data that is a reference.
var urlPattern = regexp.MustCompile(`^(https?|s3|gs|file)://`)

// file stores the data of a file field, in any of its forms.
func (bb *blobBuilder) file(path value.Path, data any, f *schema.Field, b *Blob) {
	// Base64 is a third longer than the decoded bytes.
	limits := value.Limits{MaxBytes: int(bb.inMemory())/3*4 + 1<<20}
	data, ok := value.Plain(data, path, limits, bb.judge.fault)
	if !ok {
		return
	}
	switch data := data.(type) {
	case string:
		switch {
		case urlPattern.MatchString(data):
			b.Properties["url"] = data
		case strings.HasPrefix(data, "data:"):
			bb.dataURI(path, data, f, b)
		case f.Type == schema.Text:
			bb.inline(path, data, f, b)
		default:
			bb.judge.fault(path, ruleData, "a URL, a data URI or an object with base64 expected, got "+value.Show(data))
		}
	case map[string]any:
		bb.fileObject(path, data, f, b)
	default:
		bb.judge.fault(path, ruleData, "a URL, a data URI or an object with base64 expected, got "+value.Show(data))
	}
}

// fileObject decodes {"base64", "mime_type", "filename"} or {"url"}.
func (bb *blobBuilder) fileObject(path value.Path, data map[string]any, f *schema.Field, b *Blob) {
	text := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(data)) {
		s, ok := data[name].(string)
		switch {
		case name != "base64" && name != "url" && name != "mime_type" && name != "filename":
			bb.judge.fault(path.Member(name), ruleData, "base64, mime_type, filename or url expected")
		case !ok && data[name] != nil:
			bb.judge.fault(path.Member(name), ruleType, "string expected, got "+value.Show(data[name]))
		case ok:
			text[name] = s
		}
	}
	encoded, hasBytes := text["base64"]
	link, hasURL := text["url"]
	switch {
	case hasBytes == hasURL:
		bb.judge.fault(path, ruleData, "either base64 or url expected")
	case hasURL && !urlPattern.MatchString(link):
		bb.judge.fault(path.Member("url"), ruleData, "a URL of scheme http, https, s3, gs or file expected, got "+value.Show(link))
	case hasURL:
		b.Properties["url"] = link
		b.Details.Filename, b.Details.MIMEType = text["filename"], text["mime_type"]
		bb.declared(path.Member("mime_type"), text["mime_type"], f)
		bb.filename(path.Member("filename"), text["filename"])
	default:
		decoded, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			bb.judge.fault(path.Member("base64"), ruleData, "invalid base64: "+err.Error())
			return
		}
		bb.filename(path.Member("filename"), text["filename"])
		bb.bytes(path, decoded, schema.Content{Filename: text["filename"], Declared: text["mime_type"]}, f, b)
	}
}

// dataURI decodes a data URI as in RFC 2397: data:[<type>][;base64],<data>.
func (bb *blobBuilder) dataURI(path value.Path, uri string, f *schema.Field, b *Blob) {
	head, body, ok := strings.Cut(uri[len("data:"):], ",")
	if !ok {
		bb.judge.fault(path, ruleData, "invalid data URI: no comma")
		return
	}
	mimeType, isBase64 := strings.CutSuffix(head, ";base64")
	if strings.HasPrefix(mimeType, ";") {
		mimeType = "" // parameters of the default type text/plain, which is not declared
	}
	decoded, err := url.PathUnescape(body)
	data := []byte(decoded)
	if err == nil && isBase64 {
		data, err = base64.StdEncoding.DecodeString(decoded)
	}
	if err != nil {
		bb.judge.fault(path, ruleData, "invalid data URI: "+err.Error())
		return
	}
	bb.bytes(path, data, schema.Content{Declared: mimeType}, f, b)
}

// read stores the bytes of r, about which something is known. Content longer than a
// chunk is staged, unless the input has a fault already. The error may be one of r or
// of the store; the caller knows which from r.
func (bb *blobBuilder) read(path value.Path, r io.Reader, about schema.Content, f *schema.Field, b *Blob) error {
	limit := bb.bucket.store.opts.MaxBlobBytes
	r = io.LimitReader(r, limit+1) // one more byte reveals that r is too long
	head := make([]byte, content.ChunkSize)
	n, ended, err := content.Fill(r, head)
	head = head[:n]
	if err != nil {
		return cmp.Or(bb.ctx.Err(), err)
	}
	bb.filename(path.Member("filename"), about.Filename)
	if ended {
		bb.bytes(path, head, about, f, b)
		return nil
	}
	r = io.MultiReader(bytes.NewReader(head), r)
	if f.NeedsText() {
		limit := bb.inMemory()
		data, err := io.ReadAll(io.LimitReader(r, limit+1))
		if err != nil {
			return cmp.Or(bb.ctx.Err(), err)
		}
		bb.bytes(path, data, about, f, b)
		return nil
	}
	mimeType := bb.mime(path, head, about, f)
	if bb.judge.Any() {
		return nil
	}
	checked := newTypedReader(r, f, mimeType)
	c, err := bb.bucket.store.stage.Copy(bb.ctx, checked, limit)
	switch {
	case checked.refusal != nil && checked.read <= limit:
		bb.judge.fault(path, ruleMIME, checked.refusal.Error())
		return nil
	case err == content.ErrTooLong || checked.read > limit: // cut off, perhaps within a character
		bb.tooLong(path, limit)
		return nil
	case err != nil: // an error of r, or of the store
		return cmp.Or(bb.ctx.Err(), public(err))
	}
	bb.store(c, about.Filename, checked.mimeType, b)
	return nil
}

// bytes stores data, about which something is known, as the blob's content.
func (bb *blobBuilder) bytes(path value.Path, data []byte, about schema.Content, f *schema.Field, b *Blob) {
	if limit := bb.inMemory(); int64(len(data)) > limit {
		bb.tooLong(path, limit)
		return
	}
	mimeType := bb.mime(path, data, about, f)
	checked := newTypedReader(bytes.NewReader(data), f, mimeType)
	if checked.drain(); checked.refusal != nil {
		bb.judge.fault(path, ruleMIME, checked.refusal.Error())
		return
	}
	if f.NeedsText() && !bb.conformText(path, data, f) {
		return
	}
	bb.store(&content.Content{Hash: sha256.Sum256(data), Size: int64(len(data)), Data: data}, about.Filename, checked.mimeType, b)
}

// conformText validates a text as a whole, and reports whether it is valid UTF-8.
func (bb *blobBuilder) conformText(path value.Path, data []byte, f *schema.Field) bool {
	if !utf8.Valid(data) {
		bb.judge.fault(path, "utf8", "valid UTF-8 expected in a text field that is validated")
		return false
	}
	f.Validate(&bb.judge.Validation, path, string(data))
	return true
}

// store sets the blob's content to c.
func (bb *blobBuilder) store(c *content.Content, filename, mimeType string, b *Blob) {
	bb.contents = append(bb.contents, c)
	b.Details = BlobDetails{Filename: filename, Size: c.Size, MIMEType: mimeType, Hash: hex.EncodeToString(c.Hash[:])}
}

// inMemory returns the size limit of a blob that is held in memory.
func (bb *blobBuilder) inMemory() int64 {
	return min(bb.bucket.store.opts.MaxBlobBytes, maxDataBytes)
}

func (bb *blobBuilder) tooLong(path value.Path, limit int64) {
	bb.judge.fault(path, ruleSize, bb.bucket.store.opts.atMost(limit))
}

// filename reports a name that contains more than a name. It does not correct names,
// since the stored name must equal the given one.
func (bb *blobBuilder) filename(path value.Path, name string) {
	if err := checkFilename(name); err != nil {
		bb.judge.fault(path, ruleName, err.Error())
	}
}

func checkFilename(name string) error { return filename.Check(name) }

// hasBlob reports whether a blob of blobs has the property.
func hasBlob(blobs []Blob, property string) bool {
	for i := range blobs {
		if blobs[i].Property == property {
			return true
		}
	}
	return false
}

// blobBytes returns the blobs' share of an object's size.
func blobBytes(blobs []Blob) (size int64) {
	for i := range blobs {
		size += blobs[i].Details.Size
	}
	return size
}

// encodeBlobs returns blobs in stored form, or nil if there are none.
func encodeBlobs(blobs []Blob) (any, error) {
	if len(blobs) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(blobs)
	return string(text), err
}

// isStoredForm reports whether text is the stored form of blobs. Older releases left
// out a size of 0.
func isStoredForm(text string, blobs []Blob) bool {
	encoded, err := encodeBlobs(blobs)
	if err != nil {
		return false
	}
	if encoded == nilIfBlank(text) || len(blobs) == 0 {
		return encoded == nilIfBlank(text)
	}
	older := make([]blobForm, len(blobs))
	for i := range blobs {
		older[i] = blobForm(blobs[i])
	}
	form, err := json.Marshal(older)
	return err == nil && string(form) == text
}

// sha256OfNothing is the hash of empty content.
const sha256OfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// blobsText returns the JSON form of blobs in stored form, and false if that is no
// JSON. It is the stored form, unless that may lack a size of 0.
func blobsText(stored string) ([]byte, bool) {
	if !strings.Contains(stored, sha256OfNothing) && !strings.Contains(stored, `"data":""`) {
		return []byte(stored), json.Valid([]byte(stored))
	}
	blobs, err := decodeBlobs(stored)
	if err != nil {
		return nil, false
	}
	text, err := json.Marshal(blobs)
	return text, err == nil
}

// takeBool removes a boolean member from doc and returns it; nil if it is absent or
// null.
func takeBool(j *judge, doc map[string]any, name string, path value.Path) *bool {
	v := doc[name]
	delete(doc, name)
	if b, ok := v.(bool); ok {
		return &b
	}
	if v != nil {
		j.fault(path.Member(name), ruleType, "boolean expected, got "+value.Show(v))
	}
	return nil
}

// decodeBlobs decodes the stored form of an object's blobs.
func decodeBlobs(stored string) ([]Blob, error) {
	if stored == "" {
		return nil, nil
	}
	var blobs []Blob
	d := json.NewDecoder(bytes.NewReader([]byte(stored)))
	d.UseNumber()
	err := d.Decode(&blobs)
	return blobs, err
}

// appendViews appends the schema package's views of blobs.
func appendViews(views []schema.Blob, blobs []Blob) []schema.Blob {
	for i := range blobs {
		b := &blobs[i]
		data, inline := b.Properties["data"]
		views = append(views, schema.Blob{Property: b.Property, Type: string(b.Type), Data: data, Inline: inline})
	}
	return views
}
