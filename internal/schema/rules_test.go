package schema_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// keywordFaults reports whether all faults are about names of keywords.
func keywordFaults(faults []value.Fault) bool {
	return !slices.ContainsFunc(faults, func(f value.Fault) bool {
		return f.Rule != assertion.RuleKeyword && f.Rule != assertion.RuleSpelling
	})
}

// A schema with the faults of new schemas is stored by the first rules, and its values are
// checked as then.
func TestRestoreByRules(t *testing.T) {
	t.Parallel()
	doc := parse(t, `{"properties":{"a":{"type":"string","format":"email","minlenght":9},"b":{"type":"string","format":"idn-hostname","default":"-"}},"required":["a"]}`)
	_, faults := schema.Compile(doc)
	wantFaults(t, faults, map[string]string{"properties.a.minlenght": "spelling", "properties.b.default": "format", "required": "keyword"})
	for rules, want := range map[assertion.Rules]map[string]string{
		assertion.Rules1: nil,
		assertion.Rules2: {"a": "format"},
	} {
		p, faults := schema.Restore(doc, rules)
		wantFaults(t, faults, nil)
		var v schema.Validation
		p.Validate(&v, nil, map[string]any{"a": " x@example.com"}, nil)
		wantFaults(t, v.List, want)
	}
	for _, rules := range []assertion.Rules{0, assertion.LatestRules + 1} {
		_, faults := schema.Restore(doc, rules)
		wantFaults(t, faults, map[string]string{"": "rules"})
	}
}

// Whatever is accepted can be restored, and a restored schema without formats accepts the
// same values by all rules.
func TestRandomSchemasRestore(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 13))
		doc := map[string]any{"properties": randomFields(r, 0)}
		if r.IntN(3) == 0 {
			doc[choose(r, "required", "oneOf", "title", "additionalproperties", "x-a")] = []any{"a"}
		}
		_, faults := schema.Compile(doc)
		var plans []*schema.Plan
		for rules := assertion.Rules1; rules.Known(); rules++ {
			p, restored := schema.Restore(doc, rules)
			if keywordFaults(faults) && len(restored) > 0 {
				t.Fatalf("seed %d: Compile has only faults of keywords, Restore by rules %d has %v: %v", seed, rules, restored, doc)
			}
			plans = append(plans, p)
		}
		if !keywordFaults(faults) {
			continue
		}
		for range 5 {
			in := map[string]any{choose(r, "a", "b", "c"): randomValue(r), choose(r, "a", "b"): randomValue(r)}
			var outs []string
			for _, p := range plans {
				var v schema.Validation
				out, _ := p.Validate(&v, nil, maps.Clone(in), nil)
				faults := slices.DeleteFunc(v.List, func(f value.Fault) bool { return f.Rule == "format" })
				outs = append(outs, fmt.Sprint(out, faults))
			}
			if len(slices.Compact(outs)) != 1 {
				t.Fatalf("seed %d: %v differs between rules: %q", seed, in, outs)
			}
		}
	}
}

func choose(r *rand.Rand, names ...string) string { return names[r.IntN(len(names))] }

func randomFields(r *rand.Rand, depth int) map[string]any {
	fields := make(map[string]any)
	for range 1 + r.IntN(3) {
		fields[choose(r, "a", "b", "c")] = randomField(r, depth)
	}
	return fields
}

// randomField returns a field, mostly sound, with keywords of all kinds.
func randomField(r *rand.Rand, depth int) map[string]any {
	f := map[string]any{"type": choose(r, "string", "string", "integer", "array", "object", "text", "date")}
	switch {
	case depth > 2:
	case f["type"] == "array":
		f["items"] = randomField(r, depth+1)
	case f["type"] == "object":
		f["properties"] = randomFields(r, depth+1)
	}
	for range r.IntN(3) {
		switch choose(r, "format", "size", "pattern", "default", "unknown", "ineffective") {
		case "format":
			f["format"] = choose(r, "email", "uri", "hostname", "uri-template", "phone", "idn-email")
		case "size":
			f[choose(r, "minLength", "maxLength", "minItems", "minimum")] = r.IntN(4) - 1
		case "pattern":
			f["pattern"] = choose(r, "^a", "(", "b+")
		case "default":
			f["default"] = randomValue(r)
		case "unknown":
			f[choose(r, "x-a", "title", "min_length", "must_contain")] = 5
		case "ineffective":
			f[choose(r, "oneOf", "minlenght", "patternProperties", "Required")] = []any{}
		}
	}
	return f
}

func randomValue(r *rand.Rand) any {
	return []any{"", "a", "ab@example.com", "http://a/", 1, -1, []any{"a"}, map[string]any{"a": "b"}, "2024-01-01", nil}[r.IntN(10)]
}

// The stored schemas of a corpus, and their verdicts by the first rules, do not change.
func TestFirstRulesVerdicts(t *testing.T) {
	t.Parallel()
	for field, verdicts := range map[string]map[string]bool{
		`{"type":"string","format":"email"}`:                                 {"a@example.com": true, " a@example.com": true, "a": false},
		`{"type":"string","format":"uri"}`:                                   {"http://a/<b>": true, "http://a b/": false, "/a": false},
		`{"type":"string","format":"hostname","oneOf":[]}`:                   {"a.": true, "a.-b": true, "-a": false},
		`{"type":"string","format":"ipv4","minlenght":50}`:                   {"+1.2.3.4": true, "1.2.3.4": true, "1.2.3": false},
		`{"type":"string","format":"time"}`:                                  {"+1:00:00Z": true, "01:00:00Z": true, "1:00Z": false},
		`{"type":"string","format":"idn-email","pattern":"^a","enum":["a"]}`: {"a": true, "b": false},
		`{"type":"text","format":"uri-template"}`:                            {"{/a}": false, "<a>": true},
	} {
		p, faults := schema.Restore(parse(t, `{"properties":{"a":`+field+`}}`), assertion.Rules1)
		wantFaults(t, faults, nil)
		got := make(map[string]bool)
		for s := range verdicts {
			var v schema.Validation
			p.Validate(&v, nil, map[string]any{"a": s}, nil)
			got[s] = !v.Any()
		}
		if !reflect.DeepEqual(got, verdicts) {
			t.Errorf("%s: got %v, want %v", field, got, verdicts)
		}
	}
}
