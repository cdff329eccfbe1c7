package consoletest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// set types a value into a control, or chooses it, as far as scripts notice.
func (p *page) set(id, value string) {
	p.t.Helper()
	eval[bool](p, fmt.Sprintf(`(() => { const c = document.getElementById(%q); c.focus(); c.value = %q; c.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`, id, value))
}

// While somebody edits the fields of a schema the JSON follows, and the fields follow the
// JSON.
func TestSchemaBothSides(t *testing.T) {
	t.Parallel()
	p := open(t, ownServer(t), "console/n/{studio}/new", options{})
	p.set("f0-name", "sku")
	p.until(`document.getElementById("f0-wrong").innerText.includes("type")`)
	p.set("f0-type", "string")
	p.until(`document.getElementById("schema").value.includes('"sku": {') && document.getElementById("f0-wrong").innerText === ""`)
	if got := eval[string](p, "document.activeElement.id"); got != "f0-type" {
		t.Errorf("focus: got %q, want %q", got, "f0-type")
	}
	p.set("schema", `{"properties": {"sku": {"type": "string"}, "price": {"type": "number", "minimum": 0}}}`)
	p.until(`document.getElementById("f0-name").value === "price" && document.getElementById("f0-min").value === "0"`)
	p.set("schema", `{"properties"`)
	p.until(`document.getElementById("verdict").innerText.includes("cut short")`)
	if got := eval[string](p, `document.getElementById("f1-name").value`); got != "sku" {
		t.Errorf("the second field while the JSON is none: got %q, want %q", got, "sku")
	}
	p.set("schema", `{"properties": {}}`)
	p.until(`document.getElementById("f0-name").value === ""`)
	eval[bool](p, `document.getElementById("add-field").click() ?? true`)
	p.check()
}

// A file of each form becomes a bucket with all its objects, in batches. Refused records
// can be downloaded with its lines.
func TestCreateFromFile(t *testing.T) {
	for _, tt := range []struct {
		name string
		file func() string
		bad  string // line of the refused record
		done string
	}{
		{"lamps.jsonl", func() string {
			var b strings.Builder
			for i := range 1250 {
				fmt.Fprintf(&b, "{\"sku\": \"s%d\", \"note\": \"a, \\\"b\\\"\"}\r\n", i)
				if i == 1100 {
					b.WriteString("\n{\"sku\": 5}\n")
				}
			}
			return b.String()
		}, "1,103", "Done: 1,250 created, 1 refused."},
		{"lamps.csv", func() string {
			var b strings.Builder
			b.WriteString("sku,note\nq,5\" wide\n")
			for i := range 1250 {
				fmt.Fprintf(&b, "s%d,\"a\n\"\"b\"\"\"\n", i)
				if i == 1100 {
					b.WriteString("x,y,z\n")
				}
			}
			return b.String()
		}, "2,205", "Done: 1,251 created, 1 refused."},
		{"lamps.json", func() string {
			var b strings.Builder
			b.WriteString("[")
			for i := range 1250 {
				fmt.Fprintf(&b, "\n  {\"sku\": \"s%d\", \"note\": [\"]\", {\"a\": \"\\\"}\"}]},", i)
				if i == 1100 {
					b.WriteString("\n  {\"sku\": 5},")
				}
			}
			return strings.TrimSuffix(b.String(), ",") + "\n]\n"
		}, "1,103", "Done: 1,250 created, 1 refused."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), tt.name)
			if err := os.WriteFile(path, []byte(tt.file()), 0o600); err != nil {
				t.Fatal(err)
			}
			p := open(t, ownServer(t), "console/n/{studio}/new", options{})
			p.must(p.tab.Upload("#infer-file", path))
			p.until(`!!document.getElementById("found") && !document.getElementById("create-import").hidden`)
			p.wants("1,000 records of "+tt.name, "all 1,000 are texts")
			p.check()
			p.set("name", "from "+tt.name)
			eval[bool](p, `document.getElementById("create-import").click() ?? true`)
			p.until(`document.getElementById("importing-text").innerText.startsWith("Done")`)
			p.wants(tt.done, "Line "+tt.bad+": ", "Download the refused record")
			p.check()
			p.focused("link Open the bucket")
			p.visit(eval[string](p, `new URL(document.getElementById("importing-open").href).pathname`))
			p.wants("from " + tt.name)
		})
	}
}

// The list of buckets is searched and filtered, and its address says how.
func TestBucketSearch(t *testing.T) {
	t.Parallel()
	p := open(t, sharedServer(t), "console/n/{studio}/", options{})
	p.tabTo("searchbox Search buckets")
	p.press("film\r")
	p.wants("films")
	if got := eval[string](p, "location.search"); !strings.Contains(got, "q=film") {
		t.Errorf("address: got %q, want the search in it", got)
	}
	p.check()
	p.visit("console/n/{studio}/")
	p.tabTo("combobox State")
	p.press("Ar")
	p.tabTo("button Search")
	p.press("\r")
	p.wants("archived")
	if got := eval[string](p, `document.getElementById("list").innerText`); strings.Contains(got, "films") {
		t.Errorf("archived buckets: got %s, want no films", got)
	}
	p.check()
}
