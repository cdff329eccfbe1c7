package consoletest

import (
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/httpapi/consoletest/seed"
)

// screen is a page as it is first shown.
type screen struct {
	name   string   // of the test and the picture
	path   string   // with ids in braces: see seed.Seed.Path
	key    string   // default: OwnerKey
	status int      // default: 200
	wants  []string // texts that the page shows
	known  []string // beginnings of faults that are there
	trim   string   // what is run on the page in the short form, so that its check takes less time

	variant bool // it differs from others in its data or its key alone: only with -long
}

var screens = []screen{
	{name: "docs", path: "docs", key: noKey, wants: []string{"POST", "/v1/buckets/list"},
		trim: "document.querySelectorAll('article, main dl').forEach((e, n) => n % 12 == 5 || e.remove()), true"},

	{name: "sign in", path: "console/signin", key: noKey, wants: []string{"API key"}},
	{name: "signed out", path: "console/n/{studio}/?after=x", key: noKey, wants: []string{"API key"}},
	{name: "link", path: "console/start?code=spent", key: noKey},
	{name: "no page", path: "console/nowhere", status: 404},
	{name: "no bucket", path: "console/n/{studio}/b/nowhere/", status: 404},
	{name: "other namespace", path: "console/n/{scratch}/", key: StudioKey, status: 404},

	{name: "namespaces", path: "console/?all=1", wants: []string{"studio", "scratch", seed.Hostile}},
	{name: "namespaces reader", path: "console/?all=1", key: ReaderKey, wants: []string{"studio"}},
	{name: "buckets", path: "console/n/{studio}/", wants: []string{"products", "films", "locked", seed.Hostile}},
	{name: "buckets reader", variant: true, path: "console/n/{studio}/", key: ReaderKey, wants: []string{"products"}},
	{name: "bucket new", path: "console/n/{studio}/new", wants: []string{"Schema as JSON", "From a file", "Create a bucket"}},
	{name: "bucket from a file", path: "console/n/{studio}/infer"},
	{name: "import", path: "console/n/{studio}/b/{studio/products}/import", wants: []string{"Import a file"}},
	{name: "buckets none", path: "console/n/{scratch}/"},
	{name: "buckets hostile", path: "console/n/{" + seed.Hostile + "}/", wants: []string{seed.Hostile}},

	{name: "find", variant: true, path: "console/n/{studio}/find?q=prod"},
	{name: "find nothing", path: "console/n/{studio}/find?q=%3Cscript%3Ealert(1)%3C/script%3E"},
	{name: "copy as", path: "console/n/{studio}/b/{studio/products}/copyas?f=price.lt.90&sort=-price", wants: []string{"curl", "Python", "BUCKETLITE_API_KEY"}},
	{name: "growth", path: "console/n/{studio}/b/{studio/products}/growth", wants: []string{"The last 30 days"}},
	{name: "namespace settings", path: "console/n/{studio}/settings", wants: []string{"Delete namespace"}},
	{name: "namespace settings reader", variant: true, path: "console/n/{studio}/settings", key: ReaderKey},
	{name: "import locked", variant: true, path: "console/n/{studio}/b/{studio/locked}/import"},
	{name: "schema", path: "console/n/{studio}/b/{studio/products}/schema", wants: []string{"sku", "Change the schema"}},
	{name: "schema reader", variant: true, path: "console/n/{studio}/b/{studio/products}/schema?as=go", key: ReaderKey, wants: []string{"type Products struct"}},
	{name: "schema typescript", variant: true, path: "console/n/{studio}/b/{studio/products}/schema?as=typescript", wants: []string{"export interface Products"}},
	{name: "schema hostile", path: "console/n/{studio}/b/{studio/hostile}/schema"},
	{name: "schema wide", variant: true, path: "console/n/{studio}/b/{studio/wide}/schema?change=1", wants: []string{"Preview the change"}},
	{name: "schema change", variant: true, path: "console/n/{studio}/b/{studio/products}/schema?change=1", wants: []string{"Preview the change"}},
	{name: "indexes", path: "console/n/{studio}/b/{studio/products}/indexes", wants: []string{"title", "price", "Create index"}},
	{name: "indexes building", path: "console/n/{studio}/b/{studio/indexing}/indexes", wants: []string{"building"}},
	{name: "indexes none", variant: true, path: "console/n/{studio}/b/{studio/empty}/indexes"},
	{name: "indexes reader", variant: true, path: "console/n/{studio}/b/{studio/products}/indexes", key: ReaderKey},
	{name: "settings", path: "console/n/{studio}/b/{studio/products}/settings", wants: []string{"Unique key", "Suspend"}},
	{name: "settings reader", variant: true, path: "console/n/{studio}/b/{studio/products}/settings", key: ReaderKey},
	{name: "settings locked", variant: true, path: "console/n/{studio}/b/{studio/locked}/settings", wants: []string{"Unlock"}},
	{name: "settings archived", variant: true, path: "console/n/{studio}/b/{studio/archived}/settings", wants: []string{"Activate"}},
	{name: "settings hostile", variant: true, path: "console/n/{studio}/b/{studio/hostile}/settings"},

	{name: "objects", path: "console/n/{studio}/b/{studio/products}/"},
	{name: "grid", path: "console/n/{studio}/b/{studio/products}/?view=grid"},
	{name: "grid of films", variant: true, path: "console/n/{studio}/b/{studio/films}/?view=grid", known: []string{"status: 415 "}},
	{name: "grid hostile", variant: true, path: "console/n/{studio}/b/{studio/hostile}/?view=grid"},
	{name: "filter", path: "console/n/{studio}/b/{studio/products}/?f=price.lt.90&f=tags.eq.oak&sort=-price&cols=sku,title,photo&size=20", wants: []string{"price", "oak"}},
	{name: "filter no match", variant: true, path: "console/n/{studio}/b/{studio/products}/?f=sku.eq.nothing", wants: []string{"No object matches"}},
	{name: "filter wrong", path: "console/n/{studio}/b/{studio/products}/?f=price.lt.cheap&where=price+%3C&filter=%7B", status: 400},
	{name: "filter hostile", path: "console/n/{studio}/b/{studio/hostile}/?f=text.eq.%3Cscript%3Ealert(1)%3C/script%3E&q=%22%3E%3Cimg+src=x%3E"},
	{name: "search", path: "console/n/{studio}/b/{studio/products}/?q=walnut", wants: []string{"Walnut"}},
	{name: "oldest of all", variant: true, path: "console/n/{studio}/b/{studio/products}/?sort=created_at&size=100"},
	{name: "bucket settings empty", path: "console/n/{studio}/b/{studio/empty}/settings"},
	{name: "buckets search", variant: true, path: "console/n/{studio}/?q=film&sort=-objects"},
	{name: "objects grid", variant: true, path: "console/n/{studio}/b/{studio/products}/?view=grid&order=oldest", wants: []string{"Oak lamp"}},
	{name: "objects filtered", path: "console/n/{studio}/b/{studio/products}/?f=price.lt.300&f=category.in.lamps,rugs&any=1&sort=-price&size=20", wants: []string{"Clear all"}},
	{name: "objects wrong filter", path: "console/n/{studio}/b/{studio/products}/?f=price.lt.cheap&f=title.regex.(&where=price", status: 400, wants: []string{"want an operator"}},
	{name: "objects no match", path: "console/n/{studio}/b/{studio/products}/?f=price.lt.0.5", wants: []string{"No object matches"}},
	{name: "objects reader", variant: true, path: "console/n/{studio}/b/{studio/products}/", key: ReaderKey},
	{name: "objects none", variant: true, path: "console/n/{studio}/b/{studio/empty}/"},
	{name: "objects hostile", path: "console/n/{studio}/b/{studio/hostile}/"},
	{name: "objects wide", path: "console/n/{studio}/b/{studio/wide}/"},
	{name: "objects damaged", path: "console/n/{studio}/b/{studio/damaged}/", status: 500},
	{name: "objects suspended", path: "console/n/{studio}/b/{studio/suspended}/", status: 403},

	{name: "object", path: "console/n/{studio}/b/{studio/products}/o/{studio/products/lamp-01}/", wants: []string{"LA-1000"}},
	{name: "object reader", variant: true, path: "console/n/{studio}/b/{studio/products}/o/{studio/products/lamp-01}/", key: ReaderKey},
	{name: "object failed", path: "console/n/{studio}/b/{studio/products}/o/{studio/products/chair-03}/"},
	{name: "object of a locked bucket", variant: true, path: "console/n/{studio}/b/{studio/locked}/o/note-1/"},
	{name: "object film", path: "console/n/{studio}/b/{studio/films}/o/clip/"},
	{name: "object sound", variant: true, path: "console/n/{studio}/b/{studio/films}/o/tone/"},
	{name: "object stills", variant: true, path: "console/n/{studio}/b/{studio/films}/o/stills/"},
	{name: "object elsewhere", variant: true, path: "console/n/{studio}/b/{studio/films}/o/elsewhere/"},
	{name: "object broken picture", path: "console/n/{studio}/b/{studio/films}/o/broken/"},
	{name: "object wide", path: "console/n/{studio}/b/{studio/wide}/o/row/"},
	{name: "object damaged", path: "console/n/{studio}/b/{studio/damaged}/o/damaged-second/", status: 500},
	{name: "object none", variant: true, path: "console/n/{studio}/b/{studio/products}/o/nothing/", status: 404},

	{name: "object new", path: "console/n/{studio}/b/{studio/products}/new"},
	{name: "object new as JSON", path: "console/n/{studio}/b/{studio/products}/new?as=json"},
	{name: "object new hostile", variant: true, path: "console/n/{studio}/b/{studio/hostile}/new"},
	{name: "object new locked", path: "console/n/{studio}/b/{studio/locked}/new"},
	{name: "object edit", path: "console/n/{studio}/b/{studio/products}/o/{studio/products/lamp-01}/edit"},
	{name: "object edit as JSON", variant: true, path: "console/n/{studio}/b/{studio/products}/o/{studio/products/lamp-01}/edit?as=json"},
	{name: "object edit hostile", path: "console/n/{studio}/b/{studio/hostile}/o/{studio/hostile/unbroken}/edit"},
	{name: "object edit wide", variant: true, path: "console/n/{studio}/b/{studio/wide}/o/row/edit"},
	{name: "object edit reader", variant: true, path: "console/n/{studio}/b/{studio/products}/o/{studio/products/lamp-01}/edit", key: ReaderKey},

	{name: "uploads of a status", path: "console/n/{studio}/b/{studio/products}/uploads?status=FAILED", wants: []string{"no upload with this status"}},
	{name: "uploads suspended", variant: true, path: "console/n/{studio}/b/{studio/suspended}/uploads"},

	{name: "batches", path: "console/n/{studio}/b/{studio/products}/batches"},
	{name: "batches none", variant: true, path: "console/n/{studio}/b/{studio/empty}/batches"},
	{name: "batch draft", path: "console/n/{studio}/b/{studio/products}/batches/{studio/products/draft}"},
	{name: "batch waiting", variant: true, path: "console/n/{studio}/b/{studio/products}/batches/{studio/products/waiting}"},
	{name: "batch completed", path: "console/n/{studio}/b/{studio/products}/batches/{studio/products/completed}"},
	{name: "batch with errors", path: "console/n/{studio}/b/{studio/products}/batches/{studio/products/some failed}", wants: []string{"the photo has 12 pixels"}},
	{name: "batch with errors reader", variant: true, path: "console/n/{studio}/b/{studio/products}/batches/{studio/products/some failed}", key: ReaderKey},
	{name: "batch failed", variant: true, path: "console/n/{studio}/b/{studio/products}/batches/{studio/products/all failed}"},
	{name: "batch canceled", variant: true, path: "console/n/{studio}/b/{studio/products}/batches/{studio/products/canceled}"},
	{name: "charts", path: "console/n/{studio}/b/{studio/products}/charts"},
	{name: "chart of categories", path: "console/n/{studio}/b/{studio/products}/charts?by=category&metric=avg&of=price&now=1", wants: []string{"lamps"}},
	{name: "chart of days", path: "console/n/{studio}/b/{studio/products}/charts?by=created_at&unit=day&metric=count&now=1"},
	{name: "chart wrong", path: "console/n/{studio}/b/{studio/products}/charts?by=nothing+at+all&metric=avg&of=&where=price+%3C&now=1"},
	{name: "charts empty", variant: true, path: "console/n/{studio}/b/{studio/empty}/charts"},
	{name: "charts hostile", path: "console/n/{studio}/b/{studio/hostile}/charts"},
	{name: "charts suspended", variant: true, path: "console/n/{studio}/b/{studio/suspended}/charts"},

	{name: "schema locked", variant: true, path: "console/n/{studio}/b/{studio/locked}/schema"},

	{name: "indexes hostile", variant: true, path: "console/n/{studio}/b/{studio/hostile}/indexes"},

	{name: "uploads", path: "console/n/{studio}/b/{studio/products}/uploads", wants: []string{"written.jpg"}},
	{name: "uploads none", variant: true, path: "console/n/{studio}/b/{studio/films}/uploads"},
	{name: "uploads reader", variant: true, path: "console/n/{studio}/b/{studio/products}/uploads", key: ReaderKey},
	{name: "uploads hostile", path: "console/n/{studio}/b/{studio/hostile}/uploads"},
	{name: "uploads without a file field", variant: true, path: "console/n/{studio}/b/{studio/empty}/uploads"},
	{name: "uploads locked", variant: true, path: "console/n/{studio}/b/{studio/locked}/uploads"},

	{name: "live", path: "console/n/{studio}/b/{studio/products}/live"},
	{name: "live paused", path: "console/n/{studio}/b/{studio/products}/live?from=start&paused=1", wants: []string{"object created", "lamp-01"}},
	{name: "live hostile", path: "console/n/{studio}/b/{studio/hostile}/live?from=start&kind=object.", key: ReaderKey},

	{name: "tasks", path: "console/n/{studio}/tasks", wants: []string{"gone"}},
	{name: "task", path: "console/n/{studio}/tasks/{task}"},

	{name: "store", path: "console/store"},
	{name: "store reader", path: "console/store", key: ReaderKey, status: 403},

	{name: "objects locked", variant: true, path: "console/n/{studio}/b/{studio/locked}/"},
}

// Nothing is wrong with any screen. Each that is not a variant is shown once, with themes
// and widths in turn. With -long all are shown, in all four ways.
func TestScreens(t *testing.T) {
	s := sharedServer(t)
	views := []struct {
		name string
		options
	}{
		{"light-1280", options{}}, {"dark-390", options{dark: true, width: 390}},
		{"dark-1280", options{dark: true}}, {"light-390", options{width: 390}},
	}
	for n, screen := range screens {
		for m, view := range views {
			if !*long && (screen.variant || m != n%len(views)) {
				continue
			}
			t.Run(screen.name+"/"+view.name, func(t *testing.T) {
				t.Parallel()
				o := view.options
				o.key, o.status = screen.key, screen.status
				p := blank(t, s, o)
				p.allow(screen.known...)
				p.visit(screen.path)
				p.wants(screen.wants...)
				if screen.trim != "" && !*long {
					eval[bool](p, screen.trim)
				}
				p.check()
				p.shot(strings.ReplaceAll(screen.name, " ", "-") + "-" + view.name)
			})
		}
	}
}
