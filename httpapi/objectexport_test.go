package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

const exportPath = "/v1/buckets/films/objects/export"

func TestExportObjects(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: rights})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	for i, title := range []string{"=1+1", "Brazil", "Alien"} {
		s.apply(fmt.Sprintf(`{"op": "put", "bucket": "films", "object": {"object_id": "o%d", "film_id": "f%d", "title": %q, "year": %d}}`, i, i, title, -1-i)).want(http.StatusOK)
	}
	late := `{"filters": {"field": "year", "operator": "lt", "value": -1}, "sort": {"field": "title"}, "select": ["film_id", "title"]}`
	for name, test := range map[string]struct{ query, body, mime, file, want string }{
		"lines": {"", late, "application/x-ndjson", "films.jsonl",
			"{\"film_id\":\"f2\",\"object_id\":\"o2\",\"title\":\"Alien\"}\n{\"film_id\":\"f1\",\"object_id\":\"o1\",\"title\":\"Brazil\"}\n"},
		"an array": {"?format=json", late, "application/json", "films.json",
			"[\n{\"film_id\":\"f2\",\"object_id\":\"o2\",\"title\":\"Alien\"},\n{\"film_id\":\"f1\",\"object_id\":\"o1\",\"title\":\"Brazil\"}\n]\n"},
		"a table": {"?format=csv", late, "text/csv; charset=utf-8", "films.csv", "film_id,title\nf2,Alien\nf1,Brazil\n"},
		"a table of all": {"?format=csv", `{}`, "text/csv; charset=utf-8", "films.csv",
			"object_id,film_id,film,notes,poster,stills,title,year\no0,f0,,,,,'=1+1,-1\no1,f1,,,,,Brazil,-2\no2,f2,,,,,Alien,-3\n"},
		"formulas kept":    {"?format=csv&formulas=keep", `{"select": ["title", "status"], "search": "1+1"}`, "text/csv; charset=utf-8", "films.csv", "title,status\n=1+1,DRAFT\n"},
		"nothing in lines": {"?format=jsonl", `{"search": "none"}`, "application/x-ndjson", "films.jsonl", ""},
		"nothing in array": {"?format=json", `{"search": "none"}`, "application/json", "films.json", "[\n]\n"},
		"a selected none":  {"?format=csv", `{"search": "none", "select": []}`, "text/csv; charset=utf-8", "films.csv", "object_id,film_id,film,notes,poster,stills,title,year\n"},
	} {
		for _, key := range []string{secret, "limited", "reader"} {
			got := s.as("Authorization", "Bearer "+key).do("POST", exportPath+test.query, test.body).want(http.StatusOK).wantWarnings()
			if got.body != test.want {
				t.Errorf("%s: got %q, want %q", name, got.body, test.want)
			}
			if mime, disposition := got.header.Get("Content-Type"), got.header.Get("Content-Disposition"); mime != test.mime || disposition != "attachment; filename="+test.file {
				t.Errorf("%s: got type %q and disposition %q, want %q and %q", name, mime, disposition, test.mime, test.file)
			}
		}
	}
	s.do("POST", exportPath, `{"select": ["genre"]}`).want(http.StatusOK).wantWarnings("genre")
	if got := s.do("POST", exportPath, `{"filters": {"field": "year", "operator": "eq", "value": "x"}}`).want(http.StatusOK).wantWarnings("never matches"); got.body != "" {
		t.Errorf("got %q, want nothing", got.body)
	}

	for name, test := range map[string]struct {
		query, body string
		fault       string
	}{
		"a form":            {"?format=xml", ``, "query.format enum"},
		"formulas":          {"?formulas=drop", ``, "query.formulas enum"},
		"a limit":           {"?limit=5", ``, "query.limit unsupported"},
		"a cursor":          {"", `{"cursor": "x"}`, "body.cursor unsupported"},
		"a filter of text":  {"", `{"filters": "x"}`, "body.filters type"},
		"a select of texts": {"", `{"select": "title"}`, "body.select type"},
	} {
		t.Log(name)
		s.do("POST", exportPath+test.query, test.body).wantFaults(test.fault)
	}
	s.do("POST", exportPath+"?format=csv", `{"select": ["title", "title"]}`).wantError(http.StatusBadRequest, "BadRequestError")
	s.do("POST", "/v1/buckets/none/objects/export", nil).wantError(http.StatusNotFound, "NotFoundError")
	s.anyone().do("POST", exportPath, nil).wantError(http.StatusUnauthorized, "UnauthorizedError")
	s.do("POST", "/v1/buckets/films/suspend", nil).want(http.StatusOK)
	for _, format := range []string{"jsonl", "json", "csv"} { // the answer has not begun
		s.do("POST", exportPath+"?format="+format, nil).wantError(http.StatusForbidden, "ForbiddenError")
	}
}

// An object may have the name of the route as its id.
func TestObjectNamedExport(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	s.apply(`{"op": "put", "bucket": "films", "object": {"object_id": "export", "film_id": "a"}}`).want(http.StatusOK)
	s.do("GET", "/v1/buckets/films/objects/export", nil).want(http.StatusOK).wantAt("film_id", "a")
}

// An export that fails after its first bytes is cut off: half of it must not look whole.
func TestExportCutOff(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, t.TempDir()+"/test.db", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	s := serveOpen(t, st, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	fillFilms(t, s, 2000)
	req, err := http.NewRequestWithContext(ctx, "POST", s.url+exportPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = s.headers
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("got status %d", resp.StatusCode)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Errorf("got a whole answer of %d bytes, want one that is cut off", n)
	}
}

// fillFilms stores objects of 20 kB, which no buffer of a connection holds together.
func fillFilms(t *testing.T, s *server, n int) {
	t.Helper()
	_, b, err := s.store.OpenBucket(t.Context(), "test", "films")
	if err != nil {
		t.Fatal(err)
	}
	inputs := make([]bucketlite.ObjectInput, n)
	for i := range inputs {
		inputs[i].Fields = map[string]any{"film_id": fmt.Sprint(i), "title": strings.Repeat("x", 20_000)}
	}
	if res, err := b.PutMany(t.Context(), inputs, nil); err != nil || len(res.Failed) > 0 {
		t.Fatal(err, res.Failed)
	}
}

// The exports of a key whose clients do not read are bounded, and end with their clients. They
// have no timeout.
func TestExportBound(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: rights, QueryTimeout: 300 * time.Millisecond})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	fillFilms(t, s, 1000)
	ask := func() *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+exportPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = s.headers
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	var exports []*http.Response
	for {
		resp := ask()
		if resp.StatusCode != http.StatusOK {
			if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
				t.Errorf("got status %d after %d exports, want 429", resp.StatusCode, len(exports))
			}
			break
		}
		exports = append(exports, resp)
	}
	if len(exports) != 8 {
		t.Errorf("got %d exports at once, want 8", len(exports))
	}
	s.as("Authorization", "Bearer reader").do("POST", exportPath, `{"search": "none"}`).want(http.StatusOK)
	time.Sleep(400 * time.Millisecond)
	data, err := io.ReadAll(exports[0].Body)
	if n := strings.Count(string(data), "\n"); err != nil || n != 1000 {
		t.Errorf("got %d objects, %v, after the query timeout, want 1000", n, err)
	}
	for _, resp := range exports[1:] {
		resp.Body.Close()
	}
	eventually(t, "the exports have ended", func() bool {
		resp := ask()
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}
