package sqlite3

import lib "modernc.org/sqlite/lib"

// Backup copies a database, page by page.
type Backup struct {
	from *Conn
	to   *Conn
	p    uintptr
}

// Backup begins a copy of the database into the database that uri and vfs name; see [Open]. The
// copy replaces all that is there. It must be closed.
func (c *Conn) Backup(uri, vfs string) (*Backup, error) {
	to, err := Open(uri, vfs)
	if err != nil {
		return nil, err
	}
	p := lib.Xsqlite3_backup_init(c.tls, to.db, to.main, c.db, c.main)
	if p == 0 {
		err := failure(c.tls, to.db, lib.Xsqlite3_extended_errcode(c.tls, to.db))
		to.Close()
		return nil, err
	}
	return &Backup{from: c, to: to, p: p}, nil
}

// Step copies a number of pages, and reports whether there are more.
func (b *Backup) Step(pages int) (more bool, err error) {
	switch code := lib.Xsqlite3_backup_step(b.from.tls, b.p, int32(pages)); code {
	case lib.SQLITE_OK:
		return true, nil
	case lib.SQLITE_DONE:
		return false, nil
	default:
		return false, b.from.fail(code)
	}
}

// Pages returns how many pages the database had at the last Step.
func (b *Backup) Pages() int { return int(lib.Xsqlite3_backup_pagecount(b.from.tls, b.p)) }

// Remaining returns how many of them are not copied yet.
func (b *Backup) Remaining() int { return int(lib.Xsqlite3_backup_remaining(b.from.tls, b.p)) }

// Close ends the copy and closes it. A copy that is not complete is taken back. The error
// is that of a Step, or of ending a complete copy. Further calls do nothing.
func (b *Backup) Close() error {
	if b.p == 0 {
		return nil
	}
	code := lib.Xsqlite3_backup_finish(b.from.tls, b.p)
	b.p = 0
	var err error
	if code != lib.SQLITE_OK {
		err = b.from.fail(code)
	}
	if e := b.to.Close(); err == nil {
		err = e
	}
	return err
}
