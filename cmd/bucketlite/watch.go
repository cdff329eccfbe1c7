package main

import (
	"context"
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

With --json each event has a cursor. --after CURSOR continues after it, so that no
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
			met := 0
			for e, err := range events {
				if err != nil {
					return err
				}
				if err := a.event(e); err != nil {
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

// event prints an event at once: somebody waits for it.
func (a *app) event(e bucketlite.Event) error {
	if a.json {
		if err := a.line(e); err != nil {
			return err
		}
		return a.out.Flush()
	}
	var ids []string
	for _, id := range []string{e.NamespaceID, e.BucketID, e.ObjectID} {
		if id != "" {
			ids = append(ids, id)
		}
	}
	fmt.Fprintf(a.out, "%s  %-17s  %s\n", e.At.UTC().Format(time.RFC3339), e.Kind, strings.Join(ids, "/"))
	return a.out.Flush()
}
