package schema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

func TestCompileFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		doc  string
		want map[string]string
	}{
		"no schema":            {`[]`, map[string]string{"": "type"}},
		"no fields":            {`{"properties":{}}`, nil},
		"null members":         {`{"properties":{"a":{"type":"string","default":null,"items":null}},"x":null}`, nil},
		"unknown type":         {`{"properties":{"a":{"type":"strin"}}}`, map[string]string{"properties.a.type": "type"}},
		"reserved name":        {`{"properties":{"status":{"type":"string"}}}`, map[string]string{"properties.status": "reserved"}},
		"reserved name within": {`{"properties":{"a":{"type":"object","properties":{"status":{"type":"string"}}}}}`, nil},
		"name with a dot":      {`{"properties":{"a.b":{"type":"string"}}}`, map[string]string{`properties["a.b"]`: "name"}},
		"items of a string":    {`{"properties":{"a":{"type":"string","items":{"type":"string"}}}}`, map[string]string{"properties.a.items": "items"}},
		"default of a kind":    {`{"properties":{"a":{"type":"integer","default":"1"}}}`, map[string]string{"properties.a.default": "type"}},
		"default out of range": {`{"properties":{"a":{"type":"integer","default":1,"minimum":2}}}`, map[string]string{"properties.a.default": "minimum"}},
		"example of a kind":    {`{"properties":{"a":{"type":"integer","examples":[1,"1"]}}}`, map[string]string{"properties.a.examples[1]": "type"}},
		"null in an enum":      {`{"properties":{"a":{"type":"string","enum":["b",null]}}}`, map[string]string{"properties.a.enum[1]": "type"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, faults := schema.Compile(parse(t, test.doc))
			wantFaults(t, faults, test.want)
			if p == nil {
				t.Error("got no plan")
			}
		})
	}
}

func TestCompileSortsFaults(t *testing.T) {
	t.Parallel()
	_, faults := schema.Compile(parse(t, `{"properties":{"b":{"type":"none"},"a":{"type":"string","default":1,"minLength":-1}}}`))
	var paths []string
	for _, f := range faults {
		paths = append(paths, f.Path)
	}
	want := []string{"properties.a.default", "properties.a.minLength", "properties.b.type"}
	if !slices.Equal(paths, want) {
		t.Errorf("got %q, want %q", paths, want)
	}
}

// A schema that was accepted before stays readable, whatever its patterns cost now and
// whatever its default would be refused for.
func TestRestore(t *testing.T) {
	t.Parallel()
	doc := parse(t, `{"properties":{"a":{"type":"string","pattern":"(a{1000}){1000}"},"n":{"type":"integer","default":1,"minimum":2}}}`)
	_, faults := schema.Compile(doc)
	wantFaults(t, faults, map[string]string{"properties.a.pattern": "format", "properties.n.default": "minimum"})
	p, faults := schema.Restore(doc, assertion.LatestRules)
	wantFaults(t, faults, nil)
	var v schema.Validation
	out, _ := p.Validate(&v, nil, map[string]any{}, nil)
	wantJSON(t, out, `{"n":1}`)
	_, faults = schema.Restore(parse(t, `{"properties":{"a":{"type":"none"}}}`), assertion.LatestRules)
	wantFaults(t, faults, map[string]string{"properties.a.type": "type"})
}

func TestUnknownTypeNamesTheClosest(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"strng": `"string"`, "Integer": `"integer"`, "bool": `"boolean"`, "uuid": `"string"`, "mp4": `"video"`, "arary": `"array"`,
		"elephant": "", strings.Repeat("a", 200): "",
	} {
		doc := map[string]any{"properties": map[string]any{"a": map[string]any{"type": given}}}
		_, faults := schema.Compile(doc)
		if len(faults) != 1 {
			t.Errorf("%s: got %d faults, want 1", given, len(faults))
			continue
		}
		_, suggestion, found := strings.Cut(faults[0].Message, ", did you mean ")
		if found != (want != "") || strings.TrimSuffix(suggestion, "?") != want {
			t.Errorf("%s: got %q, want the suggestion %q", given, faults[0].Message, want)
		}
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()
	types := schema.Types()
	if got := len(types); got != 17 {
		t.Errorf("got %d types, want 17", got)
	}
	files := 0
	for _, name := range types {
		if schema.IsFile(name) {
			files++
		}
		if _, faults := schema.Compile(map[string]any{"properties": map[string]any{"a": map[string]any{"type": name}}}); len(faults) > 0 {
			t.Errorf("%s: got %v, want no faults", name, faults)
		}
	}
	if files != 8 {
		t.Errorf("got %d types of files, want 8", files)
	}
	types[0] = "none"
	if got := schema.Types()[0]; got != schema.String {
		t.Errorf("after a change to the result: got %q, want %q", got, schema.String)
	}
}

func TestPlanFields(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"a":{"type":"string","required":true},"file":{"type":"image"},"files":{"type":"array","items":{"type":"pdf"}},"list":{"type":"array"},
		"text":{"type":"text"},"short":{"type":"text","maxLength":10}}`)
	if f := p.Field("a"); f == nil || f.Type != schema.String || !f.Required {
		t.Errorf("a: got %v, want a required string", f)
	}
	if f := p.Field("none"); f != nil {
		t.Errorf("none: got %v, want nil", f)
	}
	if f := (*schema.Plan)(nil).Field("a"); f != nil {
		t.Errorf("nil plan: got %v, want nil", f)
	}
	for name, want := range map[string]string{"a": "", "list": "", "none": "", "file": schema.Image, "files": schema.PDF} {
		got := ""
		if f := p.File(name); f != nil {
			got = f.Type
		}
		if got != want {
			t.Errorf("file of %s: got %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]bool{"file": false, "files": true, "list": false, "a": false} {
		if got := p.Field(name).HasFiles(); got != want {
			t.Errorf("%s has files: got %t, want %t", name, got, want)
		}
	}
	for name, want := range map[string]bool{"text": false, "short": true, "a": false} {
		if got := p.Field(name).NeedsText(); got != want {
			t.Errorf("%s needs its text: got %t, want %t", name, got, want)
		}
	}
}

// Faults beyond the bound are counted, not kept, so that a hostile object costs little.
func TestFaultsAreBounded(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"a":{"type":"array","items":{"type":"integer"}}}`)
	items := make([]any, value.MaxFaults+3)
	for i := range items {
		items[i] = "x"
	}
	var v schema.Validation
	p.Validate(&v, nil, map[string]any{"a": items}, nil)
	if got := len(v.List); got != value.MaxFaults {
		t.Errorf("got %d faults, want %d", got, value.MaxFaults)
	}
	if v.Omitted != 3 {
		t.Errorf("omitted: got %d, want 3", v.Omitted)
	}
}
