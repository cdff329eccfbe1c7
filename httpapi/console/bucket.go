package console

import (
	"net/url"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
)

var bucketRoutes = []route{
	{"GET /n/{namespace}/{$}", inPlace, reads, (*request).buckets},
	{"GET /n/{namespace}/b/{bucket}/growth", inPlace, reads, (*request).growth},
}

// pageSize is how many rows a list has on a page.
const pageSize = 50

// bucketList is what the list of buckets shows.
type bucketList struct {
	Rows    []*bucketlite.BucketInfo
	Columns []sortColumn
	Pager   pager

	Search, Status, Sort string
	Chosen               bool // by a search or a status
	Statuses             []choice
}

// A sortColumn is the head of a column that a list can be sorted by.
type sortColumn struct {
	Name  string
	Num   bool
	Order string // ascending, descending, or empty
	Link  string // that sorts by it
}

// A choice is one option of a select.
type choice struct {
	Value, Text string
	Chosen      bool
}

// choices are the options of a select, as pairs of value and text.
func choices(chosen string, pairs ...string) []choice {
	var list []choice
	for i := 0; i+1 < len(pairs); i += 2 {
		list = append(list, choice{pairs[i], pairs[i+1], pairs[i] == chosen})
	}
	return list
}

// A sortKey is what a list can be sorted by: the parameter's value, the head of its
// column, and the path in the JSON form of the members.
type sortKey struct {
	param, name, path string
	num               bool // sorted from the largest at first
}

// bucketSorts are the columns of the list of buckets.
var bucketSorts = []sortKey{
	{"name", "Name", "bucket_name", false},
	{"status", "State", "status", false},
	{"objects", "Objects", "object_count", true},
	{"size", "Size", "total_size_bytes", true},
	{"average", "Average", "storage_stats.avg_size_bytes", true},
	{"upload", "Last upload", "last_upload_at", true},
	{"batches", "Batches", "batch_stats.active", true},
}

// sortsOf returns the order that the address asks for, such as "-size", and the heads of
// the columns. An order that does not exist is none.
func (q *request) sortsOf(keys []sortKey) (order []bucketlite.Sort, columns []sortColumn) {
	given, descending := strings.CutPrefix(q.query("sort"), "-")
	for _, k := range keys {
		c := sortColumn{Name: k.name, Num: k.num}
		next := k.param
		if k.num {
			next = "-" + k.param
		}
		if given == k.param {
			c.Order, next = "ascending", "-"+k.param
			order = []bucketlite.Sort{bucketlite.Asc(k.path)}
			if descending {
				c.Order, next = "descending", k.param
				order = []bucketlite.Sort{bucketlite.Desc(k.path)}
			}
		}
		c.Link = q.with("sort", next)
		columns = append(columns, c)
	}
	return order, columns
}

// with returns the address of the page with another value of a parameter, from the first
// page of the list on.
func (q *request) with(name, value string) string {
	params := url.Values{}
	for n, values := range q.params() {
		if n != "after" && n != "done" {
			params[n] = values
		}
	}
	params.Set(name, value)
	return "?" + params.Encode()
}

// buckets lists the buckets of the namespace. Without a search, a status or an order it
// reads one page, however many there are.
func (q *request) buckets() error {
	list := bucketList{Search: strings.TrimSpace(q.query("q")), Status: q.query("status"), Sort: q.query("sort")}
	query := bucketlite.Query{Limit: pageSize, Cursor: q.query("after"), Search: list.Search}
	query.Sort, list.Columns = q.sortsOf(bucketSorts)
	list.Statuses = choices(list.Status, "", "All states", "ACTIVE", "Active", "ARCHIVED", "Archived", "SUSPENDED", "Suspended", "locked", "Locked")
	switch list.Status {
	case "":
	case "locked":
		query.Filter = bucketlite.Eq("is_locked", true)
	default:
		query.Filter = bucketlite.Eq("status", list.Status)
	}
	list.Chosen = list.Search != "" || list.Status != ""
	page, err := q.ns.ListBuckets(q.ctx(), query)
	if err != nil {
		return err
	}
	list.Rows, list.Pager = page.Results, q.pagerFor(page.Next)
	return q.show("buckets", "Buckets", "list", list)
}

// sparkDays is how many days a bucket's line in the list covers.
const sparkDays = 30

// growthOf is what the growth of a bucket shows.
type growthOf struct {
	spark
	Days []bucketlite.Growth // newest first
}

// growth shows how the bucket has grown: in the list of buckets as a line, else as a page.
func (q *request) growth() error {
	now := time.Now()
	end := now.Truncate(time.Hour).Add(time.Hour) // within an hour the objects would have to be read
	days, err := q.bucket.Growth(q.ctx(), now.AddDate(0, 0, 1-sparkDays), end, bucketlite.UnitDay)
	if err != nil {
		return err
	}
	shown := growthOf{spark: newSpark(days)}
	for i := len(days) - 1; i >= 0; i-- {
		shown.Days = append(shown.Days, days[i])
	}
	return q.show("growth", "Growth", "spark", shown)
}
