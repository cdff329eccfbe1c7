package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// bolt keeps the JSON of rows by their keys. It has no indexes, no schema and no counts.
type bolt struct{ db *bbolt.DB }

var boltBucket = []byte("records")

func openBolt(ctx context.Context, dir string, s settings) (store, error) {
	db, err := bbolt.Open(path(dir, "bolt.db"), 0o600, nil)
	if err != nil {
		return nil, err
	}
	// Batch waits for that many calls or 10 ms, and there are 32 goroutines.
	db.MaxBatchSize = 32
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(boltBucket)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &bolt{db}, nil
}

func (b *bolt) Put(ctx context.Context, r *row) error {
	return b.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(boltBucket).Put([]byte(r.key), r.text) })
}

func (b *bolt) GroupPut(ctx context.Context, r *row) error {
	return b.db.Batch(func(tx *bbolt.Tx) error { return tx.Bucket(boltBucket).Put([]byte(r.key), r.text) })
}

func (b *bolt) Upsert(ctx context.Context, r *row) error { return b.Put(ctx, r) }

func (b *bolt) PutMany(ctx context.Context, rows []*row) error {
	return b.db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(boltBucket)
		for _, r := range rows {
			if err := bucket.Put([]byte(r.key), r.text); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bolt) Row(ctx context.Context, key string) (row decoded, err error) {
	err = b.db.View(func(tx *bbolt.Tx) error {
		text := tx.Bucket(boltBucket).Get([]byte(key))
		if text == nil {
			return fmt.Errorf("no key %q", key)
		}
		row, err = decode(text)
		return err
	})
	return row, err
}

// Page scans, since there are no indexes, and so decodes all it comes to.
func (b *bolt) Page(ctx context.Context, f filter, limit int) (rows []decoded, err error) {
	return rows, b.scan(f, func(text []byte) (bool, error) {
		row, err := decode(text)
		rows = append(rows, row)
		return len(rows) < limit, err
	})
}

func (b *bolt) CountOf(ctx context.Context, f filter) (n int, err error) {
	return n, b.scan(f, func([]byte) (bool, error) { n++; return true, nil })
}

// scan calls do with the rows that the filter selects, until it returns false.
func (b *bolt) scan(f filter, do func(text []byte) (bool, error)) error {
	if f.indexed {
		return errUnable
	}
	return b.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(boltBucket).Cursor()
		for key, text := cursor.First(); key != nil; key, text = cursor.Next() {
			var r struct {
				Stock int     `json:"stock"`
				Price float64 `json:"price"`
			}
			if err := json.Unmarshal(text, &r); err != nil {
				return err
			}
			if !f.selects(r.Stock, r.Price) {
				continue
			}
			if more, err := do(text); err != nil || !more {
				return err
			}
		}
		return nil
	})
}

func (b *bolt) Count(ctx context.Context) (n int, err error) {
	err = b.db.View(func(tx *bbolt.Tx) error {
		n = tx.Bucket(boltBucket).Stats().KeyN
		return nil
	})
	return n, err
}

func (b *bolt) Close() error { return b.db.Close() }
