// Bucketlite works on a store's file from the command line: it makes buckets, puts
// objects and files into them, finds, exports, checks and copies.
//
//	bucketlite ns create production --db media.db
//	bucketlite bucket create videos --db media.db --schema schema.json --unique-key video_id --policy upsert
//	bucketlite put videos items.jsonl --db media.db
//	bucketlite query videos --db media.db --filter '{"language": "en"}'
//
// "bucketlite help" tells all of it.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
)

func init() { cobra.EnableCommandSorting = false } // help has them in the order of use

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main, so that it can be tested. It returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks for an end, a second one enforces it.
	context.AfterFunc(ctx, stop)
	return newApp(stdin, stdout, stderr).run(ctx, args)
}

// app is one run of the program: where it reads and writes, and what holds for all
// commands.
type app struct {
	in  io.Reader
	out *bufio.Writer
	err io.Writer

	asks   bool // there is somebody to ask
	bars   bool // standard error can show a bar
	screen bool // standard output is a terminal

	db        string
	namespace string
	json      bool
	bar       *progress // the one that is shown now, nil if none is

	// exclusions are flags of a command of which only one may be given.
	exclusions map[*cobra.Command][][]string
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *app {
	return &app{
		in: stdin, out: bufio.NewWriterSize(stdout, 32<<10), err: stderr,
		asks: isTerminal(stdin) && isTerminal(stderr), bars: isTerminal(stderr), screen: isTerminal(stdout),
		exclusions: map[*cobra.Command][][]string{},
	}
}

func (a *app) run(ctx context.Context, args []string) int {
	started := false
	root := newRootCommand(a)
	a.guard(root, &started)
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !started {
		err = &usageError{err: err, command: cmd.CommandPath()}
	}
	if e := a.out.Flush(); err == nil && e != nil {
		err = fmt.Errorf("standard output: %w", e)
	}
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = &interrupted{err}
	}
	a.fail(err)
	return exitCode(err)
}

// guard has every command note that it has been started, after its arguments and flags have
// been checked: an error before that is one of usage.
func (a *app) guard(cmd *cobra.Command, started *bool) {
	for _, c := range cmd.Commands() {
		a.guard(c, started)
	}
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if check(cmd, args) == nil {
				return nil
			}
			want := cmd.Parent().CommandPath() + " " + cmd.Use
			return fmt.Errorf("got %s, want %q", plural(int64(len(args)), "argument", "arguments"), want)
		}
	}
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if err := a.excluded(cmd); err != nil {
				return err
			}
			*started = true
			return run(cmd, args)
		}
	}
}

// exclude declares flags of which only one may be given.
func (a *app) exclude(c *cobra.Command, flags ...string) {
	a.exclusions[c] = append(a.exclusions[c], flags)
}

func (a *app) excluded(c *cobra.Command) error {
	for _, flags := range a.exclusions[c] {
		given := slices.DeleteFunc(slices.Clone(flags), func(name string) bool { return !c.Flags().Changed(name) })
		if len(given) > 1 {
			return fmt.Errorf("--%s and --%s exclude each other", given[0], given[1])
		}
	}
	return nil
}

// newRootCommand returns the command all others belong to.
func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "bucketlite",
		Short: "Work on a bucketlite store",
		Long: `Bucketlite keeps objects with typed fields and media blobs in buckets, all in one
SQLite file. This program works on the file directly, also while other programs have
it open; "bucketlite serve" serves it over HTTP.

--db or the variable BUCKETLITE_DB names the file; there is no default. --namespace
or BUCKETLITE_NAMESPACE names the namespace; it may be left out while the store has
only one.

Results go to standard output, as tables, or with --json as one JSON document, or
one a line from commands that list things. Messages go to standard error.

Exit codes:
` + exitCodesText() + `
Commands that delete ask first; "delete" and "patch" with a filter ask only if more
than 100 objects match. Without --yes they fail where they would ask, if standard input
or standard error is not a terminal.`,
		Example: `  export BUCKETLITE_DB=media.db
  bucketlite ns create production
  bucketlite bucket create videos --schema schema.json --unique-key video_id --policy upsert
  bucketlite put videos items.jsonl
  bucketlite query videos --filter '{"language": "en"}' --sort title`,
		Version:       thisBuild().Version,
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.ArbitraryArgs,
		RunE: subcommandExpected,
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.db, "db", os.Getenv("BUCKETLITE_DB"), "the store's `file` (BUCKETLITE_DB)")
	flags.StringVarP(&a.namespace, "namespace", "n", os.Getenv("BUCKETLITE_NAMESPACE"), "the namespace, by `name` or id (BUCKETLITE_NAMESPACE)")
	flags.BoolVar(&a.json, "json", false, "print JSON instead of tables")
	// The defaults come from the environment; help need not show them.
	flags.Lookup("db").DefValue, flags.Lookup("namespace").DefValue = "", ""

	for _, group := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Store", []*cobra.Command{newNamespaceCommand(a), newStatsCommand(a), newCheckCommand(a), newBackupCommand(a), newTaskCommand(a), newWatchCommand(a), newServeCommand(a)}},
		{"Buckets", []*cobra.Command{newBucketCommand(a), newIndexCommand(a), newBatchCommand(a), newValidateCommand(a), newExportCommand(a), newImportCommand(a), newSyncCommand(a)}},
		{"Objects", []*cobra.Command{newPutCommand(a), newPatchCommand(a), newGetCommand(a), newListCommand(a), newQueryCommand(a), newAggregateCommand(a), newDeleteCommand(a)}},
	} {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title + ":"})
		for _, c := range group.commands {
			c.GroupID = group.title
			root.AddCommand(c)
		}
	}
	root.AddCommand(newVersionCommand(a))
	a.complete(root)
	return root
}

// subcommandExpected runs a command that only groups others.
func subcommandExpected(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	err := fmt.Errorf("unknown command %q", args[0])
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("%w; did you mean %q?", err, near[0])
	}
	return &usageError{err: err, command: cmd.CommandPath()}
}

// group returns a command that only groups others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs, RunE: subcommandExpected}
	c.AddCommand(commands...)
	return c
}
