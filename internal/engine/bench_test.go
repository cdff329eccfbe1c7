package engine

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
)

// BenchmarkWrite inserts rows of 400 bytes, each in an acknowledged write.
func BenchmarkWrite(b *testing.B) {
	levels := []struct {
		name  string
		level Synchronous
	}{{"normal", Normal}, {"full", Full}}
	for _, l := range levels {
		for _, goroutines := range []int{1, 32} {
			b.Run(fmt.Sprintf("%s/goroutines=%d", l.name, goroutines), func(b *testing.B) {
				cfg := testConfig(newFile(b))
				cfg.Synchronous = l.level
				benchmarkWrite(b, openStore(b, cfg), goroutines)
			})
		}
	}
}

func benchmarkWrite(b *testing.B, db *DB, goroutines int) {
	value := make([]byte, 400)
	var next atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	err := atOnce(goroutines, func(int) error {
		for {
			i := next.Add(1)
			if i > int64(b.N) {
				return nil
			}
			key := fmt.Sprintf("%012d", i)
			err := db.Write(context.Background(), func(tx *Tx) error {
				_, err := tx.Exec("INSERT INTO item VALUES (?, ?)", key, value)
				return err
			})
			if err != nil {
				return err
			}
		}
	})
	b.StopTimer()
	checkError(b, "Write", err, nil)
	if got, want := column(b, db, "SELECT count(*) FROM item")[0], strconv.Itoa(b.N); got != want {
		b.Errorf("rows: got %s, want %s", got, want)
	}
}

// BenchmarkRead reads a row by its key.
// BenchmarkLook compares commits with and without a check of the file's name.
func BenchmarkLook(b *testing.B) {
	for _, look := range []bool{false, true} {
		b.Run(fmt.Sprintf("look=%t", look), func(b *testing.B) {
			db := newStore(b)
			if !look {
				db.inodes = nil
			}
			benchmarkWrite(b, db, 1)
		})
	}
}

func BenchmarkRead(b *testing.B) {
	db := newStore(b)
	mustPut(b, db, "a")
	b.ReportAllocs()
	for b.Loop() {
		err := db.Read(context.Background(), func(c *Conn) error {
			found, err := c.QueryRow("SELECT v FROM item WHERE k = ?", []any{"a"}, nil)
			if err == nil && !found {
				err = errTest
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
