package console

import "net/http"

var thumbRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/o/{object}/thumb/{blob}", inPlace, reads, (*request).thumb},
}

// noPicture is what stands for a picture that cannot be shown.
const noPicture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 160" width="160" height="160"><path d="M56 60h48v40H56zM56 92l14-14 12 12 8-8 14 14M62 54l36 54" fill="none" stroke="#8a8fa0" stroke-width="3" stroke-linejoin="round" stroke-linecap="round"/></svg>`

// thumb answers with a small picture of a blob, whose longest edge s names. For a blob that
// is damaged, or too large, there is a sign instead: the page is not wrong because of it.
func (q *request) thumb() error {
	err := q.c.api.ServeThumb(q.w, q.r, q.bucket, q.r.PathValue("object"), q.r.PathValue("blob"), int(atoi(q.query("s"))))
	if err == nil {
		q.wrote = true
		return nil
	}
	if status, _ := describe(err); status != http.StatusUnsupportedMediaType {
		return err
	}
	q.wrote = true
	q.w.Header().Set("Content-Type", "image/svg+xml")
	q.w.Header().Set("Cache-Control", "private, max-age=3600")
	q.w.WriteHeader(http.StatusOK)
	q.w.Write([]byte(noPicture)) // if it fails the browser is gone
	return nil
}
