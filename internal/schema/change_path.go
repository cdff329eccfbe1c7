package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/value"
)

// done reports whether every rename and drop has been applied to the schema before. Then the
// schema lacks the old names, except those that other fields have taken over. Of names that
// are only exchanged, the schema cannot tell.
func (c *comparer) done(schema map[string]any) bool {
	lacks := len(c.opts.Rename)+len(c.opts.Drop) == 0
	left := func(path string) bool {
		now := join(c.follow(parent(path)), lastName(path))
		if !declares(schema, now) {
			lacks = true
			return true
		}
		return c.takesOver(place{old: parent(path)}, lastName(path))
	}
	for path, target := range c.opts.Rename {
		if !left(path) || !declares(schema, join(c.follow(parent(path)), lastName(target))) {
			return false
		}
	}
	for _, path := range c.opts.Drop {
		if !left(path) {
			return false
		}
	}
	return lacks
}

// follow returns the path of an object field after the renames.
func (c *comparer) follow(path string) string {
	if path == "" {
		return ""
	}
	name := lastName(path)
	if target, renamed := c.opts.Rename[path]; renamed {
		name = lastName(target)
	}
	return join(c.follow(parent(path)), name)
}

// declares reports whether a schema has a field at the path. The path leads through arrays.
func declares(doc map[string]any, path string) bool {
	for name := range strings.SplitSeq(path, ".") {
		for text(doc, "type") == Array {
			doc, _ = doc["items"].(map[string]any)
		}
		if doc = fieldsOf(doc)[name]; doc == nil {
			return false
		}
	}
	return true
}

// checkOptions reports renames that change more than the last name of a path.
func (c *comparer) checkOptions() {
	for _, path := range slices.Sorted(maps.Keys(c.opts.Rename)) {
		switch target := c.opts.Rename[path]; {
		case target == path:
			c.fault(path, ruleRename, "renamed to itself")
		case parent(target) != parent(path):
			c.fault(path, ruleRename, "renamed to %s: only the last name of a path can change, since a field stays in its object", value.Show(target))
			c.named[path] = true // one fault is enough, whether there is such a field or not
		}
	}
}

// checkNamed reports paths that name no field of the old schema.
func (c *comparer) checkNamed() {
	for _, path := range slices.Sorted(maps.Keys(c.opts.Rename)) {
		if !c.named[path] {
			c.fault(path, ruleRename, "renamed, but the schema has no such field")
		}
	}
	for _, path := range slices.Compact(slices.Sorted(slices.Values(c.opts.Drop))) {
		if !c.named[path] {
			c.fault(path, ruleDrop, "dropped, but the schema has no such field")
		}
	}
}

// nameBelow marks what is dropped together with the field at the path.
func (c *comparer) nameBelow(path string) {
	for _, below := range c.opts.Drop {
		if strings.HasPrefix(below, path+".") {
			c.named[below] = true
		}
	}
}

// parent returns a path without its last name.
func parent(path string) string {
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		return path[:i]
	}
	return ""
}

// lastName returns the last name of a path.
func lastName(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
