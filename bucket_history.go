package bucketlite

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// versionBits are the bits of a cursor's number that hold the schema version, above those of
// the position.
const versionBits = 63 - commit.ClockBits

// A pastChange is a change of the schema that is in force and has renamed or dropped fields.
type pastChange struct {
	version int64
	opts    SchemaChangeOptions
}

// removal returns what changes of the schema have done to the first of the paths that no
// longer leads to its field, as in `schema version 3 renamed "title" to "name"`. It returns
// "" if there is none. Changes up to a version, and those before a time, do not count.
func (b *Bucket) removal(ctx context.Context, version, since int64, paths []string) (message string, err error) {
	if b.def.version <= max(1, version) || len(paths) == 0 {
		return "", nil
	}
	var changes []pastChange
	err = b.store.read(ctx, func(c *engine.Conn) error {
		changes = nil
		return c.Query("SELECT version, renamed, dropped FROM schema_changes WHERE bucket = ? AND version > ? AND since >= ? ORDER BY version",
			[]any{b.num, version, since}, func(r engine.Row) error {
				stored := storedDefinition{renamed: r.Text(1), dropped: r.Text(2)}
				opts, err := stored.names()
				if err != nil {
					return errorf("%s: schema version %d: %w: %v", b, r.Int(0), ErrCorrupt, err)
				}
				changes = append(changes, pastChange{r.Int(0), opts})
				return nil
			})
	})
	for i := 0; i < len(paths) && err == nil && message == ""; i++ {
		message = removalOf(paths[i], changes)
	}
	return message, err
}

// removalOf is removal for one path. A field that has its old name again is not removed.
func removalOf(path string, changes []pastChange) (message string) {
	now := path
	for _, c := range changes {
		done := c.opts.affects(now)
		if done == "" {
			continue
		}
		if message == "" {
			message = fmt.Sprintf("schema version %d %s", c.version, done)
		}
		moved, kept := c.opts.follow(now)
		if !kept || moved == now { // another field has taken over the name
			return message
		}
		now = moved
	}
	if now == path {
		return ""
	}
	return message
}

// affects returns what the options do to the field at a path, or one that it is in, or "".
func (o *SchemaChangeOptions) affects(path string) string {
	for field := range prefixes(path) {
		if now, renamed := o.Rename[field]; renamed {
			return "renamed " + value.Show(field) + " to " + value.Show(now)
		}
		if slices.Contains(o.Drop, field) {
			return "dropped " + value.Show(field)
		}
		for old, now := range o.Rename {
			if now == field {
				return "renamed " + value.Show(old) + " to " + value.Show(now)
			}
		}
	}
	return ""
}

// follow returns the path that leads to the values of an old path after the change, and
// false if they are dropped.
func (o *SchemaChangeOptions) follow(path string) (now string, kept bool) {
	names := strings.Split(path, ".")
	old := ""
	for i, name := range names {
		if old != "" {
			old += "."
		}
		old += name
		if target, renamed := o.Rename[old]; renamed {
			names[i] = target[strings.LastIndexByte(target, '.')+1:]
		} else if slices.Contains(o.Drop, old) {
			return "", false
		}
	}
	return strings.Join(names, "."), true
}

// prefixes returns the paths of the fields that a path leads through, and itself.
func prefixes(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, c := range path {
			if c == '.' && !yield(path[:i]) {
				return
			}
		}
		yield(path)
	}
}

// memberPaths returns the paths of all members of an object, at any depth.
func memberPaths(fields map[string]any) (paths []string) {
	var add func(at string, v any)
	add = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				paths = append(paths, at+name)
				add(at+name+".", v[name])
			}
		case []any:
			for _, item := range v {
				add(at, item)
			}
		}
	}
	add("", fields)
	return paths
}
