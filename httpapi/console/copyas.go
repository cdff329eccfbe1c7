package console

import (
	"fmt"
	"net/http"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/sample"
)

var copyAsRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/copyas", inPlace, reads, (*request).copyAs},
}

// A sampleText is a request as a program in one language. The part "samples" shows a list
// of them.
type sampleText struct {
	Language, ID, Text string
}

// samplesOf writes a request in all languages. The ids of the texts begin with a name, and
// are different on one page if the names are.
func samplesOf(name string, r sample.Request) (texts []sampleText) {
	for i, language := range sample.Languages {
		texts = append(texts, sampleText{language, fmt.Sprintf("sample-%s-%d", name, i), sample.Of(r, language)})
	}
	return texts
}

// apiRequest returns a request of the API for the bucket, with a path below it.
func (q *request) apiRequest(method, path string, body any) sample.Request {
	return sample.Request{Method: method, Path: "/v1/buckets/" + q.bucket.ID() + path, Namespace: q.ns.Name(), Body: body}
}

// copyAs shows the request of the API for the list that the address describes.
func (q *request) copyAs() error {
	v, _ := parseObjectView(q.params())
	query, err := v.query(q.info.Schema)
	if err != nil {
		return err
	}
	body, err := listBody(v, query)
	if err != nil {
		return err
	}
	return q.show("copyas", "Copy as code", "samples", samplesOf("list", q.apiRequest(http.MethodPost, "/objects/list", body)))
}

// listBody returns the body of the API's list of objects for a query.
func listBody(v *objectView, query bucketlite.Query) (map[string]any, error) {
	body := map[string]any{"limit": query.Limit}
	if len(v.Conditions) > 0 || v.JSON != "" || v.Where != "" {
		if _, err := query.Filter.MarshalJSON(); err != nil {
			return nil, err
		}
		body["filters"] = query.Filter
	}
	if query.Search != "" {
		body["search"] = query.Search
	}
	if query.CaseSensitive {
		body["case_sensitive"] = true
	}
	sort := query.Sort
	if len(sort) == 0 && query.Reverse {
		sort = []bucketlite.Sort{bucketlite.Desc("created_at")}
	}
	if len(sort) > 0 {
		body["sort"] = sort
	}
	return body, nil
}
