package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/bucketlite/bucketlite"
)

var uploadRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/uploads", inPlace, reads, (*request).uploads},
	{"POST /n/{namespace}/b/{bucket}/uploads", inPlace, writes, (*request).upload},
	{"GET /n/{namespace}/b/{bucket}/uploads/copyas", inPlace, reads, (*request).copyUploadAs},
	{"POST /n/{namespace}/b/{bucket}/uploads/{upload}/confirm", inPlace, writes, (*request).confirmUpload},
	{"POST /n/{namespace}/b/{bucket}/uploads/{upload}/cancel", inPlace, writes, (*request).cancelUpload},
}

// uploadStatuses are the statuses that an upload can have.
var uploadStatuses = []bucketlite.Status{
	bucketlite.StatusPending, bucketlite.StatusProcessing, bucketlite.StatusCompleted, bucketlite.StatusSkipped,
	bucketlite.StatusFailed, bucketlite.StatusCanceled,
}

// An uploadRow is an upload of the list.
type uploadRow struct{ *bucketlite.Upload }

// IsOpen reports whether the upload can be written and confirmed.
func (u uploadRow) IsOpen() bool { return u.Status == bucketlite.StatusPending }

// IsWritten reports whether only the confirmation is missing.
func (u uploadRow) IsWritten() bool { return u.IsOpen() && u.ETag != "" }

// Object is the object that has the file, or that was there before it.
func (u uploadRow) Object() string {
	if u.ObjectID != "" {
		return u.ObjectID
	}
	return u.ExistingObjectID
}

// uploadList is what the page of uploads shows.
type uploadList struct {
	Rows     []uploadRow
	Pager    pager
	Status   bucketlite.Status
	Statuses []bucketlite.Status
	Address  string // of this page of the list, relative
	Moves    bool   // an upload has not ended
	Form     *uploadForm

	// Refused is why the bucket shows no uploads, and Wrong why one was not changed.
	Refused, Wrong string
}

// uploads lists the uploads of the bucket, the newest first.
func (q *request) uploads() error {
	list, err := q.uploadList()
	if err != nil {
		return err
	}
	return q.show("uploads", "Uploads", "list", list)
}

func (q *request) uploadList() (*uploadList, error) {
	list := &uploadList{Status: bucketlite.Status(q.query("status")), Statuses: uploadStatuses}
	params := url.Values{"status": {string(list.Status)}}
	if after := q.query("after"); after != "" {
		params.Set("after", after)
	}
	list.Address = q.root() + q.bucketPath() + "uploads?" + params.Encode()
	if !q.isPart() {
		list.Form = q.newUploadForm()
	}
	query := bucketlite.Query{Reverse: true, Limit: pageSize, Cursor: q.query("after")}
	if list.Status != "" {
		query.Filter = bucketlite.Eq("status", string(list.Status))
	}
	page, err := q.bucket.ListUploads(q.ctx(), query)
	if errors.Is(err, bucketlite.ErrNotActive) {
		_, list.Refused = describe(err)
		return list, nil
	}
	if err != nil {
		return nil, err
	}
	for _, u := range page.Results {
		list.Rows = append(list.Rows, uploadRow{u})
		list.Moves = list.Moves || u.Status == bucketlite.StatusPending || u.Status == bucketlite.StatusProcessing
	}
	list.Pager = q.pagerFor(page.Next)
	for _, address := range []*string{&list.Pager.First, &list.Pager.Next} {
		if *address != "" { // the page may be the answer to a form of another address
			*address = q.root() + q.bucketPath() + "uploads" + *address
		}
	}
	return list, nil
}

// upload stores the file of a form, or announces one to a script, which then sends the
// bytes to the address in the answer.
func (q *request) upload() error {
	if q.wantsJSON() {
		return q.announce()
	}
	return q.uploadFile()
}

// announced is the answer about a new upload.
type announced struct {
	ID       string `json:"id"`
	Property string `json:"property"`
	// URL is where the bytes are to go, relative to the request. It is empty if nothing
	// is to be sent: then Skipped is the object that is there already.
	URL     string `json:"url,omitempty"`
	Skipped string `json:"skipped,omitempty"`
	Message string `json:"message,omitempty"`
}

// announce creates an upload of a file that a script has.
func (q *request) announce() error {
	form, err := q.form()
	if err != nil {
		return q.refuseJSON(err)
	}
	in, err := q.uploadInput(form)
	if err != nil {
		return q.refuseJSON(err)
	}
	u, err := q.bucket.CreateUpload(q.ctx(), in)
	if err != nil {
		return q.refuseJSON(err)
	}
	answer := announced{ID: u.ID, Property: u.Property, Skipped: u.ExistingObjectID, Message: u.Message}
	if u.Status == bucketlite.StatusPending {
		if answer.URL, err = q.uploadAddress(u); err != nil {
			return q.refuseJSON(err)
		}
	}
	return q.answerJSON(http.StatusCreated, answer)
}

// uploadAddress is the path to which the bytes of an upload go, relative to the page: the
// page may be open under another name than the one in the server's own URLs.
func (q *request) uploadAddress(u *bucketlite.Upload) (string, error) {
	signed, err := q.c.api.UploadURL(q.r, q.ns, u)
	if err != nil {
		return "", err
	}
	return q.root() + ".." + signed[strings.LastIndex(signed, "/v1/presigned/"):], nil
}

// copyUploadAs shows the request of the API that announces an upload. The answer has the
// address for the bytes.
func (q *request) copyUploadAs() error {
	body := map[string]any{"filename": "photo.jpg", "content_type": "image/jpeg"}
	if places := q.uploadPlaces(); len(places) > 0 {
		body["blob_property"] = places[0].Field
	}
	return q.show("copyas", "Copy as code", "samples", samplesOf("upload", q.apiRequest(http.MethodPost, "/uploads", body)))
}

// confirmUpload makes an object of an upload whose bytes are there.
func (q *request) confirmUpload() error {
	u, err := q.bucket.ConfirmUpload(q.ctx(), q.r.PathValue("upload"), nil)
	switch {
	case q.wantsJSON() && err != nil:
		return q.refuseJSON(err)
	case q.wantsJSON():
		return q.answerJSON(http.StatusOK, map[string]string{"object": u.ObjectID})
	case err != nil:
		return q.refuseUpload(err)
	}
	return q.done(q.bucketPath()+"uploads", "upload-confirmed")
}

// cancelUpload gives an upload up that is not confirmed.
func (q *request) cancelUpload() error {
	err := q.bucket.CancelUpload(q.ctx(), q.r.PathValue("upload"))
	switch {
	case q.wantsJSON() && err != nil:
		return q.refuseJSON(err)
	case q.wantsJSON():
		return q.answerJSON(http.StatusOK, struct{}{})
	case err != nil:
		return q.refuseUpload(err)
	}
	return q.done(q.bucketPath()+"uploads", "upload-canceled")
}

// refuseUpload shows the list with the reason why an upload was not changed.
func (q *request) refuseUpload(err error) error {
	status, text := describe(err)
	if status >= 500 || status == http.StatusNotFound {
		return err
	}
	list, listErr := q.uploadList()
	if listErr != nil {
		return listErr
	}
	list.Wrong = reasonsOf(text, err)
	return q.render(status, "uploads", "Uploads", list)
}

// wantsJSON reports whether a script asks that shows the answer itself.
func (q *request) wantsJSON() bool { return q.r.Header.Get("Accept") == "application/json" }

// answerJSON answers a script.
func (q *request) answerJSON(status int, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	q.wrote = true
	q.w.Header().Set("Content-Type", "application/json")
	q.w.Header().Set("Cache-Control", "no-store")
	q.w.WriteHeader(status)
	q.w.Write(text) // if it fails the browser is gone
	return nil
}

// refuseJSON tells a script why something was not done, in the words of the API.
func (q *request) refuseJSON(err error) error {
	status, text := describe(err)
	q.logEntry().SetError(err)
	return q.answerJSON(status, map[string]string{"error": reasonsOf(text, err)})
}

// reasonsOf returns the reasons that an error lists in one line, or its text if it lists
// none.
func reasonsOf(text string, err error) string {
	issues := issuesOf(err)
	if len(issues) == 0 {
		return text
	}
	reasons := make([]string, len(issues))
	for i, issue := range issues {
		reasons[i] = strings.TrimPrefix(issue.String(), "object_metadata.")
	}
	return strings.Join(reasons, "; ")
}
