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
)

// Durability says what an acknowledged write survives. At either level the file
// stays whole, whatever happens.
type Durability int

const (
	// DurabilityFull: an acknowledged write survives a power cut. The default.
	DurabilityFull Durability = iota
	// DurabilityNormal: an acknowledged write survives the end of the process, but the last
	// ones may be lost in a power cut. Several times faster for single writers.
	DurabilityNormal
)

// Options adjust a store. The zero Options, and nil, mean the defaults.
type Options struct {
	// ReadOnly opens an existing file for reading; every write is [ErrReadOnly].
	// Readers share two files with writers, "-wal" and "-shm" beside the store's
	// file, so they too need permission to write in its directory, unless those
	// files exist. The exception is a file system that is mounted read-only for
	// everybody: nothing is written there, and the file cannot change. Default: false.
	ReadOnly bool
	// AllowLinks opens a file that has several names (hard links). Each name has a
	// write-ahead log of its own, so a store that is opened under two names at once
	// is damaged. Links are not noticed on Windows. Default: false, Open refuses.
	AllowLinks bool
	// Durability says what an acknowledged write survives. Default: DurabilityFull.
	Durability Durability
	// BusyTimeout is how long a call waits for another process that holds the
	// file, before it returns [ErrBusy]. Default: 30 s.
	BusyTimeout time.Duration
	// MaxObjectBytes bounds an object's fields as compact JSON. Default: 16 MiB.
	MaxObjectBytes int
	// MaxBlobBytes bounds the bytes of one blob; more than 4 TiB cannot be stored.
	// Those that come as base64 or a data URI are in memory, and at most 32 MiB in
	// any case. Default: 5 GiB.
	MaxBlobBytes int64
	// MaxPageBytes bounds a page of a list: it ends before its members have more
	// stored bytes than that, with a [Page].Next, unless it has but one. The stored
	// bytes of an object are those of its fields and of what is known of its blobs,
	// without their content. Iterators hold no more than a page. Default: 32 MiB.
	MaxPageBytes int64
	// Fetcher brings in what the URLs of blobs stand for, before the call that puts
	// them writes anything; see [BlobInput].Data. Default: nil, URLs stay references
	// and nothing touches the network.
	Fetcher Fetcher
	// Now is the clock for created_at, updated_at and ids; it must be safe for
	// concurrent use. Default: time.Now.
	Now func() time.Time
	// Entropy is the source of the random part of ids. Default: crypto/rand.
	Entropy io.Reader
	// TaskRetention is how long the record of a task is kept after the task has
	// ended. Default: 24 h.
	TaskRetention time.Duration
	// EventRetention is how many of the newest events are kept for watchers that
	// have fallen behind, and a few more. Default: 1,000,000, some 20 MB.
	EventRetention int
	// Reserve is how many bytes are kept in a file beside the store's own, "-reserve",
	// to be freed when the disk is full, so that deleting is possible then. From that
	// moment everything that does not free space is [ErrFull], until the reserve has
	// been set aside again, also after a restart. It is made some seconds after Open, and
	// stays after Close.
	// Default: 8 MiB; less may not be enough. Negative: none. A store in memory has none.
	Reserve int64
	// Logger hears of what goes wrong in the background. Default: silence.
	Logger *slog.Logger

	stageLease time.Duration // how long staged content is safe from collectors
	idleTime   time.Duration // see [idleTime], the default
}

// withDefaults returns a checked copy of o in which nothing is unset.
func (o *Options) withDefaults() (Options, error) {
	var opts Options
	if o != nil {
		opts = *o
	}
	if opts.Durability != DurabilityFull && opts.Durability != DurabilityNormal {
		return opts, badRequest("options: unknown durability %d", opts.Durability)
	}
	if opts.BusyTimeout < 0 || opts.MaxObjectBytes < 0 || opts.MaxBlobBytes < 0 || opts.MaxPageBytes < 0 || opts.TaskRetention < 0 || opts.EventRetention < 0 {
		return opts, badRequest("options: a limit is negative")
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

// Store is one open file. It is safe for concurrent use; other processes may
// have the same file open.
type Store struct {
	opts Options
	db   *engine.DB
	id   string // the file's own random id
	ids  *ident.Source

	commits *commit.Committer
	stage   content.Stage

	feed *feed

	leases lease.Watcher // leases of other stores

	definitions sync.Map // bucket number → *definition; a definition never changes

	collector *collector // nil if nothing may be written
	reserve   reserve
	queue     queue
}

// Open opens the file at path, creating it if it does not exist; its directory
// must. The path ":memory:" opens a private store in memory. A nil opts means
// the defaults.
//
// A file of another application is [ErrNotAStore], one of a newer version of this
// library [ErrNewFormat]; both are left as they were. One of an older version is brought
// up to date; with ReadOnly it is [ErrOldFormat] instead. A file system on which
// write-ahead logging does not work, as many network file systems, is refused.
// A missing permission matches [fs.ErrPermission].
//
// While the store is open, and after a crash, commits may be in the write-ahead log
// beside the file alone: "app.db-wal" for "app.db". A log without its file, and a file
// that lacks its schema because the log is gone, are [ErrCorrupt], and both are left
// as they were.
//
// Once open, the store belongs to the file under that path. If the file or its log is
// moved, deleted or replaced, the next write is [ErrOutcomeUnknown] and later ones are
// [ErrReadOnly]. This is not noticed on Windows, where an open file cannot be moved, nor
// on file systems that give a file another inode number at each look.
//
// The caller must Close the store.
func Open(ctx context.Context, path string, opts *Options) (*Store, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Store{opts: o, ids: ident.NewSource(o.Now, o.Entropy), feed: newFeed(path != engine.Memory)}
	s.commits = commit.NewCommitter(commit.Config{
		Now:        o.Now,
		EventSlack: o.eventSlack(),
		Signals:    [...]func(){commit.Background: s.wakeCollector, commit.Jobs: s.queue.notify},
		Overtaken:  s.reserve.notice,
		Last:       content.CollectShare,
		Noted:      s.feed.committed,
	})
	s.db, err = engine.Open(ctx, engine.Config{
		Path:          path,
		ReadOnly:      o.ReadOnly,
		Synchronous:   map[Durability]engine.Synchronous{DurabilityFull: engine.Full, DurabilityNormal: engine.Normal}[o.Durability],
		AllowLinks:    o.AllowLinks,
		BusyTimeout:   o.BusyTimeout,
		Readers:       max(4, runtime.GOMAXPROCS(0)),
		LongReads:     max(1, runtime.GOMAXPROCS(0)-1),
		ApplicationID: applicationID,
		Migrations:    migrations(),
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

// Err returns why the store takes no more writes, or nil while it takes them. The
// reasons are a commit whose outcome is unknown, a file that was moved, deleted or
// replaced (both match [ErrReadOnly]), and [ErrClosed]. Reopening the store is the
// remedy. A store that was opened read-only has no reason to give: Err returns nil.
//
// Err looks for the file under its name, so it notices a missing file before a
// write does. It does not wait for other processes.
func (s *Store) Err() error { return public(s.db.Err()) }

// Close closes the store. Calls that are waiting return [ErrClosed], as do later
// ones; calls inside SQLite are waited for, and so are processors, until they have
// handed back their jobs. Closing again does nothing and returns the same.
//
// If no other store has the file open, the write-ahead log is gone afterwards and
// the file is whole by itself; so it is after a ReadOnly store, if it may write the
// file. Beside other stores, Close tries for up to a second to move what is in the
// log into the file.
func (s *Store) Close() error {
	s.queue.close()
	err := s.db.Close()
	if s.collector != nil {
		<-s.collector.done
	}
	return public(err)
}

// read lends f a connection for reading. f must set, not add to, what it hands back.
func (s *Store) read(ctx context.Context, f func(*engine.Conn) error) error {
	return public(s.db.Read(ctx, f))
}

// readLong is read for an f that may take long, and so may have to wait for others;
// see [engine.DB.ReadLong].
func (s *Store) readLong(ctx context.Context, f func(context.Context, *engine.Conn) error) error {
	return public(s.db.ReadLong(ctx, f))
}

// operation is work for the writer. It must check before it writes: a refusal
// after a write takes the whole commit group back. It may run twice.
type operation = func(*commit.Tx) error

// used returns op as the engine runs it for a caller.
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

// write runs op in a transaction and returns its verdict.
func (s *Store) write(ctx context.Context, op operation) error {
	return public(s.db.Write(ctx, s.used(op)))
}

// start begins a write without waiting for it.
func (s *Store) start(ctx context.Context, op operation) *engine.Pending {
	return s.db.Start(ctx, s.used(op))
}

// newID returns a new id with the prefix.
func (s *Store) newID(prefix string) (string, error) {
	id, err := s.ids.Next(prefix)
	return id, public(err)
}

// now returns the time in the form the file keeps.
func (s *Store) now() int64 { return s.opts.Now().UnixMicro() }

// timeOf is the inverse of now.
func timeOf(micro int64) time.Time { return time.UnixMicro(micro).UTC() }

// optionalTime returns the time in column i, or nil for NULL.
func optionalTime(r engine.Row, i int) *time.Time {
	if r.Null(i) {
		return nil
	}
	t := timeOf(r.Int(i))
	return &t
}
