// Quickstart does the main things bucketlite is for, on real data, and tells
// what it does.
//
//	go run ./examples/quickstart                              the whole story, in a temporary file
//	go run ./examples/quickstart -db media.db                 the same, and keep the file
//	go run ./examples/quickstart -data items.jsonl -db media.db   load a file of your own
package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/bucketlite/bucketlite"
)

//go:embed data
var data embed.FS

const usage = `Quickstart shows what bucketlite does, on media items of the National Gallery of
Art's open data. Without flags it works in a temporary file.

Usage: quickstart [-db FILE] [-data FILE]

  -db FILE    keep the store in FILE; it is created if it does not exist
  -data FILE  load FILE, one JSON object a line, in the form of data/items.jsonl,
              instead of telling the story; lines that are refused are reported
              with their numbers, and the exit status is then 1
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// run is main, so that it can be tested.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error says it all
	db := flags.String("db", "", "keep the store in `FILE`")
	dataFile := flags.String("data", "", "load `FILE` instead of telling the story")
	err = flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		_, err = io.WriteString(stdout, usage)
		return err
	}
	if err != nil {
		return fmt.Errorf("%w; -h tells what there is", err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}

	path := *db
	if path == "" {
		dir, err := os.MkdirTemp("", "bucketlite-quickstart-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		path = filepath.Join(dir, "quickstart.db")
	}
	store, err := bucketlite.Open(ctx, path, nil) // nil: the safe defaults
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	q := &quickstart{report: report{w: stdout}, store: store, path: path, keep: *db != "", progress: stderr}
	if *dataFile != "" {
		err = q.loadFile(ctx, *dataFile)
	} else {
		err = q.story(ctx)
	}
	return errors.Join(err, q.err)
}

// quickstart is one run.
type quickstart struct {
	report
	store    *bucketlite.Store
	path     string
	keep     bool
	progress io.Writer // hears how far a long load has come

	namespace *bucketlite.Namespace
	media     *bucketlite.Bucket
	releases  *bucketlite.Bucket
	photo     *bucketlite.Object // an item that was given a photo
}

// story runs all chapters. Each checks that what it tells is so.
func (q *quickstart) story(ctx context.Context) error {
	q.printf("Media items of the National Gallery of Art's open data (CC0), in one SQLite file:\n%s\n", q.path)
	for _, chapter := range []func(context.Context) error{
		q.create, q.loadTwice, q.attach, q.upload, q.process, q.refuse, q.dates, q.conflict, q.find, q.group, q.lifecycle, q.statistics, q.readBack, q.delete,
	} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	if q.keep {
		q.printf("\nThe store stays in %s. Run this again: items are replaced, none is doubled.\n", q.path)
	} else {
		q.printf("\nThe store was temporary and is removed now; -db FILE keeps it.\n")
	}
	return nil
}

// loadFile loads a whole file and prints the result of its lines.
func (q *quickstart) loadFile(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := q.open(ctx); err != nil {
		return err
	}
	q.printf("Loading %s into %s, %s\n\n", name, q.path, q.media)
	const shown = 20
	refused := 0
	l := &loader{bucket: q.media, progress: q.progress, refuse: func(line int, err error) {
		if refused++; refused <= shown {
			q.printf("line %d: %s\n", line, reasons(err))
		} else if refused == shown+1 {
			q.printf("… more lines were refused; they are counted below\n")
		}
	}}
	start := time.Now()
	sum, err := l.load(ctx, f)
	took := time.Since(start)
	if refused > 0 {
		q.printf("\n")
	}
	stats, e := q.media.Stats(context.WithoutCancel(ctx))
	if e != nil {
		return errors.Join(err, e)
	}
	q.table(sum.rows(filepath.Base(name), stats)...)
	if err != nil {
		return fmt.Errorf("%w; what was stored by then stays", err)
	}
	q.printf("\nTook %v. ", took.Round(time.Millisecond))
	if q.keep {
		q.printf("The store stays in %s.\n", q.path)
	} else {
		q.printf("The store was temporary and is removed now; -db FILE keeps it.\n")
	}
	if sum.refused > 0 {
		return fmt.Errorf("%s of %s lines refused", count(sum.refused), count(sum.lines))
	}
	return nil
}

// open finds the namespace and the bucket for the items, or creates them.
func (q *quickstart) open(ctx context.Context) (err error) {
	q.namespace, err = q.store.Namespace(ctx, "gallery")
	if errors.Is(err, bucketlite.ErrNotFound) {
		q.namespace, err = q.store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "gallery"})
	}
	if err != nil {
		return err
	}
	q.media, err = q.bucket(ctx, mediaBucket())
	return err
}

// bucket finds a bucket by its name, or creates it.
func (q *quickstart) bucket(ctx context.Context, config bucketlite.BucketConfig) (*bucketlite.Bucket, error) {
	b, err := q.namespace.Bucket(ctx, config.Name)
	if errors.Is(err, bucketlite.ErrNotFound) {
		b, err = q.namespace.CreateBucket(ctx, config)
	}
	return b, err
}

// items returns the sample, line by line.
func items() io.Reader { return bytes.NewReader(file("items.jsonl")) }

// file returns one of the files of the sample.
func file(name string) []byte {
	content, err := data.ReadFile("data/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return content
}
