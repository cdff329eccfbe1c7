package consoletest

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/httpapi"
)

// tabTo presses Tab until the element has the focus, as in "button Sign in".
func (p *page) tabTo(element string) {
	p.t.Helper()
	var passed []string
	for len(passed) < 200 {
		e, err := p.tab.Focused()
		p.must(err)
		if e.String() == element {
			return
		}
		p.must(p.tab.Type("\t"))
		passed = append(passed, e.String())
		if len(passed) > 2 && passed[0] == passed[len(passed)-2] && passed[1] == passed[len(passed)-1] {
			break // once around
		}
	}
	p.t.Fatalf("no Tab leads to %q, but to %q, on:\n%s", element, passed, eval[string](p, "document.body.innerText"))
}

// press presses keys, such as "\r" on the element that has the focus.
func (p *page) press(keys string) {
	p.t.Helper()
	p.must(p.tab.Press(keys))
}

// focused fails the test unless the element has the focus, now or soon.
func (p *page) focused(want string) {
	p.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		got, err := p.tab.Focused()
		p.must(err)
		if got.String() == want {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("focus: got %q, want %q", got, want)
		}
	}
}

// enter presses Tab until the element has the focus, and then Enter.
func (p *page) enter(element string) {
	p.t.Helper()
	p.tabTo(element)
	p.press("\r")
}

// People who use the keyboard alone sign in, create a bucket, and in it an object with a
// picture, which they find and delete: with and without scripts.
func TestKeyboard(t *testing.T) {
	for name, o := range map[string]options{"scripts": {key: noKey}, "no scripts": {key: noKey, noScripts: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := ownServer(t)
			p := open(t, s, "console/", o)
			p.focused("textbox API key")
			p.press(OwnerKey + "\r")
			p.wants("Namespaces")

			p.enter("link scratch")
			p.enter("link Create bucket")
			p.check()
			p.tabTo("textbox Name")
			p.press("trees")
			p.tabTo("textbox New field")
			p.press("title")
			p.tabTo("combobox Type")
			p.press("string")
			p.enter("button Add a field")
			p.tabTo("textbox New field")
			p.press("photo")
			p.tabTo("combobox Type")
			p.press("image")
			p.check()
			p.enter("button Create bucket")
			p.wants("trees", "active")
			p.check()

			p.enter("link New object")
			p.tabTo("textbox title string")
			p.press("An oak by keyboard")
			p.must(p.tab.Upload("input[type=file]", photo(t)))
			p.check()
			p.enter("button Create object")
			p.wants("An oak by keyboard", "oak.png")
			p.check()

			p.enter("link trees")
			p.tabTo("searchbox Search in texts")
			p.press("keyboard\r")
			p.wants("An oak by keyboard")
			p.check()
			p.enter("link oak.png")
			p.enter("DisclosureTriangle Delete")
			p.enter("button Delete object")
			p.wants("trees", "deleted")
			p.check()
		})
	}
}

// Single keys go from row to row, select rows and open them, from a checkbox too.
func TestShortcuts(t *testing.T) {
	t.Parallel()
	p := open(t, sharedServer(t), "console/n/{studio}/b/{studio/products}/", options{})
	p.press("jjxjx")
	eval[any](p, "document.querySelector('input[name=id]:checked').focus()")
	p.press("jx")
	if got := eval[int](p, "document.querySelectorAll('input[name=id]:checked').length"); got != 3 {
		t.Errorf("got %d objects selected, want 3", got)
	}
	p.press("\r")
	p.wants("Edit")
	p.press("e")
	p.wants("Save")
	p.check()
}

// photo writes a small picture, and returns the name of the file.
func photo(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 20, 20))); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "oak.png")
	if err := os.WriteFile(name, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// The link that serve prints begins a session by one button, once.
func TestStartLink(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	link := s.Console.StartPath(s.Handler.AccessOf(httpapi.Key{Secret: OwnerKey}))
	open(t, s, link, options{key: noKey}) // as a preview of the link does, which does not use it up
	p := open(t, s, link, options{key: noKey, noScripts: true})
	p.focused("button Continue")
	p.press("\r")
	p.wants("Namespaces")
	p.check()
	open(t, s, link, options{key: noKey}).wants("This link has been used")
}
