package bucketlite_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A filter that no object can match is refused, with the reasons. One that may match, or
// that is written to match nothing, is not.
func TestUnsatisfiable(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Name: "shop", Schema: storetest.Schema(t, `
		"title":{"type":"string"},"price":{"type":"number"},"on":{"type":"boolean"},"day":{"type":"date"},"at":{"type":"datetime"},"tags":{"type":"array","items":{"type":"string"}},
		"photo":{"type":"image"},"note":{"type":"text"},"free":{"type":"object"},
		"maker":{"type":"object","additionalProperties":false,"properties":{"name":{"type":"string"}}}`)})
	for text, want := range map[string][]string{
		`{"price":"5"}`:  {"filters.price: type"},
		`{"title":5}`:    {"filters.title: type"},
		`{"on":"true"}`:  {"filters.on: type"},
		`{"price":[5]}`:  {"filters.price: type"},
		`{"maker":"me"}`: {"filters.maker: type"},
		`{"field":"price","operator":"gt","value":"5"}`:        {"filters.value: type"},
		`{"field":"price","operator":"contains","value":"5"}`:  {"filters.value: type"},
		`{"field":"price","operator":"in","value":["5",true]}`: {"filters.value: type"},
		`{"maker.nmae":"x"}`:                                   {`filters["maker.nmae"]: undeclared`},
		`{"title.x":1}`:                                        {`filters["title.x"]: undeclared`},
		`{"created_at.x":1}`:                                   {`filters["created_at.x"]: undeclared`},
		`{"field":"photo","operator":"exists"}`:                {"filters.field: undeclared"},
		`{"AND":[{"title":"x"},{"price":"5"}]}`:                {"filters.AND[1].price: type"},
		`{"title":"x","price":"5","on":1}`:                     {"filters.on: type", "filters.price: type"},
		`{"OR":[{"price":"5"},{"title":5}]}`:                   {"filters.OR[0].price: type", "filters.OR[1].title: type"},
		`{"OR":[{"price":"5"},{"title":"5"}]}`:                 nil,
		`{"NOT":{"price":"5"}}`:                                nil,
		`{"field":"price","operator":"ne","value":"5"}`:        nil,
		`{"field":"price","operator":"nin","value":["5"]}`:     nil,
		`{"field":"price","operator":"in","value":["5",5]}`:    nil,
		`{"field":"price","operator":"in","value":["5",null]}`: nil,
		`{"field":"price","operator":"in","value":[]}`:         nil,
		`{"OR":[]}`:           nil,
		`{"price":null}`:      nil,
		`{"maker.nmae":null}`: nil,
		`{"field":"maker.nmae","operator":"exists","value":false}`: nil,
		`{"colour":5}`:                       nil,
		`{"free.x.y":"z"}`:                   nil,
		`{"tags":["a"]}`:                     nil,
		`{"tags":"a"}`:                       nil,
		`{"note":"a"}`:                       nil,
		`{"maker":{"name":"x"}}`:             nil,
		`{"blobs.details.filename":"a.jpg"}`: nil,
		`{"field":"at","operator":"starts_with","value":"2024"}`:              nil,
		`{"field":"day","operator":"gt","value":"2024-01-01"}`:                nil,
		`{"field":"price","operator":"eq","value":5.5,"case_sensitive":true}`: nil,
	} {
		filter, err := bucketlite.ParseFilter([]byte(text))
		storetest.Must(t, err)
		_, err = b.List(ctx, bucketlite.Query{Filter: filter})
		var bad *bucketlite.QueryError
		var got []string
		if errors.As(err, &bad) {
			for _, issue := range bad.Issues {
				got = append(got, issue.Path+": "+issue.Rule)
			}
			if !bad.Unsatisfiable || !errors.Is(err, bucketlite.ErrBadRequest) {
				t.Errorf("%s: got %v, want it unsatisfiable", text, err)
			}
		} else if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	_, err := b.Aggregate(ctx, bucketlite.Aggregation{Filter: bucketlite.Eq("price", "5"), GroupBy: []bucketlite.GroupBy{{Field: "title"}}, Metrics: []bucketlite.Metric{{Function: bucketlite.MetricCount, Alias: "n"}}})
	if !isUnsatisfiable(err) {
		t.Errorf("aggregation: got %v, want it unsatisfiable", err)
	}
}

// Operators with a dollar, as other query languages have them, are faults that say what to
// write. Members such as $ref are values.
func TestDollarOperators(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"price":{"$gt":5}}`:                           `bucketlite: filter: filters.price.$gt: unknown operator "$gt"; write {"field":"price","operator":"gt","value":5}`,
		`{"field":"price","operator":"$gte","value":5}`: `bucketlite: filter: filters.operator: unknown operator "$gte", the operators are eq ne gt lt gte lte in nin contains starts_with ends_with regex exists is_null text; write "gte"`,
		`{"$or":[{"price":5}]}`:                         `bucketlite: filter: filters.$or: unknown operator "$or"; write "OR"`,
		`{"AND":[{"tags":{"$all":["a"]}}]}`:             `bucketlite: filter: filters.AND[0].tags.$all: unknown operator "$all", the operators are eq ne gt lt gte lte in nin contains starts_with ends_with regex exists is_null text`,
		`{"price":{"$ref":"#/x"}}`:                      "",
	} {
		_, err := bucketlite.ParseFilter([]byte(text))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want || err != nil && !errors.Is(err, bucketlite.ErrBadRequest) {
			t.Errorf("%s:\ngot  %s\nwant %s", text, got, want)
		}
	}
}

// Paths that the schema does not declare are noted, unless it declares nothing there.
func TestNotes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "shop", Schema: storetest.Schema(t, `"title":{"type":"string"},"free":{"type":"object"},"photo":{"type":"image"}`)})
	q := bucketlite.Query{
		Filter: bucketlite.And(bucketlite.Ne("colour", "red"), bucketlite.Eq("free.x", 1), bucketlite.Gt("created_at", "2024-05-06T07:08")),
		Sort:   []bucketlite.Sort{bucketlite.Asc("shade"), bucketlite.Desc("title")}, Select: []string{"title", "photo", "tone", "blobs"},
	}
	want := []string{`filters: the schema declares no "colour"`, `sort: the schema declares no "shade"`, `select: the schema declares no "tone"`}
	notes, err := b.Notes(ctx, q)
	if storetest.Must(t, err); !slices.Equal(notes, want) {
		t.Errorf("got %q, want %q", notes, want)
	}
	e, err := b.Explain(ctx, q)
	if storetest.Must(t, err); !slices.Equal(e.Notes, want) {
		t.Errorf("Explain: got %q, want %q", e.Notes, want)
	}
	open := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "open"})
	if notes, err := open.Notes(ctx, q); err != nil || len(notes) > 0 {
		t.Errorf("a bucket without fields: got %q, %v, want no notes", notes, err)
	}
}
