//go:build !(darwin || freebsd || netbsd || openbsd || dragonfly)

package folder

// opensFiles is whether the system opens each file of a watched folder.
const opensFiles = false
