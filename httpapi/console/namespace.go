package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/bucketlite/bucketlite"
)

var namespaceRoutes = []route{
	{"GET /{$}", signedIn, reads, (*request).namespaces},
	{"POST /{$}", withAll, writes, (*request).createNamespace},
	{"GET /n/{namespace}/size", inPlace, reads, (*request).namespaceSize},
	{"GET /n/{namespace}/settings", inPlace, reads, (*request).namespaceSettings},
	{"POST /n/{namespace}/settings", inPlace, writes, (*request).changeNamespace},
}

// namespaceList is what the list of namespaces shows.
type namespaceList struct {
	Rows    []*bucketlite.NamespaceInfo
	Columns []sortColumn
	Pager   pager
	Search  string

	Name, Description string // of the form that was refused
	Fault             *fault
}

// A pager leads to the other pages of a list.
type pager struct {
	First, Next string // addresses; empty for none
	Text        string // what this page shows
}

// pagerFor returns the pager of a page of a list whose address is that of the request.
func (q *request) pagerFor(next string) pager {
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

// namespaceSorts are the columns of the list of namespaces.
var namespaceSorts = []sortKey{
	{"name", "Name", "namespace_name", false},
	{"buckets", "Buckets", "bucket_count", true},
	{"objects", "Objects", "object_count", true},
	{"changed", "Changed", "updated_at", true},
}

// namespaces lists the namespaces that the key may enter. If there is only one the page is
// that of its buckets.
func (q *request) namespaces() error {
	list, err := q.namespaceList()
	if err != nil {
		return err
	}
	if len(list.Rows) == 1 && len(q.params()) == 0 {
		return q.redirect("n/" + list.Rows[0].ID + "/")
	}
	return q.show("namespaces", "Namespaces", "list", list)
}

func (q *request) namespaceList() (*namespaceList, error) {
	list := &namespaceList{Search: strings.TrimSpace(q.query("q"))}
	var order []bucketlite.Sort
	order, list.Columns = q.sortsOf(namespaceSorts)
	if q.access.Namespaces == nil {
		page, err := q.c.store.ListNamespaces(q.ctx(), bucketlite.Query{Limit: pageSize, Cursor: q.query("after"), Search: list.Search, Sort: order})
		if err != nil {
			return nil, err
		}
		list.Rows, list.Pager = page.Results, q.pagerFor(page.Next)
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
	for i := range list.Columns { // the few that a key is limited to stay as the key has them
		list.Columns[i].Link, list.Columns[i].Order = "", ""
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

// namespaceSize shows the size of all objects of a namespace. It reads a row for each of
// its buckets, so it is a part that the list loads later.
func (q *request) namespaceSize() error {
	if !q.isPart() {
		return q.redirect(q.nsPath())
	}
	stats, err := q.ns.BucketListStats(q.ctx(), bucketlite.Query{})
	if err != nil {
		return err
	}
	return q.renderPart(http.StatusOK, "namespaces", "size", stats.Size)
}

// namespaceForm is what the settings of a namespace show.
type namespaceForm struct {
	Info              *bucketlite.NamespaceInfo
	Name, Description string // as in the form
	MayRename         bool

	// WasName and WasDescription are those that the user has seen: only what differs from
	// them is saved.
	WasName, WasDescription string

	Indexes []string // that its buckets get
	Fault   *fault   // of a form that was refused
	Wrong   string   // of the name that was typed to delete it
}

func (q *request) namespaceSettings() error {
	form, err := q.namespaceForm()
	if err != nil {
		return err
	}
	return q.render(http.StatusOK, "namespace", "Settings", form)
}

func (q *request) namespaceForm() (*namespaceForm, error) {
	info, err := q.ns.Info(q.ctx())
	if err != nil {
		return nil, err
	}
	form := &namespaceForm{Info: info, Name: info.Name, Description: info.Description, WasName: info.Name, WasDescription: info.Description, MayRename: q.access.Namespaces == nil}
	for _, item := range info.PayloadIndexes {
		if index, ok := item.(map[string]any); ok {
			form.Indexes = append(form.Indexes, fmt.Sprintf("%v (%v)", index["field_name"], index["type"]))
		}
	}
	return form, nil
}

// changeNamespace saves or deletes a namespace, as the button says. A key that is limited
// to some namespaces gives them no other name: it could lose them, or gain another's.
func (q *request) changeNamespace() error {
	given, err := q.form()
	if err != nil {
		return err
	}
	form, err := q.namespaceForm()
	if err != nil {
		return err
	}
	if given.Get("do") == "delete" {
		if given.Get("confirm") != form.Info.Name {
			form.Wrong = wrongName
			return q.render(http.StatusUnprocessableEntity, "namespace", "Settings", form)
		}
		_, err = q.ns.Delete(q.ctx())
		if err == nil {
			return q.done("?all=1", "namespace-deleted")
		}
	} else {
		form.Name, form.Description = given.Get("name"), given.Get("description")
		if given.Has("was-name") {
			form.WasName, form.WasDescription = normalLines(given.Get("was-name")), normalLines(given.Get("was-description"))
		}
		var update bucketlite.NamespaceUpdate
		if form.Name != sentText(form.WasName, false) {
			update.Name = &form.Name
		}
		if form.Description != sentText(form.WasDescription, false) {
			update.Description = &form.Description
		}
		if update.Name != nil && !form.MayRename {
			return &refusal{http.StatusForbidden, "the key is limited to this namespace by its name, and may not change it"}
		}
		_, err = q.ns.Update(q.ctx(), update)
		if err == nil {
			return q.done(q.nsPath()+"settings", "namespace-changed")
		}
	}
	status, text := describe(err)
	if status >= 500 {
		return err
	}
	form.Fault = &fault{Status: status, Text: text, Issues: issuesOf(err)}
	return q.render(status, "namespace", "Settings", form)
}

// wrongName is what a form says if the name that was typed to confirm it is another one.
const wrongName = "This is not the name. Nothing was changed."
