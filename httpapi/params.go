package httpapi

import (
	"net/url"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

// parseQuery parses the query of a URL. [url.ParseQuery] drops the parameters that it
// cannot parse, and the response would answer another request. Here each of them is a
// fault, which names it. A cursor that cannot be parsed is a bad cursor like any other.
func parseQuery(raw string) (url.Values, error) {
	query := url.Values{}
	var faults formError
	onlyCursor := true
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, text, _ := strings.Cut(pair, "=")
		name, problem := unescape(name)
		text, other := unescape(text)
		if problem == "" {
			problem = other
		}
		if problem == "" {
			query[name] = append(query[name], text)
			continue
		}
		faults = append(faults, fault{"query", bucketlite.Issue{Path: value.Path{{Name: name}}.String(), Rule: "query", Message: problem}})
		onlyCursor = onlyCursor && name == "cursor"
	}
	switch {
	case len(faults) == 0:
		return query, nil
	case onlyCursor:
		return nil, badRequest("cursor: " + faults[0].Message)
	}
	return nil, faults
}

// unescape returns a part of a query without its escapes. If it has a fault, the text
// in front of that is what names the parameter.
func unescape(part string) (text, problem string) {
	if before, _, found := strings.Cut(part, ";"); found {
		text, _ = unescape(before)
		return text, `parameters separated by "&" expected, got ";", which is escaped as "%3B" within a value`
	}
	text, err := url.QueryUnescape(part)
	if err != nil {
		before, _, _ := strings.Cut(part, "%")
		return before, "two hexadecimal digits expected after each \"%\", got " + value.Show(part)
	}
	return text, ""
}

// params returns the query of the URL as a form. A parameter that is given twice has
// both values, which no reader of one value takes, unless they are equal.
func (c *call) params() *form {
	doc := map[string]any{}
	for name, texts := range c.query {
		doc[name] = texts[0]
		for _, text := range texts[1:] {
			if text != texts[0] {
				doc[name] = toList(texts)
				break
			}
		}
	}
	return &form{call: c, in: "query", doc: doc}
}

func toList(texts []string) []any {
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}
