package proof_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/storetest"

	"github.com/bucketlite/bucketlite"
)

// load is a mixed load on one store, with as much data in the end as in the
// beginning: writes choose among the same keys, and what else is made is removed again.
type load struct {
	ctx   context.Context
	dir   string
	st    *bucketlite.Store
	ns    *bucketlite.Namespace
	items *bucketlite.Bucket
	slots []*slot
	pool  []string       // documents that many objects share
	done  []atomic.Int64 // by kind of work

	// Each of these belongs to one kind of work, except the lock.
	rotating  sync.RWMutex // held while scratch is replaced
	scratch   *bucketlite.Bucket
	rotations int
	indexed   bool
	watched   bucketlite.Event // the last that was met
}

// slot is one key, and what is stored under it, as far as is known. A user
// holds its lock.
type slot struct {
	sync.Mutex
	k, id, v, doc string // no id: nothing is stored
}

// works are the kinds of work that a load does side by side, and how often it begins each.
var works = []struct {
	name string
	pace time.Duration
	do   func(*load, *rand.Rand) error
}{
	{"put", 20 * time.Millisecond, (*load).put},
	{"replace a blob", 60 * time.Millisecond, (*load).replaceBlob},
	{"put the same bytes", 100 * time.Millisecond, (*load).putSame},
	{"patch", 50 * time.Millisecond, (*load).patch},
	{"delete", 100 * time.Millisecond, (*load).remove},
	{"put many", 500 * time.Millisecond, (*load).putMany},
	{"get", 20 * time.Millisecond, (*load).get},
	{"list", 200 * time.Millisecond, (*load).list},
	{"filter", 500 * time.Millisecond, (*load).filter},
	{"aggregate", time.Second, (*load).aggregate},
	{"watch", time.Second, (*load).watch},
	{"upload", 300 * time.Millisecond, (*load).upload},
	{"process a batch", 2 * time.Second, (*load).process},
	{"build and drop indexes", 4 * time.Second, (*load).index},
	{"make and delete a bucket", 5 * time.Second, (*load).rotate},
	{"back up", 15 * time.Second, (*load).backup},
	{"read in another process", 5 * time.Second, (*load).readElsewhere},
}

// loadOptions keep few events and records of tasks, so that their number is soon
// steady.
var loadOptions = bucketlite.Options{EventRetention: 10_000, TaskRetention: 10 * time.Second}

// newLoad makes a store with n keys in a directory. About as many of them are taken, and
// by documents that are shared, as the load leaves in the long run.
func newLoad(t *testing.T, dir string, n int) *load {
	t.Helper()
	ctx := context.Background()
	l := &load{ctx: ctx, dir: dir, done: make([]atomic.Int64, len(works))}
	var err error
	if l.st, err = bucketlite.Open(ctx, storeIn(dir), &loadOptions); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.st.Close() })
	if l.ns, err = l.st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "test"}); err != nil {
		t.Fatal(err)
	}
	if l.items, err = l.ns.CreateBucket(ctx, storetest.ItemsConfig("items")); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 16 {
		l.pool = append(l.pool, document(r))
	}
	for i := range n {
		s := &slot{k: fmt.Sprint("key", i)}
		l.slots = append(l.slots, s)
		doc := document(r)
		if i%5 < 2 {
			doc = l.pool[r.IntN(len(l.pool))]
		}
		if i%8 == 0 {
			continue
		}
		if err := l.write(s, text(r), doc, true); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// text returns a value, and document a text of 4 to 128 KiB that no other has.
func text(r *rand.Rand) string { return fmt.Sprintf("%0200d", r.Uint64()) }

func document(r *rand.Rand) string {
	return strings.Repeat(fmt.Sprintf("%020d ", r.Uint64()), 200+r.IntN(6000))
}

// run does all kinds of work side by side until ctx ends, and returns what went wrong.
func (l *load) run(ctx context.Context, seed uint64) error {
	l.ctx = ctx
	var wg sync.WaitGroup
	errs := make([]error, len(works)+1)
	for i, w := range works {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		wg.Go(func() {
			pace := time.NewTicker(w.pace)
			defer pace.Stop()
			for ctx.Err() == nil {
				if err := w.do(l, r); err != nil && ctx.Err() == nil {
					errs[i] = fmt.Errorf("%s: %w", w.name, err)
					return
				}
				l.done[i].Add(1)
				select {
				case <-ctx.Done():
				case <-pace.C:
				}
			}
		})
	}
	wg.Go(func() {
		err := l.st.Process(ctx, func(context.Context, *bucketlite.Job) error { return nil }, nil)
		if ctx.Err() == nil {
			errs[len(works)] = fmt.Errorf("processor: %w", err)
		}
	})
	wg.Wait()
	return errors.Join(errs...)
}

// write puts what a slot is to hold; without blob it keeps the document.
func (l *load) write(s *slot, v, doc string, blob bool) error {
	in := bucketlite.ObjectInput{Fields: map[string]any{"k": s.k, "v": v, "n": len(v + doc)}}
	if blob {
		in.Blobs = []bucketlite.BlobInput{{Property: "doc", Reader: strings.NewReader(doc)}}
	}
	// A call that has begun ends, so that the load knows the stored state.
	res, err := l.items.Put(context.WithoutCancel(l.ctx), in, nil)
	if err != nil {
		return err
	}
	if s.id, s.v = res.Object.ID, v; blob {
		s.doc = fingerprint(doc)
	}
	return nil
}

// fingerprint is what a slot knows of a document.
func fingerprint(doc string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(doc))) }

// some returns a slot, locked.
func (l *load) some(r *rand.Rand) *slot {
	s := l.slots[r.IntN(len(l.slots))]
	s.Lock()
	return s
}

func (l *load) put(r *rand.Rand) error {
	s := l.some(r)
	defer s.Unlock()
	return l.write(s, text(r), "", false)
}

func (l *load) replaceBlob(r *rand.Rand) error {
	s := l.some(r)
	defer s.Unlock()
	return l.write(s, text(r), document(r), true)
}

func (l *load) putSame(r *rand.Rand) error {
	s := l.some(r)
	defer s.Unlock()
	return l.write(s, text(r), l.pool[r.IntN(len(l.pool))], true)
}

func (l *load) patch(r *rand.Rand) error {
	s := l.some(r)
	defer s.Unlock()
	if s.id == "" {
		return nil
	}
	v := text(r)
	_, err := l.items.Patch(context.WithoutCancel(l.ctx), s.id, bucketlite.ObjectInput{Fields: map[string]any{"v": v}}, nil)
	if err == nil {
		s.v = v
	}
	return err
}

func (l *load) remove(r *rand.Rand) error {
	s := l.some(r)
	defer s.Unlock()
	if s.id == "" {
		return nil
	}
	err := l.items.DeleteObject(context.WithoutCancel(l.ctx), s.id, nil)
	if err == nil {
		s.id, s.v, s.doc = "", "", ""
	}
	return err
}

// putMany replaces ten objects at once, of neighbouring keys so that locks are taken in order.
func (l *load) putMany(r *rand.Rand) error {
	first := r.IntN(len(l.slots) - 10)
	var inputs []bucketlite.ObjectInput
	v := text(r)
	for _, s := range l.slots[first : first+10] {
		s.Lock()
		defer s.Unlock()
		inputs = append(inputs, bucketlite.ObjectInput{Fields: map[string]any{"k": s.k, "v": v}})
	}
	res, err := l.items.PutMany(context.WithoutCancel(l.ctx), inputs, nil)
	if err == nil && len(res.Failed) > 0 {
		err = res.Failed[0].Err
	}
	if err != nil {
		return err
	}
	for _, success := range res.Succeeded {
		s := l.slots[first+success.Index]
		s.id, s.v = success.Object.ID, v
	}
	return nil
}

// get reads one object with its bytes, and compares them to what is known.
func (l *load) get(r *rand.Rand) error {
	s := l.some(r)
	defer s.Unlock()
	return l.verify(l.ctx, s)
}

// verify fails unless the store holds what the slot knows.
func (l *load) verify(ctx context.Context, s *slot) error {
	o, err := l.items.ObjectByKey(ctx, map[string]any{"k": s.k})
	if s.id == "" {
		if errors.Is(err, bucketlite.ErrNotFound) {
			return nil
		}
		return fmt.Errorf("key %q: got %v, %v, want ErrNotFound", s.k, o, err)
	}
	if err != nil {
		return fmt.Errorf("key %q: %w", s.k, err)
	}
	doc := ""
	if len(o.Blobs) > 0 {
		data, err := blob(ctx, l.items, o.ID)
		if err != nil {
			return fmt.Errorf("key %q: %w", s.k, err)
		}
		doc = fingerprint(string(data))
	}
	if o.ID != s.id || o.Fields["v"] != s.v || doc != s.doc {
		return fmt.Errorf("key %q: got %q, %v and document %q, want %q, %q and %q", s.k, o.ID, o.Fields["v"], doc, s.id, s.v, s.doc)
	}
	return nil
}

func (l *load) list(r *rand.Rand) error {
	page, err := l.items.List(l.ctx, bucketlite.Query{Offset: r.IntN(len(l.slots) / 2), Limit: 50})
	if err == nil && page.Next != "" {
		_, err = l.items.List(l.ctx, bucketlite.Query{Cursor: page.Next, Limit: 50})
	}
	return err
}

func (l *load) filter(r *rand.Rand) error {
	_, err := l.items.List(l.ctx, bucketlite.Query{
		Filter: bucketlite.Contains("v", fmt.Sprint(r.IntN(1000))), Sort: []bucketlite.Sort{bucketlite.Desc("n")}, Limit: 20, Total: true,
	})
	return err
}

func (l *load) aggregate(*rand.Rand) error {
	_, err := l.items.Aggregate(l.ctx, bucketlite.Aggregation{
		RangeBuckets: []bucketlite.RangeBucket{{Field: "n", Boundaries: []any{0, 1000, 10_000, 100_000}}},
		Metrics:      []bucketlite.Metric{{Function: bucketlite.MetricCount, Alias: "objects"}, {Function: bucketlite.MetricSum, Field: "n", Alias: "size"}},
	})
	return err
}

// watch receives all events since the last time, without a gap.
func (l *load) watch(*rand.Rand) error {
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	opts := &bucketlite.WatchOptions{After: l.watched.Cursor, FromStart: l.watched.Seq == 0, Idle: cancel}
	for event, err := range l.st.Watch(ctx, opts) {
		if err != nil {
			if ctx.Err() != nil {
				err = nil // all are met
			}
			return err
		}
		if l.watched.Seq > 0 && event.Seq != l.watched.Seq+1 {
			return fmt.Errorf("got event %d after %d", event.Seq, l.watched.Seq)
		}
		l.watched = event
	}
	return nil
}

// upload takes an upload all the way, or gives it up.
func (l *load) upload(r *rand.Rand) error {
	l.rotating.RLock()
	defer l.rotating.RUnlock()
	b := l.scratch
	if b == nil {
		return nil
	}
	u, err := b.CreateUpload(l.ctx, bucketlite.UploadInput{
		Filename: "u.txt", ContentType: "text/plain", Property: "doc",
		ObjectMetadata: map[string]any{"k": fmt.Sprint("upload", r.IntN(50)), "v": "uploaded"},
	})
	if err == nil {
		_, err = b.WriteUpload(l.ctx, u.ID, strings.NewReader(document(r)))
	}
	switch {
	case err != nil:
		return err
	case r.IntN(4) == 0:
		return b.CancelUpload(l.ctx, u.ID)
	}
	_, err = b.ConfirmUpload(l.ctx, u.ID, nil)
	return err
}

// process has twenty objects processed, of which some may be gone by then.
func (l *load) process(r *rand.Rand) error {
	var ids []string
	for range 20 {
		s := l.some(r)
		if s.id != "" {
			ids = append(ids, s.id)
		}
		s.Unlock()
	}
	if len(ids) == 0 {
		return nil
	}
	batch, err := l.items.CreateBatch(l.ctx, bucketlite.BatchInput{ObjectIDs: ids, SkipValidation: true})
	if err != nil {
		return err
	}
	task, err := l.items.SubmitBatch(l.ctx, batch.ID)
	if err == nil {
		task, err = l.st.Wait(l.ctx, task.ID)
	}
	if err != nil {
		return err
	}
	if task.Status != bucketlite.StatusCompleted {
		return fmt.Errorf("got task %+v", task)
	}
	return l.items.DeleteBatch(l.ctx, batch.ID)
}

// index builds indexes, and drops them the next time.
func (l *load) index(*rand.Rand) error {
	l.indexed = !l.indexed
	if l.indexed {
		return errors.Join(l.items.EnsureIndex(l.ctx, "v", "n"), l.items.EnsureTextIndex(l.ctx, "v"))
	}
	return errors.Join(l.items.DropIndex(l.ctx, "v", "n"), l.items.DropTextIndex(l.ctx, "v"))
}

// rotate makes a bucket for uploads, and deletes the one before.
func (l *load) rotate(r *rand.Rand) error {
	l.rotations++
	b, err := l.ns.CreateBucket(l.ctx, storetest.ItemsConfig(fmt.Sprint("scratch", l.rotations)))
	if err != nil {
		return err
	}
	var inputs []bucketlite.ObjectInput
	for i := range 300 {
		inputs = append(inputs, bucketlite.ObjectInput{Fields: map[string]any{"k": fmt.Sprint(i), "v": text(r)}})
	}
	if _, err := b.PutMany(l.ctx, inputs, nil); err != nil {
		return err
	}
	l.rotating.Lock()
	old := l.scratch
	l.scratch = b
	l.rotating.Unlock()
	if old == nil {
		return nil
	}
	task, err := old.Delete(l.ctx)
	if err == nil {
		_, err = l.st.Wait(l.ctx, task.ID)
	}
	return err
}

func (l *load) backup(*rand.Rand) error {
	path := backupIn(l.dir)
	return errors.Join(l.st.Backup(l.ctx, path, nil), os.Remove(path))
}

// readElsewhere has a process of its own open the file and read some of it.
func (l *load) readElsewhere(*rand.Rand) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(l.ctx, program, storeIn(l.dir))
	cmd.Env = append(os.Environ(), roleVariable+"=read")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// childRead reads some hundred objects of the store that is its argument, with their bytes.
func childRead(args []string) error {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, args[0], &bucketlite.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	ns, err := st.Namespace(ctx, "test")
	if err != nil {
		return err
	}
	b, err := ns.Bucket(ctx, "items")
	if err != nil {
		return err
	}
	for o, err := range b.Objects(ctx, bucketlite.Query{Limit: 300}) {
		if err != nil {
			return err
		}
		if len(o.Blobs) == 0 {
			continue
		}
		// The object may have been replaced since.
		if _, err := blob(ctx, b, o.ID); err != nil && !errors.Is(err, bucketlite.ErrNotFound) {
			return err
		}
	}
	return st.Close()
}

// leftovers returns the files in the directory beside the store's own.
func (l *load) leftovers() []string {
	all, _ := filepath.Glob(l.dir + "/*")
	var left []string
	for _, path := range all {
		if path != storeIn(l.dir) {
			left = append(left, path)
		}
	}
	return left
}
