package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/bom"
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
		m, err := readManifest(root, args[1])
		if err != nil {
			return err
		}
		fetch := &fileFetcher{root: root, blobs: map[string]fileBlob{}}
		st, err := a.open(ctx, toWrite, &bucketlite.Options{Fetcher: fetch})
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
		in, err := openRegular(root, objectsFile)
		if err != nil {
			return &located{args[1], err}
		}
		defer in.Close()
		l := &loader{
			app: a, bucket: b, policy: bucketlite.Policy(policy), source: objectsFile, files: root, fetch: fetch,
			prepare: func(ctx context.Context, line []byte, in *bucketlite.ObjectInput) (bool, error) {
				if newIDs {
					in.ID = ""
					return false, nil
				}
				return isStored(ctx, b, line, in.ID)
			},
		}
		l.bar = a.progress("importing", fileSize(in)+m.Bytes, inBytes)
		fetch.bar = l.bar
		err = l.load(ctx, in)
		l.bar.end()
		return l.report(err)
	}
	return c
}

// readManifest reads the manifest of an export.
func readManifest(root *os.Root, dir string) (*manifest, error) {
	f, err := openRegular(root, manifestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w: it has no %s, so it is not a complete export", dir, bucketlite.ErrNotFound, manifestFile)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := &manifest{}
	if err := json.NewDecoder(bom.NewReader(io.LimitReader(f, maxDocument))).Decode(m); err != nil {
		if !errors.Is(err, bucketlite.ErrInvalid) {
			err = fmt.Errorf("%w: %s", bucketlite.ErrInvalid, message(err))
		}
		return nil, &located{manifestFile, err}
	}
	if m.Format != exportFormat {
		return nil, &located{manifestFile, fmt.Errorf("%w: format %q, this version knows %q", bucketlite.ErrInvalid, m.Format, exportFormat)}
	}
	return m, nil
}

// importBucket returns the bucket to import into. It is made only when that is
// asked for: elsewhere a mistyped name would make a new one.
func (a *app) importBucket(ctx context.Context, st *bucketlite.Store, name string, m *manifest, create bool) (*bucketlite.Bucket, error) {
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

// isStored reports whether an object is stored just as its line says.
func isStored(ctx context.Context, b *bucketlite.Bucket, line []byte, id string) (bool, error) {
	if id == "" {
		return false, nil
	}
	o, err := b.Object(ctx, id)
	switch {
	case errors.Is(err, bucketlite.ErrNotFound), errors.Is(err, bucketlite.ErrBadRequest), errors.Is(err, bucketlite.ErrInvalid):
		return false, nil // putting it reports the error
	case err != nil:
		return false, err
	}
	stored, err := exportLine(o)
	return bytes.Equal(stored, bytes.TrimSpace(line)), err
}
