package main

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

// objectFlags are the flags that describe one object.
type objectFlags struct {
	object        string
	fields, blobs []string
	expires       string
	version       int64

	open []*os.File
}

func (f *objectFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&f.fields, "field", nil, "a field of one object, as `name=value`; may be repeated")
	flags.StringVar(&f.object, "object", "", "one object, as `JSON`; @FILE reads it from a file")
	flags.StringArrayVar(&f.blobs, "file", nil, "a file of one object, as `property=path`; may be repeated")
	flags.StringVar(&f.expires, "expires", "", "delete one object after a `time`, as 2h or 30d, or at one, as 2030-01-31T12:00:00Z; never removes the time")
	flags.Int64Var(&f.version, "if-version", 0, "change one object only if it has this `version`")
}

// given reports whether the flags describe an object.
func (f *objectFlags) given(c *cobra.Command) bool {
	return c.Flags().Changed("field") || c.Flags().Changed("object") || c.Flags().Changed("file") || f.expires != ""
}

// input returns the object that the flags describe. The caller closes its files.
func (f *objectFlags) input(ctx context.Context, a *app, b *bucketlite.Bucket) (in bucketlite.ObjectInput, err error) {
	if f.object != "" {
		text, err := a.argument(ctx, f.object)
		if err != nil {
			return in, err
		}
		if err := in.UnmarshalJSON(text); err != nil {
			return in, &located{"--object", err}
		}
	}
	schema, err := schemaOf(ctx, b)
	if err != nil {
		return in, err
	}
	fields, err := fieldValues("--field", schema, f.fields)
	if err != nil {
		return in, err
	}
	if in.Fields == nil {
		in.Fields = fields
	} else {
		maps.Copy(in.Fields, fields)
	}
	if f.expires != "" {
		if err := setExpiry(&in, f.expires); err != nil {
			return in, err
		}
	}
	for _, pair := range f.blobs {
		property, path, ok := strings.Cut(pair, "=")
		if !ok || property == "" || path == "" {
			return in, usagef("--file: property=path expected, got %q", pair)
		}
		file, err := os.Open(path)
		if err != nil {
			return in, err
		}
		f.open = append(f.open, file)
		in.Blobs = append(in.Blobs, bucketlite.BlobInput{Property: property, Reader: file, Filename: filepath.Base(path)})
	}
	return in, nil
}

func (f *objectFlags) close() {
	for _, file := range f.open {
		file.Close()
	}
}

// object returns the object that args or the values of a unique key name.
func (a *app) object(ctx context.Context, b *bucketlite.Bucket, args, key []string) (*bucketlite.Object, error) {
	if (len(args) == 0) == (len(key) == 0) {
		return nil, usagef("either an object's ID or --key expected")
	}
	if len(args) > 0 {
		return b.Object(ctx, args[0])
	}
	schema, err := schemaOf(ctx, b)
	if err != nil {
		return nil, err
	}
	values, err := fieldValues("--key", schema, key)
	if err != nil {
		return nil, err
	}
	return b.ObjectByKey(ctx, values)
}
