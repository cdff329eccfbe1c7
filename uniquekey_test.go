package bucketlite_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// conflictWith returns the id a ConflictError names as existing.
func conflictWith(t *testing.T, err error) string {
	t.Helper()
	var conflict *bucketlite.ConflictError
	if !errors.As(err, &conflict) {
		t.Fatalf("got %v, want a ConflictError", err)
	}
	storetest.WantError(t, err, bucketlite.ErrConflict)
	return conflict.ExistingID
}

func TestUniqueKeyFaults(t *testing.T) {
	t.Parallel()
	s := storetest.Schema(t, `"s":{"type":"string"},"n":{"type":"number"},"o":{"type":"object","properties":{"s":{"type":"string"}}},"l":{"type":"array"},
		"text":{"type":"text"},"image":{"type":"image"},"audio":{"type":"audio"},"video":{"type":"video"},"pdf":{"type":"pdf"},"excel":{"type":"excel"},
		"d":{"type":"string","default":"x"},"e":{"type":"integer","default":0}`)
	tests := []struct {
		name string
		key  bucketlite.UniqueKey
		want map[string]string
	}{
		{"no fields", bucketlite.UniqueKey{}, map[string]string{"unique_key.fields": "key"}},
		{"an empty list", bucketlite.UniqueKey{Fields: []string{}, DefaultPolicy: bucketlite.Insert}, map[string]string{"unique_key.fields": "key"}},
		{"unknown field", bucketlite.UniqueKey{Fields: []string{"s", "x"}}, map[string]string{"unique_key.fields[1]": "key"}},
		{"empty name", bucketlite.UniqueKey{Fields: []string{""}}, map[string]string{"unique_key.fields[0]": "key"}},
		{"a member of a struct", bucketlite.UniqueKey{Fields: []string{"o.s"}}, map[string]string{"unique_key.fields[0]": "key"}},
		{"a field twice", bucketlite.UniqueKey{Fields: []string{"s", "n", "s"}}, map[string]string{"unique_key.fields[2]": "key"}},
		{"object, array and files", bucketlite.UniqueKey{Fields: strings.Fields("o l text image audio video pdf excel")}, map[string]string{
			"unique_key.fields[0]": "key", "unique_key.fields[1]": "key", "unique_key.fields[2]": "key", "unique_key.fields[3]": "key",
			"unique_key.fields[4]": "key", "unique_key.fields[5]": "key", "unique_key.fields[6]": "key", "unique_key.fields[7]": "key",
		}},
		{"defaults", bucketlite.UniqueKey{Fields: []string{"d", "e"}}, map[string]string{"properties.d.default": "key", "properties.e.default": "key"}},
		{"unknown policy", bucketlite.UniqueKey{Fields: []string{"s"}, DefaultPolicy: "replace"}, map[string]string{"unique_key.default_policy": "key"}},
		{"policy in capitals", bucketlite.UniqueKey{Fields: []string{"s"}, DefaultPolicy: "INSERT"}, map[string]string{"unique_key.default_policy": "key"}},
		{"several", bucketlite.UniqueKey{Fields: []string{"x", "l", "d"}, DefaultPolicy: "?"}, map[string]string{
			"unique_key.fields[0]": "key", "unique_key.fields[1]": "key", "properties.d.default": "key", "unique_key.default_policy": "key",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			storetest.WantIssues(t, bucketlite.ValidateSchema(s, &test.key), test.want)
			ns := storetest.Namespace(t, storetest.OpenMemory(t))
			_, err := ns.CreateBucket(t.Context(), bucketlite.BucketConfig{Name: "b", Schema: s, UniqueKey: &test.key})
			want := make(map[string]string)
			for path, rule := range test.want {
				if strings.HasPrefix(path, "properties") {
					path = "bucket_schema." + path
				}
				want[path] = rule
			}
			storetest.WantIssues(t, err, want)
			if page, err := ns.ListBuckets(t.Context(), bucketlite.Query{}); err != nil || len(page.Results) != 0 {
				t.Errorf("got buckets %v, %v, want none", page, err)
			}
		})
	}
}

// A schema's faults and its key's are reported together, and a field that is
// faulty itself is still a field.
func TestUniqueKeyAndSchemaFaults(t *testing.T) {
	t.Parallel()
	s := bucketlite.Schema{Properties: map[string]bucketlite.Field{"s": {Type: "strnig"}, "l": {Type: bucketlite.Array, Default: 5}}}
	key := bucketlite.UniqueKey{Fields: []string{"s", "l", "x"}}
	storetest.WantIssues(t, bucketlite.ValidateSchema(s, &key), map[string]string{
		"properties.s.type": "type", "properties.l.default": "type", "unique_key.fields[1]": "key", "unique_key.fields[2]": "key",
	})
}

func TestUniqueKeyForms(t *testing.T) {
	t.Parallel()
	var config bucketlite.BucketConfig
	const text = `{"bucket_name":"b","bucket_schema":{"properties":{"b":{"type":"integer"},"a":{"type":"string"}}},"unique_key":{"fields":["b","a"],"default_policy":null}}`
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		t.Fatal(err)
	}
	b := storetest.Bucket(t, storetest.OpenMemory(t), config)
	config.UniqueKey.Fields[0] = "changed"
	want := &bucketlite.UniqueKey{Fields: []string{"a", "b"}}
	if diff := cmp.Diff(want, b.UniqueKey()); diff != "" {
		t.Errorf("unique key (-want +got):\n%s", diff)
	}
	b.UniqueKey().Fields[0] = "changed"
	info, err := b.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, info.UniqueKey); diff != "" {
		t.Errorf("unique key of the info (-want +got):\n%s", diff)
	}
	for text, want := range map[string]bool{`{"unique_key":{"fields":["a","b"]}}`: true, `{"unique_key":{"fields":["a"]}}`: false} {
		var u bucketlite.BucketUpdate
		if err := json.Unmarshal([]byte(text), &u); err != nil {
			t.Fatal(err)
		}
		_, err := b.Update(t.Context(), u)
		if want && err != nil {
			t.Errorf("%s: got %v, want no error", text, err)
		}
		if !want {
			storetest.WantIssues(t, err, map[string]string{"unique_key": "fixed"})
		}
	}
}

// Values that cannot be part of a key are refused by every call that takes one.
func TestUniqueKeyValues(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 255)
	tests := []struct {
		typ  string
		good []string
		bad  map[string]string
	}{
		{"string", []string{`"x"`, `" "`, `"` + long + `"`}, map[string]string{
			`null`: "required", `""`: "key", `"` + long + `x"`: "key", `5`: "type", `true`: "type", `["x"]`: "type", `{}`: "type",
		}},
		{"integer", []string{`0`, `-9223372036854775808`}, map[string]string{`null`: "required", `"5"`: "type", `5.5`: "type", `9223372036854775808`: "type"}},
		{"number", []string{`0`, `1e300`}, map[string]string{`null`: "required", `"5"`: "type", `""`: "type"}},
		{"float", []string{`0.5`}, map[string]string{`null`: "required", `[]`: "type"}},
		{"boolean", []string{`false`}, map[string]string{`null`: "required", `0`: "type", `""`: "type"}},
		{"date", []string{`"2024-05-06"`}, map[string]string{`null`: "required", `""`: "type", `"2024-05-06T00:00:00Z"`: "type"}},
		{"datetime", []string{`"2024-05-06T00:00:00"`}, map[string]string{`null`: "required", `""`: "type", `"2010-02-14 00:00:00-05"`: "type"}},
	}
	for _, test := range tests {
		t.Run(test.typ, func(t *testing.T) {
			t.Parallel()
			b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"k":{"type":"`+test.typ+`"}`),
				UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert}})
			var last *bucketlite.Object
			for _, v := range test.good {
				wantKept(t, b, `{"k":`+v+`}`)
				o, err := b.ObjectByKey(t.Context(), storetest.Input(t, `{"k":`+v+`}`).Fields)
				if err != nil {
					t.Fatalf("%s: got %v, want no error", v, err)
				}
				last = o
			}
			wantRefused(t, b, bucketlite.ObjectInput{}, map[string]string{"k": "required"})
			for v, rule := range test.bad {
				in := storetest.Input(t, `{"k":`+v+`}`)
				wantRefused(t, b, in, map[string]string{"k": rule})
				before := storetest.Snapshot(t, b)
				_, err := b.Patch(t.Context(), last.ID, in, nil)
				storetest.WantIssues(t, err, map[string]string{"k": rule})
				storetest.WantSnapshot(t, b, before)

				_, err = b.ObjectByKey(t.Context(), in.Fields)
				wantBadKey(t, err, map[string]string{"k": rule})
			}
			_, err := b.ObjectByKey(t.Context(), nil)
			wantBadKey(t, err, map[string]string{"k": "required"})
			_, err = b.ObjectByKey(t.Context(), map[string]any{"z": 1, "y": 2, "x": 3})
			wantBadKey(t, err, map[string]string{"k": "required", "x": "key", "y": "key", "z": "key"})
		})
	}
}

// wantBadKey fails unless err is an ErrBadRequest for these reasons.
func wantBadKey(t *testing.T, err error, want map[string]string) {
	t.Helper()
	storetest.WantError(t, err, bucketlite.ErrBadRequest)
	var invalid *bucketlite.ValidationError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v, want a ValidationError within", err)
	}
	got := make(map[string]string)
	last := ""
	for _, issue := range invalid.Issues {
		got[issue.Path] = issue.Rule
		if issue.Rule == "key" && issue.Path < last {
			t.Errorf("got %s after %s, want a fixed order", issue.Path, last)
		}
		last = issue.Path
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("issues (-want +got):\n%s", diff)
	}
}

// Two keys are the same object if and only if their values are equal.
func TestUniqueKeyEquality(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		types   [2]string
		classes [][]string // keys that are equal, then others
	}{
		{"strings", [2]string{"string", "string"}, [][]string{
			{`"a","bc"`}, {`"ab","c"`}, {`"abc","a"`}, {`"bc","a"`}, {`"a","sb"`}, {`"as","b"`}, {`"s","ss"`}, {`"ss","s"`}, {`"a","Bc"`}, {`"a","bc "`}, {`"a\u0001","bc"`}, {`"a","\u0001bc"`},
			{`"é","x"`}, {`"e\u0301","x"`}, {`"1","1"`}, {`"1.0","1"`}, {`"ａ","bc"`}, {`"ß","x"`}, {`"ss","x"`}, {`"\u20ac","x"`, `"€","x"`},
		}},
		{"numbers", [2]string{"number", "integer"}, [][]string{
			{`1,1`, `1.0,1`, `1e0,1`, `10e-1,1.0`, `0.1e1,1`}, {`1,11`}, {`11,1`}, {`0,1`, `-0,1`, `0.0,1`, `0e5,1`}, {`-1,1`},
			{`0.1,1`, `0.10,1`, `1e-1,1`}, {`0.1000000000000000055511151231257827,1`}, {`9007199254740992,1`}, {`9007199254740993,1`, `9007199254740993.0,1`},
			{`18446744073709551616,1`, `1.8446744073709551616e19,1`}, {`18446744073709551617,1`}, {`1e300,1`, `10e299,1`}, {`1,9223372036854775807`}, {`1,9223372036854775806`},
		}},
		{"number and string", [2]string{"float", "string"}, [][]string{{`1,"1"`}, {`1,"11"`}, {`11,"1"`}, {`1,"s1"`}, {`1.5,"1"`}, {`1,"true"`}}},
		{"boolean and string", [2]string{"boolean", "string"}, [][]string{{`true,"1"`}, {`false,"1"`}, {`false,"\u0001"`}, {`true,"true"`}}},
		{"datetime and date", [2]string{"datetime", "date"}, [][]string{
			{`"2024-05-06T07:00:00Z","2024-05-06"`, `"2024-05-06T07:00:00","2024-05-06"`, `"2024-05-06T09:00:00+02:00","2024-05-06"`,
				`"2024-05-06t07:00:00.000z","2024-05-06"`, `"2024-05-05T23:30:00-07:30","2024-05-06"`,
				`"2024-05-06T07:00","2024-05-06"`, `"2024-05-06T07:00:00+0000","2024-05-06"`, `"2024-05-06T09:00+0200","2024-05-06"`},
			{`"2024-05-06T07:00:00.000000001Z","2024-05-06"`}, {`"2024-05-06T07:00:00Z","2024-05-07"`}, {`"2024-05-06T07:00:00+01:00","2024-05-06"`},
			{`"0001-01-01T00:00:00+23:59","0001-01-01"`}, {`"9999-12-31T23:59:59-23:59","9999-12-31"`},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{
				Schema:    storetest.Schema(t, fmt.Sprintf(`"a":{"type":%q},"b":{"type":%q}`, test.types[0], test.types[1])),
				UniqueKey: &bucketlite.UniqueKey{Fields: []string{"b", "a"}, DefaultPolicy: bucketlite.Insert}})
			key := func(values string) bucketlite.ObjectInput {
				var v []json.RawMessage
				if err := json.Unmarshal([]byte("["+values+"]"), &v); err != nil {
					t.Fatal(err)
				}
				return storetest.Input(t, fmt.Sprintf(`{"a":%s,"b":%s}`, v[0], v[1]))
			}
			ids := make(map[string]string)
			for _, class := range test.classes {
				o := storetest.Put(t, b, key(class[0]), "")
				ids[class[0]] = o.ID
				for _, same := range class[1:] {
					_, err := b.Put(t.Context(), key(same), nil)
					storetest.WantError(t, err, bucketlite.ErrExists)
					if got := conflictWith(t, err); got != o.ID {
						t.Errorf("%s: got existing id %q, want %q, that of %s", same, got, o.ID, class[0])
					}
				}
			}
			for _, class := range test.classes {
				for _, same := range class {
					o, err := b.ObjectByKey(t.Context(), key(same).Fields)
					if err != nil || o.ID != ids[class[0]] {
						t.Errorf("%s: got %v, %v, want object %q", same, o, err, ids[class[0]])
					}
				}
			}
		})
	}
}

// The values of a key may be of any Go types.
func TestObjectByKeyGoValues(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"s":{"type":"string"},"n":{"type":"number"},"t":{"type":"datetime"}`),
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"s", "n", "t"}, DefaultPolicy: bucketlite.Insert}})
	at, text := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), "x"
	o := storetest.Put(t, b, storetest.Input(t, `{"s":"x","n":5,"t":"2024-05-06T07:08:09Z"}`), "")
	for _, key := range []map[string]any{
		{"s": "x", "n": 5, "t": at},
		{"s": named("x"), "n": 5.0, "t": at.In(time.FixedZone("", 3600))},
		{"s": &text, "n": json.Number("5.0"), "t": &at},
		{"s": json.RawMessage(`"x"`), "n": level(5), "t": "2024-05-06T07:08:09"},
	} {
		got, err := b.ObjectByKey(t.Context(), key)
		if err != nil || got.ID != o.ID {
			t.Errorf("%v: got %v, %v, want object %q", key, got, err, o.ID)
		}
		key["s"] = named("other")
		_, err = b.ObjectByKey(t.Context(), key)
		storetest.WantError(t, err, bucketlite.ErrNotFound)
	}
	_, err := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{}).ObjectByKey(t.Context(), map[string]any{"s": "x"})
	storetest.WantError(t, err, bucketlite.ErrBadRequest)
}

// Every policy, of the call or of the bucket, with the key free and taken.
func TestPolicies(t *testing.T) {
	t.Parallel()
	const none, unknown = bucketlite.Policy(""), bucketlite.Policy("replace")
	policies := []bucketlite.Policy{none, bucketlite.Insert, bucketlite.Update, bucketlite.Upsert, unknown}
	for _, byDefault := range policies[:4] {
		for _, asked := range policies {
			t.Run(fmt.Sprintf("default=%s/asked=%s", byDefault, asked), func(t *testing.T) {
				t.Parallel()
				b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"k":{"type":"string"}`),
					UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: byDefault}})
				old := storetest.Put(t, b, storetest.Input(t, `{"k":"taken","old":true}`), bucketlite.Insert)
				before := storetest.Snapshot(t, b)
				opts := &bucketlite.PutOptions{Policy: asked}
				policy := asked
				if policy == none {
					policy, opts = byDefault, nil
				}
				free, errFree := b.Put(t.Context(), storetest.Input(t, `{"k":"free"}`), opts)
				taken, errTaken := b.Put(t.Context(), storetest.Input(t, `{"k":"taken","new":true}`), opts)
				switch policy {
				case none, unknown:
					storetest.WantError(t, errFree, bucketlite.ErrBadRequest)
					storetest.WantError(t, errTaken, bucketlite.ErrBadRequest)
					_, err := b.PutMany(t.Context(), []bucketlite.ObjectInput{storetest.Input(t, `{"k":"free"}`)}, &bucketlite.PutManyOptions{Policy: asked})
					storetest.WantError(t, err, bucketlite.ErrBadRequest)
					storetest.WantSnapshot(t, b, before)
					return
				case bucketlite.Update:
					storetest.WantError(t, errFree, bucketlite.ErrNotFound)
				default:
					if errFree != nil || !free.Created {
						t.Errorf("free: got %v, %v, want it created", free, errFree)
					}
				}
				if policy == bucketlite.Insert {
					storetest.WantError(t, errTaken, bucketlite.ErrExists)
					if got := conflictWith(t, errTaken); got != old.ID {
						t.Errorf("got existing id %q, want %q", got, old.ID)
					}
					return
				}
				if errTaken != nil || taken.Created || taken.Object.ID != old.ID {
					t.Fatalf("taken: got %v, %v, want %q replaced", taken, errTaken, old.ID)
				}
				storetest.WantFields(t, taken.Object, `{"k":"taken","new":true}`)
			})
		}
	}
	t.Run("without a unique key", func(t *testing.T) {
		t.Parallel()
		b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{})
		for _, policy := range policies {
			res, err := b.Put(t.Context(), bucketlite.ObjectInput{}, &bucketlite.PutOptions{Policy: policy})
			if err != nil || !res.Created {
				t.Errorf("%q: got %v, %v, want it created", policy, res, err)
			}
		}
	})
}
