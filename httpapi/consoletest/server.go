package consoletest

import (
	"context"
	"errors"
	"net/http/httptest"
	"path/filepath"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
	"github.com/bucketlite/bucketlite/httpapi/console"
	"github.com/bucketlite/bucketlite/httpapi/consoletest/seed"
)

// The keys of a server.
const (
	OwnerKey  = "sk_owner_of_everything"
	ReaderKey = "sk_reader_of_everything"
	StudioKey = "sk_writer_of_one_namespace"
)

// Server serves a store that package seed has filled, on a free port of this machine.
type Server struct {
	*seed.Seed
	URL   string // without a slash at the end
	Store *bucketlite.Store

	// Console is mounted on the server.
	Console *console.Console
	// Handler is what the server serves.
	Handler *httpapi.Handler

	web *httptest.Server
}

// Serve starts a server, with its file in a directory. The server answers at publicURL
// too, which may be empty. The caller closes the server.
func Serve(dir, publicURL string) (*Server, error) {
	ctx := context.Background()
	path := filepath.Join(dir, "studio.db")
	s, err := seed.Fill(ctx, path)
	if err != nil {
		return nil, err
	}
	st, err := bucketlite.Open(ctx, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal, Reserve: -1})
	if err != nil {
		return nil, err
	}
	h, err := httpapi.New(st, &httpapi.Options{DefaultNamespace: seed.Main, PublicURL: publicURL, Keys: []httpapi.Key{
		{Name: "owner", Secret: OwnerKey}, {Name: "reader", Secret: ReaderKey, ReadOnly: true},
		{Name: "studio only", Secret: StudioKey, Namespaces: []string{s.ID(seed.Main)}},
	}})
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	c, err := console.New(h, &console.Options{StoreName: filepath.Base(path)})
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	web := httptest.NewServer(h)
	return &Server{Seed: s, URL: web.URL, Store: st, Handler: h, Console: c, web: web}, nil
}

// Close ends all streams and requests, and closes the store.
func (s *Server) Close() error {
	s.Handler.Close()
	s.web.CloseClientConnections()
	s.web.Close()
	return s.Store.Close()
}
