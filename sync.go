package bucketlite

import (
	"context"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"time"

	"github.com/bucketlite/bucketlite/internal/folder"
)

// SyncOptions configure [Bucket.SyncDir]. Nil selects the defaults.
type SyncOptions struct {
	// Folder selects the files, and says which fields get which facts about them, as for
	// [Folder]. With TrustModified the first look need not read every file.
	Folder FolderOptions
	// Delete deletes objects whose files are gone. Default: false, which keeps them.
	Delete bool
	// Force deletes them even if the folder seems to be another one, or is empty. After
	// a look that could not read everything, nothing is deleted in any case.
	Force bool
	// DryRun stores and deletes nothing. The report and Changed say what would happen.
	DryRun bool

	// Watch keeps looking until ctx ends: soon after a change, if the system reports it,
	// and every Interval. Default: false, one look.
	Watch bool
	// Interval is the time between two looks that compare the whole bucket with the
	// folder. Default: 1 minute.
	Interval time.Duration
	// Settle is how long a file must not change before it is stored, or must be gone
	// before its object changes. A file that is being written is not stored in part, if
	// its writer pauses for less than this. Default: 2 seconds.
	Settle time.Duration

	// Changed, unless nil, is called for each change of an object, after it.
	Changed func(SyncChange)
	// Failed, unless nil, is called with Watch for an error that may pass, such as a
	// folder that is not mounted, when it occurs after a look without it. The next look
	// tries again.
	Failed func(error)
	// Progress, unless nil, is called before each file that is read, with the numbers of
	// files and bytes up to the end of this file.
	Progress func(ImportProgress)
}

const (
	defaultInterval = time.Minute
	defaultSettle   = 2 * time.Second
)

// SyncAction is what happened to an object.
type SyncAction string

// The actions of a [SyncChange].
const (
	SyncCreated  SyncAction = "created"
	SyncReplaced SyncAction = "replaced"
	SyncRenamed  SyncAction = "renamed"
	SyncDeleted  SyncAction = "deleted"
	SyncRefused  SyncAction = "refused" // the file is not stored until it changes
)

// SyncChange is a change of one object.
type SyncChange struct {
	Action SyncAction `json:"action"`
	// Path is the file's path below the folder, with slashes.
	Path string `json:"path"`
	// From is the path before, if the file was renamed.
	From string `json:"from,omitempty"`
	// Refusal says why, if the file was refused.
	Refusal *Refusal `json:"refusal,omitempty"`
}

// String returns the change as people read it, as in "renamed a.jpg to b.jpg".
func (c SyncChange) String() string {
	switch {
	case c.From != "":
		return fmt.Sprintf("%s %s to %s", c.Action, c.From, c.Path)
	case c.Refusal != nil:
		return fmt.Sprintf("%s %s: %s", c.Action, c.Path, c.Refusal.Message)
	}
	return string(c.Action) + " " + c.Path
}

// SyncReport is the result of [Bucket.SyncDir].
type SyncReport struct {
	// Files is the number of files in the folder, and Waiting how many of them were not
	// stored since they were still changing, both at the last look.
	Files   int64 `json:"files"`
	Waiting int64 `json:"waiting"`
	// Gone is the number of objects that were kept although their files are gone, at the
	// last look.
	Gone int64 `json:"gone"`
	// Unchanged counts files that were compared with their objects, and did not differ.
	Unchanged int64 `json:"unchanged"`
	Created   int64 `json:"created"`
	Replaced  int64 `json:"replaced"`
	// Renamed counts objects that got a new path, and kept their ids.
	Renamed int64 `json:"renamed"`
	Deleted int64 `json:"deleted"`
	// Refused counts files that the bucket refuses or that cannot be read. One that stays
	// as it is counts once.
	Refused int64 `json:"refused"`
	// Skipped counts what the folder has beside its files, at the last look.
	Skipped SkippedFiles `json:"skipped"`
	// Refusals are the first [MaxRefusals] of them.
	Refusals []Refusal `json:"errors"`
}

// SyncDir makes the bucket's objects follow the files of a directory. Each file is an
// object, as for [Folder]. Files that are new or have changed are stored, each as a whole.
// If a file is gone and another one has its content, the object stays and gets the new
// path. If a file is only gone, its object is deleted, if [SyncOptions].Delete is set. Files
// that did not change cost no version. Links are not followed, and no path leads out of
// the directory.
//
// The unique key must be the field that gets the file's path. With Delete, the objects
// with a file and a path that [SyncOptions].Folder selects belong to the directory, and no
// other program should put such objects. SyncDir leaves alone objects with other paths,
// such as those with a slash at the beginning, and hidden or excluded ones.
// Nothing is deleted
//
//   - after a look that could not read a part of the directory,
//   - if the directory has no files, since its disk may not be mounted,
//   - if it has none of the files of the objects, or of more than ten objects less than
//     half, since it may be another one.
//
// In the last two cases SyncDir stores the new files and returns [ErrConflict]; Force
// deletes nevertheless.
//
// An object that others have deleted comes back with the next look, if its file is still
// there. So if the folder exceeds the bucket's [Retention], each look stores files again that
// the limits delete.
//
// SyncDir takes about 300 bytes of memory for each file. With Watch it compares a file
// with its object again only if the size, times or inode of the file have changed, or others
// have changed the content of the object.
//
// The report is there also if there is an error. Errors: [ErrBadRequest] for options, a
// schema or a unique key that do not fit, the error of reading the directory itself, those
// of [Bucket.Import], and with Watch the context's error when ctx ends.
func (b *Bucket) SyncDir(ctx context.Context, dir string, opts *SyncOptions) (*SyncReport, error) {
	s, err := newSyncer(b.current(), dir, opts)
	if err != nil {
		return nil, err
	}
	if !s.opts.DryRun {
		if err := b.mayWrite(ctx); err != nil {
			return nil, err
		}
	}
	if s.opts.Watch {
		err = s.watch(ctx)
	} else {
		err = s.once(ctx)
	}
	return &s.report, err
}

// syncer is one SyncDir call.
type syncer struct {
	bucket  *Bucket
	dir     string
	opts    SyncOptions
	path    string // the field with a file's path
	mapping *factMapping
	seed    maphash.Seed

	known map[string]syncKnown // by path, the bucket's objects that have a file
	// refused are files that the bucket refused, in this state.
	refused map[string]folder.State
	// changing are the files, and gone the missing ones, that have to settle.
	changing map[string]syncWait
	gone     map[string]syncGone
	looks    int         // so far
	root     fs.FileInfo // of the directory, at the last look
	stale    bool        // known contradicts the bucket

	report SyncReport
}

// syncKnown is what is known of an object.
type syncKnown struct {
	equal   bool // the object equals its file in this state
	state   folder.State
	content uint64 // stands for the object's content; 0 if it is not known
	look    int    // the look that stored it; 0 if the bucket had it before
}

// syncWait is a file that may still be changing.
type syncWait struct {
	state folder.State
	since time.Time
}

// syncGone is a missing file.
type syncGone struct {
	since time.Time
	look  int // that missed it first
}

func newSyncer(b *Bucket, dir string, opts *SyncOptions) (*syncer, error) {
	s := &syncer{bucket: b, dir: dir, seed: maphash.MakeSeed(), refused: make(map[string]folder.State), changing: make(map[string]syncWait), gone: make(map[string]syncGone)}
	s.report.Refusals = []Refusal{}
	if opts != nil {
		s.opts = *opts
	}
	o := &s.opts
	if o.Interval < 0 || o.Settle < 0 {
		return nil, badRequest("sync: Interval and Settle: got %v and %v, want 0 or more", o.Interval, o.Settle)
	}
	if o.DryRun && o.Watch {
		return nil, badRequest("sync: DryRun and Watch exclude each other")
	}
	if o.Interval == 0 {
		o.Interval = defaultInterval
	}
	if o.Settle == 0 {
		o.Settle = defaultSettle
	}
	if err := s.patterns().Validate(); err != nil {
		return nil, badRequest("sync: %w", err)
	}
	return s, s.remap()
}

func (s *syncer) patterns() folder.Options {
	o := &s.opts.Folder
	return folder.Options{Include: o.Include, Exclude: o.Exclude, Hidden: o.Hidden, Except: s.bucket.store.db.Files()}
}

// remap reads off the schema where the facts of a file go.
func (s *syncer) remap() (err error) {
	b := s.bucket.current()
	if s.mapping, err = newFactMapping(b, &s.opts.Folder); err != nil {
		return err
	}
	key := s.mapping.key
	if len(key) != 1 || s.mapping.fields[key[0]] != "path" || s.mapping.types[key[0]] != String {
		return badRequest("sync: %s: the unique key must be one field of type string that gets the file's path", b)
	}
	s.path = key[0]
	return nil
}

// open opens the directory. Its file system has no way out.
func (s *syncer) open() (*os.Root, error) {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, errorf("%s: sync: %w", s.bucket, err)
	}
	return root, nil
}
