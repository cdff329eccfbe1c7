// Package pagecache keeps the pages of SQLite's databases in memory, in a cache for each
// connection. It implements SQLite's application-defined page cache, see
// https://sqlite.org/c3ref/pcache_methods2.html. Importing it installs it for the process.
//
// # Why
//
// SQLite as modernc.org/sqlite builds it (SQLITE_ENABLE_MEMORY_MANAGEMENT) has one pool of
// pages for all connections of the process, also for those to other files:
//
//   - Each access to a page takes the lock of the pool, twice.
//   - A cache that is full takes the page that has been unused for longest, of whatever
//     connection. So it grows, at the cost of one that has been idle. Once that one works
//     again, the pool has more pages than all caches together may have, and drops pages as
//     soon as they are unused, the root of a tree like any other, for good.
//
// Here a connection evicts its own pages only, and takes no lock.
//
// # Memory
//
// A cache has at most as many pages as PRAGMA cache_size says, unless more of them are in use
// at once or have been changed. Pages lie in blocks, which are kept until the cache is closed.
// All of its memory is libc's, as all of SQLite's is: SQLite knows it by addresses, which
// Go's collector does not see.
package pagecache
