package chromium

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// View describes how a tab shows pages.
type View struct {
	// Width of the viewport, in CSS pixels. A tab of at most 600 pixels is a phone with a
	// touch screen. Default: 1280.
	Width int
	// Dark prefers the dark colours. Default: false, the light ones.
	Dark bool
	// NoScripts runs no scripts of pages. Default: false.
	NoScripts bool
}

// The bounds of what a tab waits for and shows.
const (
	patience    = time.Minute            // for a page to settle
	quiet       = 120 * time.Millisecond // without requests, until a page counts as settled
	widestPhone = 600                    // pixels
	tallestShot = 4000                   // pixels
)

// Tab shows one page at a time, with cookies of its own. Only one goroutine may use a
// tab.
type Tab struct {
	ctx     context.Context
	end     func()
	browser *Browser // nil for a sibling
	host    string
	width   int
	scripts bool

	mu      sync.Mutex
	pending map[network.RequestID]loading
	moved   time.Time // when pending last changed
	faults  []string
	status  int64 // of the document
}

// loading is a request that has no answer yet, or not all of it.
type loading struct {
	uri    string
	loader cdp.LoaderID // of the document that needs it
}

// Tab opens a tab for the pages of a host, as in "127.0.0.1:8080". A request to any other
// host is a fault. The caller closes the tab.
func (b *Browser) Tab(host string, v View) (*Tab, error) {
	b.mu.Lock()
	var t *Tab
	if last := len(b.idle) - 1; last >= 0 {
		t, b.idle = b.idle[last], b.idle[:last]
	}
	b.mu.Unlock()
	if t == nil {
		t = newTab(b.ctx, chromedp.WithNewBrowserContext())
		t.browser = b
	}
	return t, t.show(host, v)
}

// Sibling opens another tab in the same window, with the same cookies and connections.
// The other tabs are in the background then.
func (t *Tab) Sibling(v View) (*Tab, error) {
	s := newTab(t.ctx, chromedp.WithNewWindow(false))
	return s, s.show(t.host, v)
}

func newTab(parent context.Context, where chromedp.ContextOption) *Tab {
	t := &Tab{pending: make(map[network.RequestID]loading)}
	t.ctx, t.end = chromedp.NewContext(parent, where, chromedp.WithListener(t.listen))
	return t
}

// show prepares the tab for the pages of a host.
func (t *Tab) show(host string, v View) error {
	if v.Width == 0 {
		v.Width = 1280
	}
	t.mu.Lock()
	t.host, t.width, t.scripts, t.moved = host, v.Width, !v.NoScripts, time.Now()
	t.mu.Unlock()
	metrics := []chromedp.EmulateViewportOption{}
	height := int64(800)
	if v.Width <= widestPhone {
		height = 844
		metrics = append(metrics, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	scheme := "light"
	if v.Dark {
		scheme = "dark"
	}
	err := chromedp.Do(t.ctx,
		chromedp.EmulateViewport(int64(v.Width), height, metrics...),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"}, // nothing moves while it is checked
		}}),
		command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: v.NoScripts}),
		command(audits.Enable, cdp.Empty{}),
		// Else the page loses its focus when another test brings a window to the front. A
		// sibling must not have it: it would never be hidden.
		command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: t.browser != nil}),
	)
	if err != nil {
		t.end()
		return fmt.Errorf("chromium: tab: %w", err)
	}
	return nil
}

// Close closes the tab, with its cookies and what its pages have stored. The browser may
// show it again as a new one: opening a window takes a second of processor time.
func (t *Tab) Close() {
	if t.browser == nil || t.clear() != nil {
		t.end()
		return
	}
	t.browser.mu.Lock()
	defer t.browser.mu.Unlock()
	t.browser.idle = append(t.browser.idle, t)
}

// clear makes the tab as it was when it was opened.
func (t *Tab) clear() error {
	err := t.Do(chromedp.Navigate("about:blank"), command(network.ClearBrowserCookies, cdp.Empty{}),
		command(storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: "http://" + t.host, StorageTypes: "all"}))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults, t.status = nil, 0
	return err
}

// command returns the action that sends one command of the protocol.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// Front makes the tab the one that its window shows.
func (t *Tab) Front() error { return t.Do(command(page.BringToFront, cdp.Empty{})) }

// Do runs actions in the tab, for at most a minute, and waits until the page has settled.
func (t *Tab) Do(actions ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		return err
	}
	t.mu.Lock()
	t.moved = time.Now() // what the actions cause may begin a moment later
	t.mu.Unlock()
	return t.settle(ctx)
}

// Open shows the page of a URL and waits until it has settled: it is loaded, and for a
// moment there are no requests, except streams of events and media.
func (t *Tab) Open(url string) error { return t.Do(chromedp.Navigate(url)) }

// Evaluate returns the value of a JavaScript expression, which may be a promise.
func Evaluate[T any](t *Tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// SetCookie stores a cookie for the pages below a URL.
func (t *Tab) SetCookie(below *url.URL, c *http.Cookie) error {
	return chromedp.Do(t.ctx, command(network.SetCookie, network.SetCookieParams{
		Name: c.Name, Value: c.Value, Domain: below.Hostname(), Path: below.Path, HTTPOnly: new(true), SameSite: network.CookieSameSiteLax,
	}))
}

// Width returns the width of the window, in CSS pixels.
func (t *Tab) Width() int { return t.width }

// Scripts reports whether pages run scripts.
func (t *Tab) Scripts() bool { return t.scripts }

// SetScripts lets pages run scripts, or not, from now on.
func (t *Tab) SetScripts(run bool) error {
	t.scripts = run
	return chromedp.Do(t.ctx, command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !run}))
}

// Upload chooses files in the file input that a CSS selector finds. The input may be gone
// afterwards, since a script replaces it.
func (t *Tab) Upload(selector string, files ...string) error {
	quoted, err := json.Marshal(selector)
	if err != nil {
		return err
	}
	return t.Do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		found, err := cdp.Call(ctx, target, runtime.Evaluate, runtime.EvaluateParams{Expression: "document.querySelector(" + string(quoted) + ")"})
		if err == nil && found.Result.ObjectID == "" {
			err = fmt.Errorf("chromium: no element %s", quoted)
		}
		if err == nil {
			_, err = cdp.Call(ctx, target, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: files, ObjectID: found.Result.ObjectID})
		}
		return chromedp.Void{}, err
	})
}

// Type presses keys that open no page.
func (t *Tab) Type(keys string) error {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	return chromedp.Do(ctx, chromedp.KeyEvent(keys))
}

// Press presses keys, as in "shoes\r". It waits until the page has settled.
func (t *Tab) Press(keys string) error {
	// The answer to an evaluation shows that the page has taken the keys.
	err := t.Do(chromedp.KeyEvent(keys), chromedp.Evaluate[chromedp.Void]("0"))
	if err != nil && strings.Contains(err.Error(), "navigated or closed") {
		return t.Do() // the last key has opened a page before the answer
	}
	return err
}

// Shot writes a picture of the whole page, to at most 4000 pixels of height, as PNG.
func (t *Tab) Shot(file string) error {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	metrics, err := chromedp.Call(ctx, page.GetLayoutMetrics, cdp.Empty{})
	if err != nil {
		return err
	}
	size, view := metrics.CSSContentSize, metrics.CSSLayoutViewport
	shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Format: page.CaptureScreenshotFormatPng, CaptureBeyondViewport: new(true),
		Clip: &page.Viewport{Width: float64(view.ClientWidth), Height: min(max(size.Height, float64(view.ClientHeight)), tallestShot), Scale: 1},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(file, shot.Data, 0o666)
}

// settle waits until the page is loaded and there were no requests for a moment.
func (t *Tab) settle(ctx context.Context) error {
	for {
		rest, loading := t.restless()
		if rest <= 0 {
			// A page that is about to be replaced has no document for a moment.
			if _, err := chromedp.Run(ctx, documentOf); err == nil {
				return nil
			}
			rest = quiet
		}
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return fmt.Errorf("chromium: the page does not settle, loading %q: %w", loading, context.Cause(ctx))
		}
	}
}

func documentOf(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
	_, err := cdp.Call(ctx, t, dom.GetDocument, dom.GetDocumentParams{})
	return chromedp.Void{}, err
}

// restless returns how long the page must still be quiet, and what it loads.
func (t *Tab) restless() (time.Duration, []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.pending) == 0 {
		return quiet - time.Since(t.moved), nil
	}
	var loading []string
	for _, l := range t.pending {
		loading = append(loading, l.uri)
	}
	return quiet, loading
}
