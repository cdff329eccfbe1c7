package infer

import (
	"encoding/json"
	"hash/maphash"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

const (
	maxFields  = 1000 // of a schema, at all depths
	maxMembers = 100  // declared members of an object inside another
	maxNesting = 32   // fields within fields, as schemas allow
	maxName    = 100  // characters of a field's name
)

// Options configure Samples.
type Options struct {
	// MinSamples is how many samples are needed to call a field required, or its values
	// an enum.
	MinSamples int64
	// Text means that values are texts of any type, as in CSV files: "5" is an integer
	// if all values of its field are. An empty text counts as null.
	Text bool
	// Enums declares candidates for an enum as such.
	Enums bool
}

// Samples holds the facts about all samples so far. It must be used by one goroutine at
// a time.
type Samples struct {
	opts    Options
	count   int64
	root    members
	blobs   map[string]*files // by property
	fields  int               // in use, at all depths
	seed    maphash.Seed
	hashes  int  // in use by candidates for a unique key
	skipped bool // there were more than maxFields fields
}

// New returns Samples without any.
func New(opts Options) *Samples {
	return &Samples{opts: opts, seed: maphash.MakeSeed()}
}

// Add adds a sample, whose values are plain.
func (s *Samples) Add(doc map[string]any) {
	s.count++
	s.root.count++
	for name, v := range doc {
		if name == "blobs" {
			s.addBlobs(v)
		} else {
			s.addField(name, v)
		}
	}
}

// addField adds a value of a field at the root.
func (s *Samples) addField(name string, v any) {
	if f := s.root.field(s, name, 1); f != nil {
		s.add(f, v, 1)
		s.checkUnique(f, v)
	}
}

// members are the members of all objects at one place.
type members struct {
	count  int64 // of the objects
	byName map[string]*field
	open   bool // too many names to declare them
	long   bool // some names are too long for a field
}

// field returns the field with the name, which it makes if there is room for one; else
// nil.
func (m *members) field(s *Samples, name string, depth int) *field {
	if m.open {
		return nil
	}
	if f := m.byName[name]; f != nil {
		return f
	}
	switch {
	case isLong(name):
		m.long = true
		return nil
	case depth > 1 && len(m.byName) == maxMembers:
		m.open = true
		s.fields -= m.size()
		m.byName = nil
		return nil
	case !s.room():
		return nil
	}
	if m.byName == nil {
		m.byName = make(map[string]*field)
	}
	f := &field{unfit: unfit(name, depth)}
	if depth == 1 && s.count == 1 {
		f.unique = make(map[uint64]struct{})
	}
	m.byName[strings.Clone(name)] = f
	s.fields++
	return f
}

// room reports whether there is room for one more field. Once there was none, there never
// is again: a later field would not know its first values.
func (s *Samples) room() bool {
	s.skipped = s.skipped || s.fields == maxFields
	return !s.skipped
}

// size returns the number of fields at all depths.
func (m *members) size() (n int) {
	for _, f := range m.byName {
		n += f.size()
	}
	return n
}

func isLong(name string) bool {
	return len(name) > maxName && utf8.RuneCountInString(name) > maxName
}

// unfit says why no field can have the name, or is empty.
func unfit(name string, depth int) string {
	switch {
	case name == "":
		return "a field's name cannot be empty"
	case strings.Contains(name, "."):
		return "a field's name cannot contain a dot"
	case depth == 1 && slices.Contains(inputMembers, name):
		return "a member of inputs, not a field"
	case depth == 1 && schema.IsReserved(name):
		return "the name is reserved for the system: rename the field in the input"
	}
	return ""
}

// inputMembers are the system's members that inputs may have.
var inputMembers = []string{"object_id", "key_prefix", "skip_duplicates", "canonicalize_source", "force_remirror"}

// field holds the facts about the values at one place: a field, or the items of an
// array.
type field struct {
	unfit   string // why the schema cannot declare it
	nulls   int64
	seen    int64 // values that are not null
	strings int64 // of those
	spaced  int64 // of those, times with a space for the T
	kinds   [kinds]int64

	values   values
	file     fileURLs
	unique   map[uint64]struct{} // hashes of the values; nil if the field is no key
	compared int64               // values that are in unique

	members   members // of objects
	items     *field  // of arrays
	filled    int64   // arrays with an item
	nullItems bool
}

func (f *field) size() int {
	n := 1 + f.members.size()
	if f.items != nil {
		n += f.items.size()
	}
	return n
}

// add adds a value at the depth. The depth of a field at the root is 1.
func (s *Samples) add(f *field, v any, depth int) {
	if v == nil || s.opts.Text && v == "" {
		f.nulls++
		return
	}
	f.seen++
	k := kindOf(v, s.opts.Text)
	f.kinds[k]++
	if str, ok := v.(string); ok {
		f.strings++
		if k == text && isSpacedTime(str) {
			f.spaced++
		}
		f.file.add(str)
	}
	switch v := v.(type) {
	case map[string]any:
		s.addMembers(f, v, depth)
	case []any:
		s.addItems(f, v, depth)
	default:
		f.values.add(v)
	}
}

func (s *Samples) addMembers(f *field, doc map[string]any, depth int) {
	f.members.count++
	if depth == maxNesting || f.unfit != "" {
		return
	}
	for name, v := range doc {
		if m := f.members.field(s, name, depth+1); m != nil {
			s.add(m, v, depth+1)
		}
	}
}

func (s *Samples) addItems(f *field, items []any, depth int) {
	if len(items) == 0 {
		return
	}
	f.filled++
	if f.filled == 1 && depth < maxNesting && f.unfit == "" && s.room() {
		f.items = &field{}
		s.fields++
	}
	for _, v := range items {
		f.nullItems = f.nullItems || v == nil
		if f.items != nil {
			s.add(f.items, v, depth+1)
		}
	}
}

// kind is the narrowest type that a value fits.
type kind int

const (
	boolean kind = iota
	integer
	number
	date
	dateTime
	text
	object
	array
	kinds // the number of kinds
)

var kindNames = [kinds]string{"boolean", "integer", "number", "date", "datetime", "string", "object", "array"}

func kindOf(v any, isText bool) kind {
	switch v := v.(type) {
	case bool:
		return boolean
	case string:
		return kindOfString(v, isText)
	case map[string]any:
		return object
	case []any:
		return array
	}
	return kindOfNumber(v)
}

// kindOfNumber takes 5.0 for a number: its writer has fractions in mind.
func kindOfNumber(v any) kind {
	written, _ := v.(json.Number)
	if _, ok := value.Int(v); ok && !strings.ContainsAny(string(written), ".eE") {
		return integer
	}
	return number
}

func kindOfString(s string, isText bool) kind {
	switch {
	case value.ParseDate(s):
		return date
	case isDateTime(s):
		return dateTime
	case isText:
		return kindOfText(s)
	}
	return text
}

// isSpacedTime reports whether s is a time with a space between day and hour, as databases
// write it. It is no datetime.
func isSpacedTime(s string) bool {
	const day = len("2006-01-02")
	return len(s) > day+len(" 15:04") && s[day] == ' ' && s[day+3] == ':' && value.ParseDate(s[:day])
}

func isDateTime(s string) bool {
	_, _, ok := value.ParseDateTime(s)
	return ok
}
