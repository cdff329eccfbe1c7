package storetest

import (
	"bytes"
	"encoding/json"
	"testing"
)

// RandomSchema is the schema of the documents of the querytest package.
const RandomSchema = `"s":{"type":"string"},"n":{"type":"number"},"i":{"type":"integer"},"yes":{"type":"boolean"},"day":{"type":"date"},
	"at":{"type":"datetime"},"stamps":{"type":"array","items":{"type":"datetime"}},
	"events":{"type":"array","items":{"type":"object","properties":{"at":{"type":"datetime"},"n":{"type":"number"}}}}`

// FormOf returns the JSON form of v, an object, with numbers as they are.
func FormOf(t testing.TB, v any) (form map[string]any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		err = d.Decode(&form)
	}
	if err != nil {
		t.Error(err)
	}
	return form
}
