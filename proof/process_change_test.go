package proof_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// The two schemas of a bucket that changes between them. Both are closed, so that no object
// conforms to both.
var changingSchemas = [2]string{
	`{"additionalProperties":false,"properties":{"k":{"type":"string"},"title":{"type":"string"},"doc":{"type":"text"}}}`,
	`{"additionalProperties":false,"properties":{"k":{"type":"string"},"name":{"type":"string"},"text":{"type":"text"},"x":{"type":"integer","required":true,"default":7}}}`,
}

// changingOptions say how to come from one schema to the other.
var changingOptions = [2]bucketlite.SchemaChangeOptions{
	{Rename: map[string]string{"title": "name", "doc": "text"}},
	{Rename: map[string]string{"name": "title", "text": "doc"}, Drop: []string{"x"}},
}

// changingBucket creates the bucket that changes, with some objects.
func changingBucket(t *testing.T, st *bucketlite.Store, objects int) *bucketlite.Bucket {
	t.Helper()
	schema, err := bucketlite.ParseSchema([]byte(changingSchemas[0]))
	storetest.Must(t, err)
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "items", Schema: schema,
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert}})
	for i := range objects {
		storetest.Must(t, putChanging(context.Background(), b, fmt.Sprint("first ", i), i))
	}
	storetest.Must(t, b.EnsureIndex(context.Background(), "title"))
	storetest.Must(t, b.EnsureTextIndex(context.Background()))
	return b
}

// putChanging puts an object in the form of the schema that stands.
func putChanging(ctx context.Context, b *bucketlite.Bucket, k string, n int) error {
	for try := 0; ; try++ {
		form := [2][2]string{{"title", "doc"}, {"name", "text"}}[try%2]
		in := bucketlite.ObjectInput{Fields: map[string]any{"k": k, form[0]: fmt.Sprint("value ", n%10)}}
		if n%3 == 0 {
			in.Blobs = []bucketlite.BlobInput{{Property: form[1], Reader: strings.NewReader(fmt.Sprint("text ", n%50)), Filename: "a.txt"}}
		}
		_, err := b.Put(ctx, in, nil)
		if !errors.Is(err, bucketlite.ErrInvalid) || try == 1000 {
			return err
		}
	}
}

// childChange writes objects, and unless it only writes, changes the schema to and fro,
// until it is killed. Its handle knows only the schema that it found.
func childChange(args []string) error {
	_, b, err := childBucket(args[0])
	if err != nil {
		return err
	}
	ctx := context.Background()
	writers := 1
	if args[2] == "writes" {
		writers = 0
	}
	return storetest.AtOnce(3, func(g int) error {
		if g >= writers {
			for n := 0; ; n++ {
				if err := putChanging(ctx, b, fmt.Sprint(args[1], " ", g, " ", n%200), n); err != nil {
					return err
				}
				if n%7 == 0 {
					o, err := b.ObjectByKey(ctx, map[string]any{"k": fmt.Sprint(args[1], " ", g, " ", (n-3)%200)})
					if err == nil {
						err = b.DeleteObject(ctx, o.ID, nil)
					}
					if err != nil && !errors.Is(err, bucketlite.ErrNotFound) {
						return err
					}
				}
			}
		}
		for {
			info, err := b.Info(ctx)
			if err != nil {
				return err
			}
			to := 0
			if _, first := info.Schema.Properties["title"]; first {
				to = 1
			}
			schema, err := bucketlite.ParseSchema([]byte(changingSchemas[to]))
			if err != nil {
				return err
			}
			fmt.Println("changing")
			_, err = b.ChangeSchema(ctx, schema, &changingOptions[1-to])
			if err != nil {
				return err
			}
		}
	})
}

// wantOneSchema fails unless every object has the form of the schema that stands.
func wantOneSchema(t *testing.T, b *bucketlite.Bucket) {
	t.Helper()
	ctx := context.Background()
	before, err := b.Info(ctx)
	storetest.Must(t, err)
	_, first := before.Schema.Properties["title"]
	for o, err := range b.Objects(ctx, bucketlite.Query{}) {
		storetest.Must(t, err)
		_, title := o.Fields["title"]
		_, name := o.Fields["name"]
		_, x := o.Fields["x"]
		if title != first || name == first || x == first {
			t.Fatalf("schema version %d: got object %v", before.SchemaVersion, o.Fields)
		}
		for _, blob := range o.Blobs {
			if (blob.Property == "doc") != first {
				t.Fatalf("schema version %d: got a blob of %q", before.SchemaVersion, blob.Property)
			}
		}
	}
	after, err := b.Info(ctx)
	storetest.Must(t, err)
	if after.SchemaVersion != before.SchemaVersion {
		t.Fatal("the schema has changed while nobody works")
	}
}

// A process that changes a bucket's schema to and fro, and writes meanwhile, is killed over
// and over. Another process writes, too. Each time the objects are of one schema.
func TestChangeSurvivesKill(t *testing.T) {
	t.Parallel()
	rounds := 4
	if *storetest.Long {
		rounds = 100
	}
	t.Logf("%d kills of a process that changes a schema", rounds)
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	changingBucket(t, st, 400)
	r := rand.New(rand.NewPCG(7, 7))
	for round := range rounds {
		storetest.Must(t, st.Close()) // so that nobody else works on the change
		var writer *child
		if round%2 == 0 {
			writer = startChild(t, "change", path, "other", "writes")
		}
		c := startChild(t, "change", path, fmt.Sprint("round ", round), "changes")
		for range 1 + r.IntN(4) {
			c.line(t)
		}
		time.Sleep(time.Duration(r.IntN(40)) * time.Millisecond)
		if writer != nil {
			writer.kill(t)
		}
		c.kill(t)
		st = storetest.OpenPath(t, path, &bucketlite.Options{ReadOnly: true}) // so that no task continues
		b, err := storetest.Namespace(t, st).Bucket(ctx, "items")
		storetest.Must(t, err)
		wantOneSchema(t, b)
		storetest.Must(t, checked(st))
		storetest.Must(t, st.Close())
		st = storetest.OpenPath(t, path)
	}
	tasks, err := st.ListTasks(ctx, bucketlite.TaskQuery{Type: bucketlite.ChangeSchemaTask, Query: bucketlite.Query{Limit: 1000}})
	storetest.Must(t, err)
	for _, task := range tasks.Results {
		done, err := st.Wait(storetest.Patience(t), task.ID)
		storetest.Must(t, err)
		if done.Status != bucketlite.StatusCompleted {
			t.Errorf("task: got %s, %s, want that it is completed", done.Status, done.Error)
		}
	}
	b := storetest.ReopenItems(t, path)
	wantOneSchema(t, b)
	storetest.WantNoProblem(t, st)
	storetest.WantSound(t, path)
	info, err := b.Info(ctx)
	storetest.Must(t, err)
	t.Logf("%d schemas, %d objects", info.SchemaVersion, info.ObjectCount)
}
