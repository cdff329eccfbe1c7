package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
	"github.com/bucketlite/bucketlite/httpapi/console"
	"github.com/bucketlite/bucketlite/httpfetch"
	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
)

// The variables that hold secrets, so that these need not be on the command line,
// which others can see.
const (
	keyVariable     = "BUCKETLITE_API_KEY"
	signingVariable = "BUCKETLITE_SIGNING_KEY"
)

// The server's patience. The handler itself bounds how long a body and an answer take.
const (
	headerTime     = 10 * time.Second
	idleTime       = 2 * time.Minute
	maxHeaderBytes = 64 << 10
)

// spareHeap is memory that the server holds and never touches, so that the system
// gives it none. The collector takes it into account: without, a heap as small as the
// server's is collected thirty times a second under load, a fifth of all its time. With
// a higher percentage instead, a large heap would grow by as much again.
const spareHeap = 64 << 20

// serveFlags are the flags of "serve".
type serveFlags struct {
	addr, publicURL      string
	keys                 []string
	keyFile, signingFile string
	defaultNamespace     string
	durability           string
	plainIO              bool
	maxBody, maxPage     string
	tempDir              string
	corsOrigins          []string
	corsAny              bool
	readOnly, fetch      bool
	console              bool
	shutdown             time.Duration
	queryTimeout         time.Duration
	maxStreams           int
	maxStreamsPerKey     int
	maxTransfers         int
	processor            string
	processorArgs        []string
	processorTimeout     time.Duration
	logFormat, logLevel  string
}

func newServeCommand(a *app) *cobra.Command { return newServeCommandWith(a, new(serveFlags)) }

// newServeCommandWith is newServeCommand for flags that go to f.
func newServeCommandWith(a *app, f *serveFlags) *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve a store over HTTP, in the form of the hosted service",
		Long: `Serve a store over HTTP, in the form of the hosted service's bucket API. Clients of
that service work unchanged. The file is created if it does not exist; --db :memory:
serves a store that ends with the server. /docs documents the API, and /console/ shows
the store in a browser. To a terminal the server prints a link that signs in there once.

Every request needs a key from --api-key, --api-key-file or the variable
` + keyVariable + `. Without any, the server makes a key and prints it, and
refuses an address that other machines can reach. The server does not speak TLS: put
a proxy in front of it. A file of keys has one key a line: the secret, or "sha256:"
and its hash, and optionally name=N, namespaces=A,B and read-only, separated by
spaces. # begins a comment.

Web pages of other origins may use the server from a browser only if --cors-origin
names their origin. They need a key like all clients.

Requests name their namespace in the header X-Namespace. --default-namespace is for
clients that do not; it is created if it does not exist.

--processor decides what processes the objects of submitted batches:

  complete     nothing; every object becomes COMPLETED (the default)
  none         another program, which calls Process
  exec=PROGRAM a program, run for each object with the object as JSON on standard
               input, and BUCKETLITE_BATCH_ID, BUCKETLITE_BUCKET_ID,
               BUCKETLITE_BUCKET_NAME and BUCKETLITE_ATTEMPT in its environment.
               Exit status 0 means success. After a failure, the end of standard
               error is the reason. No shell is involved: each --processor-arg is
               one argument.
  webhook=URL  a web server. {"bucket_id", "bucket_name", "batch_id", "attempt",
               "object"} is posted as JSON. A status from 200 to 299 means success.
               Redirects are not followed.

A failed object is tried three times, with pauses.

SIGINT or SIGTERM stops the server. It takes no new connections, waits for running
requests up to --shutdown-timeout, and exits with code 0. Objects that are being
processed are processed again next time. A second signal ends the program at once.`,
		Example: `  bucketlite serve --db media.db --default-namespace production
  bucketlite serve --db media.db --addr 0.0.0.0:8080 --api-key-file keys.txt --public-url https://media.example.com
  bucketlite serve --db media.db --processor exec=python3 --processor-arg embed.py`,
		Args: cobra.NoArgs,
	}
	flags := c.Flags()
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8080", "the `address` to listen on; port 0 means any free port")
	flags.StringArrayVar(&f.keys, "api-key", nil, "an API `key` (may be repeated; "+keyVariable+" is another)")
	flags.StringVar(&f.keyFile, "api-key-file", "", "a `file` of API keys")
	flags.StringVar(&f.defaultNamespace, "default-namespace", "", "the namespace, by `name` or id, of requests that name none")
	flags.StringVar(&f.publicURL, "public-url", "", "the `URL` at which clients reach the server, if it is behind a proxy")
	flags.StringVar(&f.signingFile, "signing-key-file", "", "a `file` with the secret that signs upload and download URLs, 32 bytes or more (or "+signingVariable+"); without it, URLs end with the server")
	flags.StringVar(&f.durability, "durability", "full", "what an acknowledged write survives: full (a power cut) or normal (a crash of the program)")
	flags.BoolVar(&f.plainIO, "plain-io", false, "write and watch the write-ahead log as SQLite does by itself, on a file system you do not trust with more")
	flags.StringVar(&f.maxBody, "max-body", "64MiB", "the largest JSON body of a request, as a `size`")
	flags.StringVar(&f.maxPage, "max-page", "32MiB", "the largest page of a list in stored bytes, as a `size`; the server holds as much for each list")
	flags.IntVar(&f.maxStreams, "max-streams", 1024, "the largest number of event streams at once; each takes about 50 KiB")
	flags.IntVar(&f.maxStreamsPerKey, "max-streams-per-key", 256, "the largest number of event streams for one key")
	flags.IntVar(&f.maxTransfers, "max-transfers", 256, "the largest number of uploads and downloads by signed URLs at once; each takes up to 1.5 MiB")
	flags.DurationVar(&f.queryTimeout, "query-timeout", 30*time.Second, "the time limit of a request that only reads")
	flags.StringSliceVar(&f.corsOrigins, "cors-origin", nil, "an `origin` whose web pages may use the server, such as http://localhost:5173 (may be repeated; * means any, if only this machine reaches the server)")
	flags.BoolVar(&f.corsAny, "cors-any", false, "let web pages of any origin use the server, even if other machines reach it")
	c.MarkFlagsMutuallyExclusive("cors-origin", "cors-any")
	flags.StringVar(&f.tempDir, "temp-dir", "", "the `directory` in which a backup is made before it is sent; default: that of the system")
	flags.BoolVar(&f.console, "console", false, "serve the console for browsers, at /console/ (default true if only this machine reaches the address)")
	flags.BoolVar(&f.readOnly, "read-only", false, "refuse writes")
	flags.BoolVar(&f.fetch, "fetch", false, "fetch and store the content of blobs given as http and https URLs; the default is to keep the URLs")
	flags.StringVar(&f.processor, "processor", "complete", "what processes submitted objects: complete, none, exec=PROGRAM or webhook=URL")
	flags.StringArrayVar(&f.processorArgs, "processor-arg", nil, "an `argument` of the program of --processor exec (may be repeated)")
	flags.DurationVar(&f.processorTimeout, "processor-timeout", 5*time.Minute, "the time limit of processing one object")
	flags.DurationVar(&f.shutdown, "shutdown-timeout", 30*time.Second, "the time limit of running requests when the server stops")
	flags.StringVar(&f.logFormat, "log-format", "text", "the format of the log, on standard error: text or json")
	flags.StringVar(&f.logLevel, "log-level", "info", "the lowest level that is logged: debug, info, warn or error")
	for name, values := range map[string][]string{
		"durability": {"full", "normal"}, "log-format": {"text", "json"}, "log-level": {"debug", "info", "warn", "error"},
		"processor": {"complete", "none", "exec=", "webhook="},
	} {
		c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if !flags.Changed("console") {
			f.console = loopback(f.addr)
		}
		return a.serve(cmd.Context(), f)
	}
	return c
}

// serve runs a server until ctx ends.
func (a *app) serve(ctx context.Context, f *serveFlags) (err error) {
	logger, err := f.logger(a.err)
	if err != nil {
		return err
	}
	process, err := f.newProcessor()
	if err != nil {
		return err
	}
	opts := &httpapi.Options{DefaultNamespace: f.defaultNamespace, PublicURL: f.publicURL, TempDir: f.tempDir, Logger: logger}
	if opts.MaxBodyBytes, err = sizeFlag("max-body", f.maxBody); err != nil {
		return err
	}
	maxPage, err := sizeFlag("max-page", f.maxPage)
	if err != nil {
		return err
	}
	for name, n := range map[string]int{"max-streams": f.maxStreams, "max-streams-per-key": f.maxStreamsPerKey, "max-transfers": f.maxTransfers} {
		if n < 1 {
			return usagef("--%s: 1 or more expected, got %d", name, n)
		}
	}
	opts.MaxStreams, opts.MaxStreamsPerKey, opts.MaxTransfers = f.maxStreams, f.maxStreamsPerKey, f.maxTransfers
	if f.queryTimeout <= 0 {
		return usagef("--query-timeout: more than 0 expected, got %s", f.queryTimeout)
	}
	opts.QueryTimeout = f.queryTimeout
	if opts.CORSOrigins, err = f.origins(); err != nil {
		return err
	}
	if opts.Keys, err = f.apiKeys(ctx, a); err != nil {
		return err
	}
	made := ""
	if len(opts.Keys) == 0 {
		if !loopback(f.addr) {
			return usagef("other machines can reach %s: give a key with --api-key, --api-key-file or %s", f.addr, keyVariable)
		}
		made = "sk_" + (rand.Text() + rand.Text())[:32]
		opts.Keys = []httpapi.Key{{Name: "made", Secret: made}}
	}
	if opts.SigningKey, err = f.signingKey(ctx, a); err != nil {
		return err
	}
	first := opts.Keys[0]

	st, err := f.open(ctx, a, &bucketlite.Options{Logger: logger, MaxPageBytes: maxPage})
	if err != nil {
		return err
	}
	defer func() { err = join(err, st.Close()) }()
	if err := f.makeNamespace(ctx, st); err != nil {
		return err
	}
	h, err := httpapi.New(st, opts)
	if err != nil {
		return &usageError{err: err}
	}
	start := ""
	if f.console {
		pages, err := console.New(h, &console.Options{StoreName: filepath.Base(a.db), Version: thisBuild().Version})
		if err != nil {
			return err
		}
		start = pages.StartPath(h.AccessOf(first))
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", f.addr)
	if err != nil {
		return err
	}
	if err := a.greet(l.Addr(), made, start); err != nil {
		l.Close()
		return err
	}
	spare := make([]byte, spareHeap)
	defer runtime.KeepAlive(spare)
	return service{store: st, handler: h, listener: l, process: process, shutdown: f.shutdown, logger: logger}.until(ctx)
}

// logger returns the log that the flags describe.
func (f *serveFlags) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, usagef("--log-level: debug, info, warn or error expected, got %q", f.logLevel)
	}
	opts := &slog.HandlerOptions{Level: level}
	switch f.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return nil, usagef("--log-format: text or json expected, got %q", f.logFormat)
}

// origins returns the origins whose pages may use the server.
func (f *serveFlags) origins() ([]string, error) {
	if f.corsAny {
		return []string{"*"}, nil
	}
	if slices.Contains(f.corsOrigins, "*") && !loopback(f.addr) {
		return nil, usagef("--cors-origin: * would let any web page use %s, which other machines can reach: name the origins, or use --cors-any", f.addr)
	}
	return f.corsOrigins, nil
}

// apiKeys returns the keys there are. One that is given twice counts once.
func (f *serveFlags) apiKeys(ctx context.Context, a *app) ([]httpapi.Key, error) {
	var keys []httpapi.Key
	if f.keyFile != "" {
		text, err := a.readText(ctx, f.keyFile)
		if err != nil {
			return nil, err
		}
		if keys, err = httpapi.ParseKeys(bytes.NewReader(text)); err != nil {
			return nil, &usageError{err: &located{f.keyFile, errors.New(strings.TrimPrefix(err.Error(), "httpapi: "))}}
		}
		if len(keys) == 0 {
			return nil, usagef("%s: it contains no key", f.keyFile)
		}
	}
	add := func(name, secret string) {
		for _, k := range keys {
			if k.Secret == secret {
				return
			}
		}
		keys = append(keys, httpapi.Key{Name: name, Secret: secret})
	}
	for i, secret := range f.keys {
		if secret == "" || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return nil, usagef("--api-key: printable characters without white space expected")
		}
		add(fmt.Sprintf("flag-%d", i+1), secret)
	}
	if secret := os.Getenv(keyVariable); secret != "" {
		add("environment", secret)
	}
	return keys, nil
}

// signingKey returns the secret that signs URLs, nil if there is none.
func (f *serveFlags) signingKey(ctx context.Context, a *app) ([]byte, error) {
	if f.signingFile == "" {
		return []byte(os.Getenv(signingVariable)), nil
	}
	text, err := a.readFile(ctx, f.signingFile, maxDocument)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimRight(text, "\r\n")
	if len(text) == 0 {
		return nil, usagef("%s: it contains no secret", f.signingFile)
	}
	return text, nil
}

// sizeFlag reads a flag that is a number of bytes.
func sizeFlag(name, text string) (int64, error) {
	size, err := humanize.ParseBytes(text)
	if err != nil || size == 0 || size > 1<<40 {
		return 0, usagef("--%s: a size such as 64MiB expected, got %q", name, text)
	}
	return int64(size), nil
}

// open opens the store with options, to which it adds those of the flags that are the
// store's alone.
func (f *serveFlags) open(ctx context.Context, a *app, opts *bucketlite.Options) (*bucketlite.Store, error) {
	switch f.durability {
	case "full":
	case "normal":
		opts.Durability = bucketlite.DurabilityNormal
	default:
		return nil, usagef("--durability: full or normal expected, got %q", f.durability)
	}
	opts.PlainIO = f.plainIO
	if f.fetch {
		fetcher, err := httpfetch.New(nil)
		if err != nil {
			return nil, err
		}
		opts.Fetcher = fetcher
	}
	switch {
	case a.db == ":memory:" && f.readOnly:
		return nil, usagef("--read-only and --db :memory: exclude each other")
	case a.db == ":memory:":
		return bucketlite.Open(ctx, a.db, opts)
	case f.readOnly:
		return a.open(ctx, toRead, opts)
	}
	return a.open(ctx, toCreate, opts)
}

// makeNamespace creates the default namespace if it does not exist.
func (f *serveFlags) makeNamespace(ctx context.Context, st *bucketlite.Store) error {
	if f.defaultNamespace == "" {
		return nil
	}
	_, err := st.Namespace(ctx, f.defaultNamespace)
	if errors.Is(err, bucketlite.ErrNotFound) && !f.readOnly {
		_, err = st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: f.defaultNamespace})
		if errors.Is(err, bucketlite.ErrExists) { // another process was quicker
			err = nil
		}
	}
	return err
}

// loopback reports whether only this machine reaches an address. Of names only
// localhost is known to be one.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return true // listening reports the error
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// greeting is the message of a server that begins.
type greeting struct {
	URL     string `json:"url"`
	Docs    string `json:"docs"`
	Console string `json:"console,omitempty"`
	DB      string `json:"db"`
	Key     string `json:"api_key,omitempty"` // if one was made
}

// greet tells how to reach the server. The path of the page that signs in to the console,
// which is a secret, is for a terminal alone.
func (a *app) greet(addr net.Addr, made, start string) error {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	g := greeting{URL: "http://" + net.JoinHostPort(host, port), DB: a.db, Key: made}
	g.Docs = g.URL + "/docs"
	if start != "" {
		g.Console = g.URL + "/console/"
	}
	if a.json {
		err = a.line(g)
	} else {
		fmt.Fprintf(a.out, "Serving %s at %s\n", printable(g.DB), g.URL)
		if start != "" {
			fmt.Fprintf(a.out, "Console: %s\n", g.Console)
			if a.screen && loopback(addr.String()) {
				fmt.Fprintf(a.out, "Sign in once, within five minutes: %s/%s\n", g.URL, start)
			}
		}
		fmt.Fprintf(a.out, "API docs: %s\n", g.Docs)
		key := "KEY"
		if made != "" {
			key = made
			fmt.Fprintf(a.out, "API key for this run: %s\n", made)
		}
		fmt.Fprintf(a.out, "Try:\n  curl -H \"Authorization: Bearer %s\" %s/v1/namespaces\n", key, g.URL)
	}
	return orElse(err, a.out.Flush())
}

// service is what serves a store.
type service struct {
	store    *bucketlite.Store
	handler  *httpapi.Handler
	listener net.Listener
	process  func(context.Context, *bucketlite.Job) error // nil for none
	shutdown time.Duration
	logger   *slog.Logger
}

// until serves until ctx ends, and then finishes what runs.
func (s service) until(ctx context.Context) error {
	server := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(s.handler.Close)
	stop := s.startProcessing(ctx)
	defer stop()

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(s.listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.logger.Info("the server is stopping", "timeout", s.shutdown.String())
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.shutdown)
	defer cancel()
	err := server.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		server.Close()
		return fmt.Errorf("requests that took longer than %s after the signal were cut off", s.shutdown)
	}
	return err
}

// processPause is how long processing rests after it failed.
const processPause = time.Second

// startProcessing starts to process submitted objects, and returns a function that
// stops it and waits for the end. After a full disk it continues when there is space.
func (s service) startProcessing(ctx context.Context) (stop func()) {
	if s.process == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			err := s.store.Process(ctx, s.process, nil)
			if ctx.Err() != nil {
				return
			}
			s.logger.Error("processing was interrupted", "error", err)
			for _, end := range []error{bucketlite.ErrClosed, bucketlite.ErrReadOnly, bucketlite.ErrOutcomeUnknown} {
				if errors.Is(err, end) { // the store writes no more
					return
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(processPause):
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
