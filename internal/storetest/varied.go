package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// WantPages fails unless the query has the answer, in pages of so many, after any
// offset, and as an iteration.
func (l *VariedList) WantPages(t *testing.T, q bucketlite.Query, want []map[string]any, limit int) {
	t.Helper()
	names := l.NamesOf(want)
	fail := func(what string, got []map[string]any, next string, err error) {
		t.Helper()
		t.Fatalf("%s: got %q, next %q, %v, want it of %q", what, l.NamesOf(got), next, err, names)
	}
	q.Limit = limit
	rest := names
	for {
		q.Total = !q.Total
		p, err := l.Page(q)
		if err != nil {
			fail("page", nil, "", err)
		}
		n := min(limit, len(rest))
		if !slices.Equal(l.NamesOf(p.Results), rest[:n]) || (p.Next == "") != (n == len(rest)) {
			fail(fmt.Sprintf("page of %d before the last %d", limit, len(rest)), p.Results, p.Next, nil)
		}
		if total := int64(len(want)); q.Total && p.Total != total || !q.Total && p.Total != -1 {
			t.Fatalf("total: got %d, want %d", p.Total, total)
		}
		if rest, q.Cursor = rest[n:], p.Next; q.Cursor == "" {
			break
		}
	}
	q.Cursor = ""
	for offset := range len(names) + 2 {
		q.Offset = offset
		p, err := l.Page(q)
		after := names[min(offset, len(names)):]
		if err != nil || !slices.Equal(l.NamesOf(p.Results), after[:min(limit, len(after))]) {
			fail(fmt.Sprint("offset ", offset), p.Results, "", err)
		}
		got, err := l.Each(q)
		if err != nil || !slices.Equal(l.NamesOf(got), after[:min(limit, len(after))]) {
			fail(fmt.Sprintf("first %d after %d", limit, offset), got, "", err)
		}
		if p.Next == "" {
			continue
		}
		if p, err = l.Page(bucketlite.Query{Filter: q.Filter, Search: q.Search, CaseSensitive: q.CaseSensitive, Sort: q.Sort, Reverse: q.Reverse, Cursor: p.Next}); err != nil ||
			!slices.Equal(l.NamesOf(p.Results), after[limit:]) {
			fail(fmt.Sprint("after the page at offset ", offset), p.Results, "", err)
		}
	}
}

// Searched yields the texts that a search examines.
func (l *VariedList) Searched(form map[string]any) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for path, values := range PathsOf([]map[string]any{form}) {
			if !slices.ContainsFunc(l.texts, func(p string) bool { return path == p || strings.HasPrefix(path, p+".") }) {
				continue
			}
			for _, v := range values {
				if s, ok := v.(string); ok && !yield(s) {
					return
				}
			}
		}
	}
}

// PathsOf returns all that paths lead to in the documents, arrays included.
func PathsOf(docs []map[string]any) map[string][]any {
	values := make(map[string][]any)
	var add func(path string, v any)
	add = func(path string, v any) {
		values[path] = append(values[path], v)
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				add(path, item)
			}
		case map[string]any:
			for name, member := range v {
				if name != "" && !strings.Contains(name, ".") {
					add(path+"."+name, member)
				}
			}
		}
	}
	for _, doc := range docs {
		for name, v := range doc {
			add(name, v)
		}
	}
	return values
}

// VariedList is a list whose members differ, in their JSON form.
type VariedList struct {
	Page func(q bucketlite.Query) (*bucketlite.Page[map[string]any], error)
	Each func(q bucketlite.Query) ([]map[string]any, error)
	ID   string // the path of their id
	// names are what tests call some of them, by id.
	names map[string]string
	Times []string // the paths that are declared to lead to times
	texts []string // the paths below which a search looks
}

// Kind tells what a path is declared to be, as package querytest takes it.
func (l *VariedList) Kind(path string) string {
	for _, p := range l.Times {
		if p == path {
			return "datetime"
		}
	}
	return ""
}

// NamesOf returns what the members are called.
func (l *VariedList) NamesOf(forms []map[string]any) []string {
	names := []string{}
	for _, form := range forms {
		name := form[l.ID].(string)
		if l.names[name] != "" {
			name = l.names[name]
		}
		names = append(names, name)
	}
	return names
}

func newVariedList[T any, S ~func(func(T, error) bool)](t *testing.T, page func(context.Context, bucketlite.Query) (*bucketlite.Page[T], error),
	each func(context.Context, bucketlite.Query) S, id string) *VariedList {
	return &VariedList{
		ID: id, Times: []string{"created_at", "updated_at"}, texts: []string{id}, names: make(map[string]string),
		Page: FormPages(t, page),
		Each: func(q bucketlite.Query) (forms []map[string]any, err error) {
			for member, err := range each(context.Background(), q) {
				if err != nil {
					return forms, err
				}
				forms = append(forms, FormOf(t, member))
			}
			return forms, nil
		},
	}
}

// FormPages returns a function that returns pages of the members' JSON forms.
func FormPages[T any](t *testing.T, page func(context.Context, bucketlite.Query) (*bucketlite.Page[T], error)) func(bucketlite.Query) (*bucketlite.Page[map[string]any], error) {
	return func(q bucketlite.Query) (*bucketlite.Page[map[string]any], error) {
		p, err := page(context.Background(), q)
		if err != nil {
			return nil, err
		}
		forms := &bucketlite.Page[map[string]any]{Next: p.Next, Total: p.Total}
		for _, member := range p.Results {
			forms.Results = append(forms.Results, FormOf(t, member))
		}
		return forms, nil
	}
}

// BatchPages returns ListBatches of all statuses.
func BatchPages(b *bucketlite.Bucket) func(context.Context, bucketlite.Query) (*bucketlite.Page[*bucketlite.Batch], error) {
	return func(ctx context.Context, q bucketlite.Query) (*bucketlite.Page[*bucketlite.Batch], error) {
		return b.ListBatches(ctx, bucketlite.BatchQuery{Query: q})
	}
}

var variedNamespaces = []bucketlite.NamespaceConfig{
	{Name: "alpha"}, {Name: "Beta", Description: "of Tests"}, {Name: "ÉTÉ", FeatureExtractors: []any{
		map[string]any{"feature_extractor_name": "text", "version": "v1", "params": map[string]any{"fields": []any{"title", map[string]any{"name": "body"}}}},
		map[string]any{"feature_extractor_name": "face", "version": "v1"}}},
	{Name: "été", PayloadIndexes: []any{map[string]any{"field_name": "title", "type": "geo"}}}, {Name: "alphabet", Description: "Of tests"},
}

var variedBuckets = []bucketlite.BucketConfig{
	{Name: "videos", Metadata: map[string]any{"team": "red", "rank": 5, "tags": []any{"a", "B"}}},
	{Name: "Photos", Metadata: map[string]any{"team": "Red", "rank": 5.0, "tags": []any{}}, StorageClass: bucketlite.StorageColdline},
	{Name: "PDFs", Description: "red tape", Metadata: map[string]any{"team": "blue", "rank": "5", "tags": []any{"b", "c"}}},
	{Name: "audio", Metadata: map[string]any{"rank": json.Number("9007199254740993"), "team": nil}},
	{Name: "empty", Metadata: map[string]any{"rank": json.Number("9007199254740992"), "tags": []any{map[string]any{"x": 1}}}},
	{Name: "locked", Description: "Éclair", Metadata: map[string]any{"team": []any{"red", "green"}}},
	{Name: "archived", Metadata: map[string]any{"rank": -1, "since": "2024-03-01T12:00:00Z"}, StorageClass: bucketlite.StorageArchive},
}

// variedObjects conform to a bucket with "title", a datetime "at" and a text "doc".
var variedObjects = []string{
	`{"object_id":"o1","title":"Red sneaker","n":5,"at":"2024-03-01T12:00:00Z","tags":["a","b"],"more":{"x":1}}`,
	`{"object_id":"o2","title":"red Sneaker","n":5.0,"at":"2024-03-01T13:00:00+01:00","tags":[],"more":{"x":[1,2]}}`,
	`{"object_id":"o3","title":"Straße","n":-1,"tags":["B"],"more":{"x":{"y":"b"}}}`,
	`{"object_id":"o4","title":"blue hat","n":9007199254740993,"at":"2024-03-01T12:00:00.5Z","more":{"x":"1"},"key_prefix":"shop/hats"}`,
	`{"object_id":"o5","n":9007199254740992,"more":null,"tags":[null]}`,
	`{"object_id":"o6","title":"","at":"1999-12-31T00:00:00","key_prefix":"Shop","blobs":[{"property":"doc","data":"https://example.com/a.txt"}]}`,
	`{"object_id":"o7","title":"sneaker","n":1e3,"blobs":[{"property":"doc","data":{"base64":"aGVsbG8=","mime_type":"text/plain","filename":"Hello.txt"}}]}`,
	`{"object_id":"o8","title":"hat","n":1000,"at":"2024-03-01T12:00:00.000Z","blobs":[{"property":"doc","data":{"base64":"aGVsbG8h","mime_type":"text/markdown","filename":"notes.md"}}]}`,
	`{"object_id":"O8","n":"5","tags":[["a"],["C"]],"more":{"x":1.5}}`,
}

var variedUploads = []bucketlite.UploadInput{
	{Filename: "a.txt", Size: 5, Metadata: map[string]any{"campaign": "summer", "n": 1}},
	{Filename: "B.txt", Metadata: map[string]any{"campaign": "Summer", "n": 2}},
	{Filename: "c.txt", Size: 7, ExpiresIn: 60},
	{Filename: "winter.txt", Size: 5, Metadata: map[string]any{"campaign": "winter", "n": 1.0}, ExpiresIn: 7200},
	{Filename: "gone.txt", Metadata: map[string]any{"tags": []any{"x", "summer days"}}},
}

var variedRuns = []string{"nightly", "hourly", "Nightly, in full", "Yearly", "fully"}

// NewVaried makes a store with lists of every kind, at rest.
func NewVaried(t *testing.T, opts ...bucketlite.Options) (*bucketlite.Store, map[string]*VariedList) {
	t.Helper()
	ctx := context.Background()
	clock := NewManualClock()
	o := bucketlite.Options{}
	if len(opts) > 0 {
		o = opts[0]
	}
	o.Now = clock.Now
	st := OpenMemory(t, &o)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		clock.Add(time.Minute)
	}
	lists := make(map[string]*VariedList)

	l := newVariedList(t, st.ListNamespaces, st.Namespaces, "namespace_id")
	l.texts = append(l.texts, "namespace_name", "description")
	lists["namespaces"] = l
	for _, config := range variedNamespaces {
		ns, err := st.CreateNamespace(ctx, config)
		must(err)
		l.names[ns.ID()] = config.Name
	}
	ns, err := st.Namespace(ctx, "alpha")
	must(err)

	l = newVariedList(t, ns.ListBuckets, ns.Buckets, "bucket_id")
	l.texts = append(l.texts, "bucket_name", "description", "metadata")
	l.Times = append(l.Times, "last_upload_at", "stats_updated_at")
	lists["buckets"] = l
	for i, config := range variedBuckets {
		b, err := ns.CreateBucket(ctx, config)
		must(err)
		l.names[b.ID()] = config.Name
		for range i % 3 {
			must(ErrorOf(b.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"i": i}}, nil)))
		}
		switch config.Name {
		case "locked":
			must(b.Lock(ctx))
		case "archived":
			must(b.Archive(ctx))
		}
	}
	description := "changed"
	videos, err := ns.Bucket(ctx, "videos")
	must(err)
	must(ErrorOf(videos.Update(ctx, bucketlite.BucketUpdate{Description: &description})))

	// Tasks come of all that follows.
	tasks := newVariedList(t, func(ctx context.Context, q bucketlite.Query) (*bucketlite.Page[*bucketlite.Task], error) {
		return st.ListTasks(ctx, bucketlite.TaskQuery{Query: q})
	}, func(ctx context.Context, q bucketlite.Query) iter.Seq2[*bucketlite.Task, error] {
		return st.Tasks(ctx, bucketlite.TaskQuery{Query: q})
	}, "task_id")
	tasks.texts = append(tasks.texts, "inputs", "additional_data", "error")
	lists["tasks"] = tasks
	other, err := st.Namespace(ctx, "Beta")
	must(err)
	b := addVariedObjects(t, other, lists)
	for _, name := range []string{"Old", "older"} {
		b, err := other.CreateBucket(ctx, bucketlite.BucketConfig{Name: name})
		must(err)
		task, err := b.Delete(ctx)
		must(err)
		tasks.names[task.ID] = name
		must(ErrorOf(st.Wait(ctx, task.ID)))
	}
	addVariedUploads(t, clock, b, lists)
	addVariedBatches(t, clock, st, b, lists)
	return st, lists
}

func addVariedObjects(t *testing.T, ns *bucketlite.Namespace, lists map[string]*VariedList) *bucketlite.Bucket {
	t.Helper()
	ctx := context.Background()
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "things", Schema: Schema(t,
		`"title":{"type":"string"},"at":{"type":"datetime"},"doc":{"type":"text"}`)})
	if err != nil {
		t.Fatal(err)
	}
	l := newVariedList(t, b.List, b.Objects, "object_id")
	l.Times = append(l.Times, "at")
	l.texts = append(l.texts, "key_prefix", "title", "n", "at", "tags", "more", "blobs.details.filename")
	lists["objects"] = l
	for _, text := range variedObjects {
		Put(t, b, Input(t, text), "")
	}
	return b
}

func addVariedUploads(t *testing.T, clock *ManualClock, b *bucketlite.Bucket, lists map[string]*VariedList) {
	t.Helper()
	ctx := context.Background()
	l := newVariedList(t, b.ListUploads, b.Uploads, "upload_id")
	l.Times = []string{"created_at", "expires_at", "completed_at", "verified_at"}
	l.texts = append(l.texts, "filename", "metadata")
	lists["uploads"] = l
	no := false
	for _, in := range variedUploads {
		in.ContentType, in.CreateObject = "text/plain", &no
		u := CreateUpload(t, b, in)
		l.names[u.ID] = u.Filename
		clock.Add(time.Second)
		switch u.Filename {
		case "a.txt", "winter.txt":
			WriteUpload(t, b, u.ID, u.Filename[:1]+"text")
		case "gone.txt":
			if err := b.CancelUpload(ctx, u.ID); err != nil {
				t.Fatal(err)
			}
		}
		if u.Filename == "a.txt" {
			ConfirmUpload(t, b, u.ID)
		}
	}
	clock.Add(2 * time.Minute) // c.txt expires
}

func addVariedBatches(t *testing.T, clock *ManualClock, st *bucketlite.Store, b *bucketlite.Bucket, lists map[string]*VariedList) {
	t.Helper()
	ctx := context.Background()
	l := newVariedList(t, BatchPages(b), func(ctx context.Context, q bucketlite.Query) iter.Seq2[*bucketlite.Batch, error] {
		return b.Batches(ctx, bucketlite.BatchQuery{Query: q})
	}, "batch_id")
	l.texts = append(l.texts, "object_ids", "task_id", "error", "metadata")
	lists["batches"] = l
	for i, ids := range [][]string{{"o1", "o2", "o3"}, {"o4"}, {"o1", "o2", "o3", "o4", "o5", "o6", "o7", "O8"}, {"o8", "o1"}, {"o4", "o3"}} {
		k, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: ids, Metadata: map[string]any{"run": variedRuns[i], "i": i % 3}})
		if err != nil {
			t.Fatal(err)
		}
		clock.Add(time.Minute)
		l.names[k.ID] = fmt.Sprint(i)
		if i != 2 && i != 4 {
			continue
		}
		task, err := b.SubmitBatch(ctx, k.ID)
		if err != nil {
			t.Fatal(err)
		}
		lists["tasks"].names[task.ID] = fmt.Sprint("batch ", i)
		Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
			clock.Add(time.Second)
			switch {
			case i == 4:
				return nil
			case j.Object.ID == "o3", j.Object.ID == "O8":
				return &bucketlite.JobError{Category: bucketlite.CategoryValidation, Message: "No way to " + j.Object.ID}
			}
			return &bucketlite.JobError{Category: bucketlite.CategoryNetwork, Message: "no answer", Permanent: true}
		}, bucketlite.ProcessOptions{Concurrency: 1})
		if i == 2 {
			jobs := newVariedList(t, func(ctx context.Context, q bucketlite.Query) (*bucketlite.Page[*bucketlite.FailedJob], error) {
				return b.ListFailedJobs(ctx, k.ID, q)
			}, func(ctx context.Context, q bucketlite.Query) iter.Seq2[*bucketlite.FailedJob, error] {
				return b.FailedJobs(ctx, k.ID, q)
			}, "object_id")
			jobs.Times = []string{"error.timestamp"}
			jobs.texts = append(jobs.texts, "error")
			lists["failed jobs"] = jobs
		}
	}
}
