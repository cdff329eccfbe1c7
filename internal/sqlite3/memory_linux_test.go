package sqlite3

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"testing"
)

// resident returns the memory of the process, SQLite's included, in bytes. Go gives back
// before what it does not use.
func resident(t testing.TB) int64 {
	t.Helper()
	debug.FreeOSMemory()
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(data), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// Nothing that is done over and over takes more memory each time. Every round would lose
// 4 KiB at least.
func TestMemory(t *testing.T) {
	const rounds, most = 10000, 20 << 20
	c := defined(t)
	mustScript(t, c, "CREATE TABLE t (a)")
	long := strings.Repeat("a", 4<<10)
	large := strings.Repeat(long, keptBuffer/len(long)+1)
	kept, err := c.Prepare("SELECT ?, test_describe(?)")
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	for _, test := range []struct {
		name   string
		rounds int
		f      func(i int) error
	}{
		{"kept statement", rounds, func(i int) error {
			if err := kept.Bind([]any{long[:len(long)-i%100], long}); err != nil {
				return err
			}
			_, err := kept.Step()
			kept.Reset()
			return err
		}},
		{"new statement", rounds, func(int) error { _, err := query(c, "SELECT ? /*"+long+"*/", long); return err }},
		{"script", rounds, func(int) error { return c.Script("SELECT 1 /*" + long + "*/") }},
		{"failing statement", rounds, func(int) error { query(c, "SELECT test_refuse(?)", long); return nil }},
		{"large arguments", rounds / 20, func(int) error { _, err := query(c, "SELECT length(?)", large); return err }},
		{"connections", rounds / 20, func(int) error {
			c, err := Open(":memory:", "")
			if err != nil {
				return err
			}
			return c.Close()
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var before int64
			for i := range 2 * test.rounds {
				if i == test.rounds {
					before = resident(t)
				}
				if err := test.f(i); err != nil {
					t.Fatal(err)
				}
			}
			if grown := resident(t) - before; grown > most {
				t.Errorf("got %d bytes more after %d rounds, want at most %d", grown, test.rounds, most)
			}
		})
	}
}
