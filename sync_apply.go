package bucketlite

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"maps"
	"path"
	"slices"
	"syscall"

	"github.com/bucketlite/bucketlite/internal/folder"
)

// pair finds, for new files, objects with the same content whose files are gone. A file
// whose object may still turn out to be there waits.
func (s *syncer) pair(ctx context.Context, l *syncLook) error {
	if len(s.gone) == 0 || !slices.ContainsFunc(l.store, s.isNew) {
		return nil
	}
	lost, err := s.lost(ctx)
	if err != nil {
		return err
	}
	settled := make(map[string]bool)
	for _, name := range l.gone {
		settled[name] = true
	}
	var rest []folder.File
	for _, f := range l.store {
		o, from, err := s.match(ctx, l, f, lost[f.Size])
		switch {
		case err != nil:
			return err
		case o == nil:
			rest = append(rest, f)
		case !settled[from]:
			s.changing[f.Path] = syncWait{f.State, l.at} // l.again is set for the missing file
		default:
			l.moves = append(l.moves, syncMove{from, f, o})
			lost[f.Size] = slices.DeleteFunc(lost[f.Size], func(other *Object) bool { return other == o })
		}
	}
	l.store = rest
	l.gone = slices.DeleteFunc(l.gone, func(name string) bool {
		return slices.ContainsFunc(l.moves, func(m syncMove) bool { return m.from == name })
	})
	return nil
}

// isNew reports whether no object has the file's path.
func (s *syncer) isNew(f folder.File) bool {
	_, ok := s.known[f.Path]
	return !ok
}

// lost returns the objects whose files are missing, by the size of their content, and of
// equal size by path.
func (s *syncer) lost(ctx context.Context) (map[int64][]*Object, error) {
	lost := make(map[int64][]*Object)
	for _, name := range slices.Sorted(maps.Keys(s.gone)) {
		o, err := s.object(ctx, name)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if blob := s.mapping.content(o); blob != nil {
			lost[blob.Details.Size] = append(lost[blob.Details.Size], o)
		}
	}
	return lost, nil
}

// object returns the object with the path.
func (s *syncer) object(ctx context.Context, name string) (*Object, error) {
	return s.bucket.ObjectByKey(ctx, map[string]any{s.path: name})
}

// content returns the blob that has the content of a file, or nil.
func (m *factMapping) content(o *Object) *Blob {
	for i := range o.Blobs {
		if b := &o.Blobs[i]; b.Details.Hash != "" && slices.Contains(m.properties, b.Property) {
			return b
		}
	}
	return nil
}

// contentOf returns a number that stands for the content of an object's file; 0 if it has
// none.
func (s *syncer) contentOf(o *Object) uint64 {
	if blob := s.mapping.content(o); blob != nil {
		return maphash.String(s.seed, blob.Details.Hash) | 1
	}
	return 0
}

// match returns the object of which a new file has the content, and its path, or nil. The
// objects have content of the file's size.
func (s *syncer) match(ctx context.Context, l *syncLook, f folder.File, objects []*Object) (*Object, string, error) {
	if !s.isNew(f) || len(objects) == 0 {
		return nil, "", nil
	}
	sum := ""
	var best *Object
	rank, from := 0, ""
	for _, o := range objects {
		name := o.Fields[s.path].(string)
		k := s.known[name]
		r := 1
		switch sameName := path.Base(name) == path.Base(f.Path); {
		case k.equal && k.state.SameFile(f.State):
			return o, name, nil // renamed in place: its content need not be read
		case sameName:
			r = 2
		case f.Size == 0:
			continue // empty files all have the same content
		}
		if sum == "" {
			var err error
			if sum, _, err = folder.Hash(ctx, steadyFS{l.fsys, l}, f.Path); err != nil {
				return nil, "", ctx.Err() // storing it says what is wrong
			}
		}
		if r > rank && s.mapping.content(o).Details.Hash == sum {
			best, rank, from = o, r, name
		}
	}
	return best, from, nil
}

// apply makes the changes of a look.
func (s *syncer) apply(ctx context.Context, l *syncLook) error {
	for _, m := range l.moves {
		if err := s.move(ctx, l, m); err != nil {
			return err
		}
	}
	if err := s.store(ctx, l); err != nil {
		return err
	}
	return s.delete(ctx, l)
}

// files returns what makes inputs of files.
func (s *syncer) files(l *syncLook) *folderItems {
	im := &importer{bucket: s.bucket.current(), opts: ImportOptions{Policy: Upsert}}
	f := newFolderItems(im, steadyFS{l.fsys, l}, s.opts.Folder)
	f.mapping = s.mapping
	return f
}

// move gives an object the path of its renamed file. Its content is stored again only if
// the name that it is downloaded by changes.
func (s *syncer) move(ctx context.Context, l *syncLook, m syncMove) error {
	files := s.files(l)
	item := importItem{file: m.file.Path}
	defer item.close()
	item.in.Fields = s.mapping.values(fileFacts(m.file))
	if name := path.Base(m.file.Path); name != path.Base(m.from) {
		item.in.Blobs = []BlobInput{{Property: s.mapping.content(m.object).Property, Filename: name}}
		files.im.open(&item, &item.in.Blobs[0], files.fsys, m.file.Path, s.mapping.content(m.object).Details.Hash)
	}
	now := syncKnown{equal: true, state: m.file.State, look: s.known[m.from].look}
	if !s.opts.DryRun {
		o, err := s.bucket.Patch(ctx, m.object.ID, item.in, &PatchOptions{IfVersion: m.object.Version})
		if err != nil {
			return s.failed(ctx, m.file, err)
		}
		now.content = s.contentOf(o)
	}
	delete(s.known, m.from)
	delete(s.gone, m.from)
	s.known[m.file.Path] = now
	s.report.Renamed++
	s.changed(SyncChange{Action: SyncRenamed, Path: m.file.Path, From: m.from})
	return nil
}

// store stores the files that have settled, many at once.
func (s *syncer) store(ctx context.Context, l *syncLook) error {
	files := s.files(l)
	files.size = 0
	for _, f := range l.store {
		files.size += f.Size
	}
	b := &syncBatch{syncer: s, files: files}
	defer b.close()
	for _, f := range l.store {
		files.pass(f)
		if s.opts.Progress != nil {
			s.opts.Progress(ImportProgress{Records: int64(files.count), Bytes: files.bytes, Total: files.size})
		}
		item := importItem{file: f.Path}
		err := files.fill(ctx, &item, f)
		switch {
		case err != nil:
			item.close()
			if err := s.failed(ctx, f, err); err != nil {
				return err
			}
		case item.unchanged:
			s.know(f, nil)
			s.report.Unchanged++
		default:
			if err := b.add(ctx, item, f); err != nil {
				return err
			}
		}
	}
	return b.flush(ctx)
}

// syncBatch are files that are put together.
type syncBatch struct {
	syncer *syncer
	files  *folderItems
	items  []importItem
	of     []folder.File
	held   int
}

func (b *syncBatch) add(ctx context.Context, item importItem, f folder.File) error {
	if item.patches != "" {
		defer item.close()
		return b.syncer.replace(ctx, item, f)
	}
	b.items, b.of, b.held = append(b.items, item), append(b.of, f), b.held+item.held
	if len(b.items) < DefaultBatchSize && b.held < importBytes {
		return nil
	}
	return b.flush(ctx)
}

func (b *syncBatch) close() {
	for i := range b.items {
		b.items[i].close()
	}
	b.items, b.of, b.held = nil, nil, 0
}

// flush puts the files of the batch.
func (b *syncBatch) flush(ctx context.Context) error {
	defer b.close()
	s := b.syncer
	if len(b.items) == 0 {
		return ctx.Err()
	}
	if s.opts.DryRun {
		for _, f := range b.of {
			s.stored(f, true, nil)
		}
		return nil
	}
	inputs := make([]ObjectInput, len(b.items))
	for i := range b.items {
		inputs[i] = b.items[i].in
	}
	result, err := s.bucket.PutMany(ctx, inputs, &PutManyOptions{Policy: Upsert})
	if result == nil {
		return err
	}
	for _, r := range result.Succeeded {
		s.stored(b.of[r.Index], r.Created, r.Object)
	}
	if err != nil {
		return err
	}
	for _, r := range result.Failed {
		if err := s.failed(ctx, b.of[r.Index], r.Err); err != nil {
			return err
		}
	}
	return nil
}

// replace stores the new content of a file in its object.
func (s *syncer) replace(ctx context.Context, item importItem, f folder.File) error {
	var o *Object
	if !s.opts.DryRun {
		var err error
		if o, err = s.bucket.Patch(ctx, item.patches, item.in, nil); err != nil {
			return s.failed(ctx, f, err)
		}
	}
	s.stored(f, false, o)
	return nil
}

// know notes that a file equals its object, which may be nil if its content is known.
func (s *syncer) know(f folder.File, o *Object) {
	k, ok := s.known[f.Path]
	if !ok {
		k.look = s.looks
	}
	if k.equal, k.state = true, f.State; o != nil {
		k.content = s.contentOf(o)
	}
	s.known[f.Path] = k
}

// stored notes that a file is stored, in an object that is nil in a dry run.
func (s *syncer) stored(f folder.File, created bool, o *Object) {
	s.know(f, o)
	delete(s.refused, f.Path)
	if created {
		s.report.Created++
		s.changed(SyncChange{Action: SyncCreated, Path: f.Path})
		return
	}
	s.report.Replaced++
	s.changed(SyncChange{Action: SyncReplaced, Path: f.Path})
}

// delete deletes the objects whose files are gone.
func (s *syncer) delete(ctx context.Context, l *syncLook) error {
	s.report.Gone = int64(len(s.gone))
	if !s.opts.Delete || len(l.gone) == 0 {
		return nil
	}
	if l.doubt = s.doubt(l); l.doubt != nil {
		return nil
	}
	slices.Sort(l.gone)
	for _, name := range l.gone {
		if err := s.remove(ctx, l, name); err != nil {
			return err
		}
	}
	return nil
}

// minKnown is the number of objects up to which one of their files is enough to recognise
// the directory.
const minKnown = 10

// doubt returns why the directory seems to be another one, or nil.
func (s *syncer) doubt(l *syncLook) error {
	here := s.here(l)
	known := here + len(s.gone)
	reason := ""
	switch {
	case s.opts.Force:
		return nil
	case len(l.files) == 0:
		reason = "it has no files"
	case here == 0:
		reason = fmt.Sprintf("it has none of the files of %d objects", known)
	case known > minKnown && 2*here < known:
		reason = fmt.Sprintf("it has only %d of the files of %d objects", here, known)
	default:
		return nil
	}
	return &ConflictError{Subject: s.bucket.String(), Reason: fmt.Sprintf(
		"sync: nothing was deleted: %q may be another folder, or its disk is not mounted: %s; Force deletes nevertheless", s.dir, reason)}
}

// here returns how many files are there of objects that were known when the first of the
// missing files was missed. Files that were stored since say nothing about the directory.
func (s *syncer) here(l *syncLook) (n int) {
	missed := s.looks
	for _, name := range l.gone {
		missed = min(missed, s.gone[name].look)
	}
	for name, k := range s.known {
		if _, ok := s.gone[name]; !ok && k.look < missed {
			n++
		}
	}
	return n
}

// remove deletes the object of a file that is gone.
func (s *syncer) remove(ctx context.Context, l *syncLook, name string) error {
	if back, err := exists(l.fsys, name); err != nil || back {
		return nil // the next look finds it
	}
	o, err := s.object(ctx, name)
	if err == nil && !s.opts.DryRun {
		err = s.bucket.DeleteObject(ctx, o.ID, &DeleteObjectOptions{IfVersion: o.Version})
	}
	switch {
	case errors.Is(err, ErrConflict):
		s.stale = true // changed by others just now
		return nil
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	}
	delete(s.known, name)
	delete(s.gone, name)
	s.report.Gone--
	if err == nil {
		s.report.Deleted++
		s.changed(SyncChange{Action: SyncDeleted, Path: name})
	}
	return nil
}

// exists reports whether there is a file, or a link, of exactly this name: where upper and lower case
// are the same, a file that was renamed to another case still answers to its old name.
func exists(fsys fs.FS, name string) (bool, error) {
	info, err := fs.Lstat(fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), err == nil && info.IsDir():
		return false, nil // a folder has its name, or a file that of its folder
	case err != nil:
		return false, err
	}
	entries, err := fs.ReadDir(fsys, path.Dir(name))
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == path.Base(name) }), err
}

// failed handles the error of one file: it returns the error if it concerns all files.
func (s *syncer) failed(ctx context.Context, f folder.File, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errUnsteady), errors.Is(err, fs.ErrNotExist):
		s.changing[f.Path] = syncWait{} // the next look finds its new state
		return nil
	case !isRefusal(err):
		return errorf("%s: sync: file %q: %w", s.bucket, f.Path, err)
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrConflict):
		s.stale = true               // others have changed the object, which the next look reads
		_, err := s.bucket.Info(ctx) // unless it is the bucket that is gone
		return err
	}
	s.refuse(f, err)
	return nil
}

// refuse notes that a file is not stored, once for each of its states.
func (s *syncer) refuse(f folder.File, err error) {
	if state, ok := s.refused[f.Path]; ok && state == f.State {
		return
	}
	s.refused[f.Path] = f.State
	r := newRefusal(0, f.Path, err)
	s.report.Refused++
	if len(s.report.Refusals) < MaxRefusals {
		s.report.Refusals = append(s.report.Refusals, r)
	}
	s.changed(SyncChange{Action: SyncRefused, Path: f.Path, Refusal: &r})
}

func (s *syncer) changed(c SyncChange) {
	if s.opts.Changed != nil {
		s.opts.Changed(c)
	}
}
