package bucketlite

import (
	"slices"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// UnmarshalJSON decodes the JSON form strictly, as [ParseFilter] does. Null counts as
// absent, and unknown members are ignored. The only faults that it reports are
// members of a wrong type, and faults of the filters; [Bucket.Aggregate] validates
// the rest.
func (a *Aggregation) UnmarshalJSON(data []byte) error {
	lim := query.Limits()
	lim.MaxDepth++ // the filters are nested one level down
	lim.MaxBytes *= 2
	v, err := value.Parse(data, lim)
	if err != nil {
		return &QueryError{Subject: "aggregation", Issues: syntaxIssues(nil, err)}
	}
	form := aggregationForm{faults: QueryError{Subject: "aggregation"}}
	read := form.aggregation(v)
	if len(form.faults.Issues) > 0 {
		return &form.faults
	}
	*a = read
	return nil
}

// aggregationForm decodes an aggregation's JSON form, and collects its faults.
type aggregationForm struct {
	faults QueryError
}

func (f *aggregationForm) aggregation(v any) (a Aggregation) {
	if v == nil {
		return a
	}
	doc := f.object(nil, v)
	f.each(doc, "group_by", func(at value.Path, v any) {
		m := f.object(at, v)
		a.GroupBy = append(a.GroupBy, GroupBy{
			Field:     f.text(at, m, "field"),
			Alias:     f.text(at, m, "alias"),
			DateTrunc: DateUnit(f.text(at, m, "date_trunc")),
			DatePart:  DateUnit(f.text(at, m, "date_part")),
		})
	})
	f.each(doc, "aggregations", func(at value.Path, v any) {
		m := f.object(at, v)
		a.Metrics = append(a.Metrics, Metric{
			Function:      AggregateFunction(f.text(at, m, "function")),
			Field:         f.text(at, m, "field"),
			DistinctField: f.text(at, m, "distinct_field"),
			Alias:         f.text(at, m, "alias"),
		})
	})
	e, err := query.Parse(doc["filters"])
	if err != nil {
		f.faults.add(filterPath, err)
	}
	if !e.Equal(nil) {
		a.Filter = Filter{e}
	}
	f.each(doc, "having", func(at value.Path, v any) {
		m := f.object(at, v)
		a.Having = append(a.Having, Having{f.text(at, m, "field"), f.text(at, m, "operator"), m["value"]})
	})
	a.Unwind = f.text(nil, doc, "unwind")
	f.each(doc, "range_buckets", func(at value.Path, v any) {
		m := f.object(at, v)
		boundaries, ok := m["boundaries"].([]any)
		if !ok && m["boundaries"] != nil {
			f.fault(at.Member("boundaries"), "a list of numbers", m["boundaries"])
		}
		a.RangeBuckets = append(a.RangeBuckets, RangeBucket{f.text(at, m, "field"), boundaries, f.text(at, m, "default_bucket")})
	})
	a.SortBy = f.text(nil, doc, "sort_by")
	a.SortDirection = SortDirection(f.text(nil, doc, "sort_direction"))
	if v := doc["limit"]; v != nil {
		// The zero Limit has no JSON form except null.
		n, ok := value.Int(v)
		if a.Limit = int(n); !ok || n < 1 {
			f.fault(value.Path{{Name: "limit"}}, "a whole number of 1 or more", v)
		}
	}
	return a
}

func (f *aggregationForm) fault(at value.Path, want string, v any) {
	f.faults.fault(at, ruleType, want+" expected, got "+value.Show(v))
}

func (f *aggregationForm) object(at value.Path, v any) map[string]any {
	m, ok := v.(map[string]any)
	if !ok {
		f.fault(at, "an object", v)
	}
	return m
}

func (f *aggregationForm) text(at value.Path, m map[string]any, name string) string {
	s, ok := m[name].(string)
	if !ok && m[name] != nil {
		f.fault(slices.Clip(at).Member(name), "a string", m[name])
	}
	return s
}

// each calls read with each element of the list that is the named member of m.
func (f *aggregationForm) each(m map[string]any, name string, read func(at value.Path, v any)) {
	at := value.Path{{Name: name}}
	list, ok := m[name].([]any)
	if !ok && m[name] != nil {
		f.fault(at, "a list", m[name])
	}
	for i, v := range list {
		read(slices.Clip(at).Item(i), v)
	}
}
