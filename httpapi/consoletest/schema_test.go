package consoletest

import "testing"

// A schema is changed with a preview of what would break, with and without scripts.
func TestSchemaChange(t *testing.T) {
	for name, o := range map[string]options{"scripts": {}, "no scripts": {noScripts: true}, "phone": {width: 390, dark: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t, ownServer(t), "console/n/{studio}/b/{studio/products}/schema?change=1", o)
			p.tabTo("textbox Name") // category
			p.press("kind\r")
			p.wants("What changes", "rewrites", "objects conform to the new schema")
			p.check()
			p.shot("schema-preview-" + name)
			p.tabTo("button Change the schema")
			p.press("\r")
			p.wants("The schema", "changed")
			p.check()
			p.visit("console/n/{studio}/b/{studio/products}/schema?as=json")
		})
	}
}

// The preview of a change of a large bucket loads which objects would break it.
func TestSchemaBreaks(t *testing.T) {
	t.Parallel()
	p := open(t, ownServer(t), "console/n/{studio}/b/{studio/products}/schema?change=1", options{})
	p.set("schema", `{"properties": {"sku": {"type": "string", "required": true}}}`)
	p.until(`document.getElementById("lost").innerText.includes("price")`)
	p.check()
	p.shot("schema-lost")
	p.visit("console/n/{studio}/b/{studio/films}/schema?change=1")
	p.set("schema", `{"properties": {"nothing": {"type": "string"}}}`)
	p.until(`document.querySelectorAll("#lost select").length > 0`)
	p.check()
}
