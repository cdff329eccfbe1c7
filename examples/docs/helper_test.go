package main

import (
	"context"
	"os"

	"github.com/bucketlite/bucketlite"
)

// inTempDir changes to a new empty directory. The function it returns changes back
// and removes it.
func inTempDir() (leave func()) {
	before, err := os.Getwd()
	check(err)
	dir, err := os.MkdirTemp("", "docs")
	check(err)
	check(os.Chdir(dir))
	return func() {
		check(os.Chdir(before))
		check(os.RemoveAll(dir))
	}
}

// openProducts opens a store in memory with the bucket of docs/guide/schemas.md and
// three products.
func openProducts(ctx context.Context) (*bucketlite.Store, *bucketlite.Bucket) {
	store, err := bucketlite.Open(ctx, ":memory:", nil)
	check(err)
	shop, err := store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "shop"})
	check(err)
	products, err := createProducts(ctx, shop)
	check(err)
	_, err = products.PutMany(ctx, []bucketlite.ObjectInput{
		{Fields: map[string]any{"sku": "A-1", "name": "Red sneaker", "price": 89.5, "tags": []string{"shoes", "sale"}, "released": "2024-05-06T10:00:00Z"}},
		{Fields: map[string]any{"sku": "A-2", "name": "Blue boot", "price": 140, "tags": []string{"shoes"}, "released": "2025-01-20T10:00:00Z"}},
		{Fields: map[string]any{"sku": "B-1", "name": "Straw hat", "price": 25, "tags": []string{"hats"}, "released": "2025-02-01T10:00:00Z"}},
	}, nil)
	check(err)
	return store, products
}
