// Package contract validates what the tests of package httpapi send and get against the
// wire's OpenAPI document. Those tests record their exchanges; the libraries that read
// OpenAPI are dependencies of this module alone.
//
//	go test ./contract                               # runs the tests of httpapi first
//	go test ./contract -args -exchanges FILE         # BUCKETLITE_EXCHANGES=FILE go test ./httpapi has made it
//	go test ./contract -args -contract FILE          # validates against another document too
package contract
