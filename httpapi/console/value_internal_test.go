package console

import (
	"strings"
	"testing"
)

// TestIndentIsBounded shows that no JSON makes a page a thousand times as long as it is.
func TestIndentIsBounded(t *testing.T) {
	t.Parallel()
	const deep = 9000
	bomb := strings.Repeat("[", deep) + strings.Repeat("1,", 50_000) + "1" + strings.Repeat("]", deep)
	p := &previewPage{Kind: "json"}
	p.fill([]byte(bomb))
	if p.Kind != "json" || len(p.Text) != len(bomb) {
		t.Errorf("got %s of %d bytes, want the JSON as it is", p.Kind, len(p.Text))
	}
	for _, text := range []string{`{"a":[1,{"b":"[,\"{"}],"c":{},"d":[]}`, `[]`, `"a\\"`, `[[["\\",","]]]`} {
		got := indentedText(text)
		if n := indentation(text); len(got)-len(text) > n+strings.Count(text, ":") {
			t.Errorf("%s: got %d more bytes, want at most %d", text, len(got)-len(text), n)
		}
	}
	long := show(strings.Repeat("é", maxText), true)
	if len(long.Text) != maxText || long.Whole != 2*maxText || !long.Long || len(long.Short) > 2*shortText+3 {
		t.Errorf("got %d bytes of %d, %d in short", len(long.Text), long.Whole, len(long.Short))
	}
	if link := show("https://example.com/"+strings.Repeat("a", longText), true); link.Kind != "text" {
		t.Errorf("got %s, want text", link.Kind)
	}
}
