package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/bucketlite/bucketlite"
)

// openShop returns the bucket of products. It creates what does not exist yet.
func openShop(ctx context.Context, store *bucketlite.Store) (*bucketlite.Bucket, error) {
	return store.EnsureBucket(ctx, "shop", bucketlite.BucketConfig{
		Name: "products",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"sku":   {Type: bucketlite.String},
			"name":  {Type: bucketlite.String, Required: true},
			"price": {Type: bucketlite.Number},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}, DefaultPolicy: bucketlite.Upsert},
		Indexes:   []string{"price"},
	}, nil)
}

func Example_embedding() {
	defer inTempDir()()

	ctx := context.Background()
	store, err := bucketlite.Open(ctx, "shop.db", nil) // creates the file if there is none
	check(err)
	defer store.Close()
	products, err := openShop(ctx, store)
	check(err)

	sneaker := bucketlite.ObjectInput{Fields: map[string]any{"sku": "A-1", "name": "Red sneaker", "price": 89.50}}
	res, err := products.Put(ctx, sneaker, nil)
	check(err)
	fmt.Println("created:", res.Created)

	o, err := products.ObjectByKey(ctx, map[string]any{"sku": "A-1"})
	check(err)
	fmt.Println(o.Fields["name"], o.Fields["price"], o.Status)

	o, err = products.Patch(ctx, o.ID, bucketlite.ObjectInput{Fields: map[string]any{"price": 79}}, nil)
	check(err)
	fmt.Println(o.Fields["name"], o.Fields["price"])

	_, err = products.Put(ctx, sneaker, &bucketlite.PutOptions{IfVersion: res.Object.Version})
	fmt.Println("changed meanwhile:", errors.Is(err, bucketlite.ErrConflict))

	_, err = products.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"sku": "A-2", "price": "cheap"}}, nil)
	var invalid *bucketlite.ValidationError
	if errors.As(err, &invalid) {
		for _, issue := range invalid.Issues {
			fmt.Println(issue.Path, "|", issue.Rule, "|", issue.Message)
		}
	}

	check(products.DeleteObject(ctx, o.ID, nil))
	_, err = products.Object(ctx, o.ID)
	fmt.Println("deleted:", errors.Is(err, bucketlite.ErrNotFound))

	// Output:
	// created: true
	// Red sneaker 89.5 DRAFT
	// Red sneaker 79
	// changed meanwhile: true
	// name | required | required
	// price | type | number expected, got "cheap"
	// deleted: true
}

// sell takes one of a product from the stock and records the order: both, or nothing.
func sell(ctx context.Context, store *bucketlite.Store, products, orders *bucketlite.Bucket, id, sku string) error {
	for {
		product, err := products.ObjectByKey(ctx, map[string]any{"sku": sku})
		if err != nil {
			return err
		}
		stock := product.Int("stock")
		if stock == 0 {
			return errors.New("sold out")
		}
		_, err = store.Apply(ctx,
			products.PatchChange(product.ID, bucketlite.ObjectInput{Fields: map[string]any{"stock": stock - 1}},
				&bucketlite.PatchOptions{IfVersion: product.Version}),
			orders.PutChange(bucketlite.ObjectInput{Fields: map[string]any{"order_id": id, "sku": sku}},
				&bucketlite.PutOptions{IfAbsent: true}),
		)
		var conflict *bucketlite.ConflictError
		if !errors.As(err, &conflict) || !conflict.Version {
			return err
		}
		// Somebody else has changed the product meanwhile: read it again.
	}
}

func Example_changeSet() {
	ctx := context.Background()
	store, products := openProducts(ctx)
	defer store.Close()
	orders, err := store.EnsureBucket(ctx, "shop", bucketlite.BucketConfig{
		Name: "orders",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"order_id": {Type: bucketlite.String},
			"sku":      {Type: bucketlite.String, Required: true},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"order_id"}},
	}, nil)
	check(err)
	boots := bucketlite.ObjectInput{Fields: map[string]any{"sku": "A-3", "name": "Green boot", "stock": 1}}
	_, err = products.Put(ctx, boots, nil)
	check(err)

	fmt.Println(sell(ctx, store, products, orders, "order-1", "A-3"))
	fmt.Println(sell(ctx, store, products, orders, "order-2", "A-3"))

	// Output:
	// <nil>
	// sold out
}

func Example_watch() {
	ctx := context.Background()
	store, products := openProducts(ctx)
	defer store.Close()

	names := make(map[string]any) // a copy that is kept up to date
	point, err := store.EventCursor(ctx)
	check(err)
	for o, err := range products.Objects(ctx, bucketlite.Query{}) {
		check(err)
		names[o.ID] = o.Fields["name"]
	}

	boot := bucketlite.ObjectInput{Fields: map[string]any{"sku": "A-3", "name": "Green boot"}}
	_, err = products.Put(ctx, boot, nil)
	check(err)

	for event, err := range products.Watch(ctx, &bucketlite.WatchOptions{After: point}) {
		check(err)
		o, err := products.Object(ctx, event.ObjectID)
		check(err)
		names[o.ID] = o.Fields["name"]
		fmt.Println(event.Kind, o.Fields["name"], len(names))
		break
	}
	// Output:
	// object.created Green boot 4
}

func Example_lifecycle() {
	ctx := context.Background()
	store, products := openProducts(ctx)
	defer store.Close()
	boot := bucketlite.ObjectInput{Fields: map[string]any{"sku": "A-3", "name": "Green boot"}}

	check(products.Lock(ctx))
	_, err := products.Put(ctx, boot, nil)
	fmt.Println(err)
	check(products.Unlock(ctx))

	task, err := products.Delete(ctx) // takes effect at once; the work continues in the background
	check(err)
	task, err = store.Wait(ctx, task.ID)
	check(err)
	fmt.Println(task.Status, task.Processed)

	// Output:
	// bucketlite: bucket "products" is locked: cannot write objects
	// COMPLETED 3
}
