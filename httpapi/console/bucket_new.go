package console

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/bucketlite/bucketlite"
)

var bucketNewRoutes = []route{
	{"GET /n/{namespace}/new", inPlace, reads, (*request).newBucket},
	{"POST /n/{namespace}/new", inPlace, writes, (*request).createBucket},
	{"GET /n/{namespace}/infer", inPlace, reads, (*request).toNewBucket},
	{"POST /n/{namespace}/infer", inPlace, writes, (*request).inferBucket},
}

func (q *request) newBucket() error {
	if q.access.ReadOnly {
		return errReadOnlyKey
	}
	form := &bucketForm{Class: string(bucketlite.StorageStandard), Wrong: make(wrongs)}
	form.Schema.write(map[string]any{"properties": map[string]any{}})
	return q.showBucketForm(http.StatusOK, form)
}

// toNewBucket is where one comes back to after a page that answered a POST.
func (q *request) toNewBucket() error { return q.redirect(q.nsPath() + "new") }

func (q *request) showBucketForm(status int, form *bucketForm) error {
	if form.Retention.AgeUnit == "" {
		form.Retention = newRetentionForm(bucketlite.Retention{})
	}
	if q.isPart() {
		return q.renderPart(status, "bucketnew", "bucket", form)
	}
	return q.render(status, "bucketnew", "Create a bucket", form)
}

// createBucket creates a bucket, and imports the file of the form if there is one. Other
// buttons of the form only show it again: with one row more or less, or checked.
func (q *request) createBucket() error {
	given, file, err := q.formWithFile("file")
	if err != nil {
		return err
	}
	if file != nil {
		defer file.Close()
	}
	form, config := givenBucket(given)
	if given.Get("do") != "create" {
		form.Checked = true
		if config.Name == "" { // nobody has typed it yet
			delete(form.Wrong, "name")
		}
		return q.showBucketForm(http.StatusOK, form)
	}
	if form.isWrong() {
		form.Fault = &fault{Text: "The bucket was not created, since some of its description is not valid."}
		return q.showBucketForm(http.StatusUnprocessableEntity, form)
	}
	return q.createFrom(form, config, file)
}

func (q *request) createFrom(form *bucketForm, config bucketlite.BucketConfig, file *formFile) error {
	b, err := q.ns.CreateBucket(q.ctx(), config)
	if err != nil {
		status, text := describe(err)
		if status >= 500 {
			return err
		}
		var others []bucketlite.Issue
		form.Wrong, others = controlsOf(issuesOf(err))
		if status == http.StatusConflict {
			form.Wrong["name"] = text
		}
		form.Issues, form.Fault = others, &fault{Text: text}
		return q.showBucketForm(status, form)
	}
	q.bucket = b
	if file == nil {
		return q.done(q.bucketPath(), "bucket-created")
	}
	if q.info, err = b.Info(q.ctx()); err != nil {
		return err
	}
	return q.importFile(file, true)
}

// inferBucket fills in the form of a bucket from the beginning of a file, which comes with
// a form, or as text from a script that has read it. The button "import" creates the bucket
// at once, and imports the file.
func (q *request) inferBucket() error {
	given, file, err := q.formWithFile("file")
	if err != nil {
		return err
	}
	var form *bucketForm
	if file != nil {
		defer file.Close()
		form, err = inferBucket(file.Name, file, false)
	} else if text := given.Get("text"); text != "" {
		form, err = inferBucket(given.Get("name"), strings.NewReader(text), given.Get("more") != "")
	} else {
		err = invalid("choose a file first")
	}
	if err != nil {
		return q.notInferred(err)
	}
	form.Class = string(bucketlite.StorageStandard)
	if file == nil || given.Get("do") != "import" {
		return q.showBucketForm(http.StatusOK, form)
	}
	if err := file.rewind(); err != nil {
		return err
	}
	form, config := givenBucket(form.values())
	if form.isWrong() {
		return q.showBucketForm(http.StatusUnprocessableEntity, form)
	}
	return q.createFrom(form, config, file)
}

// notInferred shows the empty form again, with the reason why the file is of no use.
func (q *request) notInferred(err error) error {
	status, text := describe(err)
	if status >= 500 {
		return err
	}
	form := &bucketForm{Class: string(bucketlite.StorageStandard), Wrong: wrongs{"file": text}}
	form.Schema.write(map[string]any{"properties": map[string]any{}})
	return q.showBucketForm(status, form)
}

// values returns the form as a browser would send it back unchanged, as far as an
// inference fills it in.
func (f *bucketForm) values() url.Values {
	return url.Values{"name": {f.Name}, "class": {f.Class}, "schema": {f.Schema.JSON}}
}
