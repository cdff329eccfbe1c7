package httpapi_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// wantEmpty waits until nothing is left in a directory.
func wantEmpty(t *testing.T, directory string) {
	t.Helper()
	eventually(t, "nothing is left of backups", func() bool {
		entries, err := os.ReadDir(directory)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries) == 0
	})
}

// onlyOwners reports whether there is a directory of a backup. The test fails if others can reach it.
func onlyOwners(t *testing.T, directory string) bool {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || strings.HasSuffix(e.Name(), ".lock") {
			continue // it is empty, or gone
		}
		found = true
		if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
			t.Errorf("%s: got mode %v, want one that keeps others out", e.Name(), mode)
		}
	}
	return found
}

func TestBackup(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	now := time.Date(2026, 11, 30, 14, 5, 6, 0, time.UTC)
	s := serve(t, &httpapi.Options{Keys: rights, TempDir: temp, Now: func() time.Time { return now }})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	put(t, s, "films", "a")
	got := s.as("X-Namespace", "", "Range", "bytes=0-9").do("GET", "/v1/backup", nil).want(http.StatusOK)
	for name, want := range map[string]string{
		"Content-Type": "application/vnd.sqlite3", "Content-Length": strconv.Itoa(len(got.body)), "Accept-Ranges": "none",
		"Content-Disposition": "attachment; filename=bucketlite-20261130T140506Z.db", "Cache-Control": "no-store",
	} {
		if h := got.header.Get(name); h != want {
			t.Errorf("%s: got %q, want %q", name, h, want)
		}
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(path, []byte(got.body), 0o600); err != nil {
		t.Fatal(err)
	}
	copied, err := bucketlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if report, err := copied.Check(t.Context(), nil); err != nil || report.Err() != nil || report.Objects != 1 {
		t.Errorf("the copy: got %+v, %v, want one object and no problem", report, err)
	}

	if got := s.do("HEAD", "/v1/backup", nil).want(http.StatusOK); got.header.Get("Content-Type") != "application/vnd.sqlite3" {
		t.Errorf("HEAD: got %v", got.header)
	}
	for _, key := range []string{"limited", "reader"} {
		s.as("Authorization", "Bearer "+key).do("GET", "/v1/backup", nil).wantError(http.StatusForbidden, "ForbiddenError")
	}
	s.anyone().do("GET", "/v1/backup", nil).wantError(http.StatusUnauthorized, "UnauthorizedError")
	wantEmpty(t, temp)
}

// There is one file at a time, until it is closed. It has no name, where it can be read without.
func TestBackupFile(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	s := serve(t, &httpapi.Options{TempDir: temp})
	f, err := s.handler.Backup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		wantEmpty(t, temp)
	}
	if got := s.do("GET", "/v1/backup", nil).wantError(http.StatusServiceUnavailable, "ServiceUnavailableError"); !strings.Contains(got.body, "already") {
		t.Errorf("got %s, want that there is one already", got.body)
	}
	if n, err := io.Copy(io.Discard, f); err != nil || n != f.Size() || !strings.HasSuffix(f.Name(), ".db") {
		t.Errorf("got %d bytes of %d, %v, named %q", n, f.Size(), err, f.Name())
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	wantEmpty(t, temp)
	s.do("GET", "/v1/backup", nil).want(http.StatusOK)
}

// A backup that fails, whose client leaves or whose handler closes leaves nothing, and an
// answer that has not begun is an error.
func TestBackupEnds(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	var holds atomic.Bool
	copies, proceed := make(chan bool), make(chan bool)
	s := withContent(t, &httpapi.Options{TempDir: temp, Now: func() time.Time {
		if holds.Load() { // the directory is there, and the copy not yet
			copies <- true
			<-proceed
		}
		return time.Now()
	}})
	for name, leave := range map[string]func(resp *http.Response, cancel func()){
		"within the answer": func(resp *http.Response, cancel func()) {
			if _, err := io.CopyN(io.Discard, resp.Body, 1<<20); err != nil {
				t.Error(err)
			}
			cancel()
		},
		"unread": func(_ *http.Response, cancel func()) { cancel() },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, "GET", s.url+"/v1/backup", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = s.headers
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		leave(resp, cancel)
		resp.Body.Close()
		wantEmpty(t, temp)
		eventually(t, name+": the next one can be made", func() bool {
			f, err := s.handler.Backup(t.Context())
			if err != nil {
				return false
			}
			return f.Close() == nil
		})
	}

	// While it copies.
	holds.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	var copying sync.WaitGroup
	copying.Go(func() {
		if _, err := s.handler.Backup(ctx); err == nil {
			t.Error("got a backup after the end of its context")
		}
	})
	select {
	case <-copies:
	case <-time.After(time.Minute):
		t.Fatal("no copy begins")
	}
	if !onlyOwners(t, temp) {
		t.Error("got no directory for the copy")
	}
	holds.Store(false)
	cancel()
	proceed <- true
	copying.Wait()
	wantEmpty(t, temp)

	s.handler.Close()
	s.do("GET", "/v1/backup", nil).wantError(http.StatusServiceUnavailable, "ServiceUnavailableError")
	wantEmpty(t, temp)

	gone := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(gone, 0o700); err != nil {
		t.Fatal(err)
	}
	other := s.withOptions(httpapi.Options{TempDir: gone, Keys: rights})
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if got := other.do("GET", "/v1/backup", nil).wantError(http.StatusInternalServerError, "InternalServerError"); strings.Contains(got.body, gone) {
		t.Errorf("got %s, want no path in it", got.body)
	}
	if _, err := httpapi.New(s.store, &httpapi.Options{TempDir: gone}); err == nil {
		t.Error("New with a TempDir that does not exist: got no error")
	}
}
