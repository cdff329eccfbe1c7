package proof_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// wantReplayed fails unless all events of the store lead to just these objects of
// a bucket.
func wantReplayed(t testing.TB, st *bucketlite.Store, b *bucketlite.Bucket, ids []string) {
	t.Helper()
	events := storetest.EventsAfter(t, st, "")
	storetest.WantNumbered(t, events, 1)
	ids = slices.Clone(ids)
	slices.Sort(ids)
	if diff := cmp.Diff(ids, storetest.LiveObjects(t, events, b.ID())); diff != "" {
		t.Errorf("objects after all events (-want +got):\n%s", diff)
	}
}

// The objects of a bucket, and its state, follow from the events.
func TestModelEvents(t *testing.T) {
	t.Parallel()
	steps := 600
	if *storetest.Long {
		steps = 20_000
	}
	t.Logf("%d operations compared with their events, on a file and in memory", steps)
	for kind, path := range map[string]string{"memory": ":memory:", "file": filepath.Join(t.TempDir(), "test.db")} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSimulation(t, storetest.NewRand(t), path)
			met := storetest.EventsAfter(t, s.handles[0].st, "")
			for step := range steps {
				if s.step(); step%20 > 0 && !t.Failed() {
					continue
				}
				met = append(met, storetest.EventsAfter(t, s.handles[s.r.IntN(len(s.handles))].st, met[len(met)-1].Cursor)...)
				storetest.WantNumbered(t, met, 1)
				s.compareEvents(met)
				if t.Failed() {
					t.Fatalf("step %d, after:\n%s", step, strings.Join(s.log, "\n"))
				}
			}
		})
	}
}

// TestModel does one operation at a time: in memory, and on a file through two
// stores in turn, which are closed and opened now and then.
func TestModel(t *testing.T) {
	t.Parallel()
	steps := 1500
	if *storetest.Long {
		steps = 50_000
	}
	t.Logf("%d operations compared with the model, on a file and in memory", steps)
	for kind, path := range map[string]string{"memory": ":memory:", "file": filepath.Join(t.TempDir(), "test.db")} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSimulation(t, storetest.NewRand(t), path)
			for step := range steps {
				s.step()
				if step%10 == 0 || t.Failed() {
					s.compare()
				}
				if step%500 == 0 {
					storetest.WantNoProblem(t, s.handles[0].st)
				}
				if t.Failed() {
					t.Fatalf("step %d, after:\n%s", step, strings.Join(s.log, "\n"))
				}
			}
			s.compareContent()
			storetest.WantNoProblem(t, s.handles[0].st)
			if path == ":memory:" {
				return
			}
			for _, h := range s.handles {
				s.b = h.b
				s.compare()
			}
			storetest.WantSound(t, path)
		})
	}
}

// TestModelTogether does the operations of several simulations at once on one
// bucket, each on keys of its own, so that commit groups hold what is stored,
// what is refused and what is taken back.
func TestModelTogether(t *testing.T) {
	t.Parallel()
	steps := 150
	if *storetest.Long {
		steps = 5000
	}
	t.Logf("16 times %d operations at once compared with the model, on a file and in memory", steps)
	for kind, path := range map[string]string{"memory": ":memory:", "file": filepath.Join(t.TempDir(), "test.db")} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := storetest.NewRand(t)
			whole := newSimulation(t, r, path)
			storetest.IndexItems(t, whole.b)
			now := whole.clock.Add(0)
			parts := make([]*simulation, 16)
			for i := range parts {
				part := *whole
				part.r, part.prefix = rand.New(rand.NewPCG(r.Uint64(), 0)), fmt.Sprintf("%x-", i)
				parts[i] = &part
			}
			storetest.AtOnce(len(parts), func(i int) error {
				s := parts[i]
				for step := 0; step < steps && !t.Failed(); step++ {
					s.b = s.handles[s.r.IntN(len(s.handles))].b
					s.write(now)
					if t.Failed() {
						t.Errorf("part %d, step %d, after:\n%s", i, step, strings.Join(s.log, "\n"))
					}
				}
				return nil
			})
			if t.Failed() {
				return
			}
			for o, err := range whole.b.Objects(context.Background(), bucketlite.Query{}) {
				if err != nil {
					t.Fatal(err)
				}
				var i int
				fmt.Sscanf(o.Fields["k"].(string), "%x-", &i)
				if met := parts[i].m.byID(o.ID); met == nil {
					t.Errorf("got %+v, which is not to be there", o)
				} else {
					whole.m.objects = append(whole.m.objects, *met)
				}
			}
			for _, part := range parts {
				if part.m.upload.After(whole.m.upload) {
					whole.m.upload = part.m.upload
				}
				if missing := len(part.m.objects); missing != len(whole.m.withPrefix(part.prefix)) {
					t.Errorf("part %s: got %d objects, want %d", part.prefix, len(whole.m.withPrefix(part.prefix)), missing)
				}
			}
			whole.compare()
			whole.compareContent()
			wantReplayed(t, whole.handles[0].st, whole.b, whole.m.ids())
			storetest.WantNoProblem(t, whole.handles[0].st)
			if path != ":memory:" {
				storetest.WantSound(t, path)
			}
		})
	}
}

// model is a bucket of items as a plain Go value.
type model struct {
	objects []modelObject // in order of creation
	status  bucketlite.Status
	locked  bool
	upload  time.Time // zero for none
	version int64     // the highest there ever was
}

// modelObject is an item.
type modelObject struct {
	id      string
	k       string
	fields  map[string]any // but the key
	doc     *string        // stored content
	version int64
	created time.Time
	updated time.Time
}

// all returns the object's fields with the key.
func (o *modelObject) all() map[string]any {
	all := maps.Clone(o.fields)
	all["k"] = o.k
	return all
}

func (o *modelObject) size() int64 {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(o.all()); err != nil {
		panic(err)
	}
	size := int64(text.Len() - 1) // without the line feed
	if o.doc != nil {
		size += int64(len(*o.doc))
	}
	return size
}

// ids returns the ids of the objects.
func (m *model) ids() (ids []string) {
	for i := range m.objects {
		ids = append(ids, m.objects[i].id)
	}
	return ids
}

func (m *model) clone() model {
	c := *m
	c.objects = slices.Clone(m.objects)
	for i := range c.objects {
		c.objects[i].fields = maps.Clone(c.objects[i].fields)
	}
	return c
}

// find returns the object a test holds for, or nil.
func (m *model) find(test func(*modelObject) bool) *modelObject {
	for i := range m.objects {
		if test(&m.objects[i]) {
			return &m.objects[i]
		}
	}
	return nil
}

func (m *model) byKey(k string) *modelObject {
	return m.find(func(o *modelObject) bool { return o.k == k })
}
func (m *model) byID(id string) *modelObject {
	return m.find(func(o *modelObject) bool { return o.id == id })
}

// withPrefix returns the objects whose keys begin with prefix.
func (m *model) withPrefix(prefix string) (found []modelObject) {
	for _, o := range m.objects {
		if strings.HasPrefix(o.k, prefix) {
			found = append(found, o)
		}
	}
	return found
}

// writable returns why objects cannot be written, or nil.
func (m *model) writable() error {
	switch {
	case m.locked:
		return bucketlite.ErrLocked
	case m.status != bucketlite.StatusActive:
		return bucketlite.ErrNotActive
	}
	return nil
}

// modelInput is what is put or patched; nil means not given.
type modelInput struct {
	id    string
	k     *string
	n, v  any     // null for nil in a patch
	setN  bool    // n is given
	setV  bool    // v is given
	doc   *string // with content
	blobs bool    // with a list of blobs, maybe none
	wrong bool    // n is of the wrong type
}

// object returns the input as the library takes it.
func (in *modelInput) object() bucketlite.ObjectInput {
	fields := make(map[string]any)
	if in.k != nil {
		fields["k"] = *in.k
	}
	if in.setN {
		fields["n"] = in.n
	}
	if in.setV {
		fields["v"] = in.v
	}
	if in.wrong {
		fields["n"] = "no number"
	}
	o := bucketlite.ObjectInput{ID: in.id, Fields: fields}
	if in.blobs {
		o.Blobs = []bucketlite.BlobInput{}
	}
	if in.doc != nil {
		o.Blobs = append(o.Blobs, bucketlite.BlobInput{Property: "doc", Reader: strings.NewReader(*in.doc)})
	}
	return o
}

func (in *modelInput) String() string {
	text, err := json.Marshal(in.object().Fields)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%q %s blobs %t", in.id, text, in.blobs)
}

// put does what Put should, and returns the object, or why not.
func (m *model) put(in *modelInput, policy bucketlite.Policy, ifVersion int64, now time.Time) (*modelObject, error) {
	if in.wrong {
		return nil, bucketlite.ErrInvalid
	}
	if err := m.writable(); err != nil {
		return nil, err
	}
	fields := make(map[string]any)
	if in.setN && in.n != nil {
		fields["n"] = in.n
	}
	if in.setV && in.v != nil {
		fields["v"] = in.v
	}
	o := m.byKey(*in.k)
	switch {
	case o == nil && policy == bucketlite.Update:
		return nil, bucketlite.ErrNotFound
	case o == nil && ifVersion != 0:
		return nil, bucketlite.ErrConflict
	case o == nil && in.id != "" && m.byID(in.id) != nil:
		return nil, bucketlite.ErrConflict
	case o != nil && policy == bucketlite.Insert:
		return nil, bucketlite.ErrExists
	case o != nil && (in.id != "" && in.id != o.id || ifVersion != 0 && ifVersion != o.version):
		return nil, bucketlite.ErrConflict
	case o == nil:
		m.objects = append(m.objects, modelObject{id: in.id, k: *in.k, created: now})
		o = &m.objects[len(m.objects)-1]
	}
	o.fields, o.updated = fields, now
	if in.blobs || in.doc != nil {
		o.doc = in.doc
	}
	if now.After(m.upload) {
		m.upload = now
	}
	return o, nil
}

// patch does what Patch should.
func (m *model) patch(id string, in *modelInput, ifVersion int64, now time.Time) (*modelObject, error) {
	if err := m.writable(); err != nil {
		return nil, err
	}
	o := m.byID(id)
	switch {
	case o == nil:
		return nil, bucketlite.ErrNotFound
	case ifVersion != 0 && ifVersion != o.version:
		return nil, bucketlite.ErrConflict
	case in.wrong:
		return nil, bucketlite.ErrInvalid
	case in.k != nil && *in.k != o.k && m.byKey(*in.k) != nil:
		return nil, bucketlite.ErrExists
	}
	if in.k != nil {
		o.k = *in.k
	}
	for name, given := range map[string]bool{"n": in.setN, "v": in.setV} {
		if v := map[string]any{"n": in.n, "v": in.v}[name]; given && v == nil {
			delete(o.fields, name)
		} else if given {
			o.fields[name] = v
		}
	}
	if in.doc != nil {
		o.doc = in.doc
	}
	o.updated = now
	return o, nil
}

// remove does what DeleteObject should.
func (m *model) remove(id string, ifVersion int64) error {
	if err := m.writable(); err != nil {
		return err
	}
	o := m.byID(id)
	switch {
	case o == nil:
		return bucketlite.ErrNotFound
	case ifVersion != 0 && ifVersion != o.version:
		return bucketlite.ErrConflict
	}
	m.objects = slices.DeleteFunc(m.objects, func(o modelObject) bool { return o.id == id })
	return nil
}
