package typed

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTag(t *testing.T) {
	t.Parallel()
	m := "M"
	for _, test := range []struct {
		text string
		want tag
	}{
		{"", tag{}},
		{"required", tag{required: true}},
		{" required , type=date ", tag{required: true, is: "date"}},
		{"enum=S|M|'X|L',default=M", tag{enum: []string{"S", "M", "X|L"}, fallback: &m}},
		{"pattern='^[a-z]{1,3}=$',min=-5,uniqueItems", tag{keywords: []keyword{{"pattern", "^[a-z]{1,3}=$", false}, {"minimum", "-5", false}, {"uniqueItems", "", true}}}},
		{"description='it''s, well'", tag{description: "it's, well"}},
		{"const=", tag{keywords: []keyword{{"const", "", false}}}},
		{"enum=", tag{enum: []string{""}}},
	} {
		b := &builder{}
		got := b.tag("F", test.text)
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(tag{}, keyword{})); diff != "" || len(b.faults) > 0 {
			t.Errorf("%s: got faults %v, and (-want +got):\n%s", test.text, b.faults, diff)
		}
	}
}

// A value in quotes comes back from a tag, whatever it is, and no tag is too much.
func FuzzTag(f *testing.F) {
	for _, seed := range []string{"a,b", "it's", "''", "x|y", "required,", "=", ",,", "'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		(&builder{}).tag("F", text)
		b := &builder{}
		quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
		got := b.tag("F", "required,description="+quoted+",enum=a|"+quoted)
		if len(b.faults) > 0 || !got.required || got.description != text || len(got.enum) != 2 || got.enum[1] != text {
			t.Errorf("%q: got %+v, %v", text, got, b.faults)
		}
	})
}
