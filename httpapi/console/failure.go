package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// A refusal is an error of the console's own.
type refusal struct {
	status int
	text   string
}

func (e *refusal) Error() string { return "console: " + e.text }

var (
	errNoPage      = &refusal{http.StatusNotFound, "there is no such page, or the key may not see it"}
	errSignedOut   = &refusal{http.StatusUnauthorized, "the session has ended"}
	errReadOnlyKey = &refusal{http.StatusForbidden, "the key is for reading alone"}
	errNotAll      = &refusal{http.StatusForbidden, "this needs a key that writes in all namespaces"}
	errQuery       = &refusal{http.StatusBadRequest, "the address has a parameter that cannot be read; write %3B for a semicolon, and %25 for a percent sign"}
	errGoneSession = &refusal{http.StatusUnauthorized, "the session has ended; sign in again in another tab, and then continue here"}
	errOtherSite   = &refusal{http.StatusForbidden, "the form was sent by another site; if the console is behind a proxy, start the server with --public-url"}
)

func invalid(text string) error { return &refusal{http.StatusUnprocessableEntity, text} }

// formError is why the body of a request is no form.
func formError(err error) error {
	var size *http.MaxBytesError
	if errors.As(err, &size) {
		return &refusal{http.StatusRequestEntityTooLarge, "the form is too large"}
	}
	return &refusal{http.StatusBadRequest, "a form expected"}
}

// describe returns the status of an error and what a page says of it: the words of the
// API.
func describe(err error) (status int, text string) {
	var own *refusal
	if errors.As(err, &own) {
		return own.status, sentence(own.text)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return http.StatusServiceUnavailable, "This took too long. An index, or a narrower filter, makes it quicker."
	}
	status, _, text = httpapi.Describe(err)
	return status, sentence(text)
}

// issuesOf returns the reasons that an error lists, by the paths of fields.
func issuesOf(err error) []bucketlite.Issue {
	var validation *bucketlite.ValidationError
	var query *bucketlite.QueryError
	switch {
	case errors.As(err, &validation):
		return validation.Issues
	case errors.As(err, &query):
		return query.Issues
	}
	return nil
}

// fault is what the page or the part about an error shows.
type fault struct {
	Status int
	Text   string
	Issues []bucketlite.Issue
	ID     string // of the request
	Again  string // an address to try again; empty if that is of no use
}

// fail answers with an error: as a page, or for a script as a part of one.
func (q *request) fail(err error) {
	if errors.Is(err, context.Canceled) && q.r.Context().Err() != nil {
		return // the browser has left
	}
	if own := (*refusal)(nil); !errors.As(err, &own) { // for the log these are no errors of the API
		q.logEntry().SetError(err)
	}
	if q.wrote {
		panic(http.ErrAbortHandler)
	}
	if err == errSignedOut && q.isPart() && q.r.Method != http.MethodGet {
		err = errGoneSession // the page has what was typed
	}
	if err == errSignedOut {
		q.signInFirst()
		return
	}
	status, text := describe(err)
	f := fault{Status: status, Text: text, Issues: issuesOf(err), ID: q.id()}
	if q.r.Method == http.MethodGet && status >= 500 {
		f.Again = "?" + q.r.URL.RawQuery
	}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		q.w.Header().Set("Retry-After", "1")
	}
	if q.isPart() {
		q.renderPart(status, "error", "fault", f)
		return
	}
	q.render(status, "error", "Error", f)
}

// signInFirst sends the browser to the sign-in page, from where it comes back. After the
// request of a script it loads its page anew, and so comes here: that page may be in another
// directory than the part, so that no address here would be right there.
func (q *request) signInFirst() {
	if q.isPart() {
		q.bodiless(http.StatusUnauthorized, "HX-Refresh", "true")
		return
	}
	to := "signin"
	if next := q.here(); next != "" && q.r.Method == http.MethodGet {
		to += "?next=" + url.QueryEscape(next)
	}
	q.redirect(to)
}
