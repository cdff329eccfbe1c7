// Package bucketlite is an embedded object store over one SQLite file. Objects have
// typed fields and media blobs; buckets give them a schema, a unique key, a lifecycle
// and statistics. It is pure Go and needs no server. The model and the JSON forms are
// those of the Mixpeek bucket API, called the hosted service in these pages.
//
// # Overview
//
// A [Store] is one open file. It holds namespaces, a [Namespace] holds buckets, and a
// [Bucket] holds objects that conform to its [Schema]. A [UniqueKey] names the fields
// that identify an [Object]. A [Blob] is one value of a file field: stored bytes, a
// reference to a URL, or inline data. Equal bytes are stored once per store.
//
// [Open] a store, create a namespace, and create a bucket in it. [Bucket.Put],
// [Bucket.PutMany] and [Bucket.Patch] write objects; the [Policy] says what happens
// when a unique key is taken. [Bucket.Object], [Bucket.ObjectByKey], [Bucket.List] and
// [Bucket.Objects] read them, and [Bucket.OpenBlob] reads the bytes of a blob. A
// [Query] selects objects by a [Filter] or a search; [Bucket.Aggregate] computes over
// groups; [Bucket.EnsureIndex] makes queries faster. [Bucket.CreateUpload] takes bytes
// in two steps. [Bucket.CreateBatch] collects objects that [Store.Process] hands to a
// function. [Store.Watch] delivers every committed change as an [Event].
// [Bucket.ChangeSchema] changes the schema and, where needed, every object with it.
// [Bucket.Lock], [Bucket.Archive] and [Bucket.Suspend] restrict a bucket,
// [Bucket.Stats] counts it, and [Bucket.Delete] deletes it in the background, as a
// [Task].
//
// # Transactions
//
// Every call that writes is a transaction: it takes effect as a whole or not at all.
// PutMany is one transaction for each object, or a single one if it is Atomic.
// [Store.Apply] makes a set of changes in any buckets in one transaction. A call
// returns after its commit is on the disk; [Options].Durability can relax that. Calls
// that write at the same time share a commit. To change an object only if nobody else
// has, pass its Version as IfVersion. If the context ends before a call's transaction
// has begun, the call has no effect and returns the context's error.
//
// # Concurrency
//
// Stores, namespaces and buckets are safe for concurrent use, and several processes on
// one machine may open the same file. Readers do not wait for writers. No lock is held
// while the caller's code runs, so the body of a loop over [Bucket.Objects] may write.
// A store at ":memory:" is private, and its calls run one after the other.
//
// At most GOMAXPROCS-1 scans run at once, and at least one; further scans wait. Other
// calls do not wait for scans. Scans are aggregates, statistics of lists, [Bucket.Growth]
// where it reads objects, [Bucket.Explain], and lists with a Search, a Sort or a Filter, unless
// one index leads directly to the page. A regular expression or the Total of a filtered
// list always takes a scan.
//
// # Errors
//
// Sentinels such as [ErrNotFound] tell kinds of errors apart, with [errors.Is].
// [ValidationError], [ConflictError], [StateError], [QueryError] and [ChangeError] have
// details, for [errors.As]. A ValidationError lists every reason, each with a path, a rule and a
// message.
//
// Rows of objects and chunks of stored bytes have checksums. A call that returns or
// changes a damaged object, or reads damaged bytes, fails with [ErrCorrupt]. A damaged
// object can be deleted and put again. Filters, sorts, aggregates, statistics and index
// builds do not verify the rows they examine; [Store.Check] verifies everything.
//
// # Limits
//
// The fields of an object may take 16 MiB as JSON and nest 100 deep. A blob may have
// 5 GiB and is streamed in constant memory. [Options] change both sizes. The file must
// be on a local file system: write-ahead logging does not work on most network ones.
//
// # Other packages
//
// Package httpapi serves a store over HTTP, and the program in cmd/bucketlite does so or
// works on a store's file. Package bucketlitetest helps to test programs that use
// bucketlite. Package httpfetch is a [Fetcher]. The guide is in docs/guide.
package bucketlite
