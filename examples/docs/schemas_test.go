package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"

	"github.com/bucketlite/bucketlite"
)

func createProducts(ctx context.Context, shop *bucketlite.Namespace) (*bucketlite.Bucket, error) {
	return shop.CreateBucket(ctx, bucketlite.BucketConfig{
		Name: "products",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"sku":      {Type: bucketlite.String, Keywords: map[string]any{"pattern": "^[A-Z]-[0-9]+$"}},
			"name":     {Type: bucketlite.String, Required: true, Keywords: map[string]any{"maxLength": 100}},
			"price":    {Type: bucketlite.Number, Keywords: map[string]any{"minimum": 0}},
			"size":     {Type: bucketlite.String, Enum: []any{"S", "M", "L"}, Default: "M"},
			"tags":     {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.String}},
			"released": {Type: bucketlite.DateTime},
			"photo":    {Type: bucketlite.Image},
			"manual":   {Type: bucketlite.PDF},
			"notes":    {Type: bucketlite.Text},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}, DefaultPolicy: bucketlite.Upsert},
	})
}

func Example_schemas() {
	ctx := context.Background()
	store, products := openProducts(ctx)
	defer store.Close()

	err := products.Validate(ctx, bucketlite.ObjectInput{Fields: map[string]any{
		"sku": "a1", "price": -5, "size": "XXL", "tags": []any{"shoes", 7}, "photo": "photo.jpg",
	}})
	var invalid *bucketlite.ValidationError
	if errors.As(err, &invalid) {
		for _, issue := range invalid.Issues {
			fmt.Println(issue)
		}
	}

	hat := bucketlite.ObjectInput{Fields: map[string]any{"sku": "B-1", "name": "Felt hat"}}
	res, err := products.Put(ctx, hat, nil) // the bucket's policy is Upsert
	check(err)
	fmt.Println(res.Created, res.Object.Fields["size"])

	_, err = products.Put(ctx, hat, &bucketlite.PutOptions{Policy: bucketlite.Insert})
	var conflict *bucketlite.ConflictError
	fmt.Println(errors.As(err, &conflict), conflict.ExistingID == res.Object.ID)

	result, err := products.PutMany(ctx, []bucketlite.ObjectInput{
		{Fields: map[string]any{"sku": "C-1", "name": "Scarf"}},
		{Fields: map[string]any{"sku": "C-2"}},
	}, nil)
	check(err)
	fmt.Println(len(result.Succeeded), "stored")
	for _, failure := range result.Failed {
		fmt.Println(failure.Index, failure.Err)
	}
	// Output:
	// name: required
	// photo: image comes as a blob, not as a value, got "photo.jpg"
	// price: at least 0 expected, got -5
	// size: one of "S", "M", "L" expected, got "XXL"
	// sku: must match "^[A-Z]-[0-9]+$", got "a1"
	// tags[1]: string expected, got 7
	// false M
	// true true
	// 1 stored
	// 1 bucketlite: bucket "products": name: required
}

// lines returns the objects in a file of JSON lines.
func lines(name string) iter.Seq2[map[string]any, error] {
	return func(yield func(map[string]any, error) bool) {
		text, err := os.ReadFile(name)
		if err != nil {
			yield(nil, err)
			return
		}
		for line := range bytes.Lines(text) {
			var fields map[string]any
			if err := json.Unmarshal(line, &fields); !yield(fields, err) {
				return
			}
		}
	}
}

func Example_inference() {
	defer inTempDir()()
	check(os.WriteFile("items.jsonl", []byte(`{"sku": "A-1", "name": "Red sneaker", "price": 89.5}
{"sku": "A-2", "name": "Blue boot", "price": "140"}
`), 0o666))

	found, err := bucketlite.InferSchema(lines("items.jsonl"), nil)
	check(err)
	for _, f := range found.Fields {
		fmt.Printf("%s: type %q, in %d of %d, such as %v\n", f.Path, f.Type, f.Seen, f.Of, f.Examples[0])
		if f.Note != "" {
			fmt.Println(" ", f.Note)
		}
	}
	fmt.Println("unique:", found.Keys)
	// Output:
	// name: type "string", in 2 of 2, such as Red sneaker
	// price: type "", in 2 of 2, such as 89.5
	//   no type takes every value: 1 number, 1 string
	// sku: type "string", in 2 of 2, such as A-1
	// unique: [{sku 2} {name 2}]
}

func Example_schemaChanges() {
	ctx := context.Background()
	store, products := openProducts(ctx)
	defer store.Close()

	info, err := products.Info(ctx)
	check(err)
	next := info.Schema
	next.Properties["title"] = next.Properties["name"]
	next.Properties["size"] = bucketlite.Field{Type: bucketlite.String, Enum: []any{"S", "M", "L", "XL"}, Default: "M", Required: true}
	delete(next.Properties, "name")
	delete(next.Properties, "notes")

	change, err := products.ChangeSchema(ctx, next, &bucketlite.SchemaChangeOptions{
		Rename: map[string]string{"name": "title"},
		Drop:   []string{"notes"},
	})
	check(err)
	fmt.Println("version", change.Version, change.Effect)
	for _, f := range change.Fields {
		fmt.Printf("%s: %s: %s\n", f.Path, f.Effect, f.Message)
	}

	price := next.Properties["price"]
	price.Keywords = map[string]any{"maximum": 100}
	next.Properties["price"] = price
	_, err = products.ChangeSchema(ctx, next, &bucketlite.SchemaChangeOptions{DryRun: true})
	var refused *bucketlite.SchemaChangeError
	if errors.As(err, &refused) {
		fmt.Println(refused.Count, refused.Objects[0].Issues)
	}
	// Output:
	// version 2 rewrites
	// notes: rewrites: dropped
	// size: rewrites: enum: also "XL"; required; filled in with its default where it is absent
	// title: rewrites: renamed from "name"
	// 1 [price: at most 100 expected, got 140]
}
