package bucketlite

import (
	"errors"
	"io"
	"io/fs"

	"github.com/bucketlite/bucketlite/internal/folder"
)

// errUnsteady says that a file was changed while it was read.
var errUnsteady = errors.New("the file is changing")

// steadyFS opens the files of a look. A file that is not the one that the look saw, to its
// end, fails with errUnsteady.
type steadyFS struct {
	fs.FS
	look *syncLook
}

func (s steadyFS) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	steady := &steadyFile{File: f, want: s.look.files[name].State}
	if steady.want.Inode == 0 {
		// Windows lists a folder with times and sizes that may be older than the files'.
		info, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, err
		}
		steady.want = folder.StateOf(info)
	}
	if err := steady.check(); err != nil {
		f.Close()
		return nil, err
	}
	return steady, nil
}

// Lstat implements [fs.ReadLinkFS], so that links are recognised.
func (s steadyFS) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(s.FS, name) }

// ReadLink implements [fs.ReadLinkFS].
func (s steadyFS) ReadLink(name string) (string, error) { return fs.ReadLink(s.FS, name) }

// steadyFile is a file that must have a certain state at its end.
type steadyFile struct {
	fs.File
	want folder.State
}

func (f *steadyFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if err == io.EOF {
		if changed := f.check(); changed != nil {
			return 0, changed
		}
	}
	return n, err
}

// Seek implements [io.Seeker].
func (f *steadyFile) Seek(offset int64, whence int) (int64, error) {
	s, ok := f.File.(io.Seeker)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	return s.Seek(offset, whence)
}

func (f *steadyFile) check() error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if folder.StateOf(info) != f.want {
		return errUnsteady
	}
	return nil
}
