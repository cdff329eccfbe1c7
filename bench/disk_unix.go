//go:build unix

package main

import (
	"os"
	"syscall"
)

// diskSize returns the bytes that a file takes on disk.
func diskSize(info os.FileInfo) int64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Blocks * 512
	}
	return info.Size()
}

// settle waits until the disk has what was written before.
func settle() { syscall.Sync() }
