package index

import (
	"github.com/bucketlite/bucketlite/internal/commit"
)

// All statements that write the tables indexes, entries and texts are in this file, except
// those of Check's simple rules.

// insertIndex inserts an index that covers future objects.
func insertIndex(tx *commit.Tx, partition int64, kind, path string) error {
	_, err := tx.Exec(`
INSERT INTO indexes (partition, kind, path, status, built, many, cut, form)
SELECT ?1, ?2, ?3, iif(last IS NULL, 'READY', 'BUILDING'), coalesce(last + 1, ?4), 0, 0, ?6
FROM (SELECT max(seq) AS last FROM object WHERE seq > ?4 AND seq < ?5)`,
		partition, kind, path, commit.Seq(partition, 0), commit.Seq(partition+1, 0), Format)
	return err
}

// markDropping sets the indexes that satisfy a condition to be dropped.
func markDropping(tx *commit.Tx, where string, args ...any) error {
	_, err := tx.Exec("UPDATE indexes SET status = 'DROPPING', built = partition << 40 WHERE status <> 'DROPPING' AND "+where, args...)
	return err
}

// noteBuilt records the progress of building or dropping an index.
func noteBuilt(tx *commit.Tx, num, seq int64) error {
	_, err := tx.Exec("UPDATE indexes SET built = ? WHERE num = ?", seq, num)
	return err
}

// markReady records that an index covers all objects of its partition.
func markReady(tx *commit.Tx, partition, num int64) error {
	_, err := tx.Exec("UPDATE indexes SET built = ?, status = 'READY' WHERE num = ?", commit.Seq(partition, 0), num)
	return err
}

// Admit records that an index has objects with several entries, or with truncated entries.
// These flags are never cleared.
func Admit(tx *commit.Tx, num int64, many, cut bool) error {
	_, err := tx.Exec("UPDATE indexes SET many = max(many, ?), cut = max(cut, ?) WHERE num = ?", many, cut, num)
	return err
}

func deleteIndex(tx *commit.Tx, num int64) error {
	_, err := tx.Exec("DELETE FROM indexes WHERE num = ?", num)
	return err
}

// insertEntry inserts an entry, which may exist already.
func insertEntry(tx *commit.Tx, num int64, key []byte, seq int64) error {
	_, err := tx.Exec("INSERT INTO entries (idx, key, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", num, key, seq)
	return err
}

func deleteEntry(tx *commit.Tx, num int64, key []byte, seq int64) error {
	_, err := tx.Exec("DELETE FROM entries WHERE idx = ? AND key = ? AND seq = ?", num, key, seq)
	return err
}

// deleteEntriesOf deletes all entries of an object. It reads the index as a whole.
func deleteEntriesOf(tx *commit.Tx, num, seq int64) error {
	_, err := tx.Exec("DELETE FROM entries WHERE idx = ? AND seq = ?", num, seq)
	return err
}

// deleteSomeEntries deletes up to limit entries of an index, and returns their number.
func deleteSomeEntries(tx *commit.Tx, num, limit int64) (int64, error) {
	return tx.Exec("DELETE FROM entries WHERE (idx, key, seq) IN (SELECT idx, key, seq FROM entries WHERE idx = ? LIMIT ?)", num, limit)
}

func insertText(tx *commit.Tx, seq int64, text string) error {
	_, err := tx.Exec("INSERT INTO texts (rowid, text) VALUES (?, ?)", seq, text)
	return err
}

func deleteText(tx *commit.Tx, seq int64) error {
	_, err := tx.Exec("DELETE FROM texts WHERE rowid = ?", seq)
	return err
}

func deleteTexts(tx *commit.Tx, seqs []int64) error {
	for _, seq := range seqs {
		if err := deleteText(tx, seq); err != nil {
			return err
		}
	}
	return nil
}

// shrinkTexts frees the space of deleted texts if no text is left. Otherwise FTS5 frees it
// when texts are written.
func shrinkTexts(tx *commit.Tx) error {
	left, err := tx.QueryRow("SELECT 1 FROM texts LIMIT 1", nil, nil)
	if err == nil && !left {
		_, err = tx.Exec("INSERT INTO texts (texts) VALUES ('delete-all')")
	}
	return err
}
