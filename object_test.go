package bucketlite_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// An object's JSON form is the hosted service's ObjectResponse, flat.
func TestObjectJSON(t *testing.T) {
	t.Parallel()
	b := mediaBucket(t, clock())
	in := storetest.Input(t, `{"object_id":"one","key_prefix":"a/b","n":1.10,"free":{"x":null,"y":"<&>"},"blobs":[
		{"property":"image","key_prefix":"c","data":{"url":"https://example.com/a.png","filename":"a.png"},"metadata":{"author":"me"}},
		{"property":"notes","data":"inline"},{"property":"text","data":"data:,stored"}]}`)
	o := storetest.Put(t, b, in, "")
	want := `{"object_id":"one","bucket_id":"` + b.ID() + `","key_prefix":"a/b","status":"DRAFT","n":1.10,"free":{"x":null,"y":"<&>"},
		"created_at":"` + o.CreatedAt.Format(time.RFC3339Nano) + `","updated_at":"` + o.UpdatedAt.Format(time.RFC3339Nano) + `","blobs":[
		{"blob_id":"` + o.Blobs[0].ID + `","property":"image","key_prefix":"c","type":"image","properties":{"author":"me","url":"https://example.com/a.png"},"details":{"filename":"a.png"}},
		{"blob_id":"` + o.Blobs[1].ID + `","property":"notes","type":"text","properties":{"data":"inline"},"details":{"mime_type":"text/plain","size_bytes":6}},
		{"blob_id":"` + o.Blobs[2].ID + `","property":"text","type":"text","properties":{},"details":{"mime_type":"text/plain","size_bytes":6,"hash":"` + o.Blobs[2].Details.Hash + `"}}]}`
	if diff := cmp.Diff(compact(t, want), compact(t, toJSON(t, o))); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	o = storetest.Put(t, b, bucketlite.ObjectInput{ID: "two"}, "")
	want = `{"object_id":"two","bucket_id":"` + b.ID() + `","status":"DRAFT","created_at":"` + o.CreatedAt.Format(time.RFC3339Nano) +
		`","updated_at":"` + o.UpdatedAt.Format(time.RFC3339Nano) + `","blobs":[]}`
	if diff := cmp.Diff(compact(t, want), compact(t, toJSON(t, o))); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	o.Fields["n"] = func() {}
	if _, err := json.Marshal(o); err == nil {
		t.Error("a field without a JSON form: got no error, want one")
	}
}

func TestObjectInputJSON(t *testing.T) {
	t.Parallel()
	var in bucketlite.ObjectInput
	const text = `{"object_id":"one","key_prefix":"a","blobs":[{"property":"p","type":"IMAGE","key_prefix":"k","data":{"base64":"eA=="},"metadata":{"n":1.0}},{"property":"q","upload_id":"upl_1"}],
		"status":"DRAFT","skip_duplicates":true,"canonicalize_source":false,"force_remirror":true,"n":1.10,"x":null}`
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		t.Fatal(err)
	}
	want := bucketlite.ObjectInput{ID: "one", KeyPrefix: "a",
		Fields:         map[string]any{"n": json.Number("1.10"), "x": nil, "status": "DRAFT"},
		SkipDuplicates: true, KeepReference: true, Refetch: true,
		Blobs: []bucketlite.BlobInput{
			{Property: "p", Type: "IMAGE", KeyPrefix: "k", Data: map[string]any{"base64": "eA=="}, Metadata: map[string]any{"n": json.Number("1.0")}},
			{Property: "q", UploadID: "upl_1"},
		}}
	if diff := cmp.Diff(want, in); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
	var blob bucketlite.BlobInput
	if err := json.Unmarshal([]byte(`{"property":"p","data":[1.0]}`), &blob); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bucketlite.BlobInput{Property: "p", Data: []any{json.Number("1.0")}}, blob); diff != "" {
		t.Errorf("blob (-want +got):\n%s", diff)
	}
	// Null is absent; an empty list of blobs is a list.
	for text, want := range map[string]bucketlite.ObjectInput{
		`{"object_id":null,"key_prefix":null,"blobs":null}`: {Fields: map[string]any{}},
		`{"blobs":[]}`: {Fields: map[string]any{}, Blobs: []bucketlite.BlobInput{}},
		`{"blobs":[{"property":null,"type":null,"key_prefix":null,"data":null,"upload_id":null,"metadata":null}]}`: {Fields: map[string]any{}, Blobs: []bucketlite.BlobInput{{}}},
	} {
		if diff := cmp.Diff(want, storetest.Input(t, text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// JSON text that is refused before a bucket sees it.
func TestHostileJSON(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000)
	tests := []struct{ name, text, path, rule string }{
		{"nothing", ``, "", "json"},
		{"blank", " \n", "", "json"},
		{"a list", `[]`, "", "type"},
		{"a string", `"x"`, "", "type"},
		{"null", `null`, "", "type"},
		{"cut short", `{"a":[1,`, "a[1]", "json"},
		{"more text", `{} x`, "", "json"},
		{"two values", `{}{}`, "", "json"},
		{"a trailing comma", `{"a":[1,]}`, "a[1]", "json"},
		{"a comment", `{"a":1/**/}`, "", "json"},
		{"single quotes", `{'a':1}`, "", "json"},
		{"a byte order mark in the middle", "{\ufeff}", "", "json"},
		{"a control character", "{\"a\":\"\n\"}", "a", "json"},
		{"an unknown escape", `{"a":"\x41"}`, "a", "json"},
		{"NaN", `{"a":NaN}`, "a", "json"},
		{"a leading zero", `{"a":01}`, "", "json"},
		{"a plus", `{"a":+1}`, "a", "json"},
		{"no digits before the point", `{"a":.5}`, "a", "json"},

		{"invalid UTF-8", "{\"a\":{\"b\":[\"x\xff\"]}}", "a.b[0]", "utf8"},
		{"overlong UTF-8", "{\"a\":\"\xc0\x80\"}", "a", "utf8"},
		{"a surrogate as UTF-8", "{\"a\":\"\xed\xa0\x80\"}", "a", "utf8"},
		{"invalid UTF-8 in a name", "{\"\xff\":1}", `["\xff"]`, "utf8"},
		{"invalid UTF-8 in a blob", "{\"blobs\":[{\"data\":\"\xff\"}]}", "blobs[0].data", "utf8"},
		{"UTF-16 without a byte order mark", "{\x00}\x00", "", "json"},
		{"half a character of UTF-16", "\xFF\xFE{\x00}", "", "utf8"},
		{"a high surrogate", `{"a":"\ud800"}`, "a", "surrogate"},
		{"a low surrogate", `{"a":"\udc00x"}`, "a", "surrogate"},
		{"surrogates the wrong way round", `{"a":"\udc00\ud800"}`, "a", "surrogate"},
		{"a surrogate in a name", `{"a":{"\ud800":1}}`, "a.\ufffd", "surrogate"},
		{"NUL", `{"a":["\u0000"]}`, "a[0]", "nul"},
		{"NUL in a name", `{"a\u0000b":1}`, `["a\x00b"]`, "nul"},
		{"NUL in an id", `{"object_id":"a\u0000"}`, "object_id", "nul"},

		{"a member twice", `{"a":1,"b":2,"a":1}`, "a", "duplicate"},
		{"a member twice, once escaped", `{"a":1,"\u0061":1}`, "a", "duplicate"},
		{"a member twice, below", `{"x":[{"a":null,"a":null}]}`, "x[0].a", "duplicate"},
		{"blobs twice", `{"blobs":[],"blobs":[]}`, "blobs", "duplicate"},
		{"a member of a blob twice", `{"blobs":[{"data":"x","data":"y"}]}`, "blobs[0].data", "duplicate"},

		{"a huge number", `{"a":1e999999}`, "a", "number"},
		{"a huge negative number", `{"a":[-1e999999]}`, "a[0]", "number"},
		{"a tiny number", `{"a":1e-999999}`, "a", "number"},
		{"just beyond a float", `{"a":1.8e308}`, "a", "number"},
		{"an exponent of many digits", `{"a":1e` + strings.Repeat("9", 500) + `}`, "a", "number"},
		{"a number of 2000 digits", `{"a":` + strings.Repeat("1", 2000) + `}`, "a", "number"},
		{"10,000 deep", deep, strings.TrimSuffix(strings.Repeat("a.", 104), "."), "depth"},

		{"an id that is a number", `{"object_id":5}`, "object_id", "type"},
		{"a key prefix that is a list", `{"key_prefix":[]}`, "key_prefix", "type"},
		{"blobs that are an object", `{"blobs":{}}`, "blobs", "type"},
		{"a blob that is a string", `{"blobs":["s3://a"]}`, "blobs[0]", "type"},
		{"a null blob", `{"blobs":[{"property":"a","data":"x"},null]}`, "blobs[1]", "type"},
		{"a property that is a number", `{"blobs":[{"property":5}]}`, "blobs[0].property", "type"},
		{"an upload id that is a number", `{"blobs":[{"upload_id":5}]}`, "blobs[0].upload_id", "type"},
		{"metadata that is a list", `{"blobs":[{"metadata":[]}]}`, "blobs[0].metadata", "type"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var in bucketlite.ObjectInput
			storetest.WantIssues(t, in.UnmarshalJSON([]byte(test.text)), map[string]string{test.path: test.rule})
			if test.rule == "json" || test.path == "" {
				return
			}
			// encoding/json lets the rest through to us, and so does a raw message.
			storetest.WantIssues(t, json.Unmarshal([]byte(test.text), &in), map[string]string{test.path: test.rule})
		})
	}
}

// Values of the same kinds, given in Go.
func TestHostileGoValues(t *testing.T) {
	t.Parallel()
	var deep any = 1
	for range 10_000 {
		deep = map[string]any{"a": deep}
	}
	loop := map[string]any{}
	loop["a"] = loop
	tests := []struct {
		name   string
		fields map[string]any
		path   string
		rule   string
	}{
		{"invalid UTF-8", map[string]any{"a": []any{"x\xff"}}, "a[0]", "utf8"},
		{"a surrogate", map[string]any{"a": "\xed\xa0\x80"}, "a", "utf8"},
		{"invalid UTF-8 in a name", map[string]any{"\xff": 1}, `["\xff"]`, "utf8"},
		{"invalid UTF-8 in strings", map[string]any{"a": []string{"\xff"}}, "a[0]", "utf8"},
		{"NUL", map[string]any{"a": "\x00"}, "a", "nul"},
		{"NUL in a name", map[string]any{"a": map[string]int{"\x00": 1}}, `a["\x00"]`, "nul"},
		{"a huge number", map[string]any{"a": json.Number("1e999999")}, "a", "number"},
		{"no number", map[string]any{"a": json.Number("")}, "a", "number"},
		{"10,000 deep", deep.(map[string]any), strings.TrimSuffix(strings.Repeat("a.", 100), "."), "depth"},
		{"without end", loop, strings.TrimSuffix(strings.Repeat("a.", 100), "."), "depth"},
		{"raw JSON with a member twice", map[string]any{"a": json.RawMessage(`{"b":1,"b":1}`)}, "a.b", "duplicate"},
		{"raw JSON with a surrogate", map[string]any{"a": json.RawMessage(`["\ud800"]`)}, "a[0]", "surrogate"},
		{"raw JSON with a huge number", map[string]any{"a": json.RawMessage(`1e999999`)}, "a", "number"},
	}
	b := mediaBucket(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			wantRefused(t, b, bucketlite.ObjectInput{Fields: test.fields}, map[string]string{test.path: test.rule})
		})
	}
}

// Inputs that are too large are refused quickly, and before they cost anything.
func TestTooLarge(t *testing.T) { // not in parallel: it measures time
	b := mediaBucket(t)
	large := strings.Repeat("x", 50<<20)
	text := storetest.Input(t, `{"a":"`+large+`"}`)
	start := time.Now()
	wantRefused(t, b, text, map[string]string{"a": "size"})
	wantRefused(t, b, bucketlite.ObjectInput{Fields: map[string]any{"a": large}}, map[string]string{"a": "size"})
	wantRefused(t, b, bucketlite.ObjectInput{KeyPrefix: large}, map[string]string{"key_prefix": "size"})
	wantRefused(t, b, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "text", Data: large}}}, map[string]string{"blobs[0].data": "size"})
	wantRefused(t, b, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "image", Data: "s3://a", Metadata: map[string]any{"a": large}}}}, map[string]string{"blobs[0].metadata.a": "size"})
	storetest.WantIssues(t, new(bucketlite.ObjectInput).UnmarshalJSON(make([]byte, 256<<20+1)), map[string]string{"": "size"})
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v, want less than 2 s", took)
	}

	small := mediaBucket(t, &bucketlite.Options{MaxObjectBytes: 100})
	storetest.Put(t, small, storetest.Input(t, `{"a":"`+strings.Repeat("x", 100-len(`{"a":""}`))+`"}`), "")
	wantRefused(t, small, storetest.Input(t, `{"a":"`+strings.Repeat("x", 101)+`"}`), map[string]string{"a": "size"})
	o := storetest.Put(t, small, storetest.Input(t, `{"a":"x"}`), "")
	before := storetest.Snapshot(t, small)
	for _, in := range []bucketlite.ObjectInput{
		storetest.Input(t, `{"a":"`+strings.Repeat("x", 101-len(`{"a":""}`))+`"}`),
		storetest.Input(t, `{"a":"`+strings.Repeat(`\u0001`, 40)+`"}`), // escaped it is longer
	} {
		_, err := small.Put(t.Context(), in, nil)
		storetest.WantError(t, err, bucketlite.ErrTooLarge)
		_, err = small.Patch(t.Context(), o.ID, in, nil)
		storetest.WantError(t, err, bucketlite.ErrTooLarge)
	}
	storetest.WantSnapshot(t, small, before)
}

// Numbers come back digit by digit, from wherever they were.
func TestNumbersKeepPrecision(t *testing.T) {
	t.Parallel()
	b := mediaBucket(t)
	for _, n := range strings.Fields(`0 -0 -0.0 1.10 0.1 1e2 1E+2 1e-7 100 9007199254740993 9223372036854775808 18446744073709551616
		123456789012345678901234567890.123456789012345678901234567890 1.7976931348623157e308 5e-324 0.000000000000000000000000000001 0e999`) {
		text := `{"n":` + n + `,"free":{"deep":[` + n + `]},"blobs":[{"property":"o","data":{"x":` + n + `},"metadata":{"y":` + n + `}}]}`
		o := storetest.Put(t, b, storetest.Input(t, text), "")
		storetest.WantFields(t, o, `{"n":`+n+`,"free":{"deep":[`+n+`]}}`)
		if data := o.Blobs[0].Properties["data"].(map[string]any); data["x"] != json.Number(n) || o.Blobs[0].Properties["y"] != json.Number(n) {
			t.Errorf("got %v in a blob, want %s", o.Blobs[0].Properties, n)
		}
		out := toJSON(t, o)
		for _, want := range []string{`"n":` + n + `,`, `"deep":[` + n + `]`, `"x":` + n + `}`, `"y":` + n + `}`} {
			if !strings.Contains(out, want) {
				t.Errorf("got %s, want it to contain %s", out, want)
			}
		}
	}
}

// Values may nest 100 deep, inline ones too, and come back as JSON.
func TestNesting(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"free":{"type":"object"}`)})
	nested := func(n int) (v any) {
		v = "x"
		for range n {
			v = map[string]any{"a": v}
		}
		return v
	}
	o := storetest.Put(t, b, bucketlite.ObjectInput{Fields: nested(100).(map[string]any), Blobs: []bucketlite.BlobInput{
		{Property: "free", Data: nested(100), Metadata: nested(100).(map[string]any)},
	}}, "")
	var in bucketlite.ObjectInput
	if err := json.Unmarshal([]byte(toJSON(t, o)), &in); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Patch(t.Context(), o.ID, in, nil); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

// Members that are the system's are ignored if they are null or equal to what is
// stored, and refused otherwise.
func TestReservedMembers(t *testing.T) {
	t.Parallel()
	b := keyed(t, storetest.OpenMemory(t, clock()), `,"image":{"type":"image"}`)
	in := storetest.Input(t, `{"object_id":"one","key_prefix":"a","k":"x","blobs":[{"property":"image","data":"s3://a"}]}`)
	o := storetest.Put(t, b, in, "")
	created := o.CreatedAt.Format(time.RFC3339Nano)
	ignored := map[string]any{
		"object_id": "one", "bucket_id": b.ID(), "key_prefix": "a", "status": "DRAFT", "created_at": created, "error": nil,
		"source_details": []any{}, "skip_duplicates": true, "canonicalize_source": false, "force_remirror": true,
	}
	for name, v := range ignored {
		for _, v := range []any{v, nil} {
			in := bucketlite.ObjectInput{Fields: map[string]any{"k": "x", name: v}}
			storetest.WantFields(t, storetest.Put(t, b, in, ""), `{"k":"x"}`)
			o, err := b.Patch(t.Context(), o.ID, in, nil)
			if err != nil {
				t.Errorf("patch with %s: got %v, want no error", name, err)
				continue
			}
			storetest.WantFields(t, o, `{"k":"x"}`)
		}
	}
	refused := map[string]any{
		"object_id": "two", "bucket_id": "bkt_x", "key_prefix": "b", "status": "draft", "error": "x", "created_at": "2024-05-06", "updated_at": created,
		"blobs": []any{}, "source_details": []any{1}, "skip_duplicates": "yes", "canonicalize_source": 1, "force_remirror": []any{},
		"AND": true, "OR": []any{}, "NOT": 1, "case_sensitive": false,
	}
	before := storetest.Snapshot(t, b)
	all := map[string]any{"k": "x"}
	want := make(map[string]string)
	for name, v := range refused {
		in := bucketlite.ObjectInput{Fields: map[string]any{"k": "x", name: v}}
		_, err := b.Put(t.Context(), in, nil)
		storetest.WantIssues(t, err, map[string]string{name: "reserved"})
		_, err = b.Patch(t.Context(), o.ID, in, nil)
		storetest.WantIssues(t, err, map[string]string{name: "reserved"})
		all[name], want[name] = v, "reserved"
	}
	_, err := b.Put(t.Context(), bucketlite.ObjectInput{Fields: all}, nil)
	storetest.WantIssues(t, err, want)
	// Of an object that is yet to be created nothing is stored.
	_, err = b.Put(t.Context(), bucketlite.ObjectInput{Fields: map[string]any{"k": "new", "created_at": created, "status": "DRAFT", "updated_at": nil}}, nil)
	storetest.WantIssues(t, err, map[string]string{"created_at": "reserved"})
	storetest.WantSnapshot(t, b, before)
	storetest.WantFields(t, storetest.Put(t, b, storetest.Input(t, `{"k":"new","status":"DRAFT","bucket_id":"`+b.ID()+`","created_at":null,"source_details":[]}`), ""), `{"k":"new"}`)
}

// An object that was read as JSON can be written back as it is, or with other
// fields; its blobs are kept.
func TestObjectRoundTrip(t *testing.T) {
	t.Parallel()
	b := keyed(t, storetest.OpenMemory(t), `,"n":{"type":"number"},"text":{"type":"text"},"image":{"type":"image"},"photos":{"type":"array","items":{"type":"image"}}`)
	objects := []string{
		`{"k":"fields","n":1.10,"free":{"a":[null,"<>"]},"text":"root"}`,
		`{"k":"blobs","free":1,"key_prefix":"a/b","blobs":[{"property":"image","data":{"url":"s3://a","filename":"a.png"},"metadata":{"n":1.0,"x":null}},
			{"property":"n","data":1.10},{"property":"photos","data":"s3://1"},{"property":"photos","data":"s3://2"},{"property":"text","data":"data:,stored"}]}`,
	}
	read := func(t *testing.T, o *bucketlite.Object, replacements ...string) (in bucketlite.ObjectInput) {
		t.Helper()
		text := strings.NewReplacer(replacements...).Replace(toJSON(t, o))
		if err := json.Unmarshal([]byte(text), &in); err != nil {
			t.Fatal(err)
		}
		return in
	}
	writes := map[string]func(string, bucketlite.ObjectInput) (*bucketlite.Object, error){
		"patch": func(id string, in bucketlite.ObjectInput) (*bucketlite.Object, error) {
			return b.Patch(t.Context(), id, in, nil)
		},
	}
	for _, policy := range []bucketlite.Policy{bucketlite.Update, bucketlite.Upsert} {
		writes[string(policy)] = func(_ string, in bucketlite.ObjectInput) (*bucketlite.Object, error) {
			res, err := b.Put(t.Context(), in, &bucketlite.PutOptions{Policy: policy})
			if err != nil {
				return nil, err
			}
			return res.Object, nil
		}
	}
	for _, text := range objects {
		for name, write := range writes {
			o := storetest.Put(t, b, storetest.Input(t, text), "")
			for _, free := range []any{o.Fields["free"], "other"} {
				in := read(t, o)
				in.Fields["free"] = free
				got, err := write(o.ID, in)
				if err != nil {
					t.Fatalf("%s: got %v, want no error", name, err)
				}
				o.Fields["free"], o.UpdatedAt, o.Version, o.Size = free, got.UpdatedAt, got.Version, got.Size
				if diff := cmp.Diff(compact(t, toJSON(t, o)), compact(t, toJSON(t, got))); diff != "" {
					t.Errorf("%s: object (-before +after):\n%s", name, diff)
				}
				o = got
			}
			// Generated clients add a null for what is not there.
			in := read(t, o, `"type":`, `"key_prefix":null,"type":`, `"details":{}`, `"details":{"hash":null}`, `"object_id"`, `"source_details":null,"error":null,"object_id"`)
			if _, err := write(o.ID, in); err != nil {
				t.Errorf("%s: got %v, want no error", name, err)
			}
		}
	}
	o := storetest.Put(t, b, storetest.Input(t, objects[1]), "")
	before := storetest.Snapshot(t, b)
	for name, change := range map[string][]string{
		"url": {"s3://1", "s3://3"}, "id": {o.Blobs[0].ID, o.Blobs[1].ID}, "metadata": {`"n":1.0`, `"n":1.5`},
		"size": {`"size_bytes":6`, `"size_bytes":7`}, "order": {"s3://1", "s3://2", "s3://2", "s3://1"}, "type": {`"type":"image"`, `"type":"video"`},
	} {
		for op, write := range writes {
			_, err := write(o.ID, read(t, o, change...))
			storetest.WantIssues(t, err, map[string]string{"blobs": "reserved"})
			if t.Failed() {
				t.Fatalf("%s of blobs with another %s", op, name)
			}
		}
	}
	storetest.WantSnapshot(t, b, before)
}

// Any text is either refused with ErrInvalid or ErrTooLarge, or stored as it was given.
func FuzzPut(f *testing.F) {
	for _, text := range []string{
		`{}`, `null`, `[]`, `{"a":1e999999}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}", `{"a":1,"a":2}`, `{"s":null,"u":null,"o":{"a":null,"b":null}}`,
		`{"s":"x","n":1.10,"i":5.0,"b":true,"d":"2024-05-06","t":"2024-05-06T07:08:09Z","o":{"a":1},"l":[1,2],"text":"hello","free":{"x":[null,{"":-0.0}]}}`,
		`{"object_id":"one","key_prefix":"a","status":"DRAFT","blobs":[{"property":"image","type":"IMAGE","data":"s3://a","metadata":{"a":1}}]}`,
		`{"blobs":[{"property":"text","data":"data:,a%20b"},{"property":"o","data":{"a":1}},{"property":"image","data":{"base64":"R0lGODlh","mime_type":"image/gif"}}]}`,
		`{"blobs":[{"property":"l","data":[1]},{"property":"l","upload_id":"upl_1"}],"image":"x"}`,
		`{"blobs":[{"blob_id":"blob_1","property":"image","properties":{},"details":{}}],"created_at":"2024-05-06T07:08:09Z"}`,
	} {
		f.Add([]byte(text))
	}
	b := storetest.Bucket(f, storetest.OpenMemory(f), bucketlite.BucketConfig{Schema: storetest.Schema(f, `"s":{"type":"string","maxLength":20,"pattern":"^[^z]*$"},"n":{"type":"number","multipleOf":0.01},
		"i":{"type":"integer","enum":[1,5]},"b":{"type":"boolean"},"d":{"type":"date"},"t":{"type":"datetime"},"text":{"type":"text"},"image":{"type":"image"},
		"o":{"type":"object","properties":{"a":{"type":"integer"}}},"l":{"type":"array","items":{"type":"integer"},"uniqueItems":true}`)})
	declared := []string{"s", "n", "i", "b", "d", "t", "text", "image", "o", "l"}
	wantKnown := func(t *testing.T, err error, known ...error) {
		for _, known := range append(known, bucketlite.ErrInvalid, bucketlite.ErrTooLarge) {
			if errors.Is(err, known) {
				return
			}
		}
		t.Fatalf("got %v, want ErrInvalid or ErrTooLarge", err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var in bucketlite.ObjectInput
		if err := in.UnmarshalJSON(text); err != nil {
			wantKnown(t, err)
			return
		}
		res, err := b.Put(t.Context(), in, nil)
		if err != nil {
			if bytes.Contains(text, []byte("upload")) {
				wantKnown(t, err, bucketlite.ErrNotFound)
			} else {
				wantKnown(t, err)
			}
			return
		}
		o := res.Object
		want := make(map[string]any)
		for name, v := range in.Fields {
			if o, ok := v.(map[string]any); ok && name == "o" && o["a"] == nil {
				delete(o, "a")
			}
			if v != nil || !slices.Contains(declared, name) {
				want[name] = v
			}
		}
		for _, name := range strings.Fields("bucket_id status error created_at updated_at blobs source_details skip_duplicates canonicalize_source force_remirror AND OR NOT case_sensitive") {
			delete(want, name)
		}
		if diff := cmp.Diff(want, o.Fields); diff != "" {
			t.Errorf("fields (-want +got):\n%s", diff)
		}
		if err := json.Unmarshal([]byte(toJSON(t, o)), &in); err != nil {
			t.Errorf("back from JSON: got %v, want no error", err)
		}
		if _, err := b.Patch(t.Context(), o.ID, in, nil); err != nil {
			t.Errorf("patched with itself: got %v, want no error", err)
		}
		if err := b.DeleteObject(t.Context(), o.ID, nil); err != nil {
			t.Errorf("deleted: got %v, want no error", err)
		}
		if s, err := b.Stats(t.Context()); err != nil || s.ObjectCount != 0 || s.TotalSize != 0 {
			t.Errorf("got statistics %+v, %v, want zeros", s, err)
		}
	})
}
