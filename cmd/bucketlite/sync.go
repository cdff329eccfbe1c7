package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newSyncCommand(a *app) *cobra.Command {
	var f folderFlags
	var opts bucketlite.SyncOptions
	var checksum bool
	c := &cobra.Command{
		Use:   "sync DIR BUCKET",
		Short: "Make a bucket follow the files of a directory",
		Long: `Make a bucket follow the files of a directory: each file is an object, as with put. New
and changed files are stored, each as a whole, and files that did not change cost nothing.
An object whose file was renamed keeps its id. With --delete, objects whose files are gone
are deleted.

With --watch, continue until interrupted, and show each change. A file that is being
written is stored when it has not changed for the time of --settle.

The unique key of the bucket must be the field that gets the path. Nothing is deleted after
a part of the directory could not be read. If the directory is empty, or has less than half
of the files it had, it may be another one, or its disk may not be mounted: then deleting
needs --force.`,
		Example: `  bucketlite bucket create photos --infer ~/Pictures --yes
  bucketlite sync ~/Pictures photos --include '*.{jpg,png}'
  bucketlite sync ~/Pictures photos --delete --watch
  bucketlite sync ~/Pictures photos --delete --dry-run`,
		Args: cobra.ExactArgs(2),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return a.completions(cmd, typed, a.bucketNames), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
	flags := c.Flags()
	flags.BoolVar(&opts.Delete, "delete", false, "delete objects whose files are gone")
	flags.BoolVar(&opts.Force, "force", false, "delete them even if the directory seems to be another one")
	flags.BoolVar(&opts.DryRun, "dry-run", false, "only show what would happen")
	flags.BoolVar(&opts.Watch, "watch", false, "continue until interrupted")
	flags.DurationVar(&opts.Interval, "interval", time.Minute, "with --watch, the `time` between two full looks")
	flags.DurationVar(&opts.Settle, "settle", 2*time.Second, "the `time` for which a file must not change before it is stored")
	f.add(c)
	a.exclude(c, "dry-run", "watch")
	flags.BoolVar(&checksum, "checksum", false, "read files whose size and modification time are those of the object, too")
	c.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if opts.Force && !opts.Delete {
			return usagef("--force needs --delete")
		}
		if opts.Folder, err = f.options(); err != nil {
			return err
		}
		opts.Folder.TrustModified = !checksum
		return a.withStore(toWrite, func(ctx context.Context, st *bucketlite.Store, args []string) error {
			b, err := a.bucket(ctx, st, args[1])
			if errors.Is(err, bucketlite.ErrNotFound) {
				if !isFolder(args[0]) && isFolder(args[1]) {
					return usagef("%s: no directory; DIR comes before BUCKET: \"bucketlite sync %s %s\"", args[0], args[1], args[0])
				}
				b, err = a.offer(ctx, st, args[1], args[0], textFlags{}, err)
			}
			if err != nil {
				return err
			}
			return a.sync(ctx, b, args[0], opts)
		})(cmd, args)
	}
	return c
}

// sync makes a bucket follow a directory.
func (a *app) sync(ctx context.Context, b *bucketlite.Bucket, dir string, opts bucketlite.SyncOptions) error {
	bar := a.progress("syncing", -1, inBytes)
	opts.Progress = func(p bucketlite.ImportProgress) { bar.of(p.Bytes, p.Total) }
	opts.Failed = func(err error) { a.note("%s", message(err)) }
	shows := opts.Watch || opts.DryRun
	var failed error // of printing
	opts.Changed = func(c bucketlite.SyncChange) {
		if c.Refusal != nil {
			a.note("%s", refusalText(*c.Refusal))
		}
		if shows && (a.json || c.Refusal == nil) {
			bar.clear()
			failed = cmp.Or(failed, a.showChange(c))
		}
	}
	report, err := b.SyncDir(ctx, dir, &opts)
	bar.end()
	if report == nil {
		return err
	}
	if err == nil && report.Refused > 0 {
		err = fmt.Errorf("%s %w", plural(report.Refused, "file was", "files were"), errRefused)
	}
	e := a.show(report, func(t *table) {
		t.row("files", report.Files)
		t.row("created", report.Created)
		t.row("replaced", report.Replaced)
		t.row("renamed", report.Renamed)
		t.row("deleted", report.Deleted)
		t.row("unchanged", report.Unchanged)
		t.row("refused", report.Refused)
		if report.Waiting > 0 {
			t.row("still changing", report.Waiting)
		}
		if report.Gone > 0 {
			t.row("kept without a file", report.Gone)
		}
	})
	return cmp.Or(err, e, failed)
}

// refusalText returns the reason why a file was refused, after its path.
func refusalText(r bucketlite.Refusal) string {
	if file := (*bucketlite.ImportFileError)(nil); errors.As(r.Err, &file) {
		return r.Message // it has the path
	}
	return fmt.Sprintf("file %q: %s", r.File, r.Message)
}

// showChange prints a change at once: somebody waits for it.
func (a *app) showChange(c bucketlite.SyncChange) error {
	if a.json {
		return cmp.Or(a.line(c), a.out.Flush())
	}
	fmt.Fprintln(a.out, printable(c.String()))
	return a.out.Flush()
}
