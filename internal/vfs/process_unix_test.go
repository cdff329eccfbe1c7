//go:build unix

package vfs_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// roleVariable names the environment variable that makes the test binary a child.
const roleVariable = "VFS_TEST_CHILD"

const (
	writers       = 4  // processes that write, each by one connection that reads too
	perWriter     = 60 // transactions of each
	rowsOfWriting = 9
)

// Processes write and read at once, some with joined writes and some without. Each
// transaction sets the same value in all of its rows, one for each page, and counts.
func TestProcesses(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	c := open(t, path, mode{synchronous: "NORMAL"})
	defer c.Close()
	if err := c.run("CREATE TABLE count (n INTEGER); INSERT INTO count VALUES (0);" + fill(1, rowsOfWriting, "a")); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var running []*exec.Cmd
	for i := range writers {
		cmd := exec.Command(program, path, strconv.Itoa(i))
		cmd.Env = append(os.Environ(), roleVariable+"=write")
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running = append(running, cmd)
	}
	for _, cmd := range running {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.state(); err != nil {
		t.Error(err)
	}
	if got, err := c.rows("SELECT n FROM count"); err != nil || got != fmt.Sprintln(writers*perWriter) {
		t.Errorf("transactions: got %s, %v, want %d", got, err, writers*perWriter)
	}
}

// child writes, reads and moves the log into the file, in a way that depends on its number.
func child(_ string, args []string) error {
	number, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	c, err := connect(args[0], mode{plain: number%2 == 1, synchronous: []string{"NORMAL", "FULL"}[number/2%2]})
	if err != nil {
		return err
	}
	defer c.Close()
	last := 0
	for i := range perWriter {
		letter := string(rune('a' + (number*perWriter+i)%26))
		tx := transaction{"", "UPDATE count SET n = n + 1;" + fill(1, rowsOfWriting, letter), "COMMIT"}
		if i%10 == 9 { // some of it spills
			tx.begin = "UPDATE count SET n = n + 1;" + fill(100, 140, letter) + fill(1, rowsOfWriting, letter) + fill(100, 120, letter)
		}
		if err := c.do(tx); err != nil {
			return err
		}
		got, err := c.rows("SELECT n, (SELECT count(DISTINCT data) FROM item WHERE id < 100) FROM count")
		if err != nil {
			return err
		}
		var n, values int
		if _, err := fmt.Sscan(got, &n, &values); err != nil {
			return err
		}
		if n <= last || values != 1 {
			return fmt.Errorf("transaction %d: got count %d after %d, and %d values in one transaction", i, n, last, values)
		}
		last = n
		if i%7 == 6 {
			if err := c.run("PRAGMA wal_checkpoint(" + []string{"PASSIVE", "RESTART", "TRUNCATE"}[i%3] + ")"); err != nil {
				return err
			}
		}
	}
	return nil
}
