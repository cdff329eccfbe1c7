//go:build unix && !linux

package engine

// identify returns the identity of the file under a name, without opening it.
func identify(name string) (fileID, error) { return statFile(name) }

// fileSize returns the length of a file, 0 if there is none.
func fileSize(name string) int64 { return statSize(name) }
