package console_test

import (
	"context"
	"go/format"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// schemaPlace makes a bucket with objects, and returns the path of its schema.
func (s *server) schemaPlace(t *testing.T) (path string, b *bucketlite.Bucket) {
	t.Helper()
	at, buckets := s.place(t, "shop", "lamps")
	putMany(t, buckets[0], 5)
	return at + "b/" + buckets[0].ID() + "/schema", buckets[0]
}

func TestSchemaForms(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, err := s.store.CreateNamespace(context.Background(), bucketlite.NamespaceConfig{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	schema, err := bucketlite.ParseSchema([]byte(`{"additionalProperties": false, "properties": {
		"sku": {"type": "string", "required": true, "maxLength": 12, "description": "*/ the \"code\""},
		"price": {"type": "number", "minimum": 0, "default": 1.5}, "size": {"type": "object", "properties": {"h-mm": {"type": "integer"}}},
		"colours": {"type": "array", "items": {"type": "string", "enum": ["red", "green"]}}, "day": {"type": "date"}, "at": {"type": "datetime"},
		"photo": {"type": "image"}, "any": {"type": "object"}, "ok": {"type": "boolean"}, "b|c": {"type": "string", "pattern": "^[a,b|]+$"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.CreateBucket(context.Background(), bucketlite.BucketConfig{Name: "desk lamps", Schema: schema, UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}}})
	if err != nil {
		t.Fatal(err)
	}
	path := "n/" + ns.ID() + "/b/" + b.ID() + "/schema"
	browser := s.browser(t, allKey)
	browser.get(path).wants(http.StatusOK, "<code>size.h-mm</code>", "array of string", "maxLength: 12", "Version 1", `class="pill">key`, "Change the schema")
	browser.get(path+"?as=json").wants(http.StatusOK, "&#34;maxLength&#34;: 12")
	for as, want := range map[string][]string{
		"go": {"type DeskLamps struct {", "SKU ", "type DeskLampsSize struct", `bucketlite:"required,maxLength=12"`, "[]string", `enum=red|green`, "bucketlite.Blob", `type=image`, "pattern='^[a,b|]+$'"},
		"typescript": {"export interface DeskLamps {", "sku: string;", "price?: number;", `"h-mm"?: number;`, `colours?: Array<"red" | "green">;`, "// photo: image, in blobs",
			"the \"code\" */"},
	} {
		text := browser.get(path + "?as=" + as).wants(http.StatusOK).text
		_, text, _ = strings.Cut(text, `<pre id="text" tabindex="0" aria-label="Schema">`)
		text, _, _ = strings.Cut(text, "</pre>")
		text = strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&#43;", "+", "&amp;", "&").Replace(text)
		for _, word := range want {
			if !strings.Contains(text, word) {
				t.Errorf("%s: got %s, want %q in it", as, text, word)
			}
		}
		if as == "go" {
			if got, err := format.Source([]byte(text)); err != nil || string(got) != text {
				t.Errorf("got Go of another form, or none: %v\n%s\nwant\n%s", err, text, got)
			}
		}
	}
	s.browser(t, readsKey).get(path).wants(http.StatusOK).lacks("Change the schema")
	s.browser(t, readsKey).get(path + "?change=1").wants(http.StatusOK).lacks("Preview the change")
	s.browser(t, readsKey).post(path, url.Values{"do": {"preview"}}).wants(http.StatusForbidden)
}

// change returns a form that gives the bucket of schemaPlace a schema.
func changed(do, schema string, more ...string) url.Values {
	form := url.Values{"do": {do}, "version": {"1"}, "schema": {schema}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Add(more[i], more[i+1])
	}
	return form
}

// TestSchemaPreview shows what a preview says of changes, and that it changes nothing.
func TestSchemaPreview(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	path, b := s.schemaPlace(t)
	browser := s.browser(t, allKey)
	for _, tt := range []struct {
		name   string
		form   url.Values
		status int
		want   []string
		not    string
	}{
		{"nothing", changed("preview", `{"properties":{"sku":{"type":"string","required":true},"price":{"type":"number"}}}`), http.StatusOK, []string{"there is nothing to change"}, "What changes"},
		{"loosens", changed("preview", `{"properties":{"sku":{"type":"string"},"price":{"type":"number"}}}`), http.StatusOK, []string{"What changes", ">loosens<", "at once"}, "conform to the new schema.</p>"},
		{"tightens, and all conform", changed("preview", `{"properties":{"sku":{"type":"string","required":true},"price":{"type":"integer"}}}`), http.StatusOK, []string{">tightens<", "All 5 objects conform"}, "would break"},
		{"tightens, and some do not", changed("preview", `{"properties":{"sku":{"type":"string","required":true},"price":{"type":"number","maximum":2}}}`), http.StatusOK, []string{"2 objects would break the change", "/o/obj_", "<code>price</code>"}, "conform to the new schema.</p>"},
		{"a field is missing", changed("preview", `{"properties":{"sku":{"type":"string","required":true}}}`), http.StatusUnprocessableEntity, []string{"Choose first what to do", `<code>price</code>`, `value="drop"`}, "What changes"},
		{"a field is dropped", changed("preview", `{"properties":{"sku":{"type":"string","required":true}}}`, "lost-path", "price", "lost-as", "drop"), http.StatusOK, []string{"dropped", ">rewrites<"}, "Choose first"},
		{"a field is renamed", changed("preview", `{"properties":{"sku":{"type":"string","required":true},"cost":{"type":"number"}}}`, "lost-path", "price", "lost-as", "to cost"), http.StatusOK, []string{"renamed from", `value="to cost"`}, "Choose first"},
		{"a row is renamed", url.Values{"do": {"preview"}, "version": {"1"}, "rows": {"2"}, "f0-name": {"sku"}, "f0-was": {"sku"}, "f0-type": {"string"}, "f0-required": {"on"}, "f1-name": {"cost"}, "f1-was": {"price"}, "f1-type": {"number"}}, http.StatusOK, []string{"renamed from"}, "Choose first"},
		{"not valid", changed("preview", `{"properties":{"sku":{"type":"strng"},"price":{"type":"number"}}}`), http.StatusUnprocessableEntity, []string{"did you mean"}, "What changes"},
		{"another version", changed("preview", `{"properties":{"sku":{"type":"string","required":true},"price":{"type":"integer"}}}`, "version", "1"), http.StatusOK, []string{`name="version" value="1"`}, "xxx"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			browser.post(path, tt.form).wants(tt.status, tt.want...).lacks(tt.not)
		})
	}
	info, err := b.Info(context.Background())
	if err != nil || info.SchemaVersion != 1 {
		t.Errorf("got schema version %d, %v, want 1", info.SchemaVersion, err)
	}
}

func TestSchemaChange(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	path, b := s.schemaPlace(t)
	browser := s.browser(t, allKey)
	browser.get(path+"?change=1").wants(http.StatusOK, `name="f1-was" value="sku"`, "Preview the change").lacks(`name="f0-key"`, `name="f0-index"`)
	broken := changed("change", `{"properties":{"sku":{"type":"string","required":true},"price":{"type":"number","maximum":2}}}`)
	browser.post(path, broken).wants(http.StatusUnprocessableEntity, "was not changed", "2 objects would break")
	browser.get(path).wants(http.StatusOK, "The last change did not happen: 2 objects would break it", "/o/obj_", "Version 1")
	renamed := changed("change", `{"properties":{"sku":{"type":"string","required":true},"cost":{"type":"number"}}}`, "lost-path", "price", "lost-as", "to cost")
	browser.post(path, renamed).wants(http.StatusSeeOther, "schema?done=schema-chang")
	if _, err := b.ChangeSchema(context.Background(), bucketlite.Schema{Properties: map[string]bucketlite.Field{"sku": {Type: bucketlite.String, Required: true}, "cost": {Type: bucketlite.Number}}},
		&bucketlite.SchemaChangeOptions{Rename: map[string]string{"price": "cost"}}); err != nil {
		t.Fatal(err) // it waits for a change that takes longer
	}
	browser.get(path+"?done=schema-changed").wants(http.StatusOK, "Version 2", "<code>cost</code>", "has been changed").lacks("did not happen")
	stale := changed("change", `{"properties":{"sku":{"type":"string"},"cost":{"type":"number"}}}`)
	browser.post(path, stale).wants(http.StatusConflict, "version")
	fresh := changed("change", `{"properties":{"sku":{"type":"string"},"cost":{"type":"number"}}}`)
	fresh.Set("version", "2")
	browser.post(path, fresh).wants(http.StatusSeeOther, "schema-changed")
	browser.post(path, url.Values{"do": {"cancel"}, "task": {"task_x"}}).wants(http.StatusConflict, "has ended")
	if err := b.Archive(context.Background()); err != nil {
		t.Fatal(err)
	}
	browser.get(path+"?change=1").wants(http.StatusOK, "archived").lacks("Preview the change")
	fresh = changed("change", `{"properties":{"sku":{"type":"string"},"cost":{"type":"float"}}}`)
	fresh.Set("version", "3")
	browser.post(path, fresh).wants(http.StatusForbidden, "ARCHIVED")
}

// TestSchemaParts shows what scripts are given.
func TestSchemaParts(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	path, _ := s.schemaPlace(t)
	browser := s.browser(t, allKey)
	header := http.Header{"Hx-Request": {"true"}, "Sec-Fetch-Site": {"same-origin"}}
	tight := `{"properties":{"sku":{"type":"string","required":true},"price":{"type":"number","maximum":2}}}`
	browser.do("POST", path, changed("objects", tight), header).wants(http.StatusOK, `id="object-faults"`, "2 objects would break").lacks("<main", "What changes")
	browser.do("POST", path, changed("check", tight), header).wants(http.StatusOK, `id="fields"`, "Nothing is wrong").lacks("<main")
	browser.do("POST", path, changed("check", `{"properties":{}}`), header).wants(http.StatusOK, `id="lost"`, "<code>price</code>").lacks("Nothing is wrong")
	browser.get(path).wants(http.StatusOK)
}
