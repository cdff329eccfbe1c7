package proof_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/bucketlite/bucketlite/picture"
)

// BenchmarkImportLines imports JSON lines, beside a loop that decodes the same lines and
// calls PutMany.
func BenchmarkImportLines(b *testing.B) {
	const lines = 50_000
	ctx := context.Background()
	var text strings.Builder
	for i := range lines {
		fmt.Fprintf(&text, `{"sku": "s%07d", "title": "a title of a thing that is number %d", "price": %d.50, "stock": %d, "tags": ["one", "two"], "text": %q}`+"\n", i, i, i%100, i%7, strings.Repeat("word ", 40))
	}
	schema := bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"sku": {Type: bucketlite.String}, "title": {Type: bucketlite.String}, "price": {Type: bucketlite.Number}, "stock": {Type: bucketlite.Integer}, "tags": {Type: bucketlite.Array},
	}}
	key := &bucketlite.UniqueKey{Fields: []string{"sku"}, DefaultPolicy: bucketlite.Upsert}
	byLoop := func(bu *bucketlite.Bucket) error {
		inputs := make([]bucketlite.ObjectInput, 0, bucketlite.DefaultBatchSize)
		for line := range strings.Lines(text.String()) {
			var in bucketlite.ObjectInput
			if err := in.UnmarshalJSON([]byte(line)); err != nil {
				return err
			}
			if inputs = append(inputs, in); len(inputs) == cap(inputs) {
				if _, err := bu.PutMany(ctx, inputs, nil); err != nil {
					return err
				}
				inputs = inputs[:0]
			}
		}
		return nil
	}
	byImport := func(bu *bucketlite.Bucket) error {
		_, err := bu.Import(ctx, bucketlite.JSONLines(strings.NewReader(text.String())), nil)
		return err
	}
	var loop, imported time.Duration
	run := func(took *time.Duration, f func(*bucketlite.Bucket) error) {
		bu := storetest.Bucket(b, storetest.Open(b), bucketlite.BucketConfig{Schema: schema, UniqueKey: key})
		*took += timed(b, func() error { return f(bu) })
		count(b, bu, lines)
	}
	for i := 0; b.Loop(); i++ {
		if i%2 == 0 { // neither is always the first
			run(&loop, byLoop)
			run(&imported, byImport)
			continue
		}
		run(&imported, byImport)
		run(&loop, byLoop)
	}
	b.ReportMetric(float64(b.N)*lines/loop.Seconds(), "putmany/s")
	b.ReportMetric(float64(b.N)*lines/imported.Seconds(), "import/s")
	b.ReportMetric(loop.Seconds()/imported.Seconds(), "ratio")
}

// BenchmarkImportFolder imports 1,000 pictures with their facts, beside a loop that opens
// each file and puts it without any, and imports them again unchanged.
func BenchmarkImportFolder(b *testing.B) {
	const pictures = 1000
	ctx := context.Background()
	dir := b.TempDir()
	noise := rand.New(rand.NewPCG(1, 2))
	m := image.NewGray(image.Rect(0, 0, 320, 240))
	for i := range pictures {
		for j := range m.Pix {
			m.Pix[j] = byte(noise.Uint32())
		}
		var file bytes.Buffer
		if err := jpeg.Encode(&file, m, nil); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.jpg", i)), file.Bytes(), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	config := bucketlite.BucketConfig{
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"path": {Type: bucketlite.String}, "width": {Type: bucketlite.Integer}, "height": {Type: bucketlite.Integer}, "photo": {Type: bucketlite.Image},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"path"}, DefaultPolicy: bucketlite.Upsert},
	}
	for b.Loop() {
		b.StopTimer()
		st := storetest.Open(b)
		config.Name = "loop"
		loop := storetest.Bucket(b, st, config)
		config.Name = "import"
		imported := storetest.Bucket(b, st, config)
		b.StartTimer()
		byLoop := timed(b, func() error {
			return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
				if err != nil || entry.IsDir() {
					return err
				}
				f, err := os.Open(path)
				if err != nil {
					return err
				}
				defer f.Close()
				_, err = loop.Put(ctx, bucketlite.ObjectInput{
					Fields: map[string]any{"path": entry.Name()},
					Blobs:  []bucketlite.BlobInput{{Property: "photo", Reader: f, Filename: entry.Name()}},
				}, nil)
				return err
			})
		})
		folder := func(want func(*bucketlite.ImportReport) int64) func() error {
			return func() error {
				report, err := imported.Import(ctx, bucketlite.Folder(os.DirFS(dir), &bucketlite.FolderOptions{Facts: picture.Facts}), nil)
				if err == nil && want(report) != pictures {
					err = fmt.Errorf("got %+v, want %d", report, pictures)
				}
				return err
			}
		}
		byImport := timed(b, folder(func(r *bucketlite.ImportReport) int64 { return r.Created }))
		again := timed(b, folder(func(r *bucketlite.ImportReport) int64 { return r.Unchanged }))
		count(b, loop, pictures)
		count(b, imported, pictures)
		b.ReportMetric(pictures/byLoop.Seconds(), "put/s")
		b.ReportMetric(pictures/byImport.Seconds(), "import/s")
		b.ReportMetric(byLoop.Seconds()/byImport.Seconds(), "ratio")
		b.ReportMetric(pictures/again.Seconds(), "unchanged/s")
	}
}
