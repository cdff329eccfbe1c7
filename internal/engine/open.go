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
	file string // path with links followed, since SQLite keeps its other files there
	uri  string // path as a SQLite URI, without parameters

	// More parameters, each with a "&" before it, or empty: for the connections of an
	// open database, and for the one whose index of the log DB.Mark reads.
	vfs, index string
}

// locate checks path before SQLite sees it, so that the commonest mistakes get
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
	loc = location{path: abs, file: resolve(abs), uri: "file://" + (&url.URL{Path: slash}).EscapedPath()}
	log, _ := os.Stat(loc.file + "-wal") // before the file, which is always made first
	info, err := os.Stat(abs)
	switch {
	case err == nil && info.IsDir():
		return loc, false, errors.New("the path is a directory")
	case err == nil && info.Size() > 0:
		return loc, true, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return loc, false, err
	case log != nil && log.Size() > 0:
		return loc, false, orphaned(loc, err)
	case err == nil:
		return loc, false, nil
	case readOnly:
		return loc, false, fmt.Errorf("the file does not exist: %w", fs.ErrNotExist)
	}
	if _, err := os.Stat(filepath.Dir(abs)); err != nil {
		return loc, false, fmt.Errorf("its directory does not exist: %w", err)
	}
	return loc, false, nil
}

// orphaned refuses to make a file beside the log of another: SQLite would delete
// the log, and with it commits that are nowhere else.
func orphaned(loc location, missing error) error {
	state := "is empty"
	if missing != nil {
		state = "does not exist"
	}
	name := filepath.Base(loc.file)
	return fmt.Errorf("%w: %q %s, but its write-ahead log %q holds commits: put the file back beside its log, or move the log away to begin anew",
		ErrCorrupt, name, state, name+"-wal")
}

// resolve follows the links at path, also those to a file that does not exist yet.
func resolve(path string) string {
	const maxLinks = 40
	for range maxLinks {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			return target
		}
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return path
}

// openWriter opens the connection that writes, makes the file ours if it is
// new, and brings its schema up to date.
func openWriter(ctx context.Context, loc location, cfg Config) (*Conn, error) {
	mode := map[bool]string{true: "memory", false: "rwc"}[loc.path == Memory]
	c, err := connect(loc.uri + "?mode=" + mode + loc.vfs + loc.index)
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
	// SQLite falls back to reading a file it may not write, and says so only here.
	if c.raw.ReadOnly() {
		return fmt.Errorf("%w: the file cannot be written", ErrReadOnly)
	}
	// A new file gets its id and schema before it becomes WAL: afterwards they
	// could sit outside the main file at a crash.
	if err := initialise(ctx, c, loc, cfg); err != nil {
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
	return migrate(ctx, c, loc, cfg)
}

// openReader opens a connection that cannot write.
func openReader(loc location, cfg Config, parameters string) (*Conn, error) {
	return openWith(loc, parameters, readerPragmas(cfg))
}

// openFurther opens a connection that may write, beside the writer's or after it.
func openFurther(loc location, cfg Config) (*Conn, error) {
	return openWith(loc, "mode=rw", writerPragmas(cfg))
}

func openWith(loc location, parameters string, pragmas []pragma) (*Conn, error) {
	c, err := connect(loc.uri + "?" + parameters + loc.vfs)
	if err != nil {
		return nil, err
	}
	if err := configure(c, pragmas); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// pragma is a setting and the value that must be read back after setting it.
type pragma struct{ name, value string }

func writerPragmas(cfg Config) []pragma {
	return append(readerPragmas(cfg)[1:],
		pragma{"synchronous", strconv.Itoa(int(cfg.Synchronous))},
		pragma{"temp_store", "2"},
		pragma{"journal_size_limit", strconv.Itoa(MaxLog)},
		pragma{"wal_autocheckpoint", strconv.Itoa(commitPages)},
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
