package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/value"
)

// done reports whether every rename and drop has been applied to the schema before, so
// that it names no field of the schema any longer.
func (c *comparer) done(schema map[string]any) bool {
	for path, target := range c.opts.Rename {
		if declares(schema, path) || !declares(schema, target) {
			return false
		}
	}
	return !slices.ContainsFunc(c.opts.Drop, func(path string) bool { return declares(schema, path) })
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
			c.fault(path, ruleRename, "renamed to %s: a field can only change its own name, as in %s",
				value.Show(target), value.Show(join(parent(path), lastName(target))))
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
