package console

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

// schemaRows returns the fields of a bucket's schema, each followed by those in it.
func schemaRows(info *bucketlite.BucketInfo) (rows []schemaRow) {
	var walk func(fields map[string]bucketlite.Field, at string)
	add := func(path string, f bucketlite.Field) {
		row := schemaRow{Path: path, Type: string(f.Type), Description: f.Description, Required: f.Required}
		row.Key = info.UniqueKey != nil && slices.Contains(info.UniqueKey.Fields, path)
		if f.Default != nil {
			row.Rules = append(row.Rules, "default: "+compact(f.Default))
		}
		if len(f.Enum) > 0 {
			row.Rules = append(row.Rules, "one of "+strings.Trim(compact(f.Enum), "[]"))
		}
		for _, name := range slices.Sorted(maps.Keys(f.Keywords)) {
			row.Rules = append(row.Rules, name+": "+compact(f.Keywords[name]))
		}
		if f.AdditionalProperties != nil && !*f.AdditionalProperties {
			row.Rules = append(row.Rules, "no other members")
		}
		for f.Items != nil {
			row.Type += " of " + string(f.Items.Type)
			f = *f.Items
		}
		rows = append(rows, row)
		walk(f.Properties, path+".")
	}
	walk = func(fields map[string]bucketlite.Field, at string) {
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			add(at+name, fields[name])
		}
	}
	walk(info.Schema.Properties, "")
	return rows
}

// goStruct returns Go types whose schema by [bucketlite.SchemaOf] is that of a bucket, as
// far as Go types can say it.
func goStruct(info *bucketlite.BucketInfo) string {
	g := &goWriter{taken: make(map[string]bool)}
	g.structOf(g.typeName(identifier(info.Name, "Object")), info.Schema.Properties, info.UniqueKey)
	return strings.Join(g.types, "\n")
}

// goWriter collects the types of one schema.
type goWriter struct {
	types []string
	taken map[string]bool
}

// typeName returns a name that no other type has.
func (g *goWriter) typeName(name string) string {
	for g.taken[name] {
		name += "_"
	}
	g.taken[name] = true
	return name
}

func (g *goWriter) structOf(name string, fields map[string]bucketlite.Field, key *bucketlite.UniqueKey) {
	n := len(g.types)
	g.types = append(g.types, "")
	var columns strings.Builder
	w := tabwriter.NewWriter(&columns, 0, 8, 1, ' ', 0)
	members := make(map[string]bool)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		f := fields[field]
		member := identifier(field, "Field")
		for members[member] {
			member += "_"
		}
		members[member] = true
		inKey := key != nil && slices.Contains(key.Fields, field)
		if strings.ContainsAny(field, "`\\\",") {
			fmt.Fprintf(w, "// %s has a name that a tag cannot say\n", oneLine(field))
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", member, g.typeOf(name+member, f), goTag(field, f, inKey))
	}
	w.Flush()
	var b strings.Builder
	fmt.Fprintf(&b, "type %s struct {\n", name)
	for line := range strings.Lines(columns.String()) {
		b.WriteString("\t" + line)
	}
	b.WriteString("}\n")
	g.types[n] = b.String()
}

func (g *goWriter) typeOf(name string, f bucketlite.Field) string {
	switch f.Type {
	case bucketlite.Integer:
		return "int64"
	case bucketlite.Number, bucketlite.Float:
		return "float64"
	case bucketlite.Boolean:
		return "bool"
	case bucketlite.DateTime:
		return "time.Time"
	case bucketlite.ObjectField:
		if len(f.Properties) == 0 {
			return "map[string]any"
		}
		name = g.typeName(name)
		g.structOf(name, f.Properties, nil)
		return name
	case bucketlite.Array:
		if f.Items == nil {
			return "[]any"
		}
		return "[]" + g.typeOf(name, *f.Items)
	case bucketlite.String, bucketlite.Date, bucketlite.Text:
		return "string"
	}
	return "bucketlite.Blob"
}

// goTag returns the tag of a member.
func goTag(name string, f bucketlite.Field, inKey bool) string {
	if !f.Required && !inKey || f.Default != nil {
		name += ",omitzero"
	}
	var words []string
	word := func(name, v string) {
		if strings.ContainsAny(v, "`\"\\\n") {
			return // a raw string or a tag cannot hold it
		}
		if strings.ContainsAny(v, ",|'") {
			v = "'" + strings.ReplaceAll(v, "'", "''") + "'"
		}
		words = append(words, name+"="+v)
	}
	if f.Required {
		words = append(words, "required")
	}
	inner := f
	for inner.Type == bucketlite.Array && inner.Items != nil {
		inner = *inner.Items
	}
	switch inner.Type {
	case bucketlite.Date, bucketlite.Float, bucketlite.Text, bucketlite.Image, bucketlite.Audio, bucketlite.Video, bucketlite.PDF, bucketlite.Excel, bucketlite.Document, bucketlite.File:
		word("type", string(inner.Type))
	}
	if len(inner.Enum) > 0 {
		texts := make([]string, len(inner.Enum))
		for i, v := range inner.Enum {
			texts[i] = plainText(v)
		}
		if all := strings.Join(texts, ""); !strings.ContainsAny(all, "`\"\\\n,|'") {
			words = append(words, "enum="+strings.Join(texts, "|"))
		}
	}
	if f.Default != nil {
		word("default", plainText(f.Default))
	}
	for _, keyword := range slices.Sorted(maps.Keys(f.Keywords)) {
		word(keyword, plainText(f.Keywords[keyword]))
	}
	if f.Description != "" {
		word("description", f.Description)
	}
	if len(words) == 0 {
		return fmt.Sprintf("`json:%q`", name)
	}
	return fmt.Sprintf("`json:%q bucketlite:\"%s\"`", name, strings.Join(words, ","))
}

// identifier returns a name as an exported Go identifier.
func identifier(name, fallback string) string {
	var b strings.Builder
	upper := true
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			upper = true
			continue
		}
		if b.Len() == 0 && !unicode.IsLetter(r) {
			b.WriteString(fallback)
		}
		if upper {
			r = unicode.ToUpper(r)
		}
		upper = false
		b.WriteRune(r)
	}
	text := b.String()
	if text == "" {
		return fallback
	}
	if first := []rune(text)[0]; !unicode.IsUpper(first) { // a letter without cases
		return "X" + text
	}
	for _, initialism := range []string{"Id", "Url", "Sku", "Html", "Json"} {
		if text == initialism || strings.HasSuffix(text, initialism) {
			return strings.TrimSuffix(text, initialism) + strings.ToUpper(initialism)
		}
	}
	return text
}

// typeScript returns an interface of the fields of a bucket's objects, as the API returns
// them. Files are in the object's blobs, and only named in a comment.
func typeScript(info *bucketlite.BucketInfo) string {
	var b strings.Builder
	fmt.Fprintf(&b, "export interface %s ", identifier(info.Name, "BucketObject"))
	tsObject(&b, info.Schema.Properties, info.Schema.AdditionalProperties, info.UniqueKey, "")
	b.WriteString("\n")
	return b.String()
}

func tsObject(b *strings.Builder, fields map[string]bucketlite.Field, additional *bool, key *bucketlite.UniqueKey, indent string) {
	b.WriteString("{\n")
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		f := fields[name]
		if f.Description != "" {
			fmt.Fprintf(b, "%s  /** %s */\n", indent, strings.ReplaceAll(oneLine(f.Description), "*/", "*\u200b/"))
		}
		if holdsFiles(f) {
			fmt.Fprintf(b, "%s  // %s: %s, in blobs\n", indent, oneLine(name), f.Type)
			continue
		}
		mark := "?"
		if f.Required || key != nil && slices.Contains(key.Fields, name) {
			mark = ""
		}
		fmt.Fprintf(b, "%s  %s%s: ", indent, tsName(name), mark)
		tsType(b, f, indent+"  ")
		b.WriteString(";\n")
	}
	if additional == nil || *additional {
		fmt.Fprintf(b, "%s  [name: string]: unknown;\n", indent)
	}
	b.WriteString(indent + "}")
}

func tsName(name string) string {
	for i, r := range name {
		if r != '_' && r != '$' && !(r < unicode.MaxASCII && (unicode.IsLetter(r) || i > 0 && unicode.IsDigit(r))) {
			return string(value.Append(nil, name))
		}
	}
	return name
}

func tsType(b *strings.Builder, f bucketlite.Field, indent string) {
	if len(f.Enum) > 0 {
		texts := make([]string, len(f.Enum))
		for i, v := range f.Enum {
			texts[i] = compact(v)
		}
		b.WriteString(strings.Join(texts, " | "))
		return
	}
	switch f.Type {
	case bucketlite.Integer, bucketlite.Number, bucketlite.Float:
		b.WriteString("number")
	case bucketlite.Boolean:
		b.WriteString("boolean")
	case bucketlite.ObjectField:
		if len(f.Properties) == 0 {
			b.WriteString("Record<string, unknown>")
			return
		}
		tsObject(b, f.Properties, f.AdditionalProperties, nil, indent)
	case bucketlite.Array:
		if f.Items == nil {
			b.WriteString("unknown[]")
			return
		}
		b.WriteString("Array<")
		tsType(b, *f.Items, indent)
		b.WriteString(">")
	default:
		b.WriteString("string")
	}
}
