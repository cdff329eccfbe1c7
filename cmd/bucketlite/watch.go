package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newWatchCommand(a *app) *cobra.Command {
	var opts bucketlite.WatchOptions
	var most int
	c := &cobra.Command{
		Use:   "watch [BUCKET]",
		Short: "Show changes as they happen",
		Long: `Show changes as they happen, by any program, until interrupted. With BUCKET, show
those of the bucket and its objects; without, those of the namespace that --namespace
names, or of the whole store.

Each event shows the names of the namespace and the bucket, or the id of one that is
gone. With --json each event has a cursor. --after CURSOR continues after it, so that no
event is missed.`,
		Example: `  bucketlite watch videos
  bucketlite watch --from-start --json
  bucketlite watch videos --limit 1   # wait for one change`,
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
		RunE: a.withStore(toRead, func(ctx context.Context, st *bucketlite.Store, args []string) error {
			events, err := a.events(ctx, st, args, &opts)
			if err != nil {
				return err
			}
			if most < 0 {
				return usagef("--limit: 0 or more expected, got %d", most)
			}
			met, w := 0, &watcher{app: a, store: st, names: map[string]string{}}
			for e, err := range events {
				if err != nil {
					return err
				}
				if err := w.event(ctx, e); err != nil {
					return err
				}
				if met++; met == most {
					return nil
				}
			}
			return nil
		}),
	}
	c.Flags().StringVar(&opts.After, "after", "", "begin after the event with this `cursor`; default: now")
	c.Flags().BoolVar(&opts.FromStart, "from-start", false, "begin with the oldest event that is kept")
	c.Flags().IntVar(&most, "limit", 0, "stop after this `number` of events; 0 means never")
	a.exclude(c, "after", "from-start")
	return c
}

// events begins to watch the bucket, namespace or store of the arguments.
func (a *app) events(ctx context.Context, st *bucketlite.Store, args []string, opts *bucketlite.WatchOptions) (iter.Seq2[bucketlite.Event, error], error) {
	switch {
	case len(args) > 0:
		b, err := a.bucket(ctx, st, args[0])
		if err != nil {
			return nil, err
		}
		return b.Watch(ctx, opts), nil
	case a.namespace != "":
		ns, err := a.theNamespace(ctx, st)
		if err != nil {
			return nil, err
		}
		return ns.Watch(ctx, opts), nil
	}
	return st.Watch(ctx, opts), nil
}

// watcher prints events, with the names of what their ids stand for.
type watcher struct {
	app   *app
	store *bucketlite.Store
	names map[string]string // by id; the id itself if it has no name any more
}

// event prints an event at once: somebody waits for it.
func (w *watcher) event(ctx context.Context, e bucketlite.Event) error {
	namespace, bucket, err := w.namesOf(ctx, e)
	if err != nil {
		return err
	}
	if w.app.json {
		named := struct {
			bucketlite.Event
			Namespace string `json:"namespace_name,omitempty"`
			Bucket    string `json:"bucket_name,omitempty"`
		}{Event: e}
		if namespace != e.NamespaceID {
			named.Namespace = namespace
		}
		if bucket != e.BucketID {
			named.Bucket = bucket
		}
		if err := w.app.line(named); err != nil {
			return err
		}
		return w.app.out.Flush()
	}
	var names []string
	for _, name := range []string{namespace, bucket, e.ObjectID} {
		if name != "" {
			names = append(names, printable(name))
		}
	}
	reason := ""
	if e.Reason != "" {
		reason = " (" + string(e.Reason) + ")"
	}
	fmt.Fprintf(w.app.out, "%s  %-17s  %s%s\n", e.At.UTC().Format(time.RFC3339), e.Kind, strings.Join(names, "/"), reason)
	return w.app.out.Flush()
}

// namesOf returns the names of an event's namespace and bucket now, or their ids if they
// are gone.
func (w *watcher) namesOf(ctx context.Context, e bucketlite.Event) (namespace, bucket string, err error) {
	switch e.Kind {
	case bucketlite.EventNamespaceUpdated: // perhaps by another name
		delete(w.names, e.NamespaceID)
	case bucketlite.EventBucketUpdated:
		delete(w.names, e.BucketID)
	case bucketlite.EventNamespaceDeleted: // named for the last time
		defer delete(w.names, e.NamespaceID)
	case bucketlite.EventBucketDeleted:
		defer delete(w.names, e.BucketID)
	}
	name := func(id string, find func() (string, error)) (string, error) {
		if name, ok := w.names[id]; ok || id == "" {
			return name, nil
		}
		name, err := find()
		if errors.Is(err, bucketlite.ErrNotFound) {
			name, err = id, nil
		}
		if err == nil {
			w.names[id] = name
		}
		return name, err
	}
	namespace, err = name(e.NamespaceID, func() (string, error) {
		ns, err := w.store.Namespace(ctx, e.NamespaceID)
		if err != nil {
			return "", err
		}
		return ns.Name(), nil
	})
	if err != nil {
		return "", "", err
	}
	bucket, err = name(e.BucketID, func() (string, error) {
		ns, err := w.store.Namespace(ctx, e.NamespaceID)
		if err != nil {
			return "", err
		}
		b, err := ns.Bucket(ctx, e.BucketID)
		if err != nil {
			return "", err
		}
		return b.Name(), nil
	})
	return namespace, bucket, err
}
