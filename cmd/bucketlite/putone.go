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
	version       int64

	open []*os.File
}

func (f *objectFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&f.fields, "field", nil, "a field of one object, as `name=value`; may be repeated")
	flags.StringVar(&f.object, "object", "", "one object, as `JSON`; @FILE reads it from a file")
	flags.StringArrayVar(&f.blobs, "file", nil, "a file of one object, as `property=path`; may be repeated")
	flags.Int64Var(&f.version, "if-version", 0, "change one object only if it has this `version`")
}

// given reports whether the flags describe an object.
func (f *objectFlags) given(c *cobra.Command) bool {
	return c.Flags().Changed("field") || c.Flags().Changed("object") || c.Flags().Changed("file")
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

func (a *app) putOne(ctx context.Context, b *bucketlite.Bucket, f *putFlags) error {
	defer f.close()
	in, err := f.input(ctx, a, b)
	if err != nil {
		return err
	}
	if f.id != "" {
		in.ID = f.id
	}
	res, err := b.Put(ctx, in, &bucketlite.PutOptions{Policy: bucketlite.Policy(f.policy), IfVersion: f.version})
	if err != nil {
		return err
	}
	done := struct {
		Created bool               `json:"created"`
		Object  *bucketlite.Object `json:"object"`
	}{res.Created, res.Object}
	return a.show(done, func(t *table) {
		if res.Created {
			t.row("created", res.Object.ID)
		} else {
			t.row("replaced", res.Object.ID)
		}
	})
}

func newPatchCommand(a *app) *cobra.Command {
	f := &objectFlags{}
	var key, removed []string
	c := &cobra.Command{
		Use:   "patch BUCKET [ID]",
		Short: "Change some fields or files of an object",
		Long: `Change some fields or files of an object, named by its id or by the values of its
unique key, and leave the others. A file takes the place of those of the same
property. --remove removes a field, or the files of a property.`,
		Example: `  bucketlite patch videos obj_01K3V3D0M8Y2W4Z6A8C0E2G4J6 --field title="Blue sneaker"
  bucketlite patch videos --key video_id=v1 --file video=new.mp4 --remove note`,
		Args: cobra.RangeArgs(1, 2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
	}
	f.add(c)
	c.Flags().StringArrayVar(&key, "key", nil, "a field of the unique key, as `name=value`; repeated for each")
	c.Flags().StringSliceVar(&removed, "remove", nil, "the `names` of fields and files to remove")
	c.RunE = a.withBucket(toWrite, func(ctx context.Context, b *bucketlite.Bucket, args []string) error {
		if !f.given(c) && len(removed) == 0 {
			return usagef("nothing to change: --field, --object, --file or --remove expected")
		}
		o, err := a.object(ctx, b, args, key)
		if err != nil {
			return err
		}
		defer f.close()
		in, err := f.input(ctx, a, b)
		if err != nil {
			return err
		}
		for _, name := range removed {
			if _, ok := in.Fields[name]; ok {
				return usagef("--remove: %q is set as well", name)
			}
			in.Fields[name] = nil
		}
		o, err = b.Patch(ctx, o.ID, in, &bucketlite.PatchOptions{IfVersion: f.version})
		if err != nil {
			return err
		}
		return a.show(o, func(t *table) { t.row("changed", o.ID) })
	})
	return c
}
