package jsonb_test

import (
	"reflect"
	"testing"

	"github.com/bucketlite/bucketlite/internal/jsonb"
)

// A copy is what is read back.
func TestCopy(t *testing.T) {
	t.Parallel()
	all := corners()
	all["record"] = record()
	all["corners"] = corners()
	for name, v := range all {
		in := object{"v": v, "list": list{v, object{"w": v}}}
		stored, _ := jsonb.Append(nil, in)
		want, err := jsonb.Parse(stored)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := jsonb.Copy(in); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#.200v, want %#.200v", name, got, want)
		}
	}
	for name, in := range map[string]object{"nil": nil, "empty": {}} {
		if got := jsonb.Copy(in); got == nil || len(got) > 0 {
			t.Errorf("%s: got %#v, want an empty object", name, got)
		}
	}
}

func TestCopySharesNothing(t *testing.T) {
	t.Parallel()
	in := object{"list": list{1, list{2}, object{"a": 3}}, "object": object{"list": list{4}}, "empty": list{}}
	out := jsonb.Copy(in)
	want := jsonb.Copy(in)
	in["new"] = true
	in["list"].(list)[0] = "changed"
	in["list"].(list)[1].(list)[0] = "changed"
	in["list"].(list)[2].(object)["a"] = "changed"
	in["object"].(object)["list"].(list)[0] = "changed"
	in["object"].(object)["b"] = "changed"
	if !reflect.DeepEqual(out, want) {
		t.Errorf("after a change of the original: got %v, want %v", out, want)
	}
}

func TestCopyPanics(t *testing.T) {
	t.Parallel()
	for _, v := range []any{struct{}{}, []string{"a"}, list{map[string]int{}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Copy(%T) did not panic", v)
				}
			}()
			jsonb.Copy(object{"v": v})
		}()
	}
}
