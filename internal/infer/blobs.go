package infer

import (
	"maps"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/schema"
)

// files holds the facts about the blobs of one property whose values are files.
type files struct {
	objects int64  // that have a blob of the property
	most    int    // blobs of one object
	given   string // the type that blobs name; the first counts
	guessed string // the type that their names tell; File if they differ
}

// addBlobs adds the blobs of a sample, in the form of an object's input. Blobs are not
// optional as other members are: a schema must declare their properties.
func (s *Samples) addBlobs(list any) {
	items, _ := list.([]any)
	counts := make(map[string]int)
	for _, item := range items {
		blob, _ := item.(map[string]any)
		property, _ := blob["property"].(string)
		if property == "" || strings.Contains(property, ".") || schema.IsReserved(property) {
			continue // no schema can declare it
		}
		t, _ := blob["type"].(string)
		if t = strings.ToLower(t); slices.Contains(schema.Types(), t) && !schema.IsFile(t) {
			if m := s.root.field(s, property, 1); m != nil { // the value of a field, written as a blob
				s.add(m, blob["data"], 1)
				s.dropUnique(m) // such a field is no part of a key
			}
			continue
		}
		f := s.filesOf(property)
		if f == nil {
			continue
		}
		if counts[property]++; counts[property] == 1 {
			f.objects++
		}
		f.most = max(f.most, counts[property])
		f.add(t, blob)
	}
}

// filesOf returns the files of a property, which it makes if there is room; else nil.
func (s *Samples) filesOf(property string) *files {
	if f := s.blobs[property]; f != nil {
		return f
	}
	if isLong(property) || !s.room() {
		return nil
	}
	if s.blobs == nil {
		s.blobs = make(map[string]*files)
	}
	f := &files{}
	s.blobs[strings.Clone(property)] = f
	s.fields++
	return f
}

func (f *files) add(given string, blob map[string]any) {
	if f.given == "" && schema.IsFile(given) {
		f.given = strings.Clone(given)
	}
	guess := guessBlob(blob)
	switch f.guessed {
	case "":
		f.guessed = guess
	case guess:
	default:
		f.guessed = schema.File
	}
}

// typeName returns the type of each file.
func (f *files) typeName() string {
	if f.given != "" {
		return f.given
	}
	return f.guessed
}

// guessBlob returns the type of file that a blob seems to be, or File.
func guessBlob(blob map[string]any) string {
	data, _ := blob["data"].(map[string]any)
	for _, about := range []map[string]any{blob, data} {
		if t, ok := about["mime_type"].(string); ok {
			if t = schema.TypeFor(t); t != "" {
				return t
			}
		}
		for _, member := range []string{"filename", "file", "url"} {
			name, _ := about[member].(string)
			if t := fileType(name); t != "" {
				return t
			}
			if t := FileType(name); t != "" {
				return t
			}
		}
	}
	if text, ok := blob["data"].(string); ok {
		if t := fileType(text); t != "" {
			return t
		}
	}
	return schema.File
}

// files adds the properties of blobs to those of the schema.
func (r *resolver) files(properties map[string]any, enough bool) {
	for _, name := range slices.Sorted(maps.Keys(r.s.blobs)) {
		f := r.s.blobs[name]
		required := enough && f.objects == r.s.count
		found := Field{Path: below("", name), Type: f.typeName(), Seen: f.objects, Of: r.s.count, Required: required}
		doc := map[string]any{"type": found.Type}
		if f.most > 1 {
			doc = map[string]any{"type": schema.Array, "items": doc}
			found.Type, found.Note = schema.Array, "files of type "+f.typeName()
		}
		if required {
			doc["required"] = true
		}
		if properties[name] != nil {
			found.Note = "it is both a member and a blob of objects: those with the member are refused"
			r.result.Fields = slices.DeleteFunc(r.result.Fields, func(other Field) bool { return other.Path == found.Path })
		}
		properties[name] = doc
		r.result.Fields = append(r.result.Fields, found)
	}
}
