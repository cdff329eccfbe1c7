package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/bucketlite/bucketlite"
)

// library is bucketlite with all defaults but the durability.
type library struct {
	store   *bucketlite.Store
	bucket  *bucketlite.Bucket
	large   *bucketlite.Bucket // the newest one for large work, of which there were
	labours int
	bytes   int64 // of a streamed blob
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

// openHeld opens a store whose reads may hold their snapshot.
func openHeld(ctx context.Context, dir string, s settings) (store, error) {
	return openLibrary(ctx, dir, s, bucketlite.Options{HoldSnapshots: true})
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
	return &library{store: st, bucket: bucket}, nil
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
	return l.putMany(ctx, rows, func(*row) string { return "" })
}

// putMany stores rows with the ids that id returns, or with generated ones if that is "".
func (l *library) putMany(ctx context.Context, rows []*row, id func(*row) string) error {
	inputs := make([]bucketlite.ObjectInput, len(rows))
	for i, r := range rows {
		inputs[i] = bucketlite.ObjectInput{ID: id(r), Fields: r.fields}
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

// libraryBlobs keeps blobs as those of objects with the names as keys.
type libraryBlobs struct{ *library }

func openBlobs(ctx context.Context, dir string, s settings) (blobStore, error) {
	l, err := openLibrary(ctx, dir, s, bucketlite.Options{})
	if err != nil {
		return nil, err
	}
	return &libraryBlobs{l}, nil
}

func (l *libraryBlobs) WriteBlob(ctx context.Context, name string, r io.Reader) error {
	_, err := l.bucket.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"sku": name, "title": "a blob"},
		Blobs: []bucketlite.BlobInput{{Property: "file", Reader: r}}}, nil)
	return err
}

func (l *libraryBlobs) ReadBlob(ctx context.Context, name string, w io.Writer) error {
	o, err := l.bucket.ObjectByKey(ctx, map[string]any{"sku": name})
	if err != nil {
		return err
	}
	r, err := l.bucket.OpenBlob(ctx, o.ID, "file")
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, r.Close())
}

// Prepare makes another bucket, and fills it unless it is for a stream.
func (l *library) Prepare(ctx context.Context, what large, rows int, bytes int64) (err error) {
	l.labours++
	l.bytes = bytes
	name := fmt.Sprintf("large-%d", l.labours)
	l.large, err = l.store.EnsureBucket(ctx, "bench", bucketlite.BucketConfig{Name: name, Schema: schema}, nil)
	if err != nil || what == stream {
		return err
	}
	return inThousands(ctx, &library{store: l.store, bucket: l.large}, newRows(rising, 0, rows))
}

// Labour deletes all objects of that bucket, adds an index to it, or puts a blob.
func (l *library) Labour(ctx context.Context, what large) (deleted int, err error) {
	switch what {
	case deletion:
		res, err := l.large.DeleteObjects(ctx, bucketlite.Query{Filter: bucketlite.Gte("price", 0)}, nil)
		if err != nil {
			return 0, err
		}
		return int(res.Changed), nil
	case stream:
		blobs := &libraryBlobs{&library{store: l.store, bucket: l.large}}
		return 0, blobs.WriteBlob(ctx, blobName(1), newContent(l.labours, l.bytes))
	case indexing:
		return 0, l.large.EnsureIndex(ctx, "price")
	}
	return 0, errUnable
}
