package assertion_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/format"
	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/kaptinlin/jsonschema"
)

// accepts reports whether a value is of the format by the rules.
func accepts(t *testing.T, rules assertion.Rules, format string, v any) bool {
	t.Helper()
	a, err := assertion.Compile(m{"format": format}, rules)
	if err != nil {
		t.Fatal(err)
	}
	return a.Check(v, new(pattern.Allowance)) == nil
}

// A stored schema accepts the values that it accepted when it was created, including
// those that later rules refuse, and the other way round. These results must not change.
func TestRulesOfFormats(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		format, value  string
		first, current bool
	}{
		{"uri-template", "/items{?page,limit}", false, true},
		{"uri-template", "{/var}", false, true},
		{"uri-template", "{#frag}", false, true},
		{"uri-template", "<a>", true, false},
		{"email", " a@example.com", true, false},
		{"email", "Joe <a@example.com>", false, false},
		{"email", "a@example.com", true, true},
		{"uri", "http://a/b c", true, false},
		{"uri", "http://a/<b>", true, false},
		{"uri", "http://a/b", true, true},
		{"ipv4", "+1.2.3.4", true, false},
		{"ipv4", "1.2.3.4", true, true},
		{"ipv6", "::1%eth0", false, false},
		{"hostname", "example.", true, false},
		{"hostname", "a.-b", true, false},
		{"time", "+1:+2:+3Z", true, false},
		{"idn-email", "x", true, false},
		{"idn-hostname", "-", true, false},
		{"json-pointer", "/~2", false, false},
		{"relative-json-pointer", "0+1", false, true},
		{"regex", "(a{1000}){1000}", false, false},
		{"unknown", "x", true, true},
		{"phone", "x", true, true},
	} {
		if got := accepts(t, assertion.Rules1, tt.format, tt.value); got != tt.first {
			t.Errorf("rules 1, %s %q: got %t, want %t", tt.format, tt.value, got, tt.first)
		}
		if got := accepts(t, assertion.Rules2, tt.format, tt.value); got != tt.current {
			t.Errorf("rules 2, %s %q: got %t, want %t", tt.format, tt.value, got, tt.current)
		}
	}
}

// The formats of the first rules are those of the library, as it checks them itself.
func TestFirstRulesAreTheLibrary(t *testing.T) {
	t.Parallel()
	values := []any{nil, true, 5, 1.5, []any{"x"}, m{"a": 1}}
	for _, s := range []string{"", "x", " a@example.com", "a@example.com", "2026-01-02", "2026-01-02T03:04:05Z", "03:04:05Z", "P1D", "P1D/2026-01-02T03:04:05Z",
		"example.com", "-a", "a.-b", "example.", "1.2.3.4", "+1.2.3.4", "::1", "http://a/b c", "/a", "//a", `\a`, "{a}", "/{a", "/a~1", "/a~2", "0/a", "01",
		"2eb8aa08-aa98-11ea-b4aa-73b441d16380", "é@é.com", "http://é/"} {
		values = append(values, s)
	}
	for name := range jsonschema.Formats {
		if name == "regex" {
			continue // RE2 in all rules
		}
		compiler := jsonschema.NewCompiler().SetAssertFormat(true)
		s, err := compiler.Compile([]byte(`{"format":"` + name + `"}`))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if got, want := accepts(t, assertion.Rules1, name, v), s.Validate(v).IsValid(); got != want {
				t.Errorf("rules 1, %s %v: got %t, want %t", name, v, got, want)
			}
		}
	}
}

// No rule may forget a format that earlier rules check.
func TestRulesKeepFormats(t *testing.T) {
	t.Parallel()
	for name := range jsonschema.Formats {
		if !slices.Contains(format.Names(), name) && name != "regex" && name != "unknown" { // which accepts everything
			t.Errorf("rules 2 do not know the format %q of rules 1", name)
		}
	}
	if assertion.Rules(0).Known() || !assertion.LatestRules.Known() || (assertion.LatestRules + 1).Known() {
		t.Error("Known: got another range than Rules1 to LatestRules")
	}
}

// The names of keywords are the only faults that new schemas have and stored ones lack.
func FuzzKeywordFaults(f *testing.F) {
	f.Add(`{"properties":{"a":{"type":"string","minlenght":1,"oneOf":[],"format":"uri"}},"required":["a"]}`)
	f.Add(`{"properties":{"a":{"type":"array","items":{"type":"object","properties":{"b":{"not":{}}}}}}}`)
	f.Add(`[null,{"properties":[]}]`)
	f.Fuzz(func(t *testing.T, text string) {
		doc, ok := parse(text)
		if !ok {
			return
		}
		var first []string
		for _, fault := range assertion.CheckDocument(doc) {
			switch fault.Rule {
			case assertion.RuleKeyword, assertion.RuleSpelling:
				if len(fault.Path) == 0 || !strings.Contains(fault.Message, "write") && !strings.Contains(fault.Message, "did you mean") && !strings.Contains(fault.Message, "check them") {
					t.Errorf("%v: %q does not say what to write", fault.Path, fault.Message)
				}
			case "format", "pattern": // the texts of patterns
			default:
				first = append(first, list([]assertion.Fault{fault}))
			}
		}
		if got, want := strings.Join(first, "\n"), list(assertion.CheckShape(doc)); got != want {
			t.Errorf("CheckDocument without the names of keywords: got\n%s\nwant\n%s", got, want)
		}
	})
}
