package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// names are the names a namespace or a bucket may have, or not.
var names = map[string]struct {
	name  string
	valid bool
}{
	"plain":                      {"videos", true},
	"one character":              {"a", true},
	"255 characters":             {strings.Repeat("a", 255), true},
	"255 characters of 4 bytes":  {strings.Repeat("🪣", 255), true},
	"spaces within":              {"a b", true},
	"dots and more":              {"...", true},
	"a percent escape of ASCII":  {"100%25 a%20b", true},
	"percents, no escapes":       {"50% é %C %zz %8", true},
	"slashes, quotes, percents":  {`a/b\c"d'e%f_g`, true},
	"a prefix alone":             {"bkt_", true},
	"nearly an id":               {"bkt_01ARZ3NDEKTSV4RRFFQ69G5FA", true},
	"another id":                 {"obj_01ARZ3NDEKTSV4RRFFQ69G5FAV", true},
	"beyond the ids":             {"ns_8ZZZZZZZZZZZZZZZZZZZZZZZZZ", true},
	"empty":                      {"", false},
	"blank":                      {" ", false},
	"a space before":             {" a", false},
	"a space after":              {"a ", false},
	"a space beyond ASCII":       {"a\u00a0", false},
	"a dot":                      {".", false},
	"two dots":                   {"..", false},
	"an escape beyond ASCII":     {"caf%C3%A9", false},
	"an escape of Latin-1":       {"%e9", false},
	"blank beyond ASCII":         {"\u00a0\u2003\u3000", false},
	"256 characters":             {strings.Repeat("a", 256), false},
	"256 characters of 4 bytes":  {strings.Repeat("🪣", 256), false},
	"line feed":                  {"a\nb", false},
	"NUL":                        {"a\x00b", false},
	"DEL":                        {"a\x7f", false},
	"C1 control":                 {"a\u0085", false},
	"invalid UTF-8":              {"a\xffb", false},
	"surrogate":                  {"a\xed\xa0\x80", false},
	"id of a namespace":          {"ns_01ARZ3NDEKTSV4RRFFQ69G5FAV", false},
	"id of a bucket":             {"bkt_01ARZ3NDEKTSV4RRFFQ69G5FAV", false},
	"id of a bucket, lower case": {"bkt_01arz3ndektsv4rrffq69g5fav", false},
}

func TestNamespaceNames(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	renamed, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "renamed"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		tt := names[name]
		t.Run(name, func(t *testing.T) {
			created, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: tt.name})
			_, errUpdate := renamed.Update(ctx, bucketlite.NamespaceUpdate{Name: &tt.name})
			if !tt.valid {
				storetest.WantIssues(t, err, map[string]string{"namespace_name": "name"})
				storetest.WantIssues(t, errUpdate, map[string]string{"namespace_name": "name"})
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !errors.Is(errUpdate, bucketlite.ErrExists) {
				t.Errorf("update to a name that is taken: got %v, want ErrExists", errUpdate)
			}
			if found, err := st.Namespace(ctx, tt.name); err != nil || found.ID() != created.ID() || found.Name() != tt.name {
				t.Errorf("by name: got %v, %v, want %v", found, err, created)
			}
		})
	}
}

// Names are compared exactly.
var distinctNames = []string{"a", "A", "a b", "a  b", "é", "e\u0301", "ａ", "ß", "ss", "SS"}

func TestNamespaceNamesAreDistinct(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	for _, name := range distinctNames {
		if _, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: name}); err != nil {
			t.Errorf("create %q: %v", name, err)
		}
	}
	for _, name := range distinctNames {
		ns, err := st.Namespace(ctx, name)
		if err != nil || ns.Name() != name {
			t.Errorf("by name %q: got %v, %v", name, ns, err)
		}
	}
}

func TestNamespaceExists(t *testing.T) {
	t.Parallel()
	st := storetest.OpenMemory(t)
	ns := storetest.Namespace(t, st)
	_, err := st.CreateNamespace(context.Background(), bucketlite.NamespaceConfig{Name: "test"})
	wantConflict(t, err, ns.ID())
}

// wantConflict fails unless err says that something with the id exists already.
func wantConflict(t *testing.T, err error, existing string) {
	t.Helper()
	var conflict *bucketlite.ConflictError
	if !errors.As(err, &conflict) || !errors.Is(err, bucketlite.ErrExists) || !errors.Is(err, bucketlite.ErrConflict) {
		t.Fatalf("got %v, want ErrExists", err)
	}
	if conflict.ExistingID != existing {
		t.Errorf("existing id: got %q, want %q", conflict.ExistingID, existing)
	}
}

func TestNamespaceNotFound(t *testing.T) {
	t.Parallel()
	st := storetest.OpenMemory(t)
	ns := storetest.Namespace(t, st)
	for name, key := range map[string]string{
		"name":              "none",
		"id":                "ns_01ARZ3NDEKTSV4RRFFQ69G5FAV",
		"empty":             "",
		"other case":        "TEST",
		"id, lower case":    strings.ToLower(ns.ID()),
		"pattern":           "t%",
		"invalid UTF-8":     "test\xff",
		"with NUL":          "test\x00",
		"id of a bucket":    "bkt_01ARZ3NDEKTSV4RRFFQ69G5FAV",
		"injected":          "' OR '1'='1",
		"far too long name": strings.Repeat("a", 1<<20),
	} {
		if got, err := st.Namespace(context.Background(), key); got != nil || !errors.Is(err, bucketlite.ErrNotFound) {
			t.Errorf("%s: got %v, %v, want ErrNotFound", name, got, err)
		}
	}
}

func TestNamespaceUpdate(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := storetest.NewManualClock()
	st := storetest.OpenMemory(t, &bucketlite.Options{Now: c.Now})
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{
		Name: "before", Description: "a",
		FeatureExtractors: []any{map[string]any{"feature_extractor_name": "clip", "version": "v1"}},
		PayloadIndexes:    []any{map[string]any{"field_name": "title", "type": "text", "n": json.Number("1.50")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want, err := ns.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	created := *want
	created.Name, created.Description, created.CreatedAt = "before", "a", c.Add(0)
	storetest.WantEqual(t, "created", *want, created)
	storetest.WantEqual(t, "feature extractors", len(want.FeatureExtractors), 1)
	for _, tt := range []struct {
		name   string
		update bucketlite.NamespaceUpdate
		change func(*bucketlite.NamespaceInfo)
	}{
		{"nothing", bucketlite.NamespaceUpdate{}, func(*bucketlite.NamespaceInfo) {}},
		{"name", bucketlite.NamespaceUpdate{Name: new("after")}, func(i *bucketlite.NamespaceInfo) { i.Name = "after" }},
		{"name to itself", bucketlite.NamespaceUpdate{Name: new("after")}, func(*bucketlite.NamespaceInfo) {}},
		{"description", bucketlite.NamespaceUpdate{Description: new("b")}, func(i *bucketlite.NamespaceInfo) { i.Description = "b" }},
		{"description to none", bucketlite.NamespaceUpdate{Description: new("")}, func(i *bucketlite.NamespaceInfo) { i.Description = "" }},
		{"indexes", bucketlite.NamespaceUpdate{PayloadIndexes: []any{map[string]any{"field_name": "a", "type": "geo", "n": json.Number("1e2"), "x": nil}}}, func(i *bucketlite.NamespaceInfo) {
			i.PayloadIndexes = []any{map[string]any{"field_name": "a", "type": "geo", "n": json.Number("1e2"), "x": nil}}
		}},
		{"indexes to none", bucketlite.NamespaceUpdate{PayloadIndexes: []any{}}, func(i *bucketlite.NamespaceInfo) { i.PayloadIndexes = []any{} }},
	} {
		want.UpdatedAt = c.Add(time.Second)
		tt.change(want)
		got, err := ns.Update(ctx, tt.update)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if !cmp.Equal(got, want, cmp.AllowUnexported(bucketlite.NamespaceInfo{})) {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, want)
		}
	}
	if _, err := st.Namespace(ctx, "before"); !errors.Is(err, bucketlite.ErrNotFound) {
		t.Errorf("by old name: got %v, want ErrNotFound", err)
	}
	if got, err := st.Namespace(ctx, "after"); err != nil || got.ID() != ns.ID() {
		t.Errorf("by new name: got %v, %v, want %s", got, err, ns.ID())
	}
	if _, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "before"}); err != nil {
		t.Errorf("create by old name: %v", err)
	}
}

func TestNamespaceInvalid(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	ns := storetest.Namespace(t, st)
	_, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{
		Description: "\xff", FeatureExtractors: []any{func() {}}, PayloadIndexes: []any{map[string]any{"a": "\x00"}},
	})
	wantIssuePaths(t, err, "description", "feature_extractors[0]", "namespace_name", "payload_indexes[0].a")
	_, err = ns.Update(ctx, bucketlite.NamespaceUpdate{Name: new(""), Description: new("\x00"), PayloadIndexes: []any{"\xff"}})
	wantIssuePaths(t, err, "description", "namespace_name", "payload_indexes[0]")
}

// wantIssuePaths fails unless err has issues at these paths, whatever the rules.
func wantIssuePaths(t *testing.T, err error, want ...string) {
	t.Helper()
	var invalid *bucketlite.ValidationError
	if !errors.As(err, &invalid) || !errors.Is(err, bucketlite.ErrInvalid) {
		t.Fatalf("got %v, want ErrInvalid", err)
	}
	var got []string
	for _, issue := range invalid.Issues {
		got = append(got, issue.Path)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("paths: got %q, want %q", got, want)
	}
}

func TestNamespaceCounts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t)
	ns := storetest.Namespace(t, st)
	want := func(buckets, objects int64) {
		t.Helper()
		info, err := ns.Info(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if info.BucketCount != buckets || info.ObjectCount != objects {
			t.Errorf("got %d buckets and %d objects, want %d and %d", info.BucketCount, info.ObjectCount, buckets, objects)
		}
	}
	want(0, 0)
	for i := range 3 {
		storetest.PutItems(t, storetest.Bucket(t, st, storetest.ItemsConfig(fmt.Sprint(i))), 10*(i+1), 1)
	}
	want(3, 60)
	other, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "other"})
	if err == nil {
		_, err = other.CreateBucket(ctx, storetest.ItemsConfig("0"))
	}
	if err != nil {
		t.Fatal(err)
	}
	want(3, 60)
	b, err := ns.Bucket(ctx, "2")
	if err == nil {
		_, err = b.Delete(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	want(2, 30)
}

func TestListNamespaces(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	var want []string
	for i := range 25 {
		ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: fmt.Sprint(99 - i)})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, ns.ID())
	}
	for _, limit := range []int{1, 7, 25, 26, 1000} {
		var got []string
		for q := (bucketlite.Query{Limit: limit}); ; {
			page, err := st.ListNamespaces(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, info := range page.Results {
				got = append(got, info.ID)
			}
			if q.Cursor = page.Next; page.Next == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: got %q, want %q", limit, got, want)
		}
	}
	var got []string
	for info, err := range st.Namespaces(ctx, bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, info.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("iterator: got %q, want %q", got, want)
	}
}

func TestNamespaceJSON(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	ns := storetest.Namespace(t, st)
	info, err := ns.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	wantMembers(t, info, map[string]string{
		"namespace_id": "string", "namespace_name": "string", "feature_extractors": "array", "payload_indexes": "array",
		"bucket_count": "number", "object_count": "number", "created_at": "time", "updated_at": "time",
	})
	if info, err = ns.Update(ctx, bucketlite.NamespaceUpdate{Description: new("d")}); err != nil {
		t.Fatal(err)
	}
	info.FeatureExtractors, info.PayloadIndexes = []any{"x"}, []any{"y"}
	wantMembers(t, info, map[string]string{
		"namespace_id": "string", "namespace_name": "string", "feature_extractors": "array", "payload_indexes": "array",
		"bucket_count": "number", "object_count": "number", "created_at": "time", "updated_at": "time", "description": "string",
	})
	var config bucketlite.NamespaceConfig
	if err := json.Unmarshal([]byte(`{"namespace_name":"n","description":null,"feature_extractors":[{}],"payload_indexes":null}`), &config); err != nil {
		t.Fatal(err)
	}
	if want := (bucketlite.NamespaceConfig{Name: "n", FeatureExtractors: []any{map[string]any{}}}); !cmp.Equal(config, want) {
		t.Errorf("config: got %+v, want %+v", config, want)
	}
}

// wantMembers fails unless v's JSON form is an object with exactly these
// members, of these kinds.
func wantMembers(t *testing.T, v any, want map[string]string) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(data, &members); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for name, member := range members {
		got[name] = jsonKind(member)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}

// jsonKind names the kind of a JSON value.
func jsonKind(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case string:
		if _, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return "time"
		}
		return "string"
	}
	return fmt.Sprintf("%T", v)
}
