//go:build !(linux || openbsd || dragonfly || solaris || illumos || darwin || freebsd || netbsd)

package folder

// inode returns nothing: the system's information about a file does not include it.
func inode(any) (number uint64, changed int64) { return 0, 0 }
