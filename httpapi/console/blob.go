package console

import (
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite"
)

var blobRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/o/{object}/blob/{blob}", inPlace, streams, (*request).blob},
	{"GET /n/{namespace}/b/{bucket}/o/{object}/preview/{blob}", inPlace, reads, (*request).preview},
	{"GET /n/{namespace}/b/{bucket}/o/{object}/link/{blob}", inPlace, reads, (*request).blobLink},
}

// A blobRow is a blob of an object, as its page shows it.
type blobRow struct {
	*bucketlite.Blob
	Kind   string // how it is shown: image, video, audio, pdf, text, table, json, bytes, link or inline
	URL    string // of a reference
	Inline shown  // of inline data
}

func newBlobRow(b *bucketlite.Blob) blobRow {
	row := blobRow{Blob: b, Kind: kindOf(b.Details)}
	row.URL, _ = b.Properties["url"].(string)
	if data, ok := b.Properties["data"]; ok {
		row.Kind, row.Inline = "inline", show(data, true)
	} else if b.Details.Hash == "" {
		row.Kind = "link"
	}
	return row
}

// WebURL is the URL of a reference if a browser can open it, else empty.
func (r blobRow) WebURL() string {
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return r.URL
}

// kindOf returns how stored content is shown.
func kindOf(d bucketlite.BlobDetails) string {
	mimeType, _, _ := strings.Cut(d.MIMEType, ";")
	family, _, _ := strings.Cut(mimeType, "/")
	switch mimeType {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "image/svg+xml":
		return "image"
	case "application/pdf":
		return "pdf"
	case "text/csv", "text/tab-separated-values":
		return "table"
	case "application/json", "application/geo+json", "application/ld+json":
		return "json"
	case "application/xml", "application/x-ndjson", "application/jsonl", "application/yaml", "application/toml", "application/javascript":
		return "text"
	}
	switch family {
	case "video", "audio", "text":
		return family
	}
	return "bytes"
}

// blob answers with the bytes of a blob, for the page's pictures, films and frames.
func (q *request) blob() error {
	h := q.w.Header()
	h.Del("X-Frame-Options") // the page of the object has a frame for documents
	err := q.c.api.ServeBlob(q.w, q.r, q.bucket, q.r.PathValue("object"), q.r.PathValue("blob"), q.query("download") != "")
	if err != nil {
		q.secureHeaders()
		h.Del("Content-Disposition")
		h.Del("ETag")
		return err
	}
	q.wrote = true
	return nil
}

// The parts of contents that previews show.
const (
	previewText = 256 << 10 // bytes of a text
	previewRows = 200       // rows of a table
	previewHex  = 512       // bytes of others
)

// previewPage is what the preview of a blob shows.
type previewPage struct {
	Blob    blobRow
	Kind    string
	Text    string
	Header  []string
	Rows    [][]string
	Partial bool // there is more than is shown
}

// preview shows the beginning of a blob that browsers do not show themselves.
func (q *request) preview() error {
	blob, err := q.bucket.OpenBlob(q.ctx(), q.r.PathValue("object"), q.r.PathValue("blob"))
	if err != nil {
		return err
	}
	defer blob.Close()
	about := blob.Blob()
	p := &previewPage{Blob: newBlobRow(&about), Kind: kindOf(about.Details)}
	head := make([]byte, min(blob.Size(), previewText))
	if _, err := io.ReadFull(blob, head); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	p.Partial = blob.Size() > int64(len(head))
	p.fill(head)
	return q.show("preview", blob.Filename(), "preview", p)
}

// fill takes what is shown from the beginning of the bytes. Bytes that are not what they
// are declared as are shown as text, and bytes that are no text as numbers.
func (p *previewPage) fill(head []byte) {
	text := strings.TrimPrefix(string(head), "\ufeff")
	if p.Partial {
		text = wholeRunes(text)
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		p.Kind, p.Text = "bytes", hex.Dump(head[:min(len(head), previewHex)])
		p.Partial = p.Partial || len(head) > previewHex
		return
	}
	switch p.Kind {
	case "table":
		if p.fillTable(text) {
			return
		}
	case "json":
		var v json.RawMessage
		if !p.Partial && json.Unmarshal([]byte(text), &v) == nil {
			if p.Text = indented(v); len(p.Text) > 2*previewText {
				p.Text = text
			}
			return
		}
	}
	p.Kind, p.Text = "text", text
}

// fillTable takes rows of cells from a text, and reports whether there are any.
func (p *previewPage) fillTable(text string) bool {
	first, _, _ := strings.Cut(text, "\n")
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord, r.LazyQuotes, r.Comma = -1, true, ','
	for _, comma := range "\t;|" {
		if strings.Count(first, string(comma)) > strings.Count(first, string(r.Comma)) {
			r.Comma = comma
		}
	}
	for len(p.Rows) <= previewRows {
		row, err := r.Read()
		if err != nil { // the last row may be cut off
			if p.Partial && len(p.Rows) > 1 {
				p.Rows = p.Rows[:len(p.Rows)-1]
			}
			break
		}
		p.Rows = append(p.Rows, row)
	}
	if len(p.Rows) == 0 {
		return false
	}
	if len(p.Rows) > previewRows {
		p.Rows, p.Partial = p.Rows[:previewRows], true
	}
	p.Header, p.Rows = p.Rows[0], p.Rows[1:]
	return true
}

// wholeRunes returns a text without the character at its end that is cut off.
func wholeRunes(text string) string {
	for i := len(text) - 1; i >= 0 && i >= len(text)-utf8.UTFMax; i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRuneInString(text[i:]) {
				return text[:i]
			}
			break
		}
	}
	return text
}

// linkPage is a signed URL of a blob.
type linkPage struct {
	Blob blobRow
	URL  string
}

// blobLink shows a signed URL, from which anyone may get the bytes for an hour.
func (q *request) blobLink() error {
	objectID, blobID := q.r.PathValue("object"), q.r.PathValue("blob")
	blob, err := q.bucket.OpenBlob(q.ctx(), objectID, blobID)
	if err != nil {
		return err
	}
	defer blob.Close()
	about := blob.Blob()
	signed, err := q.c.api.BlobURL(q.r, q.ns, q.bucket, objectID, about.ID)
	if err != nil {
		return err
	}
	return q.show("link", "Signed link", "link", linkPage{newBlobRow(&about), signed})
}
