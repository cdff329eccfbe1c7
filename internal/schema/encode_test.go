package schema_test

import (
	"testing"

	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/schema"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"note":{"type":"text"},"notes":{"type":"array","items":{"type":"text"}},"n":{"type":"integer"}}`)
	for name, test := range map[string]struct {
		fields string
		blobs  []schema.Blob
		want   string
		size   int64
	}{
		"nothing":           {`{}`, nil, `{}`, 0},
		"fields":            {`{"n":1}`, nil, `{"n":1}`, 7},
		"inline data":       {`{"n":1}`, []schema.Blob{{Property: "note", Type: schema.Text, Data: "a", Inline: true}}, `{"n":1,"note":"a"}`, 7},
		"only inline data":  {`{}`, []schema.Blob{{Property: "note", Type: schema.Text, Data: "a", Inline: true}}, `{"note":"a"}`, 0},
		"stored content":    {`{"n":1}`, []schema.Blob{{Property: "note", Type: schema.Text, Data: "a"}}, `{"n":1}`, 7},
		"item of an array":  {`{"n":1}`, []schema.Blob{{Property: "notes", Type: schema.Text, Data: "a", Inline: true}}, `{"n":1}`, 7},
		"of another number": {`{}`, []schema.Blob{{Property: "n", Type: schema.Number, Data: "1", Inline: true}}, `{"n":"1"}`, 0},
		"of another type":   {`{}`, []schema.Blob{{Property: "n", Type: schema.Date, Data: "1", Inline: true}}, `{}`, 0},
		"not of the schema": {`{"n":1}`, []schema.Blob{{Property: "x", Type: schema.Text, Data: "a", Inline: true}}, `{"n":1}`, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fields := object(t, test.fields)
			e := p.Encode(fields, test.blobs)
			got, err := jsonb.Parse(e.JSONB)
			if err != nil {
				t.Fatal(err)
			}
			wantJSON(t, got, test.want)
			if got := e.Size(); got != test.size {
				t.Errorf("size: got %d, want %d", got, test.size)
			}
			wantJSON(t, fields, test.fields)
		})
	}
	var none *schema.Plan
	if got := none.Encode(object(t, `{"n":1}`), nil).TextSize; got != 7 {
		t.Errorf("size without a plan: got %d, want 7", got)
	}
}
