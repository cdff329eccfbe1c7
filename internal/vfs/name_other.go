//go:build !unix

package vfs

// Name returns "": here the platform's VFS is used as it is.
func Name() (string, error) { return "", nil }
