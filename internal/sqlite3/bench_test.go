package sqlite3

import (
	"fmt"
	"testing"
)

// BenchmarkRow reads a row of 14 columns by a key, as a read of an object does.
func BenchmarkRow(b *testing.B) {
	c := open(b, newFile(b))
	mustScript(b, c, `
PRAGMA journal_mode = WAL;
CREATE TABLE t (k TEXT PRIMARY KEY, a INTEGER, b INTEGER, c INTEGER, d TEXT, e TEXT, f TEXT, g INTEGER, h INTEGER, i BLOB, j TEXT, l BLOB, m INTEGER, n INTEGER);
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
INSERT INTO t SELECT printf('key-%09d', i), i, 1, 396, 'READY', NULL, NULL, 1700000000000000, 1700000000000000, randomblob(396), NULL, randomblob(16), random(), NULL FROM n`)
	s, err := c.Prepare("SELECT * FROM t WHERE k = ?")
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	keys := make([]any, 1000)
	for i := range keys {
		keys[i] = fmt.Sprintf("key-%09d", i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := s.Bind(keys[i%1000 : i%1000+1]); err != nil {
			b.Fatal(err)
		}
		if found, err := s.Step(); !found || err != nil {
			b.Fatal(found, err)
		}
		row := s.Row()
		if len(row[9].Bytes()) != 396 || row[0].Text() == "" || row[4].Text() != "READY" {
			b.Fatal("other values")
		}
		s.Reset()
	}
}
