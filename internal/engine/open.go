package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Memory is the path that opens a private database in memory.
const Memory = ":memory:"

// location is where a database lives.
type location struct {
	path string // absolute, or Memory
	uri  string // path as a SQLite URI, without parameters
}

// locate judges path before SQLite sees it, so that the commonest mistakes get
// an error that names them instead of "unable to open database file".
func locate(path string, readOnly bool) (loc location, exists bool, err error) {
	switch {
	case path == "":
		return loc, false, errors.New("the path is empty")
	case path == Memory:
		if readOnly {
			return loc, false, errors.New(`":memory:" cannot be opened read-only`)
		}
		return location{path: Memory, uri: "file::memory:"}, false, nil
	case strings.ContainsRune(path, 0):
		return loc, false, errors.New("the path holds a NUL character")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return loc, false, err
	}
	slash := filepath.ToSlash(abs)
	if !strings.HasPrefix(slash, "/") {
		slash = "/" + slash // a Windows drive letter: file:///C:/…
	}
	// A plain path would be cut at a "?"; as an escaped URI every character survives.
	// The empty authority keeps a Windows share, //host/…, from being taken for one.
	loc = location{path: abs, uri: "file://" + (&url.URL{Path: slash}).EscapedPath()}
	info, err := os.Stat(abs)
	switch {
	case err == nil && info.IsDir():
		return loc, false, errors.New("the path is a directory")
	case err == nil:
		return loc, info.Size() > 0, nil
	case !errors.Is(err, fs.ErrNotExist):
		return loc, false, err
	case readOnly:
		return loc, false, fmt.Errorf("the file does not exist: %w", fs.ErrNotExist)
	}
	if _, err := os.Stat(filepath.Dir(abs)); err != nil {
		return loc, false, fmt.Errorf("its directory does not exist: %w", err)
	}
	return loc, false, nil
}

// inspect refuses a stranger's or a newer file before anything could change
// it. An immutable connection takes no lock and makes no side files; reading
// the header with os.Open instead would, on closing, drop the POSIX locks that
// another store in this process may hold on the same file.
func inspect(loc location, cfg Config) error {
	c, err := connect(loc.uri + "?mode=ro&immutable=1")
	if err != nil {
		return err
	}
	defer c.close()
	// Amid a checkpoint, and for good if that ended in a crash, the file is
	// shorter than its header says. Only this setting has SQLite overlook that.
	if err := c.script("PRAGMA writable_schema = 1"); err != nil {
		return err
	}
	return checkIdentity(c, cfg)
}

// checkIdentity compares the file's application id and schema version to ours.
func checkIdentity(c *Conn, cfg Config) error {
	id, err := c.pragma("application_id")
	if primaryCode(err) == codeNotADB {
		return fmt.Errorf("%w: it is not an SQLite database", ErrStranger)
	}
	if err != nil {
		return err
	}
	if id != strconv.Itoa(int(cfg.ApplicationID)) {
		return fmt.Errorf("%w: application id %s, want %d", ErrStranger, id, cfg.ApplicationID)
	}
	version, err := userVersion(c)
	if err != nil {
		return err
	}
	if latest := len(cfg.Migrations); version > latest {
		return fmt.Errorf("%w: format %d, this version knows formats up to %d", ErrNewer, version, latest)
	}
	return nil
}

func userVersion(c *Conn) (int, error) {
	s, err := c.pragma("user_version")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(s)
}

// openWriter opens the connection that writes, makes the file ours if it is
// new, and brings its schema up to date.
func openWriter(ctx context.Context, loc location, cfg Config) (*Conn, error) {
	c, err := connect(loc.uri + "?mode=" + map[bool]string{true: "memory", false: "rwc"}[loc.path == Memory])
	if err != nil {
		return nil, err
	}
	if err := prepareFile(ctx, c, loc, cfg); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func prepareFile(ctx context.Context, c *Conn, loc location, cfg Config) error {
	// SQLite falls back to reading what it may not write, and says so only here.
	if readOnly, err := c.raw.(interface{ IsReadOnly(string) (bool, error) }).IsReadOnly("main"); err != nil {
		return err
	} else if readOnly {
		return fmt.Errorf("%w: the file cannot be written", ErrReadOnly)
	}
	// The application id goes in before the file becomes WAL, where it could
	// sit outside the main file at a crash and make our own file look foreign.
	if err := initialise(ctx, c, cfg); err != nil {
		return err
	}
	mode := ""
	err := patiently(ctx, cfg.BusyTimeout, func() (err error) {
		mode, err = c.pragma("journal_mode = WAL")
		return err
	})
	if err != nil {
		return err
	}
	if want := map[bool]string{true: "memory", false: "wal"}[loc.path == Memory]; mode != want {
		return fmt.Errorf("write-ahead logging does not take on this file system: journal mode is %q, want %q", mode, want)
	}
	// Some settings read the file, which another process may be recovering.
	err = patiently(ctx, cfg.BusyTimeout, func() error { return configure(c, writerPragmas(cfg)) })
	if err != nil {
		return err
	}
	return migrate(ctx, c, cfg)
}

// initialise stamps an empty file as ours. It asks SQLite whether the file is
// empty: what a crash left of a creation is undone only when SQLite first reads
// it. All of it is one transaction, since setting auto_vacuum alone would commit
// a page without an application id. The read lock the first question takes
// keeps its answer true; who cannot go from there to the write lock begins anew.
func initialise(ctx context.Context, c *Conn, cfg Config) error {
	return patiently(ctx, cfg.BusyTimeout, func() error {
		return transaction(c, "BEGIN", func() error {
			pages, err := c.pragma("page_count")
			if err != nil {
				return err
			}
			if pages != "0" {
				return checkIdentity(c, cfg)
			}
			return c.script(fmt.Sprintf("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = %d", cfg.ApplicationID))
		})
	})
}

// migrate applies the migrations the file has not seen.
func migrate(ctx context.Context, c *Conn, cfg Config) error {
	return patiently(ctx, cfg.BusyTimeout, func() error {
		// Most opens find nothing to do, and then take no lock.
		version, err := userVersion(c)
		if err != nil || version == len(cfg.Migrations) {
			return err
		}
		return transaction(c, "BEGIN IMMEDIATE", func() error { return migrateAll(c, cfg) })
	})
}

// transaction runs f between begin and COMMIT. Whatever fails, the transaction
// is over; even a COMMIT can find the file busy and leave it open.
func transaction(c *Conn, begin string, f func() error) error {
	if err := c.script(begin); err != nil {
		return err
	}
	err := f()
	if err == nil {
		err = c.script("COMMIT")
	}
	if err != nil {
		c.script("ROLLBACK")
	}
	return err
}

// migrateAll applies them within one transaction, so that a new file is made with one
// commit, and nobody meets an old one that is half converted.
func migrateAll(c *Conn, cfg Config) error {
	if err := checkIdentity(c, cfg); err != nil {
		return err
	}
	version, err := userVersion(c) // again, since another process may have been quicker
	if err != nil || version == len(cfg.Migrations) {
		return err
	}
	for i, script := range cfg.Migrations[version:] {
		if err := c.script(script); err != nil {
			return fmt.Errorf("migration %d: %w", version+i+1, err)
		}
	}
	return c.script("PRAGMA user_version = " + strconv.Itoa(len(cfg.Migrations)))
}

// openReader opens a connection that cannot write.
func openReader(loc location, cfg Config, parameters string) (*Conn, error) {
	c, err := connect(loc.uri + "?" + parameters)
	if err != nil {
		return nil, err
	}
	if err := configure(c, readerPragmas(cfg)); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// openReadOnly finds out how a file can be read that must not be written: as
// usual where SQLite can make its side files, as immutable on read-only media.
func openReadOnly(ctx context.Context, loc location, cfg Config) (parameters string, err error) {
	parameters = "mode=ro"
	err = patiently(ctx, cfg.BusyTimeout, func() error { return checkReadable(loc, cfg, parameters) })
	if code := primaryCode(err); code == codeCantOpen || code == codeReadOnly {
		// Without its log an immutable file would miss what is only there.
		// SQLite keeps the log beside the file itself, not beside a link to it.
		path := loc.path
		if target, e := filepath.EvalSymlinks(path); e == nil {
			path = target
		}
		if info, e := os.Stat(path + "-wal"); e == nil && info.Size() > 0 {
			return "", fmt.Errorf("it has a write-ahead log that cannot be read here: %w", err)
		}
		parameters = "mode=ro&immutable=1"
		err = checkReadable(loc, cfg, parameters)
	}
	return parameters, err
}

// checkReadable tries to read a file that must be ours and up to date.
func checkReadable(loc location, cfg Config, parameters string) error {
	c, err := openReader(loc, cfg, parameters)
	if err != nil {
		return err
	}
	defer c.close()
	if err := checkIdentity(c, cfg); err != nil {
		return err
	}
	version, err := userVersion(c)
	if err == nil && version < len(cfg.Migrations) {
		err = fmt.Errorf("%w: format %d, this one is %d: open it for writing once to bring it up to date", ErrOlder, version, len(cfg.Migrations))
	}
	return err
}

// pragma is a setting and the value that must be read back after setting it.
type pragma struct{ name, value string }

func writerPragmas(cfg Config) []pragma {
	return append(readerPragmas(cfg)[1:],
		pragma{"synchronous", strconv.Itoa(int(cfg.Synchronous))},
		pragma{"temp_store", "2"},
		pragma{"journal_size_limit", strconv.Itoa(64 << 20)},
	)
}

func readerPragmas(cfg Config) []pragma {
	p := []pragma{
		{"query_only", "1"},
		{"busy_timeout", "0"}, // waiting is ours: it must end with the context
		{"trusted_schema", "0"},
		{"cell_size_check", "1"},
	}
	if runtime.GOOS == "darwin" {
		p = append(p, pragma{"fullfsync", "1"}, pragma{"checkpoint_fullfsync", "1"})
	}
	return p
}

// configure applies pragmas and reads each back: SQLite ignores a setting it
// does not know, or cannot take, without a word.
func configure(c *Conn, pragmas []pragma) error {
	for _, p := range pragmas {
		if err := c.script("PRAGMA " + p.name + " = " + p.value); err != nil {
			return fmt.Errorf("pragma %s: %w", p.name, err)
		}
		got, err := c.pragma(p.name)
		if err != nil {
			return fmt.Errorf("pragma %s: %w", p.name, err)
		}
		if got != p.value {
			return fmt.Errorf("pragma %s is %s after setting it to %s", p.name, got, p.value)
		}
	}
	return nil
}

// patiently repeats f while it fails with ErrBusy, until ctx ends or for at
// most timeout.
func patiently(ctx context.Context, timeout time.Duration, f func() error) error {
	p := newPoll()
	for deadline := time.Now().Add(timeout); ; {
		err := f()
		if !errors.Is(err, ErrBusy) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(p.next()):
		}
	}
}
