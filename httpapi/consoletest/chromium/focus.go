package chromium

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/chromedp"
)

// Element is an element as people perceive it who do not see the page.
type Element struct {
	Role string // such as "link", "button" or "textbox"
	Name string // such as the text of the link, or the label of the control
}

// String returns the element as in "button Sign in".
func (e Element) String() string { return e.Role + " " + e.Name }

// Focused returns the element that has the focus, and the zero Element if none has. It
// needs no scripts.
func (t *Tab) Focused() (Element, error) {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	for {
		e, err := chromedp.Run(ctx, focused)
		if err == nil || ctx.Err() != nil {
			return e, err
		}
		time.Sleep(quiet) // a script has just replaced the element
	}
}

func focused(ctx context.Context, t *chromedp.Target) (Element, error) {
	document, err := cdp.Call(ctx, t, dom.GetDocument, dom.GetDocumentParams{})
	if err != nil {
		return Element{}, err
	}
	found, err := cdp.Call(ctx, t, dom.QuerySelectorAll, dom.QuerySelectorAllParams{NodeID: document.Root.NodeID, Selector: ":focus"})
	if err != nil || len(found.NodeIDs) == 0 {
		return Element{}, err
	}
	tree, err := cdp.Call(ctx, t, accessibility.GetPartialAXTree, accessibility.GetPartialAXTreeParams{NodeID: found.NodeIDs[0], FetchRelatives: new(false)})
	if err != nil || len(tree.Nodes) == 0 {
		return Element{}, err
	}
	var e Element
	return e, errors.Join(text(tree.Nodes[0].Role, &e.Role), text(tree.Nodes[0].Name, &e.Name))
}

// text decodes a value that is a text.
func text(v *accessibility.Value, to *string) error {
	if v == nil || len(v.Value) == 0 {
		return nil
	}
	return json.Unmarshal(v.Value, to)
}
