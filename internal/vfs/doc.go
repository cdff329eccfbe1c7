// Package vfs registers a VFS with SQLite that is the platform's own except for two
// things: it joins the writes of a transaction to the write-ahead log into one, and it lets
// any goroutine read the header of the log's index in shared memory.
//
// # Joined writes
//
// SQLite writes a transaction to the log frame by frame, each as a header of 24 bytes
// and a page: two system calls a page. This package holds frames back, and writes them
// at once when the page of the frame that ends the transaction arrives. The result of
// that write is the result of the commit.
//
// SQLite makes a transaction visible by a new header of the log's index, in shared
// memory, where no error can be reported any more. So nothing may be held back at that
// moment. It follows from what is held back: a frame that does not end its transaction,
// after which another frame comes or the transaction is rolled back, and the header of
// the frame that does, after which its page comes. Everything else is written through,
// and so is a frame that ends a transaction of a single frame: when SQLite computes
// checksums anew, it writes such a header without a page.
//
// Before every other method on the log, and before every lock and barrier of the shared
// memory, what is held back is written. If that fails, the bytes are dropped, and every
// later method on the log fails in the same way until the transaction has ended, that
// is, until the lock on writing is released. A write that fails is never tried again:
// its place may belong to another process by then.
//
// # The header of the index
//
// SQLite keeps the pages that a connection has read as long as these 48 bytes are the
// same. [Index.Header] returns them, so others can keep by the same rule what they have
// made of those pages.
package vfs
