package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/bucketlite/bucketlite/internal/sqlite3"
)

// Callback is a Go function that a statement calls for its rows, as
//
//	bucketlite_callback(?, column, …)
//
// where the parameter is the callback's [Callback.Token]. A statement can thus test
// anything of each row, while its text stays one of a few constants.
type Callback struct {
	ctx   context.Context
	f     func(Row) (any, error)
	token int64
	spent int // since the context was last checked
	err   error
}

// NewCallback makes f callable from SQL until [Callback.Release]. The result of f
// is the value of the call: nil, bool, int64, float64, string or []byte.
//
// The row holds the columns; strings and byte slices taken from it lie in
// SQLite's own memory and end with the call, so f must copy values that it keeps. If f
// fails, or ctx ends, so does the statement, and [Callback.Err] says why. A
// callback serves one statement at a time.
func NewCallback(ctx context.Context, f func(Row) (any, error)) *Callback {
	c := &Callback{ctx: ctx, f: f, token: lastToken.Add(1)}
	callbacks.Store(c.token, c)
	return c
}

// Token is the first argument that the statement passes.
func (c *Callback) Token() int64 { return c.token }

// Err returns what ended the statement, if that was f or ctx.
func (c *Callback) Err() error { return c.err }

// Release makes an end of the callback.
func (c *Callback) Release() { callbacks.Delete(c.token) }

var (
	callbacks sync.Map // of *Callback by its token
	lastToken atomic.Int64
)

// callback is the function that all connections have. Its arguments are not copied, and it
// counts as deterministic, which it is within a statement; else SQLite would call it more
// than once for a row.
var callback = sqlite3.NewFunction("bucketlite_callback", -1, func(args []sqlite3.Value) (any, error) {
	if len(args) > 0 {
		if c, ok := callbacks.Load(args[0].Int()); ok {
			return c.(*Callback).call(args[1:])
		}
	}
	return nil, errNoCallback
})

var errNoCallback = errors.New("no such callback")

// patience is the cost that passes between checks of the context, which takes a
// lock: of 256 small rows, or a few large ones.
const (
	patience = 256 * rowCost
	rowCost  = 1024 // on top of the bytes in the row
)

func (c *Callback) call(row Row) (any, error) {
	c.spent += rowCost + int(row.Size())
	if c.spent >= patience && c.err == nil {
		c.spent = 0
		c.err = c.ctx.Err()
	}
	if c.err != nil {
		return nil, c.err
	}
	v, err := c.f(row)
	c.err = err
	return v, err
}
