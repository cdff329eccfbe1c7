package folder

import (
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// maxWatched is how many folders are watched. Systems limit the number, some to 8192 for
// all programs of a user.
const maxWatched = 4096

// maxWatchedFiles is how many files they may have on systems that open each one to watch
// it.
const maxWatchedFiles = 1000

// A Notifier says that something may have changed in a folder. It is a hint: a folder may
// be watched in part or not at all, and an event may be lost.
type Notifier struct {
	root    string
	watcher *fsnotify.Watcher
	watched map[string]bool // paths below root
	changed chan struct{}
	done    chan struct{}
}

// NewNotifier returns a Notifier for the folder root, which watches nothing yet.
func NewNotifier(root string) (*Notifier, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	n := &Notifier{root: root, watcher: w, watched: make(map[string]bool), changed: make(chan struct{}, 1), done: make(chan struct{})}
	go n.run()
	return n, nil
}

// Changed receives a value after a change. Several changes may be one value.
func (n *Notifier) Changed() <-chan struct{} { return n.changed }

func (n *Notifier) run() {
	defer close(n.done)
	for {
		select {
		case e, ok := <-n.watcher.Events:
			if !ok {
				return
			}
			if e.Op == fsnotify.Chmod {
				continue // also what reading a file may cause
			}
		case _, ok := <-n.watcher.Errors: // such as too many events
			if !ok {
				return
			}
		}
		select {
		case n.changed <- struct{}{}:
		default:
		}
	}
}

// Watch watches these folders, given by their paths below the root, and no others. It
// reports whether it watches one that it did not watch before: what happened there until
// now is not known. The folders have so many files.
func (n *Notifier) Watch(folders []string, files int) (fresh bool) {
	if opensFiles && files > maxWatchedFiles {
		folders = nil
	}
	now := make(map[string]bool)
	for _, name := range folders[:min(len(folders), maxWatched)] {
		// Again, since a folder may have been replaced by one of the same name.
		if n.watcher.Add(n.path(name)) != nil {
			continue // it is gone, or the system's limit is reached
		}
		now[name] = true
		fresh = fresh || !n.watched[name]
	}
	for name := range n.watched {
		if !now[name] {
			n.watcher.Remove(n.path(name)) // fails if the folder is gone
		}
	}
	n.watched = now
	return fresh
}

func (n *Notifier) path(name string) string { return filepath.Join(n.root, filepath.FromSlash(name)) }

// Close ends watching.
func (n *Notifier) Close() error {
	err := n.watcher.Close()
	<-n.done
	return err
}
