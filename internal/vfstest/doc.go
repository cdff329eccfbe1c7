// Package vfstest makes SQLite's writes fail, and records them, for tests. It lies
// beneath all other VFS, so a test sees what reaches the operating system. It is for
// Unix alone.
package vfstest
