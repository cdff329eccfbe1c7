// Package httpfetch fetches the content of http and https URLs for a store: a [Fetcher]
// goes into the Options of package bucketlite.
//
// It is made for URLs from people one does not know. It bounds size and time, and
// connects only to public addresses: it is no way into the network it runs in.
// Addresses are checked after names have been resolved, at the moment of each
// connection, also after redirects.
package httpfetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/filename"
)

// ErrRefused matches errors of the fetcher's own rules: a forbidden address, port,
// redirect or size.
var ErrRefused = errors.New("httpfetch: refused")

// StatusError reports an answer whose status is not 2xx, or is 206.
type StatusError struct {
	// Code is the HTTP status code.
	Code int
}

func (e *StatusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("httpfetch: the server answered with status %d %s", e.Code, http.StatusText(e.Code)))
}

// Options are the bounds of a [Fetcher]. Zero values mean the defaults.
type Options struct {
	// MaxBytes bounds the bytes of one URL. Default: 256 MiB.
	MaxBytes int64
	// Timeout bounds the time of one URL, from the lookup of its host to the last byte. Default: 60 s.
	Timeout time.Duration
	// MaxRedirects bounds the number of redirects that are followed; -1 means none.
	// Default: 5.
	MaxRedirects int
	// Ports are the ports that URLs may name. Default: 80 and 443.
	Ports []int
	// AllowPrivate permits every address, also of the machine itself, its network and
	// other non-public ones. It is for tests, and for intranets with trusted URLs.
	AllowPrivate bool
}

func (o *Options) withDefaults() (Options, error) {
	var opts Options
	if o != nil {
		opts = *o
	}
	switch {
	case opts.MaxBytes < 0:
		return opts, fmt.Errorf("httpfetch: MaxBytes: got %d, want 0 or more", opts.MaxBytes)
	case opts.Timeout < 0:
		return opts, fmt.Errorf("httpfetch: Timeout: got %s, want 0 or more", opts.Timeout)
	case opts.MaxRedirects < -1:
		return opts, fmt.Errorf("httpfetch: MaxRedirects: got %d, want -1 or more", opts.MaxRedirects)
	}
	for _, port := range opts.Ports {
		if port < 1 || port > 65535 {
			return opts, fmt.Errorf("httpfetch: Ports: got %d, want 1 to 65535", port)
		}
	}
	opts.Ports = slices.Clone(opts.Ports)
	if opts.MaxBytes == 0 {
		opts.MaxBytes = 256 << 20
	}
	if opts.Timeout == 0 {
		opts.Timeout = time.Minute
	}
	if opts.MaxRedirects == 0 {
		opts.MaxRedirects = 5
	}
	if len(opts.Ports) == 0 {
		opts.Ports = []int{80, 443}
	}
	return opts, nil
}

// maxHeaderBytes bounds the header of an answer.
const maxHeaderBytes = 64 << 10

// Fetcher implements [bucketlite.Fetcher] for http and https. It is safe for
// concurrent use, and holds no connection open between calls.
type Fetcher struct {
	opts      Options
	dialer    net.Dialer
	transport *http.Transport
}

// New returns a fetcher; nil options mean the defaults. It fails if an option is
// out of range.
func New(opts *Options) (*Fetcher, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	f := &Fetcher{opts: o}
	f.dialer.Control = f.control
	f.transport = &http.Transport{
		// No Proxy: one from the environment would connect in our stead, to
		// addresses that we do not see.
		DialContext:            f.dialer.DialContext,
		DisableCompression:     true, // a size is bounded that is known
		DisableKeepAlives:      true, // there is no moment to close idle connections
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
	return f, nil
}

// Fetch begins to read the content of an http or https URL. For URLs of other schemes
// it returns nil and no error, and they stay references.
//
// The final answer must be of status 2xx, and complete. Its MIME type is that of
// the Content-Type header; its filename that of Content-Disposition, or the last
// element of the URL's path, if it is a proper filename, or none. No cookies,
// credentials or referrers are sent.
//
// Errors: [ErrRefused], [*StatusError], [os.ErrDeadlineExceeded] if it takes longer
// than Options.Timeout, the context's, and those of the network. The body's Read
// returns the same. They name the host at most, never the path, the query or the
// user.
func (f *Fetcher) Fetch(ctx context.Context, rawURL string) (*bucketlite.Fetched, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("httpfetch: the URL cannot be parsed") // the cause quotes it
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, nil
	}
	c := &call{fetcher: f}
	c.ctx, c.cancel = context.WithTimeoutCause(ctx, f.opts.Timeout, errTimeout)
	resp, err := c.follow(u)
	if err == nil {
		err = c.accept(resp)
	}
	if err != nil {
		c.cancel()
		return nil, err
	}
	c.body, c.left = resp.Body, f.opts.MaxBytes
	return &bucketlite.Fetched{
		Body:     c,
		MIMEType: resp.Header.Get("Content-Type"),
		Filename: filenameOf(resp),
	}, nil
}

// control checks the address of a connection that is about to be made. The
// resolver has spoken by then, so that no name can mean one thing here and
// another to the connection.
func (f *Fetcher) control(network, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return refused("the address %q", address)
	}
	return f.admit(addr.Addr())
}

// admit refuses addresses that are not public.
func (f *Fetcher) admit(addr netip.Addr) error {
	if what := special(addr); what != "" && !f.opts.AllowPrivate {
		return refused("the address %s, which is %s", addr, what)
	}
	return nil
}

// check checks a URL before any connection is made.
func (f *Fetcher) check(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" {
		return refused("the scheme %q", u.Scheme)
	}
	host := u.Hostname()
	if host == "" || u.Opaque != "" {
		return refused("a URL without a host")
	}
	if u.User != nil {
		return refused("credentials in a URL of host %q", host)
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	if n, err := strconv.Atoi(port); err != nil || !slices.Contains(f.opts.Ports, n) {
		return refused("port %s of host %q", port, host)
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return f.admit(addr) // no name: there is nothing to wait for
	}
	return nil
}

// call is one Fetch, and then the body of its result.
type call struct {
	fetcher *Fetcher
	ctx     context.Context
	cancel  context.CancelFunc
	body    io.ReadCloser
	left    int64 // bytes that may still come
}

// follow requests u and follows its redirects. It does so itself, since the requests of an
// [http.Client] carry over a referrer, and its errors quote URLs.
func (c *call) follow(u *url.URL) (*http.Response, error) {
	for redirects := 0; ; redirects++ {
		if err := c.fetcher.check(u); err != nil {
			return nil, err
		}
		req := (&http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{
			"User-Agent":      {"bucketlite"},
			"Accept-Encoding": {"identity"},
		}}).WithContext(c.ctx)
		resp, err := c.fetcher.transport.RoundTrip(req)
		if err != nil {
			return nil, c.explain(err)
		}
		next, err := target(resp, u)
		if next == nil && err == nil {
			return resp, nil
		}
		resp.Body.Close()
		switch {
		case err != nil:
			return nil, err
		case redirects >= c.fetcher.opts.MaxRedirects:
			return nil, refused("more than %d redirects", max(c.fetcher.opts.MaxRedirects, 0))
		case u.Scheme == "https" && next.Scheme == "http":
			return nil, refused("a redirect from https to http, to host %q", next.Hostname())
		}
		u = next
	}
}

// target returns where an answer of u redirects to, nil if it does not.
func target(resp *http.Response, u *url.URL) (*url.URL, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	location := resp.Header.Get("Location")
	if location == "" {
		return nil, nil // its status says enough
	}
	next, err := u.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("httpfetch: host %q redirects to an invalid URL", u.Hostname())
	}
	return next, nil
}

// accept refuses answers that are incomplete or encoded.
func (c *call) accept(resp *http.Response) error {
	var err error
	encoding := resp.Header.Get("Content-Encoding")
	switch limit := c.fetcher.opts.MaxBytes; {
	case resp.StatusCode < 200 || resp.StatusCode > 299 || resp.StatusCode == http.StatusPartialContent:
		err = &StatusError{resp.StatusCode}
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		err = refused("the content encoding %q", encoding)
	case resp.ContentLength > limit:
		err = refused("%d bytes, more than %d", resp.ContentLength, limit)
	}
	if err != nil {
		resp.Body.Close()
	}
	return err
}

// Read implements [io.Reader].
func (c *call) Read(p []byte) (n int, err error) {
	if int64(len(p)) > c.left+1 { // one more tells that there are too many
		p = p[:c.left+1]
	}
	n, err = c.body.Read(p)
	if c.left -= int64(n); c.left < 0 {
		c.left = 0
		return n - 1, refused("more than %d bytes", c.fetcher.opts.MaxBytes)
	}
	if err != nil && err != io.EOF {
		err = c.explain(err)
	}
	return n, err
}

// Close ends the connection.
func (c *call) Close() error {
	c.cancel()
	return c.body.Close()
}

var errTimeout = errors.New("timeout")

// explain returns the meaning of an error of the network. The timeout and the end of
// the caller's context take precedence.
func (c *call) explain(err error) error {
	switch {
	case context.Cause(c.ctx) == errTimeout:
		return fmt.Errorf("httpfetch: not done within %s: %w", c.fetcher.opts.Timeout, os.ErrDeadlineExceeded)
	case c.ctx.Err() != nil:
		return c.ctx.Err()
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		return r // the dialer would put the address in front once more
	}
	return fmt.Errorf("httpfetch: %w", err)
}

// filenameOf returns the filename of an answer, or "" if it is invalid. Names are not repaired: an invalid name may be an attack.
func filenameOf(resp *http.Response) string {
	if _, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition")); err == nil && params["filename"] != "" {
		return proper(params["filename"])
	}
	path := resp.Request.URL.EscapedPath()
	name, err := url.PathUnescape(path[strings.LastIndexByte(path, '/')+1:])
	if err != nil {
		return ""
	}
	return proper(name)
}

func proper(name string) string {
	if filename.Check(name) != nil {
		return ""
	}
	return name
}

// refusal is the error of a rule of the fetcher.
type refusal struct{ what string }

func (e *refusal) Error() string { return ErrRefused.Error() + ": " + e.what }

func (e *refusal) Unwrap() error { return ErrRefused }

func refused(format string, args ...any) error { return &refusal{fmt.Sprintf(format, args...)} }
