package bucketlite_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"time"

	"github.com/bucketlite/bucketlite"
)

// Video is a type of objects. Its tags declare the schema of its bucket.
type Video struct {
	ID       string    `json:"video_id"`
	Title    string    `json:"title" bucketlite:"required,maxlen=200"`
	Seconds  int       `json:"seconds" bucketlite:"min=0"`
	Language string    `json:"language,omitempty" bucketlite:"enum=en|de|fr,default=en"`
	Tags     []string  `json:"tags,omitempty"`
	Recorded time.Time `json:"recorded,omitzero"`

	File bucketlite.BlobInput `json:"file" bucketlite:"type=video"`
}

// openTyped opens a store in memory with a bucket of videos.
func openTyped(ctx context.Context) (*bucketlite.Store, *bucketlite.TypedBucket[Video]) {
	store, err := bucketlite.Open(ctx, ":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	videos, err := bucketlite.EnsureAs[Video](ctx, store, "production", bucketlite.BucketConfig{
		Name:      "videos",
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"video_id"}, DefaultPolicy: bucketlite.Upsert},
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	return store, videos
}

func ExampleEnsureAs() {
	ctx := context.Background()
	store, videos := openTyped(ctx)
	defer store.Close()
	for _, v := range []Video{{ID: "v1", Title: "Red sneaker", Seconds: 90}, {ID: "v2", Title: "Blue boot", Seconds: 12, Language: "de"}} {
		if _, err := videos.Put(ctx, v, nil); err != nil {
			log.Fatal(err)
		}
	}
	for o, err := range videos.Objects(ctx, bucketlite.Query{Filter: bucketlite.Gt("seconds", 60)}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(o.Value.Title, o.Value.Seconds, o.Value.Language, o.Status)
	}
	// Output: Red sneaker 90 en DRAFT
}

func ExampleTypedBucket_Patch() {
	ctx := context.Background()
	store, videos := openTyped(ctx)
	defer store.Close()
	res, err := videos.Put(ctx, Video{ID: "v1", Title: "Red sneaker", Seconds: 90}, nil)
	if err != nil {
		log.Fatal(err)
	}
	o, err := videos.Patch(ctx, res.Object.ID, func(v *Video) error {
		v.Tags = append(v.Tags, "shoes")
		v.Seconds++
		return nil
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(o.Value.Title, o.Value.Seconds, o.Value.Tags)
	// Output: Red sneaker 91 [shoes]
}

func ExampleAs() {
	ctx := context.Background()
	store, videos := openTyped(ctx)
	defer store.Close()
	type Clip struct {
		ID      int `json:"video_id"`
		Seconds int `json:"seconds"`
	}
	_, err := bucketlite.As[Clip](videos.Bucket())
	fmt.Println(err)
	// Output:
	// bucketlite: Go type bucketlite_test.Clip for bucket "videos": 2 fields: title: required by the schema, and no Go field has this json name; video_id: string in the schema, integer in Go (field ID of type int)
}

func ExampleSchemaOf() {
	type Sensor struct {
		Name string     `json:"name" bucketlite:"required,pattern='^[a-z]{2,9}$'"`
		At   [2]float32 `json:"at"`
		Note *string    `json:"note"`
	}
	schema, err := bucketlite.SchemaOf[Sensor]()
	if err != nil {
		log.Fatal(err)
	}
	text, err := json.MarshalIndent(schema.Properties["name"].Keywords, "", "  ")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(schema.Properties["at"].Type, schema.Properties["note"].Required, string(text))
	// Output:
	// array false {
	//   "pattern": "^[a-z]{2,9}$"
	// }
}

func ExampleObject_Decode() {
	o := &bucketlite.Object{ID: "one", Fields: map[string]any{
		"title": "Red sneaker", "size": map[string]any{"width": json.Number("30.5")}, "seconds": json.Number("300"),
	}}
	var v struct {
		Title string `json:"title"`
		Size  struct {
			Width float64 `json:"width"`
		} `json:"size"`
		Seconds uint8 `json:"seconds"`
	}
	err := o.Decode(&v)
	fmt.Println(v.Title, v.Size.Width, o.Float("size.width"))
	fmt.Println(err)
	// Output:
	// Red sneaker 30.5 30.5
	// bucketlite: decode object "one" into struct: seconds: whole number within uint8 expected, got 300
}

func ExampleFieldsOf() {
	fields, err := bucketlite.FieldsOf(Video{ID: "v1", Title: "Red sneaker", Recorded: time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)})
	fmt.Println(fields, err)
	// Output: map[recorded:2026-05-06T07:08:09Z seconds:0 title:Red sneaker video_id:v1] <nil>
}
