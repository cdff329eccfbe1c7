package engine

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"
)

// Sizes and places in SQLite's file formats: https://www.sqlite.org/fileformat2.html
const (
	logHeaderSize     = 32
	frameHeaderSize   = 24
	journalHeaderSize = 28
	minPageSize       = 512
	maxPageSize       = 65536
)

// A write-ahead log begins with logMagic, whose last bit tells the byte order of
// its checksums, a rollback journal with journalMagic.
const (
	logMagic     = 0x377f0682
	journalMagic = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
)

// SideFiles are the files that SQLite makes beside the database at path, and
// takes for its own if they are there.
func SideFiles(path string) []string {
	return []string{path + "-wal", path + "-shm", path + "-journal"}
}

// firstPageInLog returns page 1 as the last commit in the write-ahead log at path
// leaves it, or nil if there is no such log or page. Like SQLite, it ends at the
// first frame whose salt or checksum is wrong.
//
// SQLite takes no locks on a log, so opening and closing one drops none.
func firstPageInLog(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	header := make([]byte, logHeaderSize)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil
	}
	be := binary.BigEndian
	magic, size := be.Uint32(header), be.Uint32(header[8:])
	if magic&^1 != logMagic || !isPageSize(size) {
		return nil
	}
	sum := logSum{order: binary.LittleEndian}
	if magic&1 == 1 {
		sum.order = binary.BigEndian
	}
	salt := string(header[16:24])
	if sum.add(header[:24]); !sum.equals(header[24:]) {
		return nil
	}
	var page, pending []byte // page 1 of the last commit, and of the running transaction
	frame := make([]byte, frameHeaderSize+size)
	for {
		if _, err := io.ReadFull(r, frame); err != nil {
			return page
		}
		sum.add(frame[:8])
		sum.add(frame[frameHeaderSize:])
		if string(frame[8:16]) != salt || !sum.equals(frame[16:]) {
			return page
		}
		if be.Uint32(frame) == 1 {
			pending = append(pending[:0:0], frame[frameHeaderSize:]...)
		}
		if pages := be.Uint32(frame[4:]); pages > 0 && pending != nil { // the frame ends a transaction
			page = pending
		}
	}
}

func isPageSize(n uint32) bool {
	return n >= minPageSize && n <= maxPageSize && n&(n-1) == 0
}

// logSum is the running checksum of a write-ahead log.
type logSum struct {
	order  binary.ByteOrder
	s0, s1 uint32
}

// add adds data, whose length is a multiple of eight.
func (s *logSum) add(data []byte) {
	for ; len(data) >= 8; data = data[8:] {
		s.s0 += s.order.Uint32(data) + s.s1
		s.s1 += s.order.Uint32(data[4:]) + s.s0
	}
}

// equals compares the checksum to the one stored at the beginning of data.
func (s *logSum) equals(data []byte) bool {
	return binary.BigEndian.Uint32(data) == s.s0 && binary.BigEndian.Uint32(data[4:]) == s.s1
}

// firstPageInJournal returns page 1 as the rollback journal at path restores it.
// If the journal says that there were no pages at all, empty is true: SQLite then
// empties the file. Page is nil if there is no such journal or page.
func firstPageInJournal(path string) (page []byte, empty bool) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	header := make([]byte, journalHeaderSize)
	if _, err := io.ReadFull(f, header); err != nil || string(header[:8]) != journalMagic {
		return nil, false
	}
	be := binary.BigEndian
	records, nonce, pages := be.Uint32(header[8:]), be.Uint32(header[12:]), be.Uint32(header[16:])
	sector, size := be.Uint32(header[20:]), be.Uint32(header[24:])
	if pages == 0 {
		return nil, true
	}
	if !isPageSize(size) {
		return nil, false
	}
	if _, err := f.Seek(int64(sector), io.SeekStart); err != nil {
		return nil, false
	}
	r := bufio.NewReaderSize(f, 1<<20)
	record := make([]byte, 4+size+4)
	for ; records > 0; records-- { // 0xffffffff means up to the end
		if _, err := io.ReadFull(r, record); err != nil {
			return nil, false
		}
		page := record[4 : 4+size]
		if be.Uint32(record[4+size:]) != journalSum(nonce, page) {
			return nil, false
		}
		if be.Uint32(record) == 1 {
			return page, false
		}
	}
	return nil, false
}

// journalSum is the checksum of a page in a rollback journal.
func journalSum(nonce uint32, page []byte) uint32 {
	for i := len(page) - 200; i > 0; i -= 200 {
		nonce += uint32(page[i])
	}
	return nonce
}
