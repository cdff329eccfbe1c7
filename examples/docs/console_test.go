package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
	"github.com/bucketlite/bucketlite/httpapi/console"
)

func withConsole(store *bucketlite.Store) (http.Handler, error) {
	api, err := httpapi.New(store, &httpapi.Options{Keys: []httpapi.Key{{Name: "me", Secret: "sk_choose-a-secret"}}})
	if err != nil {
		return nil, err
	}
	_, err = console.New(api, &console.Options{StoreName: "app.db"}) // at /console/
	return api, err
}

func Example_console() {
	store, err := bucketlite.Open(context.Background(), ":memory:", nil)
	check(err)
	defer store.Close()
	handler, err := withConsole(store)
	check(err)
	answer := httptest.NewRecorder()
	request := httptest.NewRequest("GET", "/", nil)
	request.Header.Set("Accept", "text/html")
	handler.ServeHTTP(answer, request)
	fmt.Println(answer.Code, answer.Header().Get("Location"))
	// Output:
	// 303 console/
}
