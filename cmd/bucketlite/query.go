package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

// queryFlags are the flags that make a query.
type queryFlags struct {
	filterFlags
	search         string
	sort, selected []string
	exact          bool
	limit, offset  int
	cursor         string
	newest         bool
}

// add adds the flags that say which page of a list is wanted.
func (f *queryFlags) addPage(c *cobra.Command) {
	c.Flags().IntVar(&f.limit, "limit", bucketlite.DefaultLimit, "at most this `number` of objects; 0 means all")
	c.Flags().StringVar(&f.cursor, "cursor", "", "continue after the page that ended with this `cursor`")
	c.Flags().BoolVar(&f.newest, "newest", false, "begin with the newest objects")
}

func (f *queryFlags) addFilter(a *app, c *cobra.Command) {
	f.filterFlags.add(a, c, "which objects")
	flags := c.Flags()
	flags.StringVar(&f.search, "search", "", "only objects that contain all these `words`")
	flags.BoolVar(&f.exact, "case-sensitive", false, "distinguish upper and lower case")
}

func (f *queryFlags) query(ctx context.Context, a *app) (q bucketlite.Query, err error) {
	q = bucketlite.Query{Search: f.search, CaseSensitive: f.exact, Select: f.selected, Reverse: f.newest, Offset: f.offset, Cursor: f.cursor}
	if f.limit < 0 {
		return q, usagef("--limit: 0 or more expected, got %d", f.limit)
	}
	if f.command != nil {
		if q.Filter, _, err = f.filterFlags.read(ctx, a); err != nil {
			return q, err
		}
	}
	for _, s := range f.sort {
		path, direction, _ := strings.Cut(s, ":")
		q.Sort = append(q.Sort, bucketlite.Sort{Field: path, Direction: bucketlite.SortDirection(direction)})
	}
	return q, nil
}

// noteQuery prints the notes of a query.
func (a *app) noteQuery(ctx context.Context, b *bucketlite.Bucket, q bucketlite.Query) error {
	notes, err := b.Notes(ctx, q)
	for _, note := range notes {
		a.note("%s", note)
	}
	return err
}

// argument returns the text of an argument, or of the file behind an @.
func (a *app) argument(ctx context.Context, text string) ([]byte, error) {
	if name, ok := strings.CutPrefix(text, "@"); ok {
		return a.readText(ctx, name)
	}
	return []byte(text), nil
}

func newQueryCommand(a *app) *cobra.Command {
	f := &queryFlags{}
	var count, explain, page bool
	var sql sqlFlags
	c := &cobra.Command{
		Use:   "query BUCKET | --sql STATEMENT",
		Short: "Find objects",
		Long: `Find objects by a filter, a search or both, in order of creation, with --newest in
reverse, or sorted.

--where takes a condition: 'price < 90 and (language in ("en", "de") or not title
contains "draft")'. The operators are = != < <= > >= in contains "starts with" "ends
with" matches (a regular expression) "has words" exists "is null". Text and dates
stand in quotes, as do names with other characters than letters, digits, _ and -.

--filter takes JSON: {"language": "en"}, {"field": "price", "operator": "lt", "value":
90}, or {"AND": […]}, {"OR": […]} or {"NOT": […]} of others. The operators are eq
ne gt gte lt lte in nin contains starts_with ends_with regex exists is_null text.

A table shows the unique key and up to six short values of each object; --select names
others, and --json prints whole objects.

If there are more objects than --limit, a message on standard error has the cursor
of the next page.

--sql runs one SELECT of SQLite, without BUCKET, over the view ` + sqlView + `: namespace,
bucket, object_id, status, fields and blobs (both JSON as text), key_prefix, size,
version, created_at and updated_at of every object that can be read. Other programs for
SQLite see the same view.`,
		Example: `  bucketlite query videos --where 'duration > 3600 and language = "en"' --sort duration:desc
  bucketlite query videos --search "red sneaker" --select title,meta.author --json
  bucketlite query videos --filter @filter.json --count
  bucketlite query --sql "SELECT bucket, count(*), sum(size) FROM ` + sqlView + ` GROUP BY bucket"
  bucketlite query --sql "SELECT fields ->> 'title' AS title FROM ` + sqlView + `" --csv`,
		Args: func(c *cobra.Command, args []string) error {
			if c.Flags().Changed("sql") {
				return nil
			}
			return cobra.ExactArgs(1)(c, args)
		},
		ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
	}
	f.addFilter(a, c)
	f.addPage(c)
	flags := c.Flags()
	flags.StringSliceVar(&f.sort, "sort", nil, "sort by this `path`, or path:desc; several with commas")
	flags.StringSliceVar(&f.selected, "select", nil, "print only these `paths` of each object")
	flags.IntVar(&f.offset, "offset", 0, "skip this `number` of objects")
	flags.BoolVar(&count, "count", false, "print the number of objects instead")
	flags.BoolVar(&explain, "explain", false, "print the query plan instead")
	flags.BoolVar(&page, "page", false, "print one JSON document, with the cursor of the next page")
	flags.StringVar(&sql.statement, "sql", "", "run this SQL `statement`; @FILE reads it from a file")
	flags.BoolVar(&sql.csv, "csv", false, "print the rows of --sql as CSV")
	flags.DurationVar(&sql.timeout, "timeout", 30*time.Second, "the time limit of --sql; 0 means none")
	a.exclude(c, "count", "explain", "page")
	a.exclude(c, "cursor", "offset")
	for _, other := range []string{"filter", "where", "search", "case-sensitive", "sort", "select", "offset", "cursor", "newest", "count", "explain", "page"} {
		a.exclude(c, "sql", other)
	}
	a.exclude(c, "csv", "json")
	find := a.withBucket(toRead, func(ctx context.Context, b *bucketlite.Bucket, _ []string) error {
		q, err := f.query(ctx, a)
		if err != nil {
			return err
		}
		if err := a.noteQuery(ctx, b, q); err != nil {
			return err
		}
		switch {
		case count:
			return a.count(ctx, b, q)
		case explain:
			return a.explain(ctx, b, q, f.limit)
		case page:
			return a.page(ctx, b, q, f.limit)
		}
		return a.objects(ctx, b, q, f.limit, nil)
	})
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if !cmd.Flags().Changed("sql") {
			switch {
			case cmd.Flags().Changed("csv"):
				return usagef(`--csv belongs to --sql; "bucketlite export %s --csv" writes objects as CSV`, args[0])
			case cmd.Flags().Changed("timeout"):
				return usagef("--timeout belongs to --sql")
			}
			return find(cmd, args)
		}
		if len(args) > 0 {
			return usagef("--sql takes no BUCKET: the statement selects it, as in \"FROM %s WHERE bucket = '%s'\"", sqlView, args[0])
		}
		if f.limit < 0 {
			return usagef("--limit: 0 or more expected, got %d", f.limit)
		}
		sql.limit = f.limit
		return a.runSQL(cmd.Context(), sql)
	}
	return c
}

func newListCommand(a *app) *cobra.Command {
	f := &queryFlags{}
	c := &cobra.Command{
		Use: "ls [BUCKET]", Aliases: []string{"list"},
		Short: "List the objects of a bucket, or the buckets",
		Long: `List the objects of a bucket in order of creation, with --newest in reverse, or
without BUCKET the buckets.`,
		Example: `  bucketlite ls
  bucketlite ls videos --limit 0
  bucketlite ls videos --newest --limit 10`,
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
		RunE: a.withStore(toRead, func(ctx context.Context, st *bucketlite.Store, args []string) error {
			if len(args) == 0 {
				if f.newest {
					return usagef("--newest lists objects: BUCKET is missing")
				}
				return a.listBuckets(ctx, st, nil)
			}
			b, err := a.bucket(ctx, st, args[0])
			if err != nil {
				return err
			}
			q, err := f.query(ctx, a)
			if err != nil {
				return err
			}
			columns := []string{"object_id"}
			if key := b.UniqueKey(); key != nil {
				columns = append(columns, key.Fields...)
			}
			return a.objects(ctx, b, q, f.limit, append(columns, "status", "blobs", "size", "version", "updated_at"))
		}),
	}
	f.addPage(c)
	return c
}

// pages iterates over the pages that make up a query of so many objects; 0 means all.
// The objects are in their stored form, since a page of them decoded may be many times
// as large.
func pages(ctx context.Context, b *bucketlite.Bucket, q bucketlite.Query, limit int) iter.Seq2[*bucketlite.Page[*bucketlite.RawObject], error] {
	return func(yield func(*bucketlite.Page[*bucketlite.RawObject], error) bool) {
		for left := limit; ; {
			q.Limit = bucketlite.MaxLimit
			if limit > 0 {
				q.Limit = min(left, bucketlite.MaxLimit)
			}
			page, err := b.ListRaw(ctx, q)
			if !yield(page, err) || err != nil || page.Next == "" {
				return
			}
			if left -= len(page.Results); limit > 0 && left <= 0 {
				return
			}
			q.Cursor, q.Offset = page.Next, 0
		}
	}
}

// objects prints objects, in the columns given, or else in those that fit them.
func (a *app) objects(ctx context.Context, b *bucketlite.Bucket, q bucketlite.Query, limit int, columns []string) error {
	t := newTable(a.out)
	next := ""
	for page, err := range pages(ctx, b, q, limit) {
		if err != nil {
			return err
		}
		next = page.Next
		if !a.json && t.rows == 0 {
			if columns == nil {
				if columns, err = columnsOf(ctx, b, q, page.Results); err != nil {
					return err
				}
			}
			var header []any
			for _, c := range columns {
				header = append(header, strings.ToUpper(c))
			}
			t.row(header...)
		}
		for i, raw := range page.Results {
			page.Results[i] = nil
			if a.json {
				err = a.objectLine(raw)
			} else {
				err = objectRow(t, raw, columns)
			}
			if err != nil {
				return err
			}
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	if next != "" {
		if err := a.out.Flush(); err != nil {
			return err
		}
		a.note("there are more; continue with --cursor %s, or take all with --limit 0", next)
	}
	return nil
}

// objectLine prints an object as a line of JSON.
func (a *app) objectLine(o *bucketlite.RawObject) error {
	text, err := o.AppendJSON(nil)
	if err == nil {
		_, err = a.out.Write(append(text, '\n'))
	}
	return err
}

const (
	maxColumns = 6  // that nobody asked for
	maxCell    = 48 // characters
	maxSample  = 100
)

// columnsOf chooses the columns of a table of objects: the selection, or else the
// unique key and some fields whose values are short.
func columnsOf(ctx context.Context, b *bucketlite.Bucket, q bucketlite.Query, objects []*bucketlite.RawObject) ([]string, error) {
	columns := []string{"object_id"}
	if len(q.Select) > 0 {
		for _, path := range q.Select {
			if !slices.Contains(columns, path) {
				columns = append(columns, path)
			}
		}
		return columns, nil
	}
	schema, err := schemaOf(ctx, b)
	if err != nil {
		return nil, err
	}
	if key := b.UniqueKey(); key != nil {
		columns = append(columns, key.Fields...)
	}
	for _, s := range q.Sort {
		if !slices.Contains(columns, s.Field) {
			columns = append(columns, s.Field)
		}
	}
	// A name comes first, and required fields before others.
	rank := func(name string) int {
		switch field := schema.Properties[name]; {
		case name == "title" || name == "name":
			return 0
		case field.Required:
			return 1
		}
		return 2
	}
	// A field counts if one of the first objects has a short value of it.
	filled := map[string]bool{}
	for _, raw := range objects[:min(len(objects), maxSample)] {
		o, err := raw.Object()
		if err != nil {
			return nil, err
		}
		for name, v := range o.Fields {
			filled[name] = filled[name] || short(v)
		}
	}
	names := slices.Sorted(maps.Keys(schema.Properties))
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	for _, name := range names {
		if len(columns) < maxColumns && filled[name] && !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
	}
	return columns, nil
}

// short reports whether a value is worth a column.
func short(v any) bool {
	switch v := v.(type) {
	case string:
		return len(v) <= 2*maxCell && !strings.Contains(v, "://")
	case json.Number, bool:
		return true
	}
	return false
}

// objectRow prints the columns of an object.
func objectRow(t *table, raw *bucketlite.RawObject, columns []string) error {
	o, err := raw.Object()
	if err != nil {
		return err
	}
	var doc map[string]any
	cells := make([]any, len(columns))
	for i, path := range columns {
		switch path {
		case "object_id":
			cells[i] = o.ID
		case "status":
			cells[i] = o.Status
		case "blobs":
			cells[i] = len(o.Blobs)
		case "size":
			cells[i] = size(o.Size)
		case "version":
			cells[i] = o.Version
		case "updated_at":
			cells[i] = o.UpdatedAt
		default:
			if doc == nil {
				text, err := o.MarshalJSON()
				if err != nil {
					return err
				}
				d := json.NewDecoder(bytes.NewReader(text))
				d.UseNumber()
				if err := d.Decode(&doc); err != nil {
					return err
				}
			}
			cells[i] = valueText(at(doc, path))
		}
	}
	t.row(cells...)
	return nil
}

// at returns the value at a path, or a list of values if the path leads through arrays.
func at(v any, path string) any {
	for path != "" {
		var name string
		name, path, _ = strings.Cut(path, ".")
		switch w := v.(type) {
		case map[string]any:
			v = w[name]
		case []any:
			var found []any
			for _, item := range w {
				if f := at(item, strings.TrimSuffix(name+"."+path, ".")); f != nil {
					found = append(found, f)
				}
			}
			return found
		default:
			return nil
		}
	}
	return v
}

// valueText returns a value as a cell shows it.
func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return cut(v, maxCell)
	case []any:
		if len(v) == 0 {
			return ""
		}
	}
	text, err := compact(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return cut(string(text), maxCell)
}

func (a *app) count(ctx context.Context, b *bucketlite.Bucket, q bucketlite.Query) error {
	q.Limit, q.Total, q.Sort, q.Select = 1, true, nil, nil
	page, err := b.ListRaw(ctx, q)
	if err != nil {
		return err
	}
	return a.show(map[string]int64{"count": page.Total}, func(t *table) { t.row(page.Total) })
}

func (a *app) explain(ctx context.Context, b *bucketlite.Bucket, q bucketlite.Query, limit int) error {
	q.Limit = min(limit, bucketlite.MaxLimit)
	if limit == 0 {
		q.Limit = bucketlite.MaxLimit
	}
	e, err := b.Explain(ctx, q)
	if err != nil {
		return err
	}
	return a.show(e, func(t *table) { t.row(e.String()) })
}

// page prints one page as a document.
func (a *app) page(ctx context.Context, b *bucketlite.Bucket, q bucketlite.Query, limit int) error {
	if limit == 0 || limit > bucketlite.MaxLimit {
		return usagef("--page: a --limit of 1 to %d expected", bucketlite.MaxLimit)
	}
	q.Limit, q.Total = limit, true
	page, err := b.ListRaw(ctx, q)
	if err != nil {
		return err
	}
	return a.document(struct {
		Results []*bucketlite.RawObject `json:"results"`
		Next    string                  `json:"next_cursor,omitempty"`
		Total   int64                   `json:"total"`
	}{page.Results, page.Next, page.Total})
}
