package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/thumb"
)

// Options adjust a handler. The zero Options, and nil, mean the defaults.
type Options struct {
	// Keys are the API keys. Default: none, and every request that needs a key is
	// refused.
	Keys []Key
	// DefaultNamespace is the name or id of the namespace of requests without
	// X-Namespace. Default: none, and such a request is refused.
	DefaultNamespace string
	// PublicURL is the beginning of signed URLs, as in
	// "https://media.example.com/store", at most 1024 bytes. A proxy must remove its
	// path from requests. Default: "http://", or "https://" over TLS, and the Host of
	// the request.
	PublicURL string
	// SigningKey is the secret that signs URLs, 32 bytes or more. Default: a random
	// one, so URLs are valid only as long as the handler.
	SigningKey []byte
	// MaxBodyBytes bounds the JSON body of a request with objects. Other bodies are
	// bounded by it too, and by 16 MiB for ids and uploads, 3 MiB for a bucket or a
	// namespace, and 1 MiB for any other form. A body has at most one value per 192
	// bytes of its limit, or 16,384 if that is more. The store bounds uploaded bytes.
	// Default: 64 MiB.
	MaxBodyBytes int64
	// QueryTimeout bounds the time of a request that only reads: lists, aggregates,
	// statistics, analytics, explanations, validation. It includes
	// waiting for other queries, but not receiving the body. A request that takes longer
	// gets status 503. Streams of events and downloads have no such bound.
	// Default: 30 s.
	QueryTimeout time.Duration
	// MaxStreams bounds the number of open event streams, and MaxStreamsPerKey those of
	// one key. Further streams are refused with 503 or 429. Each takes about 50 KiB, and
	// 30 more while its client does not read. Default: 1024 and 256.
	MaxStreams, MaxStreamsPerKey int
	// MaxTransfers bounds the number of requests to signed URLs that run at once.
	// Further ones are refused with 503. Each takes up to 1.5 MiB. Default: 256.
	MaxTransfers int
	// CORSOrigins are the origins of web pages that may use the API from a browser, such as
	// "http://localhost:5173": a scheme, a host, and a port unless it is the default. "*" alone
	// means any. The pages need a key or a signed URL, as all clients do; cookies are never
	// allowed. /docs and the handlers of [Handler.Mount] are not included. Default: none.
	CORSOrigins []string
	// TempDir is the directory in which [Handler.Backup] makes its file, which is as large as
	// the store. Default: [os.TempDir].
	TempDir string
	// Logger logs each request, without its query, body and key, and every error.
	// Default: nothing is logged.
	Logger *slog.Logger
	// Now is the clock for the expiry of signed URLs and the end of analytics. Default: time.Now.
	Now func() time.Time
}

// The bounds that are not options.
const (
	defaultMaxBodyBytes = 64 << 20
	minSigningKey       = 32
	// patience is how long the peer may take over a request's JSON, over reading
	// the answer, or over the next bytes of a stream.
	patience = time.Minute
	// heartbeat is how often a stream of events shows that it is alive.
	heartbeat = 15 * time.Second
)

// Handler serves a store. It is safe for concurrent use.
type Handler struct {
	store   *bucketlite.Store
	opts    Options
	keys    keyring
	public  *url.URL // nil to take the request's host
	sharing sharing
	mux     *http.ServeMux
	mounts  []mount
	keyless map[string]bool // the patterns of the routes that need no key
	pages   docsPages
	sums    sums
	most    int // latencies of an analysis: maxLatencies, but in tests
	metrics *metrics
	thumbs  *thumb.Cache

	streams, transfers, answers, exports *gate

	checking sync.Mutex
	check    *Check     // the last one, guarded by checking
	backup   sync.Mutex // held while there is a file of a backup

	closing chan struct{}
	close   sync.Once

	patience, heartbeat, drainTime time.Duration // as the constants say, but in tests
}

// New returns a handler for the store. The caller closes the store after the last
// request. The options are copied. The error names an invalid option.
func New(store *bucketlite.Store, opts *Options) (*Handler, error) {
	h := &Handler{store: store, thumbs: thumb.New(thumbCacheBytes), closing: make(chan struct{}), patience: patience, heartbeat: heartbeat, drainTime: drainTime}
	if opts != nil {
		h.opts = *opts
	}
	var err error
	if h.keys, err = newKeyring(h.opts.Keys); err != nil {
		return nil, err
	}
	h.opts.Keys = nil // their secrets are not kept
	if h.opts.PublicURL != "" {
		h.public, err = url.Parse(h.opts.PublicURL)
		if err != nil || h.public.Scheme != "http" && h.public.Scheme != "https" || h.public.Host == "" || h.public.User != nil ||
			h.public.RawQuery != "" || h.public.Fragment != "" {
			// It is not quoted, since there may be a password in it.
			return nil, errors.New("httpapi: PublicURL: a URL of http or https expected, with a host and at most a path")
		}
		if n := len(h.public.String()); n > maxBase {
			return nil, fmt.Errorf("httpapi: PublicURL: at most %d bytes expected, got %d", maxBase, n)
		}
	}
	switch n := len(h.opts.SigningKey); {
	case n == 0:
		h.opts.SigningKey = make([]byte, minSigningKey)
		rand.Read(h.opts.SigningKey)
	case n < minSigningKey:
		return nil, fmt.Errorf("httpapi: SigningKey: %d bytes or more expected, got %d", minSigningKey, n)
	default:
		h.opts.SigningKey = append([]byte(nil), h.opts.SigningKey...)
	}
	if h.sharing, err = newSharing(h.opts.CORSOrigins); err != nil {
		return nil, err
	}
	h.opts.CORSOrigins = slices.Clone(h.opts.CORSOrigins)
	for i := range h.keys {
		h.keys[i].id = hex.EncodeToString(h.Sign("id of a key", h.keys[i].hash[:])[:accessIDBytes])
	}
	if h.opts.MaxBodyBytes < 0 {
		return nil, fmt.Errorf("httpapi: MaxBodyBytes: got %d, want 0 or more", h.opts.MaxBodyBytes)
	}
	if h.opts.MaxBodyBytes == 0 {
		h.opts.MaxBodyBytes = defaultMaxBodyBytes
	}
	if h.opts.QueryTimeout < 0 {
		return nil, fmt.Errorf("httpapi: QueryTimeout: got %s, want 0 or more", h.opts.QueryTimeout)
	}
	if h.opts.QueryTimeout == 0 {
		h.opts.QueryTimeout = defaultQueryTimeout
	}
	for _, o := range []struct {
		most      *int
		otherwise int
	}{
		{&h.opts.MaxStreams, defaultMaxStreams}, {&h.opts.MaxStreamsPerKey, defaultMaxStreamsPerKey}, {&h.opts.MaxTransfers, defaultMaxTransfers},
	} {
		switch {
		case *o.most < 0:
			return nil, fmt.Errorf("httpapi: MaxStreams, MaxStreamsPerKey and MaxTransfers: got %d, want 0 or more", *o.most)
		case *o.most == 0:
			*o.most = o.otherwise
		}
	}
	if h.opts.TempDir == "" {
		h.opts.TempDir = os.TempDir()
	} else if info, err := os.Stat(h.opts.TempDir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("httpapi: TempDir: got %q, want a directory", h.opts.TempDir)
	}
	if h.opts.Logger == nil {
		h.opts.Logger = slog.New(slog.DiscardHandler)
	}
	if h.opts.Now == nil {
		h.opts.Now = time.Now
	}
	h.most = maxLatencies
	h.metrics = newMetrics(store, h.opts.Logger)
	h.streams = newGate("streams of events", h.opts.MaxStreams, h.opts.MaxStreamsPerKey, h.metrics.streams)
	h.transfers = newGate("uploads and downloads", h.opts.MaxTransfers, 0, h.metrics.transfers)
	h.exports = newGate("exports", maxExports, maxExportsPerKey, h.metrics.exports)
	h.answers = newGate("bytes of large answers", maxAnswerBytes, maxAnswerBytesPerKey, h.metrics.answers)
	h.answers.oneStatus = true // which every route that reads has
	h.mux = http.NewServeMux()
	h.keyless = make(map[string]bool)
	writing := make(map[string]bool)
	for _, r := range routes {
		h.mux.Handle(r.pattern, h.serve(r))
		h.keyless[r.pattern] = r.access < keyed
		writing[unnamed(r.pattern)] = r.effect == writes
	}
	h.pages = h.newDocsPages(writing)
	h.mux.HandleFunc("/", h.nowhere)
	return h, nil
}

// Close ends the streams of events, which would last forever, a check and the copying of a
// backup, and refuses new ones. Other requests are not affected. It is for [http.Server.RegisterOnShutdown].
func (h *Handler) Close() { h.close.Do(func() { close(h.closing) }) }

// ServeHTTP serves one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := &answer{ResponseWriter: w, id: requestID(r), began: time.Now(), proto: r.ProtoMajor, drainTime: h.drainTime}
	w.Header().Set("X-Request-Id", a.id)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Body != nil && r.Body != http.NoBody {
		// In a copy: the server checks its own for "100 Continue".
		counted := *r
		a.body = &requestBody{ReadCloser: r.Body, length: r.ContentLength, expects: r.Header.Get("Expect") != ""}
		counted.Body = a.body
		r = &counted
	}
	h.metrics.began()
	defer a.linger() // when the request counts no more
	defer func() {
		// Also for a connection that is to be cut.
		defer h.log(a, r)
		defer h.metrics.ended(a, r)
		if p := recover(); p != nil {
			h.panicked(a, r, p)
		}
	}()
	if m := h.mounted(r.URL); m != nil {
		h.serveMounted(m, a, r)
		return
	}
	if h.share(a, r) {
		return
	}
	var target *http.Request
	if target, a.slash = trimmed(r); routed(target.URL) {
		h.mux.ServeHTTP(a, target)
	} else {
		h.nowhere(a, target)
	}
}

// panicked answers a request whose handler panicked.
func (h *Handler) panicked(a *answer, r *http.Request, p any) {
	if p == http.ErrAbortHandler { // the connection is to be cut
		a.lingers = false
		panic(p)
	}
	h.opts.Logger.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("request_id", a.id),
		slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
	if a.status != 0 {
		a.lingers = false
		panic(http.ErrAbortHandler) // half an answer must not look whole
	}
	a.fail(r.Context(), h, errors.New("panic"))
}

// log tells of a request that has been answered. The path may be named, since no
// secret is in it; the query may be not, for it has the signatures.
func (h *Handler) log(a *answer, r *http.Request) {
	level := slog.LevelInfo
	if a.status >= 500 || errors.Is(a.err, bucketlite.ErrCorrupt) { // which may show when the answer has begun
		level = slog.LevelError
	}
	if !h.opts.Logger.Enabled(r.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", a.id), slog.String("method", r.Method), slog.String("path", r.URL.EscapedPath()),
		slog.Int("status", a.status), slog.Int64("bytes", a.bytes), slog.Duration("duration", time.Since(a.began)),
	}
	if a.key != "" {
		attrs = append(attrs, slog.String("key", a.key))
	}
	switch {
	case a.err == nil:
	case level == slog.LevelError:
		attrs = append(attrs, slog.String("error", a.err.Error()))
	default: // the text of a client's error contains the client's data
		_, kind := classify(a.err)
		attrs = append(attrs, slog.String("error_type", kind))
	}
	h.opts.Logger.LogAttrs(context.WithoutCancel(r.Context()), level, "request", attrs...)
}

// requestID returns the id the client gave, if it is a sane one, else a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	sane := len(id) > 0 && len(id) <= 128
	for i := 0; sane && i < len(id); i++ {
		sane = id[i] > ' ' && id[i] < 0x7f
	}
	if sane {
		return id
	}
	return "req_" + rand.Text()
}
