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

// BackupOptions configure [Store.Backup]. Nil selects the defaults.
type BackupOptions struct {
	// Progress, unless nil, receives the number of bytes copied so far and the size
	// of the file, repeatedly, and in the end that all bytes are copied. It is called
	// in Backup's goroutine, while copying continues in another. It may use the
	// store.
	Progress func(done, total int64)
}

// Backup writes a consistent snapshot of the store to a new file at path, which
// [Open] opens like any other. Writers continue during the backup. Their commits are
// not in the copy, and make the write-ahead log grow, since the log cannot be emptied
// until the copy is complete. A store at ":memory:" can be saved this way; its other
// calls wait for the backup.
//
// Backup writes to a temporary file in the directory of path, and gives it its name
// once the file is complete and synced. If Backup fails, or ctx ends, it removes that
// file. If the process is killed, temporary files named bucketlite-backup-….tmp
// remain. The next Backup into the directory removes them, on systems that can tell
// that the process has ended: Linux, macOS and the BSDs.
//
// Errors: [ErrExists] if there is a file at path, or one that SQLite would treat as
// part of it; [ErrBadRequest] if path is not a path of a file, or is a file of the
// store itself; [ErrFull].
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
	defer temporary.Remove() // and its side files
	if err := s.copyTo(ctx, temporary.Path(), opts.Progress); err != nil {
		if public(err) == err { // the context's own error
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
	// Not every system can sync a directory, and the only risk is that a power cut
	// loses the name. So an error is ignored.
	syncFile(filepath.Dir(target))
	return nil
}

// backupTarget returns the absolute path for a copy, or an error if no copy may be
// made there.
func (s *Store) backupTarget(path string) (string, error) {
	if path == "" || path == engine.Memory || strings.ContainsRune(path, 0) {
		return "", badRequest("backup: path of a file expected, got %s", value.Show(path))
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

// copyTo copies the store into an empty file. Copying never waits for progress, since
// progress may wait for a connection that copying holds.
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
			case <-newest: // a position that was not received in time
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

// syncFile syncs a file, or a directory's entries, to the disk.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		if f, err = os.Open(path); err != nil {
			return err
		}
	}
	return errors.Join(f.Sync(), f.Close())
}
