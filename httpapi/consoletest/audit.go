package consoletest

import (
	_ "embed"
	"errors"
	"fmt"

	"github.com/bucketlite/bucketlite/httpapi/consoletest/chromium"
)

//go:embed testdata/axe-core-4.14.1/axe.min.js
var axe string

// Audit returns what is wrong with the page of a tab: violations of the rules of axe, of
// whatever impact, ids that are there twice, and a page that is wider than the window.
func Audit(tab *chromium.Tab) (faults []string, err error) {
	if !tab.Scripts() {
		// The page was made without scripts; axe needs them.
		if err := tab.SetScripts(true); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, tab.SetScripts(false)) }()
	}
	if _, err := chromium.Evaluate[bool](tab, "if (typeof axe !== 'object') {"+axe+"}; true"); err != nil {
		return nil, err
	}
	for _, expression := range []string{fmt.Sprintf("(%s)(%d)", judge, tab.Width()), runAxe} {
		some, err := chromium.Evaluate[[]string](tab, expression)
		if err != nil {
			return nil, err
		}
		faults = append(faults, some...)
	}
	return faults, nil
}

// judge returns faults that axe does not report, in a window of some width.
const judge = `width => {
	const room = Math.min(width, document.documentElement.clientWidth) // which has no scroll bar
	const faults = []
	const ids = new Set()
	for (const e of document.querySelectorAll("[id]")) {
		if (ids.has(e.id)) faults.push("id: " + JSON.stringify(e.id) + " is there twice")
		ids.add(e.id)
	}
	if (document.scrollingElement.scrollWidth > room) {
		const wide = [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > room + 1)
		faults.push("width: " + document.scrollingElement.scrollWidth + " px in a window of " + room + ": " +
			wide.slice(-5).map(e => e.outerHTML.slice(0, 120)).join(" | "))
	}
	return faults
}`

// runAxe runs all rules of axe, and returns a line for each violation.
const runAxe = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v =>
	"axe: " + v.impact + " " + v.id + ": " + v.help + ": " + v.nodes.length + " nodes, such as " +
	v.nodes.slice(0, 3).map(n => n.target.join(" ") + " " + n.html.slice(0, 160) + " " + n.failureSummary.slice(0, 240)).join(" | ")))`
