// Package engine is the SQLite plumbing under bucketlite: one writer that commits
// operations in groups, a pool of readers, and one place where SQLite's result codes
// become errors.
//
// # Writing
//
// [DB.Write] queues an operation. Waiting callers take turns at leading: the leader
// takes the only connection that writes, and the write lock with BEGIN IMMEDIATE, runs
// every waiting operation, commits once, and only then gives each caller its result.
// Many goroutines share one fsync, and a single one needs no other goroutine.
//
// An operation checks first and writes after. One that fails before its first write has
// changed nothing and costs its neighbours nothing. One that fails after a write takes
// the whole transaction back; the others then run again, each in a transaction of its
// own, and the one that failed gets its error. The same happens when SQLite itself rolls
// a transaction back (disk full, I/O error, out of memory): a rollback hook reports it,
// so no statement ever runs outside its transaction. Operations therefore run once or
// twice. They must set, not add to, the results of their caller.
//
// A [CommitHook] lets tests decide the outcome of a commit.
//
// # Reading
//
// [DB.Read] takes a connection from the pool. Rows are handed over one by one inside the
// call, so no statement is open after it returns. A ":memory:" store has one connection,
// which the writer and the readers share. [Conn.Snapshot] gives several statements one
// snapshot. [DB.ReadLong] and [Conn.LongQuery] are for reads that take long and must
// end early on demand. [DB.Backup] copies the database as it is at one moment.
//
// Long reads have connections of their own, fewer than there are processors; a call
// beyond them waits. So short reads always find a connection and a processor. Checks and
// backups have two more. A ":memory:" store has only the one.
package engine
