//go:build !darwin && !dragonfly && !freebsd && !linux

package engine

// unwritableMedia reports false: this system has no simple proof that nobody can
// write a file.
func unwritableMedia(string) bool { return false }
