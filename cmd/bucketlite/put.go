package main

import (
	"context"
	"errors"
	"os"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

// putFlags are the flags of put.
type putFlags struct {
	objectFlags
	policy, resume, files, id string
	maxRefused                int64
	text                      textFlags
	folder                    folderFlags
	trustTimes                bool
}

func newPutCommand(a *app) *cobra.Command {
	f := &putFlags{}
	c := &cobra.Command{
		Use:   "put BUCKET [FILE|DIR]",
		Short: "Put objects from JSON, a table or a folder, or one object with its files",
		Long: `Put objects into a bucket.

Without flags, read objects from FILE or standard input, and store them a thousand at a
time: lines of JSON, a JSON array, or a table (.csv, .tsv) whose header names fields. A
refused record is reported with its line and does not affect the others; the exit code
is then 4. With --files DIR a blob of a line may be {"property": …, "file": …}, and a
cell of a file field a path, which stores the file below DIR.

From a folder, put an object for each file. Fields named path, name, dir, album, size,
modified, sha256, and for pictures width, height, taken, camera, latitude, longitude get
these facts. If path is the unique key, a file that is unchanged is left alone, and
one that has changed gets its new content and keeps its other fields. Links are not
followed.

An interrupted load can be run again. With a unique key and the policy upsert,
nothing is stored twice. Otherwise use --resume STATE from the beginning: STATE
records the position after every commit, and a second run continues there. The input
must be the same, or have more lines at its end.

If the bucket does not exist, put offers to create it with a schema made from the data, as
"bucketlite bucket create --infer" does.

With --field, --object or --file, put one object. --object and --field give its
fields; the schema decides whether a value of --field is text or JSON. --file gives
its blobs. Without --file, an object that is replaced keeps its blobs.`,
		Example: `  bucketlite put videos items.jsonl
  bucketlite put videos items.jsonl --resume items.state
  generate | bucketlite put videos --policy insert
  bucketlite put items data.csv
  bucketlite put photos ./Pictures --include '*.jpg' --exclude trash
  bucketlite put videos --field video_id=v1 --field title="Red sneaker" --file video=sneaker.mp4`,
		Args: cobra.RangeArgs(1, 2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveDefault),
	}
	flags := c.Flags()
	flags.StringVar(&f.policy, "policy", "", "what to do when a unique key is taken or free: `insert|update|upsert`; default: the bucket's")
	flags.StringVar(&f.resume, "resume", "", "record the position of the load in a `file`, and continue from there")
	flags.StringVar(&f.files, "files", "", "the `directory` of the files that lines name")
	flags.Int64Var(&f.maxRefused, "max-refused", 0, "stop when more than this `number` of records are refused; default: never")
	f.text.add(c)
	f.folder.add(c)
	flags.BoolVar(&f.trustTimes, "trust-times", false, "do not read files whose size and modification time are those of the object")
	f.add(c)
	flags.StringVar(&f.id, "id", "", "the `id` of one object; default: a new one, or that of the object with its key")
	c.RegisterFlagCompletionFunc("policy", cobra.FixedCompletions(policies, cobra.ShellCompDirectiveNoFileComp))
	c.MarkFlagDirname("files")
	for _, lines := range []string{"resume", "files", "format", "max-refused", "include"} {
		for _, one := range []string{"field", "object", "file", "id", "if-version"} {
			a.exclude(c, lines, one)
		}
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		one := f.given(c)
		switch {
		case one && len(args) > 1:
			return usagef("FILE, and the flags of one object, exclude each other")
		case !one && (f.id != "" || f.version != 0):
			return usagef("--id and --if-version need --field, --object or --file")
		case !one && len(args) == 1 && isTerminal(a.in):
			return usagef("FILE is missing, and standard input is a terminal; \"-\" reads from it")
		}
		return a.withStore(toWrite, func(ctx context.Context, st *bucketlite.Store, args []string) error {
			name := "-"
			if len(args) > 1 {
				name = args[1]
			}
			b, err := a.bucket(ctx, st, args[0])
			if errors.Is(err, bucketlite.ErrNotFound) && !one {
				b, err = a.offer(ctx, st, args[0], name, f.text, err)
			}
			if err != nil {
				return err
			}
			if one {
				return a.putOne(ctx, b, f)
			}
			switch folder := isFolder(name); {
			case folder && (f.files != "" || f.text.format != "" || f.text.isTable()):
				return usagef("%s is a folder, so --files, --format and the flags of tables have no effect", name)
			case folder:
				return a.putFolder(ctx, b, f, name)
			case f.folder.given() || f.trustTimes:
				return usagef("--include, --exclude, --hidden, --property, --fact and --trust-times need a folder")
			}
			return a.putFile(ctx, b, f, name)
		})(cmd, args)
	}
	return c
}

// maxLine bounds a line: fields and inline blobs of the largest useful size, as
// the library reads them.
const maxLine = 256 << 20

func (a *app) putFile(ctx context.Context, b *bucketlite.Bucket, f *putFlags, name string) (err error) {
	in, err := a.openInput(ctx, name)
	if err != nil {
		return err
	}
	defer in.Close()
	source, err := f.text.source(name, in)
	if err != nil {
		return err
	}
	l := &load{source: sourceName(name), one: f.text.unit(name)}
	total := fileSize(in)
	if f.files != "" {
		root, err := os.OpenRoot(f.files)
		if err != nil {
			return err
		}
		defer root.Close()
		l.opts.Files = root.FS()
		total = -1 // nobody knows how much the files have
	}
	return a.putSource(ctx, b, f, l, source, total)
}

// putSource puts the records of a source.
func (a *app) putSource(ctx context.Context, b *bucketlite.Bucket, f *putFlags, l *load, source bucketlite.Source, total int64) (err error) {
	l.app, l.bucket = a, b
	l.opts.Policy, l.opts.MaxLineBytes, l.opts.MaxRefused = bucketlite.Policy(f.policy), maxLine, f.maxRefused
	if f.resume != "" {
		if l.resume, err = openResume(f.resume, b); err != nil {
			return err
		}
	}
	l.bar = a.progress("putting", total, inBytes)
	return l.print(l.run(ctx, source))
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
