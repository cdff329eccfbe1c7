//go:build unix

package vfs

import (
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// lockOfWriters is the slot of the lock that a connection holds while it writes to
// the log.
const lockOfWriters = 0

// The methods that a database has replaced, by what they take.
type (
	mapFunc     = func(tls *libc.TLS, file uintptr, region, size, extend int32, result uintptr) int32
	lockFunc    = func(tls *libc.TLS, file uintptr, slot, n, flags int32) int32
	barrierFunc = func(tls *libc.TLS, file uintptr)
)

// settle writes what the log of a database holds back.
func (f *file) settle(tls *libc.TLS) int32 {
	if f.log == 0 {
		return sqlite3.SQLITE_OK
	}
	return fileAt(f.log).flush(tls, f.log)
}

// lockIndex takes or releases locks on the log. An error does not keep a lock from
// being released. Once that of the writers is, the log can be written anew: what a
// transaction left behind is not part of it.
func lockIndex(tls *libc.TLS, database uintptr, slot, n, flags int32) int32 {
	f := fileAt(database)
	failed := f.settle(tls)
	release := flags&sqlite3.SQLITE_SHM_UNLOCK != 0
	if failed != sqlite3.SQLITE_OK && !release {
		return failed
	}
	rc := Func[lockFunc](f.Beneath().FxShmLock)(tls, database, slot, n, flags)
	if release && slot == lockOfWriters && f.log != 0 {
		fileAt(f.log).failed = sqlite3.SQLITE_OK
	}
	return rc
}

// barrier orders accesses to the index. The header of a commit is on its way when it is
// called, and there is no result that could stop it, nor the commit from being
// acknowledged.
func barrier(tls *libc.TLS, database uintptr) {
	f := fileAt(database)
	if f.log != 0 && fileAt(f.log).size > 0 && f.settle(tls) != sqlite3.SQLITE_OK {
		panic("vfs: a transaction was to become visible before it was written, and writing it failed")
	}
	Func[barrierFunc](f.Beneath().FxShmBarrier)(tls, database)
}

// mapIndex maps a region of the index. The first has the header.
func mapIndex(tls *libc.TLS, database uintptr, region, size, extend int32, result uintptr) int32 {
	f := fileAt(database)
	rc := Func[mapFunc](f.Beneath().FxShmMap)(tls, database, region, size, extend, result)
	if f.index != 0 && region == 0 && (rc == sqlite3.SQLITE_OK || rc == sqlite3.SQLITE_READONLY) {
		if address := *(*uintptr)(At(result)); address != 0 {
			indexes.mapped(f.index, database, (*headers)(At(address)))
		}
	}
	return rc
}

func unmapIndex(tls *libc.TLS, database uintptr, remove int32) int32 {
	f := fileAt(database)
	f.settle(tls)
	indexes.unmapped(f.index, database)
	return Func[flagsFunc](f.Beneath().FxShmUnmap)(tls, database, remove)
}

func closeDatabase(tls *libc.TLS, database uintptr) int32 {
	f := fileAt(database)
	indexes.unmapped(f.index, database)
	return Func[plainFunc](f.Beneath().FxClose)(tls, database)
}
