//go:build !linux && !darwin

package tempfile

import "errors"

// renameNew renames a file unless the new name is taken, which this system cannot do
// in one step.
func renameNew(from, to string) error { return errors.ErrUnsupported }
