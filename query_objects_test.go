package bucketlite_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// modelDoc is an object of a query model.
type modelDoc struct {
	key    string
	fields map[string]any    // as they were put, without the key
	inline map[string]any    // what blobs hold of declared fields
	forms  [2]map[string]any // the JSON forms
}

// longTexts are as long, as they are or folded, as what counts of a text when it is
// sorted by, or about so long.
var (
	longTexts = []string{strings.Repeat("é", 256), strings.Repeat("É", 256), strings.Repeat("x", 511), strings.Repeat("x", 512), strings.Repeat("\u212a", 512)}
	longEnds  = []string{"", "a", "A", "b", "é"}
)

// change puts, replaces, patches and deletes objects in both buckets.
func (m *queryModel) change(round int) {
	m.t.Helper()
	if round == 0 {
		for range 20 + m.r.IntN(80) {
			m.tick()
			m.put(m.newKey())
		}
	} else {
		for range 40 {
			m.tick()
			switch n := m.r.IntN(10); {
			case n < 3:
				m.put(m.newKey())
			case n < 5:
				m.put(pickOf(m, m.objects).key)
			case n < 8:
				m.patch(pickOf(m, m.objects))
			case len(m.objects) > 10:
				m.remove(m.r.IntN(len(m.objects)))
			}
		}
	}
	if round == 1 {
		m.submit()
	}
	m.docs = nil
	for _, o := range m.objects {
		doc := maps.Clone(o.forms[0])
		maps.Copy(doc, o.inline)
		m.docs = append(m.docs, doc)
	}
}

// tick moves the clock, mostly, and now and then back.
func (m *queryModel) tick() {
	m.clock.add(time.Duration(m.r.IntN(4)-1) * time.Microsecond * time.Duration(pickOf(m, []int{0, 1, 1000, 3600e6})))
}

func (m *queryModel) newKey() string {
	m.last++
	return fmt.Sprint(pickOf(m, []string{"k", "K", "Red ", "σ"}), m.last)
}

// input returns a random input but for the key: fields, and of some the value as a
// blob.
func (m *queryModel) input() (fields map[string]any, blobs []bucketlite.BlobInput) {
	fields = m.r.Document()
	if m.oneIn(8) { // beyond what counts when it is sorted by
		fields["s"] = pickOf(m, longTexts) + pickOf(m, longEnds)
	}
	if m.oneIn(12) {
		fields["any"] = map[string]any{"x": strings.Repeat("y", 505) + pickOf(m, []string{"", "a", "b"}), "y": json.Number("1")}
	}
	for _, name := range []string{"s", "n", "i", "yes", "day", "at", "stamps", "events"} {
		if v, ok := fields[name]; ok && m.oneIn(15) {
			delete(fields, name)
			blobs = append(blobs, bucketlite.BlobInput{Property: name, Data: v, Metadata: map[string]any{"by": pickOf(m, []string{"Ann", "bob"})}})
		}
	}
	switch m.r.IntN(8) {
	case 0:
		fields["note"] = m.r.SearchTerm()
	case 1, 2:
		blobs = append(blobs, m.note("note"))
	}
	if m.oneIn(6) {
		for range 1 + m.r.IntN(2) {
			blobs = append(blobs, m.note("notes"))
		}
	}
	return fields, blobs
}

// note returns a blob of a text: stored, inline or elsewhere.
func (m *queryModel) note(property string) bucketlite.BlobInput {
	b := bucketlite.BlobInput{Property: property}
	switch m.r.IntN(3) {
	case 0:
		b.Reader, b.Filename, b.MIMEType = strings.NewReader(m.r.SearchTerm()), pickOf(m, []string{"Red Sneaker.txt", "a.md", "STRASSE.txt"}), "text/plain"
	case 1:
		b.Data = m.r.SearchTerm()
	case 2:
		b.Data = pickOf(m, []string{"https://example.com/Notes/red.txt", "s3://bucket/a.md"})
	}
	return b
}

// twice returns blobs of the same content. Readers are read but once.
func twice(blobs []bucketlite.BlobInput) []bucketlite.BlobInput {
	blobs = slices.Clone(blobs)
	for i := range blobs {
		if r, ok := blobs[i].Reader.(*strings.Reader); ok {
			again := *r
			blobs[i].Reader = &again
		}
	}
	return blobs
}

// put stores an object under a key, which may be taken.
func (m *queryModel) put(key string) {
	m.t.Helper()
	fields, blobs := m.input()
	if blobs == nil {
		blobs = []bucketlite.BlobInput{}
	}
	in := bucketlite.ObjectInput{Fields: maps.Clone(fields), KeyPrefix: pickOf(m, []string{"", "a/b", "Red/", "straße"})}
	in.Fields["k"] = key
	o := m.find(key)
	if o == nil {
		o = &modelDoc{key: key}
		m.objects = append(m.objects, o)
		// One that is made by the store would be another when the test is replayed.
		in.ID = fmt.Sprint(pickOf(m, []string{"obj", "Red-", "x_"}), m.last)
	}
	o.fields = fields
	for i, b := range m.buckets {
		in.Blobs = twice(blobs)
		o.stored(m.t, i, put(m.t, b, in, ""))
	}
}

func (m *queryModel) find(key string) *modelDoc {
	for _, o := range m.objects {
		if o.key == key {
			return o
		}
	}
	return nil
}

// stored notes what became of an object. What the system alone knows, such as the
// ids of blobs, is taken from it.
func (o *modelDoc) stored(t *testing.T, i int, got *bucketlite.Object) {
	t.Helper()
	system := formOf(t, got)
	form := maps.Clone(o.fields)
	form["k"] = o.key
	for _, name := range []string{"object_id", "bucket_id", "key_prefix", "status", "created_at", "updated_at", "blobs"} {
		if v, ok := system[name]; ok {
			form[name] = v
		}
	}
	o.forms[i] = form
	o.inline = make(map[string]any)
	for _, b := range got.Blobs {
		if data, ok := b.Properties["data"]; ok && b.Property != "notes" {
			o.inline[b.Property] = data
		}
	}
}

// patch merges some fields, and maybe a blob, into an object.
func (m *queryModel) patch(o *modelDoc) {
	m.t.Helper()
	given, blobs := m.input()
	fields := maps.Clone(o.fields)
	in := bucketlite.ObjectInput{Fields: make(map[string]any)}
	isBlob := func(name string) bool {
		return slices.ContainsFunc(blobs, func(b bucketlite.BlobInput) bool { return b.Property == name })
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		// No field may have a value in two places, and null removes it.
		_, isInline := o.inline[name]
		if v := given[name]; !isInline && !isBlob(name) && v != nil && name != "note" && m.oneIn(2) {
			in.Fields[name], fields[name] = v, v
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		if isBlob(name) || m.oneIn(6) {
			in.Fields[name] = nil
			delete(fields, name)
		}
	}
	o.fields = fields
	for i, b := range m.buckets {
		in.Blobs = twice(blobs)
		stored, err := b.Patch(context.Background(), o.forms[i]["object_id"].(string), in, nil)
		if err != nil {
			m.t.Fatal(err)
		}
		o.stored(m.t, i, stored)
	}
}

func (m *queryModel) remove(n int) {
	m.t.Helper()
	for i, b := range m.buckets {
		if err := b.DeleteObject(context.Background(), m.objects[n].forms[i]["object_id"].(string), nil); err != nil {
			m.t.Fatal(err)
		}
	}
	m.objects = slices.Delete(m.objects, n, n+1)
}

// submit submits a few objects for processing, so that not all have one status.
func (m *queryModel) submit() {
	m.t.Helper()
	ctx := context.Background()
	for i, b := range m.buckets {
		var ids []string
		for _, o := range m.objects[:5] {
			ids = append(ids, o.forms[i]["object_id"].(string))
		}
		batch, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: ids})
		if err == nil {
			_, err = b.SubmitBatch(ctx, batch.ID)
		}
		if err != nil {
			m.t.Fatal(err)
		}
		for _, o := range m.objects[:5] {
			got, err := b.Object(ctx, o.forms[i]["object_id"].(string))
			if err != nil {
				m.t.Fatal(err)
			}
			o.stored(m.t, i, got)
		}
	}
}

// reindex makes and drops some indexes of the second bucket. In the end there is one
// of every kind.
func (m *queryModel) reindex(last bool) {
	m.t.Helper()
	ctx := context.Background()
	b := m.buckets[1]
	check := func(err error) {
		m.t.Helper()
		if err != nil {
			m.t.Fatal(err)
		}
	}
	for _, i := range m.indexes {
		if !m.oneIn(5) {
			continue
		}
		drop := b.DropIndex
		if i.Kind == bucketlite.TextIndex {
			drop = b.DropTextIndex
		}
		if i.Path == "" {
			check(drop(ctx))
		} else {
			check(drop(ctx, i.Path))
		}
	}
	var values, texts []string
	for _, path := range append([]string{"created_at"}, queryFields...) {
		if m.oneIn(4) {
			values = append(values, path)
		}
		if path != "created_at" && m.oneIn(12) {
			texts = append(texts, path)
		}
	}
	if last || m.oneIn(2) {
		values = append(values, "s")
	}
	if last {
		values, texts = append(values, "created_at", "i"), append(texts, "s", "note")
	}
	check(b.EnsureIndex(ctx, values...))
	if len(texts) > 0 {
		check(b.EnsureTextIndex(ctx, texts...))
	}
	if last || m.oneIn(3) {
		check(b.EnsureTextIndex(ctx))
	}
	var err error
	m.indexes, err = b.Indexes(ctx)
	check(err)
}
