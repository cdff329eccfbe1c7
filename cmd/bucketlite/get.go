package main

import (
	"context"
	"io"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/tempfile"
	"github.com/spf13/cobra"
)

func newGetCommand(a *app) *cobra.Command {
	var key []string
	var property, output string
	c := &cobra.Command{
		Use:   "get BUCKET [ID]",
		Short: "Print an object, or the bytes of one of its blobs",
		Long: `Print an object as JSON, named by its id or by the values of its unique key.

With --blob, print the bytes of one of its blobs instead, or write them to the
file of --output, which gets its name when it is complete. Of several blobs of a
property it is the first; a blob's id names any of them.`,
		Example: `  bucketlite get videos obj_01K3V3D0M8Y2W4Z6A8C0E2G4J6
  bucketlite get videos --key video_id=v1
  bucketlite get videos --key video_id=v1 --blob video -o sneaker.mp4`,
		Args: cobra.RangeArgs(1, 2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
	}
	c.Flags().StringArrayVar(&key, "key", nil, "a field of the unique key, as `name=value`; repeated for each")
	c.Flags().StringVar(&property, "blob", "", "print the bytes of the blob of this `property`, or with this id")
	c.Flags().StringVarP(&output, "output", "o", "", "write the bytes to a `file`; - is standard output")
	c.RunE = a.withBucket(toRead, func(ctx context.Context, b *bucketlite.Bucket, args []string) error {
		if output != "" && property == "" {
			return usagef("--output is for the bytes of a blob: --blob expected as well")
		}
		if property != "" && (output == "" || output == "-") && a.json {
			return usagef("--json and bytes on standard output exclude each other: --output FILE expected")
		}
		if property != "" && output == "" && a.screen {
			return usagef("bytes are not for a terminal: --output FILE expected, or - to print them nevertheless")
		}
		o, err := a.object(ctx, b, args, key)
		if err != nil {
			return err
		}
		if property == "" {
			return a.document(o)
		}
		return a.getBlob(ctx, b, o.ID, property, output)
	})
	return c
}

func (a *app) getBlob(ctx context.Context, b *bucketlite.Bucket, id, property, output string) error {
	r, err := b.OpenBlob(ctx, id, property)
	if err != nil {
		return err
	}
	defer r.Close()
	if output == "" || output == "-" {
		_, err := io.Copy(a.out, r)
		return err
	}
	bar := a.progress("writing", r.Size(), inBytes)
	defer bar.end()
	err = tempfile.WriteFile(output, func(f io.Writer) error {
		_, err := io.Copy(io.MultiWriter(f, &barWriter{bar: bar}), r)
		return err
	})
	if err != nil {
		return err
	}
	if a.json {
		return a.line(r.Blob())
	}
	a.note("wrote %s, %v", output, size(r.Size()))
	return nil
}

// barWriter shows on a bar how much has been written to it.
type barWriter struct {
	bar  *progress
	done int64
}

func (w *barWriter) Write(p []byte) (int, error) {
	w.done += int64(len(p))
	w.bar.set(w.done)
	return len(p), nil
}
