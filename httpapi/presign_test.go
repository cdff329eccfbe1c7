package httpapi_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

func TestSignedURLTampered(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	if _, err := s.store.CreateNamespace(t.Context(), bucketlite.NamespaceConfig{Name: "other"}); err != nil {
		t.Fatal(err)
	}
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	s.do("POST", "/v1/buckets", films("others")).want(http.StatusOK)
	data := noise(100)
	_, blob := s.bring(nil, data)
	_, another := s.bring(map[string]any{"object_metadata": map[string]any{"film_id": "f2"}}, noise(200))
	upload := s.announce(nil).text("presigned_url")
	rival := s.announce(nil).text("presigned_url")

	anyone := s.anyone()
	change := func(signed string, f func(u *url.URL, q url.Values)) string {
		u, err := url.Parse(signed)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		f(u, q)
		u.RawQuery = q.Encode()
		return u.String()
	}
	segment := func(i int, to string) func(*url.URL, url.Values) {
		return func(u *url.URL, _ url.Values) {
			parts := strings.Split(u.Path, "/")
			parts[4+i] = to
			u.Path = strings.Join(parts, "/")
		}
	}
	of := func(signed string, i int) string {
		u, err := url.Parse(signed)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(u.Path, "/")[4+i]
	}
	other, err := s.store.Namespace(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	bucket := s.do("GET", "/v1/buckets/others", nil).text("bucket_id")

	tests := []struct {
		name, method, signed string
		change               func(*url.URL, url.Values)
	}{
		{"namespace", "GET", blob, segment(0, other.ID())},
		{"namespace by name", "GET", blob, segment(0, "test")},
		{"bucket", "GET", blob, segment(1, bucket)},
		{"bucket by name", "GET", blob, segment(1, "films")},
		{"object", "GET", blob, segment(2, of(another, 2))},
		{"blob", "GET", blob, segment(3, of(another, 3))},
		{"property for blob", "GET", blob, segment(3, "film")},
		{"object and blob", "GET", blob, func(u *url.URL, q url.Values) {
			segment(2, of(another, 2))(u, q)
			segment(3, of(another, 3))(u, q)
		}},
		{"another spelling", "GET", blob, func(u *url.URL, _ url.Values) {
			u.RawPath = strings.Replace(u.Path, "/v1/presigned/blobs/n", "/v1/presigned/blobs/%6E", 1)
		}},
		{"later", "GET", blob, func(_ *url.URL, q url.Values) { q.Set("expires", "9"+q.Get("expires")) }},
		{"no expiry", "GET", blob, func(_ *url.URL, q url.Values) { q.Del("expires") }},
		{"no signature", "GET", blob, func(_ *url.URL, q url.Values) { q.Del("signature") }},
		{"short signature", "GET", blob, func(_ *url.URL, q url.Values) { q.Set("signature", q.Get("signature")[:62]) }},
		{"no hexadecimal", "GET", blob, func(_ *url.URL, q url.Values) { q.Set("signature", strings.Repeat("x", 64)) }},
		{"first digit", "GET", blob, func(_ *url.URL, q url.Values) { q.Set("signature", flip(q.Get("signature"), 0)) }},
		{"last digit", "GET", blob, func(_ *url.URL, q url.Values) { q.Set("signature", flip(q.Get("signature"), 63)) }},
		{"HEAD", "HEAD", blob, func(_ *url.URL, q url.Values) { q.Set("signature", flip(q.Get("signature"), 0)) }},
		{"upload", "PUT", upload, segment(2, of(rival, 2))},
		{"upload's namespace", "PUT", upload, segment(0, other.ID())},
		{"upload's bucket", "PUT", upload, segment(1, bucket)},
		{"upload, later", "PUT", upload, func(_ *url.URL, q url.Values) { q.Set("expires", "9"+q.Get("expires")) }},
		{"a blob's for an upload", "PUT", upload, func(_ *url.URL, q url.Values) {
			from, _ := url.Parse(blob)
			q.Set("expires", from.Query().Get("expires"))
			q.Set("signature", from.Query().Get("signature"))
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var body any
			if test.method == "PUT" {
				body = data
			}
			got := anyone.do(test.method, change(test.signed, test.change), body)
			if test.method == "HEAD" {
				got.want(http.StatusForbidden)
				return
			}
			got.wantError(http.StatusForbidden, "ForbiddenError")
		})
	}
	for _, method := range []string{"GET", "POST", "DELETE"} {
		anyone.do(method, upload, nil).wantError(http.StatusMethodNotAllowed, "MethodNotAllowedError")
	}
	for _, method := range []string{"PUT", "POST", "DELETE"} {
		anyone.do(method, blob, nil).wantError(http.StatusMethodNotAllowed, "MethodNotAllowedError")
	}
	if got := anyone.do("GET", blob, nil).want(http.StatusOK).body; got != string(data) {
		t.Error("the URL as it was: got other bytes")
	}
	anyone.do("PUT", upload, data).want(http.StatusOK)
}

// flip returns hexadecimal digits of which one is another.
func flip(digits string, i int) string {
	to := "0"
	if digits[i] == '0' {
		to = "1"
	}
	return digits[:i] + to + digits[i+1:]
}

func TestSignedURLExpires(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	began := time.Now().Truncate(time.Second)
	s := serve(t, &httpapi.Options{Now: func() time.Time { return began.Add(time.Duration(later.Load())) }})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	_, blob := s.bring(nil, noise(100))
	up := s.announce(map[string]any{"presigned_url_expiration": 86400})
	upload := up.text("presigned_url")
	anyone := s.anyone()

	later.Store(int64(time.Hour - time.Nanosecond))
	anyone.do("GET", blob, nil).want(http.StatusOK)
	later.Store(int64(time.Hour))
	anyone.do("GET", blob, nil).wantError(http.StatusForbidden, "ForbiddenError")

	expires, err := time.Parse(time.RFC3339, up.text("expires_at"))
	if err != nil {
		t.Fatal(err)
	}
	later.Store(int64(expires.Truncate(time.Second).Sub(began) - time.Nanosecond))
	anyone.do("PUT", upload, noise(100)).want(http.StatusOK)
	later.Store(int64(expires.Sub(began)))
	anyone.do("PUT", upload, noise(100)).wantError(http.StatusForbidden, "ForbiddenError")
}

// A URL is good for every handler with the same key, and for no other.
func TestSigningKey(t *testing.T) {
	t.Parallel()
	key := []byte("0123456789abcdef0123456789abcdef")
	s := serve(t, &httpapi.Options{SigningKey: key})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	_, blob := s.bring(nil, noise(100))
	for _, test := range []struct {
		name string
		key  []byte
		want int
	}{
		{"the same", key, http.StatusOK},
		{"another", []byte("0123456789abcdef0123456789abcdeF"), http.StatusForbidden},
		{"a random one", nil, http.StatusForbidden},
	} {
		h, err := httpapi.New(s.store, &httpapi.Options{SigningKey: test.key})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", blob, nil))
		if w.Code != test.want {
			t.Errorf("%s: got status %d, want %d", test.name, w.Code, test.want)
		}
	}
}

func TestSignedURLBase(t *testing.T) {
	t.Parallel()
	const path = "/v1/presigned/uploads/ns_"
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	got := s.as("X-Forwarded-Host", "evil.example.com", "X-Forwarded-Proto", "https", "Forwarded", "host=evil.example.com").
		announce(nil).text("presigned_url")
	if !strings.HasPrefix(got, s.url+path) {
		t.Errorf("got %s, want it on the request's host %s", got, s.url)
	}

	for _, public := range []string{"https://media.example.com", "https://media.example.com/", "https://media.example.com:8443/a/store/"} {
		s := serve(t, &httpapi.Options{PublicURL: public})
		s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
		got := s.announce(nil).text("presigned_url")
		base := strings.TrimSuffix(public, "/")
		if !strings.HasPrefix(got, base+path) {
			t.Errorf("got %s, want it below %s", got, public)
		}
		s.anyone().do("PUT", strings.Replace(got, base, s.url, 1), noise(100)).want(http.StatusOK)
	}

	for _, host := range []string{"", "a/b", "a b", "a?b", "user@host", strings.Repeat("a", 2000)} {
		r := httptest.NewRequest("POST", "/v1/buckets/films/uploads",
			strings.NewReader(`{"filename": "film.mp4", "content_type": "video/mp4", "object_metadata": {"film_id": "f1"}}`))
		r.Header, r.Host = s.headers.Clone(), host
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest {
			t.Errorf("host %q: got status %d, want 400", host, w.Code)
		}
	}
	s.do("POST", "/v1/buckets/films/uploads/list", nil).want(http.StatusOK).wantAt("stats.total_uploads", "1")
}

// The hosted service's form allows a URL 2083 characters.
func TestSignedURLLength(t *testing.T) {
	t.Parallel()
	longest := "https://media.example.com/" + strings.Repeat("a", 1024-26)
	s := serve(t, &httpapi.Options{PublicURL: longest})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	up := s.announce(nil)
	ctx := context.Background()
	ns, err := s.store.Namespace(ctx, "test")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.Bucket(ctx, "films")
	if err != nil {
		t.Fatal(err)
	}
	// The object of the longest id takes the upload's place.
	_, err = b.Put(ctx, bucketlite.ObjectInput{ID: strings.Repeat("x", 128), Fields: map[string]any{"film_id": "f1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed := up.text("presigned_url")
	s.anyone().do("PUT", strings.Replace(signed, longest, s.url, 1), noise(100)).want(http.StatusOK)
	id := up.text("upload_id")
	s.do("POST", "/v1/buckets/films/uploads/"+id+"/confirm", nil).want(http.StatusOK).wantAt("object_id", strings.Repeat("x", 128))
	for _, got := range []string{signed, s.do("GET", "/v1/buckets/films/uploads/"+id+"?return_presigned_urls=true", nil).text("presigned_url")} {
		if len(got) < 1024 || len(got) > 2083 {
			t.Errorf("got %d characters, want more than the base's and at most 2083", len(got))
		}
	}

	for _, public := range []string{longest + "a", "media.example.com", "ftp://media.example.com", "https://", "https://media.example.com?a=b",
		"https://media.example.com#a", "https://user:secret@media.example.com"} {
		if _, err := httpapi.New(s.store, &httpapi.Options{PublicURL: public}); err == nil {
			t.Errorf("%s: got no error, want one", public)
		}
	}
}

// The blobs of an object that are stored have URLs when they are asked for; a reference
// leads elsewhere, and inline data is there already.
func TestObjectURLs(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	const png = "\x89PNG\r\n\x1a\n"
	still := func(text string) map[string]any {
		return map[string]any{"property": "stills", "data": "data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte(text))}
	}
	id := s.deviating().do("POST", "/v1/buckets/films/objects", map[string]any{"film_id": "f1", "blobs": []any{
		still(png + "first"), still(png + "second"),
		map[string]any{"property": "film", "data": "https://example.com/film.mp4"},
		map[string]any{"property": "notes", "data": "seen in May"},
	}}).want(http.StatusOK).text("object_id")
	path := "/v1/buckets/films/objects/" + id
	for _, query := range []string{"", "?return_presigned_urls=false"} {
		got := s.do("GET", path+query, nil).want(http.StatusOK)
		for i := range 4 {
			got.wantAt(fmt.Sprintf("blobs.%d.properties.presigned_url", i), "<nil>")
		}
	}
	s.do("GET", path+"?return_presigned_urls=perhaps", nil).wantFaults("query.return_presigned_urls type")
	got := s.do("GET", path+"?return_presigned_urls=true", nil).want(http.StatusOK).
		wantAt("blobs.2.properties.presigned_url", "<nil>").wantAt("blobs.2.properties.url", "https://example.com/film.mp4").
		wantAt("blobs.3.properties.presigned_url", "<nil>").wantAt("blobs.3.properties.data", "seen in May")
	for i, want := range []string{png + "first", png + "second"} {
		signed := got.text(fmt.Sprintf("blobs.%d.properties.presigned_url", i))
		if got := s.anyone().do("GET", signed, nil).want(http.StatusOK).body; got != want {
			t.Errorf("blob %d: got %q, want %q", i, got, want)
		}
	}
	s.do("GET", path, nil).want(http.StatusOK).wantAt("blobs.0.properties.presigned_url", "<nil>") // they are not kept
}
