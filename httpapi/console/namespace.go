package console

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/bucketlite/bucketlite"
)

var namespaceRoutes = []route{
	{"GET /{$}", signedIn, reads, (*request).namespaces},
	{"POST /{$}", withAll, writes, (*request).createNamespace},
}

// namespaceList is what the list of namespaces shows.
type namespaceList struct {
	Rows  []*bucketlite.NamespaceInfo
	Pager pager

	Name, Description string // of the form that was refused
	Fault             *fault
}

// A pager leads to the other pages of a list.
type pager struct {
	First, Next string // addresses; empty for none
	Text        string // what this page shows
}

// pagerFor returns the pager of a page of a list whose address is that of the request.
func (q *request) pagerFor(results int, next string) pager {
	var p pager
	params := q.params()
	params.Del("done")
	if params.Has("after") {
		first := url.Values{}
		for name, values := range params {
			if name != "after" {
				first[name] = values
			}
		}
		p.First = "?" + first.Encode()
	}
	if next != "" {
		params.Set("after", next)
		p.Next = "?" + params.Encode()
	}
	return p
}

// namespaces lists the namespaces that the key may enter. If there is only one the page is
// that of its buckets.
func (q *request) namespaces() error {
	list, err := q.namespaceList()
	if err != nil {
		return err
	}
	if len(list.Rows) == 1 && list.Pager == (pager{}) && !q.params().Has("all") && !q.params().Has("done") {
		return q.redirect("n/" + list.Rows[0].ID + "/")
	}
	return q.render(http.StatusOK, "namespaces", "Namespaces", list)
}

func (q *request) namespaceList() (*namespaceList, error) {
	list := &namespaceList{}
	if q.access.Namespaces == nil {
		page, err := q.c.store.ListNamespaces(q.ctx(), bucketlite.Query{Limit: pageSize, Cursor: q.query("after")})
		if err != nil {
			return nil, err
		}
		list.Rows, list.Pager = page.Results, q.pagerFor(len(page.Results), page.Next)
		return list, nil
	}
	for _, name := range q.access.Namespaces {
		ns, err := q.c.store.Namespace(q.ctx(), name)
		if errors.Is(err, bucketlite.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		info, err := ns.Info(q.ctx())
		if err != nil {
			return nil, err
		}
		list.Rows = append(list.Rows, info)
	}
	return list, nil
}

func (q *request) createNamespace() error {
	form, err := q.form()
	if err != nil {
		return err
	}
	config := bucketlite.NamespaceConfig{Name: form.Get("name"), Description: form.Get("description")}
	ns, err := q.c.store.CreateNamespace(q.ctx(), config)
	if err == nil {
		return q.done("n/"+ns.ID()+"/", "namespace-created")
	}
	status, text := describe(err)
	if status >= 500 {
		return err
	}
	list, listErr := q.namespaceList()
	if listErr != nil {
		return listErr
	}
	list.Name, list.Description, list.Fault = config.Name, config.Description, &fault{Status: status, Text: text, Issues: issuesOf(err)}
	return q.render(status, "namespaces", "Namespaces", list)
}
