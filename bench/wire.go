package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// called is the column of the library's own calls, beside those over HTTP.
const called = "bucketlite, called"

// wires are the works over a network connection: HTTP for bucketlite and PocketBase, and
// for NATS its own protocol. Clients and server share the process and its cores.
func wires() (works []*work) {
	open := map[string]func(ctx context.Context, dir string, s settings, reads bool) (store, error){
		ours: serveBucketlite, "PocketBase": servePocketBase, "NATS": serveNATS,
		called: callBucketlite,
	}
	for _, what := range []struct {
		name           string
		durable, reads bool
		target         *target
	}{
		{"put durable ×32 over HTTP", true, false, atLeast(0.33, called)},
		{"put relaxed ×32 over HTTP", false, false, nil},
		{"get ×32 over HTTP", false, true, nil},
	} {
		works = append(works, &work{section: serving, name: what.name, lines: []line{{what.name, perSecond, what.target}},
			peers: []string{ours, called, "PocketBase", "NATS"},
			begin: func(ctx context.Context, b *bench, p *peer, dir string) (cell, error) {
				served := *p
				served.open = func(ctx context.Context, dir string, s settings) (store, error) {
					return open[p.name](ctx, dir, s, what.reads)
				}
				if what.reads {
					return newReader(ctx, b, &served, dir, 32)
				}
				return newPutter(ctx, &served, dir, what.durable, 32)
			}})
	}
	return works
}

// served is a store behind a server. Rows are put by requests. They are read by requests
// too if they have ids that follow from their keys, and else from the store itself.
type served struct {
	store
	server *http.Server
	client *http.Client
	put    func(r *row) (*http.Request, error)
	get    func(key string) (*http.Request, error) // nil if rows have other ids
}

const wireSecret = "a secret of the benchmark"

// serve serves a handler on the loopback. The client keeps a connection for each of 32
// goroutines.
func (s *served) serve(h http.Handler) (url string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s.server = &http.Server{Handler: h}
	go s.server.Serve(listener) // until Close
	s.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	return "http://" + listener.Addr().String(), nil
}

// request does a request and returns the body of its answer.
func (s *served) request(ctx context.Context, r *http.Request) ([]byte, error) {
	res, err := s.client.Do(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", r.Method, r.URL.Path, res.Status, body)
	}
	return body, err
}

func (s *served) Put(ctx context.Context, r *row) error {
	request, err := s.put(r)
	if err != nil {
		return err
	}
	_, err = s.request(ctx, request)
	return err
}

func (s *served) Row(ctx context.Context, key string) (decoded, error) {
	if s.get == nil {
		return s.store.(getter).Row(ctx, key)
	}
	request, err := s.get(key)
	if err != nil {
		return nil, err
	}
	text, err := s.request(ctx, request)
	if err != nil {
		return nil, err
	}
	var row servedRow
	return row, json.Unmarshal(text, &row)
}

// servedRow is a decoded answer, which has the members of the system beside the fields.
type servedRow map[string]any

func (r servedRow) Key() string { return fieldMap(r).Key() }

func (r servedRow) Fields() map[string]any {
	fields := map[string]any{}
	for name := range newRow(0).fields {
		fields[name] = r[name]
	}
	if on, ok := r["updated_on"].(string); ok { // PocketBase's form of times
		fields["updated"] = strings.Replace(strings.Replace(on, " ", "T", 1), ".000Z", "Z", 1)
		fields["released"], _, _ = strings.Cut(r["released"].(string), " ")
	}
	return fields
}

func (s *served) Close() error {
	s.client.CloseIdleConnections()
	return errors.Join(s.server.Close(), s.store.Close())
}

// servedMany is a served store that stores rows with ids, for them to be read by.
type servedMany struct {
	*served
	many func(ctx context.Context, rows []*row) error
}

func (s *servedMany) PutMany(ctx context.Context, rows []*row) error { return s.many(ctx, rows) }

func serveBucketlite(ctx context.Context, dir string, s settings, reads bool) (store, error) {
	l, err := openLibrary(ctx, dir, s, bucketlite.Options{})
	if err != nil {
		return nil, err
	}
	h, err := httpapi.New(l.store, &httpapi.Options{Keys: []httpapi.Key{{Secret: wireSecret}}, DefaultNamespace: "bench"})
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	v := &served{store: l}
	url, err := v.serve(h)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	url += "/v1/buckets/records/objects"
	v.put = func(r *row) (*http.Request, error) { return postJSON(url, r.text) }
	if !reads {
		return v, nil
	}
	v.get = func(key string) (*http.Request, error) {
		r, err := http.NewRequest(http.MethodGet, url+"/"+key, nil)
		if err == nil {
			r.Header.Set("Authorization", "Bearer "+wireSecret)
		}
		return r, err
	}
	return &servedMany{v, byID{l}.PutMany}, nil
}

// byID is the library, called with the ids of objects, as the server is.
type byID struct{ *library }

func callBucketlite(ctx context.Context, dir string, s settings, reads bool) (store, error) {
	l, err := openLibrary(ctx, dir, s, bucketlite.Options{})
	if err != nil || !reads {
		return l, err
	}
	return byID{l}, nil
}

func (l byID) PutMany(ctx context.Context, rows []*row) error {
	return l.putMany(ctx, rows, func(r *row) string { return r.key })
}

func (l byID) Row(ctx context.Context, id string) (decoded, error) {
	o, err := l.bucket.Object(ctx, id)
	if err != nil {
		return nil, err
	}
	return fieldMap(o.Fields), nil
}

func postJSON(url string, body []byte) (*http.Request, error) {
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err == nil {
		r.Header.Set("Authorization", "Bearer "+wireSecret)
		r.Header.Set("Content-Type", "application/json")
	}
	return r, err
}

func servePocketBase(ctx context.Context, dir string, s settings, reads bool) (store, error) {
	st, err := openPocketBase(ctx, dir, s)
	if err != nil {
		return nil, err
	}
	p := st.(*pocket)
	v := &served{store: p}
	url, err := v.servePocket(p)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	url += "/api/collections/" + pocketCollection + "/records"
	v.put = func(r *row) (*http.Request, error) {
		request, err := postJSON(url, bytes.Replace(r.text, []byte(`"updated":`), []byte(`"updated_on":`), 1))
		if err == nil {
			request.Header.Del("Authorization") // the collection is open to all
		}
		return request, err
	}
	if !reads {
		return v, nil
	}
	v.get = func(key string) (*http.Request, error) {
		return http.NewRequest(http.MethodGet, url+"/"+pocketID(key), nil)
	}
	return &servedMany{v, func(ctx context.Context, rows []*row) error {
		return p.app.RunInTransaction(func(tx core.App) error {
			for _, r := range rows {
				record := core.NewRecord(p.collection)
				record.Id = pocketID(r.key)
				load(record, r)
				if err := tx.SaveWithContext(ctx, record); err != nil {
					return err
				}
			}
			return nil
		})
	}}, nil
}

// servePocket serves the API of PocketBase, without its log of requests: the others have
// none.
func (s *served) servePocket(p *pocket) (url string, err error) {
	p.app.Settings().Logs.MaxDays = 0
	router, err := apis.NewRouter(p.app)
	if err != nil {
		return "", err
	}
	mux, err := router.BuildMux()
	if err != nil {
		return "", err
	}
	return s.serve(mux)
}

// pocketID is an id of fifteen characters, as PocketBase wants it.
func pocketID(key string) string { return "key000" + strings.TrimPrefix(key, "sku-") }

// jetClients are clients that have a connection each, over TCP.
type jetClients struct {
	*jet
	clients []*jet
	next    atomic.Int64
}

func serveNATS(ctx context.Context, dir string, s settings, _ bool) (store, error) {
	j, err := startJetStream(dir, s, false)
	if err != nil {
		return nil, err
	}
	c := &jetClients{jet: j}
	j.kv, err = j.stream.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "records"})
	for len(c.clients) < 32 && err == nil {
		client := &jet{server: j.server}
		if err = client.connect(j.server.ClientURL()); err == nil {
			c.clients = append(c.clients, client)
			client.kv, err = client.stream.KeyValue(ctx, "records")
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// client returns the connections in turn.
func (c *jetClients) client() *jet { return c.clients[c.next.Add(1)%int64(len(c.clients))] }

func (c *jetClients) Put(ctx context.Context, r *row) error { return c.client().Put(ctx, r) }

func (c *jetClients) Row(ctx context.Context, key string) (decoded, error) {
	return c.client().Row(ctx, key)
}

func (c *jetClients) Close() error {
	for _, client := range c.clients {
		client.conn.Close()
	}
	return c.jet.Close()
}
