package console

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/schema"
)

// uploadForm is the form for files: what holds for the objects of all of them.
type uploadForm struct {
	*objectForm
	Property string
	Taken    []uploadPlace
	Policies []choice // if an object has the unique key; nil for a bucket without one
	Wrong    string   // with the file
}

// An uploadPlace is a field that takes files.
type uploadPlace struct {
	Field    string
	Kind     bucketlite.FieldType // of the file
	Many     bool
	Required bool
}

// uploadPlaces are the fields of the bucket that take files.
func (q *request) uploadPlaces() (places []uploadPlace) {
	for _, name := range q.declared() {
		f := q.info.Schema.Properties[name]
		if !holdsFiles(f) {
			continue
		}
		place := uploadPlace{name, f.Type, f.Type == bucketlite.Array, f.Required}
		if place.Many {
			place.Kind = f.Items.Type
		}
		places = append(places, place)
	}
	return places
}

// TakesFiles reports whether files can be uploaded to the page's bucket by who sees it.
func (v *view) TakesFiles() bool { return v.MayChangeObjects() && len(v.q.uploadPlaces()) > 0 }

// uploadTime is for how long, in seconds, a file can be sent and confirmed: what the store
// allows at most, since a line may be slow and a queue long.
const uploadTime = 24 * 60 * 60

const octetStream = "application/octet-stream"

// namePlace stands, in the fields of the form, for the name of each file without its
// extension.
const namePlace = "{name}"

// newUploadForm returns the form as it is first shown: the unique key is the name of the
// file, where it can be.
func (q *request) newUploadForm() *uploadForm {
	f := &uploadForm{objectForm: q.newObjectForm(nil, nil), Taken: q.uploadPlaces()}
	f.choosePolicy(q.info, "")
	for i := range f.Fields {
		if field := &f.Fields[i]; field.InKey && field.Type == string(bucketlite.String) && field.Control == "text" && field.Value == "" {
			field.Value = namePlace
			break
		}
	}
	return f
}

func (f *uploadForm) choosePolicy(info *bucketlite.BucketInfo, chosen bucketlite.Policy) {
	if info.UniqueKey == nil {
		return
	}
	if chosen == "" {
		chosen = bucketlite.Insert
	}
	f.Policies = choices(string(chosen), string(bucketlite.Insert), "skip the file",
		string(bucketlite.Update), "change it, make no new one", string(bucketlite.Upsert), "change it, else make a new one")
}

// Places are the options of the select of fields.
func (f *uploadForm) Places() []choice {
	list := []choice{{"", "by the type of each file", f.Property == ""}}
	for _, place := range f.Taken {
		list = append(list, choice{place.Field, place.Field + " (" + place.String() + ")", f.Property == place.Field})
	}
	return list
}

// String says what the field takes.
func (p uploadPlace) String() string {
	if p.Many {
		return "several of " + string(p.Kind)
	}
	return string(p.Kind)
}

// Needed and Optional are the inputs of the fields that each object must have, and of the
// others.
func (f *uploadForm) Needed() []formField   { return f.fields(true) }
func (f *uploadForm) Optional() []formField { return f.fields(false) }

func (f *uploadForm) fields(required bool) (list []formField) {
	for _, field := range f.Fields {
		if field.Required == required {
			list = append(list, field)
		}
	}
	return list
}

// IsDetailed reports whether an input that is not needed was filled in.
func (f *uploadForm) IsDetailed() bool {
	return f.Fault != nil && slices.ContainsFunc(f.Fields, func(field formField) bool { return !field.Required && field.Value+field.Wrong != "" })
}

// take takes what the user has typed.
func (f *uploadForm) take(form url.Values, info *bucketlite.BucketInfo) {
	f.objectForm.take(form, info.Schema, nil)
	f.Property = form.Get("property")
	f.choosePolicy(info, bucketlite.Policy(form.Get("policy")))
}

// uploadInput returns the announcement of a file. Its object has the fields of the form,
// and of the file's own record, which a list of metadata may have.
func (q *request) uploadInput(form url.Values) (in bucketlite.UploadInput, err error) {
	in = bucketlite.UploadInput{
		Filename: form.Get("filename"), ContentType: form.Get("content_type"), Property: form.Get("property"), Policy: bucketlite.Policy(form.Get("policy")),
		ExpiresIn: uploadTime, AllowDocument: true,
	}
	if in.ContentType == "" { // a browser has that for a file that it does not know
		in.ContentType = octetStream
	}
	if size := form.Get("size"); size != "" {
		if in.Size, err = strconv.ParseInt(size, 10, 64); err != nil {
			return in, invalid("size: a number of bytes expected, got " + strconv.Quote(size))
		}
	}
	if in.Policy == "" && q.info.UniqueKey != nil {
		in.Policy = bucketlite.Insert
	}
	f := q.newObjectForm(nil, nil)
	if in.Property == "" {
		if in.Property = placeFor(q.uploadPlaces(), in.Filename, in.ContentType); in.Property == "" {
			return in, invalid("no field of the schema takes such a file, of type " + in.ContentType)
		}
	}
	fields, ok := f.take(named(form, in.Filename), q.info.Schema, nil)
	if !ok {
		return in, f.unread()
	}
	record, err := q.recordOf(form)
	if err != nil {
		return in, err
	}
	maps.Copy(fields, record)
	in.ObjectMetadata = fields
	return in, nil
}

// named returns a form whose fields have the name of a file in the place for it.
func named(form url.Values, filename string) url.Values {
	name := strings.TrimSuffix(filename, path.Ext(filename))
	whole := maps.Clone(form)
	for control, values := range whole {
		if strings.HasPrefix(control, inputPrefix) && len(values) > 0 {
			whole.Set(control, strings.ReplaceAll(values[0], namePlace, name))
		}
	}
	return whole
}

// unread says which inputs cannot be read.
func (f *objectForm) unread() error {
	err := &bucketlite.ValidationError{Subject: "upload"}
	for _, field := range f.Fields {
		if field.Wrong != "" {
			err.Issues = append(err.Issues, bucketlite.Issue{Path: field.Field, Rule: "type", Message: field.Wrong})
		}
	}
	if f.OtherWrong != "" {
		err.Issues = append(err.Issues, bucketlite.Issue{Rule: "type", Message: "fields that the schema does not declare: " + f.OtherWrong})
	}
	return err
}

// recordOf returns the fields of the record that a script has found for a file: a JSON
// object, whose member column only names the file, unless the schema declares it. The
// record of a table has texts alone, which are read by the types of their fields.
func (q *request) recordOf(form url.Values) (map[string]any, error) {
	if !form.Has("record") {
		return nil, nil
	}
	fields, wrong := readObject(form.Get("record"))
	if wrong != "" {
		return nil, invalid("the metadata of the file: " + wrong)
	}
	if column := form.Get("column"); column != "" {
		if f, ok := q.info.Schema.Properties[column]; !ok || holdsFiles(f) {
			delete(fields, column)
		}
	}
	if form.Get("table") == "" {
		return fields, nil
	}
	for name, v := range fields {
		text, _ := v.(string)
		if text == "" {
			delete(fields, name)
			continue
		}
		if fields[name], wrong = readValue(q.info.Schema.Properties[name], text); wrong != "" {
			return nil, &bucketlite.ValidationError{Subject: "upload", Issues: []bucketlite.Issue{{Path: name, Rule: "type", Message: wrong}}}
		}
	}
	return fields, nil
}

// placeFor returns the field that fits a file best, or "" if none does. A field for a
// picture that stands for the file comes last.
func placeFor(places []uploadPlace, filename, mimeType string) (property string) {
	if mimeType == octetStream {
		mimeType = schema.NamedType(filename)
	}
	best := 0
	for _, p := range places {
		rank := fitOf(string(p.Kind), mimeType)
		if rank == 0 {
			continue
		}
		if p.Required {
			rank += 2
		}
		if p.Field == "poster" || p.Field == "thumbnail" {
			rank--
		}
		if rank > best {
			property, best = p.Field, rank
		}
	}
	return property
}

// fitOf ranks how well a field of type t fits a file of a MIME type, which is empty if
// nobody knows it; 0 means not at all.
func fitOf(t, mimeType string) int {
	switch {
	case t == schema.File:
		return 20
	case mimeType == "": // the bytes will show it
		return 10
	case t == schema.TypeFor(mimeType):
		return 40
	case t == schema.Document && schema.Fits(t, mimeType):
		return 30
	case schema.Fits(t, mimeType):
		return 15
	case t == schema.Text && schema.Fits(schema.Document, mimeType): // its words can be searched
		return 10
	}
	return 0
}

// uploadFile stores the file of a form as an object.
func (q *request) uploadFile() error {
	p, err := q.objectPost()
	if err != nil {
		return err
	}
	if p.first == nil || p.first.FileName() == "" {
		return q.refuseFile(p.values, invalid("choose a file first"))
	}
	p.values.Set("filename", p.first.FileName())
	p.values.Set("content_type", p.first.Header.Get("Content-Type"))
	in, err := q.uploadInput(p.values)
	if err != nil {
		return q.refuseFile(p.values, err)
	}
	u, err := q.bucket.CreateUpload(q.ctx(), in)
	if err == nil && u.Status == bucketlite.StatusSkipped {
		err = &refusal{http.StatusConflict, "the object " + u.ExistingObjectID + " has the unique key, and was left as it is"}
	}
	if err == nil {
		u, err = q.storeFile(u, p.first)
	}
	if err != nil {
		return q.refuseFile(p.values, err)
	}
	return q.done(q.bucketPath()+"o/"+u.ObjectID+"/", "file-stored")
}

// storeFile writes the bytes of an upload and confirms it, or cancels it.
func (q *request) storeFile(u *bucketlite.Upload, r io.Reader) (*bucketlite.Upload, error) {
	_, err := q.bucket.WriteUpload(q.ctx(), u.ID, r)
	if err == nil {
		var confirmed *bucketlite.Upload
		if confirmed, err = q.bucket.ConfirmUpload(q.ctx(), u.ID, nil); err == nil {
			return confirmed, nil
		}
	}
	q.bucket.CancelUpload(q.ctx(), u.ID) // its bytes are of no use; if this fails, it expires
	return nil, err
}

// refuseFile shows the form again, with what is wrong.
func (q *request) refuseFile(values url.Values, err error) error {
	status, text := describe(err)
	if status >= 500 {
		return err
	}
	list, listErr := q.uploadList()
	if listErr != nil {
		return listErr
	}
	list.Form.take(values, q.info)
	list.Form.blame(fieldsOf(err))
	if issues := issuesOf(err); len(issues) == 0 {
		list.Form.Wrong = text
	}
	return q.render(status, "uploads", "Uploads", list)
}

// fieldsOf returns an error of an upload with the paths that the fields have in the form.
func fieldsOf(err error) error {
	var v *bucketlite.ValidationError
	if !errors.As(err, &v) {
		return err
	}
	own := *v
	own.Issues = nil
	for _, issue := range v.Issues {
		issue.Path = strings.TrimPrefix(issue.Path, "object_metadata.")
		own.Issues = append(own.Issues, issue)
	}
	return &own
}

// patience is how long a browser may pause within the body of a request, or of an answer.
const patience = time.Minute

// patient lets the body of the request take its time, as long as it continues.
func (q *request) patient() {
	q.r.Body = &patientBody{q.r.Body, http.NewResponseController(q.w)}
}

type patientBody struct {
	io.ReadCloser
	deadlines *http.ResponseController
}

func (b *patientBody) Read(p []byte) (int, error) {
	until := time.Now().Add(patience)
	_ = b.deadlines.SetReadDeadline(until) // a writer without deadlines waits in any case
	_ = b.deadlines.SetWriteDeadline(until)
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.deadlines.SetReadDeadline(time.Time{}) // storing what has come may take its time too
	}
	return n, err
}
