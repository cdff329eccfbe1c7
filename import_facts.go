package bucketlite

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/folder"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// factAliases are the facts of fields with these names, unless a fact has the name.
var factAliases = map[string]string{"filename": "name", "modified_at": "modified", "taken_at": "taken"}

// factMapping says where the facts and the bytes of a file go.
type factMapping struct {
	fields     map[string]string // the fact of a field, for all fields that get one
	types      map[string]FieldType
	files      map[string]FieldType // the type of files in each property that takes them
	properties []string             // that may get the bytes, the most special first
	given      bool                 // the only property was named by the user
	key        []string             // the fields of the unique key, or nil
}

// newFactMapping reads the mapping off the schema and the options.
func newFactMapping(b *Bucket, opts *FolderOptions) (*factMapping, error) {
	s := b.def.schema
	m := &factMapping{fields: make(map[string]string), types: make(map[string]FieldType), files: make(map[string]FieldType)}
	for name, f := range s.Properties {
		m.types[name] = f.Type
		if t := fileType(f); t != "" {
			m.files[name] = t
		}
		if !f.Type.isFile() || f.Type == Text {
			m.fields[name] = name
		}
		if fact, ok := factAliases[name]; ok {
			m.fields[name] = fact
		}
	}
	for name, fact := range opts.Fields {
		if m.fields[name] = fact; fact == "" {
			delete(m.fields, name)
		}
	}
	if b.def.unique != nil {
		m.key = b.def.unique.Fields
	}
	return m, m.choose(s, opts.Property)
}

// choose finds the properties that may get the bytes.
func (m *factMapping) choose(s Schema, given string) error {
	if given != "" {
		if m.files[given] == "" {
			return badRequest("folder: Property: got %q, want a property of a file type", given)
		}
		m.properties, m.given = []string{given}, true
		return nil
	}
	byType := make(map[FieldType][]string)
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		byType[m.files[name]] = append(byType[m.files[name]], name)
	}
	// The types in this order: a type that takes any bytes comes after all others.
	for _, t := range []FieldType{Image, Audio, Video, PDF, Excel, Document, Text, File} {
		names := byType[t]
		if len(names) > 1 {
			required := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !s.Properties[name].Required })
			if len(required) != 1 {
				return badRequest("folder: the properties %q all take %s files; Property says which gets them", names, t)
			}
			names = required
		}
		m.properties = append(m.properties, names...)
	}
	if len(m.properties) == 0 {
		return badRequest("folder: the schema has no property of a file type")
	}
	return nil
}

// fileType returns the type of the files that a field takes, or "".
func fileType(f Field) FieldType {
	switch {
	case f.Type.isFile():
		return f.Type
	case f.Type == Array && f.Items != nil && f.Items.Type.isFile():
		return f.Items.Type
	}
	return ""
}

// property chooses the property for a file by its beginning and its name. Put refuses less,
// since there the user names the property.
func (m *factMapping) property(name string, head []byte) (string, error) {
	about := schema.Content{Filename: path.Base(name), Head: head}
	if m.given {
		return m.properties[0], nil
	}
	mime, err := about.Type("")
	if err != nil {
		return "", err
	}
	for _, p := range m.properties {
		if schema.Fits(string(m.files[p]), mime) {
			return p, nil
		}
	}
	return "", fmt.Errorf("it is %s, which no property takes", mime)
}

// wants reports whether a field gets the fact.
func (m *factMapping) wants(fact string) bool {
	for _, f := range m.fields {
		if f == fact {
			return true
		}
	}
	return false
}

// values returns the fields that facts give.
func (m *factMapping) values(facts map[string]any) map[string]any {
	fields := make(map[string]any)
	for name, fact := range m.fields {
		v, ok := facts[fact]
		if !ok {
			continue
		}
		if v, ok = factValue(m.types[name], v); ok {
			fields[name] = v
		}
	}
	return fields
}

// factValue returns a fact as a value of a field's type, and false if that cannot hold it.
// An undeclared field holds anything.
func factValue(t FieldType, v any) (any, bool) {
	switch v := v.(type) {
	case time.Time:
		switch t {
		case Date:
			return v.Format(time.DateOnly), true
		case DateTime, String, Text, "":
			return v.Format(time.RFC3339Nano), true
		}
		return nil, false
	case string:
		_, _, isTime := value.ParseDateTime(v)
		switch t {
		case String, Text, "":
			return v, true
		case DateTime:
			return v, isTime
		case Date:
			return v, value.ParseDate(v)
		}
		return nil, false
	case bool:
		return v, t == Boolean || t == ""
	case int, int64, float64:
		return v, t == Integer && value.IsIntegral(v) || t == Number || t == Float || t == ""
	}
	return v, t == Array || t == ObjectField || t == ""
}

// fileFacts returns the facts about a file that are known without reading it.
func fileFacts(file folder.File) map[string]any {
	facts := map[string]any{"path": file.Path, "name": path.Base(file.Path), "size": file.Size, "modified": file.Modified.UTC()}
	if dir := path.Dir(file.Path); dir != "." {
		facts["dir"], facts["album"] = dir, path.Base(dir)
	}
	return facts
}

// fill makes an item of a file.
func (f *folderItems) fill(ctx context.Context, item *importItem, file folder.File) error {
	facts := fileFacts(file)
	stored, err := f.stored(ctx, facts)
	if err != nil {
		return err
	}
	if stored != nil && f.opts.TrustModified && f.looksUnchanged(stored, file, facts) {
		item.unchanged = true
		return nil
	}
	p, err := f.peek(file)
	if err != nil {
		return &ImportFileError{file.Path, err}
	}
	defer p.file.Close()
	if stored != nil || f.mapping.wants("sha256") {
		if facts["sha256"], err = p.hash(ctx); err != nil {
			return cmp.Or(ctx.Err(), error(&ImportFileError{file.Path, err}))
		}
	}
	property, err := f.mapping.property(file.Path, p.head)
	if err != nil {
		return &ImportFileError{file.Path, err}
	}
	if stored != nil && hasContent(stored, property, facts["sha256"]) {
		item.unchanged = true
		return nil
	}
	maps.Copy(facts, p.facts(f.opts.Facts, file.Path))
	item.in.Fields = f.mapping.values(facts)
	item.in.Blobs = []BlobInput{{Property: property, Filename: path.Base(file.Path)}}
	if stored != nil && f.im.policy() != Insert {
		item.patches = stored.ID
	}
	item.size = file.Size
	if item.held = len(p.head); p.whole && !f.im.opts.ValidateOnly {
		item.in.Blobs[0].Reader = &wholeFile{f.im, bytes.NewReader(p.head)}
	} else {
		f.im.open(item, &item.in.Blobs[0], f.fsys, file.Path, "")
	}
	return nil
}

// stored returns the object of a file with these facts, or nil if there is none.
func (f *folderItems) stored(ctx context.Context, facts map[string]any) (*Object, error) {
	if len(f.mapping.key) == 0 {
		return nil, nil
	}
	fields := f.mapping.values(facts)
	key := make(map[string]any)
	for _, name := range f.mapping.key {
		v, ok := fields[name]
		if !ok {
			return nil, nil // putting it says what is missing
		}
		key[name] = v
	}
	o, err := f.im.bucket.ObjectByKey(ctx, key)
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrBadRequest) {
		return nil, nil
	}
	return o, err
}

// looksUnchanged reports whether a file has the size of the stored content and the time of
// modification that is stored.
func (f *folderItems) looksUnchanged(stored *Object, file folder.File, facts map[string]any) bool {
	sameSize := slices.ContainsFunc(stored.Blobs, func(b Blob) bool {
		return slices.Contains(f.mapping.properties, b.Property) && b.Details.Hash != "" && b.Details.Size == file.Size
	})
	if !sameSize {
		return false
	}
	fields := f.mapping.values(facts)
	for name, fact := range f.mapping.fields {
		if fact == "modified" && fields[name] != nil {
			return stored.Fields[name] == fields[name]
		}
	}
	return false
}

// hasContent reports whether an object has the content in the property.
func hasContent(o *Object, property string, sum any) bool {
	return slices.ContainsFunc(o.Blobs, func(b Blob) bool { return b.Property == property && b.Details.Hash == sum })
}

// peeked is a file whose beginning was read.
type peeked struct {
	file  fs.File
	head  []byte
	whole bool // head is all of it
}

// peek opens a file and reads its beginning: all of it, unless it is longer than a chunk.
func (f *folderItems) peek(file folder.File) (*peeked, error) {
	opened, err := folder.Open(f.fsys, file.Path)
	if err != nil {
		return nil, err
	}
	p := &peeked{file: opened, head: make([]byte, min(max(file.Size, 0)+1, content.ChunkSize))}
	n, ended, err := content.Fill(opened, p.head)
	if err != nil {
		opened.Close()
		return nil, err
	}
	p.head, p.whole = p.head[:n], ended
	return p, nil
}

// hash returns the SHA-256 of the whole file in hexadecimal.
func (p *peeked) hash(ctx context.Context) (string, error) {
	h := sha256.New()
	h.Write(p.head)
	if !p.whole {
		if _, err := io.Copy(h, content.NewInflow(ctx, p.file)); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// facts returns what read finds in the file, or nil.
func (p *peeked) facts(read FactFunc, name string) map[string]any {
	if read == nil {
		return nil
	}
	r := io.ReadSeeker(bytes.NewReader(p.head))
	if file, ok := p.file.(io.ReadSeeker); ok && !p.whole {
		if _, err := file.Seek(0, io.SeekStart); err == nil {
			r = file
		}
	}
	facts, _ := read(name, r) // a damaged picture is stored with what is known about it
	return facts
}

// wholeFile reads a file that is in memory.
type wholeFile struct {
	im *importer
	r  *bytes.Reader
}

func (w *wholeFile) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.im.readFile(n)
	return n, err
}
