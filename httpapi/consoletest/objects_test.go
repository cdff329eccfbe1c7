package consoletest

import (
	"context"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// scripted is what the browser says of pages that the clicks of a script lead to.
const scripted = `issue: GenericIssue {"genericIssueDetails":{"errorType":"NavigationEntryMarkedSkippable"`

// do runs a statement on the page.
func (p *page) do(statement string) {
	p.t.Helper()
	eval[bool](p, "(() => {"+statement+"; return true })()")
}

// is fails the test unless an expression holds on the page.
func (p *page) is(expression string) {
	p.t.Helper()
	if !eval[bool](p, expression) {
		p.t.Errorf("the page is not so that %s", expression)
	}
}

// The list of objects is filtered, and its objects are chosen and deleted, with the help of
// its scripts.
func TestObjectList(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	p := open(t, s, "console/n/{studio}/b/{studio/products}/", options{})
	p.allow(scripted)
	p.do(`window.set = (id, value) => { const e = document.getElementById(id); e.value = value; e.dispatchEvent(new Event("change", { bubbles: true })) }`)
	p.do(`document.getElementById("filter").open = true; set("p0", "category")`)
	p.is(`document.getElementById(document.getElementById("v0").getAttribute("list")).children.length === 5`)
	p.do(`set("p0", "price")`)
	p.is(`document.getElementById("v0").type === "number"`)
	p.do(`set("o0", "exists")`)
	p.is(`document.getElementById("v0").hidden`)
	p.do(`set("o0", "lt"); document.querySelector("[data-add]").click()`)
	p.is(`document.querySelectorAll("[data-condition]").length === 2 && document.activeElement.name === "p"`)
	p.check()
	p.do(`document.querySelectorAll("[data-remove]")[1].click()`)
	p.is(`document.querySelectorAll("[data-condition]").length === 1`)
	p.do(`set("v0", "30"); document.querySelector("#rows-form .primary").click()`)
	p.wants("Clear all")
	p.check()

	p.do(`document.querySelectorAll("input[name='id']").forEach((box, i) => i < 2 && box.click())`)
	p.wants("2 chosen")
	p.check()
	p.do(`document.getElementById("all-page").click()`)
	p.is(`document.getElementById("chosen").textContent === document.querySelectorAll("input[name='id']").length + " chosen"`)
	p.do(`document.getElementById("all-page").click()`)
	p.is(`document.querySelector("button[value='delete']").disabled`)
	p.do(`document.querySelector("input[name='id']").click(); document.querySelector("button[value='delete']").click()`)
	p.wants("Delete 1 object of products?")
	p.check()
	p.do(`document.querySelector("button.danger").click()`)
	p.wants("The objects have been deleted.")
	p.is(`location.search.startsWith("?f=price.lt.30")`)
	p.check()
}

// The list shows itself as code, and tells of changes without moving its rows.
func TestObjectListParts(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	p := open(t, s, "console/n/{studio}/b/{studio/products}/?size=20", options{dark: true, width: 390})
	p.allow(scripted)
	p.do(`document.querySelector("[hx-target='#samples']").click()`)
	p.wants("BUCKETLITE_API_KEY")
	p.check()
	p.do(`document.querySelector("[hx-target='#samples']").click()`)
	p.is(`document.getElementById("samples").children.length === 0`)

	first := eval[string](p, `document.querySelector("[data-rows] input").value`)
	_, b, err := s.Store.OpenBucket(context.Background(), "studio", "products")
	p.must(err)
	_, err = b.Put(context.Background(), bucketlite.ObjectInput{Fields: map[string]any{"sku": "LA-9999", "title": "A new lamp"}}, nil)
	p.must(err)
	p.wants("1 change since")
	if got := eval[string](p, `document.querySelector("[data-rows] input").value`); got != first {
		t.Errorf("got %q as the first row, want %q as before", got, first)
	}
	p.check()
	p.do(`document.querySelector("[data-reload]").click()`)
	p.wants("LA-9999")

	// A part that takes long.
	p.do(`const fetch = window.fetch; window.fetch = (address, o) => new Promise((done, fail) => {
		o.signal?.addEventListener("abort", () => fail(o.signal.reason));
		setTimeout(() => o.signal?.aborted || fetch(address, o).then(done, fail), 4000);
	});
	const total = document.getElementById("total");
	total.outerHTML = '<span id="total" hx-get="count?f=price.lt.30" hx-trigger="load" hx-swap="outerHTML" aria-busy="true" data-slow><span data-after hidden>Counting… <button type="button" class="plain" data-cancel>Cancel</button></span></span>';
	htmx.process(document.getElementById("total"));
	document.dispatchEvent(new CustomEvent("htmx:after:swap"))`)
	p.wants("Counting…")
	p.do(`document.querySelector("[data-cancel]").click()`)
	p.wants("Canceled – try again")
	p.check()
}
