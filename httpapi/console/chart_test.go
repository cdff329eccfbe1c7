package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

func TestCharts(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	for i := range 12 {
		put(t, ns, b, bucketlite.ObjectInput{Fields: map[string]any{
			"sku": fmt.Sprint("s", i), "price": i*10 - 20, "seen": fmt.Sprintf("2026-%02d-03T00:00:00Z", i%4+1), "note": []string{"=1+1", "<b>", ""}[i%3],
		}})
	}
	path := "n/" + ns.ID() + "/b/" + b.ID() + "/charts"
	at := s.browser(t, readsKey)
	at.get(path).wants(http.StatusOK, "Objects by day", "Objects by month of seen", "Show chart").lacks("<svg class=\"chart\"")
	for _, test := range []struct {
		name, query string
		wants       []string
	}{
		{"a count by text", "by=note", []string{"3 groups", "&lt;b&gt;", `<td class="num">4</td>`}},
		{"a sum by month", "by=seen&unit=month&metric=sum&of=price", []string{"2026-01", "data-points=", "sum of price"}},
		{"a day of the week", "by=seen&unit=every+dayOfWeek", []string{"Saturday"}},
		{"ranges", "by=price&ranges=-100,0,50", []string{"-100-0", "0-50", "other"}},
		{"values below zero", "by=sku&metric=min&of=price&order=value", []string{"-20", `x="179.1"`}},
		{"a filter", "by=note&where=price+%3C+0", []string{"2 groups"}},
		{"nothing", "by=note&where=price+%3E+1000", []string{"No objects match"}},
		{"a filter that is none", "by=note&where=price+%3C", []string{`role="alert"`, `value="price &lt;"`}},
		{"a path that is none", "by=a..b", []string{`role="alert"`}},
		{"ranges that are none", "by=price&ranges=a", []string{"numbers separated by commas"}},
		{"a function that is none", "by=note&metric=x", []string{`role="alert"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			at.get(path+"?"+test.query).wants(http.StatusOK, test.wants...)
			at.do("GET", path+"?"+test.query, nil, http.Header{"Hx-Request": {"true"}}).wants(http.StatusOK).lacks("<html")
		})
	}
	got := at.get(path + "/data?format=csv&by=note").wants(http.StatusOK)
	if want := "note,objects\n,4\n<b>,4\n'=1+1,4\n"; got.text != want {
		t.Errorf("got %q, want %q", got.text, want)
	}
	at.get(path+"/data?format=json&by=note&metric=max&of=price").wants(http.StatusOK, `{"group":"=1+1","value":70}`)
	at.get(path+"/copyas?by=note&metric=max&of=price").wants(http.StatusOK, "/objects/aggregate", "BUCKETLITE_API_KEY", "max")
	at.get(path + "/data?format=xml&by=note").wants(http.StatusUnprocessableEntity)
	at.get(path + "/data?format=csv").wants(http.StatusUnprocessableEntity)
}

// TestChartAddress shows that the form of a chart keeps what was asked, whatever it was.
func TestChartAddress(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	at := s.browser(t, allKey)
	params := url.Values{"by": {`a"><script>`}, "of": {"é&?"}, "ranges": {"'1"}, "where": {`x = "<"`}, "unit": {"nonsense"}}
	got := at.get("n/"+ns.ID()+"/b/"+b.ID()+"/charts?"+params.Encode()).wants(http.StatusOK, `value="é&amp;?"`)
	if strings.Contains(got.text, `"><script>`) {
		t.Error("a parameter became markup")
	}
}

// TestChartOfOddKeys shows that groups with long names leave the page short, and that no
// name is a formula in a table.
func TestChartOfOddKeys(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	for sku, note := range map[string]string{"a": "＝1+1", "b": "\n=1+1", "c": strings.Repeat("<", 500_000), "d": "-5"} {
		put(t, ns, b, bucketlite.ObjectInput{Fields: map[string]any{"sku": sku, "note": note}})
	}
	at, path := s.browser(t, allKey), "n/"+ns.ID()+"/b/"+b.ID()+"/charts"
	if got := at.get(path + "?by=note").wants(http.StatusOK); len(got.text) > 50_000 {
		t.Errorf("got a page of %d bytes", len(got.text))
	}
	at.get(path+"/data?format=csv&by=note").wants(http.StatusOK, "\n'=1+1,1\n", "\n'＝1+1,1\n", "\n-5,1\n")
}
