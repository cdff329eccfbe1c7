package bucketlite_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	pngimage "image/png"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	facts "github.com/bucketlite/bucketlite/picture"
	"github.com/google/go-cmp/cmp"
)

// pixels returns a picture of so many pixels.
func pixels(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := pngimage.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var photoSchema = bucketlite.Schema{Properties: map[string]bucketlite.Field{
	"path":     {Type: bucketlite.String, Required: true},
	"name":     {Type: bucketlite.String},
	"album":    {Type: bucketlite.String},
	"size":     {Type: bucketlite.Integer},
	"modified": {Type: bucketlite.DateTime},
	"width":    {Type: bucketlite.Integer},
	"height":   {Type: bucketlite.Integer},
	"taken_at": {Type: bucketlite.DateTime},
	"caption":  {Type: bucketlite.String},
	"photo":    {Type: bucketlite.Image, Required: true},
	"thumb":    {Type: bucketlite.Image},
}}

func photos(t *testing.T) *bucketlite.Bucket {
	t.Helper()
	return storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{
		Name: "photos", Schema: photoSchema, UniqueKey: &bucketlite.UniqueKey{Fields: []string{"path"}, DefaultPolicy: bucketlite.Upsert},
	})
}

var modified = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

func file(content []byte) *fstest.MapFile { return &fstest.MapFile{Data: content, ModTime: modified} }

func importFolder(t *testing.T, b *bucketlite.Bucket, fsys fs.FS, opts *bucketlite.FolderOptions) *bucketlite.ImportReport {
	t.Helper()
	report, err := b.Import(context.Background(), bucketlite.Folder(fsys, opts), nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// A folder is imported with its facts, again without a new version, and after a change
// with the change alone.
func TestImportFolder(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := photos(t)
	large := append(pixels(t, 5, 4), make([]byte, 600<<10)...) // more than is held in memory
	fsys := fstest.MapFS{
		"a.png": file(pixels(t, 3, 2)), "x/y/b.png": file(large), "x/notes.txt": file([]byte("no picture")),
		".DS_Store": file(nil), "link.png": {Mode: fs.ModeSymlink, Data: []byte("a.png")}, "pipe": {Mode: fs.ModeNamedPipe},
	}
	opts := &bucketlite.FolderOptions{Facts: facts.Facts}
	report := importFolder(t, b, fsys, opts)
	if got, want := counted(report), "3 read, 2 created, 1 refused, x/notes.txt file"; got != want {
		t.Errorf("first: got %s, want %s", got, want)
	}
	if want := (bucketlite.SkippedFiles{Hidden: 1, Links: 1, Special: 1}); *report.Skipped != want {
		t.Errorf("skipped: got %+v, want %+v", *report.Skipped, want)
	}
	want := []string{
		`{"height":2,"modified":"2024-02-29T12:00:00Z","name":"a.png","path":"a.png","size":` + fmt.Sprint(len(fsys["a.png"].Data)) + `,"width":3}`,
		`{"album":"y","height":4,"modified":"2024-02-29T12:00:00Z","name":"b.png","path":"x/y/b.png","size":` + fmt.Sprint(len(large)) + `,"width":5}`,
	}
	if diff := cmp.Diff(want, stored(t, b)); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}

	o, err := b.ObjectByKey(ctx, map[string]any{"path": "a.png"})
	if err != nil {
		t.Fatal(err)
	}
	if o, err = b.Patch(ctx, o.ID, bucketlite.ObjectInput{Fields: map[string]any{"caption": "mine"}}, nil); err != nil {
		t.Fatal(err)
	}
	delete(fsys, "x/notes.txt")
	if got, want := counted(importFolder(t, b, fsys, opts)), "2 read, 2 unchanged"; got != want {
		t.Errorf("again: got %s, want %s", got, want)
	}
	if now, err := b.Object(ctx, o.ID); err != nil || now.Version != o.Version {
		t.Errorf("unchanged file: got version %d, %v, want %d", now.Version, err, o.Version)
	}

	fsys["a.png"] = file(pixels(t, 9, 9))
	large[len(large)-1] = 1
	if got, want := counted(importFolder(t, b, fsys, opts)), "2 read, 2 replaced"; got != want {
		t.Errorf("changed: got %s, want %s", got, want)
	}
	now, err := b.Object(ctx, o.ID)
	if err != nil || now.Fields["caption"] != "mine" || fmt.Sprint(now.Fields["width"]) != "9" {
		t.Errorf("changed file: got %v, %v, want its caption and the new width", now.Fields, err)
	}
	if data, err := storetest.ReadBlob(b, o.ID, "photo"); err != nil || !bytes.Equal(data, fsys["a.png"].Data) {
		t.Errorf("changed file: got %d bytes, %v", len(data), err)
	}
}

func TestImportFolderOptions(t *testing.T) {
	t.Parallel()
	png := pixels(t, 1, 1)
	fsys := fstest.MapFS{"2024/a.png": file(png), "2024/b.jpg": file([]byte("\xFF\xD8\xFF\xE0")), "raw/c.png": file(png)}
	for name, c := range map[string]struct {
		opts bucketlite.FolderOptions
		want []string
	}{
		"include":  {bucketlite.FolderOptions{Include: []string{"*.png"}, Fields: map[string]string{"modified": "", "size": "", "name": "", "album": ""}}, []string{`{"path":"2024/a.png"}`, `{"path":"raw/c.png"}`}},
		"exclude":  {bucketlite.FolderOptions{Exclude: []string{"raw", "*.jpg"}, Fields: map[string]string{"modified": "", "size": "", "name": "", "album": ""}}, []string{`{"path":"2024/a.png"}`}},
		"fields":   {bucketlite.FolderOptions{Include: []string{"raw/**"}, Fields: map[string]string{"caption": "dir", "path": "name", "name": "sha256", "size": "", "taken_at": "modified", "modified": "", "album": ""}}, []string{`{"caption":"raw","name":"` + fmt.Sprintf("%x", sha256.Sum256(png)) + `","path":"c.png","taken_at":"2024-02-29T12:00:00Z"}`}},
		"property": {bucketlite.FolderOptions{Include: []string{"none"}, Property: "thumb"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := photos(t)
			importFolder(t, b, fsys, &c.opts)
			if diff := cmp.Diff(c.want, stored(t, b)); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
		})
	}
	two := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{"a": {Type: bucketlite.Image}, "b": {Type: bucketlite.Image}}}})
	none := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{"a": {Type: bucketlite.String}}}})
	for name, c := range map[string]struct {
		bucket *bucketlite.Bucket
		opts   bucketlite.FolderOptions
	}{
		"two properties of a type": {two, bucketlite.FolderOptions{}},
		"no property":              {none, bucketlite.FolderOptions{}},
		"no such property":         {two, bucketlite.FolderOptions{Property: "c"}},
		"a malformed pattern":      {two, bucketlite.FolderOptions{Property: "a", Exclude: []string{"["}}},
	} {
		if _, err := c.bucket.Import(context.Background(), bucketlite.Folder(fsys, &c.opts), nil); !errors.Is(err, bucketlite.ErrBadRequest) {
			t.Errorf("%s: got %v, want %v", name, err, bucketlite.ErrBadRequest)
		}
	}
}

// Each file goes to the property of its own kind.
func TestImportFolderProperties(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"path": {Type: bucketlite.String}, "picture": {Type: bucketlite.Image}, "paper": {Type: bucketlite.PDF}, "rest": {Type: bucketlite.File}, "words": {Type: bucketlite.Text},
	}}})
	importFolder(t, b, fstest.MapFS{"a": file(pixels(t, 1, 1)), "b": file([]byte("%PDF-1.7\n")), "c.txt": file([]byte("words")), "d.bin": file([]byte{0, 1, 2, 0xFF}), "e": file(nil)}, nil)
	var got []string
	for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%v %s", o.Fields["path"], o.Blobs[0].Property))
	}
	if want := []string{"a picture", "b paper", "c.txt words", "d.bin rest", "e rest"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// countingFS counts the files that are opened.
type countingFS struct {
	fs.FS
	opened map[string]int
}

func (c countingFS) Open(name string) (fs.File, error) {
	if name != "." && !strings.HasSuffix(name, "/") {
		c.opened[name]++
	}
	return c.FS.Open(name)
}

// With TrustModified an unchanged file is not opened.
func TestImportFolderTrustsTimes(t *testing.T) {
	t.Parallel()
	b := photos(t)
	fsys := fstest.MapFS{"a.png": file(pixels(t, 1, 1)), "b.png": file(pixels(t, 2, 2))}
	importFolder(t, b, fsys, nil)
	fsys["b.png"].ModTime = modified.Add(time.Second)
	counting := countingFS{fsys, map[string]int{}}
	report := importFolder(t, b, counting, &bucketlite.FolderOptions{TrustModified: true})
	if counted(report) != "2 read, 2 unchanged" || counting.opened["a.png"] != 0 || counting.opened["b.png"] == 0 {
		t.Errorf("got %s, opened %v; want the touched file opened alone", counted(report), counting.opened)
	}
}

// failingFS fails at one file, in one way.
type failingFS struct {
	fstest.MapFS
	at  string
	err error
}

type failingFile struct {
	fs.File
	err error
}

func (f failingFile) Read([]byte) (int, error) { return 0, f.err }

func (f failingFS) Open(name string) (fs.File, error) {
	file, err := f.MapFS.Open(name)
	if name == f.at && err == nil {
		return failingFile{file, f.err}, nil
	}
	return file, err
}

// A file that cannot be read is a refusal with its name; the others are stored.
func TestImportFolderUnreadable(t *testing.T) {
	t.Parallel()
	b := photos(t)
	png := pixels(t, 1, 1)
	fsys := failingFS{fstest.MapFS{"a.png": file(png), "b.png": file(png), "c.png": file(png)}, "b.png", io.ErrUnexpectedEOF}
	report := importFolder(t, b, fsys, nil)
	if got, want := counted(report), "3 read, 2 created, 1 refused, b.png file"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := report.Refusals[0].Err; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want %v", err, io.ErrUnexpectedEOF)
	}
	root := errors.New("gone")
	if _, err := b.Import(context.Background(), bucketlite.Folder(rootless{root}, nil), nil); !errors.Is(err, root) {
		t.Errorf("a root that cannot be read: got %v, want %v", err, root)
	}
}

type rootless struct{ err error }

func (r rootless) Open(string) (fs.File, error) { return nil, r.err }

// With the policy insert, a changed file is a conflict and changes nothing.
func TestImportFolderInsert(t *testing.T) {
	t.Parallel()
	b := photos(t)
	fsys := fstest.MapFS{"a.png": file(pixels(t, 1, 1)), "b.png": file(pixels(t, 1, 1))}
	importFolder(t, b, fsys, nil)
	fsys["b.png"] = file(pixels(t, 2, 2))
	report, err := b.Import(context.Background(), bucketlite.Folder(fsys, nil), &bucketlite.ImportOptions{Policy: bucketlite.Insert})
	if err != nil || counted(report) != "2 read, 1 unchanged, 1 refused, b.png exists" {
		t.Errorf("got %s, %v", counted(report), err)
	}
}

func TestImportFolderProgress(t *testing.T) {
	t.Parallel()
	b := photos(t)
	fsys := fstest.MapFS{}
	total := int64(0)
	for i := range 5 {
		data := append(pixels(t, i+1, 1), make([]byte, 1<<20)...)
		fsys[fmt.Sprintf("%d.png", i)], total = file(data), total+int64(len(data))
	}
	var last bucketlite.ImportProgress
	calls := 0
	_, err := b.Import(context.Background(), bucketlite.Folder(fsys, nil), &bucketlite.ImportOptions{Progress: func(p bucketlite.ImportProgress) { last, calls = p, calls+1 }})
	if want := (bucketlite.ImportProgress{Records: 5, Bytes: total, Total: total}); err != nil || last != want || calls < 5 {
		t.Errorf("after %d calls: got %+v, %v, want %+v", calls, last, err, want)
	}
}
