package proof_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// TestModelApply applies random change sets to three buckets, several at once, through two
// stores on one file, and compares each with plain maps.
func TestModelApply(t *testing.T) {
	t.Parallel()
	steps := 40
	if *storetest.Long {
		steps = 4000
	}
	for kind, path := range map[string]string{"memory": ":memory:", "file": filepath.Join(t.TempDir(), "test.db")} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := storetest.NewRand(t)
			stores := setStores(t, path)
			parts := make([]*setModel, 8)
			for i := range parts {
				parts[i] = newSetModel(t, rand.New(rand.NewPCG(r.Uint64(), 0)), fmt.Sprintf("%d-", i), stores)
			}
			storetest.Must(t, storetest.AtOnce(len(parts), func(i int) error {
				for range steps {
					if err := parts[i].step(); err != nil {
						return fmt.Errorf("part %d: %w", i, err)
					}
				}
				return nil
			}))
			applied, refused := 0, 0
			for _, m := range parts {
				storetest.Must(t, m.compare())
				applied, refused = applied+m.applied, refused+m.refused
			}
			t.Logf("%d sets applied, %d refused", applied, refused)
			for b, bucket := range stores[0].buckets {
				var ids []string
				for _, m := range parts {
					ids = slices.AppendSeq(ids, maps.Keys(m.state[b]))
				}
				storetest.WantExact(t, bucket)
				wantReplayed(t, stores[0].st, bucket, ids)
			}
			storetest.WantNoProblem(t, stores[0].st)
			if path != ":memory:" {
				storetest.WantSound(t, path)
			}
		})
	}
}

// The events of a set are those of its changes, in order, and a refused set has none.
func TestModelApplyEvents(t *testing.T) {
	t.Parallel()
	steps := 100
	if *storetest.Long {
		steps = 5000
	}
	r := storetest.NewRand(t)
	stores := setStores(t, ":memory:")
	m := newSetModel(t, r, "", stores)
	for range steps {
		cursor := storetest.EventCursor(t, stores[0].st)
		storetest.Must(t, m.step())
		var got []string
		for _, e := range storetest.EventsAfter(t, stores[0].st, cursor) {
			got = append(got, fmt.Sprintf("%s %s %s", e.Kind, e.BucketID, e.ObjectID))
		}
		if diff := cmp.Diff(m.events, got); diff != "" {
			t.Fatalf("events of the set %v (-want +got):\n%s", m.last, diff)
		}
	}
	storetest.Must(t, m.compare())
}

// setStore is a store and its three buckets: two have the unique key k, the third has none.
type setStore struct {
	st      *bucketlite.Store
	buckets [3]*bucketlite.Bucket
}

// setStores opens a store, and a second one on its file if it has one.
func setStores(t *testing.T, path string) []setStore {
	t.Helper()
	first := setStore{st: storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})}
	for i, name := range []string{"items", "notes", "logs"} {
		config := storetest.ItemsConfig(name)
		if name == "logs" {
			config.UniqueKey = nil
		}
		first.buckets[i] = storetest.Bucket(t, first.st, config)
	}
	storetest.IndexItems(t, first.buckets[0])
	if path == ":memory:" {
		return []setStore{first}
	}
	second := setStore{st: storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})}
	for i, b := range first.buckets {
		var err error
		if second.buckets[i], err = storetest.Namespace(t, second.st).Bucket(context.Background(), b.Name()); err != nil {
			t.Fatal(err)
		}
	}
	return []setStore{first, second}
}

// setItem is an object of the model. Its version is that before the running set, 0 if the
// set has created it.
type setItem struct {
	k, v    string
	doc     string // SHA-256 of its document, or ""
	version int64
}

// setState is the objects of each bucket, by id.
type setState [3]map[string]setItem

func (s *setState) clone() (c setState) {
	for i := range s {
		c[i] = maps.Clone(s[i])
	}
	return c
}

// setModel makes random sets, of objects whose ids and keys have a prefix.
type setModel struct {
	r                *rand.Rand
	prefix           string
	stores           []setStore
	state            setState
	last             []setOp  // the last set
	events           []string // of the last set
	applied, refused int
}

func newSetModel(t *testing.T, r *rand.Rand, prefix string, stores []setStore) *setModel {
	t.Helper()
	return &setModel{r: r, prefix: prefix, stores: stores, state: setState{{}, {}, {}}}
}

// setOp is a random change.
type setOp struct {
	Op      string
	Bucket  int
	ID, K   string
	V       string
	Doc     string // the document to store, or ""
	Policy  bucketlite.Policy
	Absent  bool
	Version int64
	Invalid bool // it has a field of a wrong type
}

// setResult is what the model expects of a change.
type setResult struct {
	id      string // of the object, or a stand-in for the id of a new one
	item    setItem
	created bool
	deleted bool
}

// random returns a random change, most of which are possible.
func (m *setModel) random() setOp {
	op := setOp{Bucket: m.r.IntN(3), V: fmt.Sprint("v", m.r.IntN(100)), Invalid: m.r.IntN(100) == 0}
	ids := slices.Sorted(maps.Keys(m.state[op.Bucket]))
	some := func() string {
		if len(ids) == 0 || m.r.IntN(20) == 0 {
			return m.prefix + fmt.Sprint("id", m.r.IntN(6))
		}
		return ids[m.r.IntN(len(ids))]
	}
	kind := m.r.IntN(10)
	if len(ids) < 3 {
		kind = 0
	}
	switch kind {
	case 0, 1, 2, 3, 4:
		op.Op, op.K = "put", m.prefix+fmt.Sprint("k", m.r.IntN(6))
		if m.r.IntN(8) == 0 {
			op.ID = m.prefix + fmt.Sprint("id", m.r.IntN(6))
		}
		if m.r.IntN(8) == 0 {
			op.Policy = []bucketlite.Policy{bucketlite.Insert, bucketlite.Update, bucketlite.Upsert}[m.r.IntN(3)]
		}
		op.Absent = op.Policy != bucketlite.Update && m.r.IntN(20) == 0
	case 5, 6, 7, 8:
		op.Op, op.ID = "patch", some()
		if m.r.IntN(6) == 0 {
			op.K = m.prefix + fmt.Sprint("k", m.r.IntN(6))
		}
	default:
		op.Op, op.ID = "delete", some()
	}
	if op.Op != "delete" && m.r.IntN(5) == 0 {
		op.Doc = strings.Repeat(fmt.Sprint("doc", m.r.IntN(5), " "), []int{1, 1, 1, 60_000}[m.r.IntN(4)])
	}
	item, known := m.state[op.Bucket][op.ID]
	switch {
	case op.Absent:
	case known && m.r.IntN(3) == 0:
		op.Version = item.version
	case m.r.IntN(25) == 0:
		op.Version = 1 + m.r.Int64N(50)
	}
	return op
}

// change returns the change for a store.
func (op *setOp) change(s setStore) bucketlite.Change {
	b := s.buckets[op.Bucket]
	in := bucketlite.ObjectInput{Fields: map[string]any{"v": op.V}}
	if op.K != "" {
		in.Fields["k"] = op.K
	}
	if op.Invalid {
		in.Fields["n"] = "none"
	}
	if op.Doc != "" {
		in.Blobs = []bucketlite.BlobInput{{Property: "doc", Reader: strings.NewReader(op.Doc)}}
	}
	switch op.Op {
	case "put":
		in.ID = op.ID
		return b.PutChange(in, &bucketlite.PutOptions{Policy: op.Policy, IfAbsent: op.Absent, IfVersion: op.Version})
	case "patch":
		return b.PatchChange(op.ID, in, &bucketlite.PatchOptions{IfVersion: op.Version})
	}
	return b.DeleteChange(op.ID, &bucketlite.DeleteObjectOptions{IfVersion: op.Version})
}

// apply applies the change to the state. A new object without an id gets a stand-in for one.
func (op *setOp) apply(state *setState, standIn string) (setResult, error) {
	objects := state[op.Bucket]
	if op.Op == "put" {
		return op.put(objects, standIn)
	}
	item, found := objects[op.ID]
	switch {
	case !found:
		return setResult{}, bucketlite.ErrNotFound
	case op.Version != 0 && op.Version != item.version:
		return setResult{}, bucketlite.ErrConflict
	case op.Op == "delete":
		delete(objects, op.ID)
		return setResult{id: op.ID, deleted: true}, nil
	case op.Invalid:
		return setResult{}, bucketlite.ErrInvalid
	}
	if op.K != "" {
		if holder := op.holder(objects, op.K); holder != "" && holder != op.ID {
			return setResult{}, bucketlite.ErrExists
		}
		item.k = op.K
	}
	item.v = op.V
	if op.Doc != "" {
		item.doc = sumOf(op.Doc)
	}
	objects[op.ID] = item
	return setResult{id: op.ID, item: item}, nil
}

// holder returns the id of the object with a key, or "".
func (op *setOp) holder(objects map[string]setItem, k string) string {
	if op.Bucket == 2 {
		return ""
	}
	for id, item := range objects {
		if item.k == k {
			return id
		}
	}
	return ""
}

func (op *setOp) put(objects map[string]setItem, standIn string) (setResult, error) {
	if op.Invalid {
		return setResult{}, bucketlite.ErrInvalid
	}
	policy := op.Policy
	switch {
	case op.Absent || op.Bucket == 2:
		policy = bucketlite.Insert
	case policy == "":
		policy = bucketlite.Upsert
	}
	id := op.holder(objects, op.K)
	if id == "" {
		_, taken := objects[op.ID]
		switch {
		case policy == bucketlite.Update:
			return setResult{}, bucketlite.ErrNotFound
		case op.Bucket == 2 && taken, op.Version == 0 && taken:
			return setResult{}, bucketlite.ErrExists
		case op.Version != 0:
			return setResult{}, bucketlite.ErrConflict
		}
		if id = op.ID; id == "" {
			id = standIn
		}
		item := setItem{k: op.K, v: op.V}
		if op.Doc != "" {
			item.doc = sumOf(op.Doc)
		}
		objects[id] = item
		return setResult{id: id, item: item, created: true}, nil
	}
	item := objects[id]
	switch {
	case policy == bucketlite.Insert || op.ID != "" && op.ID != id:
		return setResult{}, bucketlite.ErrExists
	case op.Version != 0 && op.Version != item.version:
		return setResult{}, bucketlite.ErrConflict
	}
	item.v = op.V
	if op.Doc != "" {
		item.doc = sumOf(op.Doc)
	}
	objects[id] = item
	return setResult{id: id, item: item}, nil
}

func sumOf(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// expect returns the state after a set and the results, or the refused change and why. A
// change that is refused ahead counts first: one whose input is invalid by itself, or a
// patch of an object that no earlier change of the set can have touched.
func (m *setModel) expect(set []setOp) (after setState, results []setResult, index int, refusal error) {
	before := [3]bool{}
	for i := range set {
		op := &set[i]
		if op.Op == "put" && op.Invalid {
			return m.state, nil, i, bucketlite.ErrInvalid
		}
		if op.Op == "patch" && !before[op.Bucket] {
			alone := *op
			alone.K = "" // whether a key is free is seen only in the transaction
			state := m.state.clone()
			if _, err := alone.apply(&state, ""); err != nil {
				return m.state, nil, i, err
			}
		}
		before[op.Bucket] = true
	}
	after = m.state.clone()
	for i := range set {
		r, err := set[i].apply(&after, fmt.Sprint("new ", i))
		if err != nil {
			return m.state, nil, i, err
		}
		results = append(results, r)
	}
	return after, results, 0, nil
}

// step applies a random set and compares its outcome.
func (m *setModel) step() error {
	set := make([]setOp, 1+m.r.IntN(6))
	for i := range set {
		set[i] = m.random()
	}
	m.last, m.events = set, nil
	store := m.stores[m.r.IntN(len(m.stores))]
	changes := make([]bucketlite.Change, len(set))
	for i := range set {
		changes[i] = set[i].change(store)
	}
	after, want, index, refusal := m.expect(set)
	got, err := store.st.Apply(context.Background(), changes...)
	if refusal != nil {
		m.refused++
		var at *bucketlite.ChangeError
		if !errors.As(err, &at) || at.Index != index || !errors.Is(err, refusal) {
			return fmt.Errorf("set %+v: got error %w, want one of change %d that is %w", set, err, index, refusal)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("set %+v: %w", set, err)
	}
	m.applied++
	m.state = after
	return m.take(store, set, want, got)
}

// take compares the results of a set, and takes over ids and versions.
func (m *setModel) take(store setStore, set []setOp, want []setResult, got []bucketlite.ChangeResult) error {
	names := make(map[string]string) // the ids of the stand-ins
	for i, w := range want {
		o, objects := got[i].Object, m.state[set[i].Bucket]
		id := w.id
		kind := bucketlite.EventObjectUpdated
		switch {
		case w.deleted != (o == nil) || w.created != got[i].Created:
			return fmt.Errorf("set %+v: change %d: got %+v, want %+v", set, i, got[i], w)
		case w.deleted:
			kind = bucketlite.EventObjectDeleted
		case w.created:
			kind = bucketlite.EventObjectCreated
			names[w.id] = o.ID
		}
		if name, ok := names[w.id]; ok {
			id = name
		}
		m.events = append(m.events, fmt.Sprintf("%s %s %s", kind, store.buckets[set[i].Bucket].ID(), id))
		if w.deleted {
			continue
		}
		w.item.version = o.Version
		if now := itemOf(o); o.ID != id || now != w.item {
			return fmt.Errorf("set %+v: change %d: got %s %+v, want %s %+v", set, i, o.ID, now, id, w.item)
		}
		if item, ok := objects[w.id]; ok && w.id != id {
			delete(objects, w.id)
			objects[id] = item
		}
		if item, ok := objects[id]; ok {
			item.version = o.Version
			objects[id] = item
		}
	}
	return nil
}

// itemOf returns a stored object as the model has it.
func itemOf(o *bucketlite.Object) setItem {
	item := setItem{k: o.Text("k"), v: o.Text("v"), version: o.Version}
	for _, b := range o.Blobs {
		item.doc = b.Details.Hash
	}
	return item
}

// compare compares the stored objects that have the prefix.
func (m *setModel) compare() error {
	var errs []error
	for i, b := range m.stores[0].buckets {
		got := make(map[string]setItem)
		for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
			if err != nil {
				return err
			}
			if strings.HasPrefix(o.Text("k"), m.prefix) {
				got[o.ID] = itemOf(o)
			}
		}
		if diff := cmp.Diff(m.state[i], got, cmp.AllowUnexported(setItem{})); diff != "" {
			errs = append(errs, fmt.Errorf("bucket %s (-want +got):\n%s", b.Name(), diff))
		}
	}
	return errors.Join(errs...)
}
