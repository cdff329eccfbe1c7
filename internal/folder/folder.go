// Package folder walks the files of a folder: regular files whose paths fit patterns.
// It follows no links, and reports what it cannot read.
package folder

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
)

// Options select the files of a walk. The zero value selects all files except hidden ones.
type Options struct {
	// Include selects files, if it has any patterns. Exclude leaves out files and whole
	// folders, also included ones. A pattern with a slash is compared with the path below
	// the root, one without with the last name in it. In a pattern, * and ? stand for
	// parts of a name, ** for any number of names, [a-z] for one character, and {a,b} for
	// one of several texts.
	Include, Exclude []string
	// Hidden also walks what has a name that begins with a dot.
	Hidden bool
	// Except are files to leave out, by whatever name.
	Except []fs.FileInfo
	// Enter, unless nil, is called for each folder that is walked, with its path, before
	// its files. The path of the root is ".".
	Enter func(name string)
}

// Validate returns an error that names the first pattern that is malformed.
func (o Options) Validate() error {
	for _, patterns := range [][]string{o.Include, o.Exclude} {
		for _, p := range patterns {
			if p == "" || !doublestar.ValidatePattern(p) {
				return fmt.Errorf("pattern %q is malformed", p)
			}
		}
	}
	return nil
}

// A File is a regular file of a folder.
type File struct {
	// Path is the path below the root, with slashes, in valid UTF-8.
	Path string
	// Size and Modified are those at the time of the walk.
	Size     int64
	Modified time.Time
	// State tells whether the file has changed since.
	State State
}

// A Reason says why a walk leaves something out.
type Reason string

// The reasons. Unreadable and Name are faults; the others are as intended.
const (
	Excluded   Reason = "excluded"   // by a pattern
	Hidden     Reason = "hidden"     // its name begins with a dot
	Link       Reason = "link"       // a symbolic link, which is not followed
	Special    Reason = "special"    // a device, a socket or a pipe
	Unreadable Reason = "unreadable" // an error of the file system
	Name       Reason = "name"       // its name is not valid UTF-8
)

// A Skip is something that a walk leaves out: a file, or a folder with all that is in it.
type Skip struct {
	// Path is as in [File], but may be invalid UTF-8.
	Path   string
	Folder bool
	Reason Reason
	// Err is the error of an Unreadable file or folder, else nil.
	Err error
}

// Walk calls visit for each file that opts select, in the order of their paths' names,
// and skip for each thing that it leaves out; skip may be nil. It stops at the first error
// that visit returns, when ctx ends, and if the root itself cannot be read.
func Walk(ctx context.Context, fsys fs.FS, opts Options, visit func(File) error, skip func(Skip)) error {
	if err := opts.Validate(); err != nil {
		return err
	}
	if skip == nil {
		skip = func(Skip) {}
	}
	return fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if ended := ctx.Err(); ended != nil {
			return ended
		}
		if name == "." {
			return opts.enter(name, err)
		}
		left := func(reason Reason, err error) error {
			skip(Skip{name, entry.IsDir(), reason, err})
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		reason := opts.reason(name, entry)
		switch {
		case reason != "":
			return left(reason, nil)
		case err != nil:
			return left(Unreadable, err)
		case entry.IsDir():
			return opts.enter(name, nil)
		}
		info, err := entry.Info()
		if err != nil {
			return left(Unreadable, err)
		}
		if opts.excepts(info) {
			return left(Excluded, nil)
		}
		return visit(File{name, info.Size(), info.ModTime(), StateOf(info)})
	})
}

// excepts reports whether a file is one of Except. On Windows files are compared only if
// their names are equal, since that opens them.
func (o Options) excepts(info fs.FileInfo) bool {
	return slices.ContainsFunc(o.Except, func(other fs.FileInfo) bool {
		return (runtime.GOOS != "windows" || other.Name() == info.Name()) && os.SameFile(other, info)
	})
}

// enter reports a folder, unless err says that it cannot be read.
func (o Options) enter(name string, err error) error {
	if err == nil && o.Enter != nil {
		o.Enter(name)
	}
	return err
}

// reason returns why an entry is left out, or "".
func (o Options) reason(name string, entry fs.DirEntry) Reason {
	switch {
	case !utf8.ValidString(name):
		return Name
	case !o.Hidden && strings.HasPrefix(path.Base(name), "."):
		return Hidden
	case matches(o.Exclude, name):
		return Excluded
	case entry.IsDir():
		return ""
	case len(o.Include) > 0 && !matches(o.Include, name):
		return Excluded
	case entry.Type()&fs.ModeSymlink != 0:
		return Link
	case !entry.Type().IsRegular():
		return Special
	}
	return ""
}

// Selects reports whether a walk could visit a regular file at the path, with the slashes
// and names that a walk would give it.
func (o Options) Selects(name string) bool {
	if name == "." || !fs.ValidPath(name) || len(o.Include) > 0 && !matches(o.Include, name) {
		return false
	}
	for ; name != "."; name = path.Dir(name) {
		if !o.Hidden && strings.HasPrefix(path.Base(name), ".") || matches(o.Exclude, name) {
			return false
		}
	}
	return true
}

// matches reports whether a path fits one of the patterns.
func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		text := name
		if !strings.Contains(p, "/") {
			text = path.Base(name)
		}
		if doublestar.MatchUnvalidated(p, text) {
			return true
		}
	}
	return false
}

// ErrSpecial is the error of opening something else than a regular file.
var ErrSpecial = errors.New("not a regular file")

// Open opens a regular file. It checks the file before, since opening a pipe waits, and
// after, since the file may have been replaced in between.
func Open(fsys fs.FS, name string) (fs.File, error) {
	info, err := fs.Lstat(fsys, name)
	if err != nil {
		return nil, err
	}
	special := &fs.PathError{Op: "open", Path: name, Err: ErrSpecial}
	if !info.Mode().IsRegular() {
		return nil, special
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
		err = special
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Hash returns the SHA-256 of a file's bytes in hexadecimal, and their number. It stops
// when ctx ends.
func Hash(ctx context.Context, fsys fs.FS, name string) (sum string, size int64, err error) {
	f, err := Open(fsys, name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	buf := make([]byte, 256<<10)
	for {
		n, err := f.Read(buf)
		h.Write(buf[:n])
		size += int64(n)
		switch {
		case err == io.EOF:
			return fmt.Sprintf("%x", h.Sum(nil)), size, nil
		case err != nil:
			return "", 0, err
		case ctx.Err() != nil:
			return "", 0, ctx.Err()
		}
	}
}
