package engine

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// unwritableMedia reports whether nobody can write the file at path, because its
// file system is mounted read-only. A read-only mount of a file system that is
// writable elsewhere, as a container may have, is not enough.
func unwritableMedia(path string) bool {
	var mount unix.Statfs_t
	if err := unix.Statfs(path, &mount); err != nil || mount.Flags&unix.ST_RDONLY == 0 {
		return false
	}
	var file unix.Stat_t
	if err := unix.Stat(path, &file); err != nil {
		return false
	}
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	defer mounts.Close()
	device := fmt.Sprintf("%d:%d", unix.Major(uint64(file.Dev)), unix.Minor(uint64(file.Dev)))
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		// 36 35 98:0 /root /mnt ro,noatime shared:1 - ext4 /dev/sda1 ro,errors=continue
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 || fields[2] != device {
			continue
		}
		// The last field describes the file system itself, not this mount of it.
		options := fields[len(fields)-1]
		return options == "ro" || strings.HasPrefix(options, "ro,")
	}
	return false
}
