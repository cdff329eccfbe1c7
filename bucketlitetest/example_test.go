package bucketlitetest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
)

// run runs an example's test, and says how it ended.
func run(test func(t testing.TB)) {
	if failure := recorded(test); failure != "" {
		fmt.Println("FAIL", failure)
	}
}

// The examples are tests, whose t is that of the test function.
func Example() {
	run(func(t testing.TB) {
		st := bucketlitetest.NewStore(t)
		bucketlitetest.Load(t, st, "testdata/shop.json")
		products := bucketlitetest.Bucket(t, st, "shop", "products")

		got, err := products.ObjectByKey(t.Context(), map[string]any{"sku": "A-2"})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"sku": "A-2", "price": 5}
		if diff := bucketlitetest.Diff(want, got.Fields); diff != "" {
			t.Errorf("the product (-want +got):\n%s", diff)
		}
		fmt.Println(got.Fields["sku"], got.Fields["price"])
	})
	// Output: A-2 5
}

func ExampleNewStore() {
	run(func(t testing.TB) {
		st := bucketlitetest.NewStore(t) // checked and closed when the test ends
		ns, err := st.CreateNamespace(t.Context(), bucketlite.NamespaceConfig{Name: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(ns.Name())
	})
	// Output: shop
}

func ExampleNewServer() {
	run(func(t testing.TB) {
		s := bucketlitetest.NewServer(t)
		bucketlitetest.Load(t, s.Store, "testdata/shop.json")

		res, err := s.Client("shop").Get(s.URL + "/v1/buckets/products")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		fmt.Println(res.StatusCode == http.StatusOK)
	})
	// Output: true
}

func ExampleLoadObjects() {
	run(func(t testing.TB) {
		st := bucketlitetest.NewStore(t)
		bucketlitetest.Load(t, st, "testdata/shop.json")
		products := bucketlitetest.Bucket(t, st, "shop", "products")
		for _, o := range bucketlitetest.LoadObjects(t, products, "testdata/products.jsonl") {
			fmt.Println(o.Fields["sku"])
		}
	})
	// Output:
	// B-1
	// B-2
}

func ExampleFaults() {
	run(func(t testing.TB) {
		faults := &bucketlitetest.Faults{}
		st := bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Faults: faults})
		create := func(name string) error {
			_, err := st.CreateNamespace(t.Context(), bucketlite.NamespaceConfig{Name: name})
			return err
		}

		faults.FailCommit(2, nil) // the disk is full, once
		fmt.Println(create("first"))
		fmt.Println(errors.Is(create("second"), bucketlite.ErrFull))
		fmt.Println(create("second"))

		faults.LoseCommit(1, true) // the disk fails, too late
		fmt.Println(errors.Is(create("third"), bucketlite.ErrOutcomeUnknown))
		fmt.Println(errors.Is(create("fourth"), bucketlite.ErrReadOnly))
	})
	// Output:
	// <nil>
	// true
	// <nil>
	// true
	// true
}

// Reads while a write is on its way to the disk, without a sleep.
func ExampleFaults_HoldCommit() {
	run(func(t testing.TB) {
		faults := &bucketlitetest.Faults{}
		st := bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Faults: faults})

		reached, release := faults.HoldCommit(1)
		created := make(chan error)
		go func() {
			_, err := st.CreateNamespace(context.Background(), bucketlite.NamespaceConfig{Name: "shop"})
			created <- err
		}()
		<-reached
		_, err := st.Namespace(t.Context(), "shop")
		fmt.Println(errors.Is(err, bucketlite.ErrNotFound))

		release()
		fmt.Println(<-created)
		_, err = st.Namespace(t.Context(), "shop")
		fmt.Println(err)
	})
	// Output:
	// true
	// <nil>
	// <nil>
}

func ExampleClock() {
	run(func(t testing.TB) {
		clock := bucketlitetest.NewClock(time.Date(2026, 2, 28, 23, 0, 0, 0, time.UTC))
		st := bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Store: &bucketlite.Options{Now: clock.Now}})

		clock.Advance(2 * time.Hour)
		ns, err := st.CreateNamespace(t.Context(), bucketlite.NamespaceConfig{Name: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		info, err := ns.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(info.CreatedAt)
	})
	// Output: 2026-03-01 01:00:00 +0000 UTC
}

func ExampleDiff() {
	want := bucketlite.Object{Status: bucketlite.StatusDraft, Fields: map[string]any{"price": 5}}
	got := bucketlite.Object{
		ID: "obj_01KB5F3Z2V8Q6W0E4R7T9Y1M5N", CreatedAt: time.Now(), // which nobody can foresee
		Status: bucketlite.StatusDraft, Fields: map[string]any{"price": 5.0},
	}
	fmt.Println(bucketlitetest.Diff(want, got) == "")
	got.Fields["price"] = 6
	fmt.Println(bucketlitetest.Diff(want, got) == "")
	// Output:
	// true
	// false
}
