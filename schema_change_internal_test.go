package bucketlite

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The comparison of two schemas is tested in package schema.
func TestCompareSchemas(t *testing.T) {
	t.Parallel()
	old := Schema{Properties: map[string]Field{"id": {Type: String}, "n": {Type: Integer}, "town": {Type: String}}}
	new := Schema{Properties: map[string]Field{"id": {Type: String}, "n": {Type: Number}, "city": {Type: String}}}
	key := &UniqueKey{Fields: []string{"id"}}
	change, issues := compareSchemas(old, new, key, SchemaChangeOptions{Rename: map[string]string{"town": "city"}}, false)
	want := []FieldChange{
		{"city", EffectRewrites, `renamed from "town"`},
		{"n", EffectLoosens, "type: integer to number"},
	}
	if diff := cmp.Diff(want, fieldChanges(change.Fields)); diff != "" || issues != nil {
		t.Errorf("(-want +got):\n%s, issues %v", diff, issues)
	}
	_, issues = compareSchemas(old, Schema{}, key, SchemaChangeOptions{Drop: []string{"id"}}, false)
	var rules []string
	for _, issue := range issues {
		rules = append(rules, issue.Path+" "+issue.Rule)
	}
	if diff := cmp.Diff([]string{"id key", "n missing", "town missing"}, rules); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSchemaChangeError(t *testing.T) {
	t.Parallel()
	issue := Issue{Path: "title", Rule: "required", Message: "required"}
	err := &SchemaChangeError{Subject: `bucket "b"`, Count: 7, Objects: []InvalidObject{
		{"a", []Issue{issue, issue}}, {"b", []Issue{issue}}, {"c", []Issue{issue}}, {"d", []Issue{issue}},
	}}
	const want = `bucketlite: bucket "b": the schema is unchanged: 7 of its objects do not conform to the new one: ` +
		`object "a": title: required, title: required; object "b": title: required; object "c": title: required; and 4 more`
	if err.Error() != want {
		t.Errorf("got %q, want %q", err.Error(), want)
	}
	if !errors.Is(err, ErrInvalid) || errors.Is(err, ErrConflict) {
		t.Error("it does not match ErrInvalid alone")
	}
	one := &SchemaChangeError{Subject: `bucket "b"`, Count: 1, Objects: err.Objects[1:2]}
	const wantOne = `bucketlite: bucket "b": the schema is unchanged: 1 of its objects does not conform to the new one: object "b": title: required`
	if one.Error() != wantOne {
		t.Errorf("got %q, want %q", one.Error(), wantOne)
	}
}
