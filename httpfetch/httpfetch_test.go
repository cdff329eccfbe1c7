package httpfetch_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpfetch"
)

var _ bucketlite.Fetcher = (*httpfetch.Fetcher)(nil)

// secrets is what no error may show.
const secrets = "?token=secret#secret"

// server is a server on loopback that counts its requests.
type server struct {
	*httptest.Server
	port     int
	requests atomic.Int64
}

func serve(t testing.TB, h http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		h(w, r)
	}))
	s.port = s.Listener.Addr().(*net.TCPAddr).Port
	t.Cleanup(s.Close)
	return s
}

// plain starts a server that speaks http.
func plain(t testing.TB, h http.HandlerFunc) *server {
	t.Helper()
	s := serve(t, h)
	s.Start()
	return s
}

// fetcher returns a fetcher of the servers' ports.
func fetcher(t testing.TB, opts httpfetch.Options, servers ...*server) *httpfetch.Fetcher {
	t.Helper()
	for _, s := range servers {
		opts.Ports = append(opts.Ports, s.port)
	}
	f, err := httpfetch.New(&opts)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// fetch reads all that a URL stands for.
func fetch(t testing.TB, f *httpfetch.Fetcher, url string) (data []byte, got *bucketlite.Fetched, err error) {
	t.Helper()
	got, err = f.Fetch(t.Context(), url)
	if err == nil && got != nil {
		defer got.Body.Close()
		data, err = io.ReadAll(got.Body)
	}
	if err != nil && strings.Contains(err.Error(), "secret") {
		t.Errorf("got error %q, which shows a secret", err)
	}
	return data, got, err
}

func wantRefused(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, httpfetch.ErrRefused) {
		t.Errorf("got error %v, want one that is %q", err, httpfetch.ErrRefused)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, opts := range []httpfetch.Options{{MaxBytes: -1}, {Timeout: -1}, {MaxRedirects: -2}, {Ports: []int{0}}, {Ports: []int{80, 65536}}} {
		if _, err := httpfetch.New(&opts); err == nil {
			t.Errorf("%+v: got no error, want one", opts)
		}
	}
	if _, err := httpfetch.New(nil); err != nil {
		t.Errorf("none: got %v, want no error", err)
	}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat([]byte("data "), 100_000)
	var header http.Header
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Set-Cookie", "a=b")
		w.WriteHeader(http.StatusNonAuthoritativeInfo)
		w.Write(data)
	})
	f := fetcher(t, httpfetch.Options{AllowPrivate: true, MaxBytes: int64(len(data))}, s)
	for range 2 {
		got, fetched, err := fetch(t, f, s.URL+"/a/b%20c.txt"+secrets)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("got %d bytes, %v, want %d", len(got), err, len(data))
		}
		if fetched.MIMEType != "text/plain; charset=utf-8" || fetched.Filename != "b c.txt" {
			t.Errorf("got %q, %q, want the type and the name", fetched.MIMEType, fetched.Filename)
		}
		for _, name := range []string{"Cookie", "Referer", "Authorization"} {
			if header.Get(name) != "" {
				t.Errorf("got a header %s: %s, want none", name, header.Get(name))
			}
		}
	}
	for _, other := range []string{"s3://bucket/a", "gs://bucket/a", "file:///etc/passwd"} {
		if got, err := f.Fetch(t.Context(), other); got != nil || err != nil {
			t.Errorf("%s: got %v, %v, want neither a result nor an error", other, got, err)
		}
	}
}

func TestFilename(t *testing.T) {
	t.Parallel()
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		if d := r.URL.Query().Get("disposition"); d != "" {
			w.Header().Set("Content-Disposition", d)
		}
	})
	f := fetcher(t, httpfetch.Options{AllowPrivate: true}, s)
	for _, test := range []struct{ path, disposition, want string }{
		{"", "", ""},
		{"/", "", ""},
		{"/a/", "", ""},
		{"/a/b.png", "", "b.png"},
		{"/a/b%2Fc.png", "", ""},
		{"/a/..%2f..%2fpasswd", "", ""},
		{"/a/b%5Cc.png", "", ""},
		{"/a/%00.png", "", ""},
		{"/a/%ff.png", "", ""},
		{"/a/%2e%2e", "", ""},
		{"/" + strings.Repeat("a", 300), "", ""},
		{"/a.png", `attachment; filename="b.png"`, "b.png"},
		{"/a.png", `attachment; filename*=UTF-8''%e2%82%ac.png`, "€.png"},
		{"/a.png", `inline`, "a.png"},
		{"/a.png", `attachment; filename=""`, "a.png"},
		{"/a.png", `attachment; filename="../../passwd"`, ""},
		{"/a.png", `attachment; filename="C:\\passwd"`, ""},
		{"/a.png", `attachment; filename*=UTF-8''..%2fpasswd`, ""},
		{"/a.png", `; nonsense`, "a.png"},
	} {
		_, got, err := fetch(t, f, s.URL+test.path+"?disposition="+url.QueryEscape(test.disposition))
		if err != nil {
			t.Errorf("%s, %s: %v", test.path, test.disposition, err)
		} else if got.Filename != test.want {
			t.Errorf("%s, %s: got %q, want %q", test.path, test.disposition, got.Filename, test.want)
		}
	}
}

// A URL is checked before any connection is made.
func TestRefusedURLs(t *testing.T) {
	t.Parallel()
	f := fetcher(t, httpfetch.Options{Timeout: time.Hour})
	httpfetch.SetResolver(f, func(context.Context, string, string) (net.Conn, error) {
		t.Error("a name was asked for, want none")
		return nil, errors.New("test error")
	})
	for _, u := range []string{
		"http://user:secret@example.com/", "http://user@example.com/", "https://:secret@example.com/", "http://@example.com/",
		"http:///a", "http:a", "https://", "http://:80/",
		"http://example.com:22/", "https://example.com:8443/", "http://example.com:0/", "http://example.com:99999/", "http://example.com:25" + secrets,
	} {
		_, _, err := fetch(t, f, u)
		if err == nil {
			t.Errorf("%s: got no error, want one", u)
		}
		wantRefused(t, err)
	}
	if _, _, err := fetch(t, f, "http://secret\x00:secret@a/"); err == nil {
		t.Error("no URL: got no error, want one")
	}
}

// However an address is written, the address that is connected to is checked.
func TestRefusedAddresses(t *testing.T) {
	t.Parallel()
	s := plain(t, func(http.ResponseWriter, *http.Request) {})
	f := fetcher(t, httpfetch.Options{}, s)
	for _, host := range []string{
		"127.0.0.1", "localhost", "LOCALHOST", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]",
		"[2002:7f00:1::1]", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254", "[fe80::1]", "[fe80::1%25lo]", "[fd00::1]", "224.0.0.1", "[ff02::1]",
		"255.255.255.255",
	} {
		_, _, err := fetch(t, f, fmt.Sprintf("http://%s:%d/a%s", host, s.port, secrets))
		if !errors.Is(err, httpfetch.ErrRefused) {
			t.Errorf("%s: got error %v, want one that is %q", host, err, httpfetch.ErrRefused)
		}
	}
	if n := s.requests.Load(); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
}

// names answers the DNS questions of a connection: every name has the addresses.
func names(addrs ...string) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			for {
				var size [2]byte // a stream frames its messages
				if _, err := io.ReadFull(server, size[:]); err != nil {
					return
				}
				query := make([]byte, binary.BigEndian.Uint16(size[:]))
				if _, err := io.ReadFull(server, query); err != nil {
					return
				}
				answer := answerTo(query, addrs)
				if _, err := server.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
					return
				}
			}
		}()
		return client, nil
	}
}

// answerTo answers a query of one question.
func answerTo(query []byte, addrs []string) []byte {
	end := 12 // of the question: after its name, a type and a class
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5
	asked := binary.BigEndian.Uint16(query[end-4:])
	answer := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, query[12:end]...)
	for _, text := range addrs {
		addr := netip.MustParseAddr(text)
		kind := uint16(1) // A
		if addr.Is6() {
			kind = 28 // AAAA
		}
		if kind != asked {
			continue
		}
		answer[7]++
		answer = append(answer, 0xc0, 12) // the name of the question
		answer = binary.BigEndian.AppendUint16(answer, kind)
		answer = append(answer, 0, 1, 0, 0, 0, 0)
		answer = binary.BigEndian.AppendUint16(answer, uint16(addr.BitLen()/8))
		answer = append(answer, addr.AsSlice()...)
	}
	return answer
}

// All addresses of a name are checked, not the name.
func TestRefusedNames(t *testing.T) {
	t.Parallel()
	s := plain(t, func(http.ResponseWriter, *http.Request) {})
	for _, addrs := range [][]string{
		{"127.0.0.1"}, {"::1"}, {"::ffff:127.0.0.1"}, {"10.0.0.1"}, {"fd00::1"}, {"169.254.169.254"},
		{"127.0.0.1", "::1"}, {"10.0.0.1", "127.0.0.1"},
	} {
		f := fetcher(t, httpfetch.Options{}, s)
		httpfetch.SetResolver(f, names(addrs...))
		_, _, err := fetch(t, f, fmt.Sprintf("http://files.example.com:%d/a%s", s.port, secrets))
		// Where there is no IPv6, the system refuses it before the fetcher does.
		if err == nil || strings.Contains(addrs[0], ".") && !errors.Is(err, httpfetch.ErrRefused) {
			t.Errorf("%v: got error %v, want one that is %q", addrs, err, httpfetch.ErrRefused)
		}
	}
	if n := s.requests.Load(); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	f := fetcher(t, httpfetch.Options{AllowPrivate: true}, s)
	httpfetch.SetResolver(f, names("127.0.0.1"))
	if _, _, err := fetch(t, f, fmt.Sprintf("http://files.example.com:%d/", s.port)); err != nil {
		t.Errorf("private addresses allowed: got %v, want no error", err)
	}
}

func TestProxyIsNotUsed(t *testing.T) {
	proxy := plain(t, func(http.ResponseWriter, *http.Request) {})
	s := plain(t, func(http.ResponseWriter, *http.Request) {})
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	f := fetcher(t, httpfetch.Options{}, s)
	httpfetch.SetHost(f, fmt.Sprintf("files.example.com:%d", s.port), s.Listener.Addr().String())
	if _, _, err := fetch(t, f, fmt.Sprintf("http://files.example.com:%d/", s.port)); err != nil {
		t.Error(err)
	}
	if n := proxy.requests.Load(); n != 0 {
		t.Errorf("got %d requests to the proxy, want none", n)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	inner := plain(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "secret") })
	var referrer atomic.Value
	referrer.Store("")
	front := plain(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Referer") != "" || r.Header.Get("Cookie") != "" {
			referrer.Store(fmt.Sprint(r.Header))
		}
		n, err := strconv.Atoi(r.URL.Query().Get("more"))
		switch to := r.URL.Query().Get("to"); {
		case to != "":
			w.Header()["Location"] = []string{to}
			w.WriteHeader(http.StatusFound)
		case err == nil && n > 0:
			w.Header().Set("Set-Cookie", "a=b")
			status := []int{301, 302, 303, 307, 308}[n%5]
			http.Redirect(w, r, fmt.Sprintf("/end.txt?more=%d", n-1), status)
		default:
			io.WriteString(w, "end")
		}
	})
	base := fmt.Sprintf("http://files.example.com:%d/a", front.port)
	start := func(opts httpfetch.Options) *httpfetch.Fetcher {
		f := fetcher(t, opts, front, inner)
		httpfetch.SetHost(f, fmt.Sprintf("files.example.com:%d", front.port), front.Listener.Addr().String())
		return f
	}
	for _, test := range []struct{ max, redirects int }{{0, 0}, {0, 1}, {0, 5}, {2, 2}, {-1, 0}} {
		got, fetched, err := fetch(t, start(httpfetch.Options{MaxRedirects: test.max}), fmt.Sprintf("%s?more=%d", base, test.redirects))
		if err != nil || string(got) != "end" {
			t.Errorf("%+v: got %q, %v, want what is at the end", test, got, err)
		} else if want := map[bool]string{true: "a", false: "end.txt"}[test.redirects == 0]; fetched.Filename != want {
			t.Errorf("%+v: got the name %q, want %q", test, fetched.Filename, want)
		}
	}
	for _, test := range []struct{ max, redirects int }{{0, 6}, {0, 1000}, {2, 3}, {-1, 1}} {
		_, _, err := fetch(t, start(httpfetch.Options{MaxRedirects: test.max}), fmt.Sprintf("%s?more=%d", base, test.redirects))
		wantRefused(t, err)
	}
	for _, to := range []string{
		inner.URL + "/" + secrets, fmt.Sprintf("http://localhost:%d/", inner.port), fmt.Sprintf("//127.0.0.1:%d/", inner.port), fmt.Sprintf("http://[::ffff:127.0.0.1]:%d/", inner.port),
		"http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "ftp://example.com/", "gopher://127.0.0.1/", "javascript:secret", "data:,secret",
		fmt.Sprintf("http://user:secret@files.example.com:%d/", front.port), "http://files.example.com:22/",
	} {
		_, _, err := fetch(t, start(httpfetch.Options{}), base+"?to="+url.QueryEscape(to))
		if !errors.Is(err, httpfetch.ErrRefused) {
			t.Errorf("to %s: got error %v, want one that is %q", to, err, httpfetch.ErrRefused)
		}
	}
	if _, _, err := fetch(t, start(httpfetch.Options{}), base+"?to="+url.QueryEscape("http://secret%zz/")); err == nil {
		t.Error("to an invalid URL: got no error, want one")
	}
	if n := inner.requests.Load(); n != 0 {
		t.Errorf("got %d requests within, want none", n)
	}
	if got := referrer.Load(); got != "" {
		t.Errorf("got %v sent along, want neither referrer nor cookie", got)
	}
}

func TestRedirectToPlain(t *testing.T) {
	t.Parallel()
	weak := plain(t, func(http.ResponseWriter, *http.Request) {})
	strong := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/down" {
			http.Redirect(w, r, weak.URL, http.StatusFound)
		}
	})
	strong.StartTLS()
	up := plain(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, strong.URL, http.StatusFound) })
	roots := x509.NewCertPool()
	roots.AddCert(strong.Certificate())
	f := fetcher(t, httpfetch.Options{AllowPrivate: true}, weak, strong, up)
	httpfetch.SetRoots(f, roots)
	if _, _, err := fetch(t, f, up.URL); err != nil {
		t.Errorf("from http to https: got %v, want no error", err)
	}
	_, _, err := fetch(t, f, strong.URL+"/down")
	wantRefused(t, err)
	if n := weak.requests.Load(); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.URL.Query().Get("code"))
		w.WriteHeader(code)
	})
	f := fetcher(t, httpfetch.Options{AllowPrivate: true}, s)
	for _, code := range []int{206, 300, 302, 304, 400, 401, 403, 404, 410, 429, 500, 503, 599} {
		_, _, err := fetch(t, f, fmt.Sprintf("%s/?code=%d&secret", s.URL, code))
		if e, ok := errors.AsType[*httpfetch.StatusError](err); !ok || e.Code != code {
			t.Errorf("%d: got error %v, want the status", code, err)
		}
	}
	for _, code := range []int{200, 201, 204} {
		if _, _, err := fetch(t, f, fmt.Sprintf("%s/?code=%d", s.URL, code)); err != nil {
			t.Errorf("%d: got %v, want no error", code, err)
		}
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	const limit = 100_000
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		if r.URL.Query().Has("announced") {
			w.Header().Set("Content-Length", strconv.Itoa(n))
		}
		piece := make([]byte, 1000)
		for ; n > 0; n -= len(piece) {
			if _, err := w.Write(piece[:min(n, len(piece))]); err != nil {
				return // the client has closed the connection
			}
			w.(http.Flusher).Flush()
		}
	})
	f := fetcher(t, httpfetch.Options{AllowPrivate: true, MaxBytes: limit}, s)
	for _, n := range []int{0, 1, limit - 1, limit, limit + 1, 1 << 40} {
		for _, how := range []string{"", "&announced"} {
			got, _, err := fetch(t, f, fmt.Sprintf("%s/?n=%d%s", s.URL, n, how))
			if n <= limit {
				if err != nil || len(got) != n {
					t.Errorf("%d%s: got %d bytes, %v, want all", n, how, len(got), err)
				}
				continue
			}
			wantRefused(t, err)
			if len(got) > limit {
				t.Errorf("%d%s: got %d bytes, want %d at most", n, how, len(got), limit)
			}
		}
	}
}

// Bytes are not unpacked: a small answer cannot become a large one, and what is
// packed on the way is not what was asked for.
func TestCompression(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(make([]byte, 1<<20))
	w.Close()
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("got Accept-Encoding %q, want identity", got)
		}
		if r.URL.Path == "/encoded" {
			w.Header().Set("Content-Encoding", "gzip")
		}
		w.Write(packed.Bytes())
	})
	f := fetcher(t, httpfetch.Options{AllowPrivate: true}, s)
	if got, _, err := fetch(t, f, s.URL+"/a.gz"); err != nil || !bytes.Equal(got, packed.Bytes()) {
		t.Errorf("got %d bytes, %v, want them as they are", len(got), err)
	}
	_, _, err := fetch(t, f, s.URL+"/encoded")
	wantRefused(t, err)
}

// A server that stands still, at whatever point, is given up.
func TestStalled(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			io.WriteString(w, "beginning")
			w.(http.Flusher).Flush()
		}
		select {
		case <-end:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(end) }) // before the server is closed
	f := fetcher(t, httpfetch.Options{AllowPrivate: true, Timeout: 200 * time.Millisecond}, s)
	for _, path := range []string{"/", "/body"} {
		if _, _, err := fetch(t, f, s.URL+path+secrets); !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got error %v, want one that is %q, and not the context's", path, err, os.ErrDeadlineExceeded)
		}
	}

	f = fetcher(t, httpfetch.Options{AllowPrivate: true}, s)
	ctx, cancel := context.WithCancel(t.Context())
	got, err := f.Fetch(ctx, s.URL+"/body")
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if _, err := io.ReadFull(got.Body, make([]byte, len("beginning"))); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(got.Body); err != context.Canceled {
		t.Errorf("got error %v, want exactly the context's", err)
	}
	if _, err := f.Fetch(ctx, s.URL); err != context.Canceled {
		t.Errorf("got error %v, want exactly the context's", err)
	}
}

// A connection that ends too soon has not given everything.
func TestCutShort(t *testing.T) {
	t.Parallel()
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/announced" {
			w.Header().Set("Content-Length", "1000")
		}
		io.WriteString(w, "beginning")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	f := fetcher(t, httpfetch.Options{AllowPrivate: true}, s)
	for _, path := range []string{"/", "/announced"} {
		if _, _, err := fetch(t, f, s.URL+path); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: got error %v, want one that is %q", path, err, io.ErrUnexpectedEOF)
		}
	}
}

func TestEndlessHeader(t *testing.T) {
	t.Parallel()
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		for i := range 100 {
			w.Header().Set(fmt.Sprint("A", i), strings.Repeat("a", 1000))
		}
	})
	if _, _, err := fetch(t, fetcher(t, httpfetch.Options{AllowPrivate: true}, s), s.URL); err == nil {
		t.Error("got no error, want one")
	}
}

// In a store, what was refused is a fault of the input, and nothing is stored.
func TestInStore(t *testing.T) {
	t.Parallel()
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/notes.txt":
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, "Shot in May.")
		case "/page.png":
			w.Header().Set("Content-Type", "image/png")
			io.WriteString(w, "<!DOCTYPE html><html><body>Sign in</body></html>")
		case "/endless":
			for {
				if _, err := io.WriteString(w, strings.Repeat("a", 4096)); err != nil {
					return
				}
			}
		default:
			http.NotFound(w, r)
		}
	})
	open := func(opts httpfetch.Options) *bucketlite.Bucket {
		ctx := t.Context()
		st, err := bucketlite.Open(ctx, ":memory:", &bucketlite.Options{Fetcher: fetcher(t, opts, s)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "n"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "b", Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"notes": {Type: bucketlite.Text}, "image": {Type: bucketlite.Image}, "video": {Type: bucketlite.Video},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	lax := httpfetch.Options{AllowPrivate: true, MaxBytes: 1 << 20}
	for name, test := range map[string]struct {
		opts           httpfetch.Options
		property, path string
		rule           string // "" if it is stored
		want           error
	}{
		"text":      {lax, "notes", "/notes.txt", "", nil},
		"wrong":     {lax, "image", "/page.png", "mime", bucketlite.ErrInvalid},
		"not there": {lax, "image", "/none", "fetch", bucketlite.ErrInvalid},
		"endless":   {lax, "notes", "/endless", "fetch", httpfetch.ErrRefused},
		"private":   {httpfetch.Options{}, "notes", "/notes.txt", "fetch", httpfetch.ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(test.opts)
			res, err := b.Put(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: test.property, Data: s.URL + test.path + secrets}}}, nil)
			if test.rule == "" {
				if err != nil {
					t.Fatal(err)
				}
				if d := res.Object.Blobs[0].Details; d.Size != 12 || d.Filename != "notes.txt" || d.MIMEType != "text/plain" {
					t.Errorf("got %+v, want the text's", d)
				}
				return
			}
			e, ok := errors.AsType[*bucketlite.ValidationError](err)
			if !ok || len(e.Issues) != 1 || e.Issues[0].Rule != test.rule || !errors.Is(err, test.want) {
				t.Fatalf("got error %v, want one of rule %q that is %q", err, test.rule, test.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("got error %q, which shows a secret", err)
			}
			stats, err := b.Stats(t.Context())
			if err != nil || stats.ObjectCount != 0 {
				t.Errorf("got %+v, %v, want no object", stats, err)
			}
		})
	}
}
