package main

import (
	"context"
	"fmt"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newNamespaceCommand(a *app) *cobra.Command {
	c := group("ns", "Create, list, update and delete namespaces",
		newNamespaceCreateCommand(a), newNamespaceListCommand(a), newNamespaceGetCommand(a),
		newNamespaceUpdateCommand(a), newNamespaceDeleteCommand(a))
	c.Aliases = []string{"namespace"}
	return c
}

func newNamespaceCreateCommand(a *app) *cobra.Command {
	var config bucketlite.NamespaceConfig
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a namespace, and the store's file if it does not exist",
		Example: `  bucketlite ns create production --db media.db
  bucketlite ns create tests --description "results of the nightly run"`,
		Args: cobra.ExactArgs(1),
		RunE: a.withStore(toCreate, func(ctx context.Context, st *bucketlite.Store, args []string) error {
			config.Name = args[0]
			ns, err := st.CreateNamespace(ctx, config)
			if err != nil {
				return err
			}
			return a.showNamespace(ctx, ns)
		}),
	}
	c.Flags().StringVar(&config.Description, "description", "", "a description for people")
	return c
}

func newNamespaceListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short:   "List the namespaces",
		Example: "  bucketlite ns list --db media.db",
		Args:    cobra.NoArgs,
		RunE: a.withStore(toRead, func(ctx context.Context, st *bucketlite.Store, _ []string) error {
			return list(a, st.Namespaces(ctx, bucketlite.Query{}), []any{"NAME", "ID", "BUCKETS", "OBJECTS", "CREATED"},
				func(ns *bucketlite.NamespaceInfo) []any {
					return []any{ns.Name, ns.ID, ns.BucketCount, ns.ObjectCount, ns.CreatedAt}
				})
		}),
	}
}

func newNamespaceGetCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "get [NAME|ID]",
		Short:   "Show a namespace",
		Example: "  bucketlite ns get production",
		Args:    cobra.MaximumNArgs(1), ValidArgsFunction: a.completeNamespace(),
		RunE: a.withNamespace(toRead, a.showNamespace),
	}
}

func newNamespaceUpdateCommand(a *app) *cobra.Command {
	var name, description string
	c := &cobra.Command{
		Use:     "update [NAME|ID]",
		Short:   "Change a namespace's name or description",
		Example: "  bucketlite ns update production --name live",
		Args:    cobra.MaximumNArgs(1), ValidArgsFunction: a.completeNamespace(),
	}
	c.Flags().StringVar(&name, "name", "", "the new name")
	c.Flags().StringVar(&description, "description", "", "the new description")
	c.RunE = a.withNamespace(toWrite, func(ctx context.Context, ns *bucketlite.Namespace) error {
		var u bucketlite.NamespaceUpdate
		if c.Flags().Changed("name") {
			u.Name = &name
		}
		if c.Flags().Changed("description") {
			u.Description = &description
		}
		if u.Name == nil && u.Description == nil {
			return usagef("nothing to change: --name or --description expected")
		}
		if _, err := ns.Update(ctx, u); err != nil {
			return err
		}
		return a.showNamespace(ctx, ns)
	})
	return c
}

func newNamespaceDeleteCommand(a *app) *cobra.Command {
	var yes, leave bool
	c := &cobra.Command{
		Use:   "delete NAME|ID",
		Short: "Delete a namespace with all its buckets and objects",
		Long: `Delete a namespace with all its buckets and objects. It cannot be undone. A
namespace with a locked bucket is not deleted.`,
		Example: "  bucketlite ns delete tests --yes",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: a.completeNamespace(),
		RunE: a.withStore(toWrite, func(ctx context.Context, st *bucketlite.Store, args []string) error {
			ns, err := st.Namespace(ctx, args[0])
			if err != nil {
				return err
			}
			info, err := ns.Info(ctx)
			if err != nil {
				return err
			}
			err = a.confirm(ctx, yes, fmt.Sprintf("Delete namespace %q with %s and %s?", info.Name,
				plural(info.BucketCount, "bucket", "buckets"), plural(info.ObjectCount, "object", "objects")))
			if err != nil {
				return err
			}
			task, err := ns.Delete(ctx)
			if err != nil {
				return err
			}
			return a.finish(ctx, st, task, leave)
		}),
	}
	deletionFlags(c, &yes, &leave)
	return c
}

// withNamespace is withStore for commands whose argument is a namespace, or that
// are about the one --namespace says.
func (a *app) withNamespace(want access, f func(context.Context, *bucketlite.Namespace) error) func(*cobra.Command, []string) error {
	return a.withStore(want, func(ctx context.Context, st *bucketlite.Store, args []string) error {
		if len(args) > 0 {
			a.namespace = args[0]
		}
		ns, err := a.theNamespace(ctx, st)
		if err != nil {
			return err
		}
		return f(ctx, ns)
	})
}

func (a *app) showNamespace(ctx context.Context, ns *bucketlite.Namespace) error {
	info, err := ns.Info(ctx)
	if err != nil {
		return err
	}
	return a.show(info, func(t *table) {
		t.row("name", info.Name)
		t.row("id", info.ID)
		t.row("description", info.Description)
		t.row("buckets", info.BucketCount)
		t.row("objects", info.ObjectCount)
		t.row("created", info.CreatedAt)
		t.row("updated", info.UpdatedAt)
	})
}
