package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// openReadOnly finds out how to read a file that must not be written: as usual
// where SQLite can use its side files, as immutable on media that nobody can
// write. Anywhere else an immutable connection would miss what other processes
// write, and take a half-written file for a damaged one.
func openReadOnly(ctx context.Context, loc location, cfg Config) (parameters string, err error) {
	parameters = "mode=ro"
	err = patiently(ctx, cfg.BusyTimeout, func() error { return checkReadable(loc, cfg, parameters) })
	if code := primaryCode(err); code != codeCantOpen && code != codeReadOnly {
		return parameters, err
	}
	if !unwritableMedia(loc.file) {
		return "", unreadable(loc, err)
	}
	// An immutable file would lack the commits that are only in its log or journal.
	for _, side := range []string{loc.file + "-wal", loc.file + "-journal"} {
		if info, e := os.Stat(side); e == nil && info.Size() > 0 {
			return "", fmt.Errorf("%q holds changes that cannot be recovered on read-only media: copy both files to where they can be written: %w", filepath.Base(side), err)
		}
	}
	parameters = "mode=ro&immutable=1"
	return parameters, checkReadable(loc, cfg, parameters)
}

// checkReadable tries to read a file that must be ours and up to date.
func checkReadable(loc location, cfg Config, parameters string) error {
	c, err := openReader(loc, cfg, parameters)
	if err != nil {
		return err
	}
	defer c.close()
	if err := checkIdentity(c, loc, cfg); err != nil {
		return err
	}
	version, err := c.integer("user_version")
	if latest := int64(len(cfg.Migrations)); err == nil && version < latest {
		err = fmt.Errorf("%w: format %d, this one is %d: open it for writing once to bring it up to date", ErrOldFormat, version, latest)
	}
	return err
}

// unreadable says why SQLite cannot read the file, as err says: which permission
// this process lacks, if that is the reason.
func unreadable(loc location, err error) error {
	dir, base := filepath.Dir(loc.file), filepath.Base(loc.file)
	lacks := func(what string) error { return fmt.Errorf("%s: %w (%v)", what, fs.ErrPermission, err) }
	if !allowed(loc.file, toRead) {
		return lacks(fmt.Sprintf("%q cannot be read", base))
	}
	if info, e := os.Stat(loc.file + "-journal"); e == nil && info.Size() > 0 {
		return fmt.Errorf("%q holds changes to undo: open the store for writing once: %w", base+"-journal", err)
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		_, e := os.Stat(loc.file + suffix)
		switch {
		case e == nil && !allowed(loc.file+suffix, toRead):
			return lacks(fmt.Sprintf("%q cannot be read", base+suffix))
		case errors.Is(e, fs.ErrNotExist) && !allowed(dir, toWrite):
			return lacks(fmt.Sprintf("directory %q cannot be written, and %q, which readers and writers share, is not there", dir, base+suffix))
		}
	}
	return err
}
