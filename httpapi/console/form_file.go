package console

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

// maxFile bounds the files of a form. Larger ones need the script, which sends a file in
// pieces, or the API.
const maxFile = 64 << 20

// A formFile is a file that came with a form.
type formFile struct {
	multipart.File
	Name string
	form *multipart.Form
}

// Close closes the file, and deletes it where it was too large for memory.
func (f *formFile) Close() error {
	return errors.Join(f.File.Close(), f.form.RemoveAll())
}

func (f *formFile) rewind() error {
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// formWithFile reads the form of a POST, and the file of a control, which is nil if none
// was chosen.
func (q *request) formWithFile(name string) (url.Values, *formFile, error) {
	if !strings.HasPrefix(q.r.Header.Get("Content-Type"), "multipart/form-data") {
		form, err := q.form()
		return form, nil, err
	}
	q.r.Body = http.MaxBytesReader(q.w, q.r.Body, maxForm+maxFile)
	if err := q.r.ParseMultipartForm(maxForm); err != nil {
		return nil, nil, formError(err)
	}
	form := q.r.MultipartForm
	headers := form.File[name]
	if len(headers) == 0 || headers[0].Filename == "" {
		return form.Value, nil, form.RemoveAll()
	}
	file, err := headers[0].Open()
	if err != nil {
		return nil, nil, errors.Join(err, form.RemoveAll())
	}
	return form.Value, &formFile{file, headers[0].Filename, form}, nil
}
