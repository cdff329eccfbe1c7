package index

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// These tests are inside the package to see how it asks the text index, and how far it
// looks objects up.

func TestTrigrams(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		parts []string
		want  string
	}{
		"none":      {nil, ""},
		"too short": {[]string{"ab", "", "é"}, ""},
		"one":       {[]string{"abc"}, `"abc"`},
		"four":      {[]string{"abcd"}, `"abc" AND "bcd"`},
		"not ASCII": {[]string{"ÄÖÜß"}, `"ÄÖÜ" AND "ÖÜß"`},
		"quotes":    {[]string{`a"b`}, `"a""b"`},
		"parts":     {[]string{"abc", "xy", "xyz"}, `"abc" AND "xyz"`},
	} {
		if got := trigrams(test.parts); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
	var long strings.Builder
	for i := range 100 {
		fmt.Fprint(&long, i)
	}
	got := strings.Split(trigrams([]string{long.String()}), " AND ")
	if len(got) != maxTrigrams || got[0] != `"012"` || got[maxTrigrams-1] != `"899"` {
		t.Errorf("long: got %d from %s to %s, want %d from both ends", len(got), got[0], got[len(got)-1], maxTrigrams)
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	keys := func(s string) (list [][]byte) {
		for _, k := range strings.Fields(s) {
			list = append(list, []byte(k))
		}
		return list
	}
	for _, test := range []struct{ keys, others, want string }{
		{"", "", ""}, {"a b", "", "a b"}, {"", "a", ""}, {"a b c", "b", "a c"}, {"b d", "a b c d e", ""}, {"a c", "b", "a c"},
	} {
		if got := missing(keys(test.keys), keys(test.others)); !slices.EqualFunc(got, keys(test.want), slices.Equal) {
			t.Errorf("%q without %q: got %q, want %q", test.keys, test.others, got, test.want)
		}
	}
}

func TestLookupLimit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		objects, page float64
		all           bool
		want          int
	}{
		{0, 100, false, minLookup}, {300, 100, false, 300}, {1e9, 1000, false, maxLookup},
		{0, 100, true, minLookup}, {1000, 100, true, 250}, {1e9, 1000, true, maxLookupAll},
	} {
		if got := lookupLimit(test.objects, test.page, test.all); got != test.want {
			t.Errorf("%v objects, a page of %v, all %v: got %d, want %d", test.objects, test.page, test.all, got, test.want)
		}
	}
}
