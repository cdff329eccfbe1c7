package console

import (
	"context"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/bucketlite/bucketlite"
)

var editRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/new", inPlace, reads, (*request).newObject},
	{"POST /n/{namespace}/b/{bucket}/new", inPlace, writes, (*request).createObject},
	{"POST /n/{namespace}/b/{bucket}/validate", inPlace, writes, (*request).validateObject},
	{"GET /n/{namespace}/b/{bucket}/o/{object}/edit", inPlace, reads, (*request).edit},
	{"POST /n/{namespace}/b/{bucket}/o/{object}/edit", inPlace, writes, (*request).saveObject},
}

// maxEdit bounds the JSON of the fields that a form is shown for. The form has it twice, and
// browsers write up to three bytes for one.
const maxEdit = maxForm / 8

// newObject shows an empty form.
func (q *request) newObject() error {
	f := q.newObjectForm(nil, nil)
	f.AsJSON, f.Text = q.query("as") == "json", "{}"
	return q.render(http.StatusOK, "edit", f.Title, f)
}

// edit shows the form of an object.
func (q *request) edit() error {
	o, err := q.bucket.Object(q.ctx(), q.r.PathValue("object"))
	if err != nil {
		return err
	}
	f := q.newObjectForm(o, o.Fields)
	if len(f.Base) > maxEdit {
		return &refusal{http.StatusRequestEntityTooLarge, "objects of up to " + formatBytes(maxEdit) + " can be edited here; change this one with the API"}
	}
	f.AsJSON = q.query("as") == "json"
	return q.render(http.StatusOK, "edit", "Edit "+f.Title, f)
}

// An objectPost is a form that was sent: its values, and after them its files.
type objectPost struct {
	values url.Values
	parts  *multipart.Reader
	first  *multipart.Part // the first file; nil if there is none
}

// partBytes is what a value costs besides its name and text.
const partBytes = 64

// objectPost reads the values of the form, and leaves the files unread: they come last.
func (q *request) objectPost() (*objectPost, error) {
	mediaType, _, _ := mime.ParseMediaType(q.r.Header.Get("Content-Type"))
	if mediaType != "multipart/form-data" {
		values, err := q.form()
		return &objectPost{values: values}, err
	}
	q.patient()
	parts, err := q.r.MultipartReader()
	if err != nil {
		return nil, formError(err)
	}
	p := &objectPost{values: make(url.Values), parts: parts}
	left := int64(maxForm)
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return p, nil
		}
		if err != nil {
			return nil, formError(err)
		}
		if strings.HasPrefix(part.FormName(), filePrefix) {
			p.first = part
			return p, nil
		}
		text, err := io.ReadAll(io.LimitReader(part, left+1))
		if err != nil {
			return nil, formError(err)
		}
		if left -= int64(len(text) + len(part.FormName()) + partBytes); left < 0 {
			return nil, formError(&http.MaxBytesError{Limit: maxForm})
		}
		p.values.Add(part.FormName(), string(text))
	}
}

// store stores the files of the form as uploads, which the blobs of an object can use once
// they are confirmed: see [request.confirm]. Until then nothing else keeps their bytes, and
// they expire.
func (q *request) store(p *objectPost) (blobs []bucketlite.BlobInput, err error) {
	no := false
	for part := p.first; part != nil; {
		if name, ok := fieldOf(filePrefix, part.FormName()); ok && part.FileName() != "" {
			mimeType := part.Header.Get("Content-Type")
			if mimeType == "" {
				mimeType = "application/octet-stream"
			}
			if !holdsFiles(q.info.Schema.Properties[name]) {
				q.drop(blobs)
				return nil, invalid("the schema has no field for files with the name " + strconv.Quote(name))
			}
			u, err := q.bucket.CreateUpload(q.ctx(), bucketlite.UploadInput{Filename: part.FileName(), ContentType: mimeType, Property: name, CreateObject: &no})
			if err == nil {
				blobs = append(blobs, bucketlite.BlobInput{Property: name, UploadID: u.ID})
				_, err = q.bucket.WriteUpload(q.ctx(), u.ID, part)
			}
			if err != nil {
				q.drop(blobs)
				return nil, err
			}
		}
		if part, err = p.parts.NextPart(); err == io.EOF {
			return blobs, nil
		} else if err != nil {
			q.drop(blobs)
			return nil, formError(err)
		}
	}
	return blobs, nil
}

// confirm confirms the uploads of blobs. From then on the store keeps their bytes, even if
// no object uses them, so it is done last.
func (q *request) confirm(blobs []bucketlite.BlobInput) error {
	for _, b := range blobs {
		if _, err := q.bucket.ConfirmUpload(q.ctx(), b.UploadID, nil); err != nil {
			q.drop(blobs)
			return err
		}
	}
	return nil
}

// drop cancels the uploads of blobs that are not confirmed. If it fails, they expire.
func (q *request) drop(blobs []bucketlite.BlobInput) {
	for _, b := range blobs {
		q.bucket.CancelUpload(context.WithoutCancel(q.ctx()), b.UploadID)
	}
}

// read returns the form with what was typed, and the fields that this means. The error
// says why these cannot be stored, as far as that shows without the files.
func (q *request) read(p *objectPost, o *bucketlite.Object) (f *objectForm, base, fields map[string]any, err error) {
	base = make(map[string]any)
	if o != nil {
		var wrong string
		if base, wrong = readObject(p.values.Get("base")); wrong != "" {
			return nil, nil, nil, invalid("base: " + wrong)
		}
	}
	f = q.newObjectForm(o, base)
	f.AsJSON = p.values.Get("as") == "json"
	f.Version, _ = strconv.ParseInt(p.values.Get("version"), 10, 64)
	fields, ok := f.take(p.values, q.info.Schema, base)
	if !ok {
		return f, base, fields, invalid("some fields cannot be read")
	}
	err = q.bucket.Validate(q.ctx(), bucketlite.ObjectInput{ID: f.ID, KeyPrefix: f.KeyPrefix, Fields: maps.Clone(fields)})
	return f, base, fields, q.withoutFiles(err, f)
}

// withoutFiles returns an error of validation without the fields that hold files: their
// bytes have not been read yet, or are stored already.
func (q *request) withoutFiles(err error, f *objectForm) error {
	var v *bucketlite.ValidationError
	if !errors.As(err, &v) {
		return err
	}
	var left []bucketlite.Issue
	for _, issue := range v.Issues {
		name := firstName(issue.Path)
		if !slices.ContainsFunc(f.Files, func(file fileField) bool { return file.Field == name }) {
			left = append(left, issue)
		}
	}
	if len(left) == 0 && v.Omitted == 0 {
		return nil
	}
	return &bucketlite.ValidationError{Subject: v.Subject, Issues: left, Omitted: v.Omitted}
}

// refuse shows the form again, with what is wrong.
func (q *request) refuse(f *objectForm, err error) error {
	f.blame(err)
	if f.Fault.Status >= 500 {
		return err
	}
	return q.render(f.Fault.Status, "edit", f.Title, f)
}

// validateObject shows what is wrong with a form so far.
func (q *request) validateObject() error {
	p, err := q.objectPost()
	if err != nil {
		return err
	}
	var o *bucketlite.Object
	if p.values.Get("base") != "" {
		o = &bucketlite.Object{}
	}
	f, _, _, err := q.read(p, o)
	if f == nil {
		return err
	}
	if err != nil {
		f.blame(err)
	}
	return q.renderPart(http.StatusOK, "edit", "problems", f)
}

// createObject stores a new object, and none over another.
func (q *request) createObject() error {
	p, err := q.objectPost()
	if err != nil {
		return err
	}
	f, _, fields, err := q.read(p, nil)
	if err != nil {
		return q.refuse(f, err)
	}
	in := bucketlite.ObjectInput{ID: f.ID, KeyPrefix: f.KeyPrefix, Fields: fields}
	if in.Blobs, err = q.store(p); err != nil {
		return q.refuse(f, err)
	}
	if len(in.Blobs) > 0 {
		if err := q.absent(in); err != nil {
			q.drop(in.Blobs)
			return q.refuse(f, err)
		}
		if err := q.confirm(in.Blobs); err != nil {
			return q.refuse(f, err)
		}
	}
	result, err := q.bucket.Put(q.ctx(), in, &bucketlite.PutOptions{IfAbsent: true})
	if err != nil {
		return q.refuse(f, err)
	}
	return q.done(q.bucketPath()+"o/"+result.Object.ID+"/", "object-created")
}

// absent checks that no object has the id or the unique key of a new one.
func (q *request) absent(in bucketlite.ObjectInput) (err error) {
	if in.ID != "" {
		_, err = q.bucket.Object(q.ctx(), in.ID)
	} else if q.info.UniqueKey != nil {
		key := make(map[string]any)
		for _, name := range q.info.UniqueKey.Fields {
			key[name] = in.Fields[name]
		}
		_, err = q.bucket.ObjectByKey(q.ctx(), key)
	} else {
		return nil
	}
	switch {
	case err == nil:
		return &refusal{http.StatusConflict, "an object with this id, or this unique key, exists already"}
	case errors.Is(err, bucketlite.ErrNotFound):
		return nil
	}
	return err
}

// conflictPage is what a user sees whose object somebody else has changed.
type conflictPage struct {
	Object *bucketlite.Object // as it is now
	Title  string
	Patch  string // what the user wants, as JSON
	Fields []conflictField
	Others []string // the fields that only the user has changed
}

// A conflictField is a field that both have changed.
type conflictField struct {
	Name         string
	Mine, Theirs shown
}

// TakeName is the name of the choice.
func (f conflictField) TakeName() string { return inputName(takePrefix, f.Name) }

// takePrefix begins the names of the choices between both.
const takePrefix = "take."

// saveObject stores what the user has changed, if the object is as the user saw it. Else
// the user chooses, field by field.
func (q *request) saveObject() error {
	p, err := q.objectPost()
	if err != nil {
		return err
	}
	id := q.r.PathValue("object")
	o, err := q.bucket.Object(q.ctx(), id)
	if err != nil {
		return err
	}
	if p.values.Has("patch") {
		return q.resolve(p, o)
	}
	f, base, fields, err := q.read(p, o)
	if f == nil {
		return err
	}
	if err == nil && f.Version <= 0 {
		err = invalid("the version of the object is missing")
	}
	if err != nil {
		return q.refuse(f, err)
	}
	in := bucketlite.ObjectInput{Fields: difference(base, fields)}
	for _, file := range f.Files {
		if p.values.Get(file.RemoveName()) != "" {
			in.Fields[file.Field] = nil
		}
	}
	if in.Blobs, err = q.store(p); err != nil {
		return q.refuse(f, err)
	}
	for _, b := range in.Blobs {
		delete(in.Fields, b.Property) // the new file replaces the old one anyway
	}
	if len(in.Fields) == 0 && len(in.Blobs) == 0 {
		return q.done(q.bucketPath()+"o/"+id+"/", "object-unchanged")
	}
	if len(in.Blobs) > 0 {
		if o, err = q.bucket.Object(q.ctx(), id); err != nil {
			return err
		}
		if o.Version != f.Version {
			return q.conflict(base, in)
		}
		if err := q.confirm(in.Blobs); err != nil {
			return q.refuse(f, err)
		}
	}
	_, err = q.bucket.Patch(q.ctx(), id, in, &bucketlite.PatchOptions{IfVersion: f.Version})
	var conflict *bucketlite.ConflictError
	switch {
	case err == nil:
		return q.done(q.bucketPath()+"o/"+id+"/", "object-changed")
	case errors.As(err, &conflict) && conflict.Version:
		return q.conflict(base, in)
	}
	return q.refuse(f, err)
}

// conflict shows both versions of the fields that were changed twice.
func (q *request) conflict(base map[string]any, in bucketlite.ObjectInput) error {
	now, err := q.bucket.Object(q.ctx(), q.r.PathValue("object"))
	if err != nil {
		return err
	}
	c := &conflictPage{Object: now, Title: q.titleOf(now)}
	theirs := difference(base, now.Fields)
	for _, name := range slices.Sorted(maps.Keys(in.Fields)) {
		v, changed := theirs[name]
		if !changed || compact(v) == compact(in.Fields[name]) {
			c.Others = append(c.Others, name)
			continue
		}
		_, mine := in.Fields[name]
		stored, ok := now.Fields[name]
		c.Fields = append(c.Fields, conflictField{name, show(in.Fields[name], mine && in.Fields[name] != nil), show(stored, ok)})
	}
	wanted := maps.Clone(in.Fields)
	for _, b := range in.Blobs {
		c.Others = append(c.Others, b.Property)
	}
	c.Patch = compact(map[string]any{"fields": wanted, "blobs": blobsOf(in.Blobs)})
	return q.render(http.StatusConflict, "conflict", "Changed by somebody else", c)
}

// blobsOf names the uploads that a patch uses.
func blobsOf(blobs []bucketlite.BlobInput) []any {
	list := []any{}
	for _, b := range blobs {
		list = append(list, map[string]any{"property": b.Property, "upload_id": b.UploadID})
	}
	return list
}

// resolve stores the user's changes of the fields for which the user's were chosen.
func (q *request) resolve(p *objectPost, o *bucketlite.Object) error {
	patch, wrong := readObject(p.values.Get("patch"))
	fields, _ := patch["fields"].(map[string]any)
	version, err := strconv.ParseInt(p.values.Get("version"), 10, 64)
	if wrong != "" || fields == nil || err != nil || version <= 0 {
		return invalid("the form of a conflict expected")
	}
	in := bucketlite.ObjectInput{Fields: fields}
	blobs, _ := patch["blobs"].([]any)
	for _, blob := range blobs {
		members, _ := blob.(map[string]any)
		property, _ := members["property"].(string)
		upload, _ := members["upload_id"].(string)
		in.Blobs = append(in.Blobs, bucketlite.BlobInput{Property: property, UploadID: upload})
	}
	for name := range fields {
		if p.values.Get(inputName(takePrefix, name)) == "theirs" {
			delete(fields, name)
		}
	}
	if len(fields) == 0 && len(in.Blobs) == 0 {
		return q.done(q.bucketPath()+"o/"+o.ID+"/", "object-unchanged")
	}
	if o.Version != version {
		return q.conflict(map[string]any{}, in)
	}
	if err := q.confirm(in.Blobs); err != nil {
		return err
	}
	_, err = q.bucket.Patch(q.ctx(), o.ID, in, &bucketlite.PatchOptions{IfVersion: version})
	var conflict *bucketlite.ConflictError
	switch {
	case err == nil:
		return q.done(q.bucketPath()+"o/"+o.ID+"/", "object-changed")
	case errors.As(err, &conflict) && conflict.Version:
		return q.conflict(map[string]any{}, in)
	}
	status, _ := describe(err)
	if status >= 500 {
		return err
	}
	merged := maps.Clone(o.Fields)
	for name, v := range fields {
		if v == nil {
			delete(merged, name)
			continue
		}
		merged[name] = v
	}
	f := q.newObjectForm(o, merged)
	f.Base = compact(o.Fields)
	return q.refuse(f, err)
}
