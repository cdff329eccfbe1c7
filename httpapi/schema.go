package httpapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

// schema returns the member bucket_schema. The names that some clients have for
// types, in upper case or json for object, are taken with a warning.
func (f *form) schema() (s bucketlite.Schema) {
	v, name := f.member("bucket_schema", []string{"schema"})
	if v == nil {
		f.fault(name, "required", "required")
		return s
	}
	v = f.call.knownTypes(v, name)
	f.take("bucket_schema", s.UnmarshalJSON(value.Append(nil, v)))
	return s
}

// knownTypes returns a schema, or a field of one, with the types spelt as the store
// knows them. It writes to no value it was given.
func (c *call) knownTypes(v any, at string) any {
	doc, ok := v.(map[string]any)
	if !ok {
		return v
	}
	doc = maps.Clone(doc)
	if name, ok := doc["type"].(string); ok {
		doc["type"] = c.knownType(name, at+".type")
	}
	if items, ok := doc["items"]; ok {
		doc["items"] = c.knownTypes(items, at+".items")
	}
	if properties, ok := doc["properties"].(map[string]any); ok {
		properties = maps.Clone(properties)
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			properties[name] = c.knownTypes(properties[name], at+".properties."+name)
		}
		doc["properties"] = properties
	}
	return doc
}

// knownType returns the name of a type as the store knows it.
func (c *call) knownType(name, at string) string {
	known := strings.ToLower(name)
	if known == "json" {
		known = string(bucketlite.ObjectField)
	}
	if known != name {
		c.warn(at + ": " + known + " expected")
	}
	return known
}

// uniqueKey returns the member unique_key, nil if it is absent.
func (f *form) uniqueKey() *bucketlite.UniqueKey {
	doc := f.object("unique_key")
	if doc == nil {
		return nil
	}
	key := &form{call: f.call, in: f.in, at: f.at.Member("unique_key"), doc: doc}
	given := key.text("default_policy")
	policy := strings.ToLower(given)
	if policy != given {
		f.call.warn("unique_key.default_policy: " + policy + " expected")
	}
	return &bucketlite.UniqueKey{Fields: key.texts("fields"), DefaultPolicy: bucketlite.Policy(policy)}
}
