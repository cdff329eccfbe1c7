package bucketlite

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/value"
)

// recordedTypes are the types of payload indexes in the hosted service.
var recordedTypes = []string{"keyword", "integer", "float", "bool", "geo", "datetime", "text", "uuid"}

// maxIndexedName is the maximum length of a payload index's field name, in characters.
const maxIndexedName = 255

// encodeExtractors returns the stored form of feature extractors, or nil if there are
// none or one does not conform to the hosted service's BaseFeatureExtractorModel.
func encodeExtractors(list []any, issues *[]Issue) any {
	return encodeRecords("feature_extractors", list, issues, func(r recorded) {
		r.text("feature_extractor_name")
		r.text("version")
		r.object("params")
	})
}

// encodePayloadIndexes returns the stored form of payload indexes, or nil if there are
// none or one does not conform to the hosted service's PayloadIndexConfig.
func encodePayloadIndexes(list []any, issues *[]Issue) any {
	return encodeRecords("payload_indexes", list, issues, func(r recorded) {
		if name, ok := r.text("field_name"); ok && (name == "" || utf8.RuneCountInString(name) > maxIndexedName) {
			r.fault("field_name", ruleName, fmt.Sprintf("1 to %d characters expected, got %d", maxIndexedName, utf8.RuneCountInString(name)))
		}
		if kind, ok := r.text("type"); ok && !slices.Contains(recordedTypes, kind) {
			r.fault("type", "enum", strings.Join(recordedTypes, ", ")+" expected, got "+value.Show(kind))
		}
		if settings := r.object("field_schema"); settings != nil {
			settings.optional("type", "string", func(v any) bool { _, ok := v.(string); return ok })
			r.doc["field_schema"] = settings.doc
		}
		r.optional("is_protected", "boolean", func(v any) bool { _, ok := v.(bool); return ok })
	})
}

// encodeRecords returns the stored form of a list of objects, which it does not change,
// or nil if there is none or check reports a fault.
func encodeRecords(name string, list []any, issues *[]Issue, check func(recorded)) any {
	at := value.Path{{Name: name}}
	plain, ok := value.Plain(list, at, infoLimits, appendTo(issues))
	if !ok || list == nil {
		return nil
	}
	j := &judge{}
	records := []any{}
	for i, item := range plain.([]any) {
		doc, ok := item.(map[string]any)
		if !ok {
			j.fault(at.Item(i), ruleType, "object expected, got "+value.Show(item))
			continue
		}
		r := recorded{j, slices.Clip(at.Item(i)), maps.Clone(doc)}
		check(r)
		records = append(records, r.doc)
	}
	if *issues = append(*issues, j.issues()...); j.Any() {
		return nil
	}
	return string(value.Append(nil, records))
}

// A recorded is a copy of an object that the store keeps for others.
type recorded struct {
	judge *judge
	at    value.Path
	doc   map[string]any
}

func (r recorded) fault(name, rule, message string) { r.judge.fault(r.at.Member(name), rule, message) }

// text returns a string that must be there.
func (r recorded) text(name string) (string, bool) {
	s, ok := r.doc[name].(string)
	switch {
	case ok:
	case r.doc[name] == nil:
		r.fault(name, ruleRequired, "required")
	default:
		r.fault(name, ruleType, "string expected, got "+value.Show(r.doc[name]))
	}
	return s, ok
}

// object returns a copy of an object, nil if it is absent or null.
func (r recorded) object(name string) *recorded {
	doc, ok := r.doc[name].(map[string]any)
	if !ok {
		if r.doc[name] != nil {
			r.fault(name, ruleType, "object expected, got "+value.Show(r.doc[name]))
		}
		return nil
	}
	return &recorded{r.judge, slices.Clip(r.at.Member(name)), maps.Clone(doc)}
}

// optional checks a member that may be absent. Null counts as absent, but the hosted
// service's form does not have it: the member is removed.
func (r recorded) optional(name, want string, ok func(any) bool) {
	switch v := r.doc[name]; {
	case v == nil:
		delete(r.doc, name)
	case !ok(v):
		r.fault(name, ruleType, want+" expected, got "+value.Show(v))
	}
}
