package bucketlite_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

func TestStreamedContent(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 100, 256 << 10, 256<<10 + 1, storetest.MiB, storetest.MiB + 1, 3*storetest.MiB + 77} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			path := filepath.Join(t.TempDir(), "a.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Films(t, st)
			data := storetest.Film(1, max(size, 32))
			o := storetest.Put(t, b, storetest.FilmInput("a", iotest.HalfReader(bytes.NewReader(data))), "")
			sum := sha256.Sum256(data)
			want := bucketlite.BlobDetails{Filename: "a.mp4", Size: int64(len(data)), MIMEType: "video/mp4", Hash: hex.EncodeToString(sum[:])}
			if got := o.Blobs[0].Details; got != want {
				t.Errorf("details: got %+v, want %+v", got, want)
			}
			r, err := b.OpenBlob(ctx, o.ID, "film")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if err := iotest.TestReader(r, data); err != nil {
				t.Error(err)
			}
			storetest.WantStored(t, st, path, int64(len(data)))
		})
	}
}

func TestStreamedContentIsShared(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Films(t, st)
	data := storetest.Film(2, 2*storetest.MiB)
	first := storetest.Put(t, b, storetest.FilmInput("a", bytes.NewReader(data)), "")
	second := storetest.Put(t, b, storetest.FilmInput("b", bytes.NewReader(data)), "")
	storetest.WantStored(t, st, path, 2*storetest.MiB)
	if err := b.DeleteObject(ctx, first.ID, nil); err != nil {
		t.Fatal(err)
	}
	storetest.WantStored(t, st, path, 2*storetest.MiB)
	if err := b.DeleteObject(ctx, second.ID, nil); err != nil {
		t.Fatal(err)
	}
	storetest.WantStored(t, st, path, 0)
}

// A stream that comes to nothing leaves nothing behind.
func TestStreamGivenUp(t *testing.T) {
	t.Parallel()
	errTest := errors.New("test error")
	data := storetest.Film(3, 3*storetest.MiB)
	tests := map[string]struct {
		options *bucketlite.Options
		reader  func(cancel func()) io.Reader
		key     string
		want    error
	}{
		"reader fails": {
			reader: func(func()) io.Reader {
				return io.MultiReader(bytes.NewReader(data), iotest.ErrReader(errTest))
			},
			want: errTest,
		},
		"cut short": { // as the body of a request is
			reader: func(func()) io.Reader {
				return io.MultiReader(bytes.NewReader(data), iotest.ErrReader(io.ErrUnexpectedEOF))
			},
			want: io.ErrUnexpectedEOF,
		},
		"cut short early": {
			reader: func(func()) io.Reader {
				return io.MultiReader(bytes.NewReader(data[:100]), iotest.ErrReader(io.ErrUnexpectedEOF))
			},
			want: io.ErrUnexpectedEOF,
		},
		"context ends": {
			reader: func(cancel func()) io.Reader {
				return io.MultiReader(bytes.NewReader(data[:2*storetest.MiB]), onRead(cancel), bytes.NewReader(data[2*storetest.MiB:]))
			},
			want: context.Canceled,
		},
		"too long": {
			options: &bucketlite.Options{MaxBlobBytes: 2 * storetest.MiB},
			reader:  func(func()) io.Reader { return bytes.NewReader(data) },
			want:    bucketlite.ErrTooLarge,
		},
		"key taken": {
			reader: func(func()) io.Reader { return bytes.NewReader(data) },
			key:    "taken",
			want:   bucketlite.ErrExists,
		},
	}
	calls := map[string]func(ctx context.Context, b *bucketlite.Bucket, in bucketlite.ObjectInput) error{
		"Put": func(ctx context.Context, b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
			return storetest.ErrorOf(b.Put(ctx, in, nil))
		},
		"PutMany": func(ctx context.Context, b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
			return storetest.PutManyError(b.PutMany(ctx, []bucketlite.ObjectInput{in}, nil))
		},
		"Patch": func(ctx context.Context, b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
			return storetest.ErrorOf(b.Patch(ctx, "patched", in, nil))
		},
	}
	for name, test := range tests {
		for callName, call := range calls {
			t.Run(name+"/"+callName, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "a.db")
				st := storetest.OpenPath(t, path, test.options)
				b := storetest.Films(t, st)
				storetest.Put(t, b, bucketlite.ObjectInput{Fields: map[string]any{"k": "taken"}}, "")
				storetest.Put(t, b, bucketlite.ObjectInput{ID: "patched", Fields: map[string]any{"k": "patched"}}, "")
				before := storetest.Snapshot(t, b)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				key := test.key
				if key == "" {
					key = "new"
				}
				if err := call(ctx, b, storetest.FilmInput(key, test.reader(cancel))); !errors.Is(err, test.want) {
					t.Errorf("got error %v, want %v", err, test.want)
				}
				storetest.WantSnapshot(t, b, before)
				storetest.WantStored(t, st, path, 0)
			})
		}
	}
}

// onRead calls f when it is read, and is then at its end.
type onRead func()

func (f onRead) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}

// A stream with a wrong head is refused without reading on.
func TestStreamRefusedByItsHead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Films(t, st)
	noise := append(media(t, "photo.png"), make([]byte, 7*storetest.MiB)...)
	rest := bytes.NewReader(noise)
	_, err := b.Put(context.Background(), storetest.FilmInput("a", rest), nil)
	storetest.WantIssues(t, err, map[string]string{"blobs[0]": "mime"})
	if read := len(noise) - rest.Len(); read > storetest.MiB {
		t.Errorf("got %d bytes read, want at most a chunk", read)
	}
	storetest.WantStored(t, st, path, 0)
}

// A stream that stands still holds nobody up.
func TestStreamLetsOthersWrite(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	b := storetest.Films(t, st)
	data := storetest.Film(4, 3*storetest.MiB)
	reached, proceed := make(chan struct{}), make(chan struct{})
	stream := io.MultiReader(bytes.NewReader(data[:2*storetest.MiB]), onRead(func() { close(reached); <-proceed }), bytes.NewReader(data[2*storetest.MiB:]))
	stored := make(chan error)
	go func() {
		stored <- storetest.ErrorOf(b.Put(context.Background(), storetest.FilmInput("a", stream), nil))
	}()
	<-reached
	storetest.Put(t, b, bucketlite.ObjectInput{Fields: map[string]any{"k": "b"}}, "")
	close(proceed)
	if err := <-stored; err != nil {
		t.Fatal(err)
	}
	var got []any
	for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.Fields["k"])
	}
	if want := []any{"b", "a"}; !slices.Equal(got, want) {
		t.Errorf("keys in order of commit: got %v, want %v", got, want)
	}
}

// Content staged by a dead process is collected once its lease has ended.
func TestStagedContentOfTheDead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Films(t, st)
	storetest.Put(t, b, storetest.FilmInput("a", bytes.NewReader(storetest.Film(5, storetest.MiB))), "")
	storetest.Execute(t, storetest.OpenRaw(t, path), `
INSERT INTO contents (num, size, uses, lease_until) VALUES (77, 0, 0, 1);
INSERT INTO chunks (id, sum, data) VALUES (77 << 24, 0, x'00'), ((77 << 24) + 1, 0, x'01')`)
	if err := b.DeleteObject(context.Background(), keyID(t, b, "a"), nil); err != nil { // wakes the collector
		t.Fatal(err)
	}
	storetest.WantStored(t, st, path, 0)
}

func keyID(t testing.TB, b *bucketlite.Bucket, k string) string {
	t.Helper()
	o, err := b.ObjectByKey(context.Background(), map[string]any{"k": k})
	if err != nil {
		t.Fatal(err)
	}
	return o.ID
}

// wantFilm fails unless the film of an object is data.
func wantFilm(t testing.TB, b *bucketlite.Bucket, id string, data []byte) {
	t.Helper()
	got, err := storetest.ReadBlob(b, id, "film")
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("film: got %d bytes, %v, want the %d stored", len(got), err, len(data))
	}
}

// A piece of a stream is stored once, even if the commit it shares with others is
// taken back and done again because of one of them.
func TestStreamBesideFailures(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Films(t, st)
	storetest.Execute(t, storetest.OpenRaw(t, path), `CREATE TRIGGER bad BEFORE INSERT ON object WHEN new.id LIKE 'bad%'
		BEGIN SELECT RAISE(ABORT, 'test error'); END`)
	ctx, cancel := context.WithCancel(context.Background())
	failing := make(chan error)
	go func() {
		failing <- storetest.AtOnce(8, func(g int) error {
			for i := 0; ctx.Err() == nil; i++ {
				_, err := b.Put(context.Background(), bucketlite.ObjectInput{ID: fmt.Sprint("bad", g), Fields: map[string]any{"k": fmt.Sprint(g, " ", i)}}, nil)
				if err == nil {
					return fmt.Errorf("put %d of %d: got no error, want the trigger's", i, g)
				}
			}
			return nil
		})
	}()
	for i := range 10 {
		data := storetest.Film(uint64(i), 5*storetest.MiB+i)
		wantFilm(t, b, storetest.Put(t, b, storetest.FilmInput(fmt.Sprint(i), bytes.NewReader(data)), "").ID, data)
	}
	cancel()
	if err := <-failing; err != nil {
		t.Error(err)
	}
	storetest.WantSound(t, path)
}

// onceError gives some bytes together with an error, and then pretends to be at
// its end.
type onceError struct {
	data []byte
	err  error
}

func (r *onceError) Read(p []byte) (n int, err error) {
	if r.err == nil {
		return 0, io.EOF
	}
	n = copy(p, r.data)
	if r.data = r.data[n:]; len(r.data) == 0 {
		err, r.err = r.err, nil
	}
	return n, err
}

// The error of a stream that is cut off by Close begins with the package's name, like
// that of any other call.
func TestStreamToAClosedStore(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, store := range map[string]func(*bucketlite.Bucket, string, io.Reader) error{
		"put": func(b *bucketlite.Bucket, _ string, r io.Reader) error {
			_, err := b.Put(ctx, storetest.FilmInput("b", r), nil)
			return err
		},
		"put many": func(b *bucketlite.Bucket, _ string, r io.Reader) error {
			result, err := b.PutMany(ctx, []bucketlite.ObjectInput{storetest.FilmInput("b", r)}, nil)
			if err == nil && len(result.Failed) == 1 {
				err = result.Failed[0].Err
			}
			return err
		},
		"patch": func(b *bucketlite.Bucket, id string, r io.Reader) error {
			_, err := b.Patch(ctx, id, bucketlite.ObjectInput{Blobs: storetest.FilmInput("a", r).Blobs}, nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := storetest.OpenPath(t, filepath.Join(t.TempDir(), "a.db"))
			b := storetest.Films(t, st)
			o := storetest.Put(t, b, storetest.FilmInput("a", bytes.NewReader(storetest.Film(1, 100))), "")
			closing := storetest.ReadFunc(func([]byte) (int, error) { st.Close(); return 0, io.EOF })
			data := bytes.NewReader(storetest.Film(2, 2*storetest.MiB))
			err := store(b, o.ID, io.MultiReader(data, closing))
			if !errors.Is(err, bucketlite.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "bucketlite: ") {
				t.Errorf("got %q, want it to begin with the package's name", err)
			}
		})
	}
}

// A faulty reader's whole input is refused, and nothing stays behind. A panic reaches
// the caller.
func TestReaderFaults(t *testing.T) {
	t.Parallel()
	errTest, errPanic := errors.New("test error"), errors.New("panic")
	faults := map[string]struct {
		reader func() io.Reader
		want   error // nil: any
	}{
		"never gives anything":     {func() io.Reader { return storetest.ReadFunc(func([]byte) (int, error) { return 0, nil }) }, io.ErrNoProgress},
		"a negative count":         {func() io.Reader { return storetest.ReadFunc(func([]byte) (int, error) { return -1, nil }) }, nil},
		"an excessive count":       {func() io.Reader { return storetest.ReadFunc(func(p []byte) (int, error) { return len(p) + 1, nil }) }, nil},
		"an error":                 {func() io.Reader { return iotest.ErrReader(errTest) }, errTest},
		"an unexpected end":        {func() io.Reader { return iotest.ErrReader(io.ErrUnexpectedEOF) }, io.ErrUnexpectedEOF},
		"an error with bytes once": {func() io.Reader { return &onceError{storetest.Film(9, storetest.MiB), errTest} }, errTest},
		"a panic":                  {func() io.Reader { return storetest.ReadFunc(func([]byte) (int, error) { panic(errPanic) }) }, errPanic},
	}
	calls := map[string]func(b *bucketlite.Bucket, in bucketlite.ObjectInput) error{
		"Put": func(b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
			return storetest.ErrorOf(b.Put(t.Context(), in, nil))
		},
		"PutMany": func(b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
			return storetest.PutManyError(b.PutMany(t.Context(), []bucketlite.ObjectInput{in}, nil))
		},
		"PutMany, atomic": func(b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
			inputs := []bucketlite.ObjectInput{storetest.FilmInput("good", bytes.NewReader(storetest.Film(8, 2*storetest.MiB))), in, {Fields: map[string]any{"k": "good too"}}}
			return storetest.ErrorOf(b.PutMany(t.Context(), inputs, &bucketlite.PutManyOptions{Atomic: true}))
		},
		"Patch": func(b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
			return storetest.ErrorOf(b.Patch(t.Context(), "patched", in, nil))
		},
		"WriteUpload": func(b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
			blob := in.Blobs[0]
			u, err := b.CreateUpload(t.Context(), bucketlite.UploadInput{Filename: blob.Filename, ContentType: "video/mp4", Property: blob.Property, ObjectMetadata: in.Fields})
			if err != nil {
				t.Fatal(err)
			}
			return storetest.ErrorOf(b.WriteUpload(t.Context(), u.ID, blob.Reader))
		},
	}
	for faultName, fault := range faults {
		for place, before := range map[string]int{"at once": 0, "in the first chunk": 1000, "in the second piece": 3 * storetest.MiB / 2} {
			for callName, call := range calls {
				t.Run(faultName+"/"+place+"/"+callName, func(t *testing.T) {
					t.Parallel()
					path := filepath.Join(t.TempDir(), "a.db")
					st := storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
					b := storetest.Films(t, st)
					storetest.Put(t, b, bucketlite.ObjectInput{ID: "patched", Fields: map[string]any{"k": "patched"}}, "")
					seen := storetest.Snapshot(t, b)
					r := io.MultiReader(bytes.NewReader(storetest.Film(7, max(before, 32))[:before]), fault.reader(), bytes.NewReader(make([]byte, storetest.MiB)))
					err := func() (err error) {
						defer func() {
							if r := recover(); r != nil {
								err = r.(error)
							}
						}()
						return call(b, storetest.FilmInput("new", r))
					}()
					if err == nil || fault.want != nil && !errors.Is(err, fault.want) {
						t.Errorf("got error %v, want %v", err, fault.want)
					}
					storetest.WantSnapshot(t, b, seen)
					storetest.WantStored(t, st, path, 0)
					storetest.Put(t, b, storetest.FilmInput("after", bytes.NewReader(storetest.Film(7, storetest.MiB))), "")
				})
			}
		}
	}
}

// A context that ends is noticed by a reader that gives nothing, and a call whose
// context has ended waits for nobody.
func TestReaderCancelled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Films(t, st)
	var cancel context.CancelFunc
	reads := 0
	idle := storetest.ReadFunc(func(p []byte) (int, error) {
		if reads++; reads == 2 {
			cancel()
		}
		return copy(p[:1], "x"), nil
	})
	release := storetest.ForeignLock(t, path) // also nobody waits for what is to be given up
	for name, head := range map[string]int{"in the first chunk": 32, "later": storetest.MiB/2 + 1000} {
		reads = 0
		var ctx context.Context
		ctx, cancel = context.WithCancel(context.Background())
		defer cancel()
		_, err := b.Put(ctx, storetest.FilmInput("a", io.MultiReader(bytes.NewReader(storetest.Film(1, head)), idle)), nil)
		if err != context.Canceled {
			t.Errorf("%s: got error %v, want exactly the context's", name, err)
		}
		if reads > 10 {
			t.Errorf("%s: got %d reads after the context had ended", name, reads-2)
		}
	}
	release()
	storetest.WantStored(t, st, path, 0)
}

// stalled begins to store a film whose reader stands still after so many bytes,
// until proceed is closed. It returns once the pieces before that are stored.
func stalled(t *testing.T, b *bucketlite.Bucket, path string, data []byte, after int) (proceed chan struct{}, result chan error) {
	t.Helper()
	proceed, result = make(chan struct{}), make(chan error, 1)
	stream := io.MultiReader(bytes.NewReader(data[:after]), onRead(func() { <-proceed }), bytes.NewReader(data[after:]))
	go func() {
		result <- storetest.ErrorOf(b.Put(context.Background(), storetest.FilmInput("stalled", stream), nil))
	}()
	db := storetest.OpenRaw(t, path)
	if !storetest.Eventually(func() bool {
		return storetest.Dump(t, db, "SELECT count(*) FROM chunks WHERE id >> 24 = (SELECT num FROM contents WHERE lease_until > 0)") == fmt.Sprintln(after/storetest.MiB*4)
	}) {
		t.Fatal("the stream does not begin")
	}
	return proceed, result
}

// The lease of staged content is renewed while the call runs, whatever the reader does.
func TestStalledStreamIsKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path, bucketlite.WithStageLease(bucketlite.Options{}, 4*time.Second))
	b := storetest.Films(t, st)
	data := storetest.Film(1, 3*storetest.MiB)
	proceed, result := stalled(t, b, path, data, 2*storetest.MiB)
	db := storetest.OpenRaw(t, path)
	lease := func() int64 {
		n, err := strconv.ParseInt(strings.TrimSpace(storetest.Dump(t, db, "SELECT lease_until FROM contents")), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if first := lease(); !storetest.Eventually(func() bool { return lease() > first }) {
		t.Error("the lease was not renewed")
	}
	close(proceed)
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	wantFilm(t, b, keyID(t, b, "stalled"), data)
}

// A lease that has run out is no loss as long as no collector has come: the clock
// may have jumped.
func TestStreamOutlastsItsLease(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Films(t, st)
	data := storetest.Film(1, 3*storetest.MiB)
	proceed, result := stalled(t, b, path, data, 2*storetest.MiB)
	storetest.Execute(t, storetest.OpenRaw(t, path), `CREATE TRIGGER off BEFORE UPDATE OF hash ON contents WHEN new.hash IS NULL BEGIN SELECT RAISE(ABORT, 'collectors off'); END;
		UPDATE contents SET lease_until = 1`)
	close(proceed)
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	wantFilm(t, b, keyID(t, b, "stalled"), data)
}

// A stream whose pieces have been collected fails, whole.
func TestStreamCollected(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"amid": 4 * storetest.MiB, "at its end": 2 * storetest.MiB} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Films(t, st)
			seen := storetest.Snapshot(t, b)
			proceed, result := stalled(t, b, path, storetest.Film(1, size), 2*storetest.MiB)
			storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE contents SET lease_until = 1")
			storetest.OpenPath(t, path) // a store that opens looks for work at once
			storetest.WantStored(t, st, path, 0)
			close(proceed)
			if err := <-result; err == nil {
				t.Error("got no error, want one")
			}
			storetest.WantSnapshot(t, b, seen)
			storetest.WantStored(t, st, path, 0)
		})
	}
}

// Several goroutines of two stores put, share, replace and delete the same few
// contents, so that references go to none and back while collectors work.
// Stored contents can be read, and in the end everything agrees.
func TestContentRaces(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	first := storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
	buckets := []*bucketlite.Bucket{storetest.Films(t, first)}
	other, err := storetest.Namespace(t, storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})).Bucket(context.Background(), "films")
	if err != nil {
		t.Fatal(err)
	}
	buckets = append(buckets, other)
	contents := [][]byte{storetest.Film(1, 100), storetest.Film(2, 300<<10), storetest.Film(3, 5*storetest.MiB/2)}
	steps := 20
	if *storetest.Long {
		steps = 400
	}
	err = storetest.AtOnce(8, func(g int) error {
		r := rand.New(rand.NewPCG(uint64(g), 1))
		b := buckets[g%2]
		k := fmt.Sprint("own", g)
		for range steps {
			data := contents[r.IntN(len(contents))]
			switch r.IntN(4) {
			case 0:
				o, err := b.ObjectByKey(context.Background(), map[string]any{"k": k})
				if errors.Is(err, bucketlite.ErrNotFound) {
					continue
				}
				if err == nil {
					err = b.DeleteObject(context.Background(), o.ID, nil)
				}
				if err != nil {
					return err
				}
			default:
				res, err := b.Put(context.Background(), storetest.FilmInput(k, bytes.NewReader(data)), &bucketlite.PutOptions{Policy: bucketlite.Upsert})
				if err != nil {
					return err
				}
				got, err := storetest.ReadBlob(b, res.Object.ID, "film")
				if err != nil || !bytes.Equal(got, data) {
					return fmt.Errorf("got %d bytes, %v, want %d", len(got), err, len(data))
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	want := int64(0)
	used := make(map[string]bool)
	for o, err := range buckets[0].Objects(context.Background(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if d := o.Blobs[0].Details; !used[d.Hash] {
			used[d.Hash] = true
			want += d.Size
		}
	}
	storetest.WantStored(t, first, path, want)
	storetest.WantSound(t, path)
}

// hashOf returns the SHA-256 of data as details have it.
func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// A disk that is full for a while does not end the renewing of a lease.
func TestLeaseIsRenewedAfterFullDisk(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	var full atomic.Bool
	var refused atomic.Int64
	ctx := engine.WithCommitHook(context.Background(), func(commit func() error) error {
		if full.Load() {
			refused.Add(1)
			return bucketlite.ErrFull
		}
		return commit()
	})
	st, err := bucketlite.Open(ctx, path, bucketlite.WithStageLease(bucketlite.Options{Durability: bucketlite.DurabilityNormal, Reserve: -1}, 2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	b := storetest.Films(t, st)
	data := storetest.Film(1, 3*storetest.MiB)
	proceed, result := stalled(t, b, path, data, 2*storetest.MiB)
	db := storetest.OpenRaw(t, path)
	full.Store(true)
	if !storetest.Eventually(func() bool { return refused.Load() > 1 }) {
		t.Error("the lease was not renewed")
	}
	first := storetest.Dump(t, db, "SELECT lease_until FROM contents")
	full.Store(false)
	if !storetest.Eventually(func() bool {
		return storetest.Dump(t, db, "SELECT lease_until FROM contents WHERE lease_until > 0") > first
	}) {
		t.Error("the lease was not renewed once there was space")
	}
	close(proceed)
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	wantFilm(t, b, keyID(t, b, "stalled"), data)
}
