package console

// Only the pages use a view, and they do not show all of what it holds.

import (
	"encoding/json"
	"math/rand/v2"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

func TestParseObjectView(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, query string
		want        objectView
		text        string // of the view, if it differs from the query
	}{
		{name: "empty", want: objectView{Size: 50}},
		{name: "all", query: "f=price.lt.90&f=tags.eq.shoes&any=1&q=sneaker&case=1&sort=-price,title&order=oldest&cols=sku,title,photo&view=grid&size=100&after=x&wait=1&count=1",
			want: objectView{
				Conditions: []condition{{"price", "lt", "90"}, {"tags", "eq", "shoes"}}, Any: true, Search: "sneaker", Case: true,
				Sort: []bucketlite.Sort{bucketlite.Desc("price"), bucketlite.Asc("title")}, Oldest: true, Columns: []string{"sku", "title", "photo"},
				Grid: true, Size: 100, After: "x", Wait: true, Count: true,
			}},
		{name: "texts", query: "filter=%7B%22a%22%3A1%7D&where=a+%3D+1", want: objectView{JSON: `{"a":1}`, Where: "a = 1", Size: 50}},
		{name: "path of members", query: "f=a.b.c.gte.1.5", want: objectView{Conditions: []condition{{"a.b.c", "gte", "1.5"}}, Size: 50}},
		{name: "names of operators", query: "f=lt.~eq.~~in.eq.lt.gt", want: objectView{Conditions: []condition{{"lt.eq.~in", "eq", "lt.gt"}}, Size: 50}, text: "f=~lt.~eq.~~in.eq.lt.gt"},
		{name: "no value", query: "f=a.exists&f=b.eq&f=c.eq.", want: objectView{Conditions: []condition{{"a", "exists", ""}, {"b", "eq", ""}, {"c", "eq", ""}}, Size: 50}, text: "f=a.exists&f=b.eq&f=c.eq"},
		{name: "no operator", query: "f=a.b&f=", want: objectView{Conditions: []condition{{"a.b", "", ""}}, Size: 50}, text: "f=a.b"},
		{name: "commas", query: `sort=-%2B-x,%2B%2By&cols=a%5C,b,c%5C%5C`, want: objectView{Columns: []string{"a,b", `c\`}, Size: 50,
			Sort: []bucketlite.Sort{bucketlite.Desc("-x"), bucketlite.Asc("+y")}}},
		{name: "nonsense", query: "any=yes&view=list&size=7&size=x&order=new&cols=,,&c=&wait=2", want: objectView{Size: 50}, text: "-"},
		{name: "twice", query: "cols=a,a,b,a", want: objectView{Columns: []string{"a", "b"}, Size: 50}, text: "cols=a,b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			params, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			v, _ := parseObjectView(params)
			if !reflect.DeepEqual(*v, tt.want) {
				t.Errorf("got  %+v\nwant %+v", *v, tt.want)
			}
			want := tt.query
			if tt.text != "" {
				want = strings.TrimPrefix(tt.text, "-")
			}
			if got := v.String(); got != want {
				t.Errorf("got text %s, want %s", got, want)
			}
		})
	}
}

// TestObjectViewRoundTrip makes views of hostile texts, and reads what they are written as.
func TestObjectViewRoundTrip(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	pieces := []string{"a", "price", ".", "..", "eq", "lt", "~", "~eq", ",", `\`, "-", "+", "&", "=", "%", ";", "#", "?", " ", "\n", "\x00", "\xff", `"`, "<script>", "é", "\u202e", "/", "'"}
	text := func() string {
		var b strings.Builder
		for range r.IntN(6) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return b.String()
	}
	for range 20_000 {
		v := &objectView{Size: pageSizes[r.IntN(len(pageSizes))], Any: r.IntN(2) == 0, Case: r.IntN(2) == 0, Oldest: r.IntN(2) == 0, Grid: r.IntN(2) == 0, After: text(),
			Search: strings.TrimSpace(text()), JSON: strings.TrimSpace(text()), Where: strings.TrimSpace(text())}
		for range r.IntN(3) {
			v.add(condition{text(), operators[r.IntN(len(operators))].Name, text()})
			v.addColumns([]string{text()})
		}
		for range r.IntN(3) {
			if path := text(); path != "" {
				v.Sort = append(v.Sort, []bucketlite.Sort{bucketlite.Asc(path), bucketlite.Desc(path)}[r.IntN(2)])
			}
		}
		params, err := url.ParseQuery(v.String())
		if err != nil {
			t.Fatalf("seed %d: %q: %v", seed, v.String(), err)
		}
		if got, _ := parseObjectView(params); !reflect.DeepEqual(got, v) {
			t.Fatalf("seed %d: %s:\ngot  %+v\nwant %+v", seed, v, got, v)
		}
	}
}

func FuzzObjectView(f *testing.F) {
	for _, query := range []string{"f=a.eq.1", "f=~eq.eq", "sort=-+a&cols=a\\,b", "p=a&o=lt&v=1&p=&o=x", "c=a&size=20", "f=.&f=..&f=.eq."} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		params, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		v, _ := parseObjectView(params)
		again, err := url.ParseQuery(v.String())
		if err != nil {
			t.Fatalf("%q: %q: %v", query, v, err)
		}
		if w, _ := parseObjectView(again); w.String() != v.String() || len(w.Conditions) != len(v.Conditions) {
			t.Fatalf("%q: got %q, and %q of that", query, v, w)
		}
		v.query(shopOfView) // does not panic
	})
}

var shopOfView = bucketlite.Schema{Properties: map[string]bucketlite.Field{
	"price": {Type: bucketlite.Number}, "sku": {Type: bucketlite.String}, "sold": {Type: bucketlite.Boolean},
	"tags":  {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.Integer}},
	"parts": {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.ObjectField, Properties: map[string]bucketlite.Field{"n": {Type: bucketlite.Number}}}},
}}

// TestConditionValues shows what the text of a value stands for.
func TestConditionValues(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ condition, want string }{
		{"price.eq.5", `5`}, {"price.eq.5e300", `5e300`}, {"price.eq.five", `"five"`}, {"sku.eq.5", `"5"`}, {`sku.eq."5"`, `"\"5\""`},
		{"sold.eq.true", `true`}, {"sold.eq.yes", `"yes"`}, {"tags.eq.3", `3`}, {"parts.n.eq.3", `3`},
		{"other.eq.5", `5`}, {`other.eq."5"`, `"5"`}, {"other.eq.five", `"five"`}, {`other.eq.{"a":[1]}`, `{"a":[1]}`}, {"other.eq.null", `"null"`},
		{"price.in.1, 2,,3", `[1,2,3]`}, {`sku.in.["a,b","c"]`, `["a,b","c"]`}, {"sku.in.1,2", `["1","2"]`},
		{"status.eq.5", `"5"`}, {"created_at.gt.2026", `"2026"`},
	} {
		f, ok := parseCondition(tt.condition).filter(shopOfView)
		text, err := f.MarshalJSON()
		var form struct{ Value json.RawMessage }
		if err == nil {
			err = json.Unmarshal(text, &form)
		}
		if !ok || err != nil || string(form.Value) != tt.want {
			t.Errorf("%s: got %s, %v and %v, want %s", tt.condition, text, ok, err, tt.want)
		}
	}
}

func TestCost(t *testing.T) {
	t.Parallel()
	price := bucketlite.Index{Kind: bucketlite.ValueIndex, Path: "price"}
	for _, tt := range []struct {
		name, query string
		plan        bucketlite.Explanation
		text        string
		path        string
		ofText      bool
	}{
		{"all", "", bucketlite.Explanation{Objects: 1e6}, "", "", false},
		{"a filter", "f=price.lt.9", bucketlite.Explanation{Objects: 1e6}, "No index helps: examines objects in order until the page is full, at most 1,000,000 objects, about 1 s", "price", false},
		{"few", "f=price.lt.9", bucketlite.Explanation{Objects: 1000}, "No index helps: examines objects in order until the page is full, at most 1,000 objects", "", false},
		{"one of two", "any=1&f=price.lt.9&f=sku.eq.9", bucketlite.Explanation{Objects: 1e6}, "No index helps: examines objects in order until the page is full, at most 1,000,000 objects, about 1 s", "", false},
		{"no index can help", "f=sku.contains.9", bucketlite.Explanation{Objects: 1e6}, "No index helps: examines objects in order until the page is full, at most 1,000,000 objects, about 1 s", "", false},
		{"an order", "sort=price", bucketlite.Explanation{Objects: 1e6, Sorts: true}, "Examines all 1,000,000 objects and sorts those that match, about 2 s", "price", false},
		{"an order by an index", "sort=price", bucketlite.Explanation{Objects: 1e6, Indexes: []bucketlite.Index{price}}, "Reads the page by the value index of price", "", false},
		{"an index", "f=price.lt.9", bucketlite.Explanation{Objects: 300, Indexes: []bucketlite.Index{price}}, "Looks up at most 300 objects by the value index of price", "", false},
		{"an index and an order", "f=price.lt.9&sort=sku", bucketlite.Explanation{Objects: 3e5, Indexes: []bucketlite.Index{price}, Sorts: true}, "Looks up 300,000 objects by the value index of price, and sorts them, about 0.5 s", "sku", false},
		{"a search", "q=x", bucketlite.Explanation{Objects: 1e8}, "No index helps: examines objects in order until the page is full, at most 100,000,000 objects, about 2 min", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			params, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			v, _ := parseObjectView(params)
			if got := v.costOf(&tt.plan, manyObjects); got.Text != tt.text || got.Path != tt.path || got.OfText != tt.ofText {
				t.Errorf("got %+v, want %q, %q and %v", got, tt.text, tt.path, tt.ofText)
			}
		})
	}
}
