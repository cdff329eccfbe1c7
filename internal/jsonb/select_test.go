package jsonb_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/value"
)

func TestParseSelected(t *testing.T) {
	t.Parallel()
	doc := object{
		"a": object{"x": 1, "y": object{"z": true, "w": "v"}, "e": object{}},
		"b": list{object{"x": nil, "y": 2}, 3, list{object{"x": "in"}}, object{"y": 4}},
		"c": "text", "d": list{},
	}
	tests := map[string]struct {
		paths []string
		want  string
	}{
		"whole members":             {[]string{"a.y", "c"}, `{"a":{"y":{"w":"v","z":true}},"c":"text"}`},
		"nested":                    {[]string{"a.y.z"}, `{"a":{"y":{"z":true}}}`},
		"part and whole":            {[]string{"a.y.z", "a"}, `{"a":{"e":{},"x":1,"y":{"w":"v","z":true}}}`},
		"through arrays":            {[]string{"b.x"}, `{"b":[{"x":null},[{"x":"in"}]]}`},
		"empty array":               {[]string{"d.x"}, `{"d":[]}`},
		"below a scalar":            {[]string{"c.x"}, `{}`},
		"nothing of a member":       {[]string{"a.none", "a.e.none"}, `{}`},
		"absent":                    {[]string{"none"}, `{}`},
		"everything of all members": {[]string{"a", "b", "c", "d"}, string(value.Append(nil, doc))},
	}
	stored, _ := jsonb.Append(nil, doc)
	plain, err := jsonb.Parse(stored)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := make(value.Selection)
			for _, p := range test.paths {
				s.Add(strings.Split(p, "."))
			}
			got, err := jsonb.ParseSelected(stored, s)
			if text := string(value.Append(nil, got)); err != nil || text != test.want {
				t.Errorf("got %s, %v, want %s", text, err, test.want)
			}
			if want := s.Members(plain); !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, but Members of what Parse reads are %v", got, want)
			}
		})
	}
}

// Members that are not selected are not read.
func TestParseSelectedSkips(t *testing.T) {
	damaged := obj(text("a"), element(kindText, "\xff"), text("b"), element(kindInt, "1"))
	got, err := jsonb.ParseSelected(damaged, value.Selection{"b": nil})
	if err != nil || fmt.Sprint(got) != "map[b:1]" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := jsonb.ParseSelected(damaged, value.Selection{"a": nil}); err == nil {
		t.Error("the damaged member was read")
	}
	big := make(list, 100_000)
	for i := range big {
		big[i] = i
	}
	stored, _ := jsonb.Append(nil, object{"big": big, "small": 1})
	if got := testing.AllocsPerRun(10, func() { jsonb.ParseSelected(stored, value.Selection{"small": nil}) }); got > 20 {
		t.Errorf("%v allocations for one small member", got)
	}
}
