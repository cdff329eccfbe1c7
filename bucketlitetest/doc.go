// Package bucketlitetest helps to test programs that use bucketlite: stores that
// are made in a millisecond and checked in the end, fixtures from files, a disk
// that fails when a test says so, a clock that a test sets, and a comparison that
// looks past ids and times. It is for tests only, and is as strict as they are:
// what goes wrong in it fails the test.
//
// # Stores and servers
//
// [NewStore] returns an empty store on a file of its own, in the test's directory
// for temporary files, so that a test runs on what runs in production. Making a
// store syncs the disk several times; the first call of a process does so, and the
// others begin with a copy. When the test ends, [bucketlite.Store.Check] goes over
// the file and the test fails if a rule is broken in it; then the store is closed.
// [NewStoreWith] takes options: the store's own, a path, faults.
//
// [NewServer] serves such a store over HTTP, as the command "bucketlite serve" does,
// and returns its URL, its key and the store: for clients of the hosted service.
//
// # Fixtures
//
// [Load] creates the namespaces, buckets and objects that a JSON file describes,
// [LoadObjects] puts the objects of a JSON or JSONL file in a bucket, and [Bucket]
// finds a bucket by its names. What is wrong with a file is told with its line, as
// in
//
//	testdata/shop.json:14: namespaces[0].buckets[0].objects[2].price: number expected, got a string
//
// # Faults
//
// A [Faults] makes the disk of a store fail: [Faults.FailCommit] refuses a commit,
// [Faults.LoseCommit] leaves open what became of it, [Faults.DelayCommit] and
// [Faults.HoldCommit] make it slow, [Faults.FillDisk] refuses all of them. The
// store's callers get what they would get of a real disk, such as
// [bucketlite.ErrFull] or [bucketlite.ErrOutcomeUnknown]. A [Clock] is the time for
// [bucketlite.Options].Now.
//
// # Comparing
//
// [Diff] compares what a test wants to what it got, be it the types of package
// bucketlite or decoded JSON, without the ids and times that nobody can foresee.
package bucketlitetest
