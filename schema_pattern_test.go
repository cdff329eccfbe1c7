package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// patternSchema has one field for each of the patterns.
func patternSchema(patterns ...string) bucketlite.Schema {
	s := bucketlite.Schema{Properties: make(map[string]bucketlite.Field)}
	for i, p := range patterns {
		s.Properties[fmt.Sprintf("f%02d", i)] = bucketlite.Field{Type: bucketlite.String, Keywords: map[string]any{"pattern": p}}
	}
	return s
}

func TestSchemaPatternsAreBounded(t *testing.T) {
	t.Parallel()
	large := `(?:` + strings.Repeat("a?", 45) + `){1000}`
	strings900 := make([]any, 900)
	for i := range strings900 {
		strings900[i] = strings.Repeat("a", 1000)
	}
	texts := bucketlite.Field{Type: bucketlite.String, Keywords: map[string]any{"pattern": manyStates}}
	tests := []struct {
		name   string
		schema bucketlite.Schema
		want   map[string]string
	}{
		{"one large pattern", patternSchema(large, `^a$`), nil},
		{"two large patterns", patternSchema(`^a$`, large, large), map[string]string{"properties.f02.pattern": "pattern"}},
		{"a pattern costly to parse", patternSchema(`(?i)[` + strings.Repeat("B-\U0001e943", 333) + `]`), map[string]string{"properties.f00.pattern": "pattern"}},
		{"a costly default", bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"a": {Type: bucketlite.Array, Items: &texts, Default: strings900[:2]},
		}}, map[string]string{"properties.a.default[0]": "pattern", "properties.a.default[1]": "pattern"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := bucketlite.ValidateSchema(test.schema, nil)
			if test.want == nil {
				if err != nil {
					t.Fatalf("ValidateSchema: %v", err)
				}
				return
			}
			storetest.WantIssues(t, err, test.want)
		})
	}
}

// The patterns of one input share a bound on their work.
func TestSchemaPatternWorkIsBounded(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.Open(t), bucketlite.BucketConfig{Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"a": {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.String, Keywords: map[string]any{"pattern": `^(?:a?b?){1000}$`}}},
	}}})
	put := func(n int) error {
		items := make([]any, n)
		for i := range items {
			items[i] = strings.Repeat("a", 100)
		}
		return storetest.ErrorOf(b.Put(context.Background(), bucketlite.ObjectInput{Fields: map[string]any{"a": items}}, nil))
	}
	if err := put(10); err != nil {
		t.Errorf("10 strings: %v", err)
	}
	err := put(10_000)
	var invalid *bucketlite.ValidationError
	if !errors.As(err, &invalid) || invalid.Issues[0].Rule != "pattern" || !strings.Contains(invalid.Issues[0].Message, "100 bytes") {
		t.Errorf("10,000 strings: got %v, want issues of pattern that tell the bytes", err)
	}
}

// A format of regular expressions does not compile what it judges.
func TestFormatRegexIsBounded(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.Open(t), bucketlite.BucketConfig{Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"re": {Type: bucketlite.String, Keywords: map[string]any{"format": "regex"}},
	}}})
	for re, valid := range map[string]bool{`^a+$`: true, `(`: false, `[` + strings.Repeat(`\pL`, 10_000) + `]`: false} {
		err := b.Validate(context.Background(), bucketlite.ObjectInput{Fields: map[string]any{"re": re}})
		if (err == nil) != valid || err != nil && !errors.Is(err, bucketlite.ErrInvalid) {
			t.Errorf("%.20s: got %v, want valid %t", re, err, valid)
		}
	}
}

// A schema that was stored with a pattern beyond today's bound still opens, lists and
// reads; only a value of that field cannot be judged.
func TestStoredSchemaWithLargePattern(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "app.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "old", Schema: patternSchema(`^a`, `^b`)})
	o := storetest.Put(t, b, storetest.Input(t, `{"f00":"abc","f01":"bcd"}`), "")
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	large := `(?:` + strings.Repeat("a?", 700) + `){1000}`
	storetest.Execute(t, storetest.OpenRaw(t, path), `UPDATE buckets SET schema = replace(schema, '"^a"', '"`+large+`"')`)

	st = storetest.OpenPath(t, path)
	ns := storetest.Namespace(t, st)
	page, err := ns.ListBuckets(ctx, bucketlite.Query{})
	if err != nil || page.Results[0].Schema.Properties["f00"].Keywords["pattern"] != large {
		t.Fatalf("ListBuckets: got %v, want the pattern as it is stored", err)
	}
	if b, err = ns.Bucket(ctx, "old"); err != nil {
		t.Fatalf("Bucket: %v", err)
	}
	if got, err := b.Object(ctx, o.ID); err != nil || got.Fields["f00"] != "abc" {
		t.Errorf("Object: got %v, %v, want what is stored", got, err)
	}
	storetest.Put(t, b, storetest.Input(t, `{"f01":"b"}`), "")
	_, err = b.Put(ctx, storetest.Input(t, `{"f00":"a","f01":"b"}`), nil)
	storetest.WantIssues(t, err, map[string]string{"f00": "pattern"})
	storetest.WantNoProblem(t, st) // though what is stored cannot be judged either
}

// A list of buckets compiles no pattern. Not parallel, since it measures what is
// allocated.
func TestListBucketsCompilesNothing(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "app.db")
	st := storetest.OpenPath(t, path)
	const buckets = 10
	for i := range buckets {
		storetest.Bucket(t, st, bucketlite.BucketConfig{Name: fmt.Sprint(i), Schema: patternSchema(fmt.Sprintf("%d%s", i, manyStates))})
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	ns := storetest.Namespace(t, storetest.OpenPath(t, path))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	page, err := ns.ListBuckets(ctx, bucketlite.Query{})
	for i := range page.Results {
		if _, err := ns.Bucket(ctx, page.Results[i].ID); err != nil {
			t.Error(err)
		}
	}
	runtime.ReadMemStats(&after)
	if err != nil || len(page.Results) != buckets {
		t.Fatalf("got %v, want %d buckets", err, buckets)
	}
	// To compile one of these patterns takes 10 MB.
	if n := after.TotalAlloc - before.TotalAlloc; n > 5<<20 {
		t.Errorf("listing and finding %d buckets allocated %d bytes", buckets, n)
	}
}

// A message about an enum does not grow with it.
func TestLargeEnum(t *testing.T) {
	t.Parallel()
	values := make([]any, 10_000)
	for i := range values {
		values[i] = fmt.Sprintf("value %d", i)
	}
	b := storetest.Bucket(t, storetest.Open(t), bucketlite.BucketConfig{Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"a": {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.String, Enum: values}},
	}}})
	err := b.Validate(context.Background(), bucketlite.ObjectInput{Fields: map[string]any{"a": []any{"x", "value 9999", "y"}}})
	storetest.WantIssues(t, err, map[string]string{"a[0]": "enum", "a[2]": "enum"})
	if n := len(err.Error()); n > 4000 || !strings.Contains(err.Error(), "9980 more") {
		t.Errorf("got a message of %d bytes, want a short one that counts the other values", n)
	}
}
