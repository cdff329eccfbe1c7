package schema_test

import (
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/schema"
)

func TestQueryType(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"s":{"type":"string"},"n":{"type":"float"},"d":{"type":"date"},"file":{"type":"image"},"any":{"type":"array"},"open":{"type":"object"},
		"list":{"type":"array","items":{"type":"array","items":{"type":"integer"}}},
		"o":{"type":"object","properties":{"t":{"type":"datetime"},"l":{"type":"array","items":{"type":"object","properties":{"b":{"type":"boolean"}}}}}}}`)
	for path, want := range map[string]query.Type{
		"s": {Kind: query.String}, "n": {Kind: query.Number}, "d": {Kind: query.Date}, "file": {Kind: query.Other, Place: query.Closed},
		"any": {Many: true}, "list": {Kind: query.Number, Many: true}, "o": {Kind: query.Other}, "o.t": {Kind: query.DateTime},
		"o.l.b": {Kind: query.Boolean, Many: true}, "o.x": {Many: true, Place: query.Unnamed}, "s.x": {Many: true, Place: query.Closed}, "open.x": {Many: true}, "none": {Many: true, Place: query.Unnamed},
	} {
		if got := p.QueryType(strings.Split(path, ".")); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	if got, want := (*schema.Plan)(nil).QueryType([]string{"s"}), (query.Type{Many: true}); got != want {
		t.Errorf("nil plan: got %v, want %v", got, want)
	}
}

func TestIsReserved(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"object_id": true, "AND": true, "blobs": true, "x-expires-at": true, "and": false, "blob": false, "": false} {
		if got := schema.IsReserved(name); got != want {
			t.Errorf("%s: got %t, want %t", name, got, want)
		}
	}
}
