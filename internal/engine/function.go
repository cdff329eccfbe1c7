package engine

import (
	"database/sql/driver"

	"modernc.org/sqlite"
)

// RegisterFunction lets SQL call f by name, with as many blobs as it is said to
// take, each nil if it is NULL or no blob. It is for what a package makes known once, as
// it is initialised: the driver keeps functions for the whole process, and for all
// of its connections, so name must not be anybody else's. RegisterFunction panics
// if it is. For the same blobs f must return the same; it must not panic.
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
