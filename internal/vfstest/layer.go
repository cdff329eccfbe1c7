//go:build unix

package vfstest

import (
	"bytes"
	"path/filepath"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/bucketlite/bucketlite/internal/vfs"
)

var (
	layer     vfs.Layer
	installed bool
)

// Install puts the layer beneath all VFS that are registered later. Call it at the
// beginning of TestMain.
func Install() error {
	var err error
	layer, err = vfs.NewLayer("bucketlite-test", unsafe.Sizeof(file{}), open, true)
	installed = err == nil
	return err
}

// file is the state of a file of a [Disk].
type file struct {
	vfs.Methods
	disk int64
	path uintptr
}

func fileAt(address uintptr) *file { return (*file)(layer.State(address)) }

func open(tls *libc.TLS, _, path, address uintptr, flags int32, outFlags uintptr) int32 {
	rc := layer.Open(tls, path, address, flags, outFlags)
	if rc != sqlite3.SQLITE_OK || path == 0 {
		return rc
	}
	id := disks.of(libc.GoString(path))
	if id == 0 {
		return rc
	}
	f := fileAt(address)
	*f = file{disk: id, path: path}
	m := f.Extend(address)
	m.FxWrite = vfs.Address(write)
	m.FxSync = vfs.Address(syncFile)
	m.FxTruncate = vfs.Address(truncate)
	return rc
}

// judge notes a call on a file. The name is valid as long as the file is open.
func (f *file) judge(c Call) (code int32, keep int) {
	d := disks.find(f.disk)
	if d == nil {
		return sqlite3.SQLITE_OK, len(c.Data)
	}
	c.Name = filepath.Base(libc.GoString(f.path))
	return d.judge(c)
}

func write(tls *libc.TLS, address, data uintptr, n int32, offset int64) int32 {
	f := fileAt(address)
	code, keep := f.judge(Call{Kind: Write, Offset: offset, Data: bytes.Clone(vfs.Bytes(data, n))})
	if keep > 0 {
		beneath := vfs.Func[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](f.Beneath().FxWrite)
		if rc := beneath(tls, address, data, int32(keep), offset); rc != sqlite3.SQLITE_OK {
			return rc
		}
	}
	return code
}

func syncFile(tls *libc.TLS, address uintptr, flags int32) int32 {
	f := fileAt(address)
	if code, _ := f.judge(Call{Kind: Sync}); code != sqlite3.SQLITE_OK {
		return code
	}
	return vfs.Func[func(*libc.TLS, uintptr, int32) int32](f.Beneath().FxSync)(tls, address, flags)
}

func truncate(tls *libc.TLS, address uintptr, size int64) int32 {
	f := fileAt(address)
	if code, _ := f.judge(Call{Kind: Truncate, Offset: size}); code != sqlite3.SQLITE_OK {
		return code
	}
	return vfs.Func[func(*libc.TLS, uintptr, int64) int32](f.Beneath().FxTruncate)(tls, address, size)
}
