package query_test

import (
	"errors"
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/querytest"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Whatever is read as a filter can be written and read again as the same, and
// matches what the naive evaluator says.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`null`, `{}`, `{"title":"x"}`, `{"a.b":5,"OR":[{"c":null},{"field":"s","operator":"contains","value":"É"}],"case_sensitive":true}`,
		`{"NOT":[{"field":"n","operator":"gte","value":5.0},{"field":"tags","operator":"in","value":[1,null,"a",{"x":[]}]}]}`,
		`{"field":"any.x","operator":"nin","value":[]}`, `{"field":"s","operator":"text","value":"red ſ","case_sensitive":false}`,
		`{"field":"list","operator":"regex","value":"^r.*[d-f]{2,3}$"}`, `{"field":"at","operator":"exists"}`, `{"field":"at","operator":"is_null","value":false}`,
		`{"AND":[{"AND":[{"NOT":{}}]}],"x":{"type":"dynamic","field":"y"}}`, `{"field":"n","operator":"lt","value":9007199254740993.0}`,
	} {
		f.Add([]byte(seed))
	}
	r := querytest.New(1)
	var docs []map[string]any
	for range 20 {
		docs = append(docs, r.Document())
	}
	for range 20 {
		f.Add(value.Append(nil, r.Filter(3)))
	}
	undeclared := func(string) string { return "" }
	f.Fuzz(func(t *testing.T, data []byte) {
		form, err := value.Parse(data, query.Limits())
		if err != nil {
			return
		}
		e, err := query.Parse(form)
		if err != nil {
			var bad *query.Error
			if !errors.As(err, &bad) || len(bad.Faults) == 0 {
				t.Fatalf("got error %v, want faults", err)
			}
			return
		}
		text := e.Append(nil)
		if e.String() == "" {
			t.Error("no text for people")
		}
		v, err := value.Parse(text, query.Limits())
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := query.Parse(v)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !again.Equal(e) {
			t.Fatalf("round trip: got %s, want %s", again.Append(nil), text)
		}
		p, err := query.Compile(e, nil)
		if err != nil {
			t.Fatal(err)
		}
		q, err := query.Compile(again, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range docs {
			want := querytest.Matches(form, doc, undeclared)
			if got := p.Match(query.Map(doc), new(query.Work)); got != want {
				t.Errorf("got %t, want %t: %s", got, want, value.Append(nil, doc))
			}
			if got := q.Match(query.Map(doc), new(query.Work)); got != want {
				t.Errorf("round trip: got %t, want %t: %s", got, want, value.Append(nil, doc))
			}
		}
	})
}
