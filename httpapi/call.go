package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A call is one request: its key, its place and its parameters.
type call struct {
	h           *Handler
	w           *answer
	r           *http.Request
	key         *Access               // who; nil where nobody needs to be known
	ns          *bucketlite.Namespace // where; nil unless the route is scoped or signed
	bucket      *bucketlite.Bucket    // the one that the path of such a route names, nil if it names none
	limit       int64                 // of the bytes of the body, if it is JSON
	limitOption string                // the option that sets the limit; empty if it is fixed
	query       url.Values            // of the URL
	faults      formError             // faults of the form of the request
	warned      []string
	warnedBytes int // in the headers that they became, or would have become

	timeout *timeout // nil for none
}

func (c *call) ctx() context.Context {
	if c.timeout != nil {
		return c.timeout.ctx
	}
	return c.r.Context()
}

// namespace returns the namespace with the name or id, if the key may enter it.
func (c *call) namespace(name string) (*bucketlite.Namespace, error) {
	ns, err := c.h.store.Namespace(c.ctx(), name)
	if err := c.admits(name, ns, err); err != nil {
		return nil, err
	}
	return ns, err
}

// locate finds the namespace with the first of the names, or the id, that exists, and the
// bucket that the path names, if it names one. Whether the key may enter is asked of the
// namespace that was found, or else of the last name.
func (c *call) locate(names ...string) (err error) {
	last := len(names) - 1
	for i, name := range names {
		if err = c.locateOne(name, i < last); c.ns != nil || !errors.Is(err, bucketlite.ErrNotFound) {
			break
		}
	}
	return err
}

// locateOne is [call.locate] for one name. If others follow, a name that is not found says
// nothing yet of the key.
func (c *call) locateOne(name string, othersFollow bool) (err error) {
	var ns *bucketlite.Namespace
	var b *bucketlite.Bucket
	if bucket := c.r.PathValue("bucket"); bucket != "" {
		ns, b, err = c.h.store.OpenBucket(c.ctx(), name, bucket)
	} else {
		ns, err = c.h.store.Namespace(c.ctx(), name)
	}
	if ns != nil || !othersFollow {
		if err := c.admits(name, ns, err); err != nil {
			return err
		}
	}
	c.ns, c.bucket = ns, b
	return err
}

// admits refuses a namespace that the key may not enter, which was asked for by name
// and found or, if it is nil, not. Of those the key does not learn whether they exist.
func (c *call) admits(name string, ns *bucketlite.Namespace, err error) error {
	switch {
	case c.key == nil: // the URL is signed
	case ns != nil && !c.key.Allows(ns.ID(), ns.Name()),
		ns == nil && errors.Is(err, bucketlite.ErrNotFound) && !c.key.Allows(name):
		return forbidden(fmt.Sprintf("the key may not enter namespace %q", name))
	}
	return nil
}

// Clients and proxies take few and short headers: Python reads at most 100, and a default
// nginx at most 4 KiB of them.
const (
	// maxWarnings bounds the warnings of an answer, and maxWarningBytes their texts together.
	maxWarnings, maxWarningBytes = 20, 2048
	// maxWarning bounds the text of one in bytes.
	maxWarning = 256
)

// warn adds a warning: the request was accepted, but deviates from the form.
func (c *call) warn(text string) {
	if len(c.warned) == maxWarnings || slices.Contains(c.warned, text) {
		return
	}
	c.warned = append(c.warned, text)
	quoted := quoteShort(text)
	if c.warnedBytes += len(quoted); c.warnedBytes <= maxWarningBytes {
		c.addWarning(quoted)
	}
}

// tell is [call.warn] for what must not be lost among warnings of less weight. An answer
// has at most one or two of those.
func (c *call) tell(text string) { c.addWarning(quoteShort(text)) }

func (c *call) addWarning(quoted string) { c.w.Header().Add("Warning", "299 bucketlite "+quoted) }

// quoteShort quotes a text in ASCII, since it contains text of the client. The middle of
// a long one is left out: a place stands at its beginning, what is wrong at its end.
func quoteShort(text string) string {
	quoted := strconv.QuoteToASCII(text)
	for half := maxWarning / 2; len(quoted) > maxWarning; half = half * 3 / 4 {
		if len(text) <= 2*half {
			continue // it grows in quotes
		}
		short := text[:half] + "..." + text[len(text)-half:]
		quoted = strconv.QuoteToASCII(strings.ToValidUTF8(short, ""))
	}
	return quoted
}

// form returns the request's body as the form of a JSON object. Without a body it is an
// empty one. Members that are named stay text, see [form.raw].
func (c *call) form(raw ...string) (*form, error) {
	data, err := c.body()
	if err != nil {
		return nil, err
	}
	return c.formOf(data, raw...)
}

// formOf is [call.form] for a body that has been read.
func (c *call) formOf(data []byte, raw ...string) (*form, error) {
	f := &form{call: c, in: "body", doc: map[string]any{}}
	if len(bytes.TrimSpace(data)) == 0 {
		return f, nil
	}
	doc, texts, err := value.ParseObject(data, c.formLimits(), raw...)
	var syntax *value.SyntaxError
	if errors.As(err, &syntax) {
		return nil, formError{{"body", bucketlite.Issue{Path: syntax.Path, Rule: syntax.Rule, Message: syntax.Message}}}
	}
	if err != nil {
		return nil, err
	}
	f.doc, f.raw = doc, texts
	return f, nil
}

// formDepth is how much deeper than a value, which the store checks, a form may nest.
const formDepth = 8

// formLimits are those of the body as a form.
func (c *call) formLimits() value.Limits {
	return value.Limits{MaxDepth: value.DefaultMaxDepth + formDepth, MaxBytes: int(c.limit)}
}

// check returns the faults in the form of the request so far, or nil.
func (c *call) check() error {
	if len(c.faults) > 0 {
		return c.faults
	}
	return nil
}

// readDeadline and writeDeadline set how long the client may keep the connection
// waiting. A writer that has no deadlines, as in a test, is as patient as it likes.
func (c *call) readDeadline(t time.Time) { _ = http.NewResponseController(c.w).SetReadDeadline(t) }

func (c *call) writeDeadline(t time.Time) { _ = http.NewResponseController(c.w).SetWriteDeadline(t) }
