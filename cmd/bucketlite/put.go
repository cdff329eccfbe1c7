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

// putFlags are the flags of put.
type putFlags struct {
	policy, resume, files string

	object, id    string
	fields, blobs []string
	version       int64
}

func newPutCommand(a *app) *cobra.Command {
	f := &putFlags{}
	c := &cobra.Command{
		Use:   "put BUCKET [FILE]",
		Short: "Put objects, from lines of JSON or one with its files",
		Long: `Put objects into a bucket.

Without flags the objects come as lines of JSON, from FILE or standard input. A
line that is refused is told with its number and harms no other; the exit code
is 4 then. With --files DIR a blob of a line may be {"property": …, "file": …}:
the file below DIR is stored.

A load that was interrupted can be run again. With a unique key and the policy
upsert nothing is doubled by that. Without, use --resume STATE from the beginning:
what has been stored is noted in STATE after every commit, a second run goes on
after it, and a line is never stored twice. The input must be the same, or have
more lines at its end.

With --field, --object or --file it is one object: its fields are given by
--object and --field, where the schema says whether a value is text or JSON, and
its blobs are files. Without --file, an object that is replaced keeps its blobs.`,
		Example: `  bucketlite put videos items.jsonl
  bucketlite put videos items.jsonl --resume items.state
  generate | bucketlite put videos --policy insert
  bucketlite put videos --field video_id=v1 --field title="Red sneaker" --file video=sneaker.mp4`,
		Args: cobra.RangeArgs(1, 2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveDefault),
	}
	flags := c.Flags()
	flags.StringVar(&f.policy, "policy", "", "what to do when a unique key is taken or free, a `policy`: insert, update or upsert; default: the bucket's")
	flags.StringVar(&f.resume, "resume", "", "keep the state of the load in a `file`, and go on from there")
	flags.StringVar(&f.files, "files", "", "the `directory` below which the lines' files are")
	flags.StringArrayVar(&f.fields, "field", nil, "a field of one object, as `name=value`; may be repeated")
	flags.StringVar(&f.object, "object", "", "one object, as `JSON`")
	flags.StringArrayVar(&f.blobs, "file", nil, "a file of one object, as `property=path`; may be repeated")
	flags.StringVar(&f.id, "id", "", "the `id` of one object; default: a new one, or that of the object with its key")
	flags.Int64Var(&f.version, "if-version", 0, "replace one object only if it has this `version`")
	c.RegisterFlagCompletionFunc("policy", cobra.FixedCompletions(policies, cobra.ShellCompDirectiveNoFileComp))
	c.MarkFlagDirname("files")
	for _, lines := range []string{"resume", "files"} {
		for _, one := range []string{"field", "object", "file", "id", "if-version"} {
			a.exclude(c, lines, one)
		}
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		one := flags.Changed("field") || flags.Changed("object") || flags.Changed("file")
		switch {
		case one && len(args) > 1:
			return usagef("either a file of lines or one object is put, not both")
		case !one && (f.id != "" || f.version != 0):
			return usagef("--id and --if-version are for one object: --field, --object or --file expected as well")
		case !one && len(args) == 1 && isTerminal(a.in):
			return usagef("no FILE, and standard input is a terminal: what is to be put? \"-\" reads it nevertheless")
		}
		return a.withBucket(toWrite, func(ctx context.Context, b *bucketlite.Bucket, args []string) error {
			if one {
				return a.putOne(ctx, b, f)
			}
			name := "-"
			if len(args) > 0 {
				name = args[0]
			}
			return a.putLines(ctx, b, f, name)
		})(cmd, args)
	}
	return c
}

func (a *app) putLines(ctx context.Context, b *bucketlite.Bucket, f *putFlags, name string) error {
	l := &loader{app: a, bucket: b, policy: bucketlite.Policy(f.policy), source: sourceName(name)}
	in, err := a.openInput(ctx, name)
	if err != nil {
		return err
	}
	defer in.Close()
	if f.files != "" {
		if l.files, err = os.OpenRoot(f.files); err != nil {
			return err
		}
		defer l.files.Close()
	}
	if f.resume != "" {
		if l.resume, err = openResume(f.resume, b); err != nil {
			return err
		}
	}
	l.bar = a.progress("putting", fileSize(in), true)
	err = l.load(ctx, in)
	l.bar.end()
	return l.report(err)
}

func (a *app) putOne(ctx context.Context, b *bucketlite.Bucket, f *putFlags) error {
	var in bucketlite.ObjectInput
	if f.object != "" {
		if err := in.UnmarshalJSON([]byte(f.object)); err != nil {
			return &located{"--object", err}
		}
	}
	schema, err := schemaOf(ctx, b)
	if err != nil {
		return err
	}
	fields, err := fieldValues("--field", schema, f.fields)
	if err != nil {
		return err
	}
	if in.Fields == nil {
		in.Fields = fields
	} else {
		maps.Copy(in.Fields, fields)
	}
	if f.id != "" {
		in.ID = f.id
	}
	for _, pair := range f.blobs {
		property, path, ok := strings.Cut(pair, "=")
		if !ok || property == "" || path == "" {
			return usagef("--file: property=path expected, got %q", pair)
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		in.Blobs = append(in.Blobs, bucketlite.BlobInput{Property: property, Reader: file, Filename: filepath.Base(path)})
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

// sourceName is what messages call a file of input.
func sourceName(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}

// fileSize returns the size of a file, -1 if it has none.
func fileSize(v any) int64 {
	f, ok := v.(*os.File)
	if !ok {
		return -1
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return -1
	}
	return info.Size()
}
