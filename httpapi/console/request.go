package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// A request is one request to the console: who asks, where, and with which form.
type request struct {
	c      *Console
	w      http.ResponseWriter
	r      *http.Request
	wrote  bool
	access *httpapi.Access       // nil if nobody has signed in
	ns     *bucketlite.Namespace // where; nil unless the path names one
	bucket *bucketlite.Bucket
	info   *bucketlite.BucketInfo // of the bucket
}

// maxForm bounds the bytes of a form without files, and maxOpenForm those of one that needs
// no session.
const (
	maxForm     = 8 << 20
	maxOpenForm = 64 << 10
)

// ctx ends with the request, and for a route that reads with its time.
func (q *request) ctx() context.Context { return q.r.Context() }

// limitTime bounds the time of a route that reads.
func (q *request) limitTime(rt route) (end func()) {
	if rt.effect != reads {
		return func() {}
	}
	ctx, cancel := context.WithTimeout(q.r.Context(), q.c.limits.QueryTimeout)
	q.r = q.r.WithContext(ctx)
	return cancel
}

// logEntry is the request's entry in the log of the API.
func (q *request) logEntry() httpapi.Entry { return q.w.(httpapi.Entry) }

// id is the request's id in the log.
func (q *request) id() string { return q.logEntry().RequestID() }

// locate finds the namespace and the bucket in the path. Of a namespace that the key may
// not enter nobody learns whether it exists.
func (q *request) locate() (err error) {
	name, bucket := q.r.PathValue("namespace"), q.r.PathValue("bucket")
	if bucket != "" {
		q.ns, q.bucket, err = q.c.store.OpenBucket(q.ctx(), name, bucket)
	} else {
		q.ns, err = q.c.store.Namespace(q.ctx(), name)
	}
	if q.ns != nil && !q.access.Allows(q.ns.ID(), q.ns.Name()) || q.ns == nil && !q.access.Allows(name) {
		q.ns, q.bucket = nil, nil
		return errNoPage
	}
	if err == nil && q.bucket != nil {
		q.info, err = q.bucket.Info(q.ctx())
	}
	return err
}

// root is the relative path from the page to the console's first page.
func (q *request) root() string {
	rest := strings.TrimPrefix(q.r.URL.EscapedPath(), "/"+mountName+"/")
	if depth := strings.Count(rest, "/"); depth > 0 && strings.HasPrefix(q.r.URL.EscapedPath(), "/"+mountName+"/") {
		return strings.Repeat("../", depth)
	}
	return "./"
}

// here is the address of the page below the console's, for coming back.
func (q *request) here() string {
	here := strings.TrimPrefix(q.r.URL.EscapedPath(), "/"+mountName+"/")
	if q.r.URL.RawQuery != "" {
		here += "?" + q.r.URL.RawQuery
	}
	return here
}

// isPart reports whether a script asks for a part of the page.
func (q *request) isPart() bool { return q.r.Header.Get("HX-Request") == "true" }

// query returns a parameter of the address.
func (q *request) query(name string) string { return q.params().Get(name) }

// params are the parameters of the address.
func (q *request) params() url.Values { return q.r.URL.Query() }

// form reads the form of a POST, of at most maxForm bytes, or says why it cannot.
func (q *request) form() (url.Values, error) { return q.formOf(maxForm) }

// formOf reads a form of at most a number of bytes.
func (q *request) formOf(most int64) (url.Values, error) {
	q.r.Body = http.MaxBytesReader(q.w, q.r.Body, most)
	if err := q.r.ParseForm(); err != nil {
		return nil, formError(err)
	}
	return q.r.PostForm, nil
}

// seeOther sends the browser to another address, which is relative to the page's. It is
// written by hand, since [http.Redirect] makes it absolute, and so loses the prefix that a
// proxy has removed.
func (q *request) seeOther(to string) { q.bodiless(http.StatusSeeOther, "Location", to) }

// bodiless answers with a header alone, which tells the browser, or the script, what to do.
func (q *request) bodiless(status int, header, value string) {
	q.wrote = true
	q.w.Header().Set("Cache-Control", "no-store")
	q.w.Header().Set(header, value)
	q.w.WriteHeader(status)
}

// redirect is [request.seeOther] to a path of the console. A script that asked for a part
// of the page goes there as a whole.
func (q *request) redirect(path string) error {
	to := q.root() + path
	if q.isPart() {
		q.bodiless(http.StatusNoContent, "HX-Redirect", to)
		return nil
	}
	q.seeOther(to)
	return nil
}

// settled makes the page load anew whose part a script asked for again and again, since
// nothing in it moves any longer.
func (q *request) settled() error {
	q.bodiless(http.StatusNoContent, "HX-Refresh", "true")
	return nil
}

// done sends the browser to a path of the console, where a message of [messages] says
// what has been done.
func (q *request) done(path, message string) error {
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return q.redirect(path + separator + "done=" + url.QueryEscape(message))
}

// nsPath and bucketPath are the paths of the request's namespace and bucket.
func (q *request) nsPath() string { return "n/" + q.ns.ID() + "/" }

func (q *request) bucketPath() string { return q.nsPath() + "b/" + q.bucket.ID() + "/" }

// messages are what a page may say that has been done before it, by name. Only a name is
// in the address, so that nobody can make a page say something else by a link.
var messages = map[string]string{
	"batch-canceled":    "The batch has been canceled.",
	"batch-created":     "The batch has been created. It is a draft until it is submitted.",
	"batch-deleted":     "The batch is being deleted. Its objects stay.",
	"batch-retried":     "The failed objects are processed again.",
	"batch-submitted":   "The batch has been submitted.",
	"batch-unchanged":   "No object can be retried.",
	"bucket-activate":   "The bucket is active.",
	"bucket-archive":    "The bucket is archived.",
	"bucket-created":    "The bucket has been created.",
	"bucket-deleted":    "The bucket is being deleted.",
	"bucket-lock":       "The bucket is locked.",
	"bucket-saved":      "The settings have been saved.",
	"bucket-suspend":    "The bucket is suspended.",
	"bucket-unlock":     "The bucket is unlocked.",
	"file-stored":       "The file has been stored.",
	"index-building":    "The index is being built. Queries use it as soon as it is ready.",
	"index-created":     "The index has been created.",
	"index-dropped":     "The index has been dropped.",
	"namespace-changed": "The namespace has been changed.",
	"namespace-created": "The namespace has been created.",
	"namespace-deleted": "The namespace is being deleted.",
	"nothing-chosen":    "No object was chosen.",
	"object-changed":    "The object has been changed.",
	"object-created":    "The object has been created.",
	"object-deleted":    "The object has been deleted.",
	"object-unchanged":  "Nothing was changed.",
	"objects-deleted":   "The objects have been deleted.",
	"objects-deleting":  "The objects are being deleted, by a task.",
	"schema-canceled":   "The change of the schema has been canceled.",
	"schema-changed":    "The schema has been changed.",
	"schema-changing":   "The schema is being changed.",
	"task-canceled":     "The task has been canceled.",
	"upload-canceled":   "The upload has been canceled.",
	"upload-confirmed":  "The upload has been confirmed. Its object is stored.",
}
