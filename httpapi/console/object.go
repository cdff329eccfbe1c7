package console

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/bucketlite/bucketlite"
)

var objectRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/o/{object}/{$}", inPlace, reads, (*request).object},
	{"POST /n/{namespace}/b/{bucket}/o/{object}/delete", inPlace, writes, (*request).deleteObject},
	{"GET /n/{namespace}/b/{bucket}/o/{object}/copyas", inPlace, reads, (*request).copyObjectAs},
}

// objectPage is what the page of an object shows.
type objectPage struct {
	Object *bucketlite.Object
	Title  string // what people call the object
	Fields []fieldRow
	Blobs  []blobRow
	JSON   string
	Whole  int    // the bytes of the JSON if only its beginning is here, else 0
	Wrong  string // why it was not deleted
}

// A fieldRow is a field of an object, as people read it.
type fieldRow struct {
	Name, Description string
	Type              string // the declared one; empty if the field is not declared
	Required, InKey   bool
	Value             shown
}

// object shows an object.
func (q *request) object() error {
	page, err := q.objectPage()
	if err != nil {
		return err
	}
	return q.render(http.StatusOK, "object", page.Title, page)
}

func (q *request) objectPage() (*objectPage, error) {
	o, err := q.bucket.Object(q.ctx(), q.r.PathValue("object"))
	if err != nil {
		return nil, err
	}
	p := &objectPage{Object: o, Title: q.titleOf(o), Fields: q.fieldRows(o.Fields)}
	for i := range o.Blobs {
		p.Blobs = append(p.Blobs, newBlobRow(&o.Blobs[i]))
	}
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	p.JSON, p.Whole = beginning(indentedText(string(text)))
	return p, nil
}

// titleOf returns what people call an object: its title, or else its unique key, the name of
// its file, or its id.
func (q *request) titleOf(o *bucketlite.Object) string {
	if text, _ := o.Fields[titleOf(q.info.Schema)].(string); text != "" {
		return cut(oneLine(text), maxTitle)
	}
	if key := q.info.UniqueKey; key != nil {
		if title := keyText(o, key.Fields); title != "" {
			return title
		}
	}
	if b := pictureOf(o); b != nil && b.Details.Filename != "" {
		return cut(b.Details.Filename, maxTitle)
	}
	return o.ID
}

// keyText returns the unique key of an object, empty if a field is absent.
func keyText(o *bucketlite.Object, fields []string) string {
	var title string
	for _, name := range fields {
		v, ok := o.Fields[name]
		if !ok {
			return ""
		}
		if title != "" {
			title += " · "
		}
		title += cut(plainText(v), maxTitle)
	}
	return title
}

// maxTitle is the length from which a part of a title is cut, in characters.
const maxTitle = 80

// fieldRows returns the fields of an object: those of the unique key, the other declared
// ones by name, and those that are not declared. Files are not among them: they are blobs.
func (q *request) fieldRows(fields map[string]any) []fieldRow {
	var rows []fieldRow
	for _, name := range q.declared() {
		f := q.info.Schema.Properties[name]
		if holdsFiles(f) && fields[name] == nil {
			continue
		}
		v, ok := fields[name]
		rows = append(rows, fieldRow{name, f.Description, string(f.Type), f.Required, q.inKey(name), show(v, ok)})
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if len(rows) >= maxFields {
			break
		}
		if _, ok := q.info.Schema.Properties[name]; !ok {
			rows = append(rows, fieldRow{Name: name, Value: show(fields[name], true)})
		}
	}
	return rows
}

// maxFields bounds the fields of a page, apart from those that are declared.
const maxFields = 1000

// Left is how many fields the page leaves out.
func (p *objectPage) Left() int {
	n := len(p.Object.Fields)
	for _, row := range p.Fields {
		if _, ok := p.Object.Fields[row.Name]; ok {
			n--
		}
	}
	return n
}

// declared returns the names of the declared fields: first those of the unique key, in
// its order.
func (q *request) declared() []string {
	var names []string
	if q.info.UniqueKey != nil {
		names = slices.Clone(q.info.UniqueKey.Fields)
	}
	for _, name := range slices.Sorted(maps.Keys(q.info.Schema.Properties)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (q *request) inKey(name string) bool {
	return q.info.UniqueKey != nil && slices.Contains(q.info.UniqueKey.Fields, name)
}

// holdsFiles reports whether the values of a field can be blobs.
func holdsFiles(f bucketlite.Field) bool {
	for f.Type == bucketlite.Array && f.Items != nil {
		f = *f.Items
	}
	return f.Type == bucketlite.Text || isFile(f)
}

// copyObjectAs shows the request of the API for the object.
func (q *request) copyObjectAs() error {
	id := q.r.PathValue("object")
	return q.show("copyas", "Copy as code", "samples", samplesOf("object", q.apiRequest(http.MethodGet, "/objects/"+url.PathEscape(id), nil)))
}

// deleteObject deletes the object if it is still in the state that was shown.
func (q *request) deleteObject() error {
	form, err := q.form()
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(form.Get("version"), 10, 64)
	if err != nil || version <= 0 {
		return invalid("the version of the object is missing")
	}
	err = q.bucket.DeleteObject(q.ctx(), q.r.PathValue("object"), &bucketlite.DeleteObjectOptions{IfVersion: version})
	var conflict *bucketlite.ConflictError
	if errors.As(err, &conflict) {
		page, pageErr := q.objectPage()
		if pageErr != nil {
			return pageErr
		}
		status, text := describe(err)
		page.Wrong = text
		if conflict.Version {
			page.Wrong = "The object has changed since this page was shown, and was not deleted. This is its present state."
		}
		return q.render(status, "object", page.Title, page)
	}
	if err != nil {
		return err
	}
	return q.done(q.bucketPath(), "object-deleted")
}
