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
	"testing"
	"testing/iotest"

	"github.com/bucketlite/bucketlite"
)

const mib = 1 << 20

// film returns n bytes that pass for a video: a seed's noise behind the head of an MP4.
func film(seed uint64, n int) []byte {
	head := []byte("\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2")
	data := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed)})
	r.Read(data)
	copy(data, head)
	return data
}

func films(t testing.TB, st *bucketlite.Store) *bucketlite.Bucket {
	return bucket(t, st, bucketlite.BucketConfig{Name: "films",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"k": {Type: bucketlite.String}, "film": {Type: bucketlite.Video},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Insert}})
}

func filmInput(k string, r io.Reader) bucketlite.ObjectInput {
	return bucketlite.ObjectInput{Fields: map[string]any{"k": k},
		Blobs: []bucketlite.BlobInput{{Property: "film", Reader: r, Filename: "a.mp4"}}}
}

// wantStored waits until the store holds exactly so many bytes of content, and
// no piece of anything else.
func wantStored(t testing.TB, st *bucketlite.Store, path string, want int64) {
	t.Helper()
	got := ""
	db := raw(t, path)
	ok := eventually(func() bool {
		stats, err := st.Stats(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var stored, pieces int64
		if err := db.QueryRow("SELECT (SELECT ifnull(sum(size), 0) FROM contents), (SELECT ifnull(sum(length(data)), 0) FROM chunks)").Scan(&stored, &pieces); err != nil {
			t.Fatal(err)
		}
		got = fmt.Sprintf("%d counted, %d described, %d in chunks", stats.ContentBytes, stored, pieces)
		return stats.ContentBytes == want && stored == want && pieces == want
	})
	if !ok {
		t.Errorf("content: got %s, want %d", got, want)
	}
}

func TestStreamedContent(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 100, 256 << 10, 256<<10 + 1, mib, mib + 1, 3*mib + 77} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			path := filepath.Join(t.TempDir(), "a.db")
			st := openPath(t, path)
			b := films(t, st)
			data := film(1, max(size, 32))
			o := put(t, b, filmInput("a", iotest.HalfReader(bytes.NewReader(data))), "")
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
			wantStored(t, st, path, int64(len(data)))
		})
	}
}

func TestStreamedContentIsShared(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := openPath(t, path)
	b := films(t, st)
	data := film(2, 2*mib)
	first := put(t, b, filmInput("a", bytes.NewReader(data)), "")
	second := put(t, b, filmInput("b", bytes.NewReader(data)), "")
	wantStored(t, st, path, 2*mib)
	if err := b.DeleteObject(ctx, first.ID, nil); err != nil {
		t.Fatal(err)
	}
	wantStored(t, st, path, 2*mib)
	if err := b.DeleteObject(ctx, second.ID, nil); err != nil {
		t.Fatal(err)
	}
	wantStored(t, st, path, 0)
}

// A stream that comes to nothing leaves nothing behind.
func TestStreamGivenUp(t *testing.T) {
	t.Parallel()
	errTest := errors.New("test error")
	data := film(3, 3*mib)
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
				return io.MultiReader(bytes.NewReader(data[:2*mib]), onRead(cancel), bytes.NewReader(data[2*mib:]))
			},
			want: context.Canceled,
		},
		"too long": {
			options: &bucketlite.Options{MaxBlobBytes: 2 * mib},
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
			return second(b.Put(ctx, in, nil))
		},
		"PutMany": func(ctx context.Context, b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
			return batchError(b.PutMany(ctx, []bucketlite.ObjectInput{in}, nil))
		},
		"Patch": func(ctx context.Context, b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
			return second(b.Patch(ctx, "patched", in, nil))
		},
	}
	for name, test := range tests {
		for callName, call := range calls {
			t.Run(name+"/"+callName, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "a.db")
				st := openPath(t, path, test.options)
				b := films(t, st)
				put(t, b, bucketlite.ObjectInput{Fields: map[string]any{"k": "taken"}}, "")
				put(t, b, bucketlite.ObjectInput{ID: "patched", Fields: map[string]any{"k": "patched"}}, "")
				before := snapshot(t, b)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				key := test.key
				if key == "" {
					key = "new"
				}
				if err := call(ctx, b, filmInput(key, test.reader(cancel))); !errors.Is(err, test.want) {
					t.Errorf("got error %v, want %v", err, test.want)
				}
				wantSnapshot(t, b, before)
				wantStored(t, st, path, 0)
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
	st := openPath(t, path)
	b := films(t, st)
	noise := bytes.Repeat([]byte("no film"), mib)
	rest := bytes.NewReader(noise)
	_, err := b.Put(context.Background(), filmInput("a", rest), nil)
	wantIssues(t, err, map[string]string{"blobs[0]": "mime"})
	if read := len(noise) - rest.Len(); read > mib {
		t.Errorf("got %d bytes read, want at most a chunk", read)
	}
	wantStored(t, st, path, 0)
}

// A stream that stands still holds nobody up.
func TestStreamLetsOthersWrite(t *testing.T) {
	t.Parallel()
	st := open(t)
	b := films(t, st)
	data := film(4, 3*mib)
	reached, proceed := make(chan struct{}), make(chan struct{})
	stream := io.MultiReader(bytes.NewReader(data[:2*mib]), onRead(func() { close(reached); <-proceed }), bytes.NewReader(data[2*mib:]))
	stored := make(chan error)
	go func() { stored <- second(b.Put(context.Background(), filmInput("a", stream), nil)) }()
	<-reached
	put(t, b, bucketlite.ObjectInput{Fields: map[string]any{"k": "b"}}, "")
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
	st := openPath(t, path)
	b := films(t, st)
	put(t, b, filmInput("a", bytes.NewReader(film(5, mib))), "")
	execute(t, raw(t, path), `
INSERT INTO contents (num, size, uses, lease_until) VALUES (77, 0, 0, 1);
INSERT INTO chunks (id, sum, data) VALUES (77 << 24, 0, x'00'), ((77 << 24) + 1, 0, x'01')`)
	if err := b.DeleteObject(context.Background(), keyID(t, b, "a"), nil); err != nil { // wakes the collector
		t.Fatal(err)
	}
	wantStored(t, st, path, 0)
}

func keyID(t testing.TB, b *bucketlite.Bucket, k string) string {
	t.Helper()
	o, err := b.ObjectByKey(context.Background(), map[string]any{"k": k})
	if err != nil {
		t.Fatal(err)
	}
	return o.ID
}
