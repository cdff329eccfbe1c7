package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
)

// inspect refuses a file of another application or of a newer version before
// anything could change it. A file that looks wrong gets a second look, since a
// process may have been writing it during the first.
func inspect(loc location, cfg Config) (err error) {
	for range 2 {
		err = inspectFile(loc, cfg)
		if errors.Is(err, ErrNotAStore) || errors.Is(err, ErrCorrupt) {
			err = inspectRecovery(loc, cfg, err)
		}
		if err == nil {
			break
		}
	}
	return err
}

// inspectFile checks the file by itself. An immutable connection takes no lock
// and makes no side files; reading the header with os.Open instead would, on
// closing, drop the POSIX locks that another store in this process may hold on
// the same file.
func inspectFile(loc location, cfg Config) error {
	c, err := connect(loc.uri + "?mode=ro&immutable=1")
	if primaryCode(err) == codeCantOpen {
		return unreadable(loc, err)
	}
	if err != nil {
		return err
	}
	defer c.close()
	// During a checkpoint, and after one that ended in a crash, the file is shorter
	// than its header says. Only this setting has SQLite overlook that.
	if err := c.script("PRAGMA writable_schema = 1"); err != nil {
		return err
	}
	return checkIdentity(c, loc, cfg)
}

// inspectRecovery checks the file as recovery will leave it; verdict is what the
// file by itself deserves. SQLite cannot recover a file without making or changing
// files beside it, which a stranger's file must not suffer, so this reads the
// header from the log or the journal. If neither has it, the verdict stands.
func inspectRecovery(loc location, cfg Config, verdict error) error {
	page := firstPageInLog(loc.file + "-wal")
	if page == nil {
		// A journal undoes a creation of ours. Another application's file, which
		// says so itself, is not ours to roll back.
		if errors.Is(verdict, errOtherID) {
			return verdict
		}
		empty := false
		if page, empty = firstPageInJournal(loc.file + "-journal"); empty {
			return nil
		}
	}
	if page == nil {
		return verdict
	}
	const versionAt, idAt = 60, 68 // of every SQLite database header
	id, version := binary.BigEndian.Uint32(page[idAt:]), binary.BigEndian.Uint32(page[versionAt:])
	return judge(int64(int32(id)), int64(int32(version)), loc, cfg)
}

// checkIdentity compares the application id and schema version to ours, as the
// connection sees them.
func checkIdentity(c *Conn, loc location, cfg Config) error {
	id, err := c.integer("application_id")
	if primaryCode(err) == codeNotADB {
		return fmt.Errorf("%w: it is not an SQLite database", ErrNotAStore)
	}
	if err != nil {
		return err
	}
	version, err := c.integer("user_version")
	if err != nil {
		return err
	}
	return judge(id, version, loc, cfg)
}

// errOtherID marks the verdict on a database with another application's id.
var errOtherID = errors.New("application id")

func judge(id, version int64, loc location, cfg Config) error {
	latest := int64(len(cfg.Migrations))
	switch {
	case id != int64(cfg.ApplicationID):
		return fmt.Errorf("%w: %w %d, want %d", ErrNotAStore, errOtherID, id, cfg.ApplicationID)
	case version > latest:
		return fmt.Errorf("%w: format %d, this version knows formats up to %d", ErrNewFormat, version, latest)
	case version == 0:
		// The id and the schema are written in one transaction. Versions before
		// that left the schema to the log until the first checkpoint.
		return fmt.Errorf("%w: it holds no schema, which was in its write-ahead log: %q is missing or is not the file's own; put it back, or restore a backup",
			ErrCorrupt, filepath.Base(loc.file)+"-wal")
	}
	return nil
}
