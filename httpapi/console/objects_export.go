package console

import (
	"cmp"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite"
)

var exportRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/export", inPlace, streams, (*request).exportView},
	{"POST /n/{namespace}/b/{bucket}/export", inPlace, streams, (*request).exportChosen},
}

// exportTypes are the MIME types of the forms of an export.
var exportTypes = map[bucketlite.ExportFormat]string{
	bucketlite.ExportLines: "application/x-ndjson", bucketlite.ExportArray: "application/json", bucketlite.ExportCSV: "text/csv; charset=utf-8",
}

// exportView sends all objects of a view.
func (q *request) exportView() error {
	v, _ := parseObjectView(q.params())
	return q.export(v, nil, q.params())
}

// exportChosen sends the objects that are chosen in the list, or all of its view.
func (q *request) exportChosen() error {
	form, err := q.form()
	if err != nil {
		return err
	}
	c, err := parseChosen(form)
	if err != nil {
		return err
	}
	return q.export(c.View, c.IDs, form)
}

// export streams objects as a file: those with the ids, or all of the view if there are
// none. An error in the middle cuts the connection, so that the file does not look whole.
func (q *request) export(v *objectView, ids []string, form url.Values) error {
	opts, err := q.exportOptions(v, ids, form)
	if err != nil {
		return err
	}
	leave, err := q.c.api.EnterExport(q.access)
	if err != nil {
		return err
	}
	defer leave()
	w := &exportWriter{q: q, format: opts.Format, deadline: http.NewResponseController(q.w).SetWriteDeadline}
	if _, err := q.bucket.Export(q.ctx(), w, opts); err != nil {
		return err
	}
	w.begin() // there may be no objects
	return nil
}

func (q *request) exportOptions(v *objectView, ids []string, form url.Values) (*bucketlite.ExportOptions, error) {
	query, err := v.query(q.info.Schema)
	if err != nil {
		return nil, err
	}
	query.Limit, query.Cursor = 0, ""
	if len(ids) > 0 {
		query.Filter, query.Search = bucketlite.In("object_id", ids...), ""
	}
	opts := &bucketlite.ExportOptions{Query: query, Format: bucketlite.ExportFormat(form.Get("format"))}
	if exportTypes[opts.Format] == "" {
		return nil, invalid(`format: "csv", "jsonl" or "json" expected`)
	}
	// The export has no cells for these columns of the view.
	columns := slices.DeleteFunc(slices.Clone(v.Columns), func(path string) bool {
		_, declared := fieldAt(q.info.Schema, path)
		return !declared && (path == "size" || path == "version" || path == "blobs" && opts.Format == bucketlite.ExportCSV)
	})
	switch {
	case opts.Format == bucketlite.ExportCSV:
		opts.EscapeFormulas = form.Get("formulas") != "keep"
		if len(columns) > 0 {
			opts.Columns = columns
		}
	case len(columns) > 0:
		opts.Query.Select = columns
	}
	return opts, nil
}

// exportWriter begins the answer with the first bytes, and gives the browser time for each
// piece anew.
type exportWriter struct {
	q        *request
	format   bucketlite.ExportFormat
	deadline func(time.Time) error
}

func (w *exportWriter) begin() {
	if w.q.wrote {
		return
	}
	w.q.wrote = true
	h := w.q.w.Header()
	h.Set("Content-Type", exportTypes[w.format])
	h.Set("Content-Disposition", cmp.Or(mime.FormatMediaType("attachment", map[string]string{"filename": w.q.bucket.Name() + "." + string(w.format)}), "attachment"))
	h.Set("Cache-Control", "no-store")
	w.q.w.WriteHeader(http.StatusOK)
}

func (w *exportWriter) Write(p []byte) (int, error) {
	w.deadline(time.Now().Add(patience)) // a server without deadlines has its own way
	w.begin()
	return w.q.w.Write(p)
}
