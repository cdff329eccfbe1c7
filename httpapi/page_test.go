package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// listed returns a member of all results of a list, page by page.
func (s *server) listed(path, body, member string) (values []string) {
	s.t.Helper()
	for page := s.do("POST", path, body).want(http.StatusOK); ; page = s.do("POST", page.text("pagination.next_page"), body).want(http.StatusOK) {
		results, _ := page.at("results").([]any)
		for i := range results {
			values = append(values, page.text(fmt.Sprintf("results.%d.%s", i, member)))
		}
		if page.at("pagination.next_page") == nil {
			return values
		}
	}
}

// A list that is sorted by created_at alone has the order of creation, one way or the
// other, although the clock was set back.
func TestSortByCreation(t *testing.T) {
	t.Parallel()
	clock := storetest.NewManualClock()
	s := serveStore(t, nil, &bucketlite.Options{Now: clock.Now})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	for i, by := range []time.Duration{0, time.Hour, -3 * time.Hour, 0, time.Minute} {
		clock.Add(by)
		name := fmt.Sprint("made ", i)
		s.do("POST", "/v1/buckets", films(name)).want(http.StatusOK)
		s.do("POST", "/v1/namespaces", map[string]any{"namespace_name": name}).want(http.StatusOK)
		s.put("films", map[string]any{"film_id": name})
		s.announce(map[string]any{"file_size_bytes": 30, "blob_property": "film"})
		s.submitted("test", "films", 1)
	}
	for _, list := range []struct{ path, id string }{
		{"/v1/buckets/films/objects/list", "object_id"}, {"/v1/buckets/list", "bucket_id"}, {"/v1/namespaces/list", "namespace_id"},
		{"/v1/buckets/films/uploads/list", "upload_id"}, {"/v1/buckets/films/batches/list", "batch_id"}, {"/v1/tasks/list", "task_id"},
	} {
		path := list.path + "?limit=2"
		oldest := s.listed(path, `{"sort": {"field": "created_at"}}`, list.id)
		if len(oldest) < 5 {
			t.Fatalf("%s: got %q, want five or more", path, oldest)
		}
		// Ids begin with a time that never goes back.
		if !slices.IsSorted(oldest) {
			t.Errorf("%s: got %q, want the order of creation", path, oldest)
		}
		newest := slices.Clone(oldest)
		slices.Reverse(newest)
		for _, body := range []string{
			`{"sort": {"field": "created_at", "direction": "desc"}}`, `{"sort": [{"field": "created_at", "direction": "desc"}], "case_sensitive": false}`,
		} {
			if got := s.listed(path, body, list.id); !slices.Equal(got, newest) {
				t.Errorf("%s, %s: got %q, want %q", path, body, got, newest)
			}
		}
		cursor := s.do("POST", path, `{"sort": {"field": "created_at", "direction": "desc"}}`).want(http.StatusOK).text("pagination.next_cursor")
		s.do("POST", path+"&cursor="+cursor, `{"sort": {"field": "created_at", "direction": "asc"}}`).wantError(http.StatusBadRequest, "BadRequestError")
		s.do("POST", path, `{"sort": {"field": "created_at", "direction": "up"}}`).wantError(http.StatusBadRequest, "BadRequestError")
		// With another path it is a sort by the value.
		by := s.listed(path, fmt.Sprintf(`{"sort": [{"field": "created_at"}, {"field": %q}]}`, list.id), list.id)
		if slices.Equal(by, oldest) {
			t.Errorf("%s: got %q, want the order of the clock", path, by)
		}
	}
}
