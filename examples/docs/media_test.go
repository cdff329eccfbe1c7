package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpfetch"
	"github.com/bucketlite/bucketlite/picture"
)

// servePhoto writes the photo of a product to w: whole, a range of it, or 304.
func servePhoto(w http.ResponseWriter, r *http.Request, products *bucketlite.Bucket, id string) {
	photo, err := products.OpenBlob(r.Context(), id, "photo")
	if err != nil {
		http.Error(w, "no such photo", http.StatusNotFound)
		return
	}
	defer photo.Close()
	w.Header().Set("Content-Type", photo.MIMEType())
	w.Header().Set("ETag", `"`+photo.Hash()+`"`)
	http.ServeContent(w, r, photo.Filename(), time.Time{}, photo)
}

func Example_media() {
	jpeg, err := os.ReadFile("../quickstart/data/photo.jpg")
	check(err)
	defer inTempDir()()
	check(os.WriteFile("photo.jpg", jpeg, 0o666))
	ctx := context.Background()
	store, products := openProducts(ctx)
	defer store.Close()

	file, err := os.Open("photo.jpg")
	check(err)
	defer file.Close()
	res, err := products.Put(ctx, bucketlite.ObjectInput{
		Fields: map[string]any{"sku": "A-1", "name": "Red sneaker"},
		Blobs:  []bucketlite.BlobInput{{Property: "photo", Reader: file, Filename: "photo.jpg"}},
	}, nil)
	check(err)
	blob := res.Object.Blobs[0]
	fmt.Println(blob.Details.MIMEType, blob.Details.Size, blob.Details.Hash[:8])

	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Range", "bytes=0-99")
	w := httptest.NewRecorder()
	servePhoto(w, r, products, res.Object.ID)
	fmt.Println(w.Code, w.Header().Get("Content-Type"), w.Body.Len())

	// Output:
	// image/jpeg 23220 251f3097
	// 206 image/jpeg 100
}

// syncPhotos makes the bucket photos follow the directory pictures.
func syncPhotos(ctx context.Context, ns *bucketlite.Namespace, watch bool, again func()) {
	photos, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{
		Name: "photos",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"path":     {Type: bucketlite.String},
			"modified": {Type: bucketlite.DateTime},
			"width":    {Type: bucketlite.Integer},
			"photo":    {Type: bucketlite.Image},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"path"}},
	})
	check(err)
	opts := &bucketlite.SyncOptions{
		Folder: bucketlite.FolderOptions{Include: []string{"*.jpg"}, Facts: picture.Facts, TrustModified: true},
		Delete: true,  // objects whose files are gone
		Watch:  watch, // until ctx ends
		Changed: func(c bucketlite.SyncChange) {
			fmt.Println(c)
		},
	}
	report, err := photos.SyncDir(ctx, "pictures", opts)
	check(err)
	before := report.Files
	again()
	report, err = photos.SyncDir(ctx, "pictures", opts)
	check(err)
	fmt.Println(before, report.Files, report.Renamed)
}

func Example_folder() {
	jpeg, err := os.ReadFile("../quickstart/data/photo.jpg")
	check(err)
	defer inTempDir()()
	check(os.MkdirAll("pictures/2024", 0o777))
	check(os.WriteFile("pictures/2024/beach.jpg", jpeg, 0o666))
	ctx := context.Background()
	store, err := bucketlite.Open(ctx, ":memory:", nil)
	check(err)
	defer store.Close()
	ns, err := store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "home"})
	check(err)
	syncPhotos(ctx, ns, false, func() { check(os.Rename("pictures/2024/beach.jpg", "pictures/2024/sea.jpg")) })
	// Output:
	// created 2024/beach.jpg
	// renamed 2024/beach.jpg to 2024/sea.jpg
	// 1 1 1
}

func Example_fetcher() {
	ctx := context.Background()

	fetcher, err := httpfetch.New(&httpfetch.Options{MaxBytes: 10 << 20})
	check(err)
	store, err := bucketlite.Open(ctx, ":memory:", &bucketlite.Options{Fetcher: fetcher})
	check(err)
	defer store.Close()

	shop, err := store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "shop"})
	check(err)
	products, err := createProducts(ctx, shop)
	check(err)

	_, err = products.Put(ctx, bucketlite.ObjectInput{
		Fields: map[string]any{"sku": "A-1", "name": "Red sneaker"},
		Blobs:  []bucketlite.BlobInput{{Property: "photo", Data: "http://127.0.0.1/photo.jpg"}},
	}, nil)
	fmt.Println(err)
	// Output:
	// bucketlite: bucket "products": blobs[0].data: "http://127.0.0.1/photo.jpg" cannot be fetched: httpfetch: refused: the address 127.0.0.1, which is loopback
}

func Example_uploads() {
	ctx := context.Background()
	store, products := openProducts(ctx)
	defer store.Close()
	manual := strings.NewReader("%PDF-1.7\n…")

	upload, err := products.CreateUpload(ctx, bucketlite.UploadInput{
		Filename: "sneaker.pdf", ContentType: "application/pdf", Property: "manual",
		ObjectMetadata: map[string]any{"sku": "A-1"},
	})
	check(err)
	upload, err = products.WriteUpload(ctx, upload.ID, manual)
	check(err)
	upload, err = products.ConfirmUpload(ctx, upload.ID, &bucketlite.ConfirmUploadOptions{ETag: upload.ETag})
	check(err)

	o, err := products.Object(ctx, upload.ObjectID)
	check(err)
	fmt.Println(upload.Status, o.Fields["name"], o.Blobs[0].Details.Filename)

	_, err = products.CreateUpload(ctx, bucketlite.UploadInput{
		Filename: "sneaker.mp4", ContentType: "video/mp4", Property: "manual",
		ObjectMetadata: map[string]any{"sku": "A-1"},
	})
	fmt.Println(err)

	// Output:
	// COMPLETED Red sneaker sneaker.pdf
	// bucketlite: bucket "products": content_type: the declared type video/mp4 does not fit pdf
}
