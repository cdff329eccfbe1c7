// Package layout holds the tests of where things are: which package may import which,
// what files may be called, and which family of files at the root may use which.
package layout
