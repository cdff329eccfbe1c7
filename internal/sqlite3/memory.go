package sqlite3

import (
	"strings"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	lib "modernc.org/sqlite/lib"
)

// at returns an address of SQLite's memory as a pointer. That memory is not Go's, and its
// collector neither moves nor frees it.
func at(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// bytesAt returns n bytes of SQLite's memory.
func bytesAt(p uintptr, n int) []byte { return unsafe.Slice((*byte)(at(p)), n) }

// pointerAt returns the address that is stored at p.
func pointerAt(p uintptr) uintptr { return *(*uintptr)(at(p)) }

// pointerSize is the size of an address.
const pointerSize = int(unsafe.Sizeof(uintptr(0)))

// function returns f as the translated code represents a pointer to a C function. f must be
// declared at the top of a package: a closure could be freed.
func function[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

// malloc returns memory of n bytes, which are not zero, or an error.
func malloc(tls *libc.TLS, n int) (uintptr, error) {
	if p := libc.Xmalloc(tls, types.Size_t(n)); p != 0 {
		return p, nil
	}
	return 0, noMemory()
}

// free gives back what malloc returned; 0 is none.
func free(tls *libc.TLS, p uintptr) {
	if p != 0 {
		libc.Xfree(tls, p)
	}
}

// cstring returns a copy of s that ends with NUL, in memory of malloc. s must hold none.
func cstring(tls *libc.TLS, s string) (uintptr, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return 0, errNUL
	}
	p, err := malloc(tls, len(s)+1)
	if err != nil {
		return 0, err
	}
	b := bytesAt(p, len(s)+1)
	b[copy(b, s)] = 0
	return p, nil
}

// given returns a copy of s in memory that SQLite frees with sqlite3_free, or 0 if there
// is none.
func given(tls *libc.TLS, s string) uintptr {
	p := lib.Xsqlite3_malloc64(tls, uint64(max(len(s), 1)))
	if p != 0 {
		copy(bytesAt(p, len(s)), s)
	}
	return p
}
