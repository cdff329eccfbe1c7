package main

import (
	"errors"
	"net/http"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
)

func TestPrice(t *testing.T) {
	store := bucketlitetest.NewStore(t) // private; checked and closed when the test ends
	bucketlitetest.Load(t, store, "testdata/shop.json")
	products := bucketlitetest.Bucket(t, store, "shop", "products")

	got, err := products.ObjectByKey(t.Context(), map[string]any{"sku": "A-1"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"sku": "A-1", "name": "Red sneaker", "price": 89.5}
	if diff := bucketlitetest.Diff(want, got.Fields); diff != "" {
		t.Errorf("the product (-want +got):\n%s", diff)
	}
}

func TestClient(t *testing.T) {
	server := bucketlitetest.NewServer(t) // has a URL, a Key and a Store
	bucketlitetest.Load(t, server.Store, "testdata/shop.json")

	response, err := server.Client("shop").Get(server.URL + "/v1/buckets/products")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("got %s, want 200 OK", response.Status)
	}
}

func TestFullDisk(t *testing.T) {
	faults := &bucketlitetest.Faults{}
	store := bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Faults: faults})

	faults.FailCommit(1, nil) // the next commit finds the disk full
	_, err := store.CreateNamespace(t.Context(), bucketlite.NamespaceConfig{Name: "shop"})
	if !errors.Is(err, bucketlite.ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
}
