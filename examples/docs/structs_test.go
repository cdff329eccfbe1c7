package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bucketlite/bucketlite"
)

type Product struct {
	SKU      string    `json:"sku"`
	Name     string    `json:"name" bucketlite:"required,maxlen=100"`
	Price    float64   `json:"price" bucketlite:"min=0"`
	Size     string    `json:"size,omitempty" bucketlite:"enum=S|M|L,default=M"`
	Tags     []string  `json:"tags,omitempty" bucketlite:"uniqueItems"`
	Released time.Time `json:"released,omitzero"`

	Photo bucketlite.BlobInput `json:"photo" bucketlite:"type=image"`
}

type Account struct {
	Owner   string `json:"owner"`
	Balance int64  `json:"balance" bucketlite:"min=0"`
}

// move takes an amount from one account and gives it to another: both, or nothing.
func move(ctx context.Context, store *bucketlite.Store, accounts *bucketlite.TypedBucket[Account], from, to string, amount int64) error {
	for {
		payer, err := accounts.ByKey(ctx, from)
		if err != nil {
			return err
		}
		payee, err := accounts.ByKey(ctx, to)
		if err != nil {
			return err
		}
		payer.Value.Balance -= amount
		payee.Value.Balance += amount
		take, takeErr := accounts.PatchChange(payer) // what has changed in Value
		give, giveErr := accounts.PatchChange(payee)
		if err := errors.Join(takeErr, giveErr); err != nil {
			return err
		}
		_, err = store.Apply(ctx, take, give)
		var conflict *bucketlite.ConflictError
		if !errors.As(err, &conflict) || !conflict.Version {
			return err
		}
		// Somebody else has changed an account meanwhile: read them again.
	}
}

func Example_structs() {
	ctx := context.Background()
	store, err := bucketlite.Open(ctx, ":memory:", nil)
	check(err)
	defer store.Close()

	products, err := bucketlite.EnsureAs[Product](ctx, store, "shop", bucketlite.BucketConfig{
		Name:      "products",
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}, DefaultPolicy: bucketlite.Upsert},
	}, nil)
	check(err)

	res, err := products.Put(ctx, Product{SKU: "A-1", Name: "Red sneaker", Price: 89.5}, nil)
	check(err)
	sneaker, err := products.ByKey(ctx, "A-1")
	check(err)
	fmt.Println(sneaker.Value.Name, sneaker.Value.Price, sneaker.Value.Size, sneaker.Status)

	_, err = products.Patch(ctx, res.Object.ID, func(p *Product) error { p.Price -= 10; return nil }, nil)
	check(err)
	for p, err := range products.Objects(ctx, bucketlite.Query{Filter: bucketlite.Lt("price", 80)}) {
		check(err)
		fmt.Println(p.Value.SKU, p.Value.Price)
	}

	accounts, err := bucketlite.EnsureAs[Account](ctx, store, "bank", bucketlite.BucketConfig{
		Name:      "accounts",
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"owner"}, DefaultPolicy: bucketlite.Upsert},
	}, nil)
	check(err)
	_, err = accounts.PutMany(ctx, []Account{{"Ann", 100}, {"Bob", 0}}, nil)
	check(err)
	fmt.Println(move(ctx, store, accounts, "Ann", "Bob", 70))
	fmt.Println(move(ctx, store, accounts, "Ann", "Bob", 70))

	var small struct {
		Price int8      `json:"price"`
		Name  time.Time `json:"name"`
	}
	err = sneaker.Decode(&small)
	fmt.Println(errors.Is(err, bucketlite.ErrInvalid))
	var invalid *bucketlite.ValidationError
	if errors.As(err, &invalid) {
		for _, issue := range invalid.Issues {
			fmt.Println(issue)
		}
	}
	fmt.Println(sneaker.Float("price"), sneaker.Text("name"))

	// Output:
	// Red sneaker 89.5 M DRAFT
	// A-1 79.5
	// <nil>
	// bucketlite: changes[0]: bucket "accounts": balance: at least 0 expected, got -40
	// true
	// price: whole number within int8 expected, got 89.5
	// name: datetime as in RFC 3339 or date as YYYY-MM-DD expected, got "Red sneaker"
	// 89.5 Red sneaker
}
