package consoletest

import (
	"context"
	"strings"
	"testing"
)

const (
	createNamespace = "create_namespace_v1_namespaces_post"
	listObjects     = "list_objects_v1_buckets__bucket_identifier__objects_list_post"
)

// opened returns a JavaScript expression of the text of an operation's panel.
func opened(id string) string { return "document.querySelector('#" + id + " .try').innerText" }

// The page of the API filters its contents, shows all samples in one language, and sends
// requests, behind a proxy too.
func TestDocs(t *testing.T) {
	t.Parallel()
	s := behindProxy(t, "/a/b", nil)
	p := blank(t, s, options{key: noKey})
	p.visit("docs")

	p.press("/")
	p.focused("searchbox Filter the contents")
	p.press("objects/aggregate")
	if got := eval[[]string](p, "[...document.querySelectorAll('nav ul ul a')].filter(e => e.checkVisibility()).map(e => e.textContent)"); len(got) != 1 || got[0] != "Aggregate objects" {
		t.Errorf("contents: got %q, want the one operation", got)
	}
	p.press("\r")
	if got := eval[string](p, "location.hash"); got != "#aggregate_objects_v1_buckets__bucket_identifier__objects_aggregate_post" {
		t.Errorf("Enter in the filter: got %s", got)
	}

	eval[bool](p, "document.querySelectorAll('.samples summary')[1].click(), true")
	if got := eval[string](p, "[...new Set([...document.querySelectorAll('.samples details[open] summary')].map(e => e.textContent))].join()"); got != "Python" {
		t.Errorf("samples: got %s, want Python", got)
	}

	// The parts that are not tried are removed, so that the audits take less time.
	eval[bool](p, `document.querySelectorAll("article").forEach(e => ["`+createNamespace+`", "`+listObjects+`"].includes(e.id) || e.remove()), true`)
	eval[bool](p, "document.querySelector('#"+listObjects+" .open-try').click(), true")
	p.must(p.tab.Do())
	p.focused("textbox API key")
	p.press("a wrong key")
	p.tabTo("textbox bucket_identifier")
	p.press("products")
	p.tabTo("textbox X-Namespace")
	p.press("studio")
	p.tabTo("button Send")
	p.allow("status: 401 ", "console: ")
	p.press("\r")
	if got := eval[string](p, opened(listObjects)); !strings.Contains(got, "401") || !strings.Contains(got, `"UnauthorizedError"`) {
		t.Errorf("with a wrong key: got %q", got)
	}
	eval[bool](p, "document.querySelector('#"+listObjects+" [name=key]').select(), document.querySelector('#"+listObjects+" [name=key]').focus(), true")
	p.press(OwnerKey + "\r")
	if got := eval[string](p, opened(listObjects)); !strings.Contains(got, "200") || !strings.Contains(got, `"total_objects": `) {
		t.Errorf("a list: got %q", got)
	}
	p.check()
	p.shot("docs-try")

	eval[bool](p, "document.querySelector('#"+createNamespace+" .open-try').click(), true")
	p.must(p.tab.Do())
	p.tabTo("button Send")
	p.press("\r")
	if got := eval[string](p, opened(createNamespace)); strings.Contains(got, " ms") {
		t.Errorf("a change that is not ticked: got %q", got)
	}
	p.focused("checkbox This request changes the store")
	p.press(" ")
	p.tabTo("button Send")
	p.press("\r")
	if got := eval[string](p, opened(createNamespace)); !strings.Contains(got, "200") || !strings.Contains(got, `"namespace_name": "production"`) {
		t.Errorf("a change: got %q", got)
	}
	if _, err := s.Store.Namespace(context.Background(), "production"); err != nil {
		t.Error(err)
	}
	if got := eval[string](p, "JSON.stringify([localStorage, sessionStorage])"); strings.Contains(got, OwnerKey) {
		t.Errorf("the browser stores the key: %s", got)
	}
	p.check()
}

// Without scripts the page of the API has all samples, and no controls that do nothing.
func TestDocsWithoutScripts(t *testing.T) {
	t.Parallel()
	p := blank(t, sharedServer(t), options{key: noKey, noScripts: true, width: 390})
	p.visit("docs")
	p.quiet()
	p.must(p.tab.SetScripts(true))
	if got := eval[int](p, "document.querySelectorAll('button, input').length"); got != 0 {
		t.Errorf("got %d controls, want none", got)
	}
	if got, want := eval[int](p, "document.querySelectorAll('.samples pre').length"), 4*eval[int](p, "document.querySelectorAll('.samples').length"); got != want || got == 0 {
		t.Errorf("got %d samples, want %d", got, want)
	}
}
