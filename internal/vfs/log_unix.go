//go:build unix

package vfs

import (
	"encoding/binary"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// The log's format, see https://sqlite.org/fileformat2.html#walformat.
const (
	logHeader   = 32
	logMagic    = 0x377f0682 // or one more
	frameHeader = 24
	minPage     = 512
	maxPage     = 65536
)

// bufferSize bounds what is held back. The platform's VFS passes on at most 128 KiB in
// one system call, so more would gain nothing.
const bufferSize = 128<<10 - 1

// pending is what is held back of the writes to a log: whole frames, after which the
// header of one more may be.
type pending struct {
	buffer uintptr // nil until it is needed
	at     int64   // where in the log it belongs
	size   int32
	page   int32 // the size of a page, 0 if it is not known
	header bool  // the last frame lacks its page
	last   bool  // the last frame ends its transaction
	failed int32 // why the log takes no more of this transaction
}

// part says what a write is a part of.
type part int

const (
	other       part = iota // nothing that may be held back
	header                  // the header of a frame that does not end its transaction
	lastHeader              // the header of the frame that does
	pageOfFrame             // the page for the header that is held back
)

// part returns what data is for the log. The caller knows the size of a page.
func (p *pending) part(data []byte, offset int64) part {
	switch frame := int64(frameHeader + p.page); {
	case p.header && len(data) == int(p.page) && offset == p.end():
		return pageOfFrame
	case p.header || len(data) != frameHeader || offset < logHeader || (offset-logHeader)%frame != 0:
		return other
	case binary.BigEndian.Uint32(data[4:]) == 0: // the size of the database after a commit
		return header
	}
	return lastHeader
}

// end is where the log continues after what is held back.
func (p *pending) end() int64 { return p.at + int64(p.size) }

// hold adds data to what is held back.
func (p *pending) hold(data []byte, offset int64, is part) {
	if p.size == 0 {
		p.at = offset
	}
	copy(Bytes(p.buffer+uintptr(p.size), int32(len(data))), data)
	p.size += int32(len(data))
	p.header = is != pageOfFrame
	p.last = is == lastHeader || is == pageOfFrame && p.last
}

// flush writes what is held back. It returns the error of this transaction, if there is
// one already.
func (f *file) flush(tls *libc.TLS, log uintptr) int32 {
	if f.size == 0 || f.failed != sqlite3.SQLITE_OK {
		return f.failed
	}
	n := f.size
	f.size, f.header, f.last = 0, false, false
	f.failed = f.through(tls, log, f.buffer, n, f.at)
	return f.failed
}

// through writes to the log as the platform does.
func (f *file) through(tls *libc.TLS, log, data uintptr, n int32, offset int64) int32 {
	return Func[ioFunc](f.Beneath().FxWrite)(tls, log, data, n, offset)
}

// ready reports whether writes can be held back: there is a buffer, and the size of a
// page is known.
func (f *file) ready(tls *libc.TLS, log uintptr) bool {
	if f.buffer == 0 {
		f.buffer = sqlite3.Xsqlite3_malloc64(tls, bufferSize)
	}
	if f.buffer != 0 && f.page == 0 { // nothing is held back
		if Func[ioFunc](f.Beneath().FxRead)(tls, log, f.buffer, logHeader, 0) == sqlite3.SQLITE_OK {
			f.page = pageSize(Bytes(f.buffer, logHeader))
		}
	}
	return f.buffer != 0 && f.page != 0
}

// pageSize returns the size of a page according to the header of a log, 0 if that is
// none.
func pageSize(header []byte) int32 {
	magic, n := binary.BigEndian.Uint32(header), binary.BigEndian.Uint32(header[8:])
	if magic&^1 != logMagic || n < minPage || n > maxPage || n&(n-1) != 0 {
		return 0
	}
	return int32(n)
}

// The methods that a log has replaced, by what they take.
type (
	plainFunc   = func(tls *libc.TLS, file uintptr) int32
	ioFunc      = func(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32
	offsetFunc  = func(tls *libc.TLS, file uintptr, offset int64) int32
	flagsFunc   = func(tls *libc.TLS, file uintptr, flags int32) int32
	resultFunc  = func(tls *libc.TLS, file, result uintptr) int32
	controlFunc = func(tls *libc.TLS, file uintptr, op int32, arg uintptr) int32
	fetchFunc   = func(tls *libc.TLS, file uintptr, offset int64, n int32, result uintptr) int32
	unfetchFunc = func(tls *libc.TLS, file uintptr, offset int64, data uintptr) int32
)

// extendLog replaces every method of a log. One that the platform has not is not used.
func extendLog(m *sqlite3.Tsqlite3_io_methods) {
	m.FxClose = Address(closeLog)
	m.FxRead = Address(readLog)
	m.FxWrite = Address(writeLog)
	m.FxTruncate = Address(truncateLog)
	m.FxSync = Address(syncLog)
	m.FxFileSize = Address(sizeOfLog)
	m.FxLock = Address(lockLog)
	m.FxUnlock = Address(unlockLog)
	m.FxCheckReservedLock = Address(checkLog)
	m.FxFileControl = Address(controlLog)
	m.FxSectorSize = Address(sectorOfLog)
	m.FxDeviceCharacteristics = Address(deviceOfLog)
	if m.FiVersion >= 3 {
		m.FxFetch = Address(fetchLog)
		m.FxUnfetch = Address(unfetchLog)
	}
}

// writeLog holds data back, or writes it after what is held back.
func writeLog(tls *libc.TLS, log, data uintptr, n int32, offset int64) int32 {
	f := fileAt(log)
	if f.failed != sqlite3.SQLITE_OK {
		return f.failed
	}
	bytes := Bytes(data, n)
	if offset == 0 && n == logHeader {
		f.page = 0 // the log begins anew
	}
	is := other
	if n != logHeader && f.ready(tls, log) {
		is = f.part(bytes, offset)
	}
	full := is != pageOfFrame && f.size+frameHeader+f.page > bufferSize
	if is == other || full || offset != f.end() {
		if rc := f.flush(tls, log); rc != sqlite3.SQLITE_OK {
			return rc
		}
	}
	if is == other || is == lastHeader && f.size == 0 {
		return f.through(tls, log, data, n, offset)
	}
	f.hold(bytes, offset, is)
	if f.last && !f.header {
		return f.flush(tls, log) // the transaction is complete
	}
	return sqlite3.SQLITE_OK
}

func closeLog(tls *libc.TLS, log uintptr) int32 {
	f := fileAt(log)
	failed := f.flush(tls, log)
	sqlite3.Xsqlite3_free(tls, f.buffer)
	f.buffer, f.page = 0, 0
	fileAt(f.owner).log = 0
	if rc := Func[plainFunc](f.Beneath().FxClose)(tls, log); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return failed
}

func readLog(tls *libc.TLS, log, data uintptr, n int32, offset int64) int32 {
	f := fileAt(log)
	if rc := f.flush(tls, log); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return Func[ioFunc](f.Beneath().FxRead)(tls, log, data, n, offset)
}

func truncateLog(tls *libc.TLS, log uintptr, size int64) int32 {
	f := fileAt(log)
	if rc := f.flush(tls, log); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return Func[offsetFunc](f.Beneath().FxTruncate)(tls, log, size)
}

func syncLog(tls *libc.TLS, log uintptr, flags int32) int32 {
	f := fileAt(log)
	if rc := f.flush(tls, log); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return Func[flagsFunc](f.Beneath().FxSync)(tls, log, flags)
}

func sizeOfLog(tls *libc.TLS, log, result uintptr) int32 {
	f := fileAt(log)
	if rc := f.flush(tls, log); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return Func[resultFunc](f.Beneath().FxFileSize)(tls, log, result)
}

func lockLog(tls *libc.TLS, log uintptr, level int32) int32 {
	f := fileAt(log)
	if rc := f.flush(tls, log); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return Func[flagsFunc](f.Beneath().FxLock)(tls, log, level)
}

// unlockLog unlocks in any case.
func unlockLog(tls *libc.TLS, log uintptr, level int32) int32 {
	f := fileAt(log)
	f.flush(tls, log)
	return Func[flagsFunc](f.Beneath().FxUnlock)(tls, log, level)
}

func checkLog(tls *libc.TLS, log, result uintptr) int32 {
	f := fileAt(log)
	if rc := f.flush(tls, log); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return Func[resultFunc](f.Beneath().FxCheckReservedLock)(tls, log, result)
}

func controlLog(tls *libc.TLS, log uintptr, op int32, arg uintptr) int32 {
	f := fileAt(log)
	if rc := f.flush(tls, log); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return Func[controlFunc](f.Beneath().FxFileControl)(tls, log, op, arg)
}

// The two methods that return no error leave it to the next.
func sectorOfLog(tls *libc.TLS, log uintptr) int32 {
	f := fileAt(log)
	f.flush(tls, log)
	return Func[plainFunc](f.Beneath().FxSectorSize)(tls, log)
}

func deviceOfLog(tls *libc.TLS, log uintptr) int32 {
	f := fileAt(log)
	f.flush(tls, log)
	return Func[plainFunc](f.Beneath().FxDeviceCharacteristics)(tls, log)
}

func fetchLog(tls *libc.TLS, log uintptr, offset int64, n int32, result uintptr) int32 {
	f := fileAt(log)
	if rc := f.flush(tls, log); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return Func[fetchFunc](f.Beneath().FxFetch)(tls, log, offset, n, result)
}

// unfetchLog gives the page back in any case.
func unfetchLog(tls *libc.TLS, log uintptr, offset int64, data uintptr) int32 {
	f := fileAt(log)
	f.flush(tls, log)
	return Func[unfetchFunc](f.Beneath().FxUnfetch)(tls, log, offset, data)
}
