package proof_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// item is a record as a Go struct.
type item struct {
	SKU       string    `json:"sku"`
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	Category  string    `json:"category"`
	Price     float64   `json:"price"`
	Stock     int       `json:"stock"`
	Active    bool      `json:"active"`
	Released  time.Time `json:"released" bucketlite:"type=date"`
	Updated   time.Time `json:"updated"`
	Publisher string    `json:"publisher"`
}

// itemForm is an item whose date is text, as encoding/json needs it.
type itemForm struct {
	SKU       string    `json:"sku"`
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	Category  string    `json:"category"`
	Price     float64   `json:"price"`
	Stock     int       `json:"stock"`
	Active    bool      `json:"active"`
	Released  string    `json:"released"`
	Updated   time.Time `json:"updated"`
	Publisher string    `json:"publisher"`
}

// BenchmarkTypedPut compares Put of a struct with Put of a map that was made beforehand.
func BenchmarkTypedPut(b *testing.B) {
	ctx := context.Background()
	_, bucket := benchBucket(b, bucketlite.DurabilityNormal, 0)
	_, plain := benchBucket(b, bucketlite.DurabilityNormal, 0)
	typed, err := bucketlite.As[item](bucket)
	if err != nil {
		b.Fatal(err)
	}
	inputs := new(records).take(b.N)
	items := make([]item, b.N)
	for i, in := range inputs {
		if err := (&bucketlite.Object{Fields: in.Fields}).Decode(&items[i]); err != nil {
			b.Fatal(err)
		}
	}
	ours, theirs := items, inputs
	b.ResetTimer()
	versus(b, func(n int) {
		for i := range n {
			if _, err := typed.Put(ctx, ours[i], nil); err != nil {
				b.Fatal(err)
			}
		}
		ours = ours[n:]
	}, func(n int) {
		for i := range n {
			if _, err := plain.Put(ctx, theirs[i], nil); err != nil {
				b.Fatal(err)
			}
		}
		theirs = theirs[n:]
	})
	count(b, bucket, b.N)
	count(b, plain, b.N)
}

// BenchmarkObjectDecode compares Decode with json.Unmarshal of the object's JSON.
func BenchmarkObjectDecode(b *testing.B) {
	ctx := context.Background()
	_, bucket := benchBucket(b, bucketlite.DurabilityNormal, 1)
	page, err := bucket.List(ctx, bucketlite.Query{})
	if err != nil || len(page.Results) != 1 {
		b.Fatal(page, err)
	}
	o := page.Results[0]
	text, err := json.Marshal(o)
	if err != nil {
		b.Fatal(err)
	}
	var ours, theirs itemForm
	b.ResetTimer()
	versus(b, func(n int) {
		for range n {
			ours = itemForm{}
			if err := o.Decode(&ours); err != nil {
				b.Fatal(err)
			}
		}
	}, func(n int) {
		for range n {
			theirs = itemForm{}
			if err := json.Unmarshal(text, &theirs); err != nil {
				b.Fatal(err)
			}
		}
	})
	if ours != theirs {
		b.Fatalf("got %+v, want %+v", ours, theirs)
	}
}
