package console

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
	"github.com/bucketlite/bucketlite/internal/thumb"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A column is one of the table's.
type column struct {
	Path    string
	Name    string // of the header
	Picture bool   // shows blobs
	Number  bool   // to the right
	Sort    string // the address that sorts by it; empty for a column without an order
	Order   string // ascending, descending or empty
}

// A cell shows a value. Which of the members are set depends on its kind.
type cell struct {
	Kind  string // text, blank, number, status, time, picture, file, more, null or absent
	Head  bool   // leads to the object
	Label string // of the column
	Text  string
	Title string // the whole, if the text is a part
	Time  timeText
	Blob  *blobView
}

// Class is the class of the cell in the table.
func (c cell) Class() string {
	switch c.Kind {
	case "number":
		return "num"
	case "absent":
		return "none"
	}
	if len(c.Text) <= len("2006-01-02") && !strings.Contains(c.Text, " ") {
		return "nowrap"
	}
	return ""
}

// A blobView is a blob in a cell or in a picture.
type blobView struct {
	Name  string
	Kind  string // of its icon: image, film, sound, page or file
	Thumb string // the address of its picture below the object's, empty for none
}

// How many characters are shown of a text, of the title of its cell, and of a column's name.
// A text of more than shortCell may take more lines than a cell has.
const (
	shownText  = 120
	shownTitle = 1000
	shownName  = 60
	shortCell  = 40
)

// defaultScalars is how many fields are columns beside the key, the title and the picture.
const defaultScalars = 5

// titleNames are the names of fields that name an object, best first.
var titleNames = []string{"title", "name", "label", "headline", "subject", "caption", "display_name", "filename"}

// columnsOf returns the columns that suit a bucket: the picture, the key and what names an
// object, or else its id, the first fields that are not nested, the status and the time of
// the change.
func columnsOf(info *bucketlite.BucketInfo) (paths []string) {
	fields := info.Schema.Properties
	names := slices.Sorted(maps.Keys(fields))
	add := func(path string) {
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	if i := slices.IndexFunc(names, func(name string) bool { return fields[name].Type == bucketlite.Image }); i >= 0 {
		add(names[i])
	} else if slices.ContainsFunc(names, func(name string) bool { return isFile(fields[name]) }) {
		add("blobs")
	}
	if info.UniqueKey != nil {
		for _, name := range info.UniqueKey.Fields {
			add(name)
		}
	}
	if title := titleOf(info.Schema); title != "" {
		add(title)
	} else if info.UniqueKey == nil {
		add("object_id")
	}
	scalars := 0
	for _, name := range byUse(names, fields) {
		if isScalar(fields[name]) && !slices.Contains(paths, name) && scalars < defaultScalars {
			scalars++
			add(name)
		}
	}
	if len(fields) == 0 {
		add("key_prefix")
	}
	add("status")
	add("updated_at")
	return paths
}

// byUse returns the names of required fields, then the others, and then long texts.
func byUse(names []string, fields map[string]bucketlite.Field) []string {
	rank := func(name string) int {
		switch f := fields[name]; {
		case f.Type == bucketlite.Text:
			return 2
		case f.Required:
			return 0
		}
		return 1
	}
	return slices.SortedStableFunc(slices.Values(names), func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
}

// titleOf returns the field that names an object, empty for none.
func titleOf(s bucketlite.Schema) string {
	for _, name := range titleNames {
		if t := s.Properties[name].Type; t == bucketlite.String || t == bucketlite.Text {
			return name
		}
	}
	return ""
}

func isScalar(f bucketlite.Field) bool {
	return f.Type != bucketlite.ObjectField && f.Type != bucketlite.Array && !isFile(f)
}

// columns returns the columns of a view.
func (v *objectView) columns(info *bucketlite.BucketInfo) []column {
	paths := v.Columns
	if paths == nil {
		paths = columnsOf(info)
	}
	columns := make([]column, len(paths))
	for i, path := range paths {
		f, declared := fieldAt(info.Schema, path)
		c := column{Path: path, Name: columnName(path), Picture: path == "blobs" || declared && isFile(f)}
		switch typeAt(info.Schema, path) {
		case bucketlite.Number, bucketlite.Float, bucketlite.Integer:
			c.Number = true
		}
		if !declared && (path == "size" || path == "version") {
			c.Number = true
		} else if !c.Picture {
			c.Sort = v.Sorted(path)
		}
		if len(v.Sort) > 0 && v.Sort[0].Field == path {
			c.Order = "ascending"
			if v.Sort[0].Direction == bucketlite.SortDescending {
				c.Order = "descending"
			}
		}
		columns[i] = c
	}
	return columns
}

// columnNames are the headers of what the store knows of each object.
var columnNames = map[string]string{
	"object_id": "Id", "status": "Status", "updated_at": "Changed", "created_at": "Created", "blobs": "Files",
	"key_prefix": "Key prefix", "size": "Size", "version": "Version", "error": "Error", "x-expires-at": "Expires",
}

func columnName(path string) string {
	if name, ok := columnNames[path]; ok {
		return name
	}
	return cut(path, shownName)
}

// columnPaths returns the paths that may be columns: those of the fields, of files, and of
// what the store knows of each object.
func columnPaths(s bucketlite.Schema) (paths []string) {
	for _, option := range appendPaths(nil, "", s.Properties, 0) {
		paths = append(paths, option.Path)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if isFile(s.Properties[name]) {
			paths = append(paths, name)
		}
	}
	paths = paths[:min(len(paths), maxPaths)]
	return append(paths, "blobs", "object_id", "key_prefix", "status", "error", "created_at", "updated_at", "x-expires-at", "size", "version")
}

// cellOf returns the cell of an object at a column.
func cellOf(s bucketlite.Schema, o *bucketlite.Object, c column) cell {
	v, ok := memberAt(o.Fields, c.Path)
	var out cell
	if ok {
		out = fieldCell(s, c.Path, v)
	} else {
		out = systemCell(o, c.Path)
	}
	out.Label = c.Name
	return out
}

// systemCell returns the cell of what the store knows of an object, or of the blobs of a
// property.
func systemCell(o *bucketlite.Object, path string) cell {
	switch path {
	case "object_id":
		return textCell(o.ID)
	case "status":
		return cell{Kind: "status", Text: string(o.Status)}
	case "error":
		return textOrAbsent(o.Error)
	case "key_prefix":
		return textOrAbsent(o.KeyPrefix)
	case "created_at":
		return timeCell(o.CreatedAt)
	case "updated_at":
		return timeCell(o.UpdatedAt)
	case "x-expires-at":
		return timeCell(o.ExpiresAt)
	case "size":
		return cell{Kind: "number", Text: formatBytes(o.Size)}
	case "version":
		return cell{Kind: "number", Text: formatCount(o.Version)}
	case "blobs":
		return blobsCell(o.Blobs)
	}
	var blobs []bucketlite.Blob
	for _, b := range o.Blobs {
		if b.Property == path {
			blobs = append(blobs, b)
		}
	}
	return blobsCell(blobs)
}

// fieldCell returns the cell of a field's value.
func fieldCell(s bucketlite.Schema, path string, v any) cell {
	if text, ok := v.(string); ok && typeAt(s, path) == bucketlite.DateTime {
		if sec, nanos, ok := value.ParseDateTime(text); ok {
			return timeCell(time.Unix(sec, int64(nanos)))
		}
	}
	return valueCell(v)
}

// memberAt returns the value at a path.
func memberAt(fields map[string]any, path string) (v any, ok bool) {
	v = fields
	for name := range strings.SplitSeq(path, ".") {
		object, isObject := v.(map[string]any)
		if !isObject {
			return nil, false
		}
		if v, ok = object[name]; !ok {
			return nil, false
		}
	}
	return v, true
}

func valueCell(v any) cell {
	switch v := v.(type) {
	case nil:
		return cell{Kind: "null"}
	case string:
		return textCell(v)
	case bool:
		return cell{Kind: "text", Text: fmt.Sprint(v)}
	case json.Number:
		c := textCell(v.String())
		c.Kind = "number"
		return c
	case []any:
		return cell{Kind: "more", Text: plural(len(v), "item"), Title: cut(compact(v), shownTitle)}
	case map[string]any:
		return cell{Kind: "more", Text: plural(len(v), "member"), Title: cut(compact(v), shownTitle)}
	}
	return textCell(fmt.Sprint(v))
}

func textCell(text string) cell {
	c := cell{Kind: "text", Text: cut(text, shownText)}
	if utf8.RuneCountInString(c.Text) > shortCell {
		c.Title = cut(text, shownTitle) // two lines may not have all of it
	}
	if text == "" {
		return cell{Kind: "blank"}
	}
	return c
}

func textOrAbsent(text string) cell {
	if text == "" {
		return cell{Kind: "absent"}
	}
	return textCell(text)
}

func timeCell(t time.Time) cell {
	if t.IsZero() {
		return cell{Kind: "absent"}
	}
	return cell{Kind: "time", Time: newTimeText(t)}
}

// blobsCell returns the cell of some blobs: the picture of one, or how many there are.
func blobsCell(blobs []bucketlite.Blob) cell {
	if len(blobs) == 0 {
		return cell{Kind: "absent"}
	}
	first := &blobs[0]
	for i := range blobs {
		if hasPicture(&blobs[i]) {
			first = &blobs[i]
			break
		}
	}
	view := viewOfBlob(first)
	if view.Thumb == "" {
		c := textCell(view.Name)
		c.Kind, c.Blob = "file", view
		if len(blobs) > 1 {
			c.Text, c.Title = plural(len(blobs), "file"), view.Name
		}
		return c
	}
	return cell{Kind: "picture", Blob: view}
}

// hasPicture reports whether there is a small picture of a blob.
func hasPicture(b *bucketlite.Blob) bool {
	return b.Details.Hash != "" && thumb.Takes(b.Details.MIMEType)
}

// viewOfBlob returns how a blob is shown small.
func viewOfBlob(b *bucketlite.Blob) *blobView {
	v := &blobView{Name: b.Details.Filename, Kind: "file"}
	if v.Name == "" {
		v.Name = b.Property
	}
	switch kind, _, _ := strings.Cut(b.Details.MIMEType, "/"); {
	case kind == "image":
		v.Kind = "image"
	case kind == "video":
		v.Kind = "film"
	case kind == "audio":
		v.Kind = "sound"
	case kind == "text" || b.Details.MIMEType == "application/pdf":
		v.Kind = "page"
	}
	if hasPicture(b) {
		v.Thumb = "thumb/" + b.ID + "?s=160"
	}
	v.Name = cut(v.Name, shownText)
	return v
}

// pictureOf returns the blob that stands for an object, nil if it has none.
func pictureOf(o *bucketlite.Object) *bucketlite.Blob {
	if b, ok := httpapi.Preview(o); ok {
		return &b
	}
	if len(o.Blobs) == 0 {
		return nil
	}
	return &o.Blobs[0]
}
