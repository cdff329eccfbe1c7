package consoletest

import (
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/httpapi"
)

// tabTo presses Tab until the element has the focus, as in "button Sign in".
func (p *page) tabTo(element string) {
	p.t.Helper()
	var passed []string
	for range 200 {
		p.must(p.tab.Type("\t"))
		e, err := p.tab.Focused()
		p.must(err)
		if e.String() == element {
			return
		}
		passed = append(passed, e.String())
	}
	p.t.Fatalf("no Tab leads to %q, but to:\n%s", element, strings.Join(passed, "\n"))
}

// press presses keys, such as "\r" on the element that has the focus.
func (p *page) press(keys string) {
	p.t.Helper()
	p.must(p.tab.Press(keys))
}

// focused fails the test unless the element has the focus.
func (p *page) focused(want string) {
	p.t.Helper()
	got, err := p.tab.Focused()
	p.must(err)
	if got.String() != want {
		p.t.Errorf("focus: got %q, want %q", got, want)
	}
}

// People who use the keyboard alone sign in, and create a namespace, with and without
// scripts.
func TestKeyboard(t *testing.T) {
	for name, o := range map[string]options{"scripts": {key: noKey}, "no scripts": {key: noKey, noScripts: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := ownServer(t)
			p := open(t, s, "console/", o)
			p.focused("textbox API key")
			p.press(OwnerKey + "\r")
			p.wants("Namespaces")
			p.check()
			p.tabTo("textbox Name")
			p.press("by keyboard")
			p.tabTo("button Create")
			p.press("\r")
			p.wants("The namespace has been created.")
			p.check()
		})
	}
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
