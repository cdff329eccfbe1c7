//go:build unix

package vfs

import (
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Name returns the name of the VFS, which it registers at the first call. It returns
// "" where the platform's VFS is to be used as it is.
func Name() (string, error) { return register() }

var register = sync.OnceValues(func() (string, error) {
	const name = "bucketlite"
	parameter, err := libc.CString(indexParameter)
	if err != nil {
		return "", err
	}
	indexName = parameter
	shim, err = NewLayer(name, unsafe.Sizeof(file{}), open, false)
	return name, err
})

// These are set before the first file is opened.
var (
	shim      Layer
	indexName uintptr
)

// file is the state of a file. It is in SQLite's memory, so it has no pointers of Go's;
// SQLite lets one thread at a time use a connection's files.
type file struct {
	Methods
	log   uintptr // of a database: its log, while that is open
	index int64   // of a database: the id of the Index that wants its header, or 0
	owner uintptr // of a log: its database
	pending
}

func fileAt(address uintptr) *file { return (*file)(shim.State(address)) }

// open opens a file. Only databases and their logs are extended.
func open(tls *libc.TLS, _, path, address uintptr, flags int32, outFlags uintptr) int32 {
	rc := shim.Open(tls, path, address, flags, outFlags)
	if rc != sqlite3.SQLITE_OK {
		return rc
	}
	switch {
	case flags&sqlite3.SQLITE_OPEN_MAIN_DB != 0:
		openDatabase(tls, path, address)
	case flags&sqlite3.SQLITE_OPEN_WAL != 0:
		openLog(tls, path, address)
	}
	return rc
}

// openDatabase extends a database that can have a log.
func openDatabase(tls *libc.TLS, path, address uintptr) {
	f := fileAt(address)
	*f = file{}
	if m := (*sqlite3.Tsqlite3_io_methods)(At((*sqlite3.Tsqlite3_file)(At(address)).FpMethods)); m.FiVersion < 2 || m.FxShmMap == 0 {
		return
	}
	f.index = sqlite3.Xsqlite3_uri_int64(tls, path, indexName, 0)
	m := f.Extend(address)
	m.FxClose = Address(closeDatabase)
	m.FxShmMap = Address(mapIndex)
	m.FxShmLock = Address(lockIndex)
	m.FxShmBarrier = Address(barrier)
	m.FxShmUnmap = Address(unmapIndex)
}

// openLog extends the log of such a database.
func openLog(tls *libc.TLS, path, address uintptr) {
	owner := sqlite3.Xsqlite3_database_file_object(tls, path)
	d := fileAt(owner)
	if (*sqlite3.Tsqlite3_file)(At(owner)).FpMethods != uintptr(unsafe.Pointer(&d.Methods)) {
		return
	}
	f := fileAt(address)
	*f = file{owner: owner}
	d.log = address
	extendLog(f.Extend(address))
}
