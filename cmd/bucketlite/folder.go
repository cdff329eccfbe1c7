package main

import (
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/picture"
	"github.com/spf13/cobra"
)

// folderFlags are the flags of commands that read the files of a folder.
type folderFlags struct {
	include, exclude, facts []string
	hidden                  bool
	property                string
}

func (f *folderFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&f.include, "include", nil, "only files that fit a `pattern`, such as '*.jpg' or '2024/**'; repeated for each")
	flags.StringArrayVar(&f.exclude, "exclude", nil, "no files or folders that fit a `pattern`; repeated for each")
	flags.BoolVar(&f.hidden, "hidden", false, "also files and folders whose names begin with a dot")
	flags.StringVar(&f.property, "property", "", "the `property` that gets the bytes; default: the one of a type that takes them")
	flags.StringArrayVar(&f.facts, "fact", nil, "the fact about a file that a field gets, as `field=fact`, such as title=name; repeated for each")
}

// given reports whether one of the flags is given.
func (f *folderFlags) given() bool {
	return f.include != nil || f.exclude != nil || f.facts != nil || f.hidden || f.property != ""
}

// options returns what the flags say.
func (f *folderFlags) options() (bucketlite.FolderOptions, error) {
	opts := bucketlite.FolderOptions{
		Include: f.include, Exclude: f.exclude, Hidden: f.hidden, Property: f.property,
		Facts: picture.Facts, Fields: make(map[string]string),
	}
	for _, pair := range f.facts {
		field, fact, ok := strings.Cut(pair, "=")
		if !ok || field == "" {
			return opts, usagef("--fact: field=fact expected, got %q", pair)
		}
		opts.Fields[field] = fact
	}
	return opts, nil
}
