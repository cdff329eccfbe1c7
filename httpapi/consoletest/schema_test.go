package consoletest

import (
	"testing"

	"github.com/bucketlite/bucketlite"
)

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

// The preview of a change of a large bucket loads which objects would break it, or has a
// button that does.
func TestSchemaPreviewOfLargeBucket(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	ctx := t.Context()
	bucket, err := s.Store.EnsureBucket(ctx, "studio", bucketlite.BucketConfig{Name: "large",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{"n": {Type: bucketlite.Integer}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	inputs := make([]bucketlite.ObjectInput, 1000)
	for i := range 21 {
		for j := range inputs {
			inputs[j] = bucketlite.ObjectInput{Fields: map[string]any{"n": 1000*i + j}}
		}
		if _, err := bucket.PutMany(ctx, inputs, nil); err != nil {
			t.Fatal(err)
		}
	}
	for name, o := range map[string]options{"scripts": {}, "no scripts": {noScripts: true}} {
		t.Run(name, func(t *testing.T) {
			p := open(t, s, "console/n/{studio}/b/"+bucket.ID()+"/schema?change=1", o)
			p.tabTo("DisclosureTriangle More")
			p.press(" ")
			p.tabTo("textbox Largest value, or length")
			p.press("20997\r")
			p.wants("What changes", "tightens")
			if o.noScripts {
				p.check()
				p.tabTo("button Check the objects")
				p.press("\r")
			} else {
				p.until(`document.body.innerText.includes("would break the change")`)
			}
			p.wants("2 objects would break the change")
			p.check()
			p.shot("schema-breaks-" + name)
			p.tabTo("button Back to the form")
			p.press("\r")
			p.wants("Preview the change")
			p.check()
		})
	}
}

// A schema that lacks fields asks about their values.
func TestSchemaLost(t *testing.T) {
	t.Parallel()
	p := open(t, ownServer(t), "console/n/{studio}/b/{studio/products}/schema?change=1", options{})
	p.set("schema", `{"properties": {"sku": {"type": "string", "required": true}}}`)
	p.until(`document.getElementById("lost").innerText.includes("price")`)
	p.check()
	p.shot("schema-lost")
}
