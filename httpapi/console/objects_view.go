package console

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/bucketlite/bucketlite"
)

// An objectView is what the address of a list of objects says: which objects, in which
// order, and how they are shown. Its text is the query of the address:
//
//	f=price.lt.90&f=tags.eq.shoes&any=1&q=sneaker&sort=-price&cols=sku,title&view=grid&size=100&after=CURSOR
//
// No part of it is dropped for being faulty, since a list that misses a condition selects
// more than was asked for: the faults come up when the query is made.
type objectView struct {
	Conditions []condition // f, each as PATH.OPERATOR.VALUE
	Any        bool        // one of the conditions is enough
	JSON       string      // filter: a filter in its JSON form, besides the conditions
	Where      string      // where: a filter as [bucketlite.ParseWhere] reads it, besides the conditions
	Search     string      // q
	Case       bool        // case=1: upper and lower case differ
	Sort       []bucketlite.Sort
	Oldest     bool     // order=oldest; otherwise the newest is first
	Columns    []string // cols; nil means those that suit the schema
	Grid       bool     // view=grid
	Size       int      // of a page
	After      string   // a cursor

	Wait  bool // wait=1: the page waits for its rows, however long they take
	Count bool // count=1: the page counts all objects that match
}

// maxConditions bounds the conditions of a view, and maxColumns the columns. The store
// bounds the rest.
const (
	maxConditions = 100
	maxColumns    = 50
)

// pageSizes are the sizes of a page.
var pageSizes = []int{20, 50, 100, 200}

// parseObjectView reads the parameters of an address. The form of the filter sends
// conditions as p, o and v, and the form of the columns sends c: filled reports whether
// there were such, so that the address should be written as [objectView.String] does.
func parseObjectView(params url.Values) (v *objectView, filled bool) {
	v = &objectView{
		Any: params.Get("any") == "1", JSON: strings.TrimSpace(params.Get("filter")), Where: strings.TrimSpace(params.Get("where")),
		Search: strings.TrimSpace(params.Get("q")), Case: params.Get("case") == "1", Oldest: params.Get("order") == "oldest",
		Grid: params.Get("view") == "grid", Size: pageSize, After: params.Get("after"),
		Wait: params.Get("wait") == "1", Count: params.Get("count") == "1",
	}
	for _, text := range params["f"] {
		v.add(parseCondition(text))
	}
	chosen, values := params["o"], params["v"]
	for i, path := range params["p"] {
		c := condition{Path: strings.TrimSpace(path)}
		if i < len(chosen) {
			c.Operator = chosen[i]
		}
		if i < len(values) {
			c.Value = values[i]
		}
		if c.Path == "" && c.Value == "" {
			continue // a row that nobody has filled in
		}
		if o, ok := operatorOf(c.Operator); !ok {
			c = condition{Path: c.Path + "." + c.Operator + "." + c.Value}
		} else if o.Bare {
			c.Value = ""
		}
		v.add(c)
	}
	for _, text := range splitList(params.Get("sort")) {
		v.Sort = append(v.Sort, parseSort(text))
	}
	v.addColumns(splitList(params.Get("cols")))
	v.addColumns(params["c"])
	if size, err := strconv.Atoi(params.Get("size")); err == nil && slices.Contains(pageSizes, size) {
		v.Size = size
	}
	return v, params.Has("p") || params.Has("c")
}

// add adds a condition unless it is empty.
func (v *objectView) add(c condition) {
	if c != (condition{}) {
		v.Conditions = append(v.Conditions, c)
	}
}

// addColumns adds columns, each once.
func (v *objectView) addColumns(paths []string) {
	for _, path := range paths {
		if path = strings.TrimSpace(path); path != "" && len(v.Columns) < maxColumns && !slices.Contains(v.Columns, path) {
			v.Columns = append(v.Columns, path)
		}
	}
}

// String returns the query of the view's address, without a question mark. What
// [parseObjectView] makes of it is equal to v.
func (v *objectView) String() string {
	var b strings.Builder
	set := func(name, value string, wanted bool) {
		if !wanted {
			return
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name + "=" + strings.ReplaceAll(url.QueryEscape(value), "%2C", ","))
	}
	for _, c := range v.Conditions {
		set("f", c.String(), true)
	}
	set("any", "1", v.Any)
	set("filter", v.JSON, v.JSON != "")
	set("where", v.Where, v.Where != "")
	set("q", v.Search, v.Search != "")
	set("case", "1", v.Case)
	sort := make([]string, len(v.Sort))
	for i, s := range v.Sort {
		sort[i] = sortText(s)
	}
	set("sort", joinList(sort), len(sort) > 0)
	set("order", "oldest", v.Oldest)
	set("cols", joinList(v.Columns), len(v.Columns) > 0)
	set("view", "grid", v.Grid)
	set("size", strconv.Itoa(v.Size), v.Size != pageSize)
	set("after", v.After, v.After != "")
	set("wait", "1", v.Wait)
	set("count", "1", v.Count)
	return b.String()
}

// Here is the address of the view.
func (v *objectView) Here() string { return "?" + v.String() }

// with returns the address of a view that differs from v by a change, and starts at its
// first page.
func (v *objectView) with(change func(*objectView)) string {
	w := *v
	w.Conditions, w.Sort, w.Columns = slices.Clone(v.Conditions), slices.Clone(v.Sort), slices.Clone(v.Columns)
	w.After, w.Wait, w.Count = "", false, false
	change(&w)
	return "?" + w.String()
}

// The methods below return addresses for the templates.

// Without leaves a condition out. WithoutSearch, WithoutJSON, WithoutWhere and WithoutSort
// leave out another part.
func (v *objectView) Without(i int) string {
	return v.with(func(w *objectView) { w.Conditions = slices.Delete(w.Conditions, i, i+1) })
}

func (v *objectView) WithoutSearch() string { return v.with(func(w *objectView) { w.Search = "" }) }

func (v *objectView) WithoutJSON() string { return v.with(func(w *objectView) { w.JSON = "" }) }

func (v *objectView) WithoutWhere() string { return v.with(func(w *objectView) { w.Where = "" }) }

func (v *objectView) WithoutSort() string { return v.with(func(w *objectView) { w.Sort = nil }) }

// WithoutCase takes upper and lower case for the same.
func (v *objectView) WithoutCase() string { return v.with(func(w *objectView) { w.Case = false }) }

// Plain has no condition, search and order.
func (v *objectView) Plain() string {
	return v.with(func(w *objectView) {
		w.Conditions, w.Any, w.JSON, w.Where, w.Search, w.Case, w.Sort = nil, false, "", "", "", false, nil
	})
}

// AsTable and AsGrid show the same page in the other form.
func (v *objectView) AsTable() string {
	return v.with(func(w *objectView) { w.Grid, w.After = false, v.After })
}

func (v *objectView) AsGrid() string {
	return v.with(func(w *objectView) { w.Grid, w.After = true, v.After })
}

// NewestFirst and OldestFirst are in the order of creation.
func (v *objectView) NewestFirst() string {
	return v.with(func(w *objectView) { w.Sort, w.Oldest = nil, false })
}

func (v *objectView) OldestFirst() string {
	return v.with(func(w *objectView) { w.Sort, w.Oldest = nil, true })
}

// OfSize has pages of another size, and FirstPage and Page are other pages.
func (v *objectView) OfSize(size int) string { return v.with(func(w *objectView) { w.Size = size }) }

func (v *objectView) FirstPage() string { return v.with(func(*objectView) {}) }

func (v *objectView) Page(cursor string) string {
	return v.with(func(w *objectView) { w.After = cursor })
}

// Waiting is the same page, which waits for its rows, and Counting one that counts.
func (v *objectView) Waiting() string {
	return v.with(func(w *objectView) { w.After, w.Wait = v.After, true })
}

func (v *objectView) Counting() string {
	return v.with(func(w *objectView) { w.After, w.Count = v.After, true })
}

// AllColumns has the columns that suit the schema.
func (v *objectView) AllColumns() string { return v.with(func(w *objectView) { w.Columns = nil }) }

// CopyAs is the page that has the view as code.
func (v *objectView) CopyAs() string { return "copyas" + v.FirstPage() }

// Sorted is sorted by a path alone: ascending, if it is so already descending, and then not
// at all.
func (v *objectView) Sorted(path string) string {
	return v.with(func(w *objectView) {
		w.Sort = []bucketlite.Sort{bucketlite.Asc(path)}
		switch {
		case len(v.Sort) != 1 || v.Sort[0].Field != path:
		case v.Sort[0].Direction == bucketlite.SortDescending:
			w.Sort = nil
		default:
			w.Sort = []bucketlite.Sort{bucketlite.Desc(path)}
		}
	})
}

// SortedBy is sorted by a path in one of the directions.
func (v *objectView) SortedBy(path string, descending bool) string {
	return v.with(func(w *objectView) {
		w.Sort = []bucketlite.Sort{bucketlite.Asc(path)}
		if descending {
			w.Sort = []bucketlite.Sort{bucketlite.Desc(path)}
		}
	})
}

// Order returns the order in words.
func (v *objectView) Order() string {
	if len(v.Sort) == 0 {
		if v.Oldest {
			return "oldest first"
		}
		return "newest first"
	}
	words := make([]string, len(v.Sort))
	for i, s := range v.Sort {
		words[i] = s.Field + " ↑"
		if s.Direction == bucketlite.SortDescending {
			words[i] = s.Field + " ↓"
		}
	}
	return strings.Join(words, ", ")
}

// A hidden is a hidden input of a form.
type hidden struct{ Name, Value string }

// Hidden returns the view as hidden inputs, without the parameters that a form has itself.
// The form starts at the first page.
func (v *objectView) Hidden(without ...string) (inputs []hidden) {
	params, _ := url.ParseQuery(strings.TrimPrefix(v.FirstPage(), "?")) // String writes what can be parsed
	for _, name := range []string{"f", "any", "filter", "where", "q", "case", "sort", "order", "cols", "view", "size"} {
		for _, value := range params[name] {
			if !slices.Contains(without, name) {
				inputs = append(inputs, hidden{name, value})
			}
		}
	}
	return inputs
}

// Selects reports whether the view selects some of the objects, and not all.
func (v *objectView) Selects() bool {
	return len(v.Conditions) > 0 || v.JSON != "" || v.Where != "" || v.Search != ""
}

// A list in an address has commas between its items. A comma or backslash that is part of
// an item has a backslash before it.

func splitList(text string) (items []string) {
	if text == "" {
		return nil
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case c == ',':
			items = append(items, b.String())
			b.Reset()
		default:
			b.WriteByte(c)
		}
	}
	return append(items, b.String())
}

var escapeItem = strings.NewReplacer(`\`, `\\`, `,`, `\,`)

func joinList(items []string) string {
	escaped := make([]string, len(items))
	for i, item := range items {
		escaped[i] = escapeItem.Replace(item)
	}
	return strings.Join(escaped, ",")
}

// An order in an address is a path with a minus for the descending one. A path that begins
// with a sign itself has a plus before it.

func parseSort(text string) bucketlite.Sort {
	path, descending := strings.CutPrefix(text, "-")
	path = strings.TrimPrefix(path, "+")
	if descending {
		return bucketlite.Desc(path)
	}
	return bucketlite.Asc(path)
}

func sortText(s bucketlite.Sort) string {
	path := s.Field
	if strings.HasPrefix(path, "-") || strings.HasPrefix(path, "+") {
		path = "+" + path
	}
	if s.Direction == bucketlite.SortDescending {
		return "-" + path
	}
	return path
}

// A condition is one row of the filter.
type condition struct {
	Path, Operator, Value string
}

// An operator is what a condition may compare with.
type operator struct {
	Name  string // in the address
	Label string
	Bare  bool // has no value
}

// operators are those of a filter, and two that stand for the opposite of another.
var operators = []operator{
	{"eq", "is", false}, {"ne", "is not", false}, {"lt", "<", false}, {"lte", "≤", false}, {"gt", ">", false}, {"gte", "≥", false},
	{"contains", "contains", false}, {"starts_with", "starts with", false}, {"ends_with", "ends with", false},
	{"in", "is one of", false}, {"nin", "is none of", false}, {"text", "has words", false}, {"regex", "matches", false},
	{"exists", "exists", true}, {"missing", "does not exist", true}, {"not_null", "has a value", true}, {"is_null", "has no value", true},
}

// operatorOf returns the operator with a name.
func operatorOf(name string) (operator, bool) {
	i := slices.IndexFunc(operators, func(o operator) bool { return o.Name == name })
	if i < 0 {
		return operator{}, false
	}
	return operators[i], true
}

// The text of a condition has dots between the names of the path, the operator and the
// value. A name that is that of an operator has a tilde before it, and one more if it has
// tildes already.

func parseCondition(text string) condition {
	segments := strings.Split(text, ".")
	end, after := len(segments), 0 // of the path: a number of segments, and of bytes with dots
	for i, segment := range segments {
		if _, ok := operatorOf(segment); ok && i > 0 {
			end = i
			break
		}
		after += len(segment) + 1
	}
	var c condition
	if end < len(segments) {
		c.Operator = segments[end]
		c.Value = strings.TrimPrefix(text[after+len(c.Operator):], ".")
	}
	names := segments[:end]
	for i, name := range names {
		if isTilded(name) && name[0] == '~' {
			names[i] = name[1:]
		}
	}
	c.Path = strings.Join(names, ".")
	return c
}

// isTilded reports whether a name is that of an operator, after any number of tildes.
func isTilded(name string) bool {
	_, ok := operatorOf(strings.TrimLeft(name, "~"))
	return ok
}

// String returns the condition as it stands in an address.
func (c condition) String() string {
	names := strings.Split(c.Path, ".")
	for i, name := range names {
		if isTilded(name) {
			names[i] = "~" + name
		}
	}
	text := strings.Join(names, ".")
	if c.Operator != "" {
		text += "." + c.Operator
	}
	if c.Value != "" {
		text += "." + c.Value
	}
	return text
}

// Label returns the operator in words.
func (c condition) Label() string {
	if o, ok := operatorOf(c.Operator); ok {
		return o.Label
	}
	return c.Operator
}

// Bare reports whether the condition has no value.
func (c condition) Bare() bool {
	o, _ := operatorOf(c.Operator)
	return o.Bare
}

// Text returns the condition in words, for a link that removes it.
func (c condition) Text() string {
	if c.Bare() {
		return c.Path + " " + c.Label()
	}
	return fmt.Sprintf("%s %s %s", c.Path, c.Label(), c.Value)
}
