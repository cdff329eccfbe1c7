package httpapi

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
	fieldtype "github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// updateBucket changes the given members of a bucket; absent ones stay. A new schema takes
// effect together with the other members, or nothing does. A PUT replaces the schema. A
// PATCH merges the given properties into it.
func (c *call) updateBucket() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	if err := f.refuseDryRun(); err != nil {
		return nil, err
	}
	update := bucketlite.BucketUpdate{
		Name:        f.optionalText("bucket_name", "name"),
		Description: f.optionalText("description"),
		Metadata:    f.object("metadata"),
		UniqueKey:   f.uniqueKey(),
		Retention:   f.retention(),
	}
	k := f.correspondence()
	given, name := f.member("bucket_schema", []string{"schema"})
	if given == nil && k.isEmpty() {
		if err := c.check(); err != nil {
			return nil, err
		}
		return c.bucket.Update(c.ctx(), update)
	}
	if doc, ok := given.(map[string]any); ok {
		if f.doc[name], err = c.keepTypes(doc, k, name); err != nil {
			return nil, err
		}
	}
	if given != nil && c.r.Method == http.MethodPut {
		return c.changeSchema(update, f.schema(), &bucketlite.SchemaChangeOptions{Rename: k.rename, Drop: k.drop})
	}
	return c.patchSchema(f, update, k)
}

// refuseDryRun returns an error if the request has a dry_run. Unknown parameters and members
// are ignored, but a client that expects a dry run must not lose a field.
func (f *form) refuseDryRun() error {
	issue := bucketlite.Issue{Path: "dry_run", Rule: "unsupported",
		Message: "there is no dry run over HTTP; \"bucketlite bucket schema set --dry-run\" makes one"}
	if f.call.query.Has("dry_run") {
		return formError{{"query", issue}}
	}
	if _, given := f.doc["dry_run"]; given {
		return formError{{"body", issue}}
	}
	return nil
}

// keepTypes returns a given schema with the types of fields in force that the hosted service
// lacks. A client that knows only the service's types may send a schema that it was given
// back without them, and means no change.
func (c *call) keepTypes(given map[string]any, k correspondence, at string) (map[string]any, error) {
	info, err := c.bucket.Info(c.ctx())
	if err != nil {
		return nil, err
	}
	inForce, err := schemaDocument(info)
	if err != nil {
		return nil, err
	}
	return c.keepFieldTypes(given, k.move(inForce, ""), at), nil
}

// keepFieldTypes is keepTypes for a schema or a field, and that in force of the same name.
func (c *call) keepFieldTypes(given, inForce map[string]any, at string) map[string]any {
	given = maps.Clone(given)
	name, _ := given["type"].(string)
	own := extension(inForce["type"])
	if own != "" && given[trueType] == nil && strings.EqualFold(name, fieldtype.Hosted(own)) {
		given[trueType] = own
		c.warn(at + ".type: " + own + " is kept; to change the type to " + name + ", send it as " + trueType + ", too")
	}
	items, _ := given["items"].(map[string]any)
	if old, ok := inForce["items"].(map[string]any); ok && items != nil {
		given["items"] = c.keepFieldTypes(items, old, at+".items")
	}
	properties, _ := given["properties"].(map[string]any)
	old, _ := inForce["properties"].(map[string]any)
	if properties == nil || old == nil {
		return given
	}
	properties = maps.Clone(properties)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		field, isField := properties[name].(map[string]any)
		if was, ok := old[name].(map[string]any); ok && isField {
			properties[name] = c.keepFieldTypes(field, was, at+".properties."+name)
		}
	}
	given["properties"] = properties
	return given
}

// schemaDocument returns the JSON form of a bucket's schema.
func schemaDocument(info *bucketlite.BucketInfo) (map[string]any, error) {
	text, err := info.Schema.MarshalJSON()
	if err != nil {
		return nil, err
	}
	doc, err := value.ParseTrusted(string(text))
	return doc, err
}

// patchSchema merges the given schema, which may be absent, into the one in force.
func (c *call) patchSchema(f *form, update bucketlite.BucketUpdate, k correspondence) (any, error) {
	const attempts = 5
	for n := 1; ; n++ {
		info, err := c.bucket.Info(c.ctx())
		if err != nil {
			return nil, err
		}
		next, err := f.mergedSchema(info, k)
		if err != nil {
			return nil, err
		}
		answer, err := c.changeSchema(update, next, &bucketlite.SchemaChangeOptions{Rename: k.rename, Drop: k.drop, IfVersion: info.SchemaVersion})
		if err == nil || n == attempts || !c.hasMoved(info) {
			return answer, err
		}
	}
}

// hasMoved reports whether the bucket has another schema than info.
func (c *call) hasMoved(info *bucketlite.BucketInfo) bool {
	now, err := c.bucket.Info(c.ctx())
	return err == nil && now.SchemaVersion != info.SchemaVersion
}

// mergedSchema returns the schema that the request makes of the one in force.
func (f *form) mergedSchema(info *bucketlite.BucketInfo, k correspondence) (s bucketlite.Schema, err error) {
	inForce, err := schemaDocument(info)
	if err != nil {
		return s, err
	}
	given := f.object("bucket_schema", "schema")
	if given != nil {
		given = f.call.knownTypes(given, "bucket_schema").(map[string]any)
	}
	s, err = f.call.parseSchema(value.Append(nil, k.merge(inForce, given)), "bucket_schema")
	f.take("bucket_schema", err)
	return s, nil
}

// changeSchema applies an update with a new schema, and waits until it is in force, for as
// long as a query may take. A change that takes longer continues: success means that the
// schema is in force, so the answer is then an error that invites to send the request again.
func (c *call) changeSchema(update bucketlite.BucketUpdate, next bucketlite.Schema, opts *bucketlite.SchemaChangeOptions) (any, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	update.Schema, update.SchemaOptions = &next, opts
	ctx, cancel := context.WithTimeout(c.ctx(), c.h.opts.QueryTimeout)
	defer cancel()
	info, err := c.bucket.Update(ctx, update)
	if err != nil && ctx.Err() == context.DeadlineExceeded && c.ctx().Err() == nil {
		return nil, c.unfinished(err)
	}
	return info, err
}

// unfinished returns the answer to a change of a schema that continues, or err if there is
// none.
func (c *call) unfinished(err error) error {
	page, listErr := c.h.store.ListTasks(c.ctx(), bucketlite.TaskQuery{Type: bucketlite.ChangeSchemaTask, Query: bucketlite.Query{
		Filter: bucketlite.And(bucketlite.Eq("additional_data.bucket_id", c.bucket.ID()),
			bucketlite.In("status", string(bucketlite.StatusPending), string(bucketlite.StatusInProgress))),
		Limit: 1,
	}})
	if listErr != nil || len(page.Results) == 0 {
		return err
	}
	task := page.Results[0]
	message := fmt.Sprintf("the schema is not in force yet: task %s checks or rewrites the objects; "+
		"send the request again to wait for it, or read the task", task.ID)
	return &failure{http.StatusServiceUnavailable, "ServiceUnavailableError", message,
		map[string]any{"kind": "schema_change", "task_id": task.ID, "processed": task.Processed, "total": task.Total}}
}

// A correspondence says how the fields of a bucket's schema and of a new one correspond, by
// the members rename and drop of a request.
type correspondence struct {
	rename map[string]string // new paths by old ones
	drop   []string
}

func (k correspondence) isEmpty() bool { return len(k.rename)+len(k.drop) == 0 }

// correspondence returns the members rename and drop.
func (f *form) correspondence() correspondence {
	given := f.object("rename")
	k := correspondence{rename: make(map[string]string, len(given)), drop: f.texts("drop")}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		target, ok := given[name].(string)
		if !ok {
			(&form{call: f.call, in: f.in, at: f.at.Member("rename"), doc: given}).expected(name, "string", given[name])
			continue
		}
		k.rename[name] = target
	}
	return k
}

// merge returns the schema that a PATCH makes of the one in force, both in their JSON
// forms: its renamed and dropped fields are moved and removed, and the members and
// properties that are given replace those of the same names. Null members count as absent.
// It writes to neither.
func (k correspondence) merge(inForce, given map[string]any) map[string]any {
	doc := k.move(inForce, "")
	properties, _ := doc["properties"].(map[string]any)
	for name, v := range given {
		replaced, ok := v.(map[string]any)
		if name != "properties" || !ok {
			if v != nil {
				doc[name] = v
			}
			continue
		}
		for name, field := range replaced {
			if field != nil {
				properties[name] = field
			}
		}
	}
	return doc
}

// move returns a schema, or a field of one, with its fields under their new names and
// without dropped ones. The fields are below the path.
func (k correspondence) move(doc map[string]any, path string) map[string]any {
	doc = maps.Clone(doc)
	if items, ok := doc["items"].(map[string]any); ok {
		doc["items"] = k.move(items, path)
	}
	properties, ok := doc["properties"].(map[string]any)
	if !ok {
		return doc
	}
	moved := make(map[string]any, len(properties))
	for name, field := range properties {
		at := strings.TrimPrefix(path+"."+name, ".")
		if slices.Contains(k.drop, at) {
			continue
		}
		if sub, ok := field.(map[string]any); ok {
			field = k.move(sub, at)
		}
		if target, ok := k.rename[at]; ok {
			name = target[strings.LastIndexByte(target, '.')+1:]
		}
		moved[name] = field
	}
	doc["properties"] = moved
	return doc
}
