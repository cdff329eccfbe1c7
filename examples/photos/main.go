// Photos is a small photo library in one file, photos.db.
package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	_ "image/gif"
	"image/jpeg"
	_ "image/png"
	"io"
	"log"
	"os"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/picture"
)

type Photo struct {
	Path   string          `json:"path"`
	Album  string          `json:"album,omitempty"`
	Taken  time.Time       `json:"taken,omitzero"`
	Width  int             `json:"width,omitzero"`
	Height int             `json:"height,omitzero"`
	Photo  bucketlite.Blob `json:"photo" bucketlite:"type=image,required"`
	Thumb  bucketlite.Blob `json:"thumb" bucketlite:"type=image"`
}

func main() {
	log.SetFlags(0)
	ctx := context.Background()
	store, err := bucketlite.Open(ctx, "photos.db", nil)
	check(err)
	defer store.Close()
	photos, err := bucketlite.EnsureAs[Photo](ctx, store, "library", bucketlite.BucketConfig{
		Name:      "photos",
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"path"}, DefaultPolicy: bucketlite.Upsert},
		Indexes:   []string{"album", "taken"},
	}, nil)
	check(err)
	args := append(os.Args[1:], "", "", "")
	switch arg := args[1]; args[0] {
	case "import":
		report, err := photos.Bucket().Import(ctx, bucketlite.Folder(os.DirFS(arg), &bucketlite.FolderOptions{Facts: picture.Facts}), nil)
		check(err)
		for _, r := range report.Refusals {
			fmt.Printf("%s: %s\n", r.File, r.Message)
		}
		fmt.Printf("created %d, replaced %d, unchanged %d, refused %d\n", report.Created, report.Replaced, report.Unchanged, report.Refused)
		check(store.Process(ctx, addThumbnail, &bucketlite.ProcessOptions{Drafts: true, UntilIdle: true}))
	case "ls":
		q := bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Desc("width"), bucketlite.Asc("path")}}
		if arg != "" {
			q.Filter = bucketlite.Eq("album", arg)
		}
		for p, err := range photos.Objects(ctx, q) {
			check(err)
			v := p.Value
			fmt.Printf("%s %-28s %-10s %4dx%-4d %8d %s\n", p.ID, v.Path, v.Album, v.Width, v.Height, v.Photo.Details.Size, v.Taken.Format(time.DateTime))
		}
	case "albums":
		r, err := photos.Bucket().Aggregate(ctx, bucketlite.Aggregation{
			GroupBy: []bucketlite.GroupBy{{Field: "album"}},
			Metrics: []bucketlite.Metric{{Function: bucketlite.MetricCount, Alias: "n"}},
		})
		check(err)
		for _, g := range r.Groups {
			fmt.Println(g.Group["album"], g.Int("n"))
		}
	case "thumb":
		r, err := photos.Bucket().OpenBlob(ctx, arg, "thumb")
		check(err)
		defer r.Close()
		data, err := io.ReadAll(r)
		check(err)
		check(os.WriteFile(args[2], data, 0o644))
		fmt.Println(len(data), "bytes", r.MIMEType(), r.Hash()[:8])
	case "rm":
		check(photos.Bucket().DeleteObject(ctx, arg, nil))
	case "rmalbum":
		res, err := photos.Bucket().DeleteObjects(ctx, bucketlite.Query{Filter: bucketlite.Eq("album", arg)}, nil)
		check(err)
		fmt.Println("deleted", res.Changed)
	case "stats":
		s, err := store.Stats(ctx)
		check(err)
		fmt.Println("content", s.ContentBytes, "file", s.FileBytes, "free", s.FreeBytes)
	default:
		log.Fatal("usage: photos import DIR | ls [ALBUM] | albums | thumb ID FILE | rm ID | rmalbum ALBUM | stats")
	}
}

// addThumbnail gives a photo a thumbnail, if Go can decode it.
func addThumbnail(ctx context.Context, job *bucketlite.Job) error {
	r, err := job.Bucket.OpenBlob(ctx, job.Object.ID, "photo")
	if err != nil {
		return err
	}
	defer r.Close()
	m, _, err := image.Decode(r)
	if err != nil {
		return nil
	}
	var thumb bytes.Buffer
	if err := jpeg.Encode(&thumb, shrink(m, 160), nil); err != nil {
		return err
	}
	_, err = job.Patch(ctx, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "thumb", Reader: &thumb, Filename: "thumb.jpg"}}}, nil)
	return err
}

// shrink returns a picture with at most size pixels on each side.
func shrink(m image.Image, size int) image.Image {
	b := m.Bounds()
	longest := max(b.Dx(), b.Dy(), size)
	small := image.NewRGBA(image.Rect(0, 0, max(1, b.Dx()*size/longest), max(1, b.Dy()*size/longest)))
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			small.Set(x, y, m.At(b.Min.X+x*longest/size, b.Min.Y+y*longest/size))
		}
	}
	return small
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
