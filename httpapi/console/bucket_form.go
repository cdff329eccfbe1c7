package console

import (
	"net/url"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
)

// A bucketForm is the configuration of a new bucket as a form has it.
type bucketForm struct {
	bucketSettings
	Schema   schemaForm
	Class    string // the storage class
	Policy   string // of the unique key
	Paths    string // of further indexes: lines such as "address.city" and "text address.city"
	AllTexts bool   // an index of all texts

	Wrong   wrongs             // by the names of controls
	Issues  []bucketlite.Issue // others
	Found   *found             // what the form was filled in from
	Fault   *fault             // why the bucket was not created
	Checked bool               // somebody wants to know whether anything is wrong
}

// Classes and Policies are the options of the selects.
func (f *bucketForm) Classes() []choice {
	return choices(f.Class, "standard", "standard", "nearline", "nearline", "coldline", "coldline", "archive", "archive")
}

func (f *bucketForm) Policies() []choice {
	return choices(f.Policy, "", "each write says", "insert", "insert: an object with the key must not exist",
		"upsert", "upsert: replaces the object with the key", "update", "update: an object with the key must exist")
}

// givenBucket reads a form, and returns the configuration it stands for. The form is wrong
// if it has [bucketForm.isWrong].
func givenBucket(form url.Values) (*bucketForm, bucketlite.BucketConfig) {
	f := &bucketForm{
		bucketSettings: givenSettings(form), Class: form.Get("class"), Policy: form.Get("policy"), Paths: form.Get("paths"), AllTexts: form.Get("all-texts") != "",
	}
	var text string
	f.Schema, text = givenSchema(form)
	config := bucketlite.BucketConfig{Name: f.Name, Description: f.Description, StorageClass: bucketlite.StorageClass(f.Class)}
	config.Metadata, config.Retention, f.Wrong = f.bucketSettings.parse()
	s, ok := f.Schema.parse(text)
	config.Schema = s
	f.indexes(&config)
	if ok {
		config.UniqueKey = f.key()
	} else {
		config.Schema = bucketlite.Schema{Properties: map[string]bucketlite.Field{}}
		config.Indexes, config.TextIndexes = nil, nil
	}
	f.check(config)
	return f, config
}

// key returns the unique key of the rows that are checked, or nil.
func (f *bucketForm) key() *bucketlite.UniqueKey {
	var fields []string
	for _, row := range f.Schema.Rows {
		if row.Key {
			fields = append(fields, row.Name)
		}
	}
	if fields == nil {
		return nil
	}
	return &bucketlite.UniqueKey{Fields: fields, DefaultPolicy: bucketlite.Policy(f.Policy)}
}

// indexes sets the paths of the indexes.
func (f *bucketForm) indexes(config *bucketlite.BucketConfig) {
	for _, row := range f.Schema.Rows {
		if row.Index == "value" || row.Index == "both" {
			config.Indexes = append(config.Indexes, row.Name)
		}
		if row.Index == "text" || row.Index == "both" {
			config.TextIndexes = append(config.TextIndexes, row.Name)
		}
	}
	for line := range strings.Lines(f.Paths) {
		path, text := strings.CutPrefix(strings.TrimSpace(line), "text ")
		switch path = strings.TrimSpace(path); {
		case path == "":
		case text:
			config.TextIndexes = append(config.TextIndexes, path)
		default:
			config.Indexes = append(config.Indexes, path)
		}
	}
	if f.AllTexts {
		config.TextIndexes = append(config.TextIndexes, "")
	}
}

// check notes what is wrong with a configuration, at the controls that it comes from.
func (f *bucketForm) check(config bucketlite.BucketConfig) {
	err := bucketlite.ValidateBucket(config)
	if err == nil {
		return
	}
	wrong, others := controlsOf(issuesOf(err))
	for name, text := range wrong {
		if f.Wrong[name] == "" {
			f.Wrong[name] = text
		}
	}
	var rest []bucketlite.Issue
	for _, i := range others {
		switch {
		case strings.HasPrefix(i.Path, "bucket_schema"):
			f.Schema.note([]bucketlite.Issue{i}, "bucket_schema", "properties")
		case strings.HasPrefix(i.Path, "unique_key") && f.noteKey(i, config.UniqueKey):
		case strings.HasPrefix(i.Path, "indexes"), strings.HasPrefix(i.Path, "text_indexes"):
			f.Wrong["paths"] = strings.TrimSpace(f.Wrong["paths"] + " " + sentence(i.String()))
		default:
			rest = append(rest, i)
		}
	}
	f.Issues = rest
}

// noteKey puts an issue of the unique key at the row of the field.
func (f *bucketForm) noteKey(i bucketlite.Issue, key *bucketlite.UniqueKey) bool {
	rest, found := strings.CutPrefix(i.Path, "unique_key.fields[")
	if !found || key == nil {
		return false
	}
	for n, name := range key.Fields {
		if rest == formatCount(n)+"]" {
			row := slices.IndexFunc(f.Schema.Rows, func(r fieldForm) bool { return r.Name == name })
			f.Schema.Rows[row].Wrong = append(f.Schema.Rows[row].Wrong, "Key: "+sentence(i.Message))
			return true
		}
	}
	return false
}

// IsWrong is [bucketForm.isWrong] for templates.
func (f *bucketForm) IsWrong() bool { return f.isWrong() }

// isWrong reports whether anything is wrong with the form.
func (f *bucketForm) isWrong() bool {
	return len(f.Wrong)+len(f.Issues) > 0 || f.Schema.isWrong()
}
