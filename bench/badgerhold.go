package main

import (
	"context"

	"github.com/dgraph-io/badger/v4"
	"github.com/timshannon/badgerhold/v4"
)

// hold keeps structs, by their keys, in gob, its default.
type hold struct {
	store   *badgerhold.Store
	queried bool
}

// holdRow is a row as a struct.
type holdRow struct {
	SKU, Title, Body, Category, Released, Updated, Publisher string
	Price                                                    float64
	Stock                                                    int
	Active                                                   bool
}

// holdIndexed is such a row with an index.
type holdIndexed struct {
	SKU, Title, Body, Category, Released, Updated, Publisher string
	Price                                                    float64
	Stock                                                    int `badgerhold:"index"`
	Active                                                   bool
}

func (r *holdRow) Key() string { return r.SKU }

func (r *holdRow) Fields() map[string]any {
	return map[string]any{
		"sku": r.SKU, "title": r.Title, "body": r.Body, "category": r.Category, "price": r.Price, "stock": r.Stock,
		"active": r.Active, "released": r.Released, "updated": r.Updated, "publisher": r.Publisher,
	}
}

func openBadgerhold(ctx context.Context, dir string, s settings) (store, error) {
	options := badgerhold.DefaultOptions
	options.Options = badger.DefaultOptions(dir).WithSyncWrites(s.durable).WithLogger(nil)
	st, err := badgerhold.Open(options)
	if err != nil {
		return nil, err
	}
	return &hold{st, s.queried}, nil
}

// record returns what is stored for a row.
func (h *hold) record(r *row) any {
	f := r.fields
	record := holdRow{
		SKU: r.key, Title: f["title"].(string), Body: f["body"].(string), Category: f["category"].(string),
		Released: f["released"].(string), Updated: f["updated"].(string), Publisher: f["publisher"].(string),
		Price: f["price"].(float64), Stock: f["stock"].(int), Active: f["active"].(bool),
	}
	if h.queried {
		indexed := holdIndexed(record)
		return &indexed
	}
	return &record
}

func (h *hold) Put(ctx context.Context, r *row) error { return h.store.Insert(r.key, h.record(r)) }

func (h *hold) Upsert(ctx context.Context, r *row) error { return h.store.Upsert(r.key, h.record(r)) }

func (h *hold) PutMany(ctx context.Context, rows []*row) error {
	return h.store.Badger().Update(func(tx *badger.Txn) error {
		for _, r := range rows {
			if err := h.store.TxInsert(tx, r.key, h.record(r)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (h *hold) Row(ctx context.Context, key string) (decoded, error) {
	if h.queried {
		var r holdIndexed
		err := h.store.Get(key, &r)
		row := holdRow(r)
		return &row, err
	}
	var r holdRow
	return &r, h.store.Get(key, &r)
}

func holdQuery(f filter) *badgerhold.Query {
	if f.indexed {
		return badgerhold.Where("Stock").Eq(int(f.value)).Index("Stock")
	}
	return badgerhold.Where("Price").Lt(f.value)
}

func (h *hold) Page(ctx context.Context, f filter, limit int) ([]decoded, error) {
	var found []holdIndexed
	if err := h.store.Find(&found, holdQuery(f).Limit(limit)); err != nil {
		return nil, err
	}
	rows := make([]decoded, len(found))
	for i, r := range found {
		row := holdRow(r)
		rows[i] = &row
	}
	return rows, nil
}

func (h *hold) CountOf(ctx context.Context, f filter) (int, error) {
	n, err := h.store.Count(&holdIndexed{}, holdQuery(f))
	return int(n), err
}

func (h *hold) Count(ctx context.Context) (int, error) {
	var of any = &holdRow{}
	if h.queried {
		of = &holdIndexed{}
	}
	n, err := h.store.Count(of, nil)
	return int(n), err
}

func (h *hold) Close() error { return h.store.Close() }
