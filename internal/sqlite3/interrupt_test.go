package sqlite3

import (
	"context"
	"sync"
	"testing"
	"time"

	lib "modernc.org/sqlite/lib"
)

const endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"

// The end of a context ends what runs, and nothing after it.
func TestUntil(t *testing.T) {
	t.Parallel()
	c := open(t, ":memory:")
	for i := range 50 {
		ctx, cancel := context.WithCancel(context.Background())
		if i%2 == 0 {
			cancel() // before the statement begins
		} else {
			time.AfterFunc(time.Duration(i)*50*time.Microsecond, cancel)
		}
		stop := c.Until(ctx)
		_, err := query(c, endless)
		if !stop() {
			t.Error("stop: got false, want true")
		}
		cancel()
		wantCode(t, "endless statement", err, lib.SQLITE_INTERRUPT)
		if got := mustQuery(t, c, "SELECT count(*) FROM json_each('[1,2,3]')"); got != int64(3) {
			t.Errorf("next statement: got %v, want 3", got)
		}
	}
}

// A context that does not end interrupts nothing.
func TestUntilTheEnd(t *testing.T) {
	t.Parallel()
	c := open(t, ":memory:")
	live, cancel := context.WithCancel(context.Background())
	for name, ctx := range map[string]context.Context{"background": context.Background(), "live": live} {
		stop := c.Until(ctx)
		_, err := query(c, "SELECT 1")
		if stop() || err != nil {
			t.Errorf("%s: got an interrupt, error %v", name, err)
		}
	}
	cancel()
	mustQuery(t, c, "SELECT 1")
}

// Interrupts come from many goroutines, also after the statement has ended and while the
// connection is closed.
func TestInterruptBesideClose(t *testing.T) {
	t.Parallel()
	for range 20 {
		c, err := Open(":memory:", "")
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		ended := make(chan struct{})
		for range 4 {
			group.Go(func() {
				for {
					c.Interrupt()
					select {
					case <-ended:
						return
					default:
					}
				}
			})
		}
		_, err = query(c, endless)
		wantCode(t, "endless statement", err, lib.SQLITE_INTERRUPT)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		c.Interrupt()
		close(ended)
		group.Wait()
	}
}
