package httpapi

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"strconv"
)

var documentRoutes = []route{
	{"GET /openapi.json", open, reads, noBody, (*call).openAPI},
	{"GET /docs/openapi.json", open, reads, noBody, (*call).openAPI}, // where some clients read it
	{"GET /docs", open, reads, noBody, (*call).docs},
	{"GET /docs/{file}", open, reads, noBody, (*call).docsFile},
}

// openAPIJSON is the OpenAPI 3.1 document of all routes. It is written by hand; tests
// compare it with the table of routes, and validate their requests and answers against
// it. The members of an object that is an answer are all there are, unless it has
// additionalProperties. Parameters are inline, not references, since some clients that
// read the document resolve none there. Operations that the hosted service has too
// have its ids.
//
//go:embed openapi.json
var openAPIJSON []byte

// placeholder is what stands in the document for the servers.
const placeholder = `"servers": [{"url": "http://127.0.0.1:8080"}]`

// openAPI writes the document, with the server that was asked.
func (c *call) openAPI() (any, error) {
	base, err := c.base()
	if err != nil {
		return nil, err
	}
	servers, err := json.Marshal([]map[string]string{{"url": base}})
	if err != nil {
		return nil, err
	}
	before, after, _ := bytes.Cut(openAPIJSON, []byte(placeholder))
	text := bytes.Join([][]byte{before, []byte(`"servers": `), servers, after}, nil)
	c.w.Header().Set("Cache-Control", "no-store")
	c.w.Header().Set("Content-Type", "application/json")
	c.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	c.w.Write(text) // if it fails the client is gone
	return written{}, nil
}
