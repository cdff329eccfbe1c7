package main

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// bolt keeps the JSON of rows by their keys. It has no indexes, no schema and no counts.
type bolt struct{ db *bbolt.DB }

var boltBucket = []byte("records")

func openBolt(ctx context.Context, dir string, s settings) (store, error) {
	if s.indexed {
		return nil, errUnable
	}
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

func (b *bolt) Row(ctx context.Context, key string) (fields map[string]any, err error) {
	err = b.db.View(func(tx *bbolt.Tx) error {
		text := tx.Bucket(boltBucket).Get([]byte(key))
		if text == nil {
			return fmt.Errorf("no key %q", key)
		}
		fields, err = decode(text)
		return err
	})
	return fields, err
}

func (b *bolt) Count(ctx context.Context) (n int, err error) {
	err = b.db.View(func(tx *bbolt.Tx) error {
		n = tx.Bucket(boltBucket).Stats().KeyN
		return nil
	})
	return n, err
}

func (b *bolt) Close() error { return b.db.Close() }
