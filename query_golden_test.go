package bucketlite_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A queryCase is a query in the hosted service's JSON form, and the ids it finds.
type queryCase struct {
	Name    string            `json:"name"`
	Filters bucketlite.Filter `json:"filters"`
	Sort    []bucketlite.Sort `json:"sort"`
	Search  string            `json:"search"`
	Want    []string          `json:"want"`
}

// What operators, paths, sorting and searching mean, by example: each case finds
// the same without indexes, with indexes, and with its filter written by the package.
func TestQueryCases(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var cases []queryCase
	if err := json.Unmarshal(readFile(t, "testdata/queries/cases.json"), &cases); err != nil {
		t.Fatal(err)
	}
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Name: "shop", Schema: storetest.Schema(t, `
		"title": {"type": "string"}, "price": {"type": "number"}, "stock": {"type": "integer"},
		"tags": {"type": "array", "items": {"type": "string"}}, "released": {"type": "datetime"}`)})
	lines := bufio.NewScanner(bytes.NewReader(readFile(t, "testdata/queries/objects.jsonl")))
	for lines.Scan() {
		storetest.Put(t, b, storetest.Input(t, lines.Text()), bucketlite.Insert)
	}
	for _, indexes := range []string{"none", "values", "values and texts"} {
		switch indexes {
		case "values":
			if err := b.EnsureIndex(ctx, "title", "price", "stock", "tags", "released", "code", "meta.author.name", "lines.qty", "lines.colour"); err != nil {
				t.Fatal(err)
			}
		case "values and texts":
			if err := b.EnsureTextIndex(ctx); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range cases {
			text, err := json.Marshal(c.Filters)
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			written, err := bucketlite.ParseFilter(text)
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			for _, f := range []bucketlite.Filter{c.Filters, written} {
				got := []string{}
				for o, err := range b.Objects(ctx, bucketlite.Query{Filter: f, Sort: c.Sort, Search: c.Search}) {
					if err != nil {
						t.Fatalf("%s: %v", c.Name, err)
					}
					got = append(got, o.ID)
				}
				if !slices.Equal(got, c.Want) {
					t.Errorf("%s, indexes: %s: %v: got %v, want %v", c.Name, indexes, f, got, c.Want)
				}
			}
		}
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
