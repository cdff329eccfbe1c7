package main

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newImportCommand(a *app) *cobra.Command {
	var create, newIDs bool
	var policy string
	c := &cobra.Command{
		Use:   "import BUCKET DIR",
		Short: "Put the objects and blobs of an export into a bucket",
		Long: `Put the objects and blobs of the export in DIR into a bucket. Objects keep their ids,
so an interrupted import can be run again: equal objects are left alone. Blobs get
new ids. Objects get new times and versions, and are drafts until they are processed.

An existing object that differs is replaced if it has the same unique key, and
refused otherwise. Files are read only below DIR, and their hashes are compared.`,
		Example: `  bucketlite import videos ./videos --create
  bucketlite import copies ./videos --new-ids`,
		Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveFilterDirs),
	}
	flags := c.Flags()
	flags.BoolVar(&create, "create", false, "create the bucket as exported, if it does not exist")
	flags.BoolVar(&newIDs, "new-ids", false, "give the objects new ids")
	flags.StringVar(&policy, "policy", "", "what to do when a unique key is taken or free: `insert|update|upsert`; default: upsert")
	c.RegisterFlagCompletionFunc("policy", cobra.FixedCompletions(policies, cobra.ShellCompDirectiveNoFileComp))
	c.RunE = func(cmd *cobra.Command, args []string) (err error) {
		ctx := cmd.Context()
		root, err := os.OpenRoot(args[1])
		if err != nil {
			return err
		}
		defer root.Close()
		m, err := bucketlite.ReadManifest(root.FS())
		if err != nil {
			return &located{args[1], err}
		}
		st, err := a.open(ctx, toWrite, nil)
		if err != nil {
			return err
		}
		defer func() { err = join(err, st.Close()) }()
		b, err := a.importBucket(ctx, st, args[0], m, create)
		if err != nil {
			return err
		}
		if policy == "" {
			policy = string(bucketlite.Upsert)
		}
		total := m.FileBytes
		if info, err := fs.Stat(root.FS(), objectsFile); err == nil {
			total += info.Size()
		}
		l := &load{app: a, bucket: b, source: objectsFile, opts: bucketlite.ImportOptions{Policy: bucketlite.Policy(policy), NewIDs: newIDs, MaxLineBytes: maxLine}}
		l.bar = a.progress("importing", total, inBytes)
		return l.print(l.run(ctx, bucketlite.ExportedDir(root.FS())))
	}
	return c
}

// objectsFile is what an export calls its objects.
const objectsFile = "objects.jsonl"

// importBucket returns the bucket to import into. It is made only when that is
// asked for: elsewhere a mistyped name would make a new one.
func (a *app) importBucket(ctx context.Context, st *bucketlite.Store, name string, m *bucketlite.ExportManifest, create bool) (*bucketlite.Bucket, error) {
	ns, err := a.theNamespace(ctx, st)
	if err != nil {
		return nil, err
	}
	b, err := ns.Bucket(ctx, name)
	if !errors.Is(err, bucketlite.ErrNotFound) {
		return b, err
	}
	if !create {
		return nil, &advised{err, "--create makes it as exported"}
	}
	config := m.Bucket
	config.Name = name
	return ns.CreateBucket(ctx, config)
}
