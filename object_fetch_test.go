package bucketlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// sources is a fetcher of the contents it holds, by URL. Other URLs stay references.
type sources struct {
	mu     sync.Mutex
	get    map[string]func(ctx context.Context) (*bucketlite.Fetched, error)
	asked  []string // in order
	bodies int      // not closed yet
}

func newSources() *sources {
	return &sources{get: make(map[string]func(context.Context) (*bucketlite.Fetched, error))}
}

// Fetch implements bucketlite.Fetcher.
func (s *sources) Fetch(ctx context.Context, url string) (*bucketlite.Fetched, error) {
	s.mu.Lock()
	s.asked = append(s.asked, url)
	get := s.get[url]
	s.mu.Unlock()
	if get == nil {
		return nil, nil
	}
	got, err := get(ctx)
	if got != nil && got.Body != nil {
		s.mu.Lock()
		s.bodies++
		s.mu.Unlock()
		got.Body = &countedBody{got.Body, s}
	}
	return got, err
}

type countedBody struct {
	io.ReadCloser
	s *sources
}

func (b *countedBody) Close() error {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.s.bodies--
	return b.ReadCloser.Close()
}

// add makes url stand for data, described by an example.
func (s *sources) add(url string, data []byte, like bucketlite.Fetched) {
	s.addReader(url, func() io.Reader { return bytes.NewReader(data) }, like)
}

func (s *sources) addReader(url string, r func() io.Reader, like bucketlite.Fetched) {
	s.addFunc(url, func(context.Context) (*bucketlite.Fetched, error) {
		like := like
		like.Body = io.NopCloser(r())
		return &like, nil
	})
}

func (s *sources) addFunc(url string, get func(context.Context) (*bucketlite.Fetched, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.get[url] = get
}

// wantAsked fails unless exactly these URLs have been asked for since the last
// look, in any order, and every body is closed.
func (s *sources) wantAsked(t testing.TB, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.asked)
	slices.Sort(want)
	if !slices.Equal(s.asked, want) {
		t.Errorf("got %v asked for, want %v", s.asked, want)
	}
	if s.bodies != 0 {
		t.Errorf("got %d bodies open, want none", s.bodies)
	}
	s.asked = nil
}

// Every form of a URL, and the blob's description.
func TestFetch(t *testing.T) {
	t.Parallel()
	png, long := media(t, "photo.png"), storetest.Film(1, 2*storetest.MiB+1)
	src := newSources()
	src.add("https://example.com/a.png?size=1#x", png, bucketlite.Fetched{MIMEType: "image/png", Filename: "a.png"})
	src.add("http://example.com/wrong", png, bucketlite.Fetched{MIMEType: "text/html; charset=utf-8"})
	src.add("http://example.com/no type", png, bucketlite.Fetched{MIMEType: "no type"})
	src.add("s3://bucket/film", long, bucketlite.Fetched{MIMEType: "video/mp4", Filename: "b.mp4"})
	src.add("gs://bucket/notes", []byte("# notes"), bucketlite.Fetched{MIMEType: "Text/Markdown; charset=utf-8"})
	src.add("file:///empty", nil, bucketlite.Fetched{MIMEType: "text/plain"})
	src.add("http://example.com/unknown", []byte("\x00\x01\x02"), bucketlite.Fetched{MIMEType: "image/x-unknown"})
	tests := []struct {
		name, property, data string // JSON
		content              []byte // nil: it stays a reference
		want                 bucketlite.BlobDetails
	}{
		{"a string", "image", `"https://example.com/a.png?size=1#x"`, png, bucketlite.BlobDetails{MIMEType: "image/png", Filename: "a.png"}},
		{"an object", "image", `{"url":"https://example.com/a.png?size=1#x"}`, png, bucketlite.BlobDetails{MIMEType: "image/png", Filename: "a.png"}},
		{"what is declared goes first", "image", `{"url":"https://example.com/a.png?size=1#x","filename":"c.png","mime_type":"image/x-icon"}`, png,
			bucketlite.BlobDetails{MIMEType: "image/png", Filename: "c.png"}},
		{"a type that does not fit", "image", `"http://example.com/wrong"`, png, bucketlite.BlobDetails{MIMEType: "image/png"}},
		{"a type that is none", "image", `"http://example.com/no type"`, png, bucketlite.BlobDetails{MIMEType: "image/png"}},
		{"a type that fits what nobody knows", "image", `"http://example.com/unknown"`, []byte("\x00\x01\x02"), bucketlite.BlobDetails{MIMEType: "image/x-unknown"}},
		{"a film", "video", `"s3://bucket/film"`, long, bucketlite.BlobDetails{MIMEType: "video/mp4", Filename: "b.mp4"}},
		{"text", "text", `"gs://bucket/notes"`, []byte("# notes"), bucketlite.BlobDetails{MIMEType: "text/markdown"}},
		{"no bytes", "text", `"file:///empty"`, []byte{}, bucketlite.BlobDetails{MIMEType: "text/plain"}},
		{"one of several", "photos", `"http://example.com/wrong"`, png, bucketlite.BlobDetails{MIMEType: "image/png"}},
		{"not brought in", "image", `{"url":"https://example.com/other","filename":"d.png","mime_type":"image/gif"}`, nil, bucketlite.BlobDetails{MIMEType: "image/gif", Filename: "d.png"}},
	}
	for _, test := range tests {
		for callName, call := range map[string]func(b *bucketlite.Bucket, in bucketlite.ObjectInput) (*bucketlite.Object, error){
			"Put": func(b *bucketlite.Bucket, in bucketlite.ObjectInput) (*bucketlite.Object, error) {
				res, err := b.Put(t.Context(), in, nil)
				if err != nil {
					return nil, err
				}
				return res.Object, nil
			},
			"PutMany": func(b *bucketlite.Bucket, in bucketlite.ObjectInput) (*bucketlite.Object, error) {
				res, err := b.PutMany(t.Context(), []bucketlite.ObjectInput{in}, nil)
				if err := storetest.PutManyError(res, err); err != nil {
					return nil, err
				}
				return res.Succeeded[0].Object, nil
			},
			"Patch": func(b *bucketlite.Bucket, in bucketlite.ObjectInput) (*bucketlite.Object, error) {
				return b.Patch(t.Context(), storetest.Put(t, b, bucketlite.ObjectInput{}, "").ID, in, nil)
			},
		} {
			t.Run(test.name+"/"+callName, func(t *testing.T) {
				t.Parallel()
				b := mediaBucket(t, &bucketlite.Options{Fetcher: src})
				in := storetest.Input(t, `{"blobs":[{"property":"`+test.property+`","data":`+test.data+`,"metadata":{"author":"x"}}]}`)
				if err := b.Validate(t.Context(), in); err != nil {
					t.Errorf("Validate: got %v, want no error", err)
				}
				o, err := call(b, in)
				if err != nil {
					t.Fatal(err)
				}
				blob := o.Blobs[0]
				want := test.want
				if test.content != nil {
					want.Size, want.Hash = int64(len(test.content)), hashOf(test.content)
				}
				if diff := cmp.Diff(want, blob.Details); diff != "" {
					t.Errorf("details (-want +got):\n%s", diff)
				}
				source := in.Blobs[0].Data
				if m, ok := source.(map[string]any); ok {
					source = m["url"]
				}
				if diff := cmp.Diff(map[string]any{"url": source, "author": "x"}, blob.Properties); diff != "" {
					t.Errorf("properties (-want +got):\n%s", diff)
				}
				if o.Size != want.Size {
					t.Errorf("got size %d, want %d", o.Size, want.Size)
				}
				got, err := storetest.ReadBlob(b, o.ID, blob.ID)
				if test.content == nil {
					storetest.WantError(t, err, bucketlite.ErrBadRequest)
				} else if err != nil || !bytes.Equal(got, test.content) {
					t.Errorf("got %d bytes, %v, want %d", len(got), err, len(test.content))
				}
				storetest.WantExact(t, b)
				back := storetest.Input(t, toJSON(t, o)) // as it is stored, it is no instruction to fetch
				if _, err := b.Patch(t.Context(), o.ID, back, nil); err != nil {
					t.Errorf("patched with itself: got %v, want no error", err)
				}
			})
		}
	}
}

// A URL without a file, or with KeepReference, is not fetched.
func TestNotFetched(t *testing.T) {
	t.Parallel()
	const u = "https://example.com/a"
	for name, test := range map[string]struct {
		in    string
		asked int
	}{
		"by default":                    {`{"blobs":[{"property":"image","data":"` + u + `"}]}`, 1},
		"canonical":                     {`{"canonicalize_source":true,"blobs":[{"property":"image","data":"` + u + `","canonicalize_source":null}]}`, 1},
		"the object says no":            {`{"canonicalize_source":false,"blobs":[{"property":"image","data":"` + u + `"},{"property":"video","data":"` + u + `"}]}`, 0},
		"the blob says no":              {`{"canonicalize_source":true,"blobs":[{"property":"image","data":"` + u + `","canonicalize_source":false},{"property":"video","data":"` + u + `"}]}`, 1},
		"the blob says yes":             {`{"canonicalize_source":false,"blobs":[{"property":"image","data":"` + u + `","canonicalize_source":true}]}`, 1},
		"no array of files":             {`{"blobs":[{"property":"o","data":{"url":"` + u + `"}}]}`, 0},
		"a value that looks like a URL": {`{"free":"` + u + `","text":"` + u + `"}`, 0},
		"bytes":                         {`{"blobs":[{"property":"text","data":"data:,` + u + `"}]}`, 0},
		"a member of the metadata":      {`{"blobs":[{"property":"text","data":"x","metadata":{"source":"` + u + `"}}]}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := newSources()
			b := mediaBucket(t, &bucketlite.Options{Fetcher: src})
			in := storetest.Input(t, test.in)
			storetest.Put(t, b, in, "")
			src.wantAsked(t, slices.Repeat([]string{u}, test.asked)...)
			if err := b.Validate(t.Context(), in); err != nil {
				t.Error(err)
			}
			src.wantAsked(t)
		})
	}
}

// An instruction is a boolean.
func TestFetchInstructions(t *testing.T) {
	t.Parallel()
	var in bucketlite.ObjectInput
	err := in.UnmarshalJSON([]byte(`{"skip_duplicates":1,"canonicalize_source":"no","force_remirror":[],
		"blobs":[{"property":"image","canonicalize_source":0,"force_remirror":{},"data":"s3://a"}]}`))
	storetest.WantIssues(t, err, map[string]string{"skip_duplicates": "type", "canonicalize_source": "type", "force_remirror": "type",
		"blobs[0].canonicalize_source": "type", "blobs[0].force_remirror": "type"})
	in = storetest.Input(t, `{"skip_duplicates":null,"canonicalize_source":null,"force_remirror":null,"blobs":[{"property":"p","data":"x","force_remirror":false,"canonicalize_source":true}]}`)
	want := bucketlite.ObjectInput{Fields: map[string]any{}, Blobs: []bucketlite.BlobInput{{Property: "p", Data: "x", KeepReference: new(false), Refetch: new(false)}}}
	if diff := cmp.Diff(want, in); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
}

// A source that fails refuses the whole input, and nothing stays behind.
func TestFetchRefused(t *testing.T) {
	t.Parallel()
	const u = "https://user:secret@example.com/film.mp4?token=secret#secret"
	errTest := errors.New("test error")
	data := storetest.Film(1, 3*storetest.MiB)
	broken := func(after int, err error) func() io.Reader {
		return func() io.Reader { return io.MultiReader(bytes.NewReader(data[:after]), iotest.ErrReader(err)) }
	}
	for name, test := range map[string]struct {
		source func(s *sources, cancel func())
		rule   string // "" if it is no fault of the input
		want   error
	}{
		"not found": {func(s *sources, _ func()) {
			s.addFunc(u, func(context.Context) (*bucketlite.Fetched, error) { return nil, fmt.Errorf("get %s: %w", u, errTest) })
		}, "fetch", errTest},
		"net/http's error": {func(s *sources, _ func()) {
			s.addFunc(u, func(context.Context) (*bucketlite.Fetched, error) {
				return nil, &url.Error{Op: "Get", URL: "https://other.example/?secret", Err: errTest}
			})
		}, "fetch", errTest},
		"an error and a body": {func(s *sources, _ func()) {
			s.addFunc(u, func(context.Context) (*bucketlite.Fetched, error) {
				return &bucketlite.Fetched{Body: io.NopCloser(bytes.NewReader(data))}, errTest
			})
		}, "fetch", errTest},
		"no body": {func(s *sources, _ func()) {
			s.addFunc(u, func(context.Context) (*bucketlite.Fetched, error) { return &bucketlite.Fetched{}, nil })
		}, "fetch", bucketlite.ErrInvalid},
		"broken at once":     {func(s *sources, _ func()) { s.addReader(u, broken(0, errTest), bucketlite.Fetched{}) }, "fetch", errTest},
		"broken in the head": {func(s *sources, _ func()) { s.addReader(u, broken(100, errTest), bucketlite.Fetched{}) }, "fetch", errTest},
		"broken within":      {func(s *sources, _ func()) { s.addReader(u, broken(2*storetest.MiB, errTest), bucketlite.Fetched{}) }, "fetch", errTest},
		"cut short": {func(s *sources, _ func()) {
			s.addReader(u, broken(2*storetest.MiB, io.ErrUnexpectedEOF), bucketlite.Fetched{})
		}, "fetch", io.ErrUnexpectedEOF},
		"its own deadline": {func(s *sources, _ func()) {
			s.addReader(u, broken(2*storetest.MiB, context.DeadlineExceeded), bucketlite.Fetched{})
		}, "fetch", context.DeadlineExceeded},
		"another type": {func(s *sources, _ func()) { s.add(u, media(t, "photo.png"), bucketlite.Fetched{MIMEType: "video/mp4"}) }, "mime", bucketlite.ErrInvalid},
		"a page for people": {func(s *sources, _ func()) {
			s.add(u, []byte("<!DOCTYPE html><p>Sign in"), bucketlite.Fetched{MIMEType: "text/html"})
		}, "mime", bucketlite.ErrInvalid},
		"too long":               {func(s *sources, _ func()) { s.add(u, storetest.Film(1, 5*storetest.MiB), bucketlite.Fetched{}) }, "size", bucketlite.ErrTooLarge},
		"a filename with a path": {func(s *sources, _ func()) { s.add(u, data, bucketlite.Fetched{Filename: "../film.mp4"}) }, "name", bucketlite.ErrInvalid},
		"a call that has to end": {func(s *sources, cancel func()) {
			s.addFunc(u, func(ctx context.Context) (*bucketlite.Fetched, error) { cancel(); return nil, ctx.Err() })
		}, "", context.Canceled},
		"a body that has to end": {func(s *sources, cancel func()) {
			s.addReader(u, func() io.Reader {
				return io.MultiReader(bytes.NewReader(data[:2*storetest.MiB]), onRead(cancel), bytes.NewReader(data))
			}, bucketlite.Fetched{})
		}, "", context.Canceled},
		"a fetcher that panics": {func(s *sources, _ func()) {
			s.addFunc(u, func(context.Context) (*bucketlite.Fetched, error) { panic(errTest) })
		}, "", errTest},
		"a body that panics within": {func(s *sources, _ func()) {
			s.addReader(u, func() io.Reader {
				return io.MultiReader(bytes.NewReader(data[:2*storetest.MiB]), onRead(func() { panic(errTest) }))
			}, bucketlite.Fetched{})
		}, "", errTest},
	} {
		for callName, call := range map[string]func(ctx context.Context, b *bucketlite.Bucket, in bucketlite.ObjectInput) error{
			"Put": func(ctx context.Context, b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
				return storetest.ErrorOf(b.Put(ctx, in, nil))
			},
			"PutMany": func(ctx context.Context, b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
				return storetest.PutManyError(b.PutMany(ctx, []bucketlite.ObjectInput{in}, nil))
			},
			"PutMany, atomic": func(ctx context.Context, b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
				good := bucketlite.ObjectInput{Fields: map[string]any{"k": "good"}, Blobs: []bucketlite.BlobInput{{Property: "film", Data: "s3://good"}}}
				return storetest.ErrorOf(b.PutMany(ctx, []bucketlite.ObjectInput{good, in, good}, &bucketlite.PutManyOptions{Atomic: true, Policy: bucketlite.Upsert}))
			},
			"Patch": func(ctx context.Context, b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
				return storetest.ErrorOf(b.Patch(ctx, "patched", in, nil))
			},
		} {
			t.Run(name+"/"+callName, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				src := newSources()
				src.add("s3://good", storetest.Film(2, 2*storetest.MiB), bucketlite.Fetched{})
				test.source(src, cancel)
				path := filepath.Join(t.TempDir(), "a.db")
				st := storetest.OpenPath(t, path, &bucketlite.Options{Fetcher: src, MaxBlobBytes: 4 * storetest.MiB, Durability: bucketlite.DurabilityNormal})
				b := storetest.Films(t, st)
				storetest.Put(t, b, bucketlite.ObjectInput{ID: "patched", Fields: map[string]any{"k": "patched"}}, "")
				seen := storetest.Snapshot(t, b)
				err := func() (err error) {
					defer func() {
						if r := recover(); r != nil {
							err = r.(error)
						}
					}()
					return call(ctx, b, bucketlite.ObjectInput{Fields: map[string]any{"k": "new"}, Blobs: []bucketlite.BlobInput{{Property: "film", Data: u}}})
				}()
				storetest.WantError(t, err, test.want)
				if test.rule != "" {
					place := "blobs[0].data"
					if test.rule == "name" {
						place += ".filename"
					}
					var invalid *bucketlite.ValidationError
					if !errors.As(err, &invalid) || len(invalid.Issues) != 1 || invalid.Issues[0].Path != place || invalid.Issues[0].Rule != test.rule {
						t.Errorf("got %v, want an issue of rule %q at %s", err, test.rule, place)
					}
					if strings.Contains(err.Error(), "secret") {
						t.Errorf("got a message with secrets: %v", err)
					}
				} else if errors.Is(err, bucketlite.ErrInvalid) {
					t.Errorf("got %v, want no fault of the input", err)
				}
				src.mu.Lock()
				bodies := src.bodies
				src.mu.Unlock()
				if bodies != 0 {
					t.Errorf("got %d bodies open, want none", bodies)
				}
				storetest.WantSnapshot(t, b, seen)
				storetest.WantStored(t, st, path, 0)
			})
		}
	}
}

// The URLs of a refused input are not fetched.
func TestNotFetchedInVain(t *testing.T) {
	t.Parallel()
	src := newSources()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path, &bucketlite.Options{Fetcher: src})
	b := storetest.Films(t, st)
	o := storetest.Put(t, b, bucketlite.ObjectInput{Fields: map[string]any{"k": "taken"}}, "")
	in := func(k any, id string) bucketlite.ObjectInput {
		return bucketlite.ObjectInput{ID: id, Fields: map[string]any{"k": k}, Blobs: []bucketlite.BlobInput{{Property: "film", Data: "https://example.com/a"}}}
	}
	ctx := context.Background()
	putWith := func(in bucketlite.ObjectInput, opts bucketlite.PutOptions) error {
		return storetest.ErrorOf(b.Put(ctx, in, &opts))
	}
	for name, test := range map[string]struct {
		do   func() error
		want error
	}{
		"a fault":       {func() error { return putWith(in(5, ""), bucketlite.PutOptions{}) }, bucketlite.ErrInvalid},
		"a key taken":   {func() error { return putWith(in("taken", ""), bucketlite.PutOptions{Policy: bucketlite.Insert}) }, bucketlite.ErrExists},
		"a key missing": {func() error { return putWith(in("new", ""), bucketlite.PutOptions{Policy: bucketlite.Update}) }, bucketlite.ErrNotFound},
		"another version": {func() error {
			return putWith(in("taken", ""), bucketlite.PutOptions{Policy: bucketlite.Upsert, IfVersion: 99})
		}, bucketlite.ErrConflict},
		"another id":           {func() error { return putWith(in("taken", "other"), bucketlite.PutOptions{Policy: bucketlite.Upsert}) }, bucketlite.ErrConflict},
		"a patch with a fault": {func() error { return storetest.ErrorOf(b.Patch(ctx, o.ID, in(5, ""), nil)) }, bucketlite.ErrInvalid},
		"a patch of nothing":   {func() error { return storetest.ErrorOf(b.Patch(ctx, "nothing", in("new", ""), nil)) }, bucketlite.ErrNotFound},
		"a patch of another version": {func() error {
			return storetest.ErrorOf(b.Patch(ctx, o.ID, in("new", ""), &bucketlite.PatchOptions{IfVersion: 99}))
		}, bucketlite.ErrConflict},
		"a batch with a fault": {func() error { return storetest.PutManyError(b.PutMany(ctx, []bucketlite.ObjectInput{in(5, "")}, nil)) }, bucketlite.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.WantError(t, test.do(), test.want)
			src.wantAsked(t)
		})
	}
	if err := b.Lock(ctx); err != nil {
		t.Fatal(err)
	}
	storetest.WantError(t, putWith(in("new", ""), bucketlite.PutOptions{}), bucketlite.ErrLocked)
	storetest.WantError(t, storetest.ErrorOf(b.Patch(ctx, o.ID, in("new", ""), nil)), bucketlite.ErrLocked)
	storetest.WantError(t, storetest.PutManyError(b.PutMany(ctx, []bucketlite.ObjectInput{in("new", "")}, nil)), bucketlite.ErrLocked)
	if err := b.Unlock(ctx); err != nil {
		t.Fatal(err)
	}
	readOnly, err := storetest.Namespace(t, storetest.OpenPath(t, path, &bucketlite.Options{ReadOnly: true, Fetcher: src})).Bucket(ctx, "films")
	if err != nil {
		t.Fatal(err)
	}
	storetest.WantError(t, storetest.ErrorOf(readOnly.Put(ctx, in("new", ""), nil)), bucketlite.ErrReadOnly)
	storetest.WantError(t, storetest.ErrorOf(readOnly.Patch(ctx, o.ID, in("new", ""), nil)), bucketlite.ErrReadOnly)
	src.wantAsked(t)
}

// A URL that stands in the stored object already, with its bytes, keeps them.
func TestFetchUnchanged(t *testing.T) {
	t.Parallel()
	const u, other = "https://example.com/film", "https://example.com/other"
	first, second := storetest.Film(1, 2*storetest.MiB), storetest.Film(2, storetest.MiB)
	for name, test := range map[string]struct {
		blob    string // in the second call
		object  string // members of the object in it
		fetched []string
		want    []byte
	}{
		"the same":                         {`"data":"` + u + `"`, ``, nil, first},
		"the same as an object":            {`"data":{"url":"` + u + `"}`, ``, nil, first},
		"another name":                     {`"data":{"url":"` + u + `","filename":"new.mp4"}`, ``, nil, first},
		"the type it has":                  {`"data":{"url":"` + u + `","mime_type":"Video/MP4"}`, ``, nil, first},
		"another type":                     {`"data":{"url":"` + u + `","mime_type":"video/quicktime"}`, ``, []string{u}, second},
		"another URL":                      {`"data":"` + other + `"`, ``, []string{other}, second},
		"force_remirror":                   {`"data":"` + u + `"`, `"force_remirror":true`, []string{u}, second},
		"force_remirror of the blob":       {`"data":"` + u + `","force_remirror":true`, `"force_remirror":false`, []string{u}, second},
		"force_remirror, not of this blob": {`"data":"` + u + `","force_remirror":false`, `"force_remirror":true`, nil, first},
		"no longer to be fetched":          {`"data":"` + u + `","canonicalize_source":false`, `"force_remirror":true`, nil, nil},
	} {
		for callName, call := range map[string]func(b *bucketlite.Bucket, in bucketlite.ObjectInput) error{
			"Put": func(b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
				_, err := b.Put(t.Context(), in, &bucketlite.PutOptions{Policy: bucketlite.Upsert})
				return err
			},
			"PutMany": func(b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
				return storetest.PutManyError(b.PutMany(t.Context(), []bucketlite.ObjectInput{in}, &bucketlite.PutManyOptions{Policy: bucketlite.Update}))
			},
			"Patch": func(b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
				_, err := b.Patch(t.Context(), keyID(t, b, "a"), in, nil)
				return err
			},
		} {
			t.Run(name+"/"+callName, func(t *testing.T) {
				t.Parallel()
				src := newSources()
				src.add(u, first, bucketlite.Fetched{Filename: "old.mp4"})
				path := filepath.Join(t.TempDir(), "a.db")
				st := storetest.OpenPath(t, path, &bucketlite.Options{Fetcher: src, Durability: bucketlite.DurabilityNormal})
				b := storetest.Films(t, st)
				in := func(blob, object string) bucketlite.ObjectInput {
					return storetest.Input(t, strings.TrimSuffix(`{"k":"a","blobs":[{"property":"film",`+blob+`}],`+object, ",")+"}")
				}
				old := storetest.Put(t, b, in(`"data":"`+u+`"`, ""), "").Blobs[0]
				src.wantAsked(t, u)
				src.add(u, second, bucketlite.Fetched{Filename: "old.mp4"})
				src.add(other, second, bucketlite.Fetched{})
				if err := call(b, in(test.blob+`,"metadata":{"new":true}`, test.object)); err != nil {
					t.Fatal(err)
				}
				src.wantAsked(t, test.fetched...)
				o, err := b.ObjectByKey(t.Context(), map[string]any{"k": "a"})
				if err != nil {
					t.Fatal(err)
				}
				blob := o.Blobs[0]
				if blob.ID == old.ID || blob.Properties["new"] != true || len(o.Blobs) != 1 {
					t.Errorf("got %+v, want a new blob", o.Blobs)
				}
				if test.want == nil {
					if blob.Details != (bucketlite.BlobDetails{}) {
						t.Errorf("got %+v, want a reference", blob.Details)
					}
				} else {
					wantFilm(t, b, o.ID, test.want)
				}
				if name := blob.Details.Filename; test.want != nil && (name == "new.mp4") != strings.Contains(test.blob, "new.mp4") {
					t.Errorf("got filename %q", name)
				}
				storetest.WantStored(t, st, path, int64(len(test.want)))
				storetest.WantSound(t, path)
			})
		}
	}
}

// While another blob is being fetched, the object whose content was to be kept
// changes: the content is fetched after all, or kept of what is there then.
func TestFetchOvertaken(t *testing.T) {
	t.Parallel()
	const u, slow = "https://example.com/film", "https://example.com/slow"
	data, meanwhile := storetest.Film(1, 2*storetest.MiB), storetest.Film(2, storetest.MiB+1)
	calls := map[string]func(b *bucketlite.Bucket, in bucketlite.ObjectInput) error{
		"Put": func(b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
			_, err := b.Put(t.Context(), in, nil)
			return err
		},
		"PutMany": func(b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
			next := bucketlite.ObjectInput{Fields: map[string]any{"k": "a", "n": 2}} // keeps the blobs that in has put
			return storetest.PutManyError(b.PutMany(t.Context(), []bucketlite.ObjectInput{in, next}, nil))
		},
		"PutMany, atomic": func(b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
			next := bucketlite.ObjectInput{Fields: map[string]any{"k": "a", "n": 2}}
			return storetest.PutManyError(b.PutMany(t.Context(), []bucketlite.ObjectInput{in, next}, &bucketlite.PutManyOptions{Atomic: true}))
		},
		"Patch": func(b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
			_, err := b.Patch(t.Context(), "one", in, nil)
			return err
		},
	}
	for name, test := range map[string]struct {
		change  func(b *bucketlite.Bucket) error
		fetched []string
	}{
		"nothing happens": {func(b *bucketlite.Bucket) error { return nil }, nil},
		"a field changes": {func(b *bucketlite.Bucket) error {
			_, err := b.Patch(t.Context(), "one", bucketlite.ObjectInput{Fields: map[string]any{"n": 1}}, nil)
			return err
		}, nil},
		"the blob changes": {func(b *bucketlite.Bucket) error {
			in := bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "film", Reader: bytes.NewReader(meanwhile)}}}
			_, err := b.Patch(t.Context(), "one", in, nil)
			return err
		}, []string{u}},
		"the object goes": {func(b *bucketlite.Bucket) error { return b.DeleteObject(t.Context(), "one", nil) }, []string{u}},
		"another takes its key": {func(b *bucketlite.Bucket) error {
			if err := b.DeleteObject(t.Context(), "one", nil); err != nil {
				return err
			}
			_, err := b.Put(t.Context(), bucketlite.ObjectInput{ID: "two", Fields: map[string]any{"k": "a"}}, nil)
			return err
		}, []string{u}},
	} {
		for callName, call := range calls {
			t.Run(name+"/"+callName, func(t *testing.T) {
				t.Parallel()
				src := newSources()
				src.add(u, data, bucketlite.Fetched{})
				path := filepath.Join(t.TempDir(), "a.db")
				st := storetest.OpenPath(t, path, &bucketlite.Options{Fetcher: src, Durability: bucketlite.DurabilityNormal})
				b := storetest.Bucket(t, st, bucketlite.BucketConfig{Schema: storetest.Schema(t, `"k":{"type":"string"},"film":{"type":"video"},"trailer":{"type":"video"}`),
					UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert}})
				storetest.Put(t, b, storetest.Input(t, `{"object_id":"one","k":"a","blobs":[{"property":"film","data":"`+u+`"}]}`), "")
				src.wantAsked(t, u)
				var once sync.Once
				src.addFunc(slow, func(context.Context) (*bucketlite.Fetched, error) {
					var err error
					once.Do(func() { err = test.change(b) })
					return &bucketlite.Fetched{Body: io.NopCloser(bytes.NewReader(data))}, err
				})
				err := call(b, storetest.Input(t, `{"k":"a","blobs":[{"property":"film","data":"`+u+`"},{"property":"trailer","data":"`+slow+`"}]}`))
				if callName == "Patch" && len(test.fetched) > 0 && name != "the blob changes" {
					storetest.WantError(t, err, bucketlite.ErrNotFound)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				src.wantAsked(t, append(slices.Clone(test.fetched), slow)...)
				id := keyID(t, b, "a")
				wantFilm(t, b, id, data)
				if got, err := storetest.ReadBlob(b, id, "trailer"); err != nil || !bytes.Equal(got, data) {
					t.Errorf("trailer: got %d bytes, %v", len(got), err)
				}
				storetest.WantStored(t, st, path, int64(len(data)))
				storetest.WantSound(t, path)
			})
		}
	}
}

// The inputs of a batch see each other in order, and their URLs are fetched
// several at once.
func TestFetchInBatch(t *testing.T) {
	t.Parallel()
	const n = 100
	src := newSources()
	var mu sync.Mutex
	waiting, met := 0, make(chan struct{})
	for i := range n {
		src.addFunc(fmt.Sprint("s3://", i), func(ctx context.Context) (*bucketlite.Fetched, error) {
			mu.Lock()
			if waiting++; waiting == 4 {
				close(met)
			}
			mu.Unlock()
			select { // the first wait for a fourth
			case <-met:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			return &bucketlite.Fetched{Body: io.NopCloser(strings.NewReader(fmt.Sprint("text ", i)))}, nil
		})
	}
	b := storetest.Items(t, storetest.Open(t, &bucketlite.Options{Fetcher: src}))
	var inputs []bucketlite.ObjectInput
	for i := range n {
		inputs = append(inputs, bucketlite.ObjectInput{Fields: map[string]any{"k": fmt.Sprint(i % 40)},
			Blobs: []bucketlite.BlobInput{{Property: "doc", Data: fmt.Sprint("s3://", i)}}})
	}
	if err := storetest.PutManyError(b.PutMany(t.Context(), inputs, nil)); err != nil {
		t.Fatal(err)
	}
	// Now they change places, over and over: each of them finds other contents than in
	// the beginning.
	if err := storetest.PutManyError(b.PutMany(t.Context(), slices.Concat(inputs, inputs[:50], inputs[40:90]), nil)); err != nil {
		t.Fatal(err)
	}
	for k := range 40 {
		last := k + 40 // in the last part
		if k < 10 {
			last = k + 80
		}
		o, err := b.ObjectByKey(t.Context(), map[string]any{"k": fmt.Sprint(k)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := storetest.ReadBlob(b, o.ID, "doc")
		if want := fmt.Sprint("text ", last); err != nil || string(got) != want || o.Blobs[0].Properties["url"] != fmt.Sprint("s3://", last) {
			t.Errorf("key %d: got %q, %v of %v, want %q", k, got, err, o.Blobs[0].Properties["url"], want)
		}
	}
	for _, atomic := range []bool{false, true} {
		k := fmt.Sprint("new", atomic)
		res, err := b.PutMany(t.Context(), []bucketlite.ObjectInput{storetest.Item(k, ""), {Fields: map[string]any{"k": k}, Blobs: inputs[0].Blobs}},
			&bucketlite.PutManyOptions{Atomic: atomic})
		if err := storetest.PutManyError(res, err); err != nil {
			t.Fatal(err)
		}
		if res.Succeeded[1].Created {
			t.Error("got an object created, want the one before it replaced")
		}
	}
	storetest.WantExact(t, b)
}
