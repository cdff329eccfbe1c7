package engine

import (
	"database/sql/driver"

	"modernc.org/sqlite"
)

// RegisterFunction lets SQL call f by name with a number of blobs. An argument that is
// NULL or not a blob is nil for f, and a nil result is NULL for SQL. The driver keeps a function for
// the whole process and gives it to every connection that is opened later, so a
// package registers its own as it is initialised, under names that are nobody
// else's. RegisterFunction panics if a name is taken. For the same blobs f must
// return the same; it may keep them, and must not panic.
func RegisterFunction(name string, args int, f func(args [][]byte) []byte) {
	call := func(_ *sqlite.FunctionContext, values []driver.Value) (driver.Value, error) {
		blobs := make([][]byte, len(values))
		for i, v := range values {
			blobs[i], _ = v.([]byte)
		}
		return f(blobs), nil
	}
	sqlite.MustRegisterDeterministicScalarFunction(name, int32(args), call)
}
