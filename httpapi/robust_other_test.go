//go:build !unix

package httpapi_test

// connections returns how many connections there can be, at most so many.
func connections(most int) int { return most }
