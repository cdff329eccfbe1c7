package bucketlite

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/lease"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Durability sets which failures an acknowledged write survives. The file stays
// consistent at either level.
type Durability int

const (
	// DurabilityFull: an acknowledged write survives a power cut. The default.
	DurabilityFull Durability = iota
	// DurabilityNormal: an acknowledged write survives the end of the process, but a
	// power cut may lose the last writes. It is several times faster for single
	// writers.
	DurabilityNormal
)

// Options configure a store. The zero Options, and nil, select the defaults.
type Options struct {
	// ReadOnly opens an existing file for reading; every write returns [ErrReadOnly].
	// Readers and writers share two files next to the store's, with the suffixes
	// "-wal" and "-shm". So a reader, too, needs permission to create files in the
	// directory, unless those two exist. A file system that is mounted read-only for
	// everybody is the exception: nothing is created there, and the file cannot
	// change. Default: false.
	ReadOnly bool
	// AllowLinks opens a file that has several names (hard links). Each name has a
	// write-ahead log of its own, so opening a store under two names at once damages
	// it. Windows does not detect links. Default: false, Open returns an error.
	AllowLinks bool
	// PlainIO turns off two things that make a store faster, for a file system on which
	// you do not trust them. The writes of a transaction to the write-ahead log are no
	// longer joined into one, and changes by other processes are no longer noticed by
	// the header of the log's index in shared memory. A relaxed put then takes about a fifth
	// longer, HoldSnapshots has no effect, and OpenBucket always reads. Stores with and
	// without PlainIO can have a file open at once. Windows has neither. Default: false.
	PlainIO bool
	// HoldSnapshots lets a short read keep its view of the store for the next one, as long
	// as nobody commits. Reads that follow each other then take up to a quarter less time,
	// and their results are as current as without it. A view that is kept holds back the
	// write-ahead log of all processes, so it is kept for 20 ms at most, or until the read
	// that uses it then ends. If this process is stopped or sleeps meanwhile, the log of
	// all grows with each commit until it continues. HoldSnapshots has no effect on
	// ":memory:", with PlainIO, and on Windows. Default: false.
	HoldSnapshots bool
	// Durability sets which failures an acknowledged write survives. Default:
	// DurabilityFull.
	Durability Durability
	// BusyTimeout is how long a call waits for another process that holds the file
	// before it returns [ErrBusy]. Default: 30 s.
	BusyTimeout time.Duration
	// MaxObjectBytes limits an object's fields, as compact JSON. Default: 16 MiB.
	MaxObjectBytes int
	// MaxBlobBytes limits the size of one blob; 4 TiB is the most that can be stored.
	// Blobs passed as base64 or as a data URI are held in memory, and limited to 32
	// MiB in any case. Default: 5 GiB.
	MaxBlobBytes int64
	// MaxPageBytes limits the size of a page of results: a page ends, with a
	// [Page].Next, before its members exceed that many stored bytes, but has at least
	// one member. The stored bytes of an object are those of its fields and of its
	// blobs' properties, without content. Iterators hold one page in memory at a
	// time. Default: 32 MiB.
	MaxPageBytes int64
	// Fetcher downloads the URLs of blobs, before the call that puts the blobs starts
	// to write; see [BlobInput].Data. Default: nil, URLs are stored as references and
	// the store never uses the network.
	Fetcher Fetcher
	// Now is the clock for created_at, updated_at and ids. It must be safe for
	// concurrent use. Default: time.Now.
	Now func() time.Time
	// Entropy is the source of the random part of ids. Default: crypto/rand.
	Entropy io.Reader
	// TaskRetention is how long the record of a task is kept after the task ended.
	// Default: 24 h.
	TaskRetention time.Duration
	// EventRetention is how many of the newest events are kept, at least, for
	// watchers that fall behind. Default: 1,000,000, about 20 MB.
	EventRetention int
	// Reserve is the size, in bytes, of a file next to the store's with the suffix
	// "-reserve". The store frees that space when the disk is full, so that deletions
	// still work. From then on, also after a restart, every call that does not free
	// space returns [ErrFull], until the disk has space for the reserve again. The
	// file is created some seconds after Open, and stays after Close. Default: 8 MiB;
	// less may not be enough. Negative: no reserve. A store in memory has none.
	Reserve int64
	// Logger receives the errors of background work. Default: none are logged.
	Logger *slog.Logger

	stageLease time.Duration // how long collectors leave staged content alone
	idleTime   time.Duration // see [idleTime], the default
	mayWork    func() bool   // tests hold background work by returning false; else nil
	changeRows int           // tests set the number of objects of a slice of a schema change, a change by query or a count; else 0
}

// withDefaults returns a validated copy of o with every default filled in.
func (o *Options) withDefaults() (Options, error) {
	var opts Options
	if o != nil {
		opts = *o
	}
	if opts.Durability != DurabilityFull && opts.Durability != DurabilityNormal {
		return opts, badRequest("options: unknown durability %d", opts.Durability)
	}
	if opts.BusyTimeout < 0 || opts.MaxObjectBytes < 0 || opts.MaxBlobBytes < 0 || opts.MaxPageBytes < 0 || opts.TaskRetention < 0 || opts.EventRetention < 0 {
		return opts, badRequest("options: got a negative limit, want 0 or more")
	}
	if opts.BusyTimeout == 0 {
		opts.BusyTimeout = 30 * time.Second
	}
	if opts.Reserve == 0 {
		opts.Reserve = defaultReserve
	}
	if opts.MaxObjectBytes == 0 {
		opts.MaxObjectBytes = 16 << 20
	}
	if opts.MaxBlobBytes == 0 {
		opts.MaxBlobBytes = 5 << 30
	}
	if opts.MaxPageBytes == 0 {
		opts.MaxPageBytes = 32 << 20
	}
	opts.MaxBlobBytes = min(opts.MaxBlobBytes, content.MaxBytes)
	if opts.TaskRetention == 0 {
		opts.TaskRetention = 24 * time.Hour
	}
	if opts.EventRetention == 0 {
		opts.EventRetention = 1_000_000
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.stageLease == 0 {
		opts.stageLease = content.DefaultLease
	}
	if opts.idleTime == 0 {
		opts.idleTime = idleTime
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return opts, nil
}

// objectLimits limit an object's JSON form before it is validated further. Blob data
// is base64 in it.
func (o *Options) objectLimits() value.Limits {
	return value.Limits{MaxBytes: o.MaxObjectBytes, Option: "Options.MaxObjectBytes"}
}

// atMost says how long a blob may be, and which limit that is.
func (o *Options) atMost(bytes int64) string {
	if bytes == o.MaxBlobBytes {
		return fmt.Sprintf("at most %d bytes expected (Options.MaxBlobBytes)", bytes)
	}
	return fmt.Sprintf("at most %d bytes expected of a blob that is held in memory", bytes)
}

// maxInputBytes limits the JSON form of an input before the limits of its store are
// known. It allows fields and inline blobs of the largest useful size.
const maxInputBytes = 256 << 20

// Store is an open store. It is safe for concurrent use. Other processes may have the
// same file open.
type Store struct {
	opts Options
	db   *engine.DB
	id   string // the file's own random id
	ids  *ident.Source

	commits *commit.Committer
	stage   content.Stage

	feed *feed

	leases lease.Watcher // leases of other stores on the file

	definitions sync.Map // bucket number → *definition, the latest that is known
	opened      openedBuckets

	collector *collector // nil if the store is read-only
	reserve   reserve
	queue     queue
}

// Open opens the store in the file at path. It creates the file if there is none; the
// directory must exist. The path ":memory:" opens a private store in memory. A nil
// opts selects the defaults.
//
// A file of another application is [ErrNotAStore]; a file of a newer version of this
// library is [ErrNewFormat]. Open changes neither. It upgrades a file of an older
// version, or returns [ErrOldFormat] with ReadOnly. Open refuses a file system that
// does not support write-ahead logging, as many network file systems do not. A
// missing permission matches [fs.ErrPermission].
//
// While the store is open, and after a crash, the newest commits may be only in the
// write-ahead log next to the file: "app.db-wal" for "app.db". A log without its file
// is [ErrCorrupt], and so is a file that lacks its schema because its log is gone.
// Open changes neither.
//
// The open store is bound to its path. If the file or its log is moved, deleted or
// replaced, the next write returns [ErrOutcomeUnknown] and later ones return
// [ErrReadOnly]. This is not detected on Windows, where an open file cannot be moved,
// nor on file systems whose inode numbers are not stable.
//
// The caller must call [Store.Close].
func Open(ctx context.Context, path string, opts *Options) (*Store, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Store{opts: o, ids: ident.NewSource(o.Now, o.Entropy), feed: newFeed(path != engine.Memory)}
	s.commits = commit.NewCommitter(commit.Config{
		Now:        o.Now,
		EventSlack: o.eventSlack(),
		Signals: [...]func(){commit.Background: s.wakeCollector,
			commit.Jobs: func() { s.queue.notify(commit.Jobs) }, commit.Drafts: func() { s.queue.notify(commit.Drafts) }},
		Overtaken: s.reserve.notice,
		Last:      content.CollectShare,
		Noted:     s.feed.committed,
	})
	s.db, err = engine.Open(ctx, engine.Config{
		Path:          path,
		ReadOnly:      o.ReadOnly,
		Synchronous:   map[Durability]engine.Synchronous{DurabilityFull: engine.Full, DurabilityNormal: engine.Normal}[o.Durability],
		AllowLinks:    o.AllowLinks,
		PlainIO:       o.PlainIO,
		HoldSnapshots: o.HoldSnapshots,
		BusyTimeout:   o.BusyTimeout,
		Readers:       max(4, runtime.GOMAXPROCS(0)),
		LongReads:     max(1, runtime.GOMAXPROCS(0)-1),
		ApplicationID: applicationID,
		Migrations:    migrations(),
		Newest:        newest,
		NewGroup:      s.commits.Begin,
	})
	if err != nil {
		return nil, public(fmt.Errorf("open %q: %w", path, err))
	}
	s.stage = content.Stage{Start: s.start, Free: s.free, Lease: o.stageLease, Closing: s.db.Closing(), Logger: o.Logger}
	if err := s.read(ctx, s.loadID); err != nil {
		s.db.Close()
		return nil, err
	}
	if o.ReadOnly {
		return s, nil
	}
	if s.collector, err = newCollector(s); err != nil {
		s.db.Close()
		return nil, err
	}
	if o.Reserve >= 0 {
		s.reserve.path, s.reserve.size = s.db.ReservePath(), o.Reserve
	}
	go s.collector.run()
	return s, nil
}

func (s *Store) loadID(c *engine.Conn) error {
	ok, err := c.QueryRow("SELECT id FROM store", nil, func(r engine.Row) { s.id = r.Text(0) })
	if err == nil && !ok {
		err = errorf("the store's own row is missing: %w", ErrCorrupt)
	}
	return err
}

// Err returns the reason why the store no longer accepts writes, or nil if it does.
// The reason is a commit with an unknown outcome, or a file that was moved, deleted
// or replaced, both of which match [ErrReadOnly], or [ErrClosed]. Reopen the store to
// recover. For a store that was opened read-only, Err returns nil.
//
// Err checks that the file is at its path, so it detects a missing file before a
// write does. It does not wait for other processes.
func (s *Store) Err() error { return public(s.db.Err()) }

// Close closes the store. Calls that are waiting, and later calls, return
// [ErrClosed]. Close waits for calls inside SQLite to return, and for processors to
// hand back their jobs. Closing again does nothing and returns the same result.
//
// If no other store has the file open, Close removes the write-ahead log, and the
// file is complete by itself. This holds for a ReadOnly store too, if it may write
// the file. If other stores have the file open, Close tries for up to a second to
// copy the log into the file.
func (s *Store) Close() error {
	s.queue.close()
	err := s.db.Close()
	if s.collector != nil {
		<-s.collector.done
	}
	return public(err)
}

// read calls f with a connection for reading. It may call f twice, so f must assign
// its results, not accumulate them.
func (s *Store) read(ctx context.Context, f func(*engine.Conn) error) error {
	return public(s.db.Read(ctx, f))
}

// readLong is read for an f that may take long. It may wait for other long reads; see
// [engine.DB.ReadLong].
func (s *Store) readLong(ctx context.Context, f func(context.Context, *engine.Conn) error) error {
	return public(s.db.ReadLong(ctx, f))
}

// operation is a function that the writer runs in a transaction. It must check before
// it writes: an error after a write rolls back the whole commit group. It may run
// twice.
type operation = func(*commit.Tx) error

// used returns op in the form that the engine runs, and counts it as use of the
// store.
func (s *Store) used(op operation) func(*engine.Tx) error {
	return func(t *engine.Tx) error {
		tx := commit.Of(t)
		tx.Use()
		if s.reserve.spent.Load() {
			return errSpent
		}
		return op(tx)
	}
}

// write runs op in a transaction and returns its error.
func (s *Store) write(ctx context.Context, op operation) error {
	return public(s.db.Write(ctx, s.used(op)))
}

// start begins a write, and does not wait for it.
func (s *Store) start(ctx context.Context, op operation) *engine.Pending {
	return s.db.Start(ctx, s.used(op))
}

// newID returns a new id with the prefix.
func (s *Store) newID(prefix string) (string, error) {
	id, err := s.ids.Next(prefix)
	return id, public(err)
}

// now returns the time in stored form: microseconds since 1970.
func (s *Store) now() int64 { return s.opts.Now().UnixMicro() }
