package storetest

import (
	"context"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// Schema parses a schema from the members of its "properties".
func Schema(t testing.TB, properties string) bucketlite.Schema {
	t.Helper()
	s, err := bucketlite.ParseSchema([]byte(`{"properties":{` + properties + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Input parses an ObjectInput.
func Input(t testing.TB, text string) bucketlite.ObjectInput {
	t.Helper()
	var in bucketlite.ObjectInput
	if err := in.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return in
}

// Put stores an object that must be accepted, and returns it.
func Put(t testing.TB, b *bucketlite.Bucket, in bucketlite.ObjectInput, policy bucketlite.Policy) *bucketlite.Object {
	t.Helper()
	res, err := b.Put(context.Background(), in, &bucketlite.PutOptions{Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	return res.Object
}
