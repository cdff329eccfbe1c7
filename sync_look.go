package bucketlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite/internal/folder"
)

// syncLook is one comparison of the directory with the bucket.
type syncLook struct {
	fsys    fs.FS
	at      time.Time // when it began
	files   map[string]folder.File
	order   []string        // their paths, in the order of the walk
	folders []string        // the paths of the folders
	skipped map[string]bool // the paths of what cannot be stored
	partial bool            // a part could not be read

	store []folder.File // new files, and ones that may have changed, which have settled
	moves []syncMove
	gone  []string      // paths of objects whose files are gone for good
	took  time.Duration // to compare, without storing files
	again time.Duration // when something will have settled; 0 if nothing has to
	doubt error         // why nothing was deleted that should be
}

// syncMove is a file that has the content of an object whose file is gone.
type syncMove struct {
	from   string
	file   folder.File
	object *Object
}

// look compares the directory with the bucket, and makes the changes that have settled. A
// full look reads the paths of the objects again.
func (s *syncer) look(ctx context.Context, full bool) (*syncLook, error) {
	root, err := s.open()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := s.recognise(root); err != nil {
		return nil, err
	}
	return s.lookInto(ctx, root.FS(), full)
}

func (s *syncer) lookInto(ctx context.Context, fsys fs.FS, full bool) (*syncLook, error) {
	s.looks++
	l := &syncLook{fsys: fsys, at: time.Now(), files: make(map[string]folder.File), skipped: make(map[string]bool)}
	if err := s.walk(ctx, l); err != nil {
		return nil, err
	}
	if full || s.known == nil || s.stale {
		if err := s.load(ctx, l); err != nil {
			return nil, err
		}
	}
	s.settle(l)
	l.took = time.Since(l.at)
	err := s.pair(ctx, l)
	if err == nil {
		err = s.apply(ctx, l)
	}
	if s.report.Waiting = int64(len(s.changing)); (s.report.Waiting > 0 || s.stale) && l.again == 0 {
		l.again = s.opts.Settle // a file changed while it was read, or an object
	}
	return l, err
}

// recognise forgets what is known of the files if the directory is another one than at the
// last look: its inodes are others, too.
func (s *syncer) recognise(root *os.Root) error {
	info, err := root.Stat(".")
	if err != nil {
		return errorf("%s: sync: %w", s.bucket, err)
	}
	if s.root != nil && !os.SameFile(s.root, info) {
		for name, k := range s.known {
			s.known[name] = syncKnown{content: k.content, look: k.look}
		}
		clear(s.refused)
		clear(s.changing)
		clear(s.gone)
	}
	s.root = info
	return nil
}

// walk lists the files of the directory.
func (s *syncer) walk(ctx context.Context, l *syncLook) error {
	s.report.Skipped = SkippedFiles{}
	patterns := s.patterns()
	patterns.Enter = func(name string) { l.folders = append(l.folders, name) }
	err := folder.Walk(ctx, l.fsys, patterns, func(f folder.File) error {
		l.files[f.Path] = f
		l.order = append(l.order, f.Path)
		return nil
	}, func(skip folder.Skip) { s.skip(l, skip) })
	if err != nil && ctx.Err() == nil {
		return errorf("%s: sync: folder: %w", s.bucket, err)
	}
	return err
}

// skip counts an entry that the walk left out.
func (s *syncer) skip(l *syncLook, skip folder.Skip) {
	if s.report.Skipped.count(skip.Reason) {
		if s.opts.Folder.Skipped != nil {
			s.opts.Folder.Skipped(skip.Path, string(skip.Reason))
		}
		return
	}
	l.partial = l.partial || skip.Reason == folder.Unreadable
	if !errors.Is(skip.Err, fs.ErrNotExist) { // else it vanished during the walk
		l.skipped[skip.Path] = true
		s.refuse(folder.File{Path: skip.Path}, skipError(&skip))
	}
}

// load reads the paths of the objects that have a file. An object whose content
// was changed by others is compared with its file again.
func (s *syncer) load(ctx context.Context, l *syncLook) error {
	if err := s.remap(); err != nil { // the schema may have changed
		return err
	}
	selected := []string{s.path, "blobs"}
	for field, fact := range s.mapping.fields {
		if fact == "modified" {
			selected = append(selected, field)
		}
	}
	files, patterns := s.files(l), s.patterns()
	known := make(map[string]syncKnown)
	for o, err := range s.bucket.Objects(ctx, Query{Select: selected}) {
		if err != nil {
			return err
		}
		name, ok := o.Fields[s.path].(string)
		content := s.contentOf(o)
		if !ok || content == 0 || !patterns.Selects(name) {
			continue // it has no file, or one from elsewhere
		}
		k := s.known[name]
		if k.content != 0 && k.content != content {
			k.equal = false // changed by others
		}
		k.content = content
		if f, ok := l.files[name]; ok && !k.equal && s.opts.Folder.TrustModified && files.looksUnchanged(o, f, fileFacts(f)) {
			k.equal, k.state = true, f.State
			s.report.Unchanged++
		}
		known[name] = k
	}
	s.known, s.stale = known, false
	return nil
}

// settle finds the files that are new or have changed, and the ones that are gone, and
// among them those that do not change any more.
func (s *syncer) settle(l *syncLook) {
	changing := make(map[string]syncWait)
	for _, name := range l.order {
		f := l.files[name]
		k, isKnown := s.known[name]
		refused, isRefused := s.refused[name]
		if isKnown && k.equal && k.state == f.State || isRefused && refused == f.State {
			continue
		}
		w, ok := s.changing[name]
		if !ok || w.state != f.State {
			w = syncWait{f.State, l.at}
		}
		if l.wait(s.opts.Settle, w.since, f.State.Touched()) {
			changing[name] = w
			continue
		}
		l.store = append(l.store, f)
	}
	s.changing = changing
	s.settleGone(l)
	for name := range s.refused {
		if _, ok := l.files[name]; !ok && !l.skipped[name] {
			delete(s.refused, name)
		}
	}
	s.report.Files = int64(len(l.files))
}

// settleGone finds the objects whose files are gone. Nothing waits for one if it is kept
// in any case.
func (s *syncer) settleGone(l *syncLook) {
	gone := make(map[string]syncGone)
	matters := s.opts.Delete || len(s.changing) > 0 || slices.ContainsFunc(l.store, s.isNew)
	for name := range s.known {
		if _, ok := l.files[name]; ok {
			continue
		}
		g, ok := s.gone[name]
		if !ok {
			g = syncGone{l.at, s.looks}
		}
		gone[name] = g
		if matters && !l.partial && !l.wait(s.opts.Settle, g.since, l.emptied(name)) {
			l.gone = append(l.gone, name)
		}
	}
	s.gone = gone
}

// wait reports whether something has changed too recently, by the time it was first seen so
// and by the file system's own time, which is not that of this machine's clock if the
// directory is on another machine. It notes when the wait is over.
func (l *syncLook) wait(settle time.Duration, since, touched time.Time) bool {
	seen, age := l.at.Sub(since), l.at.Sub(touched)
	if seen >= settle || age >= settle {
		return false
	}
	rest := settle - max(seen, age)
	if l.again == 0 || rest < l.again {
		l.again = rest
	}
	return true
}

// emptied returns when the folder of a missing file, or the nearest one that is there, has
// last changed. The walk has listed it before: a file that was moved during the walk may be
// missing in both places, and then the time is that of the move.
func (l *syncLook) emptied(name string) time.Time {
	for name != "." {
		name = path.Dir(name)
		if info, err := fs.Stat(l.fsys, name); err == nil {
			return folder.StateOf(info).Touched()
		}
	}
	return l.at
}
