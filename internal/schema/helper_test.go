package schema_test

import (
	"maps"
	"testing"

	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// parse reads JSON.
func parse(t *testing.T, text string) any {
	t.Helper()
	v, err := value.Parse([]byte(text), value.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// object reads a JSON object.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	return parse(t, text).(map[string]any)
}

// compile compiles a sound schema with the properties.
func compile(t *testing.T, properties string) *schema.Plan {
	t.Helper()
	p, faults := schema.Compile(parse(t, `{"properties":`+properties+`}`))
	if len(faults) > 0 {
		t.Fatalf("the schema has faults: %v", faults)
	}
	return p
}

// compileKey compiles a sound key.
func compileKey(t *testing.T, p *schema.Plan, fields ...string) *schema.Key {
	t.Helper()
	var faults value.Faults
	k := p.CompileKey(fields, nil, faults.Add)
	if faults.Any() {
		t.Fatalf("the key has faults: %v", faults.List)
	}
	return k
}

// wantFaults checks the rules of faults by their paths.
func wantFaults(t *testing.T, faults []value.Fault, want map[string]string) {
	t.Helper()
	got := make(map[string]string)
	for _, f := range faults {
		if f.Message == "" {
			t.Errorf("%s: no message", f.Path)
		}
		got[f.Path] = f.Rule
	}
	if !maps.Equal(got, want) {
		t.Errorf("got faults %v, want %v", got, want)
	}
}

// wantJSON checks a value by its JSON form.
func wantJSON(t *testing.T, got any, want string) {
	t.Helper()
	if text := string(value.Append(nil, got)); text != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

func appendJSON(v any) []byte { return value.Append(nil, v) }
