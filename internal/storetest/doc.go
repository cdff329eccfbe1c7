// Package storetest holds what the tests of the root package and those of package proof
// share: it opens stores, fills them, reads their files with the bare driver, and checks
// that a store is sound. It imports the root package, so tests inside that package
// (package bucketlite) cannot use it.
package storetest
