package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// ItemsConfig is a bucket of items: a key, a number, a string and a document.
func ItemsConfig(name string) bucketlite.BucketConfig {
	return bucketlite.BucketConfig{
		Name: name,
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"k": {Type: bucketlite.String}, "n": {Type: bucketlite.Integer},
			"v": {Type: bucketlite.String}, "doc": {Type: bucketlite.Text},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert},
	}
}

// LooserItems returns a schema of items that takes effect in one commit.
func LooserItems() bucketlite.Schema {
	schema := ItemsConfig("").Schema
	schema.Properties["n"] = bucketlite.Field{Type: bucketlite.Number}
	return schema
}

// Items creates a bucket of items.
func Items(t testing.TB, st *bucketlite.Store) *bucketlite.Bucket {
	t.Helper()
	return Bucket(t, st, ItemsConfig("items"))
}

// Item is an input for a bucket of items.
func Item(k string, v string) bucketlite.ObjectInput {
	return bucketlite.ObjectInput{Fields: map[string]any{"k": k, "v": v}}
}

// ItemWithDoc is an item with stored content.
func ItemWithDoc(k string, doc string) bucketlite.ObjectInput {
	in := Item(k, "")
	in.Blobs = []bucketlite.BlobInput{{Property: "doc", Reader: strings.NewReader(doc)}}
	return in
}

// PutItem stores an item.
func PutItem(t testing.TB, b *bucketlite.Bucket, in bucketlite.ObjectInput) *bucketlite.Object {
	t.Helper()
	res, err := b.Put(context.Background(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res.Object
}

// PutItems stores n items with the keys "0", "1", … and values of some length.
func PutItems(t testing.TB, b *bucketlite.Bucket, n, length int) {
	t.Helper()
	if err := FillItems(b, n, length); err != nil {
		t.Fatal(err)
	}
}

// FillItems is PutItems without a test.
func FillItems(b *bucketlite.Bucket, n, length int) error {
	v := strings.Repeat("v", length)
	for start := 0; start < n; start += bucketlite.MaxPutMany {
		var inputs []bucketlite.ObjectInput
		for i := start; i < min(n, start+bucketlite.MaxPutMany); i++ {
			inputs = append(inputs, Item(fmt.Sprint(i), v))
		}
		if err := PutManyError(b.PutMany(context.Background(), inputs, nil)); err != nil {
			return err
		}
	}
	return nil
}

// PutManyError returns why a batch, or the first input that failed, was refused.
func PutManyError(res *bucketlite.PutManyResult, err error) error {
	if err == nil && len(res.Failed) > 0 {
		err = res.Failed[0].Err
	}
	return err
}

// ItemKeys returns the sorted keys of the bucket's items.
func ItemKeys(t testing.TB, b *bucketlite.Bucket) []string {
	t.Helper()
	var keys []string
	for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Fields["k"].(string))
	}
	slices.Sort(keys)
	return keys
}
