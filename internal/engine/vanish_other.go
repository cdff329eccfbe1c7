//go:build !unix

package engine

import "os"

// hasIdentity reports false: here [os.SameFile] would have to open the file.
func hasIdentity(os.FileInfo) bool { return false }

// links returns 1: how many names a file has is not known here.
func links(os.FileInfo) uint64 { return 1 }
