package bucketlite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// versionBits are the bits of a cursor's number that hold the schema version, above those of
// the position.
const versionBits = 63 - commit.ClockBits

// removal returns what changes of the schema have done to the first of the paths that they
// have renamed or dropped, as in `schema version 3 renamed "title" to "name"`. It returns ""
// if there is none. Changes up to a version, and those before a time, do not count, nor do
// paths that the schema declares.
func (b *Bucket) removal(ctx context.Context, version, since int64, paths []string) (message string, err error) {
	paths = slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return declares(b.def.schema.Properties, path) })
	if b.def.version <= max(1, version) || len(paths) == 0 {
		return "", nil
	}
	err = b.store.read(ctx, func(c *engine.Conn) error {
		message = ""
		return c.Query("SELECT version, renamed, dropped FROM schema_changes WHERE bucket = ? AND version > ? AND since >= ? ORDER BY version DESC",
			[]any{b.num, version, since}, func(r engine.Row) error {
				stored := storedDefinition{renamed: r.Text(1), dropped: r.Text(2)}
				opts, err := stored.names()
				if err != nil {
					return errorf("%s: schema version %d: %w: %v", b, r.Int(0), ErrCorrupt, err)
				}
				for _, path := range paths {
					if done := opts.removes(path); message == "" && done != "" {
						message = fmt.Sprintf("schema version %d %s", r.Int(0), done)
					}
				}
				return nil
			})
	})
	return message, err
}

// removes returns what the options do to the field at a path or one that it is in, or "".
func (o *SchemaChangeOptions) removes(path string) string {
	within := func(field string) bool { return path == field || strings.HasPrefix(path, field+".") }
	for old, now := range o.Rename {
		if within(old) {
			return "renamed " + value.Show(old) + " to " + value.Show(now)
		}
	}
	if i := slices.IndexFunc(o.Drop, within); i >= 0 {
		return "dropped " + value.Show(o.Drop[i])
	}
	return ""
}

// declares reports whether fields have one at the path.
func declares(fields map[string]Field, path string) bool {
	name, rest, deeper := strings.Cut(path, ".")
	f, ok := fields[name]
	for ok && f.Items != nil {
		f = *f.Items
	}
	return ok && (!deeper || f.Properties == nil || declares(f.Properties, rest))
}
