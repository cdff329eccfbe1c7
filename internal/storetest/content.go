package storetest

import (
	"context"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/bucketlite/bucketlite"
	_ "modernc.org/sqlite"
)

// ReadBlob returns all bytes of a blob.
func ReadBlob(b *bucketlite.Bucket, id, property string) ([]byte, error) {
	r, err := b.OpenBlob(context.Background(), id, property)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// MiB is a mebibyte.
const MiB = 1 << 20

// Film returns n bytes that pass for a video: a seed's noise behind the head of an MP4.
func Film(seed uint64, n int) []byte {
	head := []byte("\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2")
	data := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed)})
	r.Read(data)
	copy(data, head)
	return data
}

// Films creates a bucket of films.
func Films(t testing.TB, st *bucketlite.Store) *bucketlite.Bucket {
	return Bucket(t, st, bucketlite.BucketConfig{Name: "films",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"k": {Type: bucketlite.String}, "film": {Type: bucketlite.Video},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Insert}})
}

// FilmInput is an input for a bucket of films.
func FilmInput(k string, r io.Reader) bucketlite.ObjectInput {
	return bucketlite.ObjectInput{Fields: map[string]any{"k": k},
		Blobs: []bucketlite.BlobInput{{Property: "film", Reader: r, Filename: "a.mp4"}}}
}

// ReadFunc is a reader that calls a function.
type ReadFunc func(p []byte) (int, error)

// Read calls f.
func (f ReadFunc) Read(p []byte) (int, error) { return f(p) }
