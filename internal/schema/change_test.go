package schema_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// compare compares two sound schemas. It returns the changes of fields, or the faults, as text.
func compare(t *testing.T, old, new string, key []string, opts schema.ChangeOptions) (*schema.Change, []string) {
	t.Helper()
	docs := [2]map[string]any{}
	for i, text := range []string{old, new} {
		docs[i] = object(t, text)
		if _, faults := schema.Compile(docs[i]); len(faults) > 0 {
			t.Fatalf("the schema %s has faults: %v", text, faults)
		}
	}
	c, faults := schema.Compare(docs[0], docs[1], key, opts)
	var lines []string
	if len(faults) > 0 {
		for _, f := range faults {
			lines = append(lines, fmt.Sprintf("%s: %s: %s", f.Path, f.Rule, f.Message))
		}
		return c, lines
	}
	most := schema.Unchanged
	for _, f := range c.Fields {
		lines = append(lines, fmt.Sprintf("%s: %s: %s", f.Path, f.Effect, f.Message))
		most = max(most, f.Effect)
	}
	if c.Effect != most {
		t.Errorf("got effect %v, want %v", c.Effect, most)
	}
	return c, lines
}

// open and closed return a schema with the properties.
func open(properties string) string { return `{"properties":` + properties + `}` }
func closed(properties string) string {
	return `{"additionalProperties":false,"properties":` + properties + `}`
}

func TestCompare(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		old, new string
		want     []string
	}{
		{"equal", open(`{"a":{"type":"string"}}`), open(`{"a":{"type":"string","default":null}}`), nil},

		// New fields.
		{"new field, closed", closed(`{}`), closed(`{"a":{"type":"string"}}`), []string{"a: loosens: new"}},
		{"new field, open", open(`{}`), open(`{"a":{"type":"string"}}`),
			[]string{"a: tightens: new; objects may have an undeclared member of this name"}},
		{"new required field", closed(`{}`), closed(`{"a":{"type":"string","required":true}}`), []string{"a: tightens: new; required"}},
		{"new required field with a default", closed(`{}`), closed(`{"a":{"type":"string","required":true,"default":"x"}}`),
			[]string{"a: rewrites: new; required; filled in with its default where it is absent"}},
		{"new member, closed", open(`{"o":{"type":"object","additionalProperties":false}}`),
			open(`{"o":{"type":"object","additionalProperties":false,"properties":{"a":{"type":"date"}}}}`), []string{"o.a: loosens: new"}},
		{"new member, open", closed(`{"o":{"type":"object"}}`), closed(`{"o":{"type":"object","properties":{"a":{"type":"date"}}}}`),
			[]string{"o.a: tightens: new; objects may have an undeclared member of this name"}},
		{"new member of items", closed(`{"l":{"type":"array","items":{"type":"object","additionalProperties":false}}}`),
			closed(`{"l":{"type":"array","items":{"type":"object","additionalProperties":false,"properties":{"a":{"type":"date"}}}}}`),
			[]string{"l.a: loosens: new"}},

		// Undeclared members.
		{"closing", open(`{}`), closed(`{}`), []string{": tightens: undeclared members are refused"}},
		{"opening", closed(`{}`), open(`{}`), []string{": loosens: undeclared members are kept"}},
		{"opening while adding", closed(`{}`), open(`{"a":{"type":"string"}}`),
			[]string{": loosens: undeclared members are kept", "a: loosens: new"}},
		{"closing while adding", open(`{}`), closed(`{"a":{"type":"string"}}`),
			[]string{": tightens: undeclared members are refused", "a: tightens: new; objects may have an undeclared member of this name"}},
		{"explicitly open", open(`{}`), `{"properties":{},"additionalProperties":true}`, []string{": loosens: members without effect"}},

		// Types.
		{"integer to number", open(`{"a":{"type":"integer"}}`), open(`{"a":{"type":"number"}}`), []string{"a: loosens: type: integer to number"}},
		{"number to integer", open(`{"a":{"type":"number"}}`), open(`{"a":{"type":"integer"}}`), []string{"a: tightens: type: number to integer"}},
		{"float to number", open(`{"a":{"type":"float"}}`), open(`{"a":{"type":"number"}}`), []string{"a: loosens: type: float to number"}},
		{"string to date", open(`{"a":{"type":"string"}}`), open(`{"a":{"type":"date"}}`), []string{"a: rewrites: type: string to date"}},
		{"string to date in items", open(`{"a":{"type":"array","items":{"type":"string"}}}`), open(`{"a":{"type":"array","items":{"type":"date"}}}`),
			[]string{"a: tightens: items: type: string to date"}},
		{"string to date in an object", open(`{"o":{"type":"object","properties":{"a":{"type":"string"}}}}`),
			open(`{"o":{"type":"object","properties":{"a":{"type":"date"}}}}`), []string{"o.a: tightens: type: string to date"}},
		{"files to others", open(`{"a":{"type":"array","items":{"type":"image"}}}`), open(`{"a":{"type":"array","items":{"type":"video"}}}`),
			[]string{"a: rewrites: items: type: image to video"}},
		{"items declared", open(`{"a":{"type":"array"}}`), open(`{"a":{"type":"array","items":{"type":"date"}}}`), []string{"a: tightens: items: declared"}},
		{"items of any type", open(`{"a":{"type":"array","items":{"type":"date"}}}`), open(`{"a":{"type":"array"}}`), []string{"a: loosens: items: of any type"}},
		{"items to files", open(`{"a":{"type":"array"}}`), open(`{"a":{"type":"array","items":{"type":"pdf"}}}`), []string{"a: rewrites: items: to or from files"}},

		// Required.
		{"required", open(`{"a":{"type":"string"}}`), open(`{"a":{"type":"string","required":true}}`), []string{"a: tightens: required"}},
		{"required with a default", open(`{"a":{"type":"string"}}`), open(`{"a":{"type":"string","required":true,"default":"x"}}`),
			[]string{"a: rewrites: default; required; filled in with its default where it is absent"}},
		{"no longer required", open(`{"a":{"type":"string","required":true}}`), open(`{"a":{"type":"string"}}`), []string{"a: loosens: no longer required"}},
		{"another default", open(`{"a":{"type":"string","required":true,"default":"x"}}`), open(`{"a":{"type":"string","required":true,"default":"y"}}`),
			[]string{"a: loosens: default"}},

		// Enums and assertions.
		{"wider enum", open(`{"a":{"type":"string","enum":["x"]}}`), open(`{"a":{"type":"string","enum":["y","x"]}}`), []string{`a: loosens: enum: also "y"`}},
		{"equal numbers", open(`{"a":{"type":"number","enum":[1]}}`), open(`{"a":{"type":"number","enum":[1.0,2]}}`), []string{"a: loosens: enum: also 2"}},
		{"narrower enum", open(`{"a":{"type":"string","enum":["x","y"]}}`), open(`{"a":{"type":"string","enum":["x"]}}`), []string{`a: tightens: enum: without "y"`}},
		{"new enum", open(`{"a":{"type":"string"}}`), open(`{"a":{"type":"string","enum":["x"]}}`), []string{`a: tightens: enum: only "x"`}},
		{"no enum", open(`{"a":{"type":"string","enum":["x"]}}`), open(`{"a":{"type":"string"}}`), []string{"a: loosens: enum: any value"}},
		{"higher maximum", open(`{"a":{"type":"number","maximum":9007199254740993}}`), open(`{"a":{"type":"number","maximum":9007199254740993.5}}`),
			[]string{"a: loosens: maximum: 9007199254740993 to 9007199254740993.5"}},
		{"lower maximum", open(`{"a":{"type":"number","maximum":9007199254740993}}`), open(`{"a":{"type":"number","maximum":9007199254740992}}`),
			[]string{"a: tightens: maximum: 9007199254740993 to 9007199254740992"}},
		{"lower minLength", open(`{"a":{"type":"string","minLength":2}}`), open(`{"a":{"type":"string","minLength":1}}`), []string{"a: loosens: minLength: 2 to 1"}},
		{"divisor", open(`{"a":{"type":"number","multipleOf":0.4}}`), open(`{"a":{"type":"number","multipleOf":0.1}}`), []string{"a: loosens: multipleOf: 0.4 to 0.1"}},
		{"multiple", open(`{"a":{"type":"number","multipleOf":0.1}}`), open(`{"a":{"type":"number","multipleOf":0.4}}`), []string{"a: tightens: multipleOf: 0.1 to 0.4"}},
		{"exclusive bound", open(`{"a":{"type":"number","minimum":1}}`), open(`{"a":{"type":"number","exclusiveMinimum":1}}`),
			[]string{"a: tightens: exclusiveMinimum: 1; minimum: no longer 1"}},
		{"pattern", open(`{"a":{"type":"string","pattern":"x"}}`), open(`{"a":{"type":"string","pattern":"y"}}`), []string{`a: tightens: pattern: "x" to "y"`}},
		{"dropped format", open(`{"a":{"type":"string","format":"email"}}`), open(`{"a":{"type":"string"}}`), []string{`a: loosens: format: no longer "email"`}},
		{"uniqueItems", open(`{"a":{"type":"array","uniqueItems":true}}`), open(`{"a":{"type":"array","uniqueItems":false}}`),
			[]string{"a: loosens: uniqueItems: no longer true"}},
		{"enum of objects with other members",
			open(`{"o":{"type":"object","enum":[{}],"properties":{"a":{"type":"string","default":"x"}}}}`),
			open(`{"o":{"type":"object","enum":[{}],"properties":{"a":{"type":"string","default":"y"}}}}`),
			[]string{"o: tightens: enum: its values have other members", "o.a: loosens: default"}},

		// Members for people.
		{"description", open(`{"a":{"type":"string"}}`), open(`{"a":{"type":"string","description":"d","x-y":1}}`),
			[]string{"a: loosens: description; members without effect"}},
		{"of the schema", open(`{}`), `{"properties":{},"title":"t"}`, []string{": loosens: members without effect"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, got := compare(t, tt.old, tt.new, nil, schema.ChangeOptions{}); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestChangeExtends(t *testing.T) {
	t.Parallel()
	const a = `{"a":{"type":"string"}}`
	for name, tt := range map[string]struct {
		old, new string
		want     bool
	}{
		"equal":              {open(a), open(a), true},
		"loosened":           {open(`{"a":{"type":"integer"}}`), open(`{"a":{"type":"number"}}`), true},
		"tightened":          {open(`{"a":{"type":"number"}}`), open(`{"a":{"type":"integer"}}`), false},
		"new field":          {open(`{}`), open(a), true},
		"new field, closed":  {closed(`{}`), closed(a), true},
		"new required field": {open(`{}`), open(`{"a":{"type":"string","required":true}}`), false},
		"new field with a default that must be there": {open(`{}`), open(`{"a":{"type":"string","required":true,"default":"x"}}`), false},
		"new member":                  {open(`{"o":{"type":"object"}}`), open(`{"o":{"type":"object","properties":{"a":{"type":"date"}}}}`), true},
		"new member of enumerated":    {open(`{"o":{"type":"object","enum":[{}]}}`), open(`{"o":{"type":"object","enum":[{}],"properties":{"a":{"type":"date"}}}}`), false},
		"new field, another narrower": {open(a), open(`{"a":{"type":"string","maxLength":5},"b":{"type":"date"}}`), false},
		"new field and closed":        {open(`{}`), closed(a), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			change, _ := compare(t, tt.old, tt.new, nil, schema.ChangeOptions{})
			if got := change.Extends(); got != tt.want {
				t.Errorf("got %t, want %t: %+v", got, tt.want, change.Fields)
			}
		})
	}
}

func TestCompareNewRules(t *testing.T) {
	t.Parallel()
	old, new := open(`{"a":{"type":"string","format":"uri"}}`), open(`{"a":{"type":"string","format":"uri","description":"d"}}`)
	_, got := compare(t, old, new, nil, schema.ChangeOptions{NewRules: true})
	if want := []string{"a: tightens: format: checked by later rules; description"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCompareFaults(t *testing.T) {
	t.Parallel()
	const ab = `{"a":{"type":"string"},"b":{"type":"string"}}`
	const nested = `{"o":{"type":"object","properties":{"a":{"type":"string"}}}}`
	type options = schema.ChangeOptions
	for _, tt := range []struct {
		name     string
		old, new string
		opts     options
		want     []string
	}{
		{"missing", ab, `{"a":{"type":"string"}}`, options{},
			[]string{"b: missing: missing in the new schema: drop it together with its values, or rename it"}},
		{"missing member", nested, `{"o":{"type":"object"}}`, options{},
			[]string{"o.a: missing: missing in the new schema: drop it together with its values, or rename it"}},
		{"dropped and declared", ab, ab + " ", options{Drop: []string{"a"}}, []string{"a: drop: dropped, but the new schema declares it"}},
		{"no such field", ab, `{"a":{"type":"date"},"b":{"type":"string"}}`, options{Drop: []string{"c", "a.x"}, Rename: map[string]string{"d": "e"}},
			[]string{"a.x: drop: dropped, but the schema has no such field", "c: drop: dropped, but the schema has no such field",
				"d: rename: renamed, but the schema has no such field"}},
		{"renamed to nothing", ab, `{"a":{"type":"string"}}`, options{Rename: map[string]string{"b": "c"}},
			[]string{`b: rename: renamed to "c", which the new schema does not declare`}},
		{"taken name", ab, `{"b":{"type":"string"}}`, options{Rename: map[string]string{"a": "b"}},
			[]string{`b: rename: a and b would both be "b": rename or drop the other, too`}},
		{"other parent", nested, `{"o":{"type":"object"},"a":{"type":"string"}}`, options{Rename: map[string]string{"o.a": "a"}},
			[]string{`o.a: rename: renamed to "a": only the last name of a path can change, since a field stays in its object`}},
		{"other parent, and its own dropped", nested, `{"a":{"type":"string"}}`, options{Rename: map[string]string{"o.a": "a"}, Drop: []string{"o"}},
			[]string{`o.a: rename: renamed to "a": only the last name of a path can change, since a field stays in its object`}},
		{"itself", ab, ab, options{Rename: map[string]string{"a": "a"}}, []string{"a: rename: renamed to itself"}},
		{"both", ab, `{"b":{"type":"string"},"c":{"type":"string"}}`, options{Rename: map[string]string{"a": "c"}, Drop: []string{"a"}},
			[]string{"a: rename: both renamed and dropped"}},
		{"key field renamed", `{"id":{"type":"string"}}`, `{"key":{"type":"string"}}`, options{Rename: map[string]string{"id": "key"}},
			[]string{"id: key: a field of the unique key cannot be renamed or dropped"}},
		{"key field dropped", `{"id":{"type":"string"}}`, `{}`, options{Drop: []string{"id"}},
			[]string{"id: key: a field of the unique key cannot be renamed or dropped"}},
		{"type of a key field", `{"id":{"type":"string"}}`, `{"id":{"type":"integer"}}`, options{},
			[]string{"id: key: string to integer: a field of the unique key keeps its type, or changes between integer, number and float"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, got := compare(t, open(tt.old), open(tt.new), []string{"id"}, tt.opts); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestChangeApply(t *testing.T) {
	t.Parallel()
	type options = schema.ChangeOptions
	for _, tt := range []struct {
		name         string
		old, new     string // properties
		opts         options
		fields, want string
		blobs        []schema.Blob
	}{
		{"rename", `{"a":{"type":"string"}}`, `{"b":{"type":"string"}}`, options{Rename: map[string]string{"a": "b"}},
			`{"a":"x","other":1}`, `{"b":"x","other":1}`, nil},
		{"rename of an absent field", `{"a":{"type":"string"}}`, `{"b":{"type":"string"}}`, options{Rename: map[string]string{"a": "b"}},
			`{}`, `{}`, nil},
		{"rename onto an undeclared null", `{"a":{"type":"string"}}`, `{"b":{"type":"string"}}`, options{Rename: map[string]string{"a": "b"}},
			`{"a":"x","b":null}`, `{"b":"x"}`, nil},
		{"swap", `{"a":{"type":"string"},"b":{"type":"string"}}`, `{"a":{"type":"string"},"b":{"type":"string"}}`,
			options{Rename: map[string]string{"a": "b", "b": "a"}}, `{"a":"x","b":"y"}`, `{"a":"y","b":"x"}`, nil},
		{"rename onto a dropped field", `{"a":{"type":"string"},"b":{"type":"string"}}`, `{"b":{"type":"string"}}`,
			options{Rename: map[string]string{"a": "b"}, Drop: []string{"b"}}, `{"a":"x","b":"y"}`, `{"b":"x"}`, nil},
		{"a fresh field under the old name", `{"a":{"type":"string"}}`, `{"a":{"type":"date"},"b":{"type":"string"}}`,
			options{Rename: map[string]string{"a": "b"}}, `{"a":"x"}`, `{"b":"x"}`, nil},
		{"drop", `{"a":{"type":"string"},"b":{"type":"string"}}`, `{"b":{"type":"string"}}`, options{Drop: []string{"a"}},
			`{"a":"x","b":"y"}`, `{"b":"y"}`, nil},
		{"nested", `{"o":{"type":"object","properties":{"a":{"type":"string"},"c":{"type":"string"}}}}`, `{"p":{"type":"object","properties":{"b":{"type":"string"}}}}`,
			options{Rename: map[string]string{"o": "p", "o.a": "o.b"}, Drop: []string{"o.c"}}, `{"o":{"a":"x","c":"y","z":1}}`, `{"p":{"b":"x","z":1}}`, nil},
		{"items", `{"l":{"type":"array","items":{"type":"object","properties":{"a":{"type":"string"}}}}}`,
			`{"l":{"type":"array","items":{"type":"object","properties":{"b":{"type":"string"}}}}}`,
			options{Rename: map[string]string{"l.a": "l.b"}}, `{"l":[{"a":"x"},{"z":1}]}`, `{"l":[{"b":"x"},{"z":1}]}`, nil},
		{"fill", `{"a":{"type":"object"}}`,
			`{"a":{"type":"object","required":true,"default":{"n":null},"properties":{"m":{"type":"integer","default":1}}}}`, options{},
			`{}`, `{"a":{"m":1,"n":null}}`, nil},
		{"fill only absent ones", `{"a":{"type":"string"}}`, `{"a":{"type":"string","required":true,"default":"d"}}`, options{}, `{"a":"x"}`, `{"a":"x"}`, nil},
		{"fill below", `{"o":{"type":"object","properties":{"a":{"type":"string"}}}}`,
			`{"o":{"type":"object","properties":{"a":{"type":"string","required":true,"default":"d"}}}}`, options{}, `{"o":{}}`, `{"o":{"a":"d"}}`, nil},
		{"a blob supplies the value", `{"a":{"type":"string"}}`, `{"b":{"type":"string","required":true,"default":"d"}}`, options{Rename: map[string]string{"a": "b"}},
			`{}`, `{}`, []schema.Blob{{Property: "a"}}},
		{"nothing to do", `{"a":{"type":"string"}}`, `{"a":{"type":"date"}}`, options{}, `{"a":"x"}`, `{"a":"x"}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, _ := compare(t, open(tt.old), open(tt.new), nil, tt.opts)
			fields := object(t, tt.fields)
			var faults value.Faults
			got := c.Apply(&faults, fields, tt.blobs)
			if faults.Any() {
				t.Errorf("got faults %v", faults.List)
			}
			wantJSON(t, got, tt.want)
			wantJSON(t, fields, tt.fields)
		})
	}
}

func TestChangeApplyOntoUndeclared(t *testing.T) {
	t.Parallel()
	c, _ := compare(t, open(`{"a":{"type":"string"}}`), open(`{"b":{"type":"string"}}`), nil, schema.ChangeOptions{Rename: map[string]string{"a": "b"}})
	var faults value.Faults
	c.Apply(&faults, object(t, `{"a":"x","b":"y"}`), nil)
	wantFaults(t, faults.List, map[string]string{"b": "rename"})
}

func TestChangeBlobs(t *testing.T) {
	t.Parallel()
	c, _ := compare(t,
		open(`{"a":{"type":"image"},"b":{"type":"pdf"},"o":{"type":"object","properties":{"x":{"type":"string"}}}}`),
		open(`{"c":{"type":"array","items":{"type":"image"}},"o":{"type":"object","properties":{"y":{"type":"string"}}}}`),
		nil, schema.ChangeOptions{Rename: map[string]string{"a": "c", "o.x": "o.y"}, Drop: []string{"b"}})
	if now, kept := c.Property("a"); now != "c" || !kept {
		t.Errorf("got a as %q, %t", now, kept)
	}
	if _, kept := c.Property("b"); kept {
		t.Error("b is kept")
	}
	for property, want := range map[string]string{"c": "image", "o": "object", "b": ""} {
		if got := c.Type(property); got != want {
			t.Errorf("got type %q for %s, want %q", got, property, want)
		}
	}
	wantJSON(t, c.ApplyInline(new(value.Faults), "o", object(t, `{"x":"v"}`)), `{"y":"v"}`)
}

func TestChangeTexts(t *testing.T) {
	t.Parallel()
	c, _ := compare(t,
		open(`{"a":{"type":"text"},"b":{"type":"text","maxLength":5},"c":{"type":"string","maxLength":5},"d":{"type":"array","items":{"type":"text"}},"e":{"type":"text"}}`),
		open(`{"a":{"type":"text","maxLength":5},"b":{"type":"text","maxLength":6},"c":{"type":"text","maxLength":5},"d":{"type":"array","items":{"type":"text","enum":["x"]}},"e":{"type":"text","description":"d"}}`),
		nil, schema.ChangeOptions{})
	if got, want := c.Texts(), []string{"a", "c", "d"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A change that has been applied can be requested again, unless it only exchanged names.
func TestCompareAgain(t *testing.T) {
	t.Parallel()
	type names = map[string]string
	for name, tt := range map[string]struct {
		now    string
		rename names
		drop   []string
		want   schema.Effect
	}{
		"renamed and dropped":    {`{"b":{"type":"string"}}`, names{"a": "b"}, []string{"c"}, schema.Unchanged},
		"in a row":               {`{"b":{"type":"string"},"c":{"type":"string"}}`, names{"a": "b", "b": "c"}, nil, schema.Unchanged},
		"onto a dropped name":    {`{"b":{"type":"string"}}`, names{"a": "b"}, []string{"b"}, schema.Unchanged},
		"below a renamed object": {`{"p":{"type":"object","properties":{"b":{"type":"string"}}}}`, names{"o": "p", "o.a": "o.b"}, []string{"o.c"}, schema.Unchanged},
		"exchanged":              {`{"a":{"type":"string"},"b":{"type":"string"}}`, names{"a": "b", "b": "a"}, nil, schema.Rewrites},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, got := compare(t, open(tt.now), open(tt.now), nil, schema.ChangeOptions{Rename: tt.rename, Drop: tt.drop})
			if c.Effect != tt.want {
				t.Errorf("got %v, %q, want %v", c.Effect, got, tt.want)
			}
		})
	}
}
