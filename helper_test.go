package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/google/go-cmp/cmp"
)

// open opens a store on a file of its own, with the default options unless some
// are given, and closes it when the test ends.
func open(t testing.TB, opts ...*bucketlite.Options) *bucketlite.Store {
	t.Helper()
	return openPath(t, filepath.Join(t.TempDir(), "test.db"), opts...)
}

// openMemory is open for a private store in memory.
func openMemory(t testing.TB, opts ...*bucketlite.Options) *bucketlite.Store {
	t.Helper()
	return openPath(t, ":memory:", opts...)
}

// openPath is open for the file at path.
func openPath(t testing.TB, path string, opts ...*bucketlite.Options) *bucketlite.Store {
	t.Helper()
	var o *bucketlite.Options
	if len(opts) > 0 {
		o = opts[0]
	}
	st, err := bucketlite.Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return st
}

// namespace returns the store's namespace "test", creating it on first use.
func namespace(t testing.TB, st *bucketlite.Store) *bucketlite.Namespace {
	t.Helper()
	ctx := context.Background()
	ns, err := st.Namespace(ctx, "test")
	if errors.Is(err, bucketlite.ErrNotFound) {
		ns, err = st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "test"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

// bucket creates a bucket in the store's namespace "test". Its name is "objects"
// unless config has one.
func bucket(t testing.TB, st *bucketlite.Store, config bucketlite.BucketConfig) *bucketlite.Bucket {
	t.Helper()
	if config.Name == "" {
		config.Name = "objects"
	}
	b, err := namespace(t, st).CreateBucket(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// snapshot returns everything that can be seen of a bucket: its info with the
// statistics and every object, as JSON. Two that are equal had nothing change
// between them.
func snapshot(t testing.TB, b *bucketlite.Bucket) string {
	t.Helper()
	ctx := context.Background()
	info, err := b.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	seen := []any{info}
	count := int64(0)
	for o, err := range b.Objects(ctx, bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		count++
		seen = append(seen, o, o.Version, o.Size)
	}
	if info.ObjectCount != count {
		t.Errorf("got an object count of %d, want %d", info.ObjectCount, count)
	}
	text, err := json.MarshalIndent(seen, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// wantSnapshot fails if the bucket is not as it was when the snapshot was taken.
func wantSnapshot(t testing.TB, b *bucketlite.Bucket, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(snapshot(t, b), "\n")); diff != "" {
		t.Errorf("the bucket changed (-before +after):\n%s", diff)
	}
}

// wantIssues fails if err is not a ValidationError with exactly the issues wanted:
// the rule by path, or several of them with a space between.
func wantIssues(t testing.TB, err error, want map[string]string) {
	t.Helper()
	var invalid *bucketlite.ValidationError
	if !errors.As(err, &invalid) {
		t.Fatalf("got error %v, want a ValidationError with %v", err, want)
	}
	got := make(map[string]string)
	tooLarge := false
	for _, issue := range invalid.Issues {
		if got[issue.Path] != "" {
			got[issue.Path] += " "
		}
		got[issue.Path] += issue.Rule
		tooLarge = tooLarge || issue.Rule == "size"
		if issue.Message == "" {
			t.Errorf("got no message for %q, which breaks %q", issue.Path, issue.Rule)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("issues (-want +got):\n%s\nerror: %v", diff, err)
	}
	if errors.Is(err, bucketlite.ErrTooLarge) != tooLarge || errors.Is(err, bucketlite.ErrInvalid) == tooLarge {
		t.Errorf("got ErrInvalid %t and ErrTooLarge %t, want the other: %v",
			errors.Is(err, bucketlite.ErrInvalid), errors.Is(err, bucketlite.ErrTooLarge), err)
	}
	if !strings.HasPrefix(err.Error(), "bucketlite: ") {
		t.Errorf("got message %q, want it to begin with the package's name", err)
	}
}

// schema parses a schema from the members of its "properties".
func schema(t testing.TB, properties string) bucketlite.Schema {
	t.Helper()
	s, err := bucketlite.ParseSchema([]byte(`{"properties":{` + properties + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// input parses an ObjectInput.
func input(t testing.TB, text string) bucketlite.ObjectInput {
	t.Helper()
	var in bucketlite.ObjectInput
	if err := in.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return in
}

// put stores an object that must be accepted, and returns it.
func put(t testing.TB, b *bucketlite.Bucket, in bucketlite.ObjectInput, policy bucketlite.Policy) *bucketlite.Object {
	t.Helper()
	res, err := b.Put(context.Background(), in, &bucketlite.PutOptions{Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	return res.Object
}

// wantFields fails if the object does not have exactly the fields of a JSON
// object, numbers digit by digit.
func wantFields(t testing.TB, o *bucketlite.Object, want string) {
	t.Helper()
	if diff := cmp.Diff(input(t, want).Fields, o.Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

// wantError fails unless err is all of the sentinels.
func wantError(t testing.TB, err error, sentinels ...error) {
	t.Helper()
	for _, sentinel := range sentinels {
		if !errors.Is(err, sentinel) {
			t.Errorf("got error %v, want one that is %q", err, sentinel)
		}
	}
}
