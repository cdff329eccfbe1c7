package httpapi_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/httpapi"
)

func TestBlob(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	data := noise(700 << 10) // of several chunks
	_, signed := s.bring(nil, data)
	tag := etag(data)
	for _, test := range []struct {
		name, method string
		headers      []string
		status       int
		want         []byte
		contentRange string
	}{
		{"all", "GET", nil, 200, data, ""},
		{"head", "HEAD", nil, 200, nil, ""},
		{"range", "GET", []string{"Range", "bytes=10-19"}, 206, data[10:20], "bytes 10-19/716800"},
		{"range over chunks", "GET", []string{"Range", "bytes=100000-600000"}, 206, data[100000:600001], "bytes 100000-600000/716800"},
		{"open range", "GET", []string{"Range", "bytes=716790-"}, 206, data[716790:], "bytes 716790-716799/716800"},
		{"last bytes", "GET", []string{"Range", "bytes=-5"}, 206, data[716795:], "bytes 716795-716799/716800"},
		{"head of a range", "HEAD", []string{"Range", "bytes=10-19"}, 206, nil, "bytes 10-19/716800"},
		{"no such range", "GET", []string{"Range", "bytes=716800-"}, 416, nil, "bytes */716800"},
		{"no range", "GET", []string{"Range", "words=1-2"}, 416, nil, "bytes */716800"},
		{"the last none", "GET", []string{"Range", "bytes=-0"}, 416, nil, "bytes */716800"},
		{"the last none, at length", "GET", []string{"Range", "bytes=-00"}, 416, nil, "bytes */716800"},
		{"the last none, twice", "GET", []string{"Range", "bytes=-0, -0"}, 416, nil, "bytes */716800"},
		{"the last none and some", "GET", []string{"Range", "bytes=-0,10-19"}, 206, data[10:20], "bytes 10-19/716800"},
		{"the last none of another", "GET", []string{"Range", "bytes=-0", "If-Range", `"x"`}, 200, data, ""},
		{"the last none, has it", "GET", []string{"Range", "bytes=-0", "If-None-Match", tag}, 304, nil, ""},
		{"has it", "GET", []string{"If-None-Match", `"x", ` + tag}, 304, nil, ""},
		{"has it, head", "HEAD", []string{"If-None-Match", tag}, 304, nil, ""},
		{"has another", "GET", []string{"If-None-Match", `"x"`}, 200, data, ""},
		{"has any", "GET", []string{"If-None-Match", `*`}, 304, nil, ""},
		{"wants it", "GET", []string{"If-Match", tag}, 200, data, ""},
		{"wants another", "GET", []string{"If-Match", `"x"`}, 412, nil, ""},
		{"rest of it", "GET", []string{"Range", "bytes=10-19", "If-Range", tag}, 206, data[10:20], "bytes 10-19/716800"},
		{"rest of another", "GET", []string{"Range", "bytes=10-19", "If-Range", `"x"`}, 200, data, ""},
		{"rest of it, weakly", "GET", []string{"Range", "bytes=10-19", "If-Range", "W/" + tag}, 200, data, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := s.anyone().as(test.headers...).do(test.method, signed, nil).want(test.status)
			if r := got.header.Get("Content-Range"); r != test.contentRange {
				t.Errorf("got Content-Range %q, want %q", r, test.contentRange)
			}
			if test.status >= 400 {
				kind := map[int]string{412: "PreconditionFailedError", 416: "RangeNotSatisfiableError"}[test.status]
				got.wantError(test.status, kind)
				return
			}
			if got.body != string(test.want) {
				t.Errorf("got %d other bytes than the %d wanted", len(got.body), len(test.want))
			}
			want := map[string]string{
				"ETag": tag, "Cache-Control": "private", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
			}
			if test.status != 304 {
				want["Content-Type"], want["Accept-Ranges"] = "video/mp4", "bytes"
				want["Content-Length"] = fmt.Sprint(len(data))
				if test.status == 206 {
					var first, last int
					if _, err := fmt.Sscanf(test.contentRange, "bytes %d-%d/", &first, &last); err != nil {
						t.Fatal(err)
					}
					want["Content-Length"] = fmt.Sprint(last - first + 1)
				}
			}
			for name, want := range want {
				if got := got.header.Get(name); got != want {
					t.Errorf("got %s %q, want %q", name, got, want)
				}
			}
		})
	}

	several := s.anyone().as("Range", "bytes=0-9,300000-300009").do("GET", signed, nil).want(http.StatusPartialContent)
	_, params, err := mime.ParseMediaType(several.header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(strings.NewReader(several.body), params["boundary"])
	for _, want := range [][]byte{data[:10], data[300000:300010]} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(part); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %x, %v, want %x", got, err, want)
		}
	}
}

// Of an empty blob nothing is the end.
func TestBlobEmptyRanges(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	_, signed := s.bring(map[string]any{"filename": "a.txt", "content_type": "text/plain", "blob_property": "notes"}, []byte{})
	for _, ranges := range []string{"bytes=-1", "bytes=-0", "bytes=-1,-2"} {
		got := s.anyone().as("Range", ranges).do("GET", signed, nil).wantError(http.StatusRequestedRangeNotSatisfiable, "RangeNotSatisfiableError")
		if got := got.header.Get("Content-Range"); got != "bytes */0" {
			t.Errorf("%s: got Content-Range %q, want bytes */0", ranges, got)
		}
	}
	s.anyone().do("GET", signed, nil).want(http.StatusOK)
	s.anyone().as("Range", "bytes=0-").do("GET", signed, nil).want(http.StatusOK)
}

// A browser shows what cannot run, and saves everything else.
func TestBlobDisposition(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	for i, test := range []struct {
		property, contentType, filename, data, want string
	}{
		{"film", "video/mp4", "film.mp4", "\x01\x02", `inline; filename=film.mp4`},
		{"film", "video/webm", "film.webm", "\x01\x02", `inline; filename=film.webm`},
		{"poster", "image/png", "a b.png", "\x89PNG\r\n\x1a\n", `inline; filename="a b.png"`},
		{"poster", "image/jpeg", `a"b.jpg`, "\xff\xd8\xff", `inline; filename="a\"b.jpg"`},
		{"poster", "image/gif", "naïve €.gif", "GIF89a", `inline; filename*=utf-8''na%C3%AFve%20%E2%82%AC.gif`},
		{"poster", "image/webp", "a.webp", "RIFF\x04\x00\x00\x00WEBP", `inline; filename=a.webp`},
		{"poster", "image/svg+xml", "a.svg", `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, `attachment; filename=a.svg`},
		{"poster", "image/x-unheard-of", "a.x", "\x01\x02", `attachment; filename=a.x`},
		{"notes", "text/plain", "a.txt", "some words", `inline; filename=a.txt`},
		{"notes", "text/plain", "a.html", "some words", `inline; filename=a.html`},
		{"notes", "text/html", "a.html", "<!DOCTYPE html><script>alert(1)</script>", `attachment; filename=a.html`},
		{"notes", "application/xhtml+xml", "a.xhtml", `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>`, `attachment; filename=a.xhtml`},
		{"notes", "text/xml", "a.xml", `<?xml version="1.0"?><a/>`, `attachment; filename=a.xml`},
		{"notes", "text/javascript", "a.js", "alert(1)", `attachment; filename=a.js`},
		{"notes", "text/css", "a.css", "a {}", `attachment; filename=a.css`},
		{"notes", "application/json", "a.json", "{}", `attachment; filename=a.json`},
	} {
		t.Run(test.contentType, func(t *testing.T) {
			_, signed := s.bring(map[string]any{
				"filename": test.filename, "content_type": test.contentType, "blob_property": test.property,
				"object_metadata": map[string]any{"film_id": fmt.Sprint(i)},
			}, []byte(test.data))
			got := s.anyone().do("GET", signed, nil).want(http.StatusOK)
			if got.body != test.data {
				t.Errorf("got %q, want %q", got.body, test.data)
			}
			for name, want := range map[string]string{
				"Content-Type": test.contentType, "Content-Disposition": test.want, "X-Content-Type-Options": "nosniff",
				"Content-Security-Policy": "default-src 'none'; sandbox",
			} {
				if got := got.header.Get(name); got != want {
					t.Errorf("got %s %q, want %q", name, got, want)
				}
			}
		})
	}
}

// Of a damaged blob the client gets what is whole, and then no end of the answer:
// never wrong bytes, and never an answer that looks complete.
func TestBlobDamaged(t *testing.T) {
	t.Parallel()
	const chunk = 256 << 10
	var log lines
	s := serve(t, &httpapi.Options{Logger: log.logger()})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	data := noise(3*chunk + 100)
	_, signed := s.bring(nil, data)
	db, err := sql.Open("sqlite", "file:"+s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	damage := func(by int) {
		t.Helper()
		if _, err := db.Exec("UPDATE chunks SET sum = sum + ? WHERE id & 0xffffff = 1", by); err != nil {
			t.Fatal(err)
		}
	}
	damage(1)
	defer damage(-1) // for the check at the end
	for _, test := range []struct {
		name, ranges string
		whole        []byte // at most what comes
	}{
		{"all", "", data[:chunk]},
		{"up to it", "bytes=10-" + fmt.Sprint(2*chunk), data[10:chunk]},
		{"of it", "bytes=" + fmt.Sprint(chunk+5) + "-", nil},
		{"several", fmt.Sprintf("bytes=0-9,%d-%d", chunk, chunk+9), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), "GET", signed, nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.ranges != "" {
				req.Header.Set("Range", test.ranges)
			}
			resp, err := s.client.Do(req)
			if err != nil {
				return // cut before anything was sent
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if err == nil {
				t.Fatalf("got an answer of %d bytes that looks whole", len(got))
			}
			if test.name != "several" && !bytes.HasPrefix(test.whole, got) {
				t.Errorf("got %d bytes that are not those before the damage", len(got))
			}
		})
	}
	eventually(t, "the log tells of all as errors", func() bool { return log.count("level=ERROR msg=request") == 4 })
	// Damage elsewhere does not matter.
	got := s.anyone().as("Range", fmt.Sprintf("bytes=%d-", 2*chunk)).do("GET", signed, nil).want(http.StatusPartialContent)
	if got.body != string(data[2*chunk:]) {
		t.Error("got other bytes beyond the damage")
	}
}

// A client may read slowly for any time; one that stops is disconnected.
func TestBlobSlow(t *testing.T) {
	t.Parallel()
	const size, pieces, pause = 24 << 20, 12, 150 * time.Millisecond
	var log lines
	s := serve(t, &httpapi.Options{Logger: log.logger()})
	httpapi.SetPatience(s.handler, pieces*pause/2)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	up := s.announce(nil)
	s.anyone().do("PUT", up.text("presigned_url"), io.LimitReader(zeros{}, size)).want(http.StatusOK)
	path := "/v1/buckets/films/uploads/" + up.text("upload_id")
	s.do("POST", path+"/confirm", nil).want(http.StatusOK)
	signed := s.do("GET", path+"?return_presigned_urls=true", nil).text("presigned_url")

	slow := converse(t, "GET", signed, nil)
	body := &paced{r: slow.answer(http.StatusOK).Body, every: size / pieces, do: func(int) { time.Sleep(pause) }}
	if n, err := io.Copy(io.Discard, body); n != size || err != nil {
		t.Errorf("got %d bytes, %v, want all of %d", n, err, size)
	}

	// More than the buffers on the way take is not sent to one who does not read.
	stopped := converse(t, "GET", signed, nil).answer(http.StatusOK).Body
	eventually(t, "it is given up", func() bool { return log.count("/v1/presigned/blobs/") == 2 })
	if n, err := io.Copy(io.Discard, stopped); err == nil || n == size {
		t.Errorf("got %d bytes, %v, want less and an error", n, err)
	}
}

// lines are those of a log.
type lines struct {
	mu   sync.Mutex
	text []string
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, string(p))
	return len(p), nil
}

// count returns how many lines have the text in them.
func (l *lines) count(text string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.text {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}
