package value

import (
	"reflect"
	"testing"
)

func TestPathString(t *testing.T) {
	tests := []struct {
		name string
		path Path
		want string
	}{
		{"root", nil, ""},
		{"member", Path{}.Member("title"), "title"},
		{"item", Path{}.Item(0), "[0]"},
		{"nested", Path{}.Member("meta").Member("tags").Item(3).Member("name"), "meta.tags[3].name"},
		{"item of item", Path{}.Member("grid").Item(1).Item(12), "grid[1][12]"},
		{"empty name", Path{}.Member(""), `[""]`},
		{"dot", Path{}.Member("a.b").Member("c"), `["a.b"].c`},
		{"brackets", Path{}.Member("x").Member("a[0]"), `x["a[0]"]`},
		{"quote", Path{}.Member(`say "hi"`), `["say \"hi\""]`},
		{"space", Path{}.Member("first name"), `["first name"]`},
		{"other space", Path{}.Member("a\u2003b"), `["a\u2003b"]`},
		{"control", Path{}.Member("a\x00b"), `["a\x00b"]`},
		{"invalid UTF-8", Path{}.Member("a\xff"), `["a\xff"]`},
		{"digits", Path{}.Member("a").Member("3"), "a.3"},
		{"letters of all kinds", Path{}.Member("größe").Member("naïve-日本_$"), "größe.naïve-日本_$"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.path.String(); got != tt.want {
				t.Errorf("String() = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestPathIsAStack(t *testing.T) {
	p := make(Path, 0, 8).Member("list")
	for i, want := range []string{"list[0].id", "list[1].id"} {
		if got := p.Item(i).Member("id").String(); got != want {
			t.Errorf("path %d = %s, want %s", i, got, want)
		}
	}
	if got, want := p.String(), "list"; got != want {
		t.Errorf("parent = %s, want %s", got, want)
	}
}

func TestSetMember(t *testing.T) {
	t.Parallel()
	fields := map[string]any{"a": 1, "o": map[string]any{"x": 2}}
	SetMember(fields, []string{"b"}, 3)
	SetMember(fields, []string{"o", "y", "z"}, 4)
	SetMember(fields, []string{"a", "c"}, 5)
	want := map[string]any{"a": map[string]any{"c": 5}, "b": 3, "o": map[string]any{"x": 2, "y": map[string]any{"z": 4}}}
	if !reflect.DeepEqual(fields, want) {
		t.Errorf("got %v, want %v", fields, want)
	}
}
