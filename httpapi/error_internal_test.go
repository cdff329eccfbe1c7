package httpapi

import (
	"encoding/json"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// A refused change of a schema names the objects that do not conform.
func TestSchemaChangeEnvelope(t *testing.T) {
	t.Parallel()
	err := &bucketlite.SchemaChangeError{Subject: `bucket "films"`, TaskID: "task_1", Count: 7, Objects: []bucketlite.InvalidObject{
		{ID: "a", Issues: []bucketlite.Issue{{Path: "title", Rule: "required", Message: "required"}}},
		{ID: "b", Issues: []bucketlite.Issue{{Path: "", Rule: "minProperties", Message: "at least 1"}, {Path: "tags[1]", Rule: "type", Message: "string expected"}}},
	}}
	got, fault := json.Marshal((&answer{}).envelope(err))
	if fault != nil {
		t.Fatal(fault)
	}
	const want = `{"success":false,"status":422,"error":{"type":"ValidationError","message":"bucket \"films\": the schema is unchanged: 7 of its objects do not conform to the new one: ` +
		`object \"a\": title: required; object \"b\": at least 1, tags[1]: string expected; and 5 more","details":{"invalid_objects":7,"task_id":"task_1","validation_errors":[` +
		`{"type":"required","location":"object.a.title","message":"required"},{"type":"minProperties","location":"object.b","message":"at least 1"},` +
		`{"type":"type","location":"object.b.tags[1]","message":"string expected"}]}},"detail":[` +
		`{"loc":["object","a","title"],"msg":"required","type":"required"},{"loc":["object","b"],"msg":"at least 1","type":"minProperties"},` +
		`{"loc":["object","b","tags",1],"msg":"string expected","type":"type"}]}`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
