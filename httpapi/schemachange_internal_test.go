package httpapi

import (
	"testing"

	"github.com/bucketlite/bucketlite/internal/value"
)

func TestMergeSchemas(t *testing.T) {
	t.Parallel()
	const inForce = `{"additionalProperties":false,"properties":{"a":{"type":"string"},"b":{"type":"object","properties":{"x":{"type":"date"},"y":{"type":"date"}}},` +
		`"l":{"type":"array","items":{"type":"object","properties":{"x":{"type":"date"}}}}}}`
	for _, tt := range []struct {
		name        string
		given, want string
		k           correspondence
	}{
		{"nothing", `{}`, inForce, correspondence{}},
		{"a property", `{"properties":{"a":{"type":"text"},"c":{"type":"date"}}}`,
			`{"additionalProperties":false,"properties":{"a":{"type":"text"},"b":{"properties":{"x":{"type":"date"},"y":{"type":"date"}},"type":"object"},` +
				`"c":{"type":"date"},"l":{"items":{"properties":{"x":{"type":"date"}},"type":"object"},"type":"array"}}}`, correspondence{}},
		{"nulls", `{"additionalProperties":null,"properties":{"a":null}}`, inForce, correspondence{}},
		{"other members", `{"additionalProperties":true,"x-note":1,"properties":null}`,
			`{"additionalProperties":true,"properties":{"a":{"type":"string"},"b":{"properties":{"x":{"type":"date"},"y":{"type":"date"}},"type":"object"},` +
				`"l":{"items":{"properties":{"x":{"type":"date"}},"type":"object"},"type":"array"}},"x-note":1}`, correspondence{}},
		{"no properties", `{"properties":5}`, `{"additionalProperties":false,"properties":5}`, correspondence{}},
		{"renamed and dropped", `{"properties":{"c":{"type":"text"}}}`,
			`{"additionalProperties":false,"properties":{"b":{"properties":{"z":{"type":"date"}},"type":"object"},"c":{"type":"text"},` +
				`"m":{"items":{"properties":{"z":{"type":"date"}},"type":"object"},"type":"array"}}}`,
			correspondence{map[string]string{"a": "c", "b.x": "b.z", "l": "m", "l.x": "l.z"}, []string{"b.y"}}},
		{"done before", `{}`, inForce, correspondence{map[string]string{"old": "a"}, []string{"gone", "b.gone"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			docs := [3]map[string]any{}
			for i, text := range []string{inForce, tt.given, tt.want} {
				v, err := value.Parse([]byte(text), value.Limits{})
				if err != nil {
					t.Fatal(err)
				}
				docs[i] = v.(map[string]any)
			}
			got := tt.k.merge(docs[0], docs[1])
			if !value.Equal(got, docs[2]) {
				t.Errorf("got %s, want %s", value.Append(nil, got), tt.want)
			}
			if string(value.Append(nil, docs[0])) != string(value.Append(nil, mustParse(t, inForce))) {
				t.Errorf("the schema in force became %s", value.Append(nil, docs[0]))
			}
		})
	}
}

func mustParse(t *testing.T, text string) any {
	t.Helper()
	v, err := value.Parse([]byte(text), value.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}
