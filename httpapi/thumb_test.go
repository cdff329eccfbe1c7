package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
	"github.com/bucketlite/bucketlite/internal/thumb"
)

// picture returns a PNG of one colour.
func picture(t testing.TB, width, height int, c color.NRGBA) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := 0; i < len(img.Pix); i += 4 {
		copy(img.Pix[i:], []byte{c.R, c.G, c.B, c.A})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bringPicture stores the poster of a film, and returns its URL.
func (s *server) bringPicture(film, filename, contentType string, data []byte) (url string) {
	s.t.Helper()
	_, url = s.bring(map[string]any{
		"filename": filename, "content_type": contentType, "blob_property": "poster", "object_metadata": map[string]any{"film_id": film},
	}, data)
	return url
}

func TestThumb(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	s := serve(t, &httpapi.Options{Now: func() time.Time { return now }})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	solid := picture(t, 400, 300, color.NRGBA{200, 30, 30, 255})
	url := s.bringPicture("f1", "a.png", "image/png", solid)
	tag := func(data []byte, edge int) string {
		return strings.TrimSuffix(etag(data), `"`) + fmt.Sprintf(`-%d-v1"`, edge)
	}
	for edge, want := range map[int]image.Point{160: {160, 120}, 320: {320, 240}, 640: {400, 300}} {
		got := s.anyone().do("GET", fmt.Sprintf("%s&thumb=%d", url, edge), nil).want(http.StatusOK)
		c, err := jpeg.DecodeConfig(strings.NewReader(got.body))
		if err != nil || c.Width != want.X || c.Height != want.Y {
			t.Errorf("%d: got %d × %d, %v, want %v", edge, c.Width, c.Height, err, want)
		}
		for name, want := range map[string]string{
			"Content-Type": "image/jpeg", "ETag": tag(solid, edge), "Cache-Control": "private, max-age=3600", "Content-Disposition": "inline",
			"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff", "Content-Length": fmt.Sprint(len(got.body)),
		} {
			if got := got.header.Get(name); got != want {
				t.Errorf("%d: got %s %q, want %q", edge, name, got, want)
			}
		}
	}
	whole := s.anyone().do("GET", url+"&thumb=160", nil).body
	for _, test := range []struct {
		name, method string
		headers      []string
		status       int
		want         string
	}{
		{"head", "HEAD", nil, 200, ""},
		{"has it", "GET", []string{"If-None-Match", `"x", ` + tag(solid, 160)}, 304, ""},
		{"has it, head", "HEAD", []string{"If-None-Match", "W/" + tag(solid, 160)}, 304, ""},
		{"has any", "GET", []string{"If-None-Match", "*"}, 304, ""},
		{"has the whole picture", "GET", []string{"If-None-Match", etag(solid)}, 200, whole},
		{"has another size", "GET", []string{"If-None-Match", tag(solid, 320)}, 200, whole},
		{"wants it", "GET", []string{"If-Match", tag(solid, 160)}, 200, whole},
		{"range", "GET", []string{"Range", "bytes=2-5"}, 206, whole[2:6]},
	} {
		got := s.anyone().as(test.headers...).do(test.method, url+"&thumb=160", nil).want(test.status)
		if got.body != test.want {
			t.Errorf("%s: got %d bytes, want %d", test.name, len(got.body), len(test.want))
		}
		if got, want := got.header.Get("ETag"), tag(solid, 160); got != want {
			t.Errorf("%s: got ETag %s, want %s", test.name, got, want)
		}
	}
	s.anyone().as("If-Match", etag(solid)).do("GET", url+"&thumb=160", nil).wantError(http.StatusPreconditionFailed, "PreconditionFailedError")
	s.anyone().as("Range", "bytes=9999999-").do("GET", url+"&thumb=160", nil).wantError(http.StatusRequestedRangeNotSatisfiable, "RangeNotSatisfiableError")

	hole := s.bringPicture("f2", "b.png", "image/png", picture(t, 400, 300, color.NRGBA{200, 30, 30, 100}))
	got := s.anyone().do("GET", hole+"&thumb=160", nil).want(http.StatusOK)
	if got := got.header.Get("Content-Type"); got != "image/png" {
		t.Errorf("transparent: got Content-Type %q, want image/png", got)
	}
	if got := s.deviating().anyone().do("GET", url+"&thumb=", nil).want(http.StatusOK); got.body != string(solid) {
		t.Errorf("an empty parameter: got %d bytes, want the blob", len(got.body))
	}
}

func TestThumbRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	solid := picture(t, 200, 100, color.NRGBA{200, 30, 30, 255})
	url := s.bringPicture("f1", "a.png", "image/png", solid)
	for _, thumb := range []string{"100", "0", "-160", "160px", "big", "160.0", "160&thumb=320"} {
		s.deviating().anyone().do("GET", url+"&thumb="+thumb, nil).wantError(http.StatusUnprocessableEntity, "ValidationError").
			wantAt("error.details.validation_errors.0.location", "query.thumb")
	}
	_, film := s.bring(map[string]any{"object_metadata": map[string]any{"film_id": "f2"}}, noise(100))
	_, notes := s.bring(map[string]any{
		"filename": "a.txt", "content_type": "text/plain", "blob_property": "notes", "object_metadata": map[string]any{"film_id": "f3"},
	}, []byte("some words"))
	bomb := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x75\x30\x00\x00\x75\x30\x08\x00\x00\x00\x00\x69\x20\x8a\x1d"), make([]byte, 100)...)
	for name, url := range map[string]string{
		"a video": film, "a text": notes,
		"a damaged picture": s.bringPicture("f4", "b.png", "image/png", solid[:len(solid)/2]),
		"a large picture":   s.bringPicture("f5", "c.png", "image/png", bomb),
		"SVG":               s.bringPicture("f6", "d.svg", "image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)),
	} {
		for range 2 {
			got := s.anyone().do("GET", url+"&thumb=160", nil).wantError(http.StatusUnsupportedMediaType, "UnsupportedMediaTypeError")
			if got.header.Get("ETag") != "" {
				t.Errorf("%s: got an ETag", name)
			}
		}
		s.anyone().do("GET", url, nil).want(http.StatusOK)
	}

	// The URL of a thumbnail is refused when the URL of the blob is.
	s.anyone().do("GET", strings.Replace(url, "signature=", "signature=00", 1)+"&thumb=160", nil).wantError(http.StatusForbidden, "ForbiddenError")
	s.anyone().do("GET", url+"&thumb=160", nil).want(http.StatusOK)
	s.do("POST", "/v1/buckets/films/suspend", nil).want(http.StatusOK)
	s.anyone().do("GET", url+"&thumb=160", nil).wantError(http.StatusForbidden, "ForbiddenError")
	s.do("POST", "/v1/buckets/films/activate", nil).want(http.StatusOK)
	id := path.Base(path.Dir(strings.Split(url, "?")[0]))
	s.do("DELETE", "/v1/buckets/films/objects/"+id, nil).want(http.StatusNoContent)
	s.anyone().do("GET", url+"&thumb=160", nil).wantError(http.StatusNotFound, "NotFoundError")
}

// Callers in the same process share the cache of the API.
func TestThumbInProcess(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	url := s.bringPicture("f1", "a.png", "image/png", picture(t, 200, 100, color.NRGBA{200, 30, 30, 255}))
	target := strings.Split(strings.Split(url, "?")[0], "/")
	object, blob := target[len(target)-2], target[len(target)-1]
	sent := s.anyone().do("GET", url+"&thumb=160", nil).want(http.StatusOK).body
	_, b, err := s.store.OpenBucket(t.Context(), "test", "films")
	if err != nil {
		t.Fatal(err)
	}
	var first *httpapi.Thumbnail
	for range 2 {
		got, err := s.handler.Thumb(t.Context(), b, object, blob, 160)
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Data) != sent || first != nil && got != first {
			t.Error("got another thumbnail than the API")
		}
		first = got
	}
	for _, test := range []struct {
		name, object, blob string
		edge, status       int
	}{
		{"another edge", object, blob, 100, http.StatusUnprocessableEntity},
		{"a property", object, "poster", 160, http.StatusNotFound},
		{"another blob", object, "blob_none", 160, http.StatusNotFound},
		{"another object", "obj_none", blob, 160, http.StatusNotFound},
	} {
		_, err := s.handler.Thumb(t.Context(), b, test.object, test.blob, test.edge)
		if status, _, _ := httpapi.Describe(err); status != test.status {
			t.Errorf("%s: got status %d, %v, want %d", test.name, status, err, test.status)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.handler.Thumb(gone, b, object, blob, 320); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that has left: got %v, want context.Canceled", err)
	}
	if status, kind, _ := httpapi.Describe(thumb.ErrBusy); status != http.StatusServiceUnavailable || kind != "ServiceUnavailableError" {
		t.Errorf("busy: got %d %s, want 503 ServiceUnavailableError", status, kind)
	}
}

// A mount serves thumbnails that a browser need not ask for again.
func TestServeThumb(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	solid := picture(t, 200, 100, color.NRGBA{200, 30, 30, 255})
	url := s.bringPicture("f1", "a.png", "image/png", solid)
	target := strings.Split(strings.Split(url, "?")[0], "/")
	object, blob := target[len(target)-2], target[len(target)-1]
	_, b, err := s.store.OpenBucket(t.Context(), "test", "films")
	if err != nil {
		t.Fatal(err)
	}
	other := s.withOptions(httpapi.Options{}) // which has served no request
	other.handler.Mount("pictures", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		edge, _ := strconv.Atoi(r.URL.Query().Get("s"))
		if err := other.handler.ServeThumb(w, r, b, object, path.Base(r.URL.Path), edge); err != nil {
			status, _, text := httpapi.Describe(err)
			http.Error(w, text, status)
		}
	}))
	sent := s.anyone().do("GET", url+"&thumb=160", nil).want(http.StatusOK)
	anyone := other.anyone()
	anyone.client = &http.Client{} // which records nothing: mounts are not in the document
	got := anyone.do("GET", "/pictures/"+blob+"?s=160", nil).want(http.StatusOK)
	if got.body != sent.body || got.header.Get("ETag") != sent.header.Get("ETag") {
		t.Error("got another thumbnail than the API sends")
	}
	if got, want := got.header.Get("Cache-Control"), "private, max-age=31536000, immutable"; got != want {
		t.Errorf("got Cache-Control %q, want %q", got, want)
	}
	anyone.as("If-None-Match", got.header.Get("ETag")).do("GET", "/pictures/"+blob+"?s=160", nil).want(http.StatusNotModified)
	anyone.do("GET", "/pictures/"+blob+"?s=100", nil).want(http.StatusUnprocessableEntity)
	anyone.do("GET", "/pictures/blob_none?s=160", nil).want(http.StatusNotFound)
}

func TestPreview(t *testing.T) {
	t.Parallel()
	blob := func(property, mimeType string) bucketlite.Blob {
		return bucketlite.Blob{ID: property + " " + mimeType, Property: property, Details: bucketlite.BlobDetails{MIMEType: mimeType, Hash: "ab"}}
	}
	large := blob("poster", "image/jpeg")
	large.Details.Size = 64<<20 + 1
	reference := bucketlite.Blob{ID: "reference", Property: "poster", Properties: map[string]any{"url": "https://example.com/a.jpg"}}
	for _, test := range []struct {
		name  string
		blobs []bucketlite.Blob
		want  string
	}{
		{"none", nil, ""},
		{"a video", []bucketlite.Blob{blob("video", "video/mp4")}, ""},
		{"a picture", []bucketlite.Blob{blob("text", "text/plain"), blob("photo", "image/jpeg"), blob("other", "image/png")}, "photo image/jpeg"},
		{"a poster", []bucketlite.Blob{blob("photo", "image/jpeg"), blob("video", "video/mp4"), blob("poster", "image/webp")}, "poster image/webp"},
		{"a thumbnail", []bucketlite.Blob{blob("photo", "image/jpeg"), blob("Thumbnail", "image/png")}, "Thumbnail image/png"},
		{"a poster that is no picture", []bucketlite.Blob{blob("poster", "application/pdf"), blob("photo", "image/bmp")}, "photo image/bmp"},
		{"a large poster", []bucketlite.Blob{large, blob("photo", "image/jpeg")}, "photo image/jpeg"},
		{"a poster elsewhere", []bucketlite.Blob{reference, blob("photo", "image/gif")}, "photo image/gif"},
		{"pictures of which none are made", []bucketlite.Blob{blob("a", "image/svg+xml"), blob("b", "image/tiff"), blob("c", "image/avif")}, ""},
	} {
		got, ok := httpapi.Preview(&bucketlite.Object{Blobs: test.blobs})
		if got.ID != test.want || ok != (test.want != "") {
			t.Errorf("%s: got %q, %t, want %q", test.name, got.ID, ok, test.want)
		}
	}
}
