package pagecache

import (
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Installed reports whether SQLite uses this package. It does not if another package has
// initialized SQLite before this one was: SQLite then keeps its own page cache, with which
// everything works as well.
var Installed = install()

// install tells SQLite of the methods. It runs while packages are initialized, since SQLite
// must not be configured while another goroutine uses it.
func install() bool {
	tls := libc.NewTLS()
	defer tls.Close()
	args := malloc(tls, unsafe.Sizeof(uintptr(0)))
	if args == 0 {
		return false
	}
	defer libc.Xfree(tls, args)
	table := sqlite3.Tsqlite3_pcache_methods2{
		FiVersion:   1,
		FxInit:      address(xInit),
		FxShutdown:  address(xShutdown),
		FxCreate:    address(xCreate),
		FxCachesize: address(xCachesize),
		FxPagecount: address(xPagecount),
		FxFetch:     address(xFetch),
		FxUnpin:     address(xUnpin),
		FxRekey:     address(xRekey),
		FxTruncate:  address(xTruncate),
		FxDestroy:   address(xDestroy),
		FxShrink:    address(xShrink),
	}
	// SQLite copies the table.
	return sqlite3.Xsqlite3_config(tls, sqlite3.SQLITE_CONFIG_PCACHE2, libc.VaList(args, uintptr(unsafe.Pointer(&table)))) == sqlite3.SQLITE_OK
}

func xInit(*libc.TLS, uintptr) int32 { return sqlite3.SQLITE_OK }

func xShutdown(*libc.TLS, uintptr) {}

func xCreate(tls *libc.TLS, pageSize, extraSize, purgeable int32) uintptr {
	return uintptr(unsafe.Pointer(newCache(tls, uintptr(pageSize), uintptr(extraSize), purgeable != 0)))
}

func xCachesize(_ *libc.TLS, c uintptr, most int32) { cacheAt(c).resize(uint32(max(most, 0))) }

func xPagecount(_ *libc.TLS, c uintptr) int32 { return int32(cacheAt(c).count) }

func xFetch(tls *libc.TLS, c uintptr, key uint32, mode int32) uintptr {
	return uintptr(unsafe.Pointer(cacheAt(c).fetch(tls, key, createMode(mode))))
}

func xUnpin(_ *libc.TLS, c, p uintptr, discard int32) {
	cacheAt(c).unpin((*page)(at(p)), discard != 0)
}

func xRekey(_ *libc.TLS, c, p uintptr, _, key uint32) { cacheAt(c).rekey((*page)(at(p)), key) }

func xTruncate(_ *libc.TLS, c uintptr, limit uint32) { cacheAt(c).truncate(limit) }

func xDestroy(tls *libc.TLS, c uintptr) { cacheAt(c).close(tls) }

// xShrink evicts unused pages. Their memory serves the next ones.
func xShrink(_ *libc.TLS, c uintptr) { cacheAt(c).trim(0) }

func cacheAt(address uintptr) *cache { return (*cache)(at(address)) }

// address returns the address of a declared function, as SQLite has it.
func address[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }
