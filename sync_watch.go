package bucketlite

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite/internal/folder"
)

const (
	// maxLooks is how often one SyncDir without Watch looks for what has not settled.
	maxLooks = 5
	// syncPause is the least time between a change and the look for it, so that many
	// changes are one look.
	syncPause = 50 * time.Millisecond
	// syncShare is how much longer than a look the pause after it is: a folder that
	// changes all the time takes a tenth of one processor.
	syncShare = 9
)

// once looks until nothing is changing any more, or a few times.
func (s *syncer) once(ctx context.Context) error {
	for n := range maxLooks {
		l, err := s.look(ctx, n == 0)
		if err != nil {
			return err
		}
		if l.again == 0 || n == maxLooks-1 {
			return l.doubt
		}
		if err := sleep(ctx, l.again); err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// watch looks until ctx ends. Events say when, never what: an event may be lost, and a
// directory on another machine has none.
func (s *syncer) watch(ctx context.Context) error {
	var changes <-chan struct{}
	notifier, err := folder.NewNotifier(s.dir)
	if err == nil { // else the system has no room for one more
		defer notifier.Close()
		changes = notifier.Changed()
	}
	failed, read := "", time.Time{}
	for first := true; ; first = false {
		select {
		case <-changes: // this look finds it
		default:
		}
		began := time.Now()
		full := began.Sub(read) >= s.opts.Interval
		l, err := s.look(ctx, full)
		if err == nil {
			err = l.doubt
		}
		if err != nil && (first || ctx.Err() != nil || endsSync(err)) {
			return err
		}
		if failed = s.tell(err, failed); full {
			read = began
		}
		next := s.opts.Interval - time.Since(read)
		if l != nil && l.again > 0 {
			next = min(next, l.again)
		}
		if l != nil && notifier != nil && notifier.Watch(l.folders, len(l.files)) {
			next = syncPause // there may have been changes before these folders were watched
		}
		shortest := s.opts.Settle
		if l != nil {
			shortest = min(syncShare*l.took, s.opts.Interval)
		}
		if err := pause(ctx, changes, next, shortest); err != nil {
			return err
		}
	}
}

// pause waits until the next look is due, or something changes, and in any case for the
// shortest time.
func pause(ctx context.Context, changes <-chan struct{}, next, shortest time.Duration) error {
	shortest = max(shortest, syncPause)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(max(next, shortest)):
		return nil
	case <-changes:
		return sleep(ctx, shortest)
	}
}

// tell reports an error that may pass, unless it was the last one, too. It returns the text
// of the error.
func (s *syncer) tell(err error, last string) string {
	if err == nil {
		return ""
	}
	if s.opts.Failed != nil && err.Error() != last {
		s.opts.Failed(err)
	}
	return err.Error()
}

// endsSync reports whether another look can only fail in the same way.
func endsSync(err error) bool {
	return slices.ContainsFunc([]error{ErrClosed, ErrReadOnly, ErrNotFound, ErrCorrupt, ErrOutcomeUnknown, ErrBadRequest, ErrInvalid},
		func(target error) bool { return errors.Is(err, target) })
}
