package sqlite3

import (
	"context"
	"time"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// Interrupt makes the statements that are running fail soon, with the code
// SQLITE_INTERRUPT. It does nothing to those that begin later, nor on a connection that is
// closed. Any goroutine may call it.
func (c *Conn) Interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.db != 0 {
		tls := libc.NewTLS() // the connection's belongs to the goroutine that uses it
		lib.Xsqlite3_interrupt(tls, c.db)
		tls.Close()
	}
}

// Until interrupts whatever the connection runs from the end of ctx on, until stop is
// called, which must be, and reports whether ctx has ended before.
//
// An interrupt that comes just before the first step of a statement is lost, since SQLite
// takes it for one of a statement that has ended. So it is repeated.
func (c *Conn) Until(ctx context.Context) (stop func() bool) {
	if ctx.Done() == nil {
		return func() bool { return false }
	}
	enough := make(chan struct{})
	ended := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(ended)
		for {
			c.Interrupt()
			select {
			case <-enough:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	return func() bool {
		if cancel() {
			return false
		}
		close(enough)
		<-ended // an interrupt must not hit the next statement
		return true
	}
}
