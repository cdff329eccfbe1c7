package main

import (
	"cmp"
	"context"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/record"
	"github.com/spf13/cobra"
)

// textFlags say how to read a file of records.
type textFlags struct {
	format, delimiter, charset string
	keepEmpty                  bool
}

// formats are the forms of a file of records.
var formats = []string{"jsonl", "json", "csv", "tsv"}

func (f *textFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.format, "format", "", "the form of FILE: `jsonl|json|csv|tsv`; default: by its name, or by how it begins")
	flags.StringVar(&f.delimiter, "delimiter", "", "the `character` between the cells of a table; default: detected")
	flags.StringVar(&f.charset, "charset", "", "the `encoding` of a table: utf-8, utf-16le, utf-16be, windows-1252; default: detected")
	flags.BoolVar(&f.keepEmpty, "keep-empty", false, `in a table, "" in quotes is an empty text; default: an absent field`)
	c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

// form returns the form of a file, empty if its beginning decides.
func (f *textFlags) form(name string) string {
	known := record.FormOfName(name)
	switch {
	case f.format != "":
		return strings.ToLower(f.format)
	case known != "tsv" && f.isTable():
		return "csv"
	}
	return known
}

// source returns the records of a file.
func (f *textFlags) source(name string, r io.Reader) (none bucketlite.Source, err error) {
	comma, err := f.comma()
	if err != nil {
		return none, err
	}
	opts := &bucketlite.CSVOptions{Comma: comma, Charset: f.charset, KeepEmpty: f.keepEmpty}
	form := f.form(name)
	if form != "csv" && form != "tsv" && f.isTable() {
		return none, usagef("--delimiter, --charset and --keep-empty need a table")
	}
	switch form {
	case "csv":
		return bucketlite.CSV(r, opts), nil
	case "tsv":
		opts.Comma = cmp.Or(comma, '\t')
		return bucketlite.CSV(r, opts), nil
	case "jsonl":
		return bucketlite.JSONLines(r), nil
	case "json":
		return bucketlite.JSONArray(r), nil
	case "":
		return bucketlite.DetectSource(name, r), nil
	}
	return none, usagef("--format: got %q, want one of %s", f.format, strings.Join(formats, ", "))
}

// comma returns the delimiter, 0 if none is given.
func (f *textFlags) comma() (rune, error) {
	switch comma, size := utf8.DecodeRuneInString(f.delimiter); {
	case f.delimiter == "":
		return 0, nil
	case f.delimiter == `\t`:
		return '\t', nil
	case size == len(f.delimiter):
		return comma, nil
	}
	return 0, usagef("--delimiter: one character expected, got %q", f.delimiter)
}

// isTable reports whether a flag of tables is given.
func (f *textFlags) isTable() bool { return f.delimiter != "" || f.charset != "" || f.keepEmpty }

// unit is what messages call a record of the file.
func (f *textFlags) unit(name string) string {
	if form := f.form(name); form == "csv" || form == "tsv" {
		return "row"
	}
	return "line"
}

// isFolder reports whether a name is that of a directory.
func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// putFolder puts the files of a folder.
func (a *app) putFolder(ctx context.Context, b *bucketlite.Bucket, f *putFlags, name string) error {
	root, err := os.OpenRoot(name)
	if err != nil {
		return err
	}
	defer root.Close()
	opts, err := f.folder.options()
	if err != nil {
		return err
	}
	opts.TrustModified = f.trustTimes
	opts.Skipped = func(path, reason string) {
		switch reason {
		case "link":
			a.note("%s: skipped: a symbolic link", path)
		case "special":
			a.note("%s: skipped: a device, a socket or a pipe", path)
		}
	}
	return a.putSource(ctx, b, f, &load{source: name, one: "file"}, bucketlite.Folder(root.FS(), &opts), -1)
}
