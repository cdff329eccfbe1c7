package consoletest

import "testing"

// screen is a page as it is first shown.
type screen struct {
	name   string   // of the test and the picture
	path   string   // with ids in braces: see seed.Seed.Path
	key    string   // default: OwnerKey
	status int      // default: 200
	wants  []string // texts that the page shows
	known  []string // beginnings of faults that are there
}

var screens = []screen{
	{name: "docs", path: "docs", key: noKey, wants: []string{"POST", "/v1/buckets/list"},
		known: []string{"axe: serious definition-list:", "axe: serious scrollable-region-focusable:"}},
}

// Nothing is wrong with any screen. Each is shown once, with themes and widths in turn, or
// with -long in all four ways.
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
			if !*long && m != n%len(views) {
				continue
			}
			t.Run(screen.name+"/"+view.name, func(t *testing.T) {
				t.Parallel()
				o := view.options
				o.key, o.status = screen.key, screen.status
				p := blank(t, s, o)
				p.allow(screen.known...)
				p.visit(screen.path)
				p.check()
				p.wants(screen.wants...)
				p.shot(screen.name + "-" + view.name)
			})
		}
	}
}
