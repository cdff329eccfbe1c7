package bucketlite_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// settle is how long files of these tests must not change.
const settle = 20 * time.Millisecond

// syncBucket returns a bucket for the files of a directory.
func syncBucket(t *testing.T) *bucketlite.Bucket {
	t.Helper()
	return storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{
		Name: "files",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"path": {Type: bucketlite.String}, "name": {Type: bucketlite.String}, "size": {Type: bucketlite.Integer},
			"modified": {Type: bucketlite.DateTime}, "note": {Type: bucketlite.String}, "file": {Type: bucketlite.File},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"path"}},
	})
}

// writeFiles writes files below dir, given as path and content.
func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
}

// syncDir makes the bucket follow dir once.
func syncDir(t *testing.T, b *bucketlite.Bucket, dir string, opts bucketlite.SyncOptions) *bucketlite.SyncReport {
	t.Helper()
	opts.Settle = settle
	report, err := b.SyncDir(t.Context(), dir, &opts)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// contents returns the contents of all files in the bucket by path.
func contents(t *testing.T, b *bucketlite.Bucket) map[string]string {
	t.Helper()
	files := make(map[string]string)
	for o, err := range b.Objects(t.Context(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		files[o.Fields["path"].(string)] = content(t, b, o)
	}
	return files
}

func content(t *testing.T, b *bucketlite.Bucket, o *bucketlite.Object) string {
	t.Helper()
	r, err := b.OpenBlob(t.Context(), o.ID, "file")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func atPath(t *testing.T, b *bucketlite.Bucket, path string) *bucketlite.Object {
	t.Helper()
	o, err := b.ObjectByKey(t.Context(), map[string]any{"path": path})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// counts are the parts of a report that count changes.
func syncCounts(r *bucketlite.SyncReport) map[string]int64 {
	counts := map[string]int64{
		"files": r.Files, "waiting": r.Waiting, "gone": r.Gone, "unchanged": r.Unchanged, "created": r.Created,
		"replaced": r.Replaced, "renamed": r.Renamed, "deleted": r.Deleted, "refused": r.Refused,
	}
	maps.DeleteFunc(counts, func(_ string, n int64) bool { return n == 0 })
	return counts
}

func wantCounts(t *testing.T, got *bucketlite.SyncReport, want map[string]int64) {
	t.Helper()
	want = maps.Clone(want)
	maps.DeleteFunc(want, func(_ string, n int64) bool { return n == 0 })
	if diff := cmp.Diff(want, syncCounts(got)); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestSyncDirFollows(t *testing.T) {
	t.Parallel()
	b, dir := syncBucket(t), t.TempDir()
	files := map[string]string{"a.txt": "A", "sub/b.txt": "B", "sub/deep/c.txt": "C", "empty": ""}
	writeFiles(t, dir, files)
	wantCounts(t, syncDir(t, b, dir, bucketlite.SyncOptions{}), map[string]int64{"files": 4, "created": 4})
	if diff := cmp.Diff(files, contents(t, b)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	before := atPath(t, b, "a.txt")
	wantCounts(t, syncDir(t, b, dir, bucketlite.SyncOptions{}), map[string]int64{"files": 4, "unchanged": 4})
	if after := atPath(t, b, "a.txt"); after.Version != before.Version {
		t.Errorf("an unchanged file: got version %d, want %d", after.Version, before.Version)
	}

	if _, err := b.Patch(t.Context(), before.ID, bucketlite.ObjectInput{Fields: map[string]any{"note": "mine"}}, nil); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{"a.txt": "A2", "new.txt": "N"})
	if err := os.Remove(filepath.Join(dir, "sub/b.txt")); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, syncDir(t, b, dir, bucketlite.SyncOptions{}), map[string]int64{"files": 4, "unchanged": 2, "created": 1, "replaced": 1, "gone": 1})
	if o := atPath(t, b, "a.txt"); o.ID != before.ID || o.Fields["note"] != "mine" {
		t.Errorf("a changed file: got object %q with note %v, want %q with its note", o.ID, o.Fields["note"], before.ID)
	}
	wantCounts(t, syncDir(t, b, dir, bucketlite.SyncOptions{Delete: true}), map[string]int64{"files": 4, "unchanged": 4, "deleted": 1})
	want := map[string]string{"a.txt": "A2", "sub/deep/c.txt": "C", "empty": "", "new.txt": "N"}
	if diff := cmp.Diff(want, contents(t, b)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestSyncDirRenames(t *testing.T) {
	t.Parallel()
	const text = "the content that moves"
	for _, test := range []struct {
		name   string
		files  map[string]string // before
		change func(dir string) error
		same   map[string]string // paths after, and paths before of the same objects
		want   map[string]int64
	}{
		{"another name", map[string]string{"a": text, "z": "Z"}, rename("a", "b"), map[string]string{"b": "a"}, map[string]int64{"files": 2, "unchanged": 1, "renamed": 1}},
		{"another folder", map[string]string{"a": text, "z": "Z"}, rename("a", "sub/a"), map[string]string{"sub/a": "a"}, map[string]int64{"files": 2, "unchanged": 1, "renamed": 1}},
		{"a whole folder", map[string]string{"d/a": text, "d/b": "B", "z": "Z"}, rename("d", "e"), map[string]string{"e/a": "d/a", "e/b": "d/b"},
			map[string]int64{"files": 3, "unchanged": 1, "renamed": 2}},
		{"equal files by their names", map[string]string{"d/a": text, "d/b": text, "z": "Z"}, rename("d", "c"), map[string]string{"c/a": "d/a", "c/b": "d/b"},
			map[string]int64{"files": 3, "unchanged": 1, "renamed": 2}},
		{"empty files", map[string]string{"d/a": "", "b": "", "z": "Z"}, both(rename("d/a", "c/a"), rename("b", "y")), map[string]string{"c/a": "d/a"},
			map[string]int64{"files": 3, "unchanged": 1, "renamed": 1, "created": 1, "gone": 1}},
		{"a copy", map[string]string{"a": text, "z": "Z"}, copyFile("a", "b"), map[string]string{"a": "a"}, map[string]int64{"files": 3, "unchanged": 2, "created": 1}},
		{"renamed and changed", map[string]string{"a": text, "z": "Z"}, both(rename("a", "b"), appendTo("b", "!")), nil,
			map[string]int64{"files": 2, "unchanged": 1, "created": 1, "gone": 1}},
		{"another case", map[string]string{"a.JPG": text, "z": "Z"}, rename("a.JPG", "a.jpg"), map[string]string{"a.jpg": "a.JPG"}, map[string]int64{"files": 2, "unchanged": 1, "renamed": 1}},
		{"composed accents", map[string]string{"e\u0301": text, "z": "Z"}, rename("e\u0301", "\u00e9"), map[string]string{"\u00e9": "e\u0301"},
			map[string]int64{"files": 2, "unchanged": 1, "renamed": 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b, dir := syncBucket(t), t.TempDir()
			writeFiles(t, dir, test.files)
			syncDir(t, b, dir, bucketlite.SyncOptions{})
			ids := make(map[string]string)
			for name := range test.files {
				ids[name] = atPath(t, b, name).ID
			}
			if err := test.change(dir); err != nil {
				t.Fatal(err)
			}
			wantCounts(t, syncDir(t, b, dir, bucketlite.SyncOptions{}), test.want)
			for after, before := range test.same {
				o := atPath(t, b, after)
				if o.ID != ids[before] {
					t.Errorf("%s: got object %q, want %q of %s", after, o.ID, ids[before], before)
				}
				if got, want := content(t, b, o), test.files[before]; got != want {
					t.Errorf("%s: got content %q, want %q", after, got, want)
				}
				if got, want := o.Blobs[0].Details.Filename, filepath.Base(after); got != want || o.Fields["name"] != want {
					t.Errorf("%s: got filename %q and name %v, want %q", after, got, o.Fields["name"], want)
				}
			}
			wantCounts(t, syncDir(t, b, dir, bucketlite.SyncOptions{}), map[string]int64{"files": test.want["files"], "unchanged": test.want["files"], "gone": test.want["gone"]})
		})
	}
}

func rename(from, to string) func(dir string) error {
	return func(dir string) error {
		return errors.Join(os.MkdirAll(filepath.Join(dir, filepath.Dir(to)), 0o777), os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)))
	}
}

func copyFile(from, to string) func(dir string) error {
	return func(dir string) error {
		text, err := os.ReadFile(filepath.Join(dir, from))
		return errors.Join(err, os.WriteFile(filepath.Join(dir, to), text, 0o666))
	}
}

func appendTo(name, text string) func(dir string) error {
	return func(dir string) error {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString(text)
		return errors.Join(err, f.Close())
	}
}

func both(a, b func(dir string) error) func(dir string) error {
	return func(dir string) error { return errors.Join(a(dir), b(dir)) }
}

// Nothing is deleted if the directory may be another one.
func TestSyncDirDoubts(t *testing.T) {
	t.Parallel()
	many := make(map[string]string)
	for _, c := range "abcdefghijkl" {
		many[string(c)] = strings.Repeat(string(c), 3)
	}
	few := map[string]string{"a": "A", "b": "B", "c": "C"}
	for _, test := range []struct {
		name   string
		before map[string]string
		after  map[string]string
		doubt  bool
	}{
		{"one of three is left", few, map[string]string{"a": "A"}, false},
		{"none is left", few, nil, true},
		{"other files", few, map[string]string{"d": "D", "e": "E"}, true},
		{"more than half are left", many, map[string]string{"a": "aaa", "b": "bbb", "c": "ccc", "d": "ddd", "e": "eee", "f": "fff"}, false},
		{"less than half are left", many, map[string]string{"a": "aaa", "b": "bbb", "c": "ccc", "d": "ddd", "e": "eee", "new": "N"}, true},
		{"all are in another folder", many, map[string]string{"x/a": "aaa", "x/b": "bbb", "x/c": "ccc", "x/d": "ddd", "x/e": "eee", "x/f": "fff"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b, dir, other := syncBucket(t), t.TempDir(), t.TempDir()
			writeFiles(t, dir, test.before)
			syncDir(t, b, dir, bucketlite.SyncOptions{})
			writeFiles(t, other, test.after)

			report, err := b.SyncDir(t.Context(), other, &bucketlite.SyncOptions{Delete: true, Settle: settle})
			if got := errors.Is(err, bucketlite.ErrConflict); got != test.doubt || err != nil && !got {
				t.Fatalf("got error %v, want one: %v", err, test.doubt)
			}
			if test.doubt {
				if report.Deleted > 0 {
					t.Errorf("got %d deleted, want none", report.Deleted)
				}
				for name := range test.after {
					atPath(t, b, name) // new files are stored all the same
				}
				syncDir(t, b, other, bucketlite.SyncOptions{Delete: true, Force: true})
			}
			want := test.after
			if want == nil {
				want = map[string]string{}
			}
			if diff := cmp.Diff(want, contents(t, b)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSyncDirDryRun(t *testing.T) {
	t.Parallel()
	b, dir := syncBucket(t), t.TempDir()
	writeFiles(t, dir, map[string]string{"a": "A", "b": "B", "c": "content", "d": "D"})
	syncDir(t, b, dir, bucketlite.SyncOptions{})
	before := contents(t, b)
	writeFiles(t, dir, map[string]string{"a": "A2", "new": "N"})
	if err := errors.Join(os.Remove(filepath.Join(dir, "b")), rename("c", "moved")(dir)); err != nil {
		t.Fatal(err)
	}
	var changes []string
	opts := bucketlite.SyncOptions{Delete: true, DryRun: true, Changed: func(c bucketlite.SyncChange) {
		changes = append(changes, string(c.Action)+" "+c.Path+" "+c.From)
	}}
	want := map[string]int64{"files": 4, "unchanged": 1, "created": 1, "replaced": 1, "renamed": 1, "deleted": 1}
	wantCounts(t, syncDir(t, b, dir, opts), want)
	slices.Sort(changes)
	if diff := cmp.Diff([]string{"created new ", "deleted b ", "renamed moved c", "replaced a "}, changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, contents(t, b)); diff != "" {
		t.Errorf("a dry run changed the bucket (-want +got):\n%s", diff)
	}
	opts.DryRun = false
	wantCounts(t, syncDir(t, b, dir, opts), want)
}

func TestSyncDirRefusals(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{
		Name:      "photos",
		Schema:    bucketlite.Schema{Properties: map[string]bucketlite.Field{"path": {Type: bucketlite.String}, "photo": {Type: bucketlite.Image}}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"path"}},
	})
	dir := t.TempDir()
	photo, err := os.ReadFile("examples/quickstart/data/photo.jpg")
	if err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{"a.jpg": string(photo), "notes.pdf": "%PDF-1.4\n", "sub/b.jpg": string(photo)})
	if err := errors.Join(os.Symlink("a.jpg", filepath.Join(dir, "link.jpg")), os.Symlink("/", filepath.Join(dir, "root"))); err != nil {
		t.Fatal(err)
	}
	report := syncDir(t, b, dir, bucketlite.SyncOptions{})
	wantCounts(t, report, map[string]int64{"files": 3, "created": 2, "refused": 1})
	if len(report.Refusals) != 1 || report.Refusals[0].File != "notes.pdf" || report.Skipped.Links != 2 {
		t.Errorf("got refusals %+v, skipped %+v, want notes.pdf and 2 links", report.Refusals, report.Skipped)
	}
	if err := b.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{"c.jpg": string(photo)})
	if _, err := b.SyncDir(t.Context(), dir, &bucketlite.SyncOptions{Settle: settle}); !errors.Is(err, bucketlite.ErrLocked) {
		t.Errorf("a locked bucket: got %v, want ErrLocked", err)
	}
}

func TestSyncDirUnusable(t *testing.T) {
	t.Parallel()
	st := storetest.OpenMemory(t)
	keyed := storetest.Bucket(t, st, bucketlite.BucketConfig{
		Name:      "keyed",
		Schema:    bucketlite.Schema{Properties: map[string]bucketlite.Field{"path": {Type: bucketlite.String}, "name": {Type: bucketlite.String}, "file": {Type: bucketlite.File}}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"path", "name"}},
	})
	good, dir := syncBucket(t), t.TempDir()
	file := filepath.Join(dir, "file")
	writeFiles(t, dir, map[string]string{"file": "x"})
	for _, test := range []struct {
		name   string
		bucket *bucketlite.Bucket
		dir    string
		opts   *bucketlite.SyncOptions
		want   error
	}{
		{"a key of two fields", keyed, dir, nil, bucketlite.ErrBadRequest},
		{"a negative interval", good, dir, &bucketlite.SyncOptions{Interval: -1}, bucketlite.ErrBadRequest},
		{"a dry run that watches", good, dir, &bucketlite.SyncOptions{DryRun: true, Watch: true}, bucketlite.ErrBadRequest},
		{"a pattern that is malformed", good, dir, &bucketlite.SyncOptions{Folder: bucketlite.FolderOptions{Include: []string{"["}}}, bucketlite.ErrBadRequest},
		{"no directory", good, filepath.Join(dir, "missing"), nil, os.ErrNotExist},
		{"a file", good, file, nil, nil},
		{"no directory to watch", good, filepath.Join(dir, "missing"), &bucketlite.SyncOptions{Watch: true}, os.ErrNotExist},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := test.bucket.SyncDir(context.Background(), test.dir, test.opts)
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// The store's own files are left out, also under other names. Opening and closing them
// would drop the locks of the store.
func TestSyncDirLeavesOutTheStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := storetest.OpenPath(t, filepath.Join(dir, "store.db"), &bucketlite.Options{AllowLinks: true})
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{
		Name:      "files",
		Schema:    bucketlite.Schema{Properties: map[string]bucketlite.Field{"path": {Type: bucketlite.String}, "file": {Type: bucketlite.File}}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"path"}, DefaultPolicy: bucketlite.Upsert},
	})
	writeFiles(t, dir, map[string]string{"a": "A"})
	if err := os.Link(filepath.Join(dir, "store.db"), filepath.Join(dir, "link.db")); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, syncDir(t, b, dir, bucketlite.SyncOptions{}), map[string]int64{"files": 1, "created": 1})
	report, err := b.Import(t.Context(), bucketlite.Folder(os.DirFS(dir), nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	if report.Records != 1 || report.Unchanged != 1 {
		t.Errorf("import: got %+v, want one unchanged file", report.ImportCounts)
	}
}

// With TrustModified, one pass over the objects tells which files are unchanged. A change
// that restores the time of the file is then not seen.
func TestSyncDirTrustsModified(t *testing.T) {
	t.Parallel()
	b, dir := syncBucket(t), t.TempDir()
	writeFiles(t, dir, map[string]string{"a": "A", "b": "B"})
	syncDir(t, b, dir, bucketlite.SyncOptions{})
	trusting := bucketlite.SyncOptions{Folder: bucketlite.FolderOptions{TrustModified: true}}
	wantCounts(t, syncDir(t, b, dir, trusting), map[string]int64{"files": 2, "unchanged": 2})
	info, err := os.Stat(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{"a": "X", "b": "B2"})
	if err := os.Chtimes(filepath.Join(dir, "a"), info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, syncDir(t, b, dir, trusting), map[string]int64{"files": 2, "unchanged": 1, "replaced": 1})
	wantCounts(t, syncDir(t, b, dir, bucketlite.SyncOptions{}), map[string]int64{"files": 2, "unchanged": 1, "replaced": 1})
	if diff := cmp.Diff(map[string]string{"a": "X", "b": "B2"}, contents(t, b)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// A file may take the place of a folder, and a folder that of a file.
func TestSyncDirFileForFolder(t *testing.T) {
	t.Parallel()
	b, dir := syncBucket(t), t.TempDir()
	writeFiles(t, dir, map[string]string{"a": "A", "d/x": "X", "keep": "K"})
	syncDir(t, b, dir, bucketlite.SyncOptions{})
	if err := errors.Join(os.Remove(filepath.Join(dir, "a")), os.RemoveAll(filepath.Join(dir, "d"))); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{"a/y": "Y", "d": "D"})
	syncDir(t, b, dir, bucketlite.SyncOptions{Delete: true})
	if diff := cmp.Diff(map[string]string{"a/y": "Y", "d": "D", "keep": "K"}, contents(t, b)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// Several programs that follow one directory agree.
func TestSyncDirBeside(t *testing.T) {
	t.Parallel()
	b, dir := syncBucket(t), t.TempDir()
	writeFiles(t, dir, map[string]string{"a": "content of a", "b": "content of b", "c": "content of c", "d": "D"})
	for _, change := range []func(string) error{
		func(string) error { return nil }, rename("a", "e"), appendTo("b", "!"), both(rename("c", "sub/c"), appendTo("d", "?")),
	} {
		if err := change(dir); err != nil {
			t.Fatal(err)
		}
		errs := make(chan error)
		for range 4 {
			go func() {
				_, err := b.SyncDir(t.Context(), dir, &bucketlite.SyncOptions{Delete: true, Settle: settle})
				errs <- err
			}()
		}
		for range 4 {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(filesBelow(t, dir), contents(t, b)); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
	}
}

// Objects whose paths no selected file can have are from elsewhere, and stay.
func TestSyncDirLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	b, dir := syncBucket(t), t.TempDir()
	writeFiles(t, dir, map[string]string{"a.txt": "a", "b.txt": "b"})
	others := []string{"/abs/other.txt", "s3://x/y.txt", "x/../z.txt", "../up.txt", "x//y.txt", ".hidden.txt", "photo.jpg", "kept/c.txt"}
	want := map[string]string{"a.txt": "a"}
	for _, name := range others {
		want[name] = name
		if _, err := b.Put(t.Context(), bucketlite.ObjectInput{Fields: map[string]any{"path": name}, Blobs: []bucketlite.BlobInput{{Property: "file", Reader: strings.NewReader(name)}}}, &bucketlite.PutOptions{Policy: bucketlite.Upsert}); err != nil {
			t.Fatal(err)
		}
	}
	opts := bucketlite.SyncOptions{Delete: true, Folder: bucketlite.FolderOptions{Include: []string{"*.txt"}, Exclude: []string{"kept"}}}
	syncDir(t, b, dir, opts)
	if err := os.Remove(filepath.Join(dir, "b.txt")); err != nil {
		t.Fatal(err)
	}
	report := syncDir(t, b, dir, opts)
	if got := contents(t, b); report.Deleted != 1 || report.Gone != 0 || !maps.Equal(got, want) {
		t.Errorf("deleted %d, gone %d: %s", report.Deleted, report.Gone, cmp.Diff(want, got))
	}
}
