package bucketlite

import (
	"strings"
	"time"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/typed"
)

// Int returns the field at a path such as "size.width" as an int64, or 0 if it is absent
// or not a whole number within 64 bits.
func (o *Object) Int(path string) int64 {
	n, _ := query.NumOf(o.at(path))
	i, _ := n.Int()
	return i
}

// Float returns the field at a path as the nearest float64, or 0 if it is absent or not a
// number.
func (o *Object) Float(path string) float64 {
	n, _ := query.NumOf(o.at(path))
	return n.Float()
}

// Text returns the field at a path, or "" if it is absent or not a string.
func (o *Object) Text(path string) string {
	s, _ := o.at(path).(string)
	return s
}

// Bool returns the field at a path, or false if it is absent or not a boolean.
func (o *Object) Bool(path string) bool {
	b, _ := o.at(path).(bool)
	return b
}

// Time returns the field at a path, or the zero time if it is absent or not a datetime or
// date. Without a zone it is in UTC.
func (o *Object) Time(path string) time.Time {
	s, _ := o.at(path).(string)
	t, _ := typed.ParseTime(s)
	return t
}

// Strings returns the field at a path, or nil if it is absent or not an array of strings.
func (o *Object) Strings(path string) []string {
	items, ok := o.at(path).([]any)
	if !ok {
		return nil
	}
	list := make([]string, len(items))
	for i, item := range items {
		if list[i], ok = item.(string); !ok {
			return nil
		}
	}
	return list
}

// at returns the field at a path through objects, or nil.
func (o *Object) at(path string) any {
	members := o.Fields
	for {
		name, rest, more := strings.Cut(path, ".")
		v := members[name]
		if !more {
			return v
		}
		members, _ = v.(map[string]any)
		path = rest
	}
}
