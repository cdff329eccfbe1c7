// Package shop sells things that are kept in a bucketlite store.
package shop

import (
	"context"
	"errors"
	"fmt"

	"github.com/bucketlite/bucketlite"
)

var (
	ErrSoldOut  = errors.New("sold out")
	ErrTryLater = errors.New("try later")
)

type Product struct {
	SKU   string  `json:"sku"`
	Name  string  `json:"name" bucketlite:"required"`
	Stock int64   `json:"stock" bucketlite:"min=0"`
	Price float64 `json:"price"`
}

type Order struct {
	ID  string `json:"order_id"`
	SKU string `json:"sku"`
}

type Shop struct {
	store    *bucketlite.Store
	Products *bucketlite.TypedBucket[Product]
	Orders   *bucketlite.TypedBucket[Order]
}

// Open opens the shop in a store, and creates it the first time.
func Open(ctx context.Context, store *bucketlite.Store) (*Shop, error) {
	products, err := bucketlite.EnsureAs[Product](ctx, store, "shop", bucketlite.BucketConfig{
		Name: "products", UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}, DefaultPolicy: bucketlite.Upsert}}, nil)
	if err != nil {
		return nil, err
	}
	orders, err := bucketlite.EnsureAs[Order](ctx, store, "shop", bucketlite.BucketConfig{
		Name: "orders", UniqueKey: &bucketlite.UniqueKey{Fields: []string{"order_id"}, DefaultPolicy: bucketlite.Insert}}, nil)
	return &Shop{store, products, orders}, err
}

// Order takes one from stock and records the order: both, or nothing.
func (s *Shop) Order(ctx context.Context, id, sku string) error {
	for {
		product, err := s.Products.ByKey(ctx, sku)
		if err != nil {
			return err
		}
		if product.Value.Stock == 0 {
			return fmt.Errorf("%s: %w", sku, ErrSoldOut)
		}
		product.Value.Stock--
		take, takeErr := s.Products.PatchChange(product) // refused if the product has changed meanwhile
		record, recordErr := s.Orders.PutChange(Order{id, sku}, nil)
		if err := errors.Join(takeErr, recordErr); err != nil {
			return err
		}
		_, err = s.store.Apply(ctx, take, record)
		var conflict *bucketlite.ConflictError
		if errors.As(err, &conflict) && conflict.Version {
			continue // somebody else was faster
		}
		if errors.Is(err, bucketlite.ErrFull) || errors.Is(err, bucketlite.ErrBusy) {
			return errors.Join(ErrTryLater, err)
		}
		return err
	}
}
