package httpapi_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/httpapi"
)

func TestUploadPut(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	up := s.announce(nil)
	path, signed := "/v1/buckets/films/uploads/"+up.text("upload_id"), up.text("presigned_url")
	for _, n := range []int{100, 3 << 20, 50} { // each takes the place of the one before
		data := noise(n)
		got := s.anyone().do("PUT", signed, data).want(http.StatusOK)
		if got.body != "" || got.header.Get("ETag") != etag(data) || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d bytes: got %q %v", n, got.body, got.header)
		}
		s.do("GET", path, nil).want(http.StatusOK).wantAt("status", "PENDING").wantAt("etag", etag(data)).wantAt("file_size_bytes", fmt.Sprint(n))
	}
	// Neither a length nor a type needs to be said; and the type is ignored.
	s.anyone().do("PUT", signed, io.MultiReader(bytes.NewReader(noise(70)))).want(http.StatusOK)
	for _, contentType := range []string{"video/mp4", "text/html", "application/x-www-form-urlencoded", "nonsense"} {
		s.anyone().as("Content-Type", contentType).do("PUT", signed, noise(60)).want(http.StatusOK)
	}
	s.do("POST", path+"/confirm", nil).want(http.StatusOK).wantAt("file_size_bytes", "60")
	s.anyone().do("PUT", signed, noise(60)).wantError(http.StatusConflict, "AlreadyExistsError")
}

func TestUploadPutRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	unknown := func(data []byte) io.Reader { return io.MultiReader(bytes.NewReader(data)) }
	for _, test := range []struct {
		name  string
		in    map[string]any
		body  any
		fault string
	}{
		{"more", map[string]any{"file_size_bytes": 100}, noise(101), "body.content match"},
		{"more, of unknown length", map[string]any{"file_size_bytes": 100}, unknown(noise(101)), "body.content match"},
		{"less", map[string]any{"file_size_bytes": 100}, noise(99), "body.content match"},
		{"less, of unknown length", map[string]any{"file_size_bytes": 100}, unknown(noise(99)), "body.content match"},
		{"other bytes", map[string]any{"file_hash": strings.Repeat("0", 64)}, noise(100), "body.content match"},
		{"another type", nil, []byte("<!DOCTYPE html><html></html>"), "body.content mime"},
		{"nothing", nil, []byte{}, "body.content mime"},
	} {
		t.Run(test.name, func(t *testing.T) {
			up := s.announce(test.in)
			s.anyone().do("PUT", up.text("presigned_url"), test.body).wantFaults(test.fault)
			s.do("GET", "/v1/buckets/films/uploads/"+up.text("upload_id"), nil).want(http.StatusOK).wantAt("etag", "<nil>").wantAt("status", "PENDING")
		})
	}
}

// A conversation is one over a connection of its own.
type conversation struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

// converse begins a request with the lines of a header, and more that is sent after it.
func converse(t testing.TB, method, signed string, more []byte, headers ...string) *conversation {
	t.Helper()
	u, err := url.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	c := &conversation{t, conn, bufio.NewReader(conn)}
	c.send([]byte(method + " " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\n" + strings.Join(append(headers, "", ""), "\r\n")))
	c.send(more)
	return c
}

func (c *conversation) send(data []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(data); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads the header of an answer of the status wanted.
func (c *conversation) answer(want int) *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if resp.StatusCode != want {
		c.t.Fatalf("got status %d, want %d", resp.StatusCode, want)
	}
	return resp
}

// A client that asks before it sends learns of what is wrong before it sends.
func TestUploadPutExpect(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	sized, open := s.announce(map[string]any{"file_size_bytes": 100}).text("presigned_url"), s.announce(nil).text("presigned_url")
	const expect = "Expect: 100-continue"
	converse(t, "PUT", sized, nil, expect, "Content-Length: 101").answer(http.StatusUnprocessableEntity)
	converse(t, "PUT", open, nil, expect, "Content-Length: 5368709121").answer(http.StatusRequestEntityTooLarge)
	converse(t, "PUT", open+"0", nil, expect, "Content-Length: 100").answer(http.StatusForbidden)
	c := converse(t, "PUT", sized, nil, expect, "Content-Length: 100")
	c.answer(http.StatusContinue)
	c.send(noise(100))
	c.answer(http.StatusOK)
}

// Of a body that ends early nothing is stored, and what was there stays.
func TestUploadPutCutShort(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	for _, n := range []int{0, 50, 2 << 20} {
		for _, length := range []string{"Content-Length: 3000000", "Transfer-Encoding: chunked"} {
			t.Run(fmt.Sprint(n, " ", length), func(t *testing.T) {
				up := s.announce(nil)
				signed, path := up.text("presigned_url"), "/v1/buckets/films/uploads/"+up.text("upload_id")
				for _, want := range []string{"<nil>", etag(noise(100))} {
					data := noise(n)
					if strings.HasPrefix(length, "Transfer") {
						data = fmt.Appendf(nil, "%x\r\n%s", n+1, data)
					}
					c := converse(t, "PUT", signed, data, length)
					if err := c.conn.(*net.TCPConn).CloseWrite(); err != nil {
						t.Fatal(err)
					}
					c.answer(http.StatusBadRequest)
					s.do("GET", path, nil).want(http.StatusOK).wantAt("status", "PENDING").wantAt("etag", want)
					s.anyone().do("PUT", signed, noise(100)).want(http.StatusOK)
				}
			})
		}
	}
}

// A client may send slowly for any time; one that stops is disconnected.
func TestUploadPutSlow(t *testing.T) {
	t.Parallel()
	const pieces, pause = 8, 250 * time.Millisecond
	s := serve(t, nil)
	httpapi.SetPatience(s.handler, pieces*pause/2)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	length := fmt.Sprintf("Content-Length: %d", pieces*1000)
	up := s.announce(nil)
	c := converse(t, "PUT", up.text("presigned_url"), nil, length)
	data := noise(pieces * 1000)
	for i := range pieces {
		time.Sleep(pause)
		c.send(data[i*1000 : (i+1)*1000])
	}
	if got := c.answer(http.StatusOK).Header.Get("ETag"); got != etag(data) {
		t.Errorf("got ETag %s, want %s", got, etag(data))
	}
	converse(t, "PUT", up.text("presigned_url"), data[:1000], length).answer(http.StatusBadRequest)
	s.do("GET", "/v1/buckets/films/uploads/"+up.text("upload_id"), nil).want(http.StatusOK).wantAt("etag", etag(data))
}

// A stream of bytes takes a fixed amount of memory, on the way in and on the way out.
// It is alone while it runs: what others hold would be counted too.
func TestStreamMemory(t *testing.T) {
	const size, most = 48 << 20, 16 << 20
	s := serve(t, nil)
	s.client.Transport = s.client.Transport.(recorded).next // what validation keeps would be counted too
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	s.bring(nil, noise(1<<20)) // what is set up once, is set up
	up := s.announce(map[string]any{"file_size_bytes": size})
	before := live()
	peak := uint64(0)
	watch := func(int) { peak = max(peak, live()) }
	s.anyone().do("PUT", up.text("presigned_url"), &paced{r: io.LimitReader(zeros{}, size), every: 4 << 20, do: watch}).want(http.StatusOK)
	path := "/v1/buckets/films/uploads/" + up.text("upload_id")
	s.do("POST", path+"/confirm", nil).want(http.StatusOK)
	resp, err := s.client.Get(s.do("GET", path+"?return_presigned_urls=true", nil).text("presigned_url"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, &paced{r: resp.Body, every: 4 << 20, do: watch}); n != size || err != nil {
		t.Errorf("got %d bytes, %v, want %d", n, err, size)
	}
	if peak > before+most {
		t.Errorf("the heap grew from %d to %d bytes, want at most %d more", before, peak, most)
	}
}

// live returns how many bytes of the heap are in use.
func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// zeros gives nothing but zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// paced calls do for every so many bytes that are read.
type paced struct {
	r     io.Reader
	every int
	do    func(read int)
	n     int
}

func (p *paced) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if p.n/p.every != (p.n+n)/p.every {
		p.do(p.n + n)
	}
	p.n += n
	return n, err
}
