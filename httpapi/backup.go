package httpapi

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/bucketlite/bucketlite/internal/tempfile"
)

var backupRoutes = []route{
	{"GET /v1/backup", keyed, writes, noBody, (*call).getBackup},
}

// backupPrefix begins the names of directories in which backups are made.
const backupPrefix = "bucketlite-download-"

// BackupFile is a copy of the store in a temporary file, open for reading. Close gives its
// space back. It is not safe for concurrent use.
type BackupFile struct {
	directory *tempfile.File // the file's own; nil if it is removed already
	file      *os.File
	name      string
	size      int64
	patience  time.Duration
	release   func() // lets the next one be made; nil when the file is closed
}

// Backup copies the store to a temporary file, see [bucketlite.Store.Backup]. The file lies in
// a new directory below [Options.TempDir], to which other users have no access. Only one
// exists at a time: until it is closed, Backup returns an error of status 503 (see
// [Describe]). If ctx ends, or [Handler.Close] is called, while it copies, or copying fails,
// nothing is left. The next Backup removes the files of a killed process.
func (h *Handler) Backup(ctx context.Context) (*BackupFile, error) {
	if !h.backup.TryLock() {
		return nil, &failure{http.StatusServiceUnavailable, "ServiceUnavailableError", "a backup is being made or downloaded already; try again later", nil}
	}
	f := &BackupFile{patience: h.patience, release: h.backup.Unlock}
	if err := f.copy(ctx, h); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// copy copies the store of a handler to the file, and opens it.
func (f *BackupFile) copy(ctx context.Context, h *Handler) (err error) {
	ctx, cancel := h.untilClose(ctx)
	defer cancel(nil)
	if f.directory, err = tempfile.CreateDir(h.opts.TempDir, backupPrefix); err != nil {
		return fmt.Errorf("httpapi: backup: %w", err)
	}
	f.name = "bucketlite-" + h.opts.Now().UTC().Format("20060102T150405Z") + ".db"
	path := filepath.Join(f.directory.Path(), "store.db")
	if err := h.store.Backup(ctx, path, nil); err != nil {
		return whyEnded(ctx, err)
	}
	if err = os.Chmod(path, 0o600); err == nil {
		f.file, err = os.Open(path)
	}
	var info os.FileInfo
	if err == nil {
		info, err = f.file.Stat()
	}
	if err != nil {
		return fmt.Errorf("httpapi: backup: %w", err)
	}
	if runtime.GOOS != "windows" {
		// An open file can be removed, and then not even a killed process leaves it.
		f.directory.Remove()
		f.directory = nil
	}
	f.size = info.Size()
	return nil
}

// Name returns a name for the file, which has the time in UTC.
func (f *BackupFile) Name() string { return f.name }

// Size returns the size of the file in bytes.
func (f *BackupFile) Size() int64 { return f.size }

// Read reads from the file.
func (f *BackupFile) Read(p []byte) (int, error) { return f.file.Read(p) }

// Close closes and removes the file. Further calls do nothing.
func (f *BackupFile) Close() (err error) {
	if f.release == nil {
		return nil
	}
	if f.file != nil {
		err = f.file.Close()
	}
	if f.directory != nil {
		f.directory.Remove()
	}
	f.release()
	f.release = nil
	return err
}

// Serve answers a request with the file, as a download with its length. A client that does
// not read for a minute is disconnected. After an error the answer is not whole, and the
// caller must panic with [http.ErrAbortHandler].
func (f *BackupFile) Serve(w http.ResponseWriter) error {
	serveBackupHeader(w.Header(), f.name)
	w.Header().Set("Content-Length", strconv.FormatInt(f.size, 10))
	w.WriteHeader(http.StatusOK)
	deadlines := http.NewResponseController(w)
	buf := make([]byte, backupPiece)
	for {
		n, err := f.file.Read(buf)
		if n > 0 {
			_ = deadlines.SetWriteDeadline(time.Now().Add(f.patience))
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("httpapi: backup: %w", err)
		}
	}
}

// backupPiece is how many bytes of a backup are written at once.
const backupPiece = 256 << 10

func serveBackupHeader(h http.Header, name string) {
	h.Set("Content-Type", "application/vnd.sqlite3")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Accept-Ranges", "none") // each request makes another copy
	h.Set("Cache-Control", "no-store")
}

// getBackup answers with a copy of the store. It is complete before the answer begins, so
// that every failure of copying is an error. HEAD makes no copy.
func (c *call) getBackup() (any, error) {
	if err := c.allRights("the backup"); err != nil {
		return nil, err
	}
	if c.r.Method == http.MethodHead {
		serveBackupHeader(c.w.Header(), "bucketlite.db")
		c.w.WriteHeader(http.StatusOK)
		return written{}, nil
	}
	f, err := c.h.Backup(c.ctx())
	if err != nil {
		c.cutIfGone(err)
		return nil, err
	}
	defer f.Close()
	return written{}, f.Serve(c.w)
}
