package tempfile

import "golang.org/x/sys/unix"

// renameNew renames a file unless the new name is taken. It fails on file systems
// that cannot do that in one step.
func renameNew(from, to string) error {
	return unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
}
