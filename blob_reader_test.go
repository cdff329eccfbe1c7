package bucketlite_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

const chunk = 256 << 10

// openFilm opens the film of an object; the test closes it.
func openFilm(t testing.TB, b *bucketlite.Bucket, id string) *bucketlite.BlobReader {
	t.Helper()
	r, err := b.OpenBlob(context.Background(), id, "film")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// A blob is opened by its property or its id; the name of a property goes first.
func TestOpenBlobNames(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"notes":{"type":"array","items":{"type":"text"}},
		"text":{"type":"text"},"blob_01ARZ3NDEKTSV4RRFFQ69G5FAV":{"type":"text"}`)})
	o := storetest.Put(t, b, storetest.Input(t, `{"blobs":[{"property":"notes","data":"data:,first"},{"property":"notes","data":"second"},{"property":"notes","data":"s3://third"},
		{"property":"text","data":"text"}]}`), "")
	other := storetest.Put(t, b, storetest.Input(t, `{"blobs":[{"property":"text","data":"other"}]}`), "")
	for _, test := range []struct {
		name, property, want string
		err                  error
	}{
		{"the first of several", "notes", "first", nil},
		{"the first by id", o.Blobs[0].ID, "first", nil},
		{"the second by id", o.Blobs[1].ID, "second", nil},
		{"a reference by id", o.Blobs[2].ID, "", bucketlite.ErrBadRequest},
		{"a blob that is no array's by id", o.Blobs[3].ID, "text", nil},
		{"another object's", other.Blobs[0].ID, "", bucketlite.ErrNotFound},
		{"an id in other case", strings.ToLower(o.Blobs[1].ID), "", bucketlite.ErrNotFound},
		{"no such id", "blob_01ARZ3NDEKTSV4RRFFQ69G5FAW", "", bucketlite.ErrNotFound},
		{"a declared property that looks like an id", "blob_01ARZ3NDEKTSV4RRFFQ69G5FAV", "", bucketlite.ErrNotFound},
		{"nothing", "", "", bucketlite.ErrNotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := storetest.ReadBlob(b, o.ID, test.property)
			if !errors.Is(err, test.err) || string(got) != test.want {
				t.Errorf("got %q, %v, want %q, %v", got, err, test.want, test.err)
			}
		})
	}
}

// The properties of a reader, and its bytes, from nothing to several chunks.
func TestBlobReader(t *testing.T) {
	t.Parallel()
	b := mediaBucket(t)
	stored := func(n int) bucketlite.BlobInput {
		return bucketlite.BlobInput{Property: "text", Reader: strings.NewReader(strings.Repeat("0123456789", n/10)), Filename: "a.txt", MIMEType: "text/markdown"}
	}
	for name, test := range map[string]struct {
		blob               bucketlite.BlobInput
		size               int
		mimeType, filename string
	}{
		"nothing stored": {stored(0), 0, "text/markdown", "a.txt"},
		"one chunk":      {stored(1000), 1000, "text/markdown", "a.txt"},
		"several chunks": {stored(600_000), 600_000, "text/markdown", "a.txt"},
		"inline text":    {bucketlite.BlobInput{Property: "text", Data: "0123456789"}, 10, "text/plain", ""},
		"nothing inline": {bucketlite.BlobInput{Property: "text", Data: ""}, 0, "text/plain", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := storetest.Put(t, b, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{test.blob}}, "")
			r, err := b.OpenBlob(t.Context(), o.ID, "text")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			want := bytes.Repeat([]byte("0123456789"), test.size/10)
			sum := sha256.Sum256(want)
			if r.Size() != int64(test.size) || r.MIMEType() != test.mimeType || r.Filename() != test.filename || r.Hash() != hex.EncodeToString(sum[:]) || r.Blob().ID != o.Blobs[0].ID {
				t.Errorf("got size %d, type %q, name %q, hash %s, blob %+v", r.Size(), r.MIMEType(), r.Filename(), r.Hash(), r.Blob())
			}
			if err := iotest.TestReader(r, want); err != nil {
				t.Error(err)
			}
			// Beyond the end there is nothing, which is no fault; before the start there is no place.
			if n, err := r.Seek(1<<40, io.SeekStart); n != 1<<40 || err != nil {
				t.Errorf("seek beyond the end: got %d, %v", n, err)
			}
			if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("read beyond the end: got %d, %v, want io.EOF", n, err)
			}
			if n, err := r.ReadAt(make([]byte, 1), 1<<62); n != 0 || err != io.EOF {
				t.Errorf("ReadAt beyond the end: got %d, %v, want io.EOF", n, err)
			}
			if _, err := r.Seek(-1, io.SeekStart); err == nil {
				t.Error("seek before the start: got no error, want one")
			}
			if n, err := r.Seek(0, io.SeekEnd); n != int64(test.size) || err != nil {
				t.Errorf("seek to the end: got %d, %v", n, err)
			}
		})
	}
}

// Many goroutines read from one reader at once.
func TestReadAtConcurrently(t *testing.T) {
	t.Parallel()
	for kind, st := range map[string]*bucketlite.Store{"file": storetest.Open(t), "memory": storetest.OpenMemory(t)} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := storetest.Films(t, st)
			data := storetest.Film(1, 3*storetest.MiB+5)
			r := openFilm(t, b, storetest.Put(t, b, storetest.FilmInput("a", bytes.NewReader(data)), "").ID)
			err := storetest.AtOnce(8, func(g int) error {
				rnd := rand.New(rand.NewPCG(uint64(g), 3))
				for range 50 {
					p := make([]byte, rnd.IntN(600<<10))
					at := rnd.IntN(len(data))
					n, err := r.ReadAt(p, int64(at))
					want := data[at:min(len(data), at+len(p))]
					if !bytes.Equal(p[:n], want) || n < len(p) != (err == io.EOF) || err != nil && err != io.EOF {
						return fmt.Errorf("%d bytes at %d: got %d, %v", len(p), at, n, err)
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// The ends of reading, also of bytes that are in memory by now.
func TestReadingEnds(t *testing.T) {
	t.Parallel()
	for kind, blob := range map[string]func() bucketlite.BlobInput{
		"stored": func() bucketlite.BlobInput {
			return bucketlite.BlobInput{Property: "text", Reader: strings.NewReader(strings.Repeat("x", 3*chunk))}
		},
		"inline": func() bucketlite.BlobInput {
			return bucketlite.BlobInput{Property: "text", Data: strings.Repeat("x", 1000)}
		},
	} {
		for name, test := range map[string]struct {
			end  func(st *bucketlite.Store, r *bucketlite.BlobReader, cancel func())
			want error
		}{
			"reader closed": {func(_ *bucketlite.Store, r *bucketlite.BlobReader, _ func()) { r.Close() }, fs.ErrClosed},
			"store closed":  {func(st *bucketlite.Store, _ *bucketlite.BlobReader, _ func()) { st.Close() }, bucketlite.ErrClosed},
			"context ends":  {func(_ *bucketlite.Store, _ *bucketlite.BlobReader, cancel func()) { cancel() }, context.Canceled},
		} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				st := storetest.Open(t)
				b := storetest.Bucket(t, st, bucketlite.BucketConfig{Schema: storetest.Schema(t, mediaSchema)})
				o := storetest.Put(t, b, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{blob()}}, "")
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				r, err := b.OpenBlob(ctx, o.ID, "text")
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
					t.Fatal(err)
				}
				test.end(st, r, cancel)
				if n, err := r.Read(make([]byte, 10)); n != 0 || !errors.Is(err, test.want) {
					t.Errorf("Read: got %d, %v, want %v", n, err, test.want)
				}
				if n, err := r.ReadAt(make([]byte, 10), r.Size()-20); n != 0 || !errors.Is(err, test.want) {
					t.Errorf("ReadAt: got %d, %v, want %v", n, err, test.want)
				}
				if err := r.Close(); err != nil {
					t.Errorf("Close: got %v, want nil", err)
				}
			})
		}
	}
}

// The object of a blob that is being read is deleted, or gets another blob: reading
// continues while the content is there, and then fails; it never yields other bytes.
func TestReadDeleted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Films(t, st)
	data := storetest.Film(1, 8*storetest.MiB)
	shared := storetest.Put(t, b, storetest.FilmInput("shared", bytes.NewReader(data)), "")
	o := storetest.Put(t, b, storetest.FilmInput("a", bytes.NewReader(data)), "")
	r := openFilm(t, b, o.ID)
	head := make([]byte, storetest.MiB)
	if _, err := io.ReadFull(r, head); err != nil || !bytes.Equal(head, data[:storetest.MiB]) {
		t.Fatalf("got %v, want the head", err)
	}
	if err := b.DeleteObject(t.Context(), o.ID, nil); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(r); err != nil || !bytes.Equal(rest, data[storetest.MiB:]) {
		t.Errorf("shared with another: got %d bytes, %v, want the rest", len(rest), err)
	}
	r = openFilm(t, b, shared.ID)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(t.Context(), storetest.FilmInput("shared", bytes.NewReader(storetest.Film(2, 100))), &bucketlite.PutOptions{Policy: bucketlite.Upsert}); err != nil {
		t.Fatal(err)
	}
	storetest.WantStored(t, st, path, 100)
	rest, err := io.ReadAll(r)
	storetest.WantError(t, err, bucketlite.ErrNotFound)
	if !bytes.Equal(rest, data[storetest.MiB:storetest.MiB+len(rest)]) {
		t.Errorf("got %d other bytes", len(rest))
	}
}

// Damage anywhere is found before any byte of the chunk is handed out, and what
// is missing is no end.
func TestDamage(t *testing.T) {
	t.Parallel()
	const chunks = 9 // the last is short
	damage := map[string]string{
		"a flipped bit":   "UPDATE chunks SET data = cast(substr(data, 1, 999) || x'%02x' || substr(data, 1001) AS BLOB) WHERE id & 0xffffff = %d",
		"a wrong sum":     "UPDATE chunks SET sum = sum + 1 + 0 * %[1]d WHERE id & 0xffffff = %[2]d",
		"a missing chunk": "DELETE FROM chunks WHERE %[1]d >= 0 AND id & 0xffffff = %[2]d",
		"a cut chunk":     "UPDATE chunks SET data = x'', sum = 0 * %[1]d WHERE id & 0xffffff = %[2]d", // 0 is the sum of nothing
	}
	for name, statement := range damage {
		for _, at := range []int{0, 4, chunks - 1} {
			t.Run(fmt.Sprint(name, "/", at), func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "a.db")
				b := storetest.Films(t, storetest.OpenPath(t, path))
				data := storetest.Film(3, (chunks-1)*chunk+2000)
				o := storetest.Put(t, b, storetest.FilmInput("a", bytes.NewReader(data)), "")
				storetest.Execute(t, storetest.OpenRaw(t, path), fmt.Sprintf(statement, data[at*chunk+999]^1, at))
				r := openFilm(t, b, o.ID)
				got, err := io.ReadAll(r)
				storetest.WantError(t, err, bucketlite.ErrCorrupt)
				if want := data[:at*chunk]; !bytes.Equal(got, want) {
					t.Errorf("got %d bytes before the error, want the %d of whole chunks", len(got), len(want))
				}
				p := make([]byte, 10)
				if n, err := r.ReadAt(p, int64(at*chunk)+1500); n != 0 || !errors.Is(err, bucketlite.ErrCorrupt) {
					t.Errorf("a range within: got %d bytes, %v, want ErrCorrupt", n, err)
				}
				for _, whole := range []int{0, 4, chunks - 1} {
					if n, err := r.ReadAt(p, int64(whole*chunk)+1500); whole != at && (err != nil || !bytes.Equal(p[:n], data[whole*chunk+1500:][:10])) {
						t.Errorf("a range elsewhere: got %d bytes, %v", n, err)
					}
				}
			})
		}
	}
	t.Run("a missing content", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "a.db")
		b := storetest.Films(t, storetest.OpenPath(t, path))
		o := storetest.Put(t, b, storetest.FilmInput("a", bytes.NewReader(storetest.Film(3, 100))), "")
		storetest.Execute(t, storetest.OpenRaw(t, path), "DELETE FROM contents")
		_, err := b.OpenBlob(t.Context(), o.ID, "film")
		storetest.WantError(t, err, bucketlite.ErrCorrupt)
	})
}

// serveFilm is a handler as one would write it.
func serveFilm(b *bucketlite.Bucket, id string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r, err := b.OpenBlob(req.Context(), id, "film")
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		defer r.Close()
		w.Header().Set("Content-Type", r.MIMEType())
		w.Header().Set("ETag", `"`+r.Hash()+`"`)
		http.ServeContent(w, req, "", time.Time{}, r)
	})
}

func TestServeContent(t *testing.T) {
	t.Parallel()
	b := storetest.Films(t, storetest.OpenMemory(t))
	data := storetest.Film(1, 2*storetest.MiB+100)
	o := storetest.Put(t, b, storetest.FilmInput("a", bytes.NewReader(data)), "")
	etag := `"` + o.Blobs[0].Details.Hash + `"`
	for name, test := range map[string]struct {
		header map[string]string
		status int
		body   []byte
	}{
		"all":                 {nil, 200, data},
		"a range":             {map[string]string{"Range": "bytes=262100-262200"}, 206, data[262100:262201]},
		"an open range":       {map[string]string{"Range": "bytes=2097100-"}, 206, data[2097100:]},
		"the end":             {map[string]string{"Range": "bytes=-10"}, 206, data[len(data)-10:]},
		"beyond the end":      {map[string]string{"Range": "bytes=9999999-"}, 416, nil},
		"known":               {map[string]string{"If-None-Match": etag}, 304, nil},
		"another known":       {map[string]string{"If-None-Match": `"x"`}, 200, data},
		"a range of the same": {map[string]string{"Range": "bytes=0-9", "If-Range": etag}, 206, data[:10]},
		"a range of another":  {map[string]string{"Range": "bytes=0-9", "If-Range": `"x"`}, 200, data},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := httptest.NewRequest("GET", "/", nil)
			for k, v := range test.header {
				req.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			serveFilm(b, o.ID).ServeHTTP(w, req)
			if w.Code != test.status || w.Code < 400 && w.Header().Get("ETag") != etag {
				t.Errorf("got status %d, header %v, want %d", w.Code, w.Header(), test.status)
			}
			if test.body != nil && (!bytes.Equal(w.Body.Bytes(), test.body) || w.Header().Get("Content-Type") != "video/mp4") {
				t.Errorf("got %d bytes of %s, want %d", w.Body.Len(), w.Header().Get("Content-Type"), len(test.body))
			}
		})
	}
}
