// Package bucketlitetest helps to test programs that use bucketlite. It has stores that
// are made in milliseconds and checked at the end of the test, fixtures from files, a
// disk that fails on demand, a clock for tests, and a comparison that ignores ids and
// times. It is for tests only: an error in it fails the test.
//
// # Stores and servers
//
// [NewStore] returns an empty store on a file of its own in the test's temporary
// directory, so that tests use the same kind of store as production. Making a store
// syncs the disk several times; only the first call of a process does so, and the
// others begin with a copy. When the test ends, [bucketlite.Store.Check] reads the whole
// file, the test fails if any rule is broken, and the store is closed. [NewStoreWith]
// takes options: those of the store, a path, faults.
//
// [NewServer] serves such a store over HTTP, as the command "bucketlite serve" does, for
// tests of clients of the hosted service. It returns the URL, the key and the store.
//
// # Fixtures
//
// [Load] creates the namespaces, buckets and objects that a JSON file describes,
// [LoadObjects] puts the objects of a JSON or JSONL file in a bucket, and [Bucket]
// finds a bucket by its names. An error in a file is reported with its line, as in
//
//	testdata/shop.json:14: namespaces[0].buckets[0].objects[2].price: number expected, got a string
//
// # Faults
//
// [Faults] make the disk of a store fail. [Faults.FailCommit] refuses a commit,
// [Faults.LoseCommit] leaves its outcome unknown, [Faults.DelayCommit] and
// [Faults.HoldCommit] make it slow, and [Faults.FillDisk] refuses all commits. Callers
// get the errors of a real disk, such as [bucketlite.ErrFull] or
// [bucketlite.ErrOutcomeUnknown]. A [Clock] is the time for [bucketlite.Options].Now.
//
// # Comparing
//
// [Diff] compares the result that a test wants with the one it got, be they types of
// package bucketlite or decoded JSON, and ignores ids and times, which differ from run
// to run.
package bucketlitetest
