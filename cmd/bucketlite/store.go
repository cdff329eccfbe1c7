package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

// access is a command's use of the store's file.
type access int

const (
	toRead   access = iota // the file must exist
	toWrite                // the file must exist
	toCreate               // the file is made if it does not exist
)

// withStore returns the function of a command: it runs f with the store open.
func (a *app) withStore(want access, f func(ctx context.Context, st *bucketlite.Store, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) (err error) {
		st, err := a.open(cmd.Context(), want, nil)
		if err != nil {
			return err
		}
		defer func() { err = join(err, st.Close()) }()
		return f(cmd.Context(), st, args)
	}
}

// withBucket is withStore for commands whose first argument is a bucket.
func (a *app) withBucket(want access, f func(ctx context.Context, b *bucketlite.Bucket, args []string) error) func(*cobra.Command, []string) error {
	return a.withStore(want, func(ctx context.Context, st *bucketlite.Store, args []string) error {
		b, err := a.bucket(ctx, st, args[0])
		if err != nil {
			return err
		}
		return f(ctx, b, args[1:])
	})
}

// open opens the store. Only toCreate makes a file: elsewhere a mistyped name would
// leave an empty store behind.
func (a *app) open(ctx context.Context, want access, opts *bucketlite.Options) (*bucketlite.Store, error) {
	if a.db == "" {
		return nil, usagef("no store is named: use --db FILE or the variable BUCKETLITE_DB")
	}
	if a.db == ":memory:" {
		return nil, usagef("--db: a file expected, got :memory:")
	}
	if opts == nil {
		opts = &bucketlite.Options{}
	}
	opts.ReadOnly = want == toRead
	if want != toCreate {
		info, err := os.Stat(a.db)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, &advised{fmt.Errorf("store %q: %w", a.db, bucketlite.ErrNotFound), `"bucketlite ns create" creates one`}
		case err != nil:
			return nil, err
		case info.IsDir():
			return nil, usagef("--db: a file expected, got the directory %q", a.db)
		}
	}
	st, err := bucketlite.Open(ctx, a.db, opts)
	if errors.Is(err, bucketlite.ErrOldFormat) {
		// Not done unasked: older programs could not open the file any more.
		err = &advised{err, `a command that writes does that, such as "bucketlite check --repair"`}
	}
	return st, err
}

// theNamespace returns the namespace that is named, or else the only one there is.
func (a *app) theNamespace(ctx context.Context, st *bucketlite.Store) (*bucketlite.Namespace, error) {
	if a.namespace != "" {
		return st.Namespace(ctx, a.namespace)
	}
	page, err := st.ListNamespaces(ctx, bucketlite.Query{Limit: 10})
	if err != nil {
		return nil, err
	}
	switch len(page.Results) {
	case 0:
		return nil, &advised{fmt.Errorf("the store has no namespace: %w", bucketlite.ErrNotFound), `"bucketlite ns create" creates one`}
	case 1:
		return st.Namespace(ctx, page.Results[0].ID)
	}
	names := ""
	for i, ns := range page.Results {
		if i > 0 {
			names += ", "
		}
		names += fmt.Sprintf("%q", ns.Name)
	}
	if page.Next != "" {
		names += ", …"
	}
	return nil, usagef("the store has several namespaces; name one with --namespace: %s", names)
}

func (a *app) bucket(ctx context.Context, st *bucketlite.Store, nameOrID string) (*bucketlite.Bucket, error) {
	ns, err := a.theNamespace(ctx, st)
	if err != nil {
		return nil, err
	}
	return ns.Bucket(ctx, nameOrID)
}

// join adds the error of closing to that of a command, unless it would only repeat it.
func join(err, closing error) error {
	if err == nil || closing == nil || errors.Is(err, closing) {
		return orElse(err, closing)
	}
	return errors.Join(err, closing)
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
