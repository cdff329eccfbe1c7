package schema_test

import (
	"maps"
	"testing"

	"github.com/bucketlite/bucketlite/internal/schema"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"name":{"type":"string","required":true},"n":{"type":"integer","default":1},"file":{"type":"image","required":true},
		"files":{"type":"array","items":{"type":"image"},"maxItems":2},"kind":{"type":"string","enum":["a","b"]},
		"at":{"type":"object","properties":{"x":{"type":"integer","default":7}},"additionalProperties":false}}`)
	file := []schema.Blob{{Property: "file", Type: schema.Image}}
	for name, test := range map[string]struct {
		doc    string
		beside *schema.Beside
		v      schema.Validation
		want   string // "": as given
		faults map[string]string
	}{
		"complete":           {doc: `{"name":"a","n":2}`, beside: &schema.Beside{Blobs: file}},
		"default":            {doc: `{"name":"a"}`, beside: &schema.Beside{Blobs: file}, want: `{"n":1,"name":"a"}`},
		"default for null":   {doc: `{"name":"a","n":null}`, beside: &schema.Beside{Blobs: file}, want: `{"n":1,"name":"a"}`},
		"default within":     {doc: `{"name":"a","n":2,"at":{}}`, beside: &schema.Beside{Blobs: file}, want: `{"at":{"x":7},"n":2,"name":"a"}`},
		"no defaults":        {doc: `{"name":"a","at":{}}`, beside: &schema.Beside{Blobs: file}, v: schema.Validation{NoDefaults: true}},
		"null goes":          {doc: `{"name":"a","n":2,"kind":null}`, beside: &schema.Beside{Blobs: file}, want: `{"n":2,"name":"a"}`},
		"undeclared":         {doc: `{"name":"a","n":2,"other":[null]}`, beside: &schema.Beside{Blobs: file}},
		"undeclared within":  {doc: `{"name":"a","n":2,"at":{"y":1}}`, beside: &schema.Beside{Blobs: file}, faults: map[string]string{"at.y": "additionalProperties"}},
		"wrong type":         {doc: `{"name":1}`, beside: &schema.Beside{Blobs: file}, faults: map[string]string{"name": "type"}},
		"not in the enum":    {doc: `{"name":"a","kind":"c"}`, beside: &schema.Beside{Blobs: file}, faults: map[string]string{"kind": "enum"}},
		"nothing beside":     {doc: `{"name":"a"}`, faults: map[string]string{"file": "required"}},
		"blobs to come":      {doc: `{"n":2}`, beside: &schema.Beside{Partial: true}},
		"at the root too":    {doc: `{"name":"a","file":"x"}`, beside: &schema.Beside{Blobs: file}, faults: map[string]string{"file": "property"}},
		"file as a value":    {doc: `{"name":"a","file":"x"}`, faults: map[string]string{"file": "type"}},
		"null item":          {doc: `{"name":"a","files":[null]}`, beside: &schema.Beside{Blobs: file}, faults: map[string]string{"files[0]": "type"}},
		"required and null":  {doc: `{"name":null,"n":2}`, beside: &schema.Beside{Blobs: file}, faults: map[string]string{"name": "required"}},
		"too many files":     {doc: `{"name":"a"}`, beside: &schema.Beside{Blobs: append(blobs("files", "files", "files"), file...)}, faults: map[string]string{"files": "maxItems"}},
		"as many as allowed": {doc: `{"name":"a","n":2}`, beside: &schema.Beside{Blobs: append(blobs("files", "files"), file...)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := object(t, test.doc)
			given := maps.Clone(doc)
			out, changed := p.Validate(&test.v, nil, doc, test.beside)
			wantFaults(t, test.v.List, test.faults)
			if !maps.EqualFunc(doc, given, func(a, b any) bool { return string(appendJSON(a)) == string(appendJSON(b)) }) {
				t.Errorf("the given document became %v", doc)
			}
			if test.faults != nil {
				return
			}
			if changed != (test.want != "") {
				t.Errorf("changed: got %t, want %t", changed, test.want != "")
			}
			if test.want == "" {
				test.want = string(appendJSON(given))
			}
			wantJSON(t, out, test.want)
		})
	}
}

// A blob that is not known yet can supply a required field, unless the field is part of
// the key: that stands at the root.
func TestPartialNeedsTheKey(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"id":{"type":"string"},"file":{"type":"image","required":true}}`)
	k := compileKey(t, p, "id")
	var v schema.Validation
	p.Validate(&v, nil, map[string]any{}, &schema.Beside{Partial: true, Key: k})
	wantFaults(t, v.List, map[string]string{"id": "required"})
}

// A pattern that costs too much to match counts as broken, unless the caller trusts what
// is stored.
func TestTrustCostly(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"a":{"type":"string","pattern":"(x+x+)+y"}}`)
	long := make([]byte, 8<<20)
	for i := range long {
		long[i] = 'x'
	}
	doc := map[string]any{"a": string(long)}
	var v schema.Validation
	p.Validate(&v, nil, doc, nil)
	wantFaults(t, v.List, map[string]string{"a": "pattern"})
	trusting := schema.Validation{TrustCostly: true}
	p.Validate(&trusting, nil, doc, nil)
	wantFaults(t, trusting.List, nil)
}

func blobs(properties ...string) (list []schema.Blob) {
	for _, p := range properties {
		list = append(list, schema.Blob{Property: p, Type: schema.Image})
	}
	return list
}
