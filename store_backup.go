package bucketlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/tempfile"
	"github.com/bucketlite/bucketlite/internal/value"
)

// BackupOptions adjust [Store.Backup]. Nil means the defaults.
type BackupOptions struct {
	// Progress, unless nil, is told from time to time how many bytes of the file
	// have been copied, and in the end that all have. It is called by the goroutine
	// that called Backup; copying goes on meanwhile. It may use the store.
	Progress func(done, total int64)
}

// Backup writes a copy of the store, as it is at one moment, to a new file at
// path, which can be opened like any other. Others go on writing meanwhile; what
// they commit is not in the copy, and the write-ahead log grows by it, since it
// cannot be emptied before the copy is done. A store at ":memory:" is saved that
// way; its calls have to wait.
//
// The copy is written to a temporary file in the directory of path and takes its
// name when it is whole and on the disk. If Backup fails, or ctx ends, nothing is
// left behind. If the process is killed its temporary files stay, named
// bucketlite-backup-….tmp; the next Backup into the directory removes them, where
// the system can tell that their process has gone, as Linux, macOS and the BSDs can.
//
// Errors: [ErrExists] if there is a file at path, or one that SQLite would take
// for a part of it; [ErrBadRequest] if path cannot be a file's, or is one the
// store itself uses; [ErrFull].
func (s *Store) Backup(ctx context.Context, path string, opts *BackupOptions) error {
	if opts == nil {
		opts = &BackupOptions{}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	target, err := s.backupTarget(path)
	if err != nil {
		return err
	}
	temporary, err := tempfile.Create(filepath.Dir(target), "bucketlite-backup-", engine.SideFiles("")...)
	if err != nil {
		return errorf("backup %q: %w", path, err)
	}
	defer temporary.Remove() // also what lies beside it
	if err := s.copyTo(ctx, temporary.Path(), opts.Progress); err != nil {
		if public(err) == err { // the context's own
			return err
		}
		return errorf("backup %q: %w", path, err)
	}
	if err := syncFile(temporary.Path()); err != nil {
		return errorf("backup %q: %w", path, err)
	}
	if err := tempfile.Publish(temporary.Path(), target); errors.Is(err, fs.ErrExist) {
		return backupExists(path, target)
	} else if err != nil {
		return errorf("backup %q: %w", path, err)
	}
	// Not every system can do this, and what it guards against is that the name
	// is lost in a power cut.
	syncFile(filepath.Dir(target))
	return nil
}

// backupTarget returns the absolute path of a copy that may be made.
func (s *Store) backupTarget(path string) (string, error) {
	if path == "" || path == engine.Memory || strings.ContainsRune(path, 0) {
		return "", badRequest("backup: the path of a file expected, got %s", value.Show(path))
	}
	target, err := filepath.Abs(path)
	if err != nil {
		return "", errorf("backup %q: %w", path, err)
	}
	for _, file := range append([]string{target}, engine.SideFiles(target)...) {
		if _, err := os.Lstat(file); err == nil {
			return "", backupExists(path, file)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", errorf("backup %q: %w", path, err)
		}
	}
	if s.db.Owns(target) {
		return "", badRequest("backup: %s belongs to the store itself", value.Show(path))
	}
	return target, nil
}

func backupExists(path, file string) error {
	return &ConflictError{Subject: "backup " + value.Show(path), Reason: "the file " + value.Show(file) + " already exists", Exists: true}
}

// copyTo copies the store into an empty file. Copying does not wait for progress,
// which may itself wait for a connection that copying holds.
func (s *Store) copyTo(ctx context.Context, path string, progress func(done, total int64)) error {
	type position struct{ done, total int64 }
	ctx, cancel := context.WithCancel(ctx)
	newest := make(chan position, 1)
	ended := make(chan struct{})
	var err error
	go func() {
		defer close(ended)
		err = s.db.Backup(ctx, path, func(done, total int64) {
			select {
			case <-newest: // it was not fetched in time
			default:
			}
			newest <- position{done, total}
		})
	}()
	defer func() { // also if progress panics
		cancel()
		<-ended
	}()
	report := func(p position) {
		if progress != nil {
			progress(p.done, p.total)
		}
	}
	for {
		select {
		case p := <-newest:
			report(p)
			continue
		case <-ended:
		}
		if err != nil {
			return err
		}
		select {
		case p := <-newest:
			report(p)
		default:
		}
		return nil
	}
}

// syncFile brings a file, or the names in a directory, to the disk.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		if f, err = os.Open(path); err != nil {
			return err
		}
	}
	return errors.Join(f.Sync(), f.Close())
}
