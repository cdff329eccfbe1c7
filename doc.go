// Package bucketlite is an embedded object store over one SQLite file: objects
// with typed fields and media blobs, in buckets that have a schema, a unique key,
// a lifecycle and statistics. It is pure Go, needs no server, and follows the
// bucket model and the JSON forms of the Mixpeek API, called the hosted service
// in these pages.
//
// # Nouns
//
// A [Store] is one open file. It holds namespaces; a [Namespace] holds buckets
// and isolates them from those of others. A [Bucket] holds objects that conform to
// its [Schema]. Its [UniqueKey], if it has one, names the fields that identify an
// object. An [Object] has fields and a list of blobs. A [Blob] is one value of one
// field: stored bytes, a reference to a URL, or inline data. Stored bytes are
// addressed by their SHA-256 and kept once per store, however many objects share
// them. An [Upload] brings them in two steps: announced and written, then
// confirmed. A [Batch] is a group of objects that are processed together, each as
// a [Job]. A [Task] is the durable record of work that goes on in the
// background, such as a deletion. An [Event] is one committed change, for those who
// watch.
//
// # Flow
//
// [Open] a store, create a namespace, and in it a bucket with a schema.
// [Bucket.Put] stores an object; what happens when its key is taken is for the
// [Policy] to say. [Bucket.PutMany] stores thousands, [Bucket.Patch] changes some
// fields, [Bucket.DeleteObject] deletes. [Bucket.Object], [Bucket.ObjectByKey],
// [Bucket.List] and [Bucket.Objects] read, [Bucket.OpenBlob] reads a blob's bytes.
// [Bucket.CreateUpload] and [Bucket.CreateBatch] begin uploads and batches,
// [Store.Process] works batches off, [Store.Watch] tells of changes.
// [Bucket.Lock], [Bucket.Archive] and [Bucket.Suspend] restrict a bucket,
// [Bucket.Stats] counts it, [Bucket.Delete] deletes it. The package example shows
// the beginning.
//
// # Queries
//
// A [Query] says which members of a list are wanted: a [Filter] and a search, an
// order, and which page. It is the same for objects, buckets, namespaces, uploads,
// batches and tasks. [Bucket.Aggregate] groups objects and computes over each
// group. Without an index a query looks at each object of its bucket, about a
// million in one or two seconds; [Bucket.EnsureIndex] and [Bucket.EnsureTextIndex]
// make it find them at once, and [Bucket.Explain] tells whether it does.
//
// # Transactions and durability
//
// Every call that writes is a transaction: it happens as a whole or not at all.
// PutMany is one for each object, or a single one with [PutManyOptions].Atomic. A
// call returns once its commit is on the disk; [Options].Durability can relax
// that. Calls that wait at the same time share a commit, and each still gets its
// own verdict: many goroutines that write are faster together than alone. To
// change an object only if nobody else did, pass its Version as IfVersion.
//
// A call whose context ends before its transaction began has no effect and
// returns the context's error. After that moment it returns what became of it.
//
// # Concurrency
//
// Stores, namespaces and buckets are safe for concurrent use, and other processes
// on the same machine may have the same file open: keys stay unique and the
// lifecycle is obeyed across all of them. Readers do not wait for writers. No lock
// is held while the caller's code runs, so the body of a loop over [Bucket.Objects]
// may write. A store at ":memory:" is private, and its calls take turns.
//
// Scans run at most GOMAXPROCS-1 at once, and at least one; further scans wait until
// their context ends. All other calls have connections of their own and do not wait for
// scans. Scans are aggregates, statistics of lists, [Bucket.Growth], [Bucket.Explain],
// and lists with a Search, a Sort, or a Filter, except for pages that one index leads to
// directly. A regular expression, or the total of a filtered list, always takes a scan.
//
// # Damage
//
// Each object's row and each chunk of stored bytes has a checksum. What returns an
// object, and what changes one, verifies its row first, and what reads stored bytes
// verifies their chunks; the error is [ErrCorrupt] and names the object. A damaged
// object can be deleted, and put again. Filters, sorts, aggregates, statistics and
// index builds do not verify the rows that they examine, so a damaged value can decide
// what is found or computed. [Store.Check] verifies everything.
//
// # Errors
//
// Sentinels such as [ErrNotFound], for [errors.Is], say what kind of error it is.
// [ValidationError], [ConflictError] and [StateError], for [errors.As], say more: a
// ValidationError carries every reason at once, each with a path, a rule and a
// message. A [QueryError] does the same for a [Filter].
//
// # Other packages
//
// Package httpapi serves a store over HTTP in the form of the hosted service, and the
// program in cmd/bucketlite does so, or works on a store's file. Package bucketlitetest
// is for tests of programs that use this one. Package httpfetch is a [Fetcher].
//
// # Limits
//
// An object's fields may have 16 MiB as JSON and nest 100 deep, a blob 5 GiB;
// [Options] change the sizes. Blobs are streamed, in constant memory. PutMany
// takes [MaxPutMany] objects, a page of a list holds [MaxLimit]. The file must be on a
// local file system, since write-ahead logging does not work on most network ones.
package bucketlite
