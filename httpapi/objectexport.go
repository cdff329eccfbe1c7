package httpapi

import (
	"mime"
	"net/http"
	"time"

	"github.com/bucketlite/bucketlite"
)

// A bucket may have an object with the id "export", so there is no GET of this path.
var exportRoutes = []route{
	{"POST /v1/buckets/{bucket}/objects/export", scoped, reads, formBody, (*call).exportObjects},
}

// exportTypes are the MIME types of the forms of an export.
var exportTypes = map[bucketlite.ExportFormat]string{
	bucketlite.ExportLines: "application/x-ndjson", bucketlite.ExportArray: "application/json", bucketlite.ExportCSV: "text/csv; charset=utf-8",
}

// exportObjects streams the objects that a query selects. It has no timeout: it lasts as long
// as its client reads.
func (c *call) exportObjects() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	c.timeout.pause()
	opts, err := c.exportOptions(f)
	if err != nil {
		return nil, err
	}
	leave, err := c.h.exports.enter(c.key, 1)
	if err != nil {
		return nil, err
	}
	defer leave()
	w := &exportWriter{call: c, format: opts.Format}
	if _, err := c.bucket.Export(c.r.Context(), w, opts); err != nil {
		c.cutIfGone(err)
		return nil, err // which cuts the answer off if it has begun
	}
	w.begin() // there may be no objects
	return written{}, nil
}

// exportOptions returns the options of an export: those of the URL, and the query of a list
// in the body. Select chooses the columns of a table.
func (c *call) exportOptions(f *form) (*bucketlite.ExportOptions, error) {
	params := c.params()
	for _, form := range []*form{params, f} {
		for _, name := range []string{"limit", "page_size", "offset", "cursor"} {
			if form.has(name) {
				form.fault(name, "unsupported", "an export has no pages")
			}
		}
	}
	opts := &bucketlite.ExportOptions{Format: bucketlite.ExportFormat(params.choice("format", string(bucketlite.ExportLines),
		string(bucketlite.ExportLines), string(bucketlite.ExportArray), string(bucketlite.ExportCSV)))}
	keep := params.choice("formulas", "escape", "escape", "keep") == "keep"
	q, err := c.selected(f, bucketlite.Query{})
	if err != nil {
		return nil, err
	}
	if err := c.noteQuery(c.bucket, &q); err != nil {
		return nil, err
	}
	if opts.Format == bucketlite.ExportCSV {
		opts.EscapeFormulas = !keep
		if len(q.Select) > 0 {
			opts.Columns, q.Select = q.Select, nil
		}
	}
	opts.Query = q
	return opts, nil
}

// exportWriter begins the answer with the first bytes, and gives the client time for each
// piece anew.
type exportWriter struct {
	call   *call
	format bucketlite.ExportFormat
	begun  bool
}

func (w *exportWriter) begin() {
	if w.begun {
		return
	}
	w.begun = true
	h := w.call.w.Header()
	h.Set("Content-Type", exportTypes[w.format])
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": w.call.bucket.Name() + "." + string(w.format)}))
	h.Set("Cache-Control", "no-store")
	w.call.w.WriteHeader(http.StatusOK)
}

func (w *exportWriter) Write(p []byte) (int, error) {
	w.call.writeDeadline(time.Now().Add(w.call.h.patience))
	w.begin()
	return w.call.w.Write(p)
}
