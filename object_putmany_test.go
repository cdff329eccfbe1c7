package bucketlite_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// outcome shows the result of each input, in order: created, replaced, or its error.
func outcome(t *testing.T, r *bucketlite.PutManyResult, n int) string {
	t.Helper()
	all := make([]string, n)
	set := func(i int, s string) {
		if all[i] != "" {
			t.Errorf("input %d has two results: %s and %s", i, all[i], s)
		}
		all[i] = s
	}
	last := -1
	for _, s := range r.Succeeded {
		if s.Index <= last {
			t.Errorf("input %d succeeded after %d, want them in order", s.Index, last)
		}
		last = s.Index
		set(s.Index, map[bool]string{true: "created", false: "replaced"}[s.Created])
	}
	last = -1
	for _, f := range r.Failed {
		if f.Index <= last {
			t.Errorf("input %d failed after %d, want them in order", f.Index, last)
		}
		last = f.Index
		set(f.Index, kindOf(f.Err))
	}
	for i := range all {
		if all[i] == "" {
			all[i] = "-"
		}
	}
	return strings.Join(all, " ")
}

func kindOf(err error) string {
	for _, kind := range []struct {
		error
		name string
	}{
		{nil, "ok"}, {bucketlite.ErrTooLarge, "too-large"}, {bucketlite.ErrInvalid, "invalid"}, {bucketlite.ErrExists, "exists"},
		{bucketlite.ErrConflict, "conflict"}, {bucketlite.ErrNotFound, "not-found"}, {bucketlite.ErrBadRequest, "bad-request"}, {context.Canceled, "canceled"},
	} {
		if errors.Is(err, kind.error) {
			return kind.name
		}
	}
	return err.Error()
}

func inputs(t *testing.T, lines ...string) []bucketlite.ObjectInput {
	t.Helper()
	var all []bucketlite.ObjectInput
	for _, line := range lines {
		all = append(all, storetest.Input(t, line))
	}
	return all
}

// A batch is its inputs put one after the other, under every policy.
func TestPutManyIsPutInOrder(t *testing.T) {
	t.Parallel()
	lines := []string{
		`{"k":"a","n":1}`, `{"k":"a","n":2}`, `{"k":"b","n":"x"}`, `{"k":"b","n":3}`, `{"k":"stored","n":4}`, `{"k":"stored","n":5,"blobs":[]}`,
		`{}`, `{"object_id":"x","k":"c"}`, `{"object_id":"x","k":"d"}`, `{"object_id":"y","k":"c"}`, `{"k":"e","n":{}}`, `{"k":"z","status":"FAILED"}`,
	}
	for policy, want := range map[bucketlite.Policy]string{
		bucketlite.Insert: "created exists invalid created exists exists invalid created exists exists invalid invalid",
		bucketlite.Update: "not-found not-found invalid not-found replaced replaced invalid not-found not-found not-found invalid not-found",
		bucketlite.Upsert: "created replaced invalid created replaced replaced invalid created exists exists invalid invalid",
	} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			var kinds []string
			buckets := make(map[bool]string)
			for _, batch := range []bool{false, true} {
				b := keyed(t, storetest.OpenMemory(t), `,"n":{"type":"integer"},"note":{"type":"string"}`)
				in := storetest.Input(t, `{"k":"stored"}`)
				in.Blobs = []bucketlite.BlobInput{{Property: "note", Data: "kept"}}
				storetest.Put(t, b, in, bucketlite.Insert)
				all := inputs(t, lines...)
				if batch {
					r, err := b.PutMany(t.Context(), all, &bucketlite.PutManyOptions{Policy: policy})
					if err != nil {
						t.Fatal(err)
					}
					if got := outcome(t, r, len(all)); got != want {
						t.Errorf("got  %s\nwant %s", got, want)
					}
				} else {
					for _, in := range all {
						res, err := b.Put(t.Context(), in, &bucketlite.PutOptions{Policy: policy})
						switch {
						case err != nil:
							kinds = append(kinds, kindOf(err))
						case res.Created:
							kinds = append(kinds, "created")
						default:
							kinds = append(kinds, "replaced")
						}
					}
				}
				for o, err := range b.Objects(t.Context(), bucketlite.Query{}) {
					if err != nil {
						t.Fatal(err)
					}
					buckets[batch] += fmt.Sprintln(toJSON(t, o.Fields), blobsOf(o), o.Version, o.Size)
				}
			}
			if got := strings.Join(kinds, " "); got != want {
				t.Errorf("one by one: got\n%s, want\n%s", got, want)
			}
			if diff := cmp.Diff(buckets[false], buckets[true]); diff != "" {
				t.Errorf("objects (-one by one +batch):\n%s", diff)
			}
		})
	}
}

// A result has its object as it was after that input.
func TestPutManyResults(t *testing.T) {
	t.Parallel()
	b := keyed(t, storetest.OpenMemory(t), "")
	r, err := b.PutMany(t.Context(), inputs(t, `{"k":"a","n":1}`, `{"k":""}`, `{"k":"a","n":2}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := outcome(t, r, 3), "created invalid replaced"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	storetest.WantFields(t, r.Succeeded[0].Object, `{"k":"a","n":1}`)
	storetest.WantFields(t, r.Succeeded[1].Object, `{"k":"a","n":2}`)
	storetest.WantIssues(t, r.Failed[0].Err, map[string]string{"k": "key"})
	if first, second := r.Succeeded[0].Object, r.Succeeded[1].Object; first.ID != second.ID || first.Version >= second.Version {
		t.Errorf("got %q version %d, then %q version %d, want one object and a later version", first.ID, first.Version, second.ID, second.Version)
	}
	_, err = b.PutMany(t.Context(), inputs(t, `{"k":"a"}`), &bucketlite.PutManyOptions{Policy: bucketlite.Insert})
	if err != nil {
		t.Fatal(err)
	}
	r, err = b.PutMany(t.Context(), nil, nil)
	if err != nil || len(r.Succeeded)+len(r.Failed) != 0 {
		t.Errorf("an empty batch: got %v, %v, want nothing and no error", r, err)
	}
}

func TestPutManyAtomic(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		policy bucketlite.Policy
		lines  []string
		want   error
		failed string
	}{
		{"an invalid object", bucketlite.Upsert, []string{`{"k":"a"}`, `{"k":""}`, `{"k":"c"}`, `{}`}, bucketlite.ErrInvalid, "- invalid - invalid"},
		{"a taken key", bucketlite.Insert, []string{`{"k":"a"}`, `{"k":"stored"}`, `{"k":"b"}`}, bucketlite.ErrExists, "- exists -"},
		{"a key twice", bucketlite.Insert, []string{`{"k":"a"}`, `{"k":"a"}`}, bucketlite.ErrExists, "- exists"},
		{"a missing key", bucketlite.Update, []string{`{"k":"stored","n":1}`, `{"k":"a"}`}, bucketlite.ErrNotFound, "- not-found"},
		{"an id of another object", bucketlite.Upsert, []string{`{"k":"a"}`, `{"k":"stored","object_id":"other"}`}, bucketlite.ErrExists, "- exists"},
		{"another status", bucketlite.Upsert, []string{`{"k":"stored","n":1}`, `{"k":"a","status":"FAILED"}`}, bucketlite.ErrInvalid, "- invalid"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := keyed(t, storetest.OpenMemory(t), `,"text":{"type":"text"}`)
			storetest.Put(t, b, storetest.Input(t, `{"k":"stored","blobs":[{"property":"text","data":"data:,old"}]}`), bucketlite.Insert)
			before := storetest.Snapshot(t, b)
			all := inputs(t, test.lines...)
			all[0].Blobs = []bucketlite.BlobInput{{Property: "text", Data: "data:,new"}}
			r, err := b.PutMany(t.Context(), all, &bucketlite.PutManyOptions{Policy: test.policy, Atomic: true})
			storetest.WantError(t, err, test.want)
			if got := outcome(t, r, len(all)); got != test.failed {
				t.Errorf("got %s, want %s", got, test.failed)
			}
			storetest.WantSnapshot(t, b, before)
			// The bucket's counts continue from the stored ones.
			storetest.Put(t, b, storetest.Input(t, `{"k":"after"}`), bucketlite.Insert)
			storetest.Snapshot(t, b)
		})
	}
	t.Run("all is well", func(t *testing.T) {
		t.Parallel()
		b := keyed(t, storetest.OpenMemory(t), "")
		r, err := b.PutMany(t.Context(), inputs(t, `{"k":"a"}`, `{"k":"a"}`, `{"k":"b"}`), &bucketlite.PutManyOptions{Atomic: true})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := outcome(t, r, 3), "created replaced created"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestPutManyLimits(t *testing.T) {
	t.Parallel()
	for _, atomic := range []bool{false, true} {
		t.Run(fmt.Sprintf("atomic=%t", atomic), func(t *testing.T) {
			t.Parallel()
			b := keyed(t, storetest.OpenMemory(t), "")
			all := make([]bucketlite.ObjectInput, bucketlite.MaxPutMany+1)
			for i := range all {
				all[i].Fields = map[string]any{"k": fmt.Sprint(i)}
			}
			opts := &bucketlite.PutManyOptions{Policy: bucketlite.Insert, Atomic: atomic}
			_, err := b.PutMany(t.Context(), all, opts)
			storetest.WantError(t, err, bucketlite.ErrTooLarge)
			if s, err := b.Stats(t.Context()); err != nil || s.ObjectCount != 0 {
				t.Fatalf("got %+v, %v, want no objects", s, err)
			}
			r, err := b.PutMany(t.Context(), all[:bucketlite.MaxPutMany], opts)
			if err != nil || len(r.Succeeded) != bucketlite.MaxPutMany {
				t.Fatalf("got %v, want all of them stored", err)
			}
			if s, err := b.Stats(t.Context()); err != nil || s.ObjectCount != bucketlite.MaxPutMany {
				t.Errorf("got %+v, %v, want %d objects", s, err, bucketlite.MaxPutMany)
			}
			i := 0
			for o, err := range b.Objects(t.Context(), bucketlite.Query{}) {
				if err != nil || o.Fields["k"] != fmt.Sprint(i) {
					t.Fatalf("got %v, %v, want the objects in order of the inputs", o, err)
				}
				i++
			}
		})
	}
}

// If the context ends, what was committed stays and is reported, the rest has
// failed with the context's error.
func TestPutManyCancelled(t *testing.T) {
	t.Parallel()
	const n, at = 1000, 700
	for _, atomic := range []bool{false, true} {
		t.Run(fmt.Sprintf("by a reader/atomic=%t", atomic), func(t *testing.T) {
			t.Parallel()
			b := keyed(t, storetest.Open(t), `,"text":{"type":"text"}`)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			all := make([]bucketlite.ObjectInput, n)
			for i := range all {
				all[i].Fields = map[string]any{"k": fmt.Sprint(i)}
			}
			all[3].Fields["k"] = ""
			all[at].Blobs = []bucketlite.BlobInput{{Property: "text", Reader: storetest.ReadFunc(func(p []byte) (int, error) {
				cancel()
				return copy(p, "hello"), io.EOF
			})}}
			r, err := b.PutMany(ctx, all, &bucketlite.PutManyOptions{Atomic: atomic})
			if atomic {
				storetest.WantError(t, err, bucketlite.ErrInvalid) // the first of them all
			} else {
				storetest.WantError(t, err, context.Canceled)
			}
			wantPartly(t, b, r, n, atomic)
			for _, f := range r.Failed {
				if f.Index == 3 && kindOf(f.Err) != "invalid" || f.Index >= at && kindOf(f.Err) != "canceled" {
					t.Errorf("got %v for input %d", f.Err, f.Index)
				}
			}
		})
		t.Run(fmt.Sprintf("by the clock/atomic=%t", atomic), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			left := 0
			b := keyed(t, storetest.OpenMemory(t, stoppedAt(func() {
				if left--; left == 0 {
					cancel()
				}
			})), "")
			all := make([]bucketlite.ObjectInput, n)
			for i := range all {
				// With ids chosen, the readings of the clock are the writer's.
				all[i] = bucketlite.ObjectInput{ID: fmt.Sprint(i), Fields: map[string]any{"k": fmt.Sprint(i)}}
			}
			left = 300
			r, err := b.PutMany(ctx, all, &bucketlite.PutManyOptions{Atomic: atomic})
			if atomic {
				// The writer was at it: the batch gets its verdict.
				if err != nil || len(r.Succeeded) != n {
					t.Errorf("got %v and %d stored, want all of them", err, len(r.Succeeded))
				}
				return
			}
			storetest.WantError(t, err, context.Canceled)
			wantPartly(t, b, r, n, false)
			if len(r.Succeeded) < 300 {
				t.Errorf("got %d stored, want the first 300 at least", len(r.Succeeded))
			}
		})
	}
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		b := keyed(t, storetest.OpenMemory(t), "")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, atomic := range []bool{false, true} {
			r, err := b.PutMany(ctx, inputs(t, `{"k":"a"}`, `{"k":"b"}`), &bucketlite.PutManyOptions{Atomic: atomic})
			storetest.WantError(t, err, context.Canceled)
			if got, want := outcome(t, r, 2), "canceled canceled"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			wantPartly(t, b, r, 2, true)
		}
	})
	t.Run("after", func(t *testing.T) {
		t.Parallel()
		b := keyed(t, storetest.OpenMemory(t), "")
		ctx, cancel := context.WithCancel(t.Context())
		r, err := b.PutMany(ctx, inputs(t, `{"k":"a"}`, `{"k":"b"}`), nil)
		cancel()
		if err != nil {
			t.Errorf("got %v, want no error", err)
		}
		wantPartly(t, b, r, 2, false)
	})
}

// wantPartly checks that a result accounts for all n inputs and is the truth
// about the bucket.
func wantPartly(t *testing.T, b *bucketlite.Bucket, r *bucketlite.PutManyResult, n int, none bool) {
	t.Helper()
	if !none && len(r.Succeeded)+len(r.Failed) != n {
		t.Errorf("got %d stored and %d failed, want %d in all", len(r.Succeeded), len(r.Failed), n)
	}
	if none && len(r.Succeeded) != 0 {
		t.Errorf("got %d stored, want none", len(r.Succeeded))
	}
	reported := make(map[string]bool)
	for _, s := range r.Succeeded {
		reported[s.Object.ID] = true
	}
	count := 0
	for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if count++; !reported[o.ID] {
			t.Errorf("object %q is stored but not reported", o.ID)
		}
	}
	if count != len(r.Succeeded) {
		t.Errorf("got %d objects, want the %d that are reported", count, len(r.Succeeded))
	}
	storetest.Snapshot(t, b)
}

// A reader that fails takes only its own input down, with its own error.
func TestPutManyReaderFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken pipe")
	b := keyed(t, storetest.OpenMemory(t), `,"text":{"type":"text"}`)
	all := inputs(t, `{"k":"a"}`, `{"k":"b"}`, `{"k":"c"}`)
	all[1].Blobs = []bucketlite.BlobInput{{Property: "text", Reader: storetest.ReadFunc(func([]byte) (int, error) { return 0, broken })}}
	before := storetest.Snapshot(t, b)
	_, err := b.Put(t.Context(), all[1], nil)
	storetest.WantError(t, err, broken)
	storetest.WantSnapshot(t, b, before)
	r, err := b.PutMany(t.Context(), all, nil)
	if err != nil || len(r.Succeeded) != 2 || len(r.Failed) != 1 {
		t.Fatalf("got %+v, %v, want one failure", r, err)
	}
	storetest.WantError(t, r.Failed[0].Err, broken)
}

// An object whose content cannot be written fails alone, and leaves nothing behind.
func TestPutManyContentNotWritten(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Films(t, st)
	storetest.Execute(t, storetest.OpenRaw(t, path), `CREATE TRIGGER bad BEFORE INSERT ON chunks BEGIN SELECT RAISE(ABORT, 'test error'); END`)
	result, err := b.PutMany(ctx, []bucketlite.ObjectInput{
		{Fields: map[string]any{"k": "a"}}, storetest.FilmInput("b", bytes.NewReader(storetest.Film(1, 100))), {Fields: map[string]any{"k": "c"}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Succeeded) != 2 || len(result.Failed) != 1 || result.Failed[0].Index != 1 {
		t.Errorf("got %d stored and %v, want only object 1 to fail", len(result.Succeeded), result.Failed)
	}
	if o, err := b.ObjectByKey(ctx, map[string]any{"k": "b"}); !errors.Is(err, bucketlite.ErrNotFound) {
		t.Errorf("the failed object: got %v, %v, want ErrNotFound", o, err)
	}
	storetest.WantNoProblem(t, st)
	storetest.WantExact(t, b)
}

// Without entropy there are no ids, and nothing is stored without one.
func TestPutManyWithoutEntropy(t *testing.T) {
	t.Parallel()
	entropy := &io.LimitedReader{R: rand.Reader, N: 16 << 10}
	now := time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC)
	b := storetest.Bucket(t, storetest.OpenMemory(t, &bucketlite.Options{Entropy: entropy, Now: func() time.Time {
		return now.Add(time.Duration(time.Now().UnixNano()) * 1000) // no two ids in one millisecond
	}}), bucketlite.BucketConfig{})
	all := make([]bucketlite.ObjectInput, 5000)
	r, err := b.PutMany(t.Context(), all, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Succeeded) == 0 || len(r.Failed) == 0 {
		t.Fatalf("got %d stored and %d failed, want some of each", len(r.Succeeded), len(r.Failed))
	}
	wantPartly(t, b, r, len(all), false)
	if _, err := b.Put(t.Context(), bucketlite.ObjectInput{}, nil); err == nil {
		t.Error("got no error, want one")
	}
	storetest.Put(t, b, bucketlite.ObjectInput{ID: "chosen"}, "")
}
