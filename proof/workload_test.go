package proof_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bucketlite/bucketlite/internal/storetest"

	"github.com/bucketlite/bucketlite"
)

// workload does some calls of each kind on a new store, one after the other, and
// prints the outcome of each; see the words of a [ledger]. Where the disk fails it
// continues as a careful program would: it opens the file again.
type workload struct {
	ctx   context.Context
	dir   string // of the store and of its backup
	out   io.Writer
	opts  *bucketlite.Options
	calls int

	mu     sync.Mutex // held while a line is printed
	ledger *ledger

	st           *bucketlite.Store
	items, other *bucketlite.Bucket
}

// manner is how a workload opens its store.
type manner struct {
	durability bucketlite.Durability
	plain      bool // with Options.PlainIO
}

// The manners with the default of Options.PlainIO.
var (
	full   = manner{durability: bucketlite.DurabilityFull}
	normal = manner{durability: bucketlite.DurabilityNormal}
)

// plainly returns the manner with Options.PlainIO.
func (m manner) plainly() manner { m.plain = true; return m }

// manners are all of them.
var manners = []manner{full, normal, full.plainly(), normal.plainly()}

func (m manner) String() string {
	words := map[bucketlite.Durability]string{full.durability: "full", normal.durability: "normal"}[m.durability]
	if m.plain {
		words += " plain"
	}
	return words
}

// storeIn returns the path of the store that a workload makes in a directory, and
// backupIn that of the backup.
func storeIn(dir string) string  { return dir + "/app.db" }
func backupIn(dir string) string { return dir + "/backup.db" }

// childWorkload runs the workload in the directory that is its first argument, with
// the manner that is its second.
func childWorkload(args []string) error {
	i := slices.IndexFunc(manners, func(m manner) bool { return m.String() == args[1] })
	if i < 0 {
		return fmt.Errorf("unknown manner %q", args[1])
	}
	w := &workload{ctx: context.Background(), dir: args[0], out: os.Stdout, ledger: newLedger()}
	w.opts = &bucketlite.Options{BusyTimeout: time.Second, Durability: manners[i].durability, PlainIO: manners[i].plain}
	if w.open() {
		w.run()
	}
	if w.st != nil {
		w.st.Close() // may fail as the disk does
	}
	w.say(wordEnd)
	return nil
}

// say prints a line with one write, and notes it.
func (w *workload) say(word string, rest ...any) {
	line := word
	if len(rest) > 0 {
		line += " " + strings.ReplaceAll(strings.TrimSuffix(fmt.Sprintln(rest...), "\n"), "\n", "; ")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	io.WriteString(w.out, line+"\n")
	if word != wordWrong {
		w.ledger.note(line)
	}
}

// open opens the store and its buckets, as far as they are there. It tries three
// times, since a fault may pass, and reports whether it has succeeded.
func (w *workload) open() bool {
	for range 3 {
		if w.st != nil {
			w.st.Close()
		}
		w.items, w.other = nil, nil
		var err error
		if w.st, err = bucketlite.Open(w.ctx, storeIn(w.dir), w.opts); err != nil {
			w.say("closed", err)
			continue
		}
		if found, err := contents(w.ctx, w.st); err == nil {
			if err := w.ledger.compare(found); err != nil {
				w.say(wordWrong, "after opening:", err)
			}
		}
		ns, err := w.st.Namespace(w.ctx, "test")
		if err != nil {
			return true
		}
		w.items, _ = ns.Bucket(w.ctx, "items")
		w.other, _ = ns.Bucket(w.ctx, "other")
		return true
	}
	return false
}

// call does one call and prints its outcome. It reports whether it has succeeded.
func (w *workload) call(c changes, f func() error) bool {
	w.calls++
	n := w.calls
	w.say(wordBegin, n, c)
	return w.settle(n, f())
}

// settle prints the verdict on a call.
func (w *workload) settle(n int, err error) bool {
	switch {
	case err == nil:
		w.say(wordDone, n)
		return true
	case errors.Is(err, bucketlite.ErrOutcomeUnknown):
		w.say(wordUnknown, n, err)
		w.open()
	default:
		w.say(wordRefused, n, err)
		if errors.Is(err, bucketlite.ErrReadOnly) {
			w.open()
		}
	}
	return false
}

// attempt is call for work of several commits, which may have done a part of it
// when it fails.
func (w *workload) attempt(c changes, f func() error) bool {
	return w.call(c, func() error {
		err := f()
		if err != nil && !errors.Is(err, bucketlite.ErrOutcomeUnknown) {
			err = errors.Join(err, bucketlite.ErrOutcomeUnknown)
		}
		return err
	})
}

// compare reads the whole store, and prints if it holds what cannot be there. A
// disk may refuse to be read.
func (w *workload) compare() {
	found, err := contents(w.ctx, w.st)
	if err != nil {
		return
	}
	if err := w.ledger.compare(found); err != nil {
		w.say(wordWrong, err)
	}
}

// run runs the stages of the workload, in order. A stage whose bucket could not be made is
// left out.
func (w *workload) run() {
	for _, stage := range []func(){
		w.create, w.put, w.replace, w.putMany, w.putTogether, w.patch, w.compare, w.index, w.remove, w.upload, w.process, w.deleteBucket, w.backup, w.put,
	} {
		if w.st == nil {
			return
		}
		stage()
	}
	if w.st != nil {
		w.compare()
	}
}

func (w *workload) create() {
	w.call(changes{"namespace/test": "there"}, func() error {
		_, err := w.st.CreateNamespace(w.ctx, bucketlite.NamespaceConfig{Name: "test"})
		return err
	})
	bucket := func(name string) (b *bucketlite.Bucket) {
		if w.st == nil {
			return nil
		}
		w.call(changes{"bucket/" + name: "there"}, func() error {
			ns, err := w.st.Namespace(w.ctx, "test")
			if err == nil {
				b, err = ns.CreateBucket(w.ctx, storetest.ItemsConfig(name))
			}
			return err
		})
		return b
	}
	if b := bucket("items"); b != nil {
		w.items = b
	}
	if b := bucket("other"); b != nil {
		w.other = b
	}
}

// entry is an item to be stored. Its state, as contents finds it, is the value and
// the beginning of the document's hash.
type entry struct{ k, v, doc string }

func (e entry) change(b *bucketlite.Bucket) changes {
	return changes{"object/" + b.Name() + "/" + e.k: state(e.v, e.doc)}
}

func (e entry) input() bucketlite.ObjectInput {
	in := bucketlite.ObjectInput{Fields: map[string]any{"k": e.k, "v": e.v}, Blobs: []bucketlite.BlobInput{}}
	if e.doc != "" {
		in.Blobs = append(in.Blobs, bucketlite.BlobInput{Property: "doc", Reader: strings.NewReader(e.doc)})
	}
	return in
}

func state(v, doc string) string {
	return fmt.Sprintf("%s:%x", v, sha256.Sum256([]byte(doc)))[:len(v)+9]
}

func (w *workload) store(b *bucketlite.Bucket, e entry) {
	if b == nil {
		return
	}
	w.call(e.change(b), func() error {
		_, err := b.Put(w.ctx, e.input(), nil)
		return err
	})
}

// large is a document of two chunks. A disk is slow where each call is traced.
func large(text string) string { return strings.Repeat(text, largeBytes/len(text)) }

const largeBytes = 300_000

func (w *workload) put() {
	w.store(w.items, entry{"a", "first", ""})
	w.store(w.items, entry{"b", "with-a-document", "short text"})
	w.store(w.items, entry{"c", "with-a-large-one", large("large")})
	w.store(w.other, entry{"a", "elsewhere", "short text"})
}

func (w *workload) replace() {
	w.store(w.items, entry{"a", "second", "a document now"})
	w.store(w.items, entry{"b", "with-another", "another text"})
	w.store(w.items, entry{"d", "with-the-same", large("large")})
}

func (w *workload) putMany() {
	if w.items == nil {
		return
	}
	var inputs []bucketlite.ObjectInput
	first := w.calls + 1
	for i := range 5 {
		e := entry{fmt.Sprint("m", i), "each", ""}
		inputs = append(inputs, e.input())
		w.calls++
		w.say(wordBegin, w.calls, e.change(w.items))
	}
	verdicts := make([]error, len(inputs))
	res, err := w.items.PutMany(w.ctx, inputs, nil)
	for i := range verdicts {
		verdicts[i] = err
	}
	if res != nil {
		for _, ok := range res.Succeeded {
			verdicts[ok.Index] = nil
		}
		for _, failure := range res.Failed {
			verdicts[failure.Index] = failure.Err
		}
	}
	for i, err := range verdicts {
		w.settle(first+i, err)
	}
	if w.items == nil {
		return
	}
	all := make(changes)
	inputs = nil
	for i := range 5 {
		e := entry{fmt.Sprint("n", i), "all-or-none", strings.Repeat("text", i)}
		inputs = append(inputs, e.input())
		for subject, state := range e.change(w.items) {
			all[subject] = state
		}
	}
	w.call(all, func() error {
		_, err := w.items.PutMany(w.ctx, inputs, &bucketlite.PutManyOptions{Atomic: true})
		return err
	})
}

// putTogether puts from several goroutines, which share a commit or a few.
func (w *workload) putTogether() {
	if w.items == nil {
		return
	}
	first := w.calls + 1
	verdicts := make([]error, 8)
	var wg sync.WaitGroup
	for i := range verdicts {
		e := entry{fmt.Sprint("t", i), "together", strings.Repeat("text", i)}
		w.calls++
		w.say(wordBegin, w.calls, e.change(w.items))
		wg.Go(func() {
			if _, verdicts[i] = w.items.Put(w.ctx, e.input(), nil); verdicts[i] == nil {
				w.say(wordDone, first+i)
			}
		})
	}
	wg.Wait()
	for i, err := range verdicts {
		if err != nil {
			w.settle(first+i, err)
		}
	}
}

// byKey returns the id of an item.
func (w *workload) byKey(k string) (string, error) {
	o, err := w.items.ObjectByKey(w.ctx, map[string]any{"k": k})
	if err != nil {
		return "", err
	}
	return o.ID, nil
}

func (w *workload) patch() {
	for _, e := range []entry{{"m1", "patched", "with a document"}, {"d", "patched-too", "short text"}} {
		if w.items == nil {
			return
		}
		w.call(e.change(w.items), func() error {
			id, err := w.byKey(e.k)
			if err == nil {
				_, err = w.items.Patch(w.ctx, id, e.input(), nil)
			}
			return err
		})
	}
}

func (w *workload) remove() {
	for _, k := range []string{"m2", "c"} {
		if w.items == nil {
			return
		}
		w.call(changes{"object/items/" + k: absent}, func() error {
			id, err := w.byKey(k)
			if err == nil {
				err = w.items.DeleteObject(w.ctx, id, nil)
			}
			return err
		})
	}
}

// index builds indexes. A failed build continues in the background, and so does the
// wait for it while the disk is full, but not once the store refuses writes.
func (w *workload) index() {
	builds := []struct {
		path  string
		build func(context.Context, *bucketlite.Bucket) error
	}{
		{"v", func(ctx context.Context, b *bucketlite.Bucket) error { return b.EnsureIndex(ctx, "v") }},
		{"created_at", func(ctx context.Context, b *bucketlite.Bucket) error { return b.EnsureIndex(ctx, "created_at") }},
		{"", func(ctx context.Context, b *bucketlite.Bucket) error { return b.EnsureTextIndex(ctx) }},
	}
	for _, index := range builds {
		if w.items == nil {
			return
		}
		stuck := false
		w.attempt(changes{"index/items/" + index.path: "ready"}, func() error {
			ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
			defer cancel()
			err := index.build(ctx, w.items)
			stuck = errors.Is(err, context.DeadlineExceeded)
			if refusal := w.st.Err(); refusal != nil && stuck {
				w.say(wordWrong, "the build of an index is waited for, but", refusal)
			}
			return err
		})
		if stuck {
			return // and so would be the others
		}
	}
}

func (w *workload) upload() {
	if w.items == nil {
		return
	}
	text := large("upload")
	var u *bucketlite.Upload
	created := w.call(changes{"upload/u.txt": "PENDING"}, func() (err error) {
		u, err = w.items.CreateUpload(w.ctx, bucketlite.UploadInput{
			Filename: "u.txt", ContentType: "text/plain", Property: "doc", ObjectMetadata: map[string]any{"k": "u", "v": "uploaded"},
		})
		return err
	})
	if !created {
		return
	}
	written := w.call(changes{"upload/u.txt": fmt.Sprint("PENDING+", largeBytes)}, func() error {
		_, err := w.items.WriteUpload(w.ctx, u.ID, strings.NewReader(text))
		return err
	})
	if !written {
		return
	}
	w.call(changes{"upload/u.txt": fmt.Sprint("COMPLETED+", largeBytes), "object/items/u": state("uploaded", text)}, func() error {
		_, err := w.items.ConfirmUpload(w.ctx, u.ID, nil)
		return err
	})
}

// process has a batch processed. Where that fails, jobs may have been done.
func (w *workload) process() {
	if w.items == nil {
		return
	}
	var batch *bucketlite.Batch
	created := w.call(changes{"batch/1": "DRAFT"}, func() error {
		var ids []string
		for _, k := range []string{"a", "b"} {
			id, err := w.byKey(k)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		var err error
		batch, err = w.items.CreateBatch(w.ctx, bucketlite.BatchInput{ObjectIDs: ids, Metadata: map[string]any{"name": "1"}})
		return err
	})
	if !created {
		return
	}
	submitted := w.call(changes{"batch/1": "SUBMITTED"}, func() error {
		_, err := w.items.SubmitBatch(w.ctx, batch.ID)
		return err
	})
	if !submitted {
		return
	}
	w.attempt(changes{"batch/1": "COMPLETED"}, func() error {
		return w.st.Process(w.ctx, func(context.Context, *bucketlite.Job) error { return nil },
			&bucketlite.ProcessOptions{Concurrency: 1, UntilIdle: true})
	})
}

func (w *workload) deleteBucket() {
	if w.other == nil {
		return
	}
	var task *bucketlite.Task
	deleted := w.call(changes{"bucket/other": absent, "object/other/a": absent}, func() (err error) {
		task, err = w.other.Delete(w.ctx)
		return err
	})
	w.other = nil
	if !deleted {
		return
	}
	// The disk may have failed for good, and the store with it.
	ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
	defer cancel()
	w.st.Wait(ctx, task.ID)
}

func (w *workload) backup() {
	os.Remove(backupIn(w.dir))
	if err := w.st.Backup(w.ctx, backupIn(w.dir), nil); err != nil {
		w.say("closed", "no backup:", err)
		return
	}
	backup, err := bucketlite.Open(w.ctx, backupIn(w.dir), &bucketlite.Options{ReadOnly: true})
	if err != nil {
		return // the fault may strike here
	}
	defer backup.Close()
	if found, err := contents(w.ctx, backup); err == nil {
		if err := w.ledger.compare(found); err != nil {
			w.say(wordWrong, "backup:", err)
		}
	}
}

// contents returns all that a store holds: the state of each subject.
func contents(ctx context.Context, st *bucketlite.Store) (found map[string]string, err error) {
	found = make(map[string]string)
	for info, err := range st.Namespaces(ctx, bucketlite.Query{}) {
		if err != nil {
			return nil, err
		}
		found["namespace/"+info.Name] = "there"
		ns, err := st.Namespace(ctx, info.Name)
		if err != nil {
			return nil, err
		}
		for info, err := range ns.Buckets(ctx, bucketlite.Query{}) {
			if err != nil {
				return nil, err
			}
			if info.Status == bucketlite.StatusInProgress {
				continue // it is being deleted
			}
			b, err := ns.Bucket(ctx, info.ID)
			if err == nil {
				err = contentsOf(ctx, b, found)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// contentsOf adds what a bucket holds.
func contentsOf(ctx context.Context, b *bucketlite.Bucket, found map[string]string) error {
	found["bucket/"+b.Name()] = "there"
	for o, err := range b.Objects(ctx, bucketlite.Query{}) {
		if err != nil {
			return err
		}
		var doc []byte
		if len(o.Blobs) > 0 {
			if doc, err = blob(ctx, b, o.ID); err != nil {
				return err
			}
		}
		found[fmt.Sprintf("object/%s/%s", b.Name(), o.Fields["k"])] = state(o.Fields["v"].(string), string(doc))
	}
	indexes, err := b.Indexes(ctx)
	if err != nil {
		return err
	}
	for _, index := range indexes {
		if index.Status == bucketlite.IndexReady {
			found["index/"+b.Name()+"/"+index.Path] = "ready"
		}
	}
	for u, err := range b.Uploads(ctx, bucketlite.Query{}) {
		if err != nil {
			return err
		}
		found["upload/"+u.Filename] = string(u.Status)
		if u.ETag != "" {
			found["upload/"+u.Filename] += fmt.Sprint("+", u.Size)
		}
	}
	for batch, err := range b.Batches(ctx, bucketlite.BatchQuery{}) {
		if err != nil {
			return err
		}
		status := string(batch.Status)
		if batch.Status == bucketlite.StatusPending || batch.Status == bucketlite.StatusInProgress {
			status = "SUBMITTED"
		}
		found[fmt.Sprint("batch/", batch.Metadata["name"])] = status
	}
	return nil
}

// blob returns the bytes of an object's document.
func blob(ctx context.Context, b *bucketlite.Bucket, id string) ([]byte, error) {
	r, err := b.OpenBlob(ctx, id, "doc")
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var data bytes.Buffer
	_, err = data.ReadFrom(r)
	return data.Bytes(), err
}
