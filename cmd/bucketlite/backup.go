package main

import (
	"context"
	"os"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newBackupCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the store to a new file",
		Long: `Copy a snapshot of the store to a new file, which is a store too. Other programs may
write meanwhile. An existing file is not replaced. If the copy fails, nothing is left
behind.`,
		Example: "  bucketlite backup media-2026-11-28.db --db media.db",
		Args:    cobra.ExactArgs(1),
		RunE: a.withStore(toRead, func(ctx context.Context, st *bucketlite.Store, args []string) error {
			bar := a.progress("copying", -1, inBytes)
			err := st.Backup(ctx, args[0], &bucketlite.BackupOptions{Progress: bar.of})
			bar.end()
			if err != nil {
				return err
			}
			info, err := os.Stat(args[0])
			if err != nil {
				return err
			}
			done := map[string]any{"file": args[0], "file_bytes": info.Size()}
			return a.show(done, func(t *table) { t.row("copied to", args[0]); t.row("size", size(info.Size())) })
		}),
	}
}
