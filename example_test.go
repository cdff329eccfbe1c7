package bucketlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// videoSchema is the schema most examples use.
var videoSchema = bucketlite.Schema{Properties: map[string]bucketlite.Field{
	"video_id": {Type: bucketlite.String},
	"title":    {Type: bucketlite.String, Required: true},
	"seconds":  {Type: bucketlite.Integer, Keywords: map[string]any{"minimum": 0}},
	"still":    {Type: bucketlite.Image},
	"notes":    {Type: bucketlite.Text},
}}

// openVideos opens a store in memory with a bucket of videos.
func openVideos(ctx context.Context) (*bucketlite.Store, *bucketlite.Bucket) {
	st, err := bucketlite.Open(ctx, ":memory:", nil)
	check(err)
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "production"})
	check(err)
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{
		Name:      "videos",
		Schema:    videoSchema,
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"video_id"}, DefaultPolicy: bucketlite.Upsert},
	})
	check(err)
	return st, b
}

// video is an input for the bucket of videos.
func video(id, title string) bucketlite.ObjectInput {
	return bucketlite.ObjectInput{Fields: map[string]any{"video_id": id, "title": title}}
}

func Example() {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, ":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer st.Close()
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "production"})
	if err != nil {
		log.Fatal(err)
	}
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{
		Name: "videos",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"video_id": {Type: bucketlite.String},
			"title":    {Type: bucketlite.String, Required: true},
			"notes":    {Type: bucketlite.Text},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"video_id"}, DefaultPolicy: bucketlite.Upsert},
	})
	if err != nil {
		log.Fatal(err)
	}
	res, err := b.Put(ctx, bucketlite.ObjectInput{
		Fields: map[string]any{"video_id": "v1", "title": "Red sneaker"},
		Blobs:  []bucketlite.BlobInput{{Property: "notes", Reader: strings.NewReader("Shot in May."), Filename: "notes.txt"}},
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("created:", res.Created)

	o, err := b.ObjectByKey(ctx, map[string]any{"video_id": "v1"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(o.Fields["title"], o.Blobs[0].Details.Filename, o.Blobs[0].Details.Size)
	// Output:
	// created: true
	// Red sneaker notes.txt 12
}

func ExampleOpen() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	check(err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "app.db")

	st, err := bucketlite.Open(ctx, path, nil) // creates the file
	check(err)
	_, err = st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "production"})
	check(err)
	check(st.Close())

	st, err = bucketlite.Open(ctx, path, &bucketlite.Options{ReadOnly: true})
	check(err)
	defer st.Close()
	ns, err := st.Namespace(ctx, "production")
	check(err)
	fmt.Println(ns)
	_, err = st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "other"})
	fmt.Println(errors.Is(err, bucketlite.ErrReadOnly))
	// Output:
	// namespace "production"
	// true
}

func ExampleStore_CreateNamespace() {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, ":memory:", nil)
	check(err)
	defer st.Close()

	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "production"})
	check(err)
	fmt.Println(ns, strings.HasPrefix(ns.ID(), "ns_"))

	_, err = st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "production"})
	fmt.Println(err)
	fmt.Println(errors.Is(err, bucketlite.ErrExists))
	// Output:
	// namespace "production" true
	// bucketlite: store: namespace "production" already exists
	// true
}

func ExampleStore_EnsureBucket() {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, ":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer st.Close()

	config := bucketlite.BucketConfig{
		Name:    "photos",
		Schema:  bucketlite.Schema{Properties: map[string]bucketlite.Field{"album": {Type: bucketlite.String}, "photo": {Type: bucketlite.Image}}},
		Indexes: []string{"album"},
	}
	photos, err := st.EnsureBucket(ctx, "library", config, nil) // creates both
	if err != nil {
		log.Fatal(err)
	}

	// The next version of the program has one more field.
	config.Schema.Properties["taken"] = bucketlite.Field{Type: bucketlite.DateTime}
	again, err := st.EnsureBucket(ctx, "library", config, nil)
	if err != nil {
		log.Fatal(err)
	}
	info, err := again.Info(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.ID() == photos.ID(), info.SchemaVersion)

	// A field of another type is more than that.
	config.Schema.Properties["album"] = bucketlite.Field{Type: bucketlite.Integer}
	_, err = st.EnsureBucket(ctx, "library", config, nil)
	fmt.Println(err)
	// Output:
	// true 2
	// bucketlite: bucket "photos" does not fit the configuration: album: type: string to integer (rewrites)
}

func ExampleStore_OpenBucket() {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, ":memory:", nil)
	check(err)
	defer st.Close()
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "production"})
	check(err)
	_, err = ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "scenes"})
	check(err)

	ns, b, err := st.OpenBucket(ctx, "production", "scenes")
	fmt.Println(ns, b, err)
	_, _, err = st.OpenBucket(ctx, "production", "actors")
	fmt.Println(err)
	// Output:
	// namespace "production" bucket "scenes" <nil>
	// bucketlite: namespace "production": bucket "actors": not found
}

func ExampleNamespace_CreateBucket() {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, ":memory:", nil)
	check(err)
	defer st.Close()
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "production"})
	check(err)

	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{
		Name: "scenes",
		Schema: bucketlite.Schema{
			Properties: map[string]bucketlite.Field{
				"video_id": {Type: bucketlite.String},
				"number":   {Type: bucketlite.Integer, Keywords: map[string]any{"minimum": 1}},
				"rating":   {Type: bucketlite.String, Enum: []any{"good", "bad"}, Default: "good"},
				"tags":     {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.String}},
				"stills":   {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.Image}},
			},
			AdditionalProperties: new(false), // refuse fields that are not declared
		},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"video_id", "number"}, DefaultPolicy: bucketlite.Insert},
	})
	check(err)
	res, err := b.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"video_id": "v1", "number": 1}}, nil)
	check(err)
	fmt.Println(b, res.Object.Fields["rating"])
	// Output: bucket "scenes" good
}

func ExampleBucket_Put() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()

	res, err := b.Put(ctx, video("v1", "Red sneaker"), nil)
	check(err)
	fmt.Println("created:", res.Created)

	// The bucket's default policy is Upsert: the key is taken, so this replaces.
	res, err = b.Put(ctx, video("v1", "Blue sneaker"), nil)
	check(err)
	fmt.Println("created:", res.Created)

	_, err = b.Put(ctx, video("v1", "Green sneaker"), &bucketlite.PutOptions{Policy: bucketlite.Insert})
	var conflict *bucketlite.ConflictError
	if errors.As(err, &conflict) {
		fmt.Println("taken by the same object:", conflict.ExistingID == res.Object.ID)
	}
	// Output:
	// created: true
	// created: false
	// taken by the same object: true
}

// A version guards against overwriting what somebody else has changed meanwhile.
func ExampleBucket_Put_ifVersion() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()

	mine, err := b.Put(ctx, video("v1", "Red sneaker"), nil)
	check(err)
	_, err = b.Put(ctx, video("v1", "Blue sneaker"), nil) // somebody else
	check(err)

	_, err = b.Put(ctx, video("v1", "Green sneaker"), &bucketlite.PutOptions{IfVersion: mine.Object.Version})
	fmt.Println(errors.Is(err, bucketlite.ErrConflict))
	// Output: true
}

func ExampleBucket_PutMany() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()

	res, err := b.PutMany(ctx, []bucketlite.ObjectInput{
		video("v1", "Red sneaker"),
		{Fields: map[string]any{"video_id": "v2"}},
		video("v3", "Blue sneaker"),
	}, nil)
	check(err)
	fmt.Println("stored:", len(res.Succeeded))
	for _, f := range res.Failed {
		fmt.Println("refused:", f.Index, f.Err)
	}
	// Output:
	// stored: 2
	// refused: 1 bucketlite: bucket "videos": title: required
}

func ExampleBucket_Patch() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()

	in := video("v1", "Red sneaker")
	in.Fields["seconds"] = 30
	res, err := b.Put(ctx, in, nil)
	check(err)

	// Fields that are not named stay; a nil removes.
	o, err := b.Patch(ctx, res.Object.ID, bucketlite.ObjectInput{
		Fields: map[string]any{"title": "Blue sneaker", "seconds": nil},
	}, nil)
	check(err)
	fmt.Println(o.Fields)
	// Output: map[title:Blue sneaker video_id:v1]
}

// The set takes from the stock and records the order, or does neither.
func ExampleStore_Apply() {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, ":memory:", nil)
	check(err)
	defer st.Close()
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "shop"})
	check(err)
	products, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "products", Schema: bucketlite.Schema{
		Properties: map[string]bucketlite.Field{"stock": {Type: bucketlite.Integer}},
	}})
	check(err)
	orders, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "orders", Schema: bucketlite.Schema{
		Properties: map[string]bucketlite.Field{"product": {Type: bucketlite.String}},
	}})
	check(err)
	shoe, err := products.Put(ctx, bucketlite.ObjectInput{ID: "shoe", Fields: map[string]any{"stock": 1}}, nil)
	check(err)

	order := func(id string) error {
		_, err := st.Apply(ctx,
			products.PatchChange("shoe", bucketlite.ObjectInput{Fields: map[string]any{"stock": 0}},
				&bucketlite.PatchOptions{IfVersion: shoe.Object.Version}),
			orders.PutChange(bucketlite.ObjectInput{ID: id, Fields: map[string]any{"product": "shoe"}}, nil))
		return err
	}
	fmt.Println(order("order-1"))
	err = order("order-2") // the stock has changed
	var at *bucketlite.ChangeError
	fmt.Println(errors.As(err, &at), at.Index, errors.Is(err, bucketlite.ErrConflict))
	stats, err := orders.Stats(ctx)
	check(err)
	fmt.Println("orders:", stats.ObjectCount)
	// Output:
	// <nil>
	// true 0 true
	// orders: 1
}

func ExampleBucket_Objects() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	_, err := b.PutMany(ctx, []bucketlite.ObjectInput{video("v1", "red sneaker"), video("v2", "blue sneaker")}, nil)
	check(err)

	for o, err := range b.Objects(ctx, bucketlite.Query{}) {
		check(err)
		// The body may write.
		title := strings.ToUpper(o.Fields["title"].(string))
		o, err = b.Patch(ctx, o.ID, bucketlite.ObjectInput{Fields: map[string]any{"title": title}}, nil)
		check(err)
		fmt.Println(o.Fields["title"])
	}
	// Output:
	// RED SNEAKER
	// BLUE SNEAKER
}

func ExampleBucket_List() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	_, err := b.PutMany(ctx, []bucketlite.ObjectInput{video("v1", "Red"), video("v2", "Blue"), video("v3", "Green")}, nil)
	check(err)

	query := bucketlite.Query{Limit: 2}
	for {
		page, err := b.List(ctx, query)
		check(err)
		for _, o := range page.Results {
			fmt.Print(o.Fields["title"], " ")
		}
		fmt.Println("more:", page.Next != "")
		if query.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	// Output:
	// Red Blue more: true
	// Green more: false
}

func ExampleBucket_ObjectByKey() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	_, err := b.Put(ctx, video("v1", "Red sneaker"), nil)
	check(err)

	o, err := b.ObjectByKey(ctx, map[string]any{"video_id": "v1"})
	check(err)
	fmt.Println(o.Fields["title"], o.Status)

	_, err = b.ObjectByKey(ctx, map[string]any{"video_id": "v2"})
	fmt.Println(err)
	// Output:
	// Red sneaker DRAFT
	// bucketlite: bucket "videos": object with video_id "v2": not found
}

func ExampleBucket_OpenBlob() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	in := video("v1", "Red sneaker")
	in.Blobs = []bucketlite.BlobInput{{Property: "notes", Reader: strings.NewReader("Shot in May."), Filename: "notes.txt"}}
	res, err := b.Put(ctx, in, nil)
	check(err)

	r, err := b.OpenBlob(ctx, res.Object.ID, "notes")
	check(err)
	defer r.Close()
	text, err := io.ReadAll(r)
	check(err)
	fmt.Printf("%s: %s\n", r.Blob().Details.MIMEType, text)
	// Output: text/plain: Shot in May.
}

// A blob over HTTP, with ranges and conditional requests.
func ExampleBlobReader() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	in := video("v1", "Red sneaker")
	in.Blobs = []bucketlite.BlobInput{{Property: "notes", Reader: strings.NewReader("Shot in May."), Filename: "notes.txt"}}
	res, err := b.Put(ctx, in, nil)
	check(err)

	handler := func(w http.ResponseWriter, req *http.Request) {
		r, err := b.OpenBlob(req.Context(), res.Object.ID, "notes")
		if err != nil {
			http.Error(w, "not found", http.StatusNotFound)
			return
		}
		defer r.Close()
		w.Header().Set("Content-Type", r.MIMEType())
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("ETag", `"`+r.Hash()+`"`)
		http.ServeContent(w, req, r.Filename(), time.Time{}, r)
	}

	req := httptest.NewRequest("GET", "/", nil)
	req.Header.Set("Range", "bytes=8-10")
	w := httptest.NewRecorder()
	handler(w, req)
	fmt.Println(w.Code, w.Header().Get("Content-Range"), w.Body)
	// Output: 206 bytes 8-10/12 May
}

func ExampleBucket_Stats() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	_, err := b.PutMany(ctx, []bucketlite.ObjectInput{video("v1", "Red sneaker"), video("v2", "Blue sneaker")}, nil)
	check(err)

	stats, err := b.Stats(ctx)
	check(err)
	fmt.Println(stats.ObjectCount, "objects,", stats.TotalSize, "bytes, largest", stats.Storage.Max)
	// Output: 2 objects, 79 bytes, largest 40
}

func ExampleStore_Check() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	_, err := b.PutMany(ctx, []bucketlite.ObjectInput{video("v1", "Red sneaker"), video("v2", "Blue sneaker")}, nil)
	check(err)

	report, err := st.Check(ctx, nil) // &bucketlite.CheckOptions{Repair: true} repairs derivable values
	check(err)
	for _, p := range report.Problems {
		fmt.Println(p.Rule, p.Subject, p.Message)
	}
	fmt.Println(report.Objects, "objects checked:", report.Err())
	// Output: 2 objects checked: <nil>
}

func ExampleStore_Backup() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	_, err := b.Put(ctx, video("v1", "Red sneaker"), nil)
	check(err)
	dir, err := os.MkdirTemp("", "backup")
	check(err)
	defer os.RemoveAll(dir)

	path := filepath.Join(dir, "monday.db")
	err = st.Backup(ctx, path, &bucketlite.BackupOptions{Progress: func(done, total int64) {
		if done == total {
			fmt.Println("copied")
		}
	}})
	check(err)
	err = st.Backup(ctx, path, nil)
	fmt.Println(errors.Is(err, bucketlite.ErrExists))

	again, err := bucketlite.Open(ctx, path, nil)
	check(err)
	defer again.Close()
	ns, err := again.Namespace(ctx, "production")
	check(err)
	videos, err := ns.Bucket(ctx, "videos")
	check(err)
	o, err := videos.ObjectByKey(ctx, map[string]any{"video_id": "v1"})
	check(err)
	fmt.Println(o.Fields["title"])
	// Output:
	// copied
	// true
	// Red sneaker
}

func ExampleBucket_Lock() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()

	check(b.Lock(ctx))
	_, err := b.Put(ctx, video("v1", "Red sneaker"), nil)
	fmt.Println(err)
	check(b.Unlock(ctx))

	check(b.Archive(ctx))
	_, err = b.Put(ctx, video("v1", "Red sneaker"), nil)
	var state *bucketlite.StateError
	if errors.As(err, &state) {
		fmt.Println(state.Status, errors.Is(err, bucketlite.ErrNotActive))
	}
	check(b.Activate(ctx))

	_, err = b.Put(ctx, video("v1", "Red sneaker"), nil)
	fmt.Println(err)
	// Output:
	// bucketlite: bucket "videos" is locked: cannot write objects
	// ARCHIVED true
	// <nil>
}

func ExampleBucket_Delete() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	_, err := b.PutMany(ctx, []bucketlite.ObjectInput{video("v1", "Red"), video("v2", "Blue")}, nil)
	check(err)

	task, err := b.Delete(ctx) // accepted; the work continues in the background
	check(err)
	task, err = st.Wait(ctx, task.ID)
	check(err)
	fmt.Println(task.Status, task.Processed, "of", task.Total)

	_, err = b.Info(ctx)
	fmt.Println(errors.Is(err, bucketlite.ErrNotFound))
	// Output:
	// COMPLETED 2 of 2
	// true
}

// A watch gets every change from the call on, and ends with the bucket.
func ExampleBucket_Watch() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()

	events := b.Watch(ctx, nil)
	res, err := b.Put(ctx, video("v1", "Red sneaker"), nil)
	check(err)
	_, err = b.Put(ctx, video("v1", "Blue sneaker"), nil)
	check(err)
	check(b.DeleteObject(ctx, res.Object.ID, nil))
	_, err = b.Delete(ctx)
	check(err)

	for e, err := range events {
		check(err)
		fmt.Println(e.Kind, e.ObjectID == res.Object.ID)
	}
	// Output:
	// object.created true
	// object.updated true
	// object.deleted true
	// bucket.deleted false
}

// To keep a copy up to date, take a cursor, read everything, and follow the changes from
// that cursor. Keep the last event's Cursor to continue another time.
func ExampleStore_EventCursor() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	_, err := b.Put(ctx, video("v1", "Red sneaker"), nil)
	check(err)

	point, err := st.EventCursor(ctx)
	check(err)
	titles := make(map[string]any)
	for o, err := range b.Objects(ctx, bucketlite.Query{}) {
		check(err)
		titles[o.ID] = o.Fields["title"]
	}

	_, err = b.Put(ctx, video("v1", "Blue sneaker"), nil)
	check(err)
	for e, err := range b.Watch(ctx, &bucketlite.WatchOptions{After: point}) {
		check(err)
		o, err := b.Object(ctx, e.ObjectID)
		check(err)
		fmt.Println(titles[o.ID], "is now", o.Fields["title"])
		break
	}
	// Output:
	// Red sneaker is now Blue sneaker
}

func ExampleValidateSchema() {
	err := bucketlite.ValidateSchema(bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"title":  {Type: "strnig"},
		"tags":   {Type: bucketlite.String, Items: &bucketlite.Field{Type: bucketlite.String}},
		"rating": {Type: bucketlite.Integer, Default: "good"},
	}}, &bucketlite.UniqueKey{Fields: []string{"id"}})
	var invalid *bucketlite.ValidationError
	if errors.As(err, &invalid) {
		for _, issue := range invalid.Issues {
			fmt.Println(issue)
		}
	}
	// Output:
	// properties.rating.default: integer expected, got "good"
	// properties.tags.items: only an array has items, this is string
	// properties.title.type: unknown type "strnig", want one of string, number, integer, float, boolean, object, array, date, datetime, text, image, audio, video, pdf, excel, document, file, did you mean "string"?
	// unique_key.fields[0]: "id" is not a field of the schema
}

func ExampleValidateNamespace() {
	err := bucketlite.ValidateNamespace(bucketlite.NamespaceConfig{
		Name:           "shop",
		PayloadIndexes: []any{map[string]any{"field_name": "title", "type": "string"}},
	})
	fmt.Println(err)
	// Output: bucketlite: namespace "shop": payload_indexes[0].type: keyword, integer, float, bool, geo, datetime, text, uuid expected, got "string"
}

func ExampleValidateBucket() {
	err := bucketlite.ValidateBucket(bucketlite.BucketConfig{
		Name:         "",
		Schema:       bucketlite.Schema{Properties: map[string]bucketlite.Field{"title": {Type: bucketlite.String}}},
		StorageClass: "warm",
	})
	var invalid *bucketlite.ValidationError
	if errors.As(err, &invalid) {
		for _, issue := range invalid.Issues {
			fmt.Println(issue.Path, issue.Rule)
		}
	}
	// Output:
	// bucket_name name
	// storage_class enum
}

func ExampleParseSchema() {
	schema, err := bucketlite.ParseSchema([]byte(`{
		"properties": {
			"title": {"type": "string", "required": true, "maxLength": 100},
			"still": {"type": "image"}
		}
	}`))
	check(err)
	fmt.Println(schema.Properties["title"].Required, schema.Properties["still"].Type)

	_, err = bucketlite.ParseSchema([]byte(`{"properties": {"title": {"type": "json"}}}`))
	fmt.Println(err)
	// Output:
	// true image
	// bucketlite: schema: properties.title.type: unknown type "json", want one of string, number, integer, float, boolean, object, array, date, datetime, text, image, audio, video, pdf, excel, document, file, did you mean "object"?
}

func ExampleValidationError() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()

	_, err := b.Put(ctx, bucketlite.ObjectInput{
		Fields: map[string]any{"video_id": "v1", "seconds": -1},
		Blobs:  []bucketlite.BlobInput{{Property: "still", Reader: bytes.NewReader([]byte("%PDF-1.7\n"))}},
	}, nil)
	var invalid *bucketlite.ValidationError
	if errors.As(err, &invalid) {
		for _, issue := range invalid.Issues {
			fmt.Printf("%s | %s | %s\n", issue.Path, issue.Rule, issue.Message)
		}
	}
	// Output:
	// blobs[0] | mime | the data is application/pdf, which does not fit image (blob of "still")
	// seconds | minimum | at least 0 expected, got -1
	// title | required | required
}
