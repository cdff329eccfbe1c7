package bucketlite

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// RawObject is an object in its stored form. A decoded object of many small values
// takes ten or more times the memory of its stored form. So a program that copies or
// serves objects should decode one at a time, or none.
type RawObject struct {
	bucket *Bucket
	row    objectRow
	chosen value.Selection // members that a query selected; nil for all
}

// ListRaw is [Bucket.List] with objects in their stored form.
func (b *Bucket) ListRaw(ctx context.Context, q Query) (*Page[*RawObject], error) {
	var page *Page[*RawObject]
	err := b.following(ctx, func(b *Bucket) (err error) {
		page, err = b.listRaw(ctx, q)
		return err
	})
	return page, err
}

func (b *Bucket) listRaw(ctx context.Context, q Query) (*Page[*RawObject], error) {
	c, err := q.compile(b.store, list{kind: "objects", owner: b.num}, b.types)
	if err != nil {
		return nil, err
	}
	if err := b.checkCursor(ctx, c); err != nil {
		return nil, err
	}
	found, err := b.findPage(ctx, c)
	if err != nil {
		return nil, err
	}
	page := &Page[*RawObject]{Results: make([]*RawObject, len(found.rows)), Total: -1}
	for i := range found.rows {
		page.Results[i] = &RawObject{b, found.rows[i], c.chosen}
	}
	if found.more {
		// Another partition may take over, so the cursor has the schema version instead.
		found.last.Num = commit.Seq(b.def.version&(1<<versionBits-1), commit.Position(found.last.Num))
		page.Next = b.store.cursor(c.list, found.last)
	}
	if c.total {
		page.Total = found.total
	}
	return page, nil
}

// checkCursor returns an error if the query of a cursor names a field that has been renamed
// or dropped since the cursor was made.
func (b *Bucket) checkCursor(ctx context.Context, c *compiledQuery) error {
	version := c.After.Num >> commit.ClockBits
	if c.After.Num == 0 || version >= b.def.version {
		return nil
	}
	var paths []string
	for _, by := range c.Order {
		paths = append(paths, strings.Join(by.Path, "."))
	}
	if c.Filter != nil {
		c.Filter.Root.Any(func(n *query.Node) bool {
			paths = append(paths, strings.Join(n.Path, "."))
			return false
		})
	}
	message, err := b.removal(ctx, version, 0, paths)
	if err == nil && message != "" {
		err = badRequest("cursor: %s after the cursor was made", message)
	}
	return err
}

// ID returns the object's id.
func (o *RawObject) ID() string { return o.row.object.ID }

// StoredBytes returns the object's share of [Options].MaxPageBytes, which is also
// about the memory that it holds.
func (o *RawObject) StoredBytes() int { return len(o.row.fields) + len(o.row.blobs) }

// Object decodes the object, or only the members that the query selected. The only
// error is [ErrCorrupt].
func (o *RawObject) Object() (*Object, error) {
	object, err := o.row.decode(o.bucket, o.chosen)
	if err != nil {
		return nil, err
	}
	return object, nil
}

// MarshalJSON returns the object's JSON form; see [RawObject.AppendJSON].
func (o *RawObject) MarshalJSON() ([]byte, error) { return o.AppendJSON(nil) }

// AppendJSON appends the object's JSON form, which is that of [Object], to dst. It
// does not decode the object, unless the query selected members. The only error is
// [ErrCorrupt].
func (o *RawObject) AppendJSON(dst []byte) ([]byte, error) {
	if o.chosen != nil {
		object, err := o.Object()
		if err != nil {
			return dst, err
		}
		text, err := object.MarshalJSON()
		return append(dst, text...), err
	}
	if err := o.row.intact(o.bucket); err != nil {
		return dst, err
	}
	dst, err := o.row.appendJSON(dst, o.bucket)
	if err != nil {
		return dst, o.row.corrupt(o.bucket, err)
	}
	return dst, nil
}

// formMember is a member of an object's JSON form: a system member as JSON text, or a
// field of the user.
type formMember struct {
	name  string
	text  []byte
	field jsonb.Element
}

// appendJSON appends the JSON form of the whole object.
func (o *objectRow) appendJSON(dst []byte, b *Bucket) ([]byte, error) {
	fields, err := jsonb.Fields(o.fields)
	if err != nil {
		return dst, err
	}
	members, err := o.systemMembers(b)
	if err != nil {
		return dst, err
	}
	inline, err := inlineNames(o.blobs)
	if err != nil {
		return dst, err
	}
	for _, f := range fields {
		if !index.InSystem(f.Name) && !slices.Contains(inline, f.Name) {
			members = append(members, formMember{name: f.Name, field: f.Value})
		}
	}
	slices.SortFunc(members, func(a, b formMember) int { return strings.Compare(a.name, b.name) })
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(value.AppendString(dst, m.name), ':')
		if m.text != nil {
			dst = append(dst, m.text...)
		} else if dst, err = m.field.AppendJSON(dst); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// systemMembers returns the system members of the JSON form.
func (o *objectRow) systemMembers(b *Bucket) ([]formMember, error) {
	object := &o.object
	text := func(name, s string) formMember { return formMember{name: name, text: value.AppendString(nil, s)} }
	members := []formMember{
		text("object_id", object.ID), text("bucket_id", b.id), text("status", string(object.Status)),
		text("created_at", object.CreatedAt.Format(time.RFC3339Nano)), text("updated_at", object.UpdatedAt.Format(time.RFC3339Nano)),
	}
	if object.KeyPrefix != "" {
		members = append(members, text("key_prefix", object.KeyPrefix))
	}
	if object.Error != "" {
		members = append(members, text("error", object.Error))
	}
	if !object.ExpiresAt.IsZero() {
		members = append(members, text(expiryMember, object.expiryText()))
	}
	blobs := []byte("[]")
	if o.blobs != "" {
		var ok bool
		if blobs, ok = blobsText(o.blobs); !ok {
			return nil, errors.New("blobs are not valid JSON")
		}
	}
	return append(members, formMember{name: "blobs", text: blobs}), nil
}

// inlineNames returns the properties of the stored blobs with inline data, without
// decoding the data.
func inlineNames(stored string) (names []string, err error) {
	if !strings.Contains(stored, `"data"`) {
		return nil, nil
	}
	var blobs []struct {
		Property   string `json:"property"`
		Properties struct {
			Data presence `json:"data"`
		} `json:"properties"`
	}
	if err := json.Unmarshal([]byte(stored), &blobs); err != nil {
		return nil, err
	}
	for _, b := range blobs {
		if b.Properties.Data {
			names = append(names, b.Property)
		}
	}
	return names, nil
}

// presence is true if the member exists, whatever its value.
type presence bool

func (p *presence) UnmarshalJSON([]byte) error {
	*p = true
	return nil
}
