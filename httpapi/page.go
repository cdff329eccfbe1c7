package httpapi

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A listRequest is a request for a list.
type listRequest struct {
	bucketlite.Query
	includeTotal bool
	uncounted    bool // include_total is false, not absent
	noStats      bool
	unsorted     bool // the request says no order
	limited      bool // to the namespaces of the key
	call         *call
}

// listed returns the request for a list: by the body, whose limit is otherwise
// if it has none and most at most, or by the URL's query, which goes before it and
// may ask for [bucketlite.MaxLimit].
func (c *call) listed(body *form, otherwise, most int) (listRequest, error) {
	q := listRequest{call: c}
	params := c.params()
	q.Limit = body.integer("limit", 1, most, otherwise, "page_size")
	q.Limit = params.integer("limit", 1, bucketlite.MaxLimit, q.Limit, "page_size")
	q.Offset = body.integer("offset", 0, bucketlite.MaxOffset, 0)
	q.Offset = params.integer("offset", 0, bucketlite.MaxOffset, q.Offset)
	q.Cursor = body.text("cursor")
	if cursor := params.text("cursor"); cursor != "" {
		q.Cursor = cursor
	}
	q.includeTotal = params.boolean("include_total", body.boolean("include_total", false))
	q.uncounted = !q.includeTotal && (params.has("include_total") || body.has("include_total"))
	q.noStats = !params.boolean("stats", body.boolean("stats", true))
	list, isList := body.doc["sort"].([]any)
	q.unsorted = !body.has("sort") || isList && len(list) == 0
	var err error
	q.Query, err = c.selected(body, q.Query)
	q.Total = q.includeTotal
	return q, err
}

// selected returns a query with the parts that select, order and project the results.
func (c *call) selected(body *form, q bucketlite.Query) (bucketlite.Query, error) {
	q.Search = body.text("search")
	if search := c.params().text("search"); search != "" {
		q.Search = search
	}
	q.CaseSensitive = body.boolean("case_sensitive", false)
	q.Sort = body.sort()
	q = byCreation(q)
	q.Select = body.texts("select")
	if filters := body.object("filters"); filters != nil {
		if body.operands("filters"); len(c.faults) > 0 {
			return q, c.faults
		}
		var err error
		if q.Filter, err = bucketlite.ParseFilter(value.Append(nil, filters)); err != nil {
			return q, err
		}
	}
	return q, c.check()
}

// byCreation returns a query that is sorted by created_at alone as one in the order of
// creation. That costs nothing, and remains true where the clock was set back.
func byCreation(q bucketlite.Query) bucketlite.Query {
	if len(q.Sort) != 1 || q.Sort[0].Field != "created_at" {
		return q
	}
	switch q.Sort[0].Direction {
	case "", bucketlite.SortAscending:
		q.Sort = nil
	case bucketlite.SortDescending:
		q.Sort, q.Reverse = nil, true
	}
	return q
}

// operands refuses the nulls among the operands of a filter's groups, which the hosted
// service's form excludes.
func (f *form) operands(name string) {
	var look func(at value.Path, filter any)
	look = func(at value.Path, filter any) {
		groups, _ := filter.(map[string]any)
		for _, group := range []string{"AND", "NOT", "OR"} {
			list, _ := groups[group].([]any)
			for i, operand := range list {
				at := append(slices.Clip(at), value.Path{{Name: group}}.Item(i)...)
				if operand == nil {
					f.faultAt(at, "type", "object expected, got null")
				}
				look(at, operand)
			}
		}
	}
	look(f.at.Member(name), f.doc[name])
}

// limitTo lets the list have only what mine wants too. Errors in the filter of the
// request must then pass through [listRequest.told].
func (q *listRequest) limitTo(mine bucketlite.Filter) {
	q.Filter, q.limited = bucketlite.And(q.Filter, mine), true
}

// told returns an error of the list with the paths that the client knows.
func (q listRequest) told(err error) error {
	var bad *bucketlite.QueryError
	if !q.limited || !errors.As(err, &bad) {
		return err
	}
	told := *bad
	told.Issues = nil
	for _, issue := range bad.Issues {
		if rest, ok := strings.CutPrefix(issue.Path, "filters.AND[0]"); ok {
			issue.Path = "filters" + rest
		}
		told.Issues = append(told.Issues, issue)
	}
	return &told
}

// sort returns what to sort by: {"field", "direction"}, or a list of those.
func (f *form) sort() (sort []bucketlite.Sort) {
	read := func(f *form) {
		sort = append(sort, bucketlite.Sort{Field: f.requiredText("field"), Direction: bucketlite.SortDirection(f.text("direction"))})
	}
	if _, ok := f.doc["sort"].([]any); ok {
		f.each("sort", read)
	} else if doc := f.object("sort"); doc != nil {
		read(&form{call: f.call, in: f.in, at: f.at.Member("sort"), doc: doc})
	}
	return sort
}

// statuses are those there are; of some there is nothing here.
var statuses = []bucketlite.Status{
	bucketlite.StatusPending, bucketlite.StatusInProgress, bucketlite.StatusProcessing, bucketlite.StatusCompleted, bucketlite.StatusCompletedWithErrors,
	bucketlite.StatusFailed, bucketlite.StatusCanceled, "UNKNOWN", bucketlite.StatusSkipped, bucketlite.StatusDraft,
	bucketlite.StatusActive, bucketlite.StatusArchived, bucketlite.StatusSuspended,
}

// status returns the member status, empty if it is absent.
func (f *form) status() bucketlite.Status {
	status := bucketlite.Status(f.text("status"))
	if status != "" && !slices.Contains(statuses, status) {
		f.fault("status", "enum", "a status such as "+string(bucketlite.StatusCompleted)+" expected, got "+value.Show(string(status)))
	}
	return status
}

// A list is the answer to one.
type list[T any] struct {
	Results []T `json:"results"`
	listRest
}

// listRest holds the members of a list's response other than the results.
type listRest struct {
	TotalCount *int64      `json:"total_count,omitempty"`
	Pagination *pagination `json:"pagination,omitempty"`
	Stats      any         `json:"stats,omitempty"`
}

func (l list[T]) results() int { return len(l.Results) }

func (l list[T]) appendResult(dst []byte, i int) ([]byte, error) {
	return appendEncoded(dst, l.Results[i])
}

// held returns the bytes of the results in memory, as far as they are in their stored form.
func (l list[T]) held() (n int) {
	for _, v := range l.Results {
		if o, ok := any(v).(*bucketlite.RawObject); ok {
			n += o.StoredBytes()
		}
	}
	return n
}

func (l list[T]) rest() any { return l.listRest }

// pagination says where in a list its page is, and how to continue.
type pagination struct {
	Total      *int64  `json:"total"`
	Page       *int    `json:"page"`
	PageSize   int     `json:"page_size"`
	TotalPages *int64  `json:"total_pages"`
	Next       *string `json:"next_page"`
	Previous   *string `json:"previous_page"`
	NextCursor *string `json:"next_cursor"`
}

// answerOf makes the answer of the page that q asked for. Only the pagination's total
// waits for include_total; total_count, if counted, is there whenever it was counted.
func answerOf[T any](q listRequest, page *bucketlite.Page[T], stats any, counted bool) list[T] {
	l := list[T]{page.Results, listRest{Pagination: &pagination{PageSize: q.Limit}}}
	if !q.noStats {
		l.Stats = stats
	}
	if page.Next != "" && len(page.Results) < q.Limit {
		q.call.tell(fmt.Sprintf("the page is full with %d of %d results, by their bytes; pagination.next_cursor continues it", len(page.Results), q.Limit))
	}
	p := l.Pagination
	if q.Cursor == "" {
		p.Page = new(q.Offset/q.Limit + 1)
		if q.Offset > 0 {
			p.Previous = q.to("offset", strconv.Itoa(max(0, q.Offset-q.Limit)))
		}
	}
	if page.Next != "" {
		p.Next, p.NextCursor = q.to("cursor", page.Next), &page.Next
	}
	if q.includeTotal {
		p.Total = &page.Total
		p.TotalPages = new((page.Total + int64(q.Limit) - 1) / int64(q.Limit))
	}
	if counted {
		l.TotalCount = &page.Total
	}
	return l
}

// to returns the URL of another page, for a request with the same method and body.
func (q listRequest) to(name, v string) *string {
	params := url.Values{"limit": {strconv.Itoa(q.Limit)}, name: {v}}
	switch {
	case q.includeTotal:
		params.Set("include_total", "true")
	case q.uncounted:
		params.Set("include_total", "false")
	}
	if q.noStats {
		params.Set("stats", "false")
	}
	return new(q.call.r.URL.EscapedPath() + "?" + params.Encode())
}
