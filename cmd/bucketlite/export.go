package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/tempfile"
	"github.com/spf13/cobra"
)

// exportFlags are the flags of export.
type exportFlags struct {
	queryFlags
	csv, lines, array, inline, overwrite bool
	columns                              []string
	escapeFormulas                       bool
}

func newExportCommand(a *app) *cobra.Command {
	f := &exportFlags{}
	c := &cobra.Command{
		Use:   "export BUCKET DIR | BUCKET --csv|--jsonl|--array [FILE]",
		Short: "Write a bucket's objects to a directory with their blobs, or to a file",
		Long: `Write a bucket's objects and the bytes of their blobs to a directory, for
"bucketlite import".

  bucketlite-export.json  the bucket's schema, key, indexes and limits, written last
  ` + objectsFile + `           the objects, one a line
  files/…                 the bytes of blobs, named by their SHA-256

A file gets its name when it is complete. An interrupted export can be run again; it
keeps the files that exist. A complete export is replaced only with --overwrite. An
object that changes meanwhile is written in its old or its new state; "bucketlite
backup" copies a snapshot.

With --csv, --jsonl or --array, write one text to FILE or standard output instead, for
"bucketlite put". It names the files of blobs and has no bytes of them, except with
--inline, which writes them into JSON. A table has a column for each declared field, and
"address.city" for a member of one. Text that begins with =, +, - or @ is written as it
is, and a spreadsheet may take it for a formula: --escape-formulas writes ' before it.`,
		Example: `  bucketlite export videos ./videos
  bucketlite export videos ./english --where 'language = "en"'
  bucketlite export videos --csv videos.csv --columns video_id,title
  bucketlite export videos --jsonl --inline | gzip > videos.jsonl.gz`,
		Args: cobra.RangeArgs(1, 2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveDefault),
	}
	f.addFilter(a, c)
	flags := c.Flags()
	flags.BoolVar(&f.csv, "csv", false, "write a table with a header")
	flags.BoolVar(&f.lines, "jsonl", false, "write JSON lines")
	flags.BoolVar(&f.array, "array", false, "write one JSON array")
	flags.BoolVar(&f.inline, "inline", false, "write the bytes of blobs into the JSON, as base64")
	flags.StringSliceVar(&f.columns, "columns", nil, "the `fields` of a table, with commas; default: all that the schema declares")
	flags.BoolVar(&f.escapeFormulas, "escape-formulas", false, "write ' before texts of a table that a spreadsheet would evaluate")
	flags.BoolVar(&f.overwrite, "overwrite", false, "replace an existing export; its files stay")
	c.MarkFlagsMutuallyExclusive("csv", "jsonl", "array")
	c.RunE = a.withBucket(toRead, func(ctx context.Context, b *bucketlite.Bucket, args []string) error {
		q, err := f.query(ctx, a)
		if err != nil {
			return err
		}
		format, text := f.format()
		opts := &bucketlite.ExportOptions{Query: q, Format: format, Columns: f.columns, Inline: f.inline, Overwrite: f.overwrite, EscapeFormulas: f.escapeFormulas}
		switch {
		case text && f.overwrite:
			return usagef("--overwrite is for directories: a file is always replaced")
		case text:
			return a.exportText(ctx, b, opts, append(args, "-")[0])
		case len(args) == 0:
			return usagef("DIR is missing, or --csv, --jsonl or --array")
		}
		return a.exportDir(ctx, b, opts, args[0])
	})
	return c
}

// format returns the form of a text, and false for a directory.
func (f *exportFlags) format() (bucketlite.ExportFormat, bool) {
	switch {
	case f.csv:
		return bucketlite.ExportCSV, true
	case f.lines:
		return bucketlite.ExportLines, true
	case f.array:
		return bucketlite.ExportArray, true
	}
	return "", false
}

// exportProgress shows a bar for the objects of a bucket.
func (a *app) exportProgress(ctx context.Context, b *bucketlite.Bucket, opts *bucketlite.ExportOptions) (*progress, error) {
	info, err := b.Info(ctx)
	if err != nil {
		return nil, err
	}
	bar := a.progress("exporting", max(info.ObjectCount, 1), inNumbers)
	opts.Progress = bar.set
	return bar, nil
}

// exportDir exports to a directory.
func (a *app) exportDir(ctx context.Context, b *bucketlite.Bucket, opts *bucketlite.ExportOptions, dir string) error {
	bar, err := a.exportProgress(ctx, b, opts)
	if err != nil {
		return err
	}
	m, err := b.ExportDir(ctx, dir, opts)
	bar.end()
	if errors.Is(err, bucketlite.ErrExists) && strings.Contains(err.Error(), "complete") {
		err = &advised{err, "--overwrite replaces it"}
	}
	if err != nil {
		return err
	}
	done := struct {
		*bucketlite.ExportManifest
		Dir string `json:"directory"`
	}{m, dir}
	return a.show(done, func(t *table) {
		t.row("exported to", dir)
		t.row("objects", m.Objects)
		t.row("files", m.Files)
		t.row("bytes of files", size(m.FileBytes))
	})
}

// exportText exports to a file, or to standard output without a report.
func (a *app) exportText(ctx context.Context, b *bucketlite.Bucket, opts *bucketlite.ExportOptions, name string) error {
	var report *bucketlite.ExportReport
	write := func(w io.Writer) (err error) {
		bar, err := a.exportProgress(ctx, b, opts)
		if err == nil {
			report, err = b.Export(ctx, w, opts)
		}
		bar.end()
		return err
	}
	var err error
	if name == "-" {
		err = write(a.out)
	} else {
		err = tempfile.WriteFile(name, write)
	}
	if err != nil {
		return err
	}
	if report.Partial > 0 {
		a.note("%s not complete in the table: it has no column for some of their members", plural(report.Partial, "object is", "objects are"))
	}
	if name == "-" {
		return nil
	}
	done := struct {
		*bucketlite.ExportReport
		File string `json:"file"`
	}{report, name}
	return a.show(done, func(t *table) {
		t.row("exported to", name)
		t.row("objects", report.Objects)
	})
}
