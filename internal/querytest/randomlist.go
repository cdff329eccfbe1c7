package querytest

import (
	"encoding/json"
	"strings"
	"unicode"
)

// ConditionOn returns the JSON form of a condition on path whose value is, or is
// near, what one of docs has there, so that it holds for few. For kind see [Matches].
func (r Random) ConditionOn(path string, docs []map[string]any, kind func(path string) string) map[string]any {
	c := map[string]any{"field": path}
	dated := kind(path) == "datetime" || kind(path) == "date"
	switch v := r.valueAt(path, docs).(type) {
	case string:
		ops := []string{"eq", "eq", "in", "in", "gt", "gte", "lt", "lte", "ne"}
		if !dated {
			ops = append(ops, "starts_with", "starts_with", "ends_with", "contains", "text", "nin")
			v = r.caseOf(v)
		}
		c["operator"], c["value"] = pick(r, ops), v
		switch op := c["operator"]; op {
		case "in", "nin":
			c["value"] = r.valuesAt(path, docs, dated)
		case "starts_with", "ends_with", "contains", "text":
			c["value"] = r.partOf(v, op.(string))
		}
	case json.Number:
		c["operator"], c["value"] = pick(r, []string{"eq", "in", "gt", "gte", "lt", "lte", "ne"}), v
		if c["operator"] == "in" {
			c["value"] = r.valuesAt(path, docs, false)
		}
	case absent:
		c["operator"] = pick(r, []string{"is_null", "exists"})
	default:
		c["value"] = v
	}
	return r.caseIn(c)
}

// TextConditionOn returns the JSON form of a condition on path that wants a part of
// what one of docs has there as a text, and not too short a one. Without such a text
// it is that of ConditionOn.
func (r Random) TextConditionOn(path string, docs []map[string]any, kind func(path string) string) map[string]any {
	for range 10 {
		text, _ := r.valueAt(path, docs).(string)
		runes := []rune(text)
		if len(runes) < 3 {
			continue
		}
		c := map[string]any{"field": path, "operator": pick(r, []string{"contains", "starts_with", "ends_with", "text"})}
		from := r.IntN(len(runes) - 2)
		to := from + 3 + r.IntN(len(runes)-2-from)
		switch c["operator"] {
		case "starts_with":
			from = 0
		case "ends_with", "text":
			to = len(runes)
		}
		c["value"] = r.caseOf(string(runes[from:to]))
		return r.caseIn(c)
	}
	return r.ConditionOn(path, docs, kind)
}

// valueAt returns what one of docs has at the path; absent if there is nothing.
func (r Random) valueAt(path string, docs []map[string]any) any {
	if len(docs) == 0 {
		return absent{}
	}
	return pick(r, reached(pick(r, docs), strings.Split(path, ".")))
}

func (r Random) valuesAt(path string, docs []map[string]any, textsOnly bool) any {
	list := []any{}
	for range 1 + r.IntN(4) {
		v := r.valueAt(path, docs)
		if _, isAbsent := v.(absent); isAbsent {
			v = nil
		}
		if _, isText := v.(string); textsOnly && !isText {
			continue
		}
		list = append(list, v)
	}
	return list
}

// caseOf returns the text, maybe in another case.
func (r Random) caseOf(text string) string {
	if r.oneIn(4) {
		return strings.Map(unicode.SimpleFold, text)
	}
	return text
}

// partOf returns a part of the text, which may be all of it.
func (r Random) partOf(text, op string) string {
	runes := []rune(text)
	from, to := r.IntN(len(runes)+1), len(runes)
	switch op {
	case "starts_with":
		from, to = 0, len(runes)-from
	case "contains":
		to = from + r.IntN(to-from+1)
	case "text":
		from = 0
	}
	return r.caseOf(string(runes[from:to]))
}

// SearchTerm returns a term that consists of parts of the texts there may be.
func (r Random) SearchTerm() string {
	var term strings.Builder
	for range 1 + r.IntN(3) {
		text := pick(r, texts)
		if r.oneIn(2) {
			text = r.partOf(text, "contains")
		}
		term.WriteString(text)
		term.WriteString(pick(r, []string{" ", "  ", "\t", "\n", "\u00a0", ""}))
	}
	return term.String()
}
