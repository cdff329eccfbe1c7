package httpapi_test

import (
	"fmt"
	"net/http"
	"testing"
)

// The pages that a cursor leads to have the statistics of the page before; what asks
// anew, or for something else, has new ones.
func TestListStatsOfPages(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	put := func(i int) {
		t.Helper()
		s.do("POST", "/v1/buckets/films/objects", fmt.Sprintf(`{"film_id": "f%d", "year": %d}`, i, i)).want(http.StatusOK)
	}
	for i := range 3 {
		put(i)
	}
	list := "/v1/buckets/films/objects/list?limit=1"
	first := s.do("POST", list, nil).want(http.StatusOK).wantAt("stats.total_objects", "3")
	some := s.do("POST", list, `{"filters": {"field": "year", "operator": "gte", "value": 1}}`).want(http.StatusOK).wantAt("stats.total_objects", "2")
	put(3)
	s.do("POST", first.text("pagination.next_page"), nil).want(http.StatusOK).wantAt("stats.total_objects", "3").wantAt("results.0.film_id", "f1")
	s.do("POST", some.text("pagination.next_page"), `{"filters": {"field": "year", "operator": "gte", "value": 1}}`).want(http.StatusOK).
		wantAt("stats.total_objects", "2").wantAt("results.0.film_id", "f2")
	s.do("POST", list, nil).want(http.StatusOK).wantAt("stats.total_objects", "4")
	s.do("POST", first.text("pagination.next_page"), nil).want(http.StatusOK).wantAt("stats.total_objects", "4")
}
