package main

import (
	"context"
	"errors"
	"io"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
)

// cloud keeps blobs by the portable interface of gocloud.dev, in files of a directory.
type cloud struct{ bucket *blob.Bucket }

func openFileblob(ctx context.Context, dir string, s settings) (blobStore, error) {
	if s.durable {
		return nil, errUnable // it syncs nothing
	}
	bucket, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true})
	if err != nil {
		return nil, err
	}
	return &cloud{bucket}, nil
}

func (c *cloud) WriteBlob(ctx context.Context, name string, r io.Reader) error {
	return c.bucket.Upload(ctx, name, r, &blob.WriterOptions{ContentType: "application/octet-stream"})
}

func (c *cloud) ReadBlob(ctx context.Context, name string, w io.Writer) error {
	r, err := c.bucket.NewReader(ctx, name, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, r.Close())
}

func (c *cloud) Close() error { return c.bucket.Close() }
