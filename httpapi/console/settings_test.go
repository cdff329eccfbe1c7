package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// TestLifecycle shows which steps each state offers, and what each leads to.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	states := map[string]func(*bucketlite.Bucket) error{
		"active":    func(*bucketlite.Bucket) error { return nil },
		"archived":  func(b *bucketlite.Bucket) error { return b.Archive(ctx) },
		"suspended": func(b *bucketlite.Bucket) error { return b.Suspend(ctx) },
		"locked":    func(b *bucketlite.Bucket) error { return b.Lock(ctx) },
	}
	steps := []string{"unlock", "activate", "lock", "archive", "suspend", "delete"}
	for _, tt := range []struct {
		state string
		to    map[string]string // the state after each step that is offered
	}{
		{"active", map[string]string{"lock": "locked", "archive": "archived", "suspend": "suspended", "delete": ""}},
		{"archived", map[string]string{"lock": "locked", "activate": "active", "delete": ""}},
		{"suspended", map[string]string{"lock": "locked", "activate": "active", "archive": "archived", "delete": ""}},
		{"locked", map[string]string{"unlock": "active"}},
	} {
		t.Run(tt.state, func(t *testing.T) {
			t.Parallel()
			s := serve(t, nil)
			b := s.browser(t, allKey)
			for _, step := range steps {
				at, buckets := s.place(t, "for "+step, "lamps")
				if err := states[tt.state](buckets[0]); err != nil {
					t.Fatal(err)
				}
				path := at + "b/" + buckets[0].ID() + "/settings"
				page := b.get(path).wants(http.StatusOK)
				button := `name="do" value="` + step + `"`
				want, offered := tt.to[step]
				if got := strings.Contains(page.text, button); got != offered {
					t.Errorf("%s: offered: got %v, want %v", step, got, offered)
				}
				if !offered {
					continue
				}
				got := b.post(path, url.Values{"do": {step}, "confirm": {"lamps"}})
				if step == "delete" {
					got.wants(http.StatusSeeOther, at+"?done=bucket-deleted")
					continue
				}
				got.wants(http.StatusSeeOther, "done=bucket-"+step)
				b.get(path+"?done=bucket-"+step).wants(http.StatusOK, "The bucket is ", `class="pill `+want+`"`)
			}
		})
	}
}

// TestLifecycleConfirmed shows which steps want the bucket's name.
func TestLifecycleConfirmed(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, buckets := s.place(t, "shop", "lamps")
	path := at + "b/" + buckets[0].ID() + "/settings"
	b := s.browser(t, allKey)
	for _, step := range []string{"archive", "suspend", "delete"} {
		for _, name := range []string{"", "lamp", "Lamps"} {
			b.post(path, url.Values{"do": {step}, "confirm": {name}}).wants(http.StatusUnprocessableEntity, "This is not the name")
		}
	}
	b.post(path, url.Values{"do": {"nothing"}}).wants(http.StatusUnprocessableEntity)
	b.post(path, url.Values{"do": {"activate"}}).wants(http.StatusSeeOther) // it is
	info, err := buckets[0].Info(context.Background())
	if err != nil || info.Status != bucketlite.StatusActive {
		t.Errorf("got %v, %v, want %v", info.Status, err, bucketlite.StatusActive)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, buckets := s.place(t, "shop", "lamps", "chairs")
	path := at + "b/" + buckets[0].ID() + "/settings"
	b := s.browser(t, allKey)
	good := url.Values{"do": {"save"}, "name": {"lights"}, "description": {"All lights"}, "metadata": {`{"team": "photo", "big": 12345678901234567890}`},
		"age": {"1.5"}, "age-unit": {"d"}, "objects": {"1,000"}, "bytes": {"2"}, "bytes-unit": {"mib"}}
	b.post(path, good).wants(http.StatusSeeOther, "done=bucket-saved")
	info, err := buckets[0].Info(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := bucketlite.Retention{MaxAge: 36 * time.Hour, MaxObjects: 1000, MaxBytes: 2 << 20}
	if info.Name != "lights" || info.Retention != want || info.Metadata["team"] != "photo" {
		t.Errorf("got %q, %+v, %v, want %q, %+v", info.Name, info.Retention, info.Metadata, "lights", want)
	}
	b.get(path).wants(http.StatusOK, `value="36"`, `value="1000"`, "12345678901234567890", "All lights")

	for _, tt := range []struct {
		name, control, value string
		status               int
		want                 string
	}{
		{"a blank name", "name", "", http.StatusUnprocessableEntity, `aria-invalid="true"`},
		{"a taken name", "name", "chairs", http.StatusConflict, `value="chairs"`},
		{"metadata that is no JSON", "metadata", "{team", http.StatusUnprocessableEntity, `id="metadata-wrong">`},
		{"metadata that is a list", "metadata", "[1]", http.StatusUnprocessableEntity, "A JSON object expected"},
		{"an age in words", "age", "ever", http.StatusUnprocessableEntity, "A number expected, got &#34;ever&#34;."},
		{"half an object", "objects", "1.5", http.StatusUnprocessableEntity, "A whole number expected"},
		{"a huge number", "bytes", "1e300", http.StatusUnprocessableEntity, "too large"},
		{"a short age", "age", "0.000001", http.StatusUnprocessableEntity, `id="age-wrong">0 or at least a second expected`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			form := url.Values{"description": {"typed"}}
			for name, values := range good {
				form[name] = values
			}
			form.Set(tt.control, tt.value)
			form.Set("description", "typed before")
			b.post(path, form).wants(tt.status, tt.want, "typed before", `role="alert"`)
		})
	}
}

func TestSettingsReadOnly(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at, buckets := s.place(t, "shop", "lamps", "chairs")
	path := at + "b/" + buckets[0].ID() + "/settings"
	reads := s.browser(t, readsKey)
	reads.get(path).wants(http.StatusOK, "for reading alone", "without limit").lacks(`name="do"`)
	reads.post(path, url.Values{"do": {"delete"}, "confirm": {"lamps"}}).wants(http.StatusForbidden)
	if err := buckets[1].Lock(context.Background()); err != nil {
		t.Fatal(err)
	}
	locked := at + "b/" + buckets[1].ID() + "/settings"
	all := s.browser(t, allKey)
	all.get(locked).wants(http.StatusOK, "is <b>locked</b>").lacks(`value="save"`)
	all.post(locked, url.Values{"do": {"save"}, "name": {"chairs"}}).wants(http.StatusForbidden, "locked")
}

// TestSettingsOfTwo shows that of two who save settings neither undoes what the other has
// changed, and that a description of several lines stays one.
func TestSettingsOfTwo(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ctx := context.Background()
	ns, err := s.store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "shop", Description: "two\nlines"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "lamps", Description: "two\r\nlines", Metadata: map[string]any{"a": 1},
		Retention: bucketlite.Retention{MaxAge: 1500 * time.Millisecond, MaxBytes: 1 << 20}})
	if err != nil {
		t.Fatal(err)
	}
	at := s.browser(t, allKey)
	path := "n/" + ns.ID() + "/b/" + b.ID() + "/settings"
	form := formOf(t, at.get(path).wants(http.StatusOK))
	form.Set("do", "save")
	form.Del("confirm")
	theirs := url.Values{"do": {"save"}, "name": {"lamps"}, "description": {"twolines"}, "metadata": {`{"b": 2}`}, "objects": {"9"}}
	at.post(path, theirs).wants(http.StatusSeeOther, "bucket-saved")
	form.Set("name", "lights")
	at.post(path, form).wants(http.StatusSeeOther, "bucket-saved")
	info, err := b.Info(ctx)
	if err != nil || info.Name != "lights" || info.Description != "two\r\nlines" || info.Metadata["b"] == nil || info.Retention != (bucketlite.Retention{MaxObjects: 9}) {
		t.Errorf("got %+v, %v, want what each has changed", info, err)
	}
	path = "n/" + ns.ID() + "/settings"
	form = formOf(t, at.get(path).wants(http.StatusOK))
	form.Set("do", "save")
	form.Set("name", "store")
	at.post(path, form).wants(http.StatusSeeOther, "namespace-changed")
	if info, err := ns.Info(ctx); err != nil || info.Name != "store" || info.Description != "two\nlines" {
		t.Errorf("got %+v, %v, want another name alone", info, err)
	}
}
