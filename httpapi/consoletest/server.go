package consoletest

import (
	"context"
	"errors"
	"net/http"
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

	handler *httpapi.Handler
	web     *httptest.Server
}

// Serve starts a server, with its file in a directory. The caller closes the server.
func Serve(dir string) (*Server, error) {
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
	h, err := httpapi.New(st, &httpapi.Options{DefaultNamespace: seed.Main, Keys: []httpapi.Key{
		{Name: "owner", Secret: OwnerKey}, {Name: "reader", Secret: ReaderKey, ReadOnly: true},
		{Name: "studio only", Secret: StudioKey, Namespaces: []string{s.ID(seed.Main)}},
	}})
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	if _, err := console.New(h, &console.Options{StoreName: filepath.Base(path)}); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	web := httptest.NewServer(h)
	return &Server{Seed: s, URL: web.URL, Store: st, handler: h, web: web}, nil
}

// Handler is what the server serves, for a proxy before it.
func (s *Server) Handler() http.Handler { return s.handler }

// Close ends all streams and requests, and closes the store.
func (s *Server) Close() error {
	s.handler.Close()
	s.web.CloseClientConnections()
	s.web.Close()
	return s.Store.Close()
}
