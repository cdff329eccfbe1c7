//go:build unix

package engine

import (
	"os"
	"syscall"
)

// links returns how many names the file has.
func links(info os.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink)
	}
	return 1
}

// statFile identifies the file under a name by all that stat tells of it.
func statFile(name string) (fileID, error) {
	info, err := os.Stat(name)
	if err != nil {
		return fileID{}, err
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok || s.Ino == 0 {
		return fileID{}, nil
	}
	return fileID{uint64(s.Dev), uint64(s.Ino)}, nil
}
