package consoletest

import (
	"os"
	"sync"
	"testing"
)

// shared is the server of the tests that change nothing. It starts with the first.
var shared struct {
	sync.Once
	server *Server
	dir    string
	err    error
}

func sharedServer(t *testing.T) *Server {
	t.Helper()
	shared.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "consoletest"); shared.err == nil {
			shared.server, shared.err = Serve(shared.dir, "")
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

func closeShared() {
	if shared.server != nil {
		shared.server.Close()
	}
	os.RemoveAll(shared.dir)
}

// ownServer starts a server for one test, which may change what is in it.
func ownServer(t *testing.T) *Server {
	t.Helper()
	s, err := Serve(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
