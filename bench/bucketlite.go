package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/bucketlite/bucketlite"
)

// library is bucketlite with all defaults but the durability.
type library struct {
	store  *bucketlite.Store
	bucket *bucketlite.Bucket
}

// schema declares the fields of a row, with the rules that one would write down.
var schema = bucketlite.Schema{Properties: map[string]bucketlite.Field{
	"sku":       {Type: bucketlite.String},
	"title":     {Type: bucketlite.String, Required: true},
	"body":      {Type: bucketlite.String},
	"category":  {Type: bucketlite.String, Enum: []any{"shoes", "shirts", "hats", "socks"}},
	"price":     {Type: bucketlite.Number},
	"stock":     {Type: bucketlite.Integer},
	"active":    {Type: bucketlite.Boolean},
	"released":  {Type: bucketlite.Date},
	"updated":   {Type: bucketlite.DateTime},
	"publisher": {Type: bucketlite.String},
	"file":      {Type: bucketlite.File},
}}

func openBucketlite(ctx context.Context, dir string, s settings) (store, error) {
	return openLibrary(ctx, dir, s, bucketlite.Options{})
}

// openLibrary opens the store of a directory, and makes it if there is none.
func openLibrary(ctx context.Context, dir string, s settings, o bucketlite.Options) (*library, error) {
	o.Durability = bucketlite.DurabilityNormal
	if s.durable {
		o.Durability = bucketlite.DurabilityFull
	}
	st, err := bucketlite.Open(ctx, path(dir, "bucketlite.db"), &o)
	if err != nil {
		return nil, err
	}
	config := bucketlite.BucketConfig{Name: "records", Schema: schema,
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}, DefaultPolicy: bucketlite.Insert}}
	if s.queried {
		config.Indexes = []string{"stock"}
	}
	bucket, err := st.EnsureBucket(ctx, "bench", config, nil)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return &library{st, bucket}, nil
}

func (l *library) Put(ctx context.Context, r *row) error {
	_, err := l.bucket.Put(ctx, bucketlite.ObjectInput{Fields: r.fields}, nil)
	return err
}

func (l *library) Upsert(ctx context.Context, r *row) error {
	_, err := l.bucket.Put(ctx, bucketlite.ObjectInput{Fields: r.fields}, &bucketlite.PutOptions{Policy: bucketlite.Upsert})
	return err
}

func (l *library) PutMany(ctx context.Context, rows []*row) error {
	inputs := make([]bucketlite.ObjectInput, len(rows))
	for i, r := range rows {
		inputs[i].Fields = r.fields
	}
	res, err := l.bucket.PutMany(ctx, inputs, nil)
	if err == nil && len(res.Failed) > 0 {
		err = fmt.Errorf("%d objects failed: %v", len(res.Failed), res.Failed[0].Err)
	}
	return err
}

func (l *library) Row(ctx context.Context, key string) (decoded, error) {
	o, err := l.bucket.ObjectByKey(ctx, map[string]any{"sku": key})
	if err != nil {
		return nil, err
	}
	return fieldMap(o.Fields), nil
}

func (l *library) Page(ctx context.Context, f filter, limit int) ([]decoded, error) {
	page, err := l.bucket.List(ctx, bucketlite.Query{Filter: filterOf(f), Limit: limit})
	if err != nil {
		return nil, err
	}
	rows := make([]decoded, len(page.Results))
	for i, o := range page.Results {
		rows[i] = fieldMap(o.Fields)
	}
	return rows, nil
}

func (l *library) CountOf(ctx context.Context, f filter) (int, error) {
	n, err := l.bucket.Count(ctx, filterOf(f))
	return int(n), err
}

func filterOf(f filter) bucketlite.Filter {
	if f.indexed {
		return bucketlite.Eq("stock", f.value)
	}
	return bucketlite.Lt("price", f.value)
}

func (l *library) Sums(ctx context.Context) (rows, size int64, err error) {
	stats, err := l.bucket.Stats(ctx)
	if err != nil {
		return 0, 0, err
	}
	return stats.ObjectCount, stats.TotalSize, nil
}

func (l *library) Count(ctx context.Context) (int, error) {
	n, err := l.bucket.Count(ctx, bucketlite.Filter{})
	return int(n), err
}

func (l *library) Close() error { return l.store.Close() }
