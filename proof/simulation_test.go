package proof_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// compareEvents fails unless all events so far lead to what the model has.
func (s *simulation) compareEvents(events []bucketlite.Event) {
	s.t.Helper()
	ids := s.m.ids()
	slices.Sort(ids)
	if got := storetest.LiveObjects(s.t, events, s.b.ID()); !slices.Equal(got, ids) {
		s.t.Errorf("objects: got %q, want %q", got, ids)
	}
	status, isLocked := bucketlite.StatusActive, false
	version := int64(0)
	versions := make(map[string]int64)
	for _, e := range events {
		switch e.Kind {
		case bucketlite.EventBucketLocked:
			isLocked = true
		case bucketlite.EventBucketUnlocked:
			isLocked = false
		case bucketlite.EventBucketArchived:
			status = bucketlite.StatusArchived
		case bucketlite.EventBucketSuspended:
			status = bucketlite.StatusSuspended
		case bucketlite.EventBucketActivated:
			status = bucketlite.StatusActive
		case bucketlite.EventObjectCreated, bucketlite.EventObjectUpdated, bucketlite.EventObjectDeleted:
			version++ // each of these, and nothing else, counts in a bucket's clock
			versions[e.ObjectID] = version
		}
	}
	if status != s.m.status || isLocked != s.m.locked {
		s.t.Errorf("got %s, locked %t, want %s, %t", status, isLocked, s.m.status, s.m.locked)
	}
	for i := range s.m.objects {
		if o := &s.m.objects[i]; versions[o.id] != o.version {
			s.t.Errorf("%s: got version %d, want %d", o.id, versions[o.id], o.version)
		}
	}
}

// simulation applies random operations to a bucket and to the model.
type simulation struct {
	t       *testing.T
	r       *rand.Rand
	path    string
	clock   *storetest.ManualClock
	handles []*handle          // on one bucket, each in a store of its own
	b       *bucketlite.Bucket // that of the handle in use
	m       model
	prefix  string   // of the keys and ids that are the simulation's own
	log     []string // the last operations
}

// handle is a bucket and its store.
type handle struct {
	st *bucketlite.Store
	b  *bucketlite.Bucket
}

func newSimulation(t *testing.T, r *rand.Rand, path string) *simulation {
	t.Helper()
	s := &simulation{t: t, r: r, path: path, clock: storetest.NewManualClock()}
	s.m.status = bucketlite.StatusActive
	s.handles = []*handle{{st: s.open()}}
	s.b = storetest.Items(t, s.handles[0].st)
	s.handles[0].b = s.b
	if path != ":memory:" {
		s.handles = append(s.handles, s.reopen())
	}
	return s
}

func (s *simulation) open() *bucketlite.Store {
	s.t.Helper()
	return storetest.OpenPath(s.t, s.path, &bucketlite.Options{Now: s.clock.Now, Durability: bucketlite.DurabilityNormal})
}

// reopen opens the file once more.
func (s *simulation) reopen() *handle {
	s.t.Helper()
	h := &handle{st: s.open()}
	var err error
	if h.b, err = storetest.Namespace(s.t, h.st).Bucket(context.Background(), "items"); err != nil {
		s.t.Fatal(err)
	}
	return h
}

// want fails unless err is the error the model came to.
func (s *simulation) want(err, want error, format string, args ...any) {
	s.t.Helper()
	s.log = append(s.log[max(0, len(s.log)-15):], fmt.Sprintf(format, args...)+fmt.Sprintf(": %v", want))
	if !errors.Is(err, want) {
		s.t.Errorf("%s: got %v, want %v", fmt.Sprintf(format, args...), err, want)
	}
}

// step does one operation.
func (s *simulation) step() {
	now := s.clock.Add(time.Duration(s.r.IntN(2000)-500) * time.Millisecond)
	i := s.r.IntN(len(s.handles))
	s.b = s.handles[i].b
	switch n := s.r.IntN(100); {
	case n < 90:
		s.write(now)
	case n < 95:
		s.transit()
	case n < 98:
		s.index()
	case s.path != ":memory:":
		s.log = append(s.log, "reopen")
		if err := s.handles[i].st.Close(); err != nil {
			s.t.Fatal(err)
		}
		s.handles[i] = s.reopen()
		s.b = s.handles[i].b
	}
}

// write does one operation on objects.
func (s *simulation) write(now time.Time) {
	switch n := s.r.IntN(90); {
	case n < 40:
		s.put(now)
	case n < 65:
		s.patch(now)
	case n < 80:
		s.remove()
	default:
		s.batch(now)
	}
}

func (s *simulation) put(now time.Time) {
	in := s.input(true)
	version := s.anyVersion(s.m.byKey(*in.k))
	asked := []bucketlite.Policy{"", bucketlite.Insert, bucketlite.Update, bucketlite.Upsert, bucketlite.Upsert}[s.r.IntN(5)]
	policy := asked
	if policy == "" {
		policy = bucketlite.Upsert
	}
	if policy == bucketlite.Update && s.m.byKey(*in.k) == nil {
		version = 0 // which of two reasons is reported is open
	}
	res, err := s.b.Put(context.Background(), in.object(), &bucketlite.PutOptions{Policy: asked, IfVersion: version})
	before := len(s.m.objects)
	o, want := s.m.put(in, policy, version, now)
	s.want(err, want, "put %s, policy %q, version %d", in, asked, version)
	if err == nil && want == nil {
		s.stored(o, res.Object, now)
		if created := len(s.m.objects) > before; res.Created != created {
			s.t.Errorf("created: got %t, want %t", res.Created, created)
		}
	}
}

func (s *simulation) patch(now time.Time) {
	id, in := s.anyID(), s.input(false)
	version := s.anyVersion(s.m.byID(id))
	got, err := s.b.Patch(context.Background(), id, in.object(), &bucketlite.PatchOptions{IfVersion: version})
	o, want := s.m.patch(id, in, version, now)
	s.want(err, want, "patch %q with %s, version %d", id, in, version)
	if err == nil && want == nil {
		s.stored(o, got, now)
	}
}

func (s *simulation) remove() {
	id := s.anyID()
	version := s.anyVersion(s.m.byID(id))
	err := s.b.DeleteObject(context.Background(), id, &bucketlite.DeleteObjectOptions{IfVersion: version})
	s.want(err, s.m.remove(id, version), "delete %q, version %d", id, version)
}

// batch puts several inputs, in one commit or each by itself.
func (s *simulation) batch(now time.Time) {
	n := s.r.IntN(8)
	if s.r.IntN(20) == 0 {
		n = 300 // more than one slice
	}
	atomic := s.r.IntN(2) == 0
	policy := []bucketlite.Policy{bucketlite.Insert, bucketlite.Update, bucketlite.Upsert}[s.r.IntN(3)]
	ins := make([]*modelInput, n)
	inputs := make([]bucketlite.ObjectInput, n)
	for i := range ins {
		ins[i] = s.input(true)
		inputs[i] = ins[i].object()
	}
	res, err := s.b.PutMany(context.Background(), inputs, &bucketlite.PutManyOptions{Policy: policy, Atomic: atomic})
	succeeded := make(map[int]*bucketlite.Object)
	failed := make(map[int]error)
	for _, success := range res.Succeeded {
		succeeded[success.Index] = success.Object
	}
	for _, failure := range res.Failed {
		failed[failure.Index] = failure.Err
	}
	before := s.m.clone()
	var first error
	if atomic { // what is invalid in itself is found before anything else
		first = s.m.writable()
		if n == 0 {
			first = nil
			if err != nil && s.m.writable() != nil {
				return // whether an empty batch is one is not laid down
			}
		}
		for _, in := range ins {
			if in.wrong {
				first = bucketlite.ErrInvalid
			}
		}
	}
	for i, in := range ins {
		if atomic && first != nil {
			break
		}
		o, want := s.m.put(in, policy, 0, now)
		switch {
		case want != nil && atomic:
			first = want
		case want != nil:
			s.want(failed[i], want, "input %d of a batch, %s", i, in)
		case succeeded[i] == nil && (!atomic || err == nil):
			s.t.Errorf("input %d of a batch, %s: got %v, want it stored", i, in, failed[i])
		case succeeded[i] != nil:
			s.stored(o, succeeded[i], now)
		}
	}
	s.want(err, first, "batch of %d, atomic %t, policy %q", n, atomic, policy)
	if first != nil {
		s.m = before
	}
	if first != nil && len(res.Succeeded) > 0 || first == nil && len(res.Succeeded)+len(res.Failed) != n {
		s.t.Errorf("got %d succeeded and %d failed of %d", len(res.Succeeded), len(res.Failed), n)
	}
}

// transit changes the bucket's state; mostly it makes it active again.
func (s *simulation) transit() {
	ctx := context.Background()
	switch n := s.r.IntN(12); n {
	case 0, 1: // activate, archive, suspend: see transitions
	case 2, 3, 4, 5, 6, 7:
		s.m.locked = false
		s.want(s.b.Unlock(ctx), nil, "unlock")
	case 8:
		s.m.locked = true
		s.want(s.b.Lock(ctx), nil, "lock")
	}
	i := s.r.IntN(8)
	if i > 2 {
		i = 0
	}
	want := error(nil)
	switch verdict := storetest.Transitions[s.m.status][i]; {
	case verdict == storetest.ChangesNothing:
	case s.m.locked:
		want = bucketlite.ErrLocked
	case verdict == storetest.RefusedInactive:
		want = bucketlite.ErrNotActive
	default:
		defer func() { s.m.status = storetest.TransitionStatuses[i] }()
	}
	s.want(storetest.TransitionCalls[i](s.b, ctx), want, "%s", storetest.TransitionNames[i])
}

// input makes an input for Put, or for Patch, where all may be missing.
func (s *simulation) input(put bool) *modelInput {
	in := &modelInput{}
	if put || s.r.IntN(4) == 0 {
		in.k = new(fmt.Sprint(s.prefix, "key", s.r.IntN(30)))
	}
	if put && s.r.IntN(4) == 0 {
		if in.id = fmt.Sprint(s.prefix, "id", s.r.IntN(20)); s.r.IntN(2) == 0 {
			if o := s.m.byKey(*in.k); o != nil {
				in.id = o.id
			}
		}
	}
	if in.setN = s.r.IntN(2) == 0; in.setN {
		in.n = []any{nil, json.Number("0"), json.Number("-7"), json.Number("5.0"), json.Number("1e3"), json.Number("9007199254740993")}[s.r.IntN(6)]
	}
	if in.setV = s.r.IntN(2) == 0; in.setV {
		in.v = []any{nil, "", "plain", `"quoted" \ <&>`, "🪣 ü \n\t\x01", strings.Repeat("long", s.r.IntN(100))}[s.r.IntN(6)]
	}
	if s.r.IntN(5) == 0 {
		in.blobs, in.doc = true, new(strings.Repeat("document ", s.r.IntN(5)))
	} else if put {
		in.blobs = s.r.IntN(5) == 0
	}
	in.wrong = s.r.IntN(20) == 0
	return in
}

// anyID returns the id of an object, or of none.
func (s *simulation) anyID() string {
	if len(s.m.objects) == 0 || s.r.IntN(10) == 0 {
		return "none"
	}
	return s.m.objects[s.r.IntN(len(s.m.objects))].id
}

// anyVersion returns a version to insist on: mostly none, else that of o, or a
// wrong one.
func (s *simulation) anyVersion(o *modelObject) int64 {
	switch n := s.r.IntN(10); {
	case n < 2 && o != nil:
		return o.version
	case n == 2:
		return s.m.version + 1
	case n == 3 && o != nil && o.version > 1:
		return o.version - 1
	}
	return 0
}

// stored checks what a write returned, and notes what only the store can know.
func (s *simulation) stored(o *modelObject, got *bucketlite.Object, now time.Time) {
	s.t.Helper()
	if got.Version <= s.m.version {
		s.t.Errorf("version: got %d after %d", got.Version, s.m.version)
	}
	if o.id == "" {
		if o.id = got.ID; s.m.find(func(other *modelObject) bool { return other != o && other.id == got.ID }) != nil {
			s.t.Errorf("id: got %q, which another has", got.ID)
		}
	}
	o.version, s.m.version = got.Version, got.Version
	s.equal(o, got)
	if !got.UpdatedAt.Equal(now) {
		s.t.Errorf("updated at: got %v, want %v", got.UpdatedAt, now)
	}
}

// equal fails unless an object is what the model has.
func (s *simulation) equal(o *modelObject, got *bucketlite.Object) {
	s.t.Helper()
	want := *got
	want.ID, want.BucketID, want.Version, want.Status, want.Size = o.id, s.b.ID(), o.version, bucketlite.StatusDraft, o.size()
	want.CreatedAt, want.UpdatedAt, want.Fields = o.created, o.updated, o.all()
	storetest.WantEqual(s.t, "object", *got, want)
	switch {
	case o.doc == nil:
		if len(got.Blobs) != 0 {
			s.t.Errorf("%s: got %+v, want no blob", o.id, got.Blobs)
		}
	case len(got.Blobs) != 1 || got.Blobs[0].Property != "doc" || got.Blobs[0].Details.Size != int64(len(*o.doc)):
		s.t.Errorf("%s: got %+v, want %q", o.id, got.Blobs, *o.doc)
	}
}

// compare fails unless the store shows everywhere what the model has.
func (s *simulation) compare() {
	s.t.Helper()
	ctx := context.Background()
	info, err := s.b.Info(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	want := bucketlite.Stats{LastUploadAt: &s.m.upload, UpdatedAt: info.Stats.UpdatedAt}
	if s.m.upload.IsZero() {
		want.LastUploadAt = nil
	}
	for i := range s.m.objects {
		storetest.AddToStats(&want, s.m.objects[i].size())
	}
	if info.Status != s.m.status || info.Locked != s.m.locked || !storetest.EqualStats(&info.Stats, &want) {
		s.t.Errorf("info: got %+v, want %+v, status %s, locked %t", info, want, s.m.status, s.m.locked)
	}
	if s.m.status == bucketlite.StatusSuspended {
		if err := storetest.LastError(s.b.Objects(ctx, bucketlite.Query{})); !errors.Is(err, bucketlite.ErrNotActive) {
			s.t.Errorf("objects: got %v, want ErrNotActive", err)
		}
		return
	}
	met := 0
	for got, err := range s.b.Objects(ctx, bucketlite.Query{}) {
		if err != nil {
			s.t.Fatal(err)
		}
		if met == len(s.m.objects) {
			s.t.Fatalf("objects: got %+v beyond the last", got)
		}
		o := &s.m.objects[met]
		met++
		s.equal(o, got)
		if s.r.IntN(10) > 0 {
			continue
		}
		for _, read := range []func() (*bucketlite.Object, error){
			func() (*bucketlite.Object, error) { return s.b.Object(ctx, o.id) },
			func() (*bucketlite.Object, error) { return s.b.ObjectByKey(ctx, map[string]any{"k": o.k}) },
		} {
			got, err := read()
			if err != nil {
				s.t.Fatal(err)
			}
			s.equal(o, got)
		}
	}
	if met != len(s.m.objects) {
		s.t.Errorf("objects: got %d, want %d", met, len(s.m.objects))
	}
	s.compareQueries()
}

// compareContent fails unless each content is stored once, and no other.
func (s *simulation) compareContent() {
	s.t.Helper()
	docs := make(map[string]bool)
	want := int64(0)
	for i := range s.m.objects {
		if doc := s.m.objects[i].doc; doc != nil && !docs[*doc] {
			docs[*doc] = true
			want += int64(len(*doc))
		}
	}
	storetest.WantContent(s.t, s.handles[0].st, want)
}

// index makes or drops an index.
func (s *simulation) index() {
	ctx := context.Background()
	want := error(nil)
	if s.m.locked {
		want = bucketlite.ErrLocked
	}
	path := []string{"v", "n", "k", "created_at"}[s.r.IntN(4)]
	switch s.r.IntN(5) {
	case 0, 1:
		s.want(s.b.EnsureIndex(ctx, path), want, "index %s", path)
	case 2:
		s.want(s.b.DropIndex(ctx, path), want, "drop the index of %s", path)
	case 3:
		s.want(s.b.EnsureTextIndex(ctx), want, "index texts")
	default:
		s.want(s.b.DropTextIndex(ctx), want, "drop the index of texts")
	}
}

// compareQueries fails unless queries find in the store what they find in the
// model, whatever indexes there are.
func (s *simulation) compareQueries() {
	s.t.Helper()
	texts := []string{"PLAIN", `"quoted" \ <&>`, "🪣 Ü \n\t\x01", "", "longlong"}
	text := texts[s.r.IntN(len(texts))]
	n := []json.Number{"5", "0", "1000", "9007199254740993", "9007199254740992"}[s.r.IntN(5)]
	value := func(o *modelObject) (int64, bool) { // all are whole numbers
		n, ok := o.fields["n"].(json.Number)
		if !ok {
			return 0, false
		}
		if i, err := n.Int64(); err == nil {
			return i, true
		}
		f, _ := n.Float64()
		return int64(f), true
	}
	whole, _ := n.Int64()
	s.find(bucketlite.Query{Filter: bucketlite.Eq("v", text)}, func(o *modelObject) bool {
		v, ok := o.fields["v"].(string)
		return ok && strings.EqualFold(v, text)
	})
	s.find(bucketlite.Query{Filter: bucketlite.IsNull("v")}, func(o *modelObject) bool { return o.fields["v"] == nil })
	s.find(bucketlite.Query{Filter: bucketlite.Eq("n", n)}, func(o *modelObject) bool {
		v, ok := value(o)
		return ok && v == whole
	})
	s.find(bucketlite.Query{Filter: bucketlite.Lt("n", n)}, func(o *modelObject) bool {
		v, ok := value(o)
		return ok && v < whole
	})
	for _, part := range []string{"ongL", "oted", "🪣 ü", "main"} {
		has := func(o *modelObject) bool {
			v, _ := o.fields["v"].(string)
			return strings.Contains(strings.ToLower(v), strings.ToLower(part))
		}
		s.find(bucketlite.Query{Filter: bucketlite.Contains("v", part)}, has)
		if !strings.Contains(part, " ") {
			s.find(bucketlite.Query{Search: part}, has)
		}
	}
	order := slices.Clone(s.m.objects)
	slices.SortStableFunc(order, func(a, b modelObject) int {
		x, some := value(&a)
		y, other := value(&b)
		if !some || !other {
			return cmp.Compare(bit(!some), bit(!other))
		}
		return cmp.Compare(y, x)
	})
	s.wantFound(bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Desc("n")}}, order)
}

// find fails unless a query finds what a test holds for.
func (s *simulation) find(q bucketlite.Query, test func(*modelObject) bool) {
	s.t.Helper()
	var want []modelObject
	for i := range s.m.objects {
		if test(&s.m.objects[i]) {
			want = append(want, s.m.objects[i])
		}
	}
	s.wantFound(q, want)
}

// wantFound fails unless a query finds these objects.
func (s *simulation) wantFound(q bucketlite.Query, want []modelObject) {
	s.t.Helper()
	var got []string
	for o, err := range s.b.Objects(context.Background(), q) {
		if err != nil {
			s.t.Fatal(err)
		}
		got = append(got, o.ID)
	}
	ids := (&model{objects: want}).ids()
	if !slices.Equal(got, ids) {
		s.t.Errorf("query %+v: got %q, want %q", q, got, ids)
	}
	q.Total, q.Limit = true, 1
	if page, err := s.b.List(context.Background(), q); err != nil || page.Total != int64(len(want)) {
		s.t.Errorf("query %+v: got %+v, %v, want a total of %d", q, page, err, len(want))
	}
}
