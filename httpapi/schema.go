package httpapi

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/value"
)

// schema returns the member bucket_schema. The names that some clients have for
// types, in upper case, json for object or url for a string, are taken with a warning.
func (f *form) schema() bucketlite.Schema {
	v, name := f.member("bucket_schema", []string{"schema"})
	if v == nil {
		f.fault(name, "required", "required")
		return bucketlite.Schema{}
	}
	v = f.call.knownTypes(v, name)
	s, err := f.call.parseSchema(value.Append(nil, v), name)
	f.take("bucket_schema", err)
	return s
}

// parseSchema parses a schema. Assertions without effect that the schema keeps its
// meaning without are kept with a warning.
func (c *call) parseSchema(text []byte, at string) (bucketlite.Schema, error) {
	s, err := bucketlite.ParseSchema(text)
	var invalid *bucketlite.ValidationError
	if !errors.As(err, &invalid) || invalid.Omitted > 0 {
		return s, err
	}
	var refused []bucketlite.Issue
	for _, issue := range invalid.Issues {
		name := issue.Path[strings.LastIndexByte(issue.Path, '.')+1:]
		if issue.Rule != assertion.RuleKeyword || !assertion.Tolerable(name) {
			refused = append(refused, issue)
			continue
		}
		c.warn(at + "." + issue.String())
	}
	if len(refused) > 0 && c.inForce(text, &s) {
		return s, nil
	}
	if len(refused) > 0 {
		return s, &bucketlite.ValidationError{Subject: invalid.Subject, Issues: refused}
	}
	err = s.UnmarshalJSON(text)
	s.KeepIneffective = true
	return s, err
}

// inForce reports whether a schema is the one that the bucket has, and sets s to it. Its
// rules may be older than those for new schemas.
func (c *call) inForce(text []byte, s *bucketlite.Schema) bool {
	if c.bucket == nil {
		return false
	}
	info, err := c.bucket.Info(c.ctx())
	if err != nil {
		return false
	}
	stored, err := info.Schema.MarshalJSON()
	if err != nil || !sameSchema(text, stored) {
		return false
	}
	*s = info.Schema
	return true
}

// sameSchema reports whether two JSON forms are those of equal schemas.
func sameSchema(a, b []byte) bool {
	first, err := value.Parse(a, value.Limits{})
	if err != nil {
		return false
	}
	second, err := value.Parse(b, value.Limits{})
	return err == nil && value.Equal(assertion.Prune(first), assertion.Prune(second))
}

// knownTypes returns a schema, or a field of one, with the types spelt as the store
// knows them. It writes to no value it was given. Assertions of the hosted service that
// the store does not enforce get a warning.
func (c *call) knownTypes(v any, at string) any {
	doc, ok := v.(map[string]any)
	if !ok {
		return v
	}
	doc = maps.Clone(doc)
	for _, name := range slices.Sorted(maps.Keys(doc)) {
		if instead, ok := assertion.Foreign(name); ok && doc[name] != nil {
			c.warn(at + "." + name + ": has no effect here: " + instead)
		}
	}
	if t := c.ownType(doc, "type", at+".type"); t != "" {
		doc["type"] = t
		delete(doc, trueType)
	} else if doc[trueType] != nil && doc[trueType] == doc["type"] {
		delete(doc, trueType) // it only says that no other type is meant
	}
	switch name, ok := doc["type"].(string); {
	case ok && strings.EqualFold(name, urlType):
		c.warn(at + ".type: string expected, with the format uri")
		doc["type"] = string(bucketlite.String)
		if doc["format"] == nil {
			doc["format"] = "uri"
		}
	case ok:
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
