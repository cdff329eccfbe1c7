package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// stepper lets a store do background work round by round.
type stepper struct {
	mu      sync.Mutex
	permits int
	running bool
}

func (s *stepper) mayWork() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = s.permits > 0
	if s.running {
		s.permits--
	}
	return s.running
}

// step lets the store do one round, and waits for its end.
func (s *stepper) step(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	s.permits++
	s.mu.Unlock()
	if !storetest.Eventually(func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.permits == 0 && !s.running
	}) {
		t.Fatal("the round does not end")
	}
}

// A modelField is a field of the model's schema. Of its keywords, the model checks those
// below.
type modelField struct {
	Type     string `json:"type"`
	Required bool   `json:"required,omitempty"`
	Default  any    `json:"default,omitempty"`
	Max      *int   `json:"maximum,omitempty"`
	MaxLen   *int   `json:"maxLength,omitempty"`
}

type modelSchema struct {
	Fields map[string]modelField `json:"properties"`
	Closed bool                  `json:"-"`
}

func (m modelSchema) text() string {
	doc := map[string]any{"properties": m.Fields}
	if m.Closed {
		doc["additionalProperties"] = false
	}
	text, _ := json.Marshal(doc)
	return string(text)
}

// conforms is the naive judge of an object: its fields, and the texts of its blobs.
func (m modelSchema) conforms(o modelObject) bool {
	for name, f := range m.Fields {
		v, there := o.fields[name]
		_, blob := o.blobs[name]
		if !there && !blob {
			if f.Required {
				return false
			}
			continue
		}
		if f.Type == "text" && !there {
			continue
		}
		switch v := v.(type) {
		case string:
			if f.Type != "string" && f.Type != "text" || f.MaxLen != nil && len(v) > *f.MaxLen {
				return false
			}
		case int:
			if f.Type != "integer" && f.Type != "number" || f.Max != nil && v > *f.Max {
				return false
			}
		case float64:
			if f.Type != "number" || f.Max != nil && v > float64(*f.Max) {
				return false
			}
		default:
			return false
		}
	}
	for name := range o.fields {
		if _, declared := m.Fields[name]; !declared && m.Closed {
			return false
		}
	}
	for name := range o.blobs {
		if f, declared := m.Fields[name]; !declared || f.Type != "text" {
			return false
		}
	}
	return true
}

type modelObject struct {
	fields map[string]any
	blobs  map[string]string
}

// change is the naive form of an object after a change; ok is false if there is an
// undeclared member of the new name of a field.
func (o modelObject) change(opts *bucketlite.SchemaChangeOptions, to modelSchema, fill []string) (modelObject, bool) {
	out := modelObject{map[string]any{}, map[string]string{}}
	target := func(name string) (string, bool) {
		if now, ok := opts.Rename[name]; ok {
			return now, true
		}
		return name, !slices.Contains(opts.Drop, name)
	}
	for name, v := range o.fields {
		if now, kept := target(name); kept {
			if _, taken := out.fields[now]; taken {
				return out, false
			}
			out.fields[now] = v
		}
	}
	for name, v := range o.blobs {
		if now, kept := target(name); kept {
			if _, taken := out.fields[now]; taken {
				return out, false
			}
			out.blobs[now] = v
		}
	}
	for _, name := range fill {
		_, there := out.fields[name]
		if _, blob := out.blobs[name]; !there && !blob {
			out.fields[name] = to.Fields[name].Default
		}
	}
	return out, true
}

func (o modelObject) text() string {
	text, _ := json.Marshal(map[string]any{"fields": o.fields, "blobs": o.blobs})
	return string(text)
}

// changeModel compares a bucket whose schema changes with a plain map.
type changeModel struct {
	*rand.Rand
	t       *testing.T
	b, far  *bucketlite.Bucket // handles of two stores
	steps   *stepper
	st      *bucketlite.Store
	schema  modelSchema
	objects map[string]modelObject
	version int64

	// The change that is being prepared, or nil.
	next   *modelSchema
	opts   bucketlite.SchemaChangeOptions
	fill   []string
	result chan error
	task   string
	log    []string
}

func (m *changeModel) note(format string, args ...any) {
	m.log = append(m.log, fmt.Sprintf(format, args...))
}

func (m *changeModel) fatal(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("%s\nlast steps:\n%s", fmt.Sprintf(format, args...), strings.Join(m.log[max(0, len(m.log)-25):], "\n"))
}

// handle returns one of the handles, all of which were made when the bucket was.
func (m *changeModel) handle() *bucketlite.Bucket {
	if m.IntN(2) == 0 {
		return m.far
	}
	return m.b
}

func (m *changeModel) field() modelField {
	f := modelField{Type: []string{"string", "integer", "number", "text"}[m.IntN(4)], Required: m.IntN(4) == 0}
	switch f.Type {
	case "string":
		if m.IntN(2) == 0 {
			f.MaxLen = new(1 + m.IntN(4))
		}
		if m.IntN(3) == 0 {
			f.Default = "d"
		}
	case "integer", "number":
		if m.IntN(2) == 0 {
			f.Max = new(m.IntN(10))
		}
		if m.IntN(3) == 0 {
			f.Default = 0
		}
	}
	return f
}

func (m *changeModel) value() any {
	switch m.IntN(4) {
	case 0:
		return m.IntN(10)
	case 1:
		return float64(m.IntN(10)) + 0.5
	}
	return "abcd"[:1+m.IntN(4)]
}

var modelNames = []string{"a", "b", "c", "d", "e"}

func (m *changeModel) object() modelObject {
	o := modelObject{map[string]any{}, map[string]string{}}
	for _, name := range modelNames {
		f, declared := m.schema.Fields[name]
		switch {
		case declared && f.Type == "text" && m.IntN(2) == 0:
			o.blobs[name] = strconv.Itoa(m.IntN(5))
		case m.IntN(3) == 0 || declared && f.Required:
			o.fields[name] = m.value()
		}
	}
	return o
}

// pending reports whether the change is still being prepared, and settles it otherwise.
func (m *changeModel) pending() bool {
	if m.next == nil {
		return false
	}
	if m.task == "" {
		tasks, err := m.st.ListTasks(context.Background(), bucketlite.TaskQuery{Type: bucketlite.ChangeSchemaTask, Query: bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Desc("created_at")}, Limit: 1}})
		if err != nil || len(tasks.Results) == 0 {
			m.fatal("tasks: got %v, %v", tasks, err)
		}
		m.task = tasks.Results[0].ID
	}
	t, err := m.st.Task(context.Background(), m.task)
	if err != nil {
		m.fatal("%v", err)
	}
	return !t.Done()
}

// settle takes the result of a change that has ended.
func (m *changeModel) settle() {
	err := <-m.result
	next := *m.next
	m.next, m.task = nil, ""
	m.take(err, next)
}

// take compares the outcome of a change with what it must be.
func (m *changeModel) take(err error, next modelSchema) {
	m.note("change ended: %v", err)
	changed := make(map[string]modelObject)
	invalid := 0
	for id, o := range m.objects {
		now, ok := o.change(&m.opts, next, m.fill)
		if changed[id] = now; !ok || !next.conforms(now) {
			invalid++
		}
	}
	var refused *bucketlite.SchemaChangeError
	switch {
	case err == nil && invalid > 0:
		m.fatal("the change took effect, but %d objects do not conform", invalid)
	case err == nil:
		if next.text() != m.schema.text() {
			m.version++
		}
		m.schema, m.objects = next, changed
	case errors.As(err, &refused):
		// Objects that were deleted or mended since they were checked count, too.
		if refused.Count == 0 || int(refused.Count) < invalid {
			m.fatal("got %v, want %d invalid objects at least", err, invalid)
		}
	case errors.Is(err, bucketlite.ErrConflict): // canceled
	default:
		m.fatal("change: %v", err)
	}
}

// begin begins a random change.
func (m *changeModel) begin() {
	next := modelSchema{maps.Clone(m.schema.Fields), m.schema.Closed}
	opts := bucketlite.SchemaChangeOptions{Rename: map[string]string{}}
	var fill []string
	for _, name := range modelNames {
		f, declared := m.schema.Fields[name]
		if _, taken := opts.Rename[name]; taken || slices.Contains(slices.Collect(maps.Values(opts.Rename)), name) {
			continue
		}
		switch {
		case declared && m.IntN(6) == 0:
			delete(next.Fields, name)
			opts.Drop = append(opts.Drop, name)
		case declared && m.IntN(5) == 0:
			to := modelNames[m.IntN(len(modelNames))]
			if _, there := m.schema.Fields[to]; !there && next.Fields[to].Type == "" {
				delete(next.Fields, name)
				next.Fields[to] = f
				opts.Rename[name] = to
			}
		case declared && m.IntN(4) == 0:
			was := f
			f.Required = !f.Required
			if f.Max != nil {
				f.Max = new(*f.Max + m.IntN(5) - 1)
			}
			next.Fields[name] = f
			if f.Required && !was.Required && f.Default != nil {
				fill = append(fill, name)
			}
		case !declared && m.IntN(4) == 0:
			f := m.field()
			next.Fields[name] = f
			if f.Required && f.Default != nil {
				fill = append(fill, name)
			}
		}
	}
	if m.IntN(4) == 0 {
		next.Closed = !next.Closed
	}
	for name, f := range next.Fields {
		if f.Max != nil && f.Default != nil && f.Default.(int) > *f.Max {
			f.Max = nil
			next.Fields[name] = f
		}
	}
	m.opts, m.fill = opts, fill
	h, schema := m.handle(), rawSchema(m.t, next.text())
	m.note("change to %s, %+v", next.text(), opts)
	result := make(chan error, 1)
	before := m.tasks()
	go func() {
		_, err := h.ChangeSchema(context.Background(), schema, &opts)
		result <- err
	}()
	// It either begins a task, or ends.
	for {
		select {
		case err := <-result:
			m.take(err, next)
			return
		case <-time.After(time.Millisecond):
			if m.tasks() > before {
				m.next, m.result = &next, result
				return
			}
		}
	}
}

func (m *changeModel) tasks() int64 {
	page, err := m.st.ListTasks(context.Background(), bucketlite.TaskQuery{Type: bucketlite.ChangeSchemaTask, Query: bucketlite.Query{Total: true, Limit: 1}})
	if err != nil {
		m.t.Error(err)
		return 0
	}
	return page.Total
}

// allowed reports whether an object may be written now.
func (m *changeModel) allowed(o modelObject) bool {
	if !m.schema.conforms(o) {
		return false
	}
	if m.next == nil {
		return true
	}
	now, ok := o.change(&m.opts, *m.next, m.fill)
	return ok && m.next.conforms(now)
}

func (o modelObject) input(id string) bucketlite.ObjectInput {
	in := bucketlite.ObjectInput{ID: id, Fields: o.fields, Blobs: []bucketlite.BlobInput{}}
	for name, text := range o.blobs {
		in.Blobs = append(in.Blobs, bucketlite.BlobInput{Property: name, Reader: strings.NewReader(text)})
	}
	return in
}

// write puts, patches or deletes an object.
func (m *changeModel) write() {
	ctx := context.Background()
	ids := slices.Sorted(maps.Keys(m.objects))
	h := m.handle()
	switch n := m.IntN(5); {
	case n == 0 && len(ids) > 0:
		id := ids[m.IntN(len(ids))]
		m.note("delete %s", id)
		if err := h.DeleteObject(ctx, id, nil); err != nil {
			m.fatal("delete %s: %v", id, err)
		}
		delete(m.objects, id)
	case n <= 2 && len(ids) > 0:
		id := ids[m.IntN(len(ids))]
		name := modelNames[m.IntN(len(modelNames))]
		o := modelObject{maps.Clone(m.objects[id].fields), maps.Clone(m.objects[id].blobs)}
		if _, blob := o.blobs[name]; blob {
			return // both at the root and in a blob
		}
		o.fields[name] = m.value()
		m.note("patch %s: %s = %v", id, name, o.fields[name])
		_, err := h.Patch(ctx, id, bucketlite.ObjectInput{Fields: map[string]any{name: o.fields[name]}}, nil)
		m.wrote(id, o, err)
	default:
		id, o := fmt.Sprint("o", m.IntN(1<<30)), m.object()
		stored := modelObject{maps.Clone(o.fields), o.blobs}
		for name, f := range m.schema.Fields {
			_, blob := o.blobs[name]
			if _, there := o.fields[name]; !there && !blob && f.Default != nil {
				stored.fields[name] = f.Default
			}
		}
		m.note("put %s: %s", id, o.text())
		_, err := h.Put(ctx, o.input(id), nil)
		m.wrote(id, stored, err)
	}
}

func (m *changeModel) wrote(id string, o modelObject, err error) {
	allowed := m.allowed(o)
	switch {
	case allowed && err != nil:
		m.fatal("write of %s: %v", o.text(), err)
	case !allowed && !errors.Is(err, bucketlite.ErrInvalid):
		m.fatal("write of %s: got %v, want ErrInvalid", o.text(), err)
	case allowed:
		m.objects[id] = o
	}
}

// compare compares all objects, found by a listing and by an index.
func (m *changeModel) compare() {
	ctx := context.Background()
	h := m.handle()
	found := 0
	var size int64
	for o, err := range h.Objects(ctx, bucketlite.Query{}) {
		if err != nil {
			m.fatal("%v", err)
		}
		got := modelObject{map[string]any{}, map[string]string{}}
		for name, v := range o.Fields {
			got.fields[name] = v
		}
		for _, blob := range o.Blobs {
			text, err := storetest.ReadBlob(h, o.ID, blob.Property)
			if err != nil {
				m.fatal("blob: %v", err)
			}
			got.blobs[blob.Property] = string(text)
		}
		if want := m.objects[o.ID]; got.text() != want.text() {
			m.fatal("object %s: got %s, want %s", o.ID, got.text(), want.text())
		}
		found++
		size += o.Size
	}
	stats, err := h.Stats(ctx)
	if err != nil || found != len(m.objects) || stats.ObjectCount != int64(found) || stats.TotalSize != size {
		m.fatal("got %d objects of %d bytes, statistics %+v, %v, want %d", found, size, stats, err, len(m.objects))
	}
	for _, name := range modelNames {
		want := 0
		for _, o := range m.objects {
			if v, ok := o.fields[name].(string); ok && v == "ab" {
				want++
			}
		}
		page, err := h.List(ctx, bucketlite.Query{Filter: bucketlite.Eq(name, "ab"), Total: true})
		if err == nil && page.Total != int64(want) {
			m.fatal("objects whose %s is ab: got %d, want %d", name, page.Total, want)
		}
	}
	info, err := h.Info(ctx)
	if err != nil || info.SchemaVersion != m.version || !jsonEqual(m.t, info.Schema, rawSchema(m.t, m.schema.text())) {
		m.fatal("got version %d, %v, want %d", info.SchemaVersion, err, m.version)
	}
}

func jsonEqual(t testing.TB, a, b any) bool {
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	return err == nil && string(x) == string(y)
}

// Random changes beside random writes, by handles of two stores on the file that know only
// the first schema.
func TestChangeSchemaModel(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	steps := &stepper{}
	st := storetest.OpenPath(t, path, bucketlite.WithSteps(bucketlite.Options{Reserve: -1}, steps.mayWork, 3))
	other := storetest.OpenPath(t, path, bucketlite.WithoutBackground(bucketlite.Options{Reserve: -1}))
	m := &changeModel{Rand: storetest.NewRand(t), t: t, st: st, steps: steps, objects: map[string]modelObject{}, version: 1,
		schema: modelSchema{Fields: map[string]modelField{"a": {Type: "string"}, "b": {Type: "integer"}, "c": {Type: "text"}}}}
	m.b = storetest.Bucket(t, st, bucketlite.BucketConfig{Schema: rawSchema(t, m.schema.text())})
	m.far = bucketOf(t, other)
	rounds := 600
	for range rounds {
		switch n := m.IntN(20); {
		case n < 2 && m.next == nil:
			m.begin()
		case n < 7:
			m.steps.step(t)
			if m.next != nil && !m.pending() {
				m.settle()
			}
		case n == 7 && m.next != nil && m.IntN(4) == 0:
			if !m.pending() {
				m.fatal("the change has ended without a step")
			}
			m.note("cancel")
			if _, err := m.st.CancelTask(ctx, m.task); err != nil {
				m.fatal("cancel: %v", err)
			}
			m.settle()
		case n == 8:
			name := modelNames[m.IntN(len(modelNames))]
			m.note("index %s", name)
			late, cancel := context.WithTimeout(ctx, time.Millisecond)
			if err := m.handle().EnsureIndex(late, name); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, bucketlite.ErrBadRequest) {
				m.fatal("index: %v", err)
			}
			cancel()
		case n == 9 && m.IntN(2) == 0:
			if err := m.handle().DropIndex(ctx, modelNames[m.IntN(len(modelNames))]); err != nil {
				m.fatal("index: %v", err)
			}
		case n == 10:
			m.compare()
		default:
			m.write()
		}
	}
	for m.next != nil {
		m.steps.step(t)
		if !m.pending() {
			m.settle()
		}
	}
	m.compare()
	t.Logf("%d schemas, %d objects", m.version, len(m.objects))
	storetest.WantNoProblem(t, st)
	for range 300 {
		m.steps.step(t)
	}
	storetest.WantNoProblem(t, other)
	storetest.WantSound(t, path)
	if got := storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT count(*) FROM old_partitions"); got != "0\n" {
		t.Errorf("partitions that no bucket uses: got %q, want none", got)
	}
}
