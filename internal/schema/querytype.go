package schema

import "github.com/bucketlite/bucketlite/internal/query"

// QueryType returns the declared type of the values at a path, which begins with a field
// of p. A nil Plan, or one without fields that is not closed, allows anything.
func (p *Plan) QueryType(path []string) query.Type {
	unknown := query.Type{Many: true}
	f := p.Field(path[0])
	if f == nil {
		switch {
		case p == nil:
		case p.closed:
			unknown.Place = query.Closed
		case len(p.fields) > 0:
			unknown.Place = query.Unnamed
		}
		return unknown
	}
	many := false
	for f.Type == Array {
		if many = true; f.Items == nil {
			return unknown
		}
		f = f.Items
	}
	t := query.Type{Kind: f.kind()}
	if f.IsFile() && f.Type != Text {
		t.Place = query.Closed // files are blobs
	}
	if len(path) > 1 {
		if f.Type != Object {
			unknown.Place = query.Closed // other values have no members
			return unknown
		}
		t = f.members.QueryType(path[1:])
	}
	t.Many = t.Many || many
	return t
}

// kind returns the kind by which a query compares values of the field, which is not
// an array.
func (f *Field) kind() query.Kind {
	switch f.Type {
	case String, Text:
		return query.String
	case Number, Integer, Float:
		return query.Number
	case Boolean:
		return query.Boolean
	case Date:
		return query.Date
	case DateTime:
		return query.DateTime
	}
	return query.Other
}
