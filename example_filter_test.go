package bucketlite_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/bucketlite/bucketlite"
)

func ExampleFilter() {
	f := bucketlite.And(
		bucketlite.Words("title", "red sneaker"),
		bucketlite.Or(bucketlite.Gte("seconds", 60), bucketlite.IsNull("seconds")),
		bucketlite.Not(bucketlite.Eq("blobs.details.mime_type", "image/gif")),
	)
	fmt.Println(f)
	data, err := json.MarshalIndent(bucketlite.Eq("title", "Red sneaker").CaseSensitive(), "", "  ")
	check(err)
	fmt.Println(string(data))
	// Output:
	// title text "red sneaker" and (seconds gte 60 or seconds is_null true) and not (blobs.details.mime_type eq "image/gif")
	// {
	//   "case_sensitive": true,
	//   "field": "title",
	//   "operator": "eq",
	//   "value": "Red sneaker"
	// }
}

func ExampleParseFilter() {
	f, err := bucketlite.ParseFilter([]byte(`{
		"title": "Red sneaker",
		"NOT": {"field": "seconds", "operator": "lt", "value": 60}
	}`))
	check(err)
	fmt.Println(f)
	// Output:
	// not (seconds lt 60) and title eq "Red sneaker"
}

func ExampleIn() {
	colours := []string{"red", "blue"}
	fmt.Println(bucketlite.In("colour", colours...))
	fmt.Println(bucketlite.In("size", 41, 42))
	fmt.Println(bucketlite.In[any]("size", 42, "42 EU", nil))
	// Output:
	// colour in ["red","blue"]
	// size in [41,42]
	// size in [42,"42 EU",null]
}

func ExampleQueryError() {
	_, err := bucketlite.ParseFilter([]byte(`{"OR": [
		{"field": "title", "operator": "like", "value": "red%"},
		{"field": "seconds", "operator": "gt", "value": null}
	]}`))
	var bad *bucketlite.QueryError
	if errors.As(err, &bad) {
		for _, issue := range bad.Issues {
			fmt.Println(issue.Path, issue.Rule)
		}
	}
	fmt.Println(errors.Is(err, bucketlite.ErrBadRequest))
	// Output:
	// filters.OR[0].operator unknown
	// filters.OR[1].value type
	// true
}
