package console

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite"
)

var chartRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/charts", inPlace, reads, (*request).charts},
	{"GET /n/{namespace}/b/{bucket}/charts/data", inPlace, reads, (*request).chartData},
	{"GET /n/{namespace}/b/{bucket}/charts/copyas", inPlace, reads, (*request).copyChartAs},
}

// A chartView is the address of a chart: what to group by, what to compute, and which
// objects.
type chartView struct {
	By     string // by: a path; empty for no chart
	Unit   string // unit: of time, such as "day" or, for parts that come again, "every hour"
	Ranges string // ranges: boundaries of numbers, such as "0,10,100"
	Metric string // metric: a function
	Of     string // of: the path of its values
	Order  string // order: "value", or by the groups themselves
	Where  string // where: a filter as text
	Now    bool   // now=1: the page waits for the chart
}

// everyPrefix begins the units of time that are parts: the hours of all days.
const everyPrefix = "every "

func parseChartView(params url.Values) chartView {
	return chartView{
		By: strings.TrimSpace(params.Get("by")), Unit: params.Get("unit"), Ranges: strings.TrimSpace(params.Get("ranges")),
		Metric: params.Get("metric"), Of: strings.TrimSpace(params.Get("of")), Order: params.Get("order"), Where: strings.TrimSpace(params.Get("where")),
		Now: params.Get("now") == "1",
	}
}

// String is the query of the address, without a question mark.
func (v chartView) String() string {
	params := url.Values{}
	for name, value := range map[string]string{
		"by": v.By, "unit": v.Unit, "ranges": v.Ranges, "metric": v.Metric, "of": v.Of, "order": v.Order, "where": v.Where,
	} {
		if value != "" {
			params.Set(name, value)
		}
	}
	if v.Now {
		params.Set("now", "1")
	}
	return params.Encode()
}

// Data is the address of the numbers in a format.
func (v chartView) Data(format string) string {
	return "charts/data?format=" + format + "&" + v.String()
}

// Waiting is the address of the page that waits for the chart.
func (v chartView) Waiting() string {
	v.Now = true
	return "?" + v.String()
}

// Names of the key and the value in the result of the aggregation.
const (
	chartKey   = "group"
	chartValue = "value"
)

// maxChartGroups is how many groups a chart may have.
const maxChartGroups = 10_000

// aggregation returns what the view asks the store for.
func (v chartView) aggregation() (a bucketlite.Aggregation, err error) {
	if v.Where != "" {
		if a.Filter, err = bucketlite.ParseWhere(v.Where); err != nil {
			return a, err
		}
	}
	if v.Ranges != "" {
		b := bucketlite.RangeBucket{Field: v.By}
		for text := range strings.SplitSeq(v.Ranges, ",") {
			n := json.Number(strings.TrimSpace(text))
			if !isNumber(n) {
				return a, invalid("ranges: numbers separated by commas expected, got " + strconv.Quote(text))
			}
			b.Boundaries = append(b.Boundaries, n)
		}
		a.RangeBuckets = []bucketlite.RangeBucket{b}
	} else {
		g := bucketlite.GroupBy{Field: v.By, Alias: chartKey, DateTrunc: bucketlite.DateUnit(v.Unit)}
		if part, ok := strings.CutPrefix(v.Unit, everyPrefix); ok {
			g.DateTrunc, g.DatePart = "", bucketlite.DateUnit(part)
		}
		a.GroupBy = []bucketlite.GroupBy{g}
	}
	m := bucketlite.Metric{Function: bucketlite.AggregateFunction(v.Metric), Field: v.Of, Alias: chartValue}
	if v.Metric == "" {
		m.Function = bucketlite.MetricCount
	}
	a.Metrics = []bucketlite.Metric{m}
	a.SortBy, a.SortDirection = chartKey, bucketlite.SortAscending
	if v.Ranges != "" {
		a.SortBy = v.By
	}
	if v.Order == "value" {
		a.SortBy, a.SortDirection = chartValue, bucketlite.SortDescending
	}
	a.Limit = maxChartGroups
	return a, nil
}

// A chartGroup is a group of objects in a chart.
type chartGroup struct {
	Key    string
	Value  any // as the store computes it
	Number float64
	Text   string
	time   time.Time
}

// chartPage is what the page of charts shows.
type chartPage struct {
	View    chartView
	Paths   []pathOption
	Units   []choice
	Metrics []choice
	Orders  []choice
	Ideas   []chartIdea
	Later   bool // a script asks for the chart when the page is there
	Chart   *chart
	Fault   *fault
}

// A chartIdea is a chart that suits the schema.
type chartIdea struct{ Text, Address string }

// laterFrom is the number of objects from which the page comes before its chart.
const laterFrom = 100_000

// charts shows a chart of the bucket's objects, and the form for another.
func (q *request) charts() error {
	v := parseChartView(q.params())
	p := &chartPage{
		View: v, Paths: pathsOf(q.info.Schema), Ideas: q.chartIdeas(),
		Units: choices(v.Unit, "", "", "hour", "hour", "day", "day", "week", "week", "month", "month", "year", "year",
			"every hour", "hour of the day", "every dayOfWeek", "day of the week", "every month", "month of the year"),
		Metrics: choices(v.Metric, "count", "number of objects", "sum", "sum", "avg", "average", "min", "smallest", "max", "largest", "count_distinct", "number of different values"),
		Orders:  choices(v.Order, "", "the groups", "value", "the values, largest first"),
	}
	if v.By != "" {
		p.Later = !v.Now && !q.isPart() && q.info.ObjectCount >= laterFrom
		if !p.Later {
			if err := q.fillChart(p); err != nil {
				return err
			}
		}
	}
	return q.show("charts", "Charts", "chart", p)
}

// fillChart computes the chart, or says what is wrong with what was asked.
func (q *request) fillChart(p *chartPage) error {
	groups, err := q.chartGroups(p.View)
	if err == nil {
		p.Chart = newChart(p.View, groups)
		return nil
	}
	status, text := describe(err)
	if status >= 500 {
		return err
	}
	p.Fault = &fault{Status: status, Text: text, Issues: issuesOf(err), ID: q.id()}
	return nil
}

// chartGroups returns the groups of a chart.
func (q *request) chartGroups(v chartView) ([]chartGroup, error) {
	a, err := v.aggregation()
	if err != nil {
		return nil, err
	}
	result, err := q.bucket.Aggregate(q.ctx(), a)
	if err != nil {
		return nil, err
	}
	groups := make([]chartGroup, len(result.Groups))
	for i, g := range result.Groups {
		key, ok := g.Group[chartKey]
		if v.Ranges != "" {
			key, ok = g.Group[v.By]
		}
		groups[i] = chartGroup{Key: chartKeyText(key, ok, v.Unit), Value: g.Metrics[chartValue], Number: g.Float(chartValue), Text: plainValue(g.Metrics[chartValue])}
		if n, ok := g.Metrics[chartValue].(json.Number); ok {
			groups[i].Text = formatNumber(n)
		}
		if s, ok := key.(string); ok {
			groups[i].time, _ = time.Parse(time.RFC3339, s)
		}
	}
	return groups, nil
}

// chartKeyText returns the key of a group, as people read it.
func chartKeyText(key any, ok bool, unit string) string {
	if key == nil || !ok {
		return "none"
	}
	text := plainText(key)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		if n, err := strconv.Atoi(text); err == nil && unit == everyPrefix+string(bucketlite.UnitDayOfWeek) && n >= 1 && n <= 7 {
			return time.Weekday(n - 1).String()
		}
		return text
	}
	switch unit {
	case "year":
		return t.Format("2006")
	case "month":
		return t.Format("2006-01")
	case "day", "week":
		return t.Format("2006-01-02")
	case "hour":
		return t.Format("2006-01-02 15:04")
	}
	return text
}

// chartIdeas returns charts that suit the schema.
func (q *request) chartIdeas() (ideas []chartIdea) {
	add := func(text string, v chartView) { ideas = append(ideas, chartIdea{text, "?" + v.String()}) }
	add("Objects by day", chartView{By: "created_at", Unit: "day"})
	add("Objects by status", chartView{By: "status"})
	for _, path := range pathsOf(q.info.Schema) {
		if len(ideas) == 6 {
			break
		}
		switch {
		case path.Path == "object_id": // those of the system follow
			return ideas
		case len(path.Enum) > 0:
			add("Objects by "+path.Path, chartView{By: path.Path, Order: "value"})
		case path.Type == string(bucketlite.Date) || path.Type == string(bucketlite.DateTime):
			add("Objects by month of "+path.Path, chartView{By: path.Path, Unit: "month"})
		}
	}
	return ideas
}

// chartData answers with the numbers of a chart: as JSON, or as CSV without formulas.
func (q *request) chartData() error {
	v := parseChartView(q.params())
	if v.By == "" {
		return invalid("by: a path expected")
	}
	groups, err := q.chartGroups(v)
	if err != nil {
		return err
	}
	format := q.query("format")
	if format != "json" && format != "csv" {
		return invalid("format: json or csv expected")
	}
	h := q.w.Header()
	h.Set("Content-Disposition", "attachment; filename=chart."+format)
	if format == "json" {
		list := make([]map[string]any, len(groups))
		for i, g := range groups {
			list[i] = map[string]any{chartKey: g.Key, chartValue: g.Value}
		}
		return q.answerJSON(http.StatusOK, list)
	}
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	q.wrote = true
	w := csv.NewWriter(q.w)
	w.Write([]string{withoutFormula(v.By), withoutFormula(v.label())})
	for _, g := range groups {
		w.Write([]string{withoutFormula(g.Key), withoutFormula(plainValue(g.Value))})
	}
	w.Flush()
	return w.Error()
}

// CopyAs is the address of the request of the API for the chart.
func (v chartView) CopyAs() string { return "charts/copyas?" + v.String() }

// copyChartAs shows the request of the API for the chart that the address describes.
func (q *request) copyChartAs() error {
	v := parseChartView(q.params())
	if v.By == "" {
		return invalid("by: a path expected")
	}
	a, err := v.aggregation()
	if err != nil {
		return err
	}
	return q.show("copyas", "Copy as code", "samples", samplesOf("chart", q.apiRequest(http.MethodPost, "/objects/aggregate", a)))
}

// withoutFormula returns a text that no spreadsheet takes for a formula. Numbers stay.
func withoutFormula(text string) string {
	if isFormula(text) && !isNumber(json.Number(text)) {
		return "'" + text
	}
	return text
}

// isFormula reports whether a spreadsheet may evaluate a text, as an export of objects does.
func isFormula(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return strings.ContainsRune("=+-@\t\r\n＝＋－＠", first)
}

// Short is the key as a page has it: it can be as long as an object.
func (g chartGroup) Short() string { return cut(g.Key, shownText) }

// label says what the values are.
func (v chartView) label() string {
	switch {
	case v.Metric == "" || v.Metric == "count" && v.Of == "":
		return "objects"
	case v.Of == "":
		return v.Metric
	}
	return v.Metric + " of " + v.Of
}
