package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/bucketlite/bucketlite"
)

// A rename and a new required field rewrite the stored objects. A rule that some object
// breaks changes nothing.
func ExampleBucket_ChangeSchema() {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, ":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer st.Close()
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "production"})
	if err != nil {
		log.Fatal(err)
	}
	songs, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{
		Name: "songs",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"titel":  {Type: bucketlite.String},
			"length": {Type: bucketlite.Integer},
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	put, err := songs.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"titel": "Yellow", "length": 269}}, nil)
	if err != nil {
		log.Fatal(err)
	}

	next := bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"title":  {Type: bucketlite.String},
		"length": {Type: bucketlite.Number}, // seconds, also with a fraction
		"genre":  {Type: bucketlite.String, Required: true, Default: "other"},
	}}
	change, err := songs.ChangeSchema(ctx, next, &bucketlite.SchemaChangeOptions{Rename: map[string]string{"titel": "title"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range change.Fields {
		fmt.Printf("%s: %s: %s\n", f.Path, f.Effect, f.Message)
	}
	o, err := songs.Object(ctx, put.Object.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(o.Fields)

	next.Properties["genre"] = bucketlite.Field{Type: bucketlite.String, Required: true, Enum: []any{"rock", "jazz"}}
	_, err = songs.ChangeSchema(ctx, next, nil)
	var refused *bucketlite.SchemaChangeError
	if errors.As(err, &refused) {
		fmt.Println(refused.Count, refused.Objects[0].Issues)
	}
	// Output:
	// genre: rewrites: new; objects may have an undeclared member of this name; required; filled in with its default where it is absent
	// length: loosens: type: integer to number
	// title: rewrites: renamed from "titel"
	// map[genre:other length:269 title:Yellow]
	// 1 [genre: one of "rock", "jazz" expected, got "other"]
}
