// Package engine is the SQLite plumbing under bucketlite: one writer that
// commits operations in groups, a pool of readers, and one place where SQLite's
// result codes become errors.
//
// # Writing
//
// [DB.Write] queues an operation. Those who wait take turns at leading: the
// leader takes the only connection that writes, and the write lock with BEGIN
// IMMEDIATE, runs every operation that is waiting, commits once, and only then
// tells each caller its verdict. Many goroutines thus share one fsync, and a lone
// one does without any other.
//
// An operation checks first and writes after. One that fails before its first
// write has changed nothing and costs its neighbours nothing. One that fails
// after a write takes the whole transaction back; the others are then run again,
// each in a transaction of its own, and the culprit gets its error. The same
// happens when SQLite itself rolls a transaction back (disk full, I/O error, out
// of memory): a rollback hook tells, so no statement ever runs outside the
// transaction it was meant for. Operations are therefore run once or twice, and
// must set, not add to, whatever they hand back to their caller.
//
// A [CommitHook] lets tests decide what becomes of a commit.
//
// # Reading
//
// [DB.Read] lends a connection from the pool. Rows are handed over one by one
// inside the call, so no statement is open once it returns. A ":memory:" store
// is a single connection that the writer and the readers use in turn.
// [Conn.Snapshot] makes several statements see one moment, [DB.ReadLong] and
// [Conn.LongQuery] are for what takes long and must end early when asked to, and
// [DB.Backup] copies the database as it is at one moment.
//
// Long reads have connections of their own, fewer than there are processors; a call
// beyond them waits. So however many there are, short reads find a connection and a
// processor. Checks and backups have two more. A ":memory:" store has but the one.
package engine
