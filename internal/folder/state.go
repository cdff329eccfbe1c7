package folder

import (
	"io/fs"
	"time"
)

// A State is what the file system says about the content of a file. As long as a file's
// State stays the same, so does its content.
type State struct {
	Size int64
	// Modified is the time of the last modification, and Changed that of the last change
	// of the file's content, name or rights, in nanoseconds since 1970. Unlike Modified, no
	// program can set Changed; it is 0 where the system has none.
	Modified, Changed int64
	// Inode is the file's number in its file system; 0 where the system has none.
	Inode uint64
}

// StateOf returns the state of a file.
func StateOf(info fs.FileInfo) State {
	s := State{Size: info.Size(), Modified: info.ModTime().UnixNano()}
	s.Inode, s.Changed = inode(info.Sys())
	return s
}

// Touched returns the time of the last change.
func (s State) Touched() time.Time { return time.Unix(0, max(s.Modified, s.Changed)) }

// SameFile reports whether two states are those of one file that was at most renamed in
// between.
func (s State) SameFile(o State) bool {
	return s.Inode != 0 && s.Inode == o.Inode && s.Size == o.Size && s.Modified == o.Modified
}
