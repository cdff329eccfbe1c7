package console

import (
	"net/http"
	"strings"

	"github.com/bucketlite/bucketlite"
)

var importRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/import", inPlace, reads, (*request).importPage},
	{"POST /n/{namespace}/b/{bucket}/import", inPlace, writes, (*request).importRecords},
}

// maxRefusals is how many refused records of a piece are named. The script sends fewer
// records at a time, so that it has all of them for download.
const maxRefusals = 1000

// importPage is what the page of an import shows.
type importPage struct {
	Created bool // the bucket, just before
	File    string
	Report  *bucketlite.ImportReport
	Fault   *fault
}

// importPage shows where a file with records can be chosen.
func (q *request) importPage() error {
	return q.render(http.StatusOK, "import", "Import", importPage{})
}

// importPolicy is the policy of an import: that of the bucket, or upsert if it has a key
// without one.
func (q *request) importPolicy() bucketlite.Policy {
	if key := q.info.UniqueKey; key != nil && key.DefaultPolicy == "" {
		return bucketlite.Upsert
	}
	return ""
}

// importRecords imports the file of a form, or a piece of a file that a script has read:
// the answer is then the report as JSON, whose lines are those of the piece.
func (q *request) importRecords() error {
	if !strings.HasPrefix(q.r.Header.Get("Content-Type"), "text/plain") {
		_, file, err := q.formWithFile("file")
		if err != nil {
			return err
		}
		if file == nil {
			page := importPage{Fault: &fault{Text: "Choose a file first."}}
			return q.render(http.StatusUnprocessableEntity, "import", "Import", page)
		}
		defer file.Close()
		return q.importFile(file, false)
	}
	body := http.MaxBytesReader(q.w, q.r.Body, maxFile)
	refused := []bucketlite.Refusal{}
	report, err := q.bucket.Import(q.ctx(), bucketlite.DetectSource(q.query("name"), body), &bucketlite.ImportOptions{
		Policy: q.importPolicy(),
		Refused: func(r bucketlite.Refusal) {
			if len(refused) < maxRefusals {
				refused = append(refused, r)
			}
		},
	})
	if report != nil {
		report.Refusals = refused
	}
	answer := struct {
		*bucketlite.ImportReport
		Error string `json:"error,omitempty"`
	}{ImportReport: report}
	status := http.StatusOK
	if err != nil {
		status, answer.Error = describe(err)
	}
	return q.answerJSON(status, answer)
}

// importFile imports a file, and shows the report.
func (q *request) importFile(file *formFile, created bool) error {
	page := importPage{Created: created, File: file.Name}
	var err error
	page.Report, err = q.bucket.Import(q.ctx(), bucketlite.DetectSource(file.Name, file), &bucketlite.ImportOptions{Policy: q.importPolicy()})
	status := http.StatusOK
	if err != nil {
		var text string
		if status, text = describe(err); status >= 500 {
			return err
		}
		page.Fault = &fault{Status: status, Text: text, Issues: issuesOf(err)}
	}
	if q.info, err = q.bucket.Info(q.ctx()); err != nil {
		return err
	}
	return q.render(status, "import", "Import", page)
}
