//go:build unix

package vfs

import (
	"fmt"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Layer is a VFS that is made of the default one. Its files are those of the default
// VFS, with a state behind each and with some methods replaced. So a method that is
// not replaced costs nothing.
type Layer struct {
	base uintptr // the VFS that was the default
	tail uintptr // where a file's state begins
}

// OpenFunc is the method of a VFS that opens a file.
type OpenFunc func(tls *libc.TLS, self, path, file uintptr, flags int32, outFlags uintptr) int32

// NewLayer registers a VFS for the rest of the process, as the default or beside it.
// Each file has size bytes of state. The functions open and those that Layer.Extend
// gets must be declared ones, not closures: SQLite keeps their addresses.
func NewLayer(name string, size uintptr, open OpenFunc, isDefault bool) (Layer, error) {
	tls := libc.NewTLS()
	defer tls.Close()
	base := sqlite3.Xsqlite3_vfs_find(tls, 0)
	if base == 0 {
		return Layer{}, fmt.Errorf("register VFS %q: SQLite has no default", name)
	}
	text, err := libc.CString(name)
	if err != nil {
		return Layer{}, fmt.Errorf("register VFS %q: %w", name, err)
	}
	self := sqlite3.Xsqlite3_malloc64(tls, uint64(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	if self == 0 {
		return Layer{}, fmt.Errorf("register VFS %q: out of memory", name)
	}
	v := (*sqlite3.Tsqlite3_vfs)(At(self))
	*v = *(*sqlite3.Tsqlite3_vfs)(At(base))
	l := Layer{base: base, tail: (uintptr(v.FszOsFile) + 7) &^ 7}
	v.FszOsFile = int32(l.tail + size)
	v.FpNext = 0
	v.FzName = text
	v.FxOpen = Address(open)
	first := int32(0)
	if isDefault {
		first = 1
	}
	if rc := sqlite3.Xsqlite3_vfs_register(tls, self, first); rc != sqlite3.SQLITE_OK {
		return Layer{}, fmt.Errorf("register VFS %q: result %d", name, rc)
	}
	return l, nil
}

// Open opens a file as the VFS beneath does.
func (l Layer) Open(tls *libc.TLS, path, file uintptr, flags int32, outFlags uintptr) int32 {
	return Func[OpenFunc]((*sqlite3.Tsqlite3_vfs)(At(l.base)).FxOpen)(tls, l.base, path, file, flags, outFlags)
}

// State returns the address of a file's state, which Open leaves as it is.
func (l Layer) State(file uintptr) unsafe.Pointer { return At(file + l.tail) }

// Methods are the methods of a file: SQLite's table of them, and the one beneath.
type Methods struct {
	table   sqlite3.Tsqlite3_io_methods
	beneath uintptr
}

// Extend gives a file that is open a table of its own, which is a copy of the one it
// has. M must be in the file's state. Replace methods in the table that is returned.
func (m *Methods) Extend(file uintptr) *sqlite3.Tsqlite3_io_methods {
	f := (*sqlite3.Tsqlite3_file)(At(file))
	m.beneath = f.FpMethods
	m.table = *m.Beneath()
	f.FpMethods = uintptr(unsafe.Pointer(&m.table))
	return &m.table
}

// Beneath returns the methods that the file had.
func (m *Methods) Beneath() *sqlite3.Tsqlite3_io_methods {
	return (*sqlite3.Tsqlite3_io_methods)(At(m.beneath))
}

// At returns the pointer for an address of SQLite's, whose memory is not Go's.
func At(address uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }

// Bytes returns n bytes at an address of SQLite's.
func Bytes(address uintptr, n int32) []byte { return unsafe.Slice((*byte)(At(address)), n) }

// Address returns the address of a declared function, as SQLite has it.
func Address[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

// Func is the inverse of [Address].
func Func[F any](address uintptr) F { return *(*F)(unsafe.Pointer(&address)) }
