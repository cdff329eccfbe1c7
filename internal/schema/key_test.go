package schema_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

func TestCompileKeyFaults(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"s":{"type":"string"},"d":{"type":"string","default":"x"},"o":{"type":"object"},"a":{"type":"array"},"f":{"type":"image"},"t":{"type":"text"}}`)
	var faults value.Faults
	p.CompileKey([]string{"s", "s", "d", "o", "a", "f", "t", "none"}, value.Path{{Name: "key"}}, faults.Add)
	wantFaults(t, faults.List, map[string]string{
		"key[1]": "key", "properties.d.default": "key", "key[3]": "key", "key[4]": "key", "key[5]": "key", "key[6]": "key", "key[7]": "key",
	})
}

func TestKeyFieldsAreRequired(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"b":{"type":"string"},"a":{"type":"integer"},"other":{"type":"string"}}`)
	k := compileKey(t, p, "b", "a")
	for name, want := range map[string]bool{"a": true, "b": true, "other": false} {
		if got := p.Field(name).Required; got != want {
			t.Errorf("%s required: got %t, want %t", name, got, want)
		}
		if got := k.Covers(name); got != want {
			t.Errorf("%s covered: got %t, want %t", name, got, want)
		}
	}
	if got, want := k.Describe(object(t, `{"a":1,"b":"x"}`)), `a 1, b "x"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNilKey(t *testing.T) {
	t.Parallel()
	var k *schema.Key
	if k.Covers("a") {
		t.Error("covers a field")
	}
	var v schema.Validation
	if got := k.Encode(&v, map[string]any{"a": "b"}); got != nil {
		t.Errorf("got key %x, want nil", got)
	}
}

// Two objects have the same key if and only if their values are equal.
func TestKeyEncodesValues(t *testing.T) {
	t.Parallel()
	for types, groups := range map[string][][]string{
		// Values within a group are equal, those of different groups are not.
		"string string":     {{`"a","bc"`}, {`"ab","c"`}, {`"a","b"`}, {`"b","a"`}, {`"A","b"`}},
		"number string":     {{`1,"a"`, `1.0,"a"`, `10e-1,"a"`}, {`1.1,"a"`}, {`-1,"a"`}, {`0,"a"`, `-0,"a"`}},
		"integer boolean":   {{`1,true`, `1.0,true`}, {`1,false`}, {`9223372036854775807,true`}},
		"datetime date":     {{`"2024-05-06T07:08:09Z","2024-05-06"`, `"2024-05-06T09:08:09+02:00","2024-05-06"`}, {`"2024-05-06T07:08:09.5Z","2024-05-06"`}, {`"2024-05-06T07:08:09Z","2024-05-07"`}},
		"float datetime":    {{`0.5,"0001-01-01T00:00:00Z"`, `5e-1,"0001-01-01T00:00:00Z"`}, {`0.5,"9999-12-31T23:59:59Z"`}},
		"string float date": {{`"a",1,"2024-01-01"`, `"a",1.0,"2024-01-01"`}, {`"a",2,"2024-01-01"`}},
	} {
		names := strings.Fields(types)
		var properties, members []string
		for i, name := range names {
			field := string(rune('a' + i))
			properties = append(properties, `"`+field+`":{"type":"`+name+`"}`)
			members = append(members, field)
		}
		p := compile(t, "{"+strings.Join(properties, ",")+"}")
		k := compileKey(t, p, members...)
		var keys [][]byte
		for _, group := range groups {
			var first []byte
			for _, text := range group {
				values := parse(t, "["+text+"]").([]any)
				fields := make(map[string]any)
				for i, v := range values {
					fields[members[i]] = v
				}
				var v schema.Validation
				key := k.EncodeOnly(&v, fields)
				wantFaults(t, v.List, nil)
				if first == nil {
					first = key
				}
				if !bytes.Equal(key, first) {
					t.Errorf("%s: %s: got key %x, want %x", types, text, key, first)
				}
			}
			for i, other := range keys {
				if bytes.Equal(first, other) {
					t.Errorf("%s: %s has the key of %s", types, group[0], groups[i][0])
				}
			}
			keys = append(keys, first)
		}
	}
}

func TestKeyRefusesValues(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"s":{"type":"string"},"n":{"type":"integer"}}`)
	k := compileKey(t, p, "s", "n")
	for name, test := range map[string]struct {
		values map[string]any
		want   map[string]string
	}{
		"sound":      {map[string]any{"s": "a", "n": json.Number("1")}, nil},
		"longest":    {map[string]any{"s": strings.Repeat("é", 255), "n": json.Number("1")}, nil},
		"too long":   {map[string]any{"s": strings.Repeat("é", 256), "n": json.Number("1")}, map[string]string{"s": "key"}},
		"empty":      {map[string]any{"s": "", "n": json.Number("1")}, map[string]string{"s": "key"}},
		"missing":    {map[string]any{"s": "a"}, map[string]string{"n": "required"}},
		"null":       {map[string]any{"s": nil, "n": json.Number("1")}, map[string]string{"s": "required"}},
		"wrong type": {map[string]any{"s": "a", "n": "1"}, map[string]string{"n": "type"}},
		"others":     {map[string]any{"s": "a", "n": json.Number("1"), "x": true}, map[string]string{"x": "key"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var v schema.Validation
			k.EncodeOnly(&v, test.values)
			wantFaults(t, v.List, test.want)
		})
	}
}
