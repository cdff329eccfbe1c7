package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/bucketlite/bucketlite/httpapi"
)

func Example_serving() {
	ctx := context.Background()
	store, _ := openProducts(ctx)
	defer store.Close()

	handler, err := httpapi.New(store, &httpapi.Options{
		Keys:             []httpapi.Key{{Secret: "sk_a-secret-of-yours"}},
		DefaultNamespace: "shop",
	})
	check(err)
	server := httptest.NewServer(handler) // or http.ListenAndServe("127.0.0.1:8080", handler)
	defer server.Close()

	request, err := http.NewRequest("GET", server.URL+"/v1/buckets/products", nil)
	check(err)
	request.Header.Set("Authorization", "Bearer sk_a-secret-of-yours")
	response, err := http.DefaultClient.Do(request)
	check(err)
	response.Body.Close()
	fmt.Println(response.Status)
	// Output:
	// 200 OK
}
