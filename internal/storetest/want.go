package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/google/go-cmp/cmp"
)

// Snapshot returns everything that can be seen of a bucket: its info with the
// statistics and every object, as JSON. Two that are equal had nothing change
// between them.
func Snapshot(t testing.TB, b *bucketlite.Bucket) string {
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

// WantSnapshot fails if the bucket is not as it was when the snapshot was taken.
func WantSnapshot(t testing.TB, b *bucketlite.Bucket, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(Snapshot(t, b), "\n")); diff != "" {
		t.Errorf("the bucket changed (-before +after):\n%s", diff)
	}
}

// WantIssues fails if err is not a ValidationError with exactly the issues wanted:
// the rule by path, or several of them with a space between.
func WantIssues(t testing.TB, err error, want map[string]string) {
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

// WantFields fails if the object does not have exactly the fields of a JSON
// object, numbers digit by digit.
func WantFields(t testing.TB, o *bucketlite.Object, want string) {
	t.Helper()
	if diff := cmp.Diff(Input(t, want).Fields, o.Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

// WantEqual fails unless got equals want, and shows where they differ. A test that cares
// about some fields only copies got and sets these.
func WantEqual[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Exporter(ours)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// ours reports whether a type is the library's, whose unexported fields count too.
func ours(t reflect.Type) bool { return t.PkgPath() == reflect.TypeFor[bucketlite.Object]().PkgPath() }

// WantError fails unless err is all of the sentinels.
func WantError(t testing.TB, err error, sentinels ...error) {
	t.Helper()
	for _, sentinel := range sentinels {
		if !errors.Is(err, sentinel) {
			t.Errorf("got error %v, want one that is %q", err, sentinel)
		}
	}
}
