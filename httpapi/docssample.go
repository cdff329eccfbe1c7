package httpapi

import (
	"net/url"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/sample"
)

// A program is a sample in one language.
type program struct{ Language, Text string }

// samplesOf returns programs that call an operation.
func samplesOf(e entry) (programs []program) {
	r := sampleOf(e)
	for _, language := range sample.Languages {
		programs = append(programs, program{language, sample.Of(r, language)})
	}
	return programs
}

// sampleOf returns a request of an operation: the parameters that it requires or that have
// a value for samples, and the example of its body.
func sampleOf(e entry) sample.Request {
	r := sample.Request{Method: strings.ToUpper(e.Method), Keyless: e.Open(), Query: url.Values{}, Raw: !e.answersJSON()}
	r.Path = placeholders.ReplaceAllStringFunc(e.Path, func(name string) string { return sampleValues[strings.Trim(name, "{}")] })
	for _, p := range e.Parameters {
		switch {
		case p.Name == "X-Namespace":
			r.Namespace = "production"
		case p.In == "query" && (p.Required || sampleValues[p.Name] != ""):
			r.Query.Set(p.Name, sampleValues[p.Name])
		}
	}
	if e.RequestBody != nil {
		for _, m := range e.RequestBody.Content {
			switch {
			case m.Name == "*/*":
				r.File, r.Header = "v1.mp4", map[string]string{"Content-Type": "video/mp4"}
			case m.Value.Example != nil:
				r.Body = m.Value.Example
			}
		}
	}
	return r
}

// sampleValues are the parameters of samples, which name what the examples create.
var sampleValues = map[string]string{
	"namespace_identifier": "production",
	"bucket_identifier":    "videos",
	"bucket_id":            "videos",
	"object_identifier":    "obj_01KB5V9Q2M8Z7X4T3R6N1C0D5E",
	"upload_id":            "upl_01KB5V9Q2M8Z7X4T3R6N1C0D5E",
	"batch_id":             "btch_01KB5V9Q2M8Z7X4T3R6N1C0D5E",
	"task_id":              "task_01KB5V9Q2M8Z7X4T3R6N1C0D5E",
	"namespace":            "ns_01KB5V9Q2M8Z7X4T3R6N1C0D5E",
	"bucket":               "bkt_01KB5V9Q2M8Z7X4T3R6N1C0D5E",
	"object":               "obj_01KB5V9Q2M8Z7X4T3R6N1C0D5E",
	"upload":               "upl_01KB5V9Q2M8Z7X4T3R6N1C0D5E",
	"blob":                 "blob_01KB5V9Q2M8Z7X4T3R6N1C0D5E",
	"expires":              "1795860600",
	"signature":            "00",
	"kind":                 "value",
	"path":                 "title",
	"file":                 "docs.js",
}

// answersJSON reports whether an operation that succeeds answers with JSON.
func (e entry) answersJSON() bool {
	return slices.ContainsFunc(e.Responses, func(r member[response]) bool {
		return r.Name == "200" && slices.ContainsFunc(r.Value.Content, func(m member[media]) bool { return m.Name == "application/json" })
	})
}
