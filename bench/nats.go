package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// jet is a server of NATS within the process, with JetStream in a directory, and a
// client of it.
type jet struct {
	server *server.Server
	conn   *nats.Conn
	stream jetstream.JetStream
	kv     jetstream.KeyValue
}

func openNATS(ctx context.Context, dir string, s settings) (store, error) {
	if s.queried {
		return nil, errUnable // nothing but a scan by the client
	}
	j, err := startJetStream(dir, s, true)
	if err != nil {
		return nil, err
	}
	j.kv, err = j.stream.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "records"})
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

// startJetStream starts a server and connects to it: within the process, or else over
// TCP on the loopback.
func startJetStream(dir string, s settings, within bool) (*jet, error) {
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, DontListen: within,
		JetStream: true, StoreDir: dir, SyncAlways: s.durable, NoSigs: true, NoLog: true})
	if err != nil {
		return nil, err
	}
	srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		return nil, errors.New("the server is not ready after 10 s")
	}
	j := &jet{server: srv}
	if within {
		err = j.connect("", nats.InProcessServer(srv))
	} else {
		err = j.connect(srv.ClientURL())
	}
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

func (j *jet) connect(url string, options ...nats.Option) (err error) {
	if j.conn, err = nats.Connect(url, options...); err != nil {
		return err
	}
	j.stream, err = jetstream.New(j.conn)
	return err
}

func (j *jet) Put(ctx context.Context, r *row) error {
	_, err := j.kv.Put(ctx, r.key, r.text)
	return err
}

func (j *jet) Upsert(ctx context.Context, r *row) error { return j.Put(ctx, r) }

func (j *jet) Row(ctx context.Context, key string) (decoded, error) {
	entry, err := j.kv.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	return decode(entry.Value())
}

func (j *jet) Count(ctx context.Context) (int, error) {
	rows, _, err := j.Sums(ctx)
	return int(rows), err
}

func (j *jet) Sums(ctx context.Context) (rows, size int64, err error) {
	status, err := j.kv.Status(ctx)
	if err != nil {
		return 0, 0, err
	}
	return int64(status.Values()), int64(status.Bytes()), nil
}

func (j *jet) Close() error {
	if j.conn != nil {
		j.conn.Close()
	}
	j.server.Shutdown()
	j.server.WaitForShutdown()
	return nil
}

// jetObjects is its object store.
type jetObjects struct {
	*jet
	objects jetstream.ObjectStore
}

func openObjects(ctx context.Context, dir string, s settings) (blobStore, error) {
	j, err := startJetStream(dir, s, true)
	if err != nil {
		return nil, err
	}
	objects, err := j.stream.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: "blobs"})
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return &jetObjects{j, objects}, nil
}

func (j *jetObjects) WriteBlob(ctx context.Context, name string, r io.Reader) error {
	_, err := j.objects.Put(ctx, jetstream.ObjectMeta{Name: name}, r)
	return err
}

func (j *jetObjects) ReadBlob(ctx context.Context, name string, w io.Writer) error {
	r, err := j.objects.Get(ctx, name)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, r.Close())
}
