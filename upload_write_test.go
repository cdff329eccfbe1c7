package bucketlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

func TestWriteUpload(t *testing.T) {
	t.Parallel()
	for _, size := range []int{32, 256 << 10, 256<<10 + 1, 3*storetest.MiB + 77} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.db")
			c := storetest.NewManualClock()
			st := storetest.OpenPath(t, path, &bucketlite.Options{Now: c.Now})
			b := storetest.Films(t, st)
			in := filmUpload("a")
			in.Size = int64(size)
			id := storetest.CreateUpload(t, b, in).ID
			now := c.Add(1)
			data := storetest.Film(1, size)
			u, err := b.WriteUpload(context.Background(), id, iotest.HalfReader(bytes.NewReader(data)))
			if err != nil {
				t.Fatal(err)
			}
			hash := storetest.HashOf(string(data))
			want := *u
			want.Status, want.Size, want.FileHash, want.ETag, want.VerifiedAt = bucketlite.StatusPending, int64(size), hash, `"`+hash+`"`, &now
			storetest.WantEqual(t, "upload", *u, want)
			storetest.WantStored(t, st, path, int64(size))
			storetest.WantSound(t, path)
			u = storetest.ConfirmUpload(t, b, id)
			r, err := b.OpenBlob(context.Background(), u.ObjectID, "film")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if err := iotest.TestReader(r, data); err != nil {
				t.Error(err)
			}
			storetest.WantStored(t, st, path, int64(size))
			storetest.WantSound(t, path)
		})
	}
}

// filmUpload announces the film of an object of films.
func filmUpload(k string) bucketlite.UploadInput {
	return bucketlite.UploadInput{Filename: "film.mp4", ContentType: "video/mp4", ObjectMetadata: map[string]any{"k": k}}
}

// Until it is confirmed, an upload may be written again.
func TestWriteUploadAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	id := storetest.CreateUpload(t, b, storetest.DocUpload("k")).ID
	for _, data := range []string{"first", "first", "the second", "", "the fourth"} {
		if u := storetest.WriteUpload(t, b, id, data); u.FileHash != storetest.HashOf(data) || u.Size != int64(len(data)) {
			t.Errorf("%q: got %+v", data, u)
		}
		storetest.WantStored(t, st, path, int64(len(data)))
		storetest.WantSound(t, path)
	}
	u := storetest.ConfirmUpload(t, b, id)
	if got := readBlobs(t, b, u.ObjectID, "doc"); !slices.Equal(got, []string{storetest.HashOf("the fourth")}) {
		t.Errorf("got %q", got)
	}
	before := uploads(t, b)
	_, err := b.WriteUpload(context.Background(), id, strings.NewReader("fifth"))
	storetest.WantError(t, err, bucketlite.ErrConflict)
	wantUploads(t, b, before)
	storetest.WantStored(t, st, path, int64(len("the fourth")))
}

// A write that is refused or fails leaves the upload as it was, and nothing behind.
func TestWriteUploadRefused(t *testing.T) {
	t.Parallel()
	errTest := errors.New("test error")
	long := storetest.Film(1, 3*storetest.MiB)
	announce := func(change func(in *bucketlite.UploadInput)) bucketlite.UploadInput {
		in := filmUpload("a")
		if change != nil {
			change(&in)
		}
		return in
	}
	sized := func(size int) bucketlite.UploadInput {
		return announce(func(in *bucketlite.UploadInput) { in.Size = int64(size) })
	}
	hashed := announce(func(in *bucketlite.UploadInput) { in.FileHash = storetest.HashOf("other") })
	untyped := announce(func(in *bucketlite.UploadInput) { in.CreateObject, in.Property = new(false), "other" })
	tests := map[string]struct {
		in     bucketlite.UploadInput
		reader func(cancel func()) io.Reader
		want   error
		issues map[string]string
	}{
		"fails at once":     {announce(nil), func(func()) io.Reader { return iotest.ErrReader(errTest) }, errTest, nil},
		"fails":             {announce(nil), func(func()) io.Reader { return io.MultiReader(bytes.NewReader(long), iotest.ErrReader(errTest)) }, errTest, nil},
		"breaks off":        {announce(nil), func(func()) io.Reader { return iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(long))) }, iotest.ErrTimeout, nil},
		"cut short at once": {announce(nil), func(func()) io.Reader { return iotest.ErrReader(io.ErrUnexpectedEOF) }, io.ErrUnexpectedEOF, nil},
		"cut short": {announce(nil), func(func()) io.Reader {
			return io.MultiReader(bytes.NewReader(long[:100]), iotest.ErrReader(io.ErrUnexpectedEOF))
		}, io.ErrUnexpectedEOF, nil},
		"cut short, staged": {announce(nil), func(func()) io.Reader {
			return io.MultiReader(bytes.NewReader(long), iotest.ErrReader(io.ErrUnexpectedEOF))
		}, io.ErrUnexpectedEOF, nil},
		"context ends": {announce(nil), func(cancel func()) io.Reader {
			return io.MultiReader(bytes.NewReader(long[:2*storetest.MiB]), onRead(cancel), bytes.NewReader(long[2*storetest.MiB:]))
		}, context.Canceled, nil},
		"context ends, short": {announce(nil), func(cancel func()) io.Reader { return io.MultiReader(bytes.NewReader(long[:100]), onRead(cancel)) },
			context.Canceled, nil},
		"more than announced":         {sized(99), func(func()) io.Reader { return bytes.NewReader(long[:100]) }, nil, map[string]string{"content": "match"}},
		"more than announced, staged": {sized(2 * storetest.MiB), func(func()) io.Reader { return bytes.NewReader(long) }, nil, map[string]string{"content": "match"}},
		"less than announced":         {sized(101), func(func()) io.Reader { return bytes.NewReader(long[:100]) }, nil, map[string]string{"content": "match"}},
		"less than announced, staged": {sized(3*storetest.MiB + 1), func(func()) io.Reader { return bytes.NewReader(long) }, nil, map[string]string{"content": "match"}},
		"too large":                   {announce(nil), func(func()) io.Reader { return bytes.NewReader(storetest.Film(1, 5*storetest.MiB)) }, nil, map[string]string{"content": "size"}},
		"another hash":                {hashed, func(func()) io.Reader { return bytes.NewReader(long[:100]) }, nil, map[string]string{"content": "match"}},
		"another hash, staged":        {hashed, func(func()) io.Reader { return bytes.NewReader(long) }, nil, map[string]string{"content": "match"}},
		"another type":                {announce(nil), func(func()) io.Reader { return strings.NewReader("<html></html>") }, nil, map[string]string{"content": "mime"}},
		"another type than announced": {untyped, func(func()) io.Reader { return strings.NewReader("<html></html>") }, nil, map[string]string{"content": "mime"}},
		"empty":                       {announce(nil), func(func()) io.Reader { return strings.NewReader("") }, nil, map[string]string{"content": "mime"}},
	}
	for name, tt := range tests {
		for _, again := range []bool{false, true} {
			if again && tt.in.FileHash != "" {
				continue // nothing else could have come before
			}
			t.Run(fmt.Sprintf("%s,again=%t", name, again), func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "a.db")
				st := storetest.OpenPath(t, path, &bucketlite.Options{MaxBlobBytes: 4 * storetest.MiB})
				b := storetest.Films(t, st)
				id, stored := storetest.CreateUpload(t, b, tt.in).ID, 0
				if again {
					if stored = 100; tt.in.Size != 0 {
						stored = int(tt.in.Size)
					}
					storetest.WriteUpload(t, b, id, string(storetest.Film(9, stored)))
				}
				before := uploads(t, b)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				u, err := b.WriteUpload(ctx, id, tt.reader(cancel))
				if u != nil {
					t.Errorf("got %+v, want nothing", u)
				}
				if tt.issues != nil {
					storetest.WantIssues(t, err, tt.issues)
				} else if !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				wantUploads(t, b, before)
				storetest.WantStored(t, st, path, int64(stored))
				storetest.WantSound(t, path)
			})
		}
	}
}

// Bytes with a wrong head are refused without reading on, and no more is read than was
// announced.
func TestWriteUploadStopsReading(t *testing.T) {
	t.Parallel()
	b := storetest.Films(t, storetest.OpenMemory(t))
	noise := append(media(t, "photo.png"), make([]byte, 7*storetest.MiB)...)
	rest := bytes.NewReader(noise)
	_, err := b.WriteUpload(context.Background(), storetest.CreateUpload(t, b, filmUpload("a")).ID, rest)
	storetest.WantIssues(t, err, map[string]string{"content": "mime"})
	if read := len(noise) - rest.Len(); read > storetest.MiB {
		t.Errorf("wrong type: got %d bytes read, want at most a chunk", read)
	}
	in := filmUpload("a")
	in.Size = 1000
	rest = bytes.NewReader(storetest.Film(1, storetest.MiB))
	_, err = b.WriteUpload(context.Background(), storetest.CreateUpload(t, b, in).ID, rest)
	storetest.WantIssues(t, err, map[string]string{"content": "match"})
	if read := storetest.MiB - rest.Len(); read > 1001 {
		t.Errorf("too much: got %d bytes read, want 1001", read)
	}
}

// The state and the upload are checked before anything is read, and again when the bytes
// are there.
func TestWriteUploadMeanwhile(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, tt := range map[string]struct {
		do   func(c *storetest.ManualClock, b *bucketlite.Bucket, id string) error
		want error
	}{
		"locked":    {func(_ *storetest.ManualClock, b *bucketlite.Bucket, _ string) error { return b.Lock(ctx) }, bucketlite.ErrLocked},
		"archived":  {func(_ *storetest.ManualClock, b *bucketlite.Bucket, _ string) error { return b.Archive(ctx) }, bucketlite.ErrNotActive},
		"cancelled": {func(_ *storetest.ManualClock, b *bucketlite.Bucket, id string) error { return b.CancelUpload(ctx, id) }, bucketlite.ErrConflict},
		"expired":   {func(c *storetest.ManualClock, _ *bucketlite.Bucket, _ string) error { c.Add(3600e9); return nil }, bucketlite.ErrConflict},
	} {
		for _, size := range []int{100, 3 * storetest.MiB} {
			t.Run(fmt.Sprint(name, size), func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "a.db")
				c := storetest.NewManualClock()
				st := storetest.OpenPath(t, path, &bucketlite.Options{Now: c.Now})
				b := storetest.Films(t, st)
				id := storetest.CreateUpload(t, b, filmUpload("a")).ID
				r := io.MultiReader(bytes.NewReader(storetest.Film(1, size)), onRead(func() {
					if err := tt.do(c, b, id); err != nil {
						t.Error(err)
					}
				}))
				_, err := b.WriteUpload(ctx, id, r)
				storetest.WantError(t, err, tt.want)
				_, err = b.WriteUpload(ctx, id, onRead(func() { t.Error("it was read") }))
				storetest.WantError(t, err, tt.want)
				storetest.WantStored(t, st, path, 0)
				storetest.WantSound(t, path)
			})
		}
	}
}

// The type of the bytes is found, as far as it goes with what was announced.
func TestUploadedTypes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ file, property, declared, want string }{
		"jpeg":          {"photo.jpg", "photo", "image/jpeg", "image/jpeg"},
		"png as jpeg":   {"photo.png", "photo", "image/jpeg", "image/png"},
		"gif as image":  {"anim.gif", "photo", "image/gif", "image/gif"},
		"gif as film":   {"anim.gif", "film", "image/gif", "image/gif"},
		"csv":           {"sheet.csv", "sheet", "text/csv", "text/csv"},
		"csv as text":   {"sheet.csv", "doc", "text/csv", "text/csv"},
		"xlsx":          {"sheet.xlsx", "sheet", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		"pdf":           {"page.pdf", "page", "application/pdf; x=1", "application/pdf"},
		"pdf for none":  {"page.pdf", "none", "application/pdf", "application/pdf"},
		"text for none": {"sheet.csv", "none", "application/x-unheard-of", "application/x-unheard-of"},
		"jpeg for none": {"photo.jpg", "none", "application/octet-stream", "image/jpeg"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := storetest.OpenMemory(t)
			b := album(t, st, nil)
			data, err := os.ReadFile(filepath.Join("testdata", "media", tt.file))
			if err != nil {
				t.Fatal(err)
			}
			u := upload(t, b, bucketlite.UploadInput{Filename: tt.file, ContentType: tt.declared, Property: tt.property,
				CreateObject: new(tt.property != "none")}, string(data))
			if tt.property == "none" {
				taker := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "taker", Schema: storetest.Schema(t, `"x":{"type":"text"}`)})
				if _, err := taker.Put(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "x", UploadID: u.ID}}}, nil); !errors.Is(err, bucketlite.ErrNotFound) {
					t.Errorf("another bucket: got %v, want ErrNotFound", err)
				}
				return
			}
			got := mustObject(t, b, u.ObjectID).Blobs[0].Details
			want := bucketlite.BlobDetails{Filename: tt.file, Size: int64(len(data)), MIMEType: tt.want, Hash: storetest.HashOf(string(data))}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// A text with rules for its content is checked as a whole.
func TestUploadedTextIsJudged(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := album(t, storetest.OpenMemory(t), nil)
	in := bucketlite.UploadInput{Filename: "note.txt", ContentType: "text/plain"}
	id := storetest.CreateUpload(t, b, in).ID
	_, err := b.WriteUpload(ctx, id, strings.NewReader("longer than ten"))
	storetest.WantIssues(t, err, map[string]string{"content": "maxLength"})
	_, err = b.WriteUpload(ctx, id, strings.NewReader("\xff"))
	if !errors.Is(err, bucketlite.ErrInvalid) {
		t.Errorf("no UTF-8: got %v", err)
	}
	storetest.WriteUpload(t, b, id, "short")
	storetest.ConfirmUpload(t, b, id)
	in.FileHash = storetest.HashOf("short")
	if u := storetest.CreateUpload(t, b, in); u.IsDuplicate {
		t.Errorf("got %+v, want the bytes to be asked for", u)
	}
	for text, want := range map[string]map[string]string{"ten or so!": nil, "more than ten": {"blobs[0].upload_id": "maxLength"}} {
		u := upload(t, b, bucketlite.UploadInput{Filename: "doc.txt", ContentType: "text/plain", CreateObject: new(false)}, text)
		_, err := b.Put(ctx, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "note", UploadID: u.ID}}}, nil)
		if want == nil && err == nil {
			continue
		}
		storetest.WantIssues(t, err, want)
	}
}

// A wrong number of bytes is refused before they come, and changes nothing.
func TestCheckUploadSize(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := storetest.NewManualClock()
	st := storetest.OpenMemory(t, &bucketlite.Options{MaxBlobBytes: 40 * storetest.MiB, Now: c.Now})
	b := storetest.Films(t, st)
	texts := album(t, storetest.OpenMemory(t), nil)
	sized := filmUpload("a")
	sized.Size = 100
	note := bucketlite.UploadInput{Filename: "note.txt", ContentType: "text/plain"}
	for name, tt := range map[string]struct {
		b    *bucketlite.Bucket
		in   bucketlite.UploadInput
		size int64
		want map[string]string
	}{
		"as announced":              {b, sized, 100, nil},
		"more than announced":       {b, sized, 101, map[string]string{"content": "match"}},
		"less than announced":       {b, sized, 99, map[string]string{"content": "match"}},
		"nothing, though announced": {b, sized, 0, map[string]string{"content": "match"}},
		"any number":                {b, filmUpload("a"), 1, nil},
		"the most":                  {b, filmUpload("a"), 40 * storetest.MiB, nil},
		"too many":                  {b, filmUpload("a"), 40*storetest.MiB + 1, map[string]string{"content": "size"}},
		"the most of a text":        {texts, note, 32 * storetest.MiB, nil},
		"too many of a text":        {texts, note, 32*storetest.MiB + 1, map[string]string{"content": "size"}},
	} {
		t.Run(name, func(t *testing.T) {
			id := storetest.CreateUpload(t, tt.b, tt.in).ID
			before := uploads(t, tt.b)
			if err := tt.b.CheckUploadSize(ctx, id, tt.size); tt.want != nil {
				storetest.WantIssues(t, err, tt.want)
			} else if err != nil {
				t.Errorf("got %v, want no error", err)
			}
			wantUploads(t, tt.b, before)
		})
	}
	storetest.WantError(t, b.CheckUploadSize(ctx, "upl_1", 1), bucketlite.ErrNotFound)
	id := storetest.CreateUpload(t, b, filmUpload("a")).ID
	if err := b.Lock(ctx); err != nil {
		t.Fatal(err)
	}
	storetest.WantError(t, b.CheckUploadSize(ctx, id, 1), bucketlite.ErrLocked)
	if err := b.Unlock(ctx); err != nil {
		t.Fatal(err)
	}
	c.Add(time.Hour)
	storetest.WantError(t, b.CheckUploadSize(ctx, id, 1), bucketlite.ErrConflict)
}

func TestDuplicateUpload(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	c := storetest.NewManualClock()
	st := storetest.OpenPath(t, path, &bucketlite.Options{Now: c.Now})
	b := album(t, st, nil)
	picture := bucketlite.UploadInput{Filename: "photo.png", ContentType: "image/png", FileHash: storetest.HashOf(png(1))}
	pending := storetest.CreateUpload(t, b, picture)
	storetest.WriteUpload(t, b, pending.ID, png(1))
	if u := storetest.CreateUpload(t, b, picture); u.IsDuplicate {
		t.Errorf("of one that is not confirmed: got %+v", u)
	}
	first := storetest.ConfirmUpload(t, b, pending.ID)
	dup := storetest.CreateUpload(t, b, picture)
	want := *dup
	want.Status, want.IsDuplicate, want.DuplicateOf, want.ETag, want.Size = bucketlite.StatusPending, true, first.ID, first.ETag, first.Size
	storetest.WantEqual(t, "duplicate", *dup, want)
	if dup.Message == "" || dup.VerifiedAt == nil {
		t.Errorf("got message %q, verified at %v, want both", dup.Message, dup.VerifiedAt)
	}
	other := album2(t, st)
	for name, tt := range map[string]struct {
		b  *bucketlite.Bucket
		in func(in *bucketlite.UploadInput)
	}{
		"not wanted":     {b, func(in *bucketlite.UploadInput) { in.SkipDuplicates = new(false) }},
		"of other bytes": {b, func(in *bucketlite.UploadInput) { in.FileHash = storetest.HashOf("x") }},
		"of no hash":     {b, func(in *bucketlite.UploadInput) { in.FileHash = "" }},
		"another type":   {b, func(in *bucketlite.UploadInput) { in.Property, in.ContentType = "film", "video/mp4" }},
		"another size":   {b, func(in *bucketlite.UploadInput) { in.Size = 7 }},
		"another bucket": {other, func(in *bucketlite.UploadInput) {}},
	} {
		in := picture
		tt.in(&in)
		if u := storetest.CreateUpload(t, tt.b, in); u.IsDuplicate || u.ETag != "" {
			t.Errorf("%s: got %+v, want no duplicate", name, u)
		}
	}
	// It holds the bytes by itself.
	if err := b.DeleteObject(ctx, first.ObjectID, nil); err != nil {
		t.Fatal(err)
	}
	storetest.WantSound(t, path)
	again := storetest.WriteUpload(t, b, dup.ID, png(1))
	if again.ETag != dup.ETag {
		t.Errorf("written all the same: got %+v", again)
	}
	done := storetest.ConfirmUpload(t, b, dup.ID)
	if got := readBlobs(t, b, done.ObjectID, "photo"); !slices.Equal(got, []string{storetest.HashOf(png(1))}) {
		t.Errorf("blobs: got %q", got)
	}
	storetest.WantStored(t, st, path, int64(len(png(1))))
	storetest.WantSound(t, path)
	// Once the bytes are gone they have to come again.
	if err := b.DeleteObject(ctx, done.ObjectID, nil); err != nil {
		t.Fatal(err)
	}
	storetest.WantStored(t, st, path, 0)
	if u := storetest.CreateUpload(t, b, picture); u.IsDuplicate {
		t.Errorf("after the bytes are gone: got %+v", u)
	}
	storetest.WantSound(t, path)
}

// album2 is another bucket like album.
func album2(t *testing.T, st *bucketlite.Store) *bucketlite.Bucket {
	t.Helper()
	return storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "album 2", Schema: storetest.Schema(t, `"photo":{"type":"image"}`)})
}

// Objects take the bytes of confirmed uploads, as many as like.
func TestBlobFromUpload(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := album(t, st, byK(bucketlite.Upsert))
	loose := func(name string) bucketlite.UploadInput {
		return bucketlite.UploadInput{Filename: name, ContentType: "image/png", CreateObject: new(false)}
	}
	one := upload(t, b, loose("one.png"), png(1))
	two := upload(t, b, loose("two.png"), png(2))
	if one.Status != bucketlite.StatusCompleted || one.ObjectID != "" || one.CompletedAt == nil {
		t.Errorf("got %+v", one)
	}
	storetest.WantSound(t, path)
	object := func(k string, blobs ...bucketlite.BlobInput) bucketlite.ObjectInput {
		return bucketlite.ObjectInput{Fields: map[string]any{"k": k}, Blobs: blobs}
	}
	pictures := func(ids ...string) (blobs []bucketlite.BlobInput) {
		for _, id := range ids {
			blobs = append(blobs, bucketlite.BlobInput{Property: "pictures", UploadID: id, Metadata: map[string]any{"m": "x"}, KeyPrefix: "p"})
		}
		return blobs
	}
	first := storetest.Put(t, b, object("a", pictures(one.ID, two.ID)...), "")
	if want := (bucketlite.BlobDetails{Filename: "one.png", Size: int64(len(png(1))), MIMEType: "image/png", Hash: storetest.HashOf(png(1))}); first.Blobs[0].Details != want ||
		first.Blobs[0].Properties["m"] != "x" || first.Blobs[0].KeyPrefix != "p" || first.Blobs[0].Type != bucketlite.Image {
		t.Errorf("got %+v, want %+v", first.Blobs[0], want)
	}
	wantObject := func(want string) {
		t.Helper()
		if got := storetest.MustUpload(t, b, one.ID).ObjectID; got != want {
			t.Errorf("first used by %q, want %q", got, want)
		}
		storetest.WantSound(t, path)
	}
	wantObject(first.ID)
	second := storetest.Put(t, b, object("b"), "")
	if _, err := b.Patch(ctx, second.ID, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "photo", UploadID: one.ID}}}, nil); err != nil {
		t.Fatal(err)
	}
	if err := storetest.PutManyError(b.PutMany(ctx, []bucketlite.ObjectInput{object("c", pictures(two.ID)...), object("a", pictures(one.ID)...)}, nil)); err != nil {
		t.Fatal(err)
	}
	wantObject(first.ID)
	for k, want := range map[string]int{"a": 1, "b": 0, "c": 1} {
		if got := readBlobs(t, b, keyID(t, b, k), "pictures"); len(got) != want {
			t.Errorf("object %s: got %d pictures, want %d", k, len(got), want)
		}
	}
	// An upload that was confirmed into an object will do, while the bytes are there.
	in := bucketlite.UploadInput{Filename: "photo.png", ContentType: "image/png", ObjectMetadata: map[string]any{"k": "d"}}
	owned := upload(t, b, in, png(3))
	storetest.Put(t, b, object("e", pictures(owned.ID)...), "")
	for _, k := range []string{"d", "e"} {
		if err := b.DeleteObject(ctx, keyID(t, b, k), nil); err != nil {
			t.Fatal(err)
		}
	}
	storetest.WantStored(t, st, path, int64(len(png(1))+len(png(2))))
	_, err := b.Put(ctx, object("f", pictures(owned.ID)...), nil)
	storetest.WantError(t, err, bucketlite.ErrNotFound)
	// Deleting the objects leaves the uploads their bytes.
	for _, k := range []string{"a", "b", "c"} {
		if err := b.DeleteObject(ctx, keyID(t, b, k), nil); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Put(t, b, object("g", pictures(one.ID, two.ID)...), "")
	wantObject(first.ID)
	storetest.WantExact(t, b)
}

func TestBlobFromUploadRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := album(t, storetest.OpenMemory(t), byK(bucketlite.Upsert))
	loose := bucketlite.UploadInput{Filename: "x.png", ContentType: "image/png", CreateObject: new(false)}
	pending := storetest.CreateUpload(t, b, loose).ID
	storetest.WriteUpload(t, b, pending, png(1))
	done := upload(t, b, loose, png(1)).ID
	cancelled := storetest.CreateUpload(t, b, loose).ID
	if err := b.CancelUpload(ctx, cancelled); err != nil {
		t.Fatal(err)
	}
	storetest.Put(t, b, bucketlite.ObjectInput{ID: "there", Fields: map[string]any{"k": "there"}}, "")
	before := storetest.Snapshot(t, b)
	calls := map[string]func(in bucketlite.ObjectInput) error{
		"Put": func(in bucketlite.ObjectInput) error { return storetest.ErrorOf(b.Put(ctx, in, nil)) },
		"PutMany": func(in bucketlite.ObjectInput) error {
			return storetest.PutManyError(b.PutMany(ctx, []bucketlite.ObjectInput{in}, nil))
		},
		"Patch": func(in bucketlite.ObjectInput) error { return storetest.ErrorOf(b.Patch(ctx, "there", in, nil)) },
	}
	for name, tt := range map[string]struct {
		blob   bucketlite.BlobInput
		want   error
		issues map[string]string
	}{
		"unknown":   {bucketlite.BlobInput{Property: "photo", UploadID: "upl_1"}, bucketlite.ErrNotFound, nil},
		"pending":   {bucketlite.BlobInput{Property: "photo", UploadID: pending}, bucketlite.ErrConflict, nil},
		"cancelled": {bucketlite.BlobInput{Property: "photo", UploadID: cancelled}, bucketlite.ErrConflict, nil},
		"type":      {bucketlite.BlobInput{Property: "film", UploadID: done}, nil, map[string]string{"blobs[0].upload_id": "mime"}},
		"no file":   {bucketlite.BlobInput{Property: "n", UploadID: done}, nil, map[string]string{"blobs[0].data": "data"}},
		"and data":  {bucketlite.BlobInput{Property: "photo", UploadID: done, Data: "s3://a"}, nil, map[string]string{"blobs[0].data": "data"}},
	} {
		for callName, call := range calls {
			err := call(bucketlite.ObjectInput{Fields: map[string]any{"k": "a"}, Blobs: []bucketlite.BlobInput{tt.blob}})
			if tt.issues != nil {
				storetest.WantIssues(t, err, tt.issues)
			} else if !errors.Is(err, tt.want) {
				t.Errorf("%s, %s: got %v, want %v", name, callName, err, tt.want)
			}
		}
	}
	storetest.WantSnapshot(t, b, before)
	// Validate reads nothing, so it takes the upload to fit.
	if err := b.Validate(ctx, bucketlite.ObjectInput{Fields: map[string]any{"k": "a"}, Blobs: []bucketlite.BlobInput{{Property: "photo", UploadID: "upl_1"}}}); err != nil {
		t.Errorf("validate: got %v", err)
	}
}
