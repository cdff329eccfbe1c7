package bucketlite_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/bucketlite/bucketlite"
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

// What the head of a stream shows to be wrong is refused without reading on.
func TestStreamRefusedByItsHead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Films(t, st)
	noise := bytes.Repeat([]byte("no film"), storetest.MiB)
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

// What a process that died has staged is collected once its lease has ended.
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
