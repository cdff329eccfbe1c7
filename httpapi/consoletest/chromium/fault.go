package chromium

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Faults returns what went wrong in the tab since the last call, each as one line of text
// that begins with its kind:
//
//	console    an error or a warning in the console
//	exception  an exception that no script has caught
//	policy     a violation of the Content-Security-Policy
//	issue      another issue that the browser reports, such as a label for no control
//	foreign    a request to another host
//	status     an answer with an error status, or a request that failed
//	dialog     alert, confirm or prompt
func (t *Tab) Faults() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	faults := t.faults
	t.faults = nil
	return faults
}

// Status returns the status of the document that the tab shows.
func (t *Tab) Status() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int(t.status)
}

// fault notes a fault once. The caller holds the lock.
func (t *Tab) fault(kind, format string, args ...any) {
	text := kind + ": " + fmt.Sprintf(format, args...)
	if !slices.Contains(t.faults, text) {
		t.faults = append(t.faults, text)
	}
}

// listen receives the events of the browser, in their order. It must not wait.
func (t *Tab) listen(event any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		t.requested(e)
	case *network.EventResponseReceived:
		t.answered(e)
	case *page.EventFrameNavigated:
		// Requests of the document before may end without an event.
		if e.Frame.ParentID == "" {
			maps.DeleteFunc(t.pending, func(_ network.RequestID, l loading) bool { return l.loader != e.Frame.LoaderID })
		}
	case *network.EventLoadingFinished:
		t.ended(e.RequestID)
	case *network.EventLoadingFailed:
		if !e.Canceled && e.BlockedReason == "" {
			t.fault("status", "%s: %s", t.pending[e.RequestID].uri, e.ErrorText)
		}
		t.ended(e.RequestID)
	case *runtime.EventConsoleAPICalled:
		t.printed(e)
	case *runtime.EventExceptionThrown:
		t.fault("exception", "%s", thrown(e.ExceptionDetails))
	case *log.EventEntryAdded:
		// Failed requests are in the console too.
		if e.Entry.Source != log.EntrySourceNetwork && (e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning) {
			t.fault("console", "%s (%s)", e.Entry.Text, e.Entry.URL)
		}
	case *audits.EventIssueAdded:
		t.issue(e.Issue)
	case *page.EventJavascriptDialogOpening:
		if e.Type != page.DialogTypeBeforeunload {
			t.fault("dialog", "%s %q", e.Type, e.Message)
		}
		// The page waits for the answer, and so does this goroutine, which would read it.
		go chromedp.Call(t.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
	}
}

func (t *Tab) requested(e *network.EventRequestWillBeSent) {
	u, err := url.Parse(e.Request.URL)
	if err != nil {
		t.fault("foreign", "%q is no URL", e.Request.URL)
		return
	}
	switch u.Scheme {
	case "data", "blob", "about", "chrome-extension": // the last is the browser's viewer of PDFs
		return
	}
	if u.Host != t.host {
		t.fault("foreign", "%s", e.Request.URL)
	}
	// The player of a page reads media in pieces, as long as it likes.
	if e.Type != network.ResourceTypeMedia && e.Type != network.ResourceTypeEventSource {
		t.pending[e.RequestID] = loading{u.RequestURI(), e.LoaderID}
		t.moved = time.Now()
	}
}

func (t *Tab) answered(e *network.EventResponseReceived) {
	if e.Type == network.ResourceTypeDocument {
		t.status = e.Response.Status
	}
	if e.Response.Status >= 400 {
		t.fault("status", "%d %s", e.Response.Status, e.Response.URL)
	}
	if strings.HasPrefix(e.Response.MimeType, "text/event-stream") {
		t.ended(e.RequestID)
	}
}

func (t *Tab) ended(id network.RequestID) {
	if _, ok := t.pending[id]; ok {
		delete(t.pending, id)
		t.moved = time.Now()
	}
}

func (t *Tab) printed(e *runtime.EventConsoleAPICalled) {
	switch e.Type {
	case runtime.ConsoleAPICalledTypeError, runtime.ConsoleAPICalledTypeWarning, runtime.ConsoleAPICalledTypeAssert:
	default:
		return
	}
	var parts []string
	for _, arg := range e.Args {
		var text string
		switch {
		case arg.Description != "":
			text = arg.Description
		case json.Unmarshal(arg.Value, &text) != nil:
			text = string(arg.Value)
		}
		parts = append(parts, text)
	}
	t.fault("console", "%s: %s", e.Type, strings.Join(parts, " "))
}

// thrown returns the text of an exception.
func thrown(d *runtime.ExceptionDetails) string {
	text := d.Text
	if d.Exception != nil {
		text += " " + d.Exception.Description
	}
	return fmt.Sprintf("%s (%s:%d)", text, d.URL, d.LineNumber+1)
}

func (t *Tab) issue(i *audits.InspectorIssue) {
	details, err := json.Marshal(i.Details)
	if err != nil {
		details = []byte(err.Error())
	}
	if i.Code == audits.InspectorIssueCodeContentSecurityPolicyIssue {
		t.fault("policy", "%s", details)
		return
	}
	t.fault("issue", "%s %s", i.Code, details)
}
