package engine

import (
	"sync"

	"github.com/bucketlite/bucketlite/internal/sqlite3"
)

// registered are the functions that connections have, by their names.
var (
	registered   = map[string]*sqlite3.Function{}
	registeredMu sync.Mutex
)

// RegisterFunction lets SQL call f by name with a number of blobs. An argument that is
// NULL or not a blob is nil for f, and a nil result is NULL for SQL. Every connection that
// is opened later has the function, so a package registers its own as it is initialised,
// under names that are nobody else's. RegisterFunction panics if a name is taken. For the
// same blobs f must return the same; it may keep them.
func RegisterFunction(name string, args int, f func(args [][]byte) []byte) {
	registeredMu.Lock()
	defer registeredMu.Unlock()
	if registered[name] != nil {
		panic("engine: function " + name + " is registered twice")
	}
	registered[name] = sqlite3.NewFunction(name, args, func(values []sqlite3.Value) (any, error) {
		blobs := make([][]byte, len(values))
		for i, v := range values {
			if v.IsBlob() {
				blobs[i] = append([]byte{}, v.Bytes()...)
			}
		}
		return f(blobs), nil
	})
}

// define gives the connection the functions.
func (c *Conn) define() error {
	registeredMu.Lock()
	defer registeredMu.Unlock()
	for _, f := range registered {
		if err := c.raw.Define(f); err != nil {
			return err
		}
	}
	return c.raw.Define(callback)
}
