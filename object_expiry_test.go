package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// expirySteps are calls on one object, in order, and the time at which it expires after
// each, as an offset from the clock.
var expirySteps = []struct {
	name    string
	put     bool
	input   string // JSON; a field more with each call
	expires time.Duration
	refused string // part of the message; "" if the call succeeds
}{
	{name: "put without a time", put: true, input: `{}`},
	{name: "put with a time", put: true, input: `{"x-expires-at": "2024-05-06T08:08:09.123456Z"}`, expires: time.Hour},
	{name: "patch without a time", input: `{}`, expires: time.Hour},
	{name: "patch with null", input: `{"x-expires-at": null}`, expires: time.Hour},
	{name: "patch with a time of another zone", input: `{"x-expires-at": "2024-05-06T12:08:09.123456+02:00"}`, expires: 3 * time.Hour},
	{name: "patch with a past time", input: `{"x-expires-at": "2024-05-06T07:08:09.123456Z"}`, expires: 3 * time.Hour, refused: "x-expires-at: a time in the future expected"},
	{name: "patch with no time", input: `{"x-expires-at": "tomorrow"}`, expires: 3 * time.Hour, refused: `x-expires-at: an RFC 3339 time or "never" expected`},
	{name: "patch with a number", input: `{"x-expires-at": 5}`, expires: 3 * time.Hour, refused: "x-expires-at: string expected"},
	{name: "patch with never", input: `{"x-expires-at": "never"}`},
	{name: "patch with a time again", input: `{"x-expires-at": "2024-05-06T08:08:09.123456Z"}`, expires: time.Hour},
	{name: "put without a time again", put: true, input: `{}`},
}

// The time at which an object expires is that of the last call that has set it.
func TestExpiresAt(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clock := storetest.NewManualClock()
	st := storetest.Open(t, bucketlite.WithoutBackground(bucketlite.Options{Now: clock.Now}))
	b := storetest.Bucket(t, st, storetest.ItemsConfig("items"))
	version := int64(0)
	for _, step := range expirySteps {
		var in bucketlite.ObjectInput
		err := in.UnmarshalJSON([]byte(step.input))
		if err == nil {
			in.Fields["k"] = "a"
			if step.put {
				_, err = b.Put(ctx, in, &bucketlite.PutOptions{Policy: bucketlite.Upsert})
			} else {
				delete(in.Fields, "k")
				_, err = b.Patch(ctx, itemA(t, b).ID, in, nil)
			}
		}
		if step.refused == "" && err != nil || step.refused != "" && (!errors.Is(err, bucketlite.ErrInvalid) || !strings.Contains(err.Error(), step.refused)) {
			t.Fatalf("%s: got error %v, want %q", step.name, err, step.refused)
		}
		o := itemA(t, b)
		want := time.Time{}
		if step.expires != 0 {
			want = clock.Add(0).Add(step.expires)
		}
		if !o.ExpiresAt.Equal(want) {
			t.Errorf("%s: got %s, want %s", step.name, o.ExpiresAt, want)
		}
		if step.refused == "" && o.Version <= version {
			t.Errorf("%s: got version %d after %d, want a higher one", step.name, o.Version, version)
		}
		version = o.Version
		wantExpiryInForms(t, b, o)
	}
	storetest.WantNoProblem(t, st)
}

// itemA returns the item with the key "a".
func itemA(t *testing.T, b *bucketlite.Bucket) *bucketlite.Object {
	t.Helper()
	o, err := b.ObjectByKey(context.Background(), map[string]any{"k": "a"})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// wantExpiryInForms fails unless both JSON forms of an object hold its time, if it has one,
// and lead to the same time when they are put again.
func wantExpiryInForms(t *testing.T, b *bucketlite.Bucket, o *bucketlite.Object) {
	t.Helper()
	form, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	page, err := b.ListRaw(context.Background(), bucketlite.Query{})
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := json.Marshal(page.Results[0]); err != nil || string(raw) != string(form) {
		t.Errorf("raw form: got %s, %v, want %s", raw, err, form)
	}
	if got := strings.Contains(string(form), "x-expires-at"); got == o.ExpiresAt.IsZero() {
		t.Errorf("form: got %s, want the time %s", form, o.ExpiresAt)
	}
	var in bucketlite.ObjectInput
	if err := in.UnmarshalJSON(form); err != nil || !in.ExpiresAt.Equal(o.ExpiresAt) {
		t.Errorf("input: got %s, %v, want %s", in.ExpiresAt, err, o.ExpiresAt)
	}
}

// A time that excludes itself, and one that no file can hold, are refused.
func TestExpiresAtRefused(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{})
	for name, in := range map[string]bucketlite.ObjectInput{
		"a time and never":  {ExpiresAt: time.Now().Add(time.Hour), NeverExpires: true},
		"the year 10000":    {ExpiresAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"now":               {ExpiresAt: time.Now()},
		"the start of time": {ExpiresAt: time.Unix(0, 0)},
	} {
		if _, err := b.Put(context.Background(), in, nil); !errors.Is(err, bucketlite.ErrInvalid) {
			t.Errorf("%s: got error %v, want ErrInvalid", name, err)
		}
	}
}

// Objects can be found and sorted by the time at which they expire.
func TestQueryExpiresAt(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{})
	soon := time.Now().Add(time.Hour)
	for id, at := range map[string]time.Time{"late": soon.Add(time.Hour), "soon": soon, "never": {}} {
		if _, err := b.Put(ctx, bucketlite.ObjectInput{ID: id, ExpiresAt: at}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for want, q := range map[string]bucketlite.Query{
		"soon":      {Filter: bucketlite.Lte("x-expires-at", soon.UTC().Format(time.RFC3339Nano))},
		"never":     {Filter: bucketlite.IsNull("x-expires-at")},
		"soon late": {Filter: bucketlite.Not(bucketlite.IsNull("x-expires-at")), Sort: []bucketlite.Sort{bucketlite.Asc("x-expires-at")}},
	} {
		page, err := b.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, o := range page.Results {
			ids = append(ids, o.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%+v: got %q, want %q", q, got, want)
		}
	}
}
