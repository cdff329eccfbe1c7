package main

import (
	"context"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newValidateCommand(a *app) *cobra.Command {
	f, text := &bucketFlags{}, &textFlags{}
	c := &cobra.Command{
		Use:   "validate BUCKET [FILE] | --schema FILE [FILE]",
		Short: "Validate JSON lines or a schema without storing anything",
		Long: `Validate JSON lines as put does, without storing anything: against the schema of a
bucket, or with --schema against a schema in a file, which needs no store. Without
lines, validate the schema alone. Rules that depend on stored objects, such as a
taken key, are not checked.`,
		Example: `  bucketlite validate videos items.jsonl
  bucketlite validate --schema schema.json --unique-key video_id
  bucketlite validate --schema schema.json items.jsonl --json`,
		Args: cobra.MaximumNArgs(2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveDefault),
	}
	f.add(c)
	text.add(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if f.schema != "" {
			return a.validateSchema(cmd.Context(), f, text, args)
		}
		switch {
		case len(args) == 0:
			return usagef("a bucket or --schema expected")
		case len(f.key) > 0 || f.policy != "":
			return usagef("--unique-key and --policy need --schema")
		case len(args) == 1 && isTerminal(a.in):
			return usagef("FILE is missing, and standard input is a terminal; \"-\" reads from it")
		}
		return a.withBucket(toRead, func(ctx context.Context, b *bucketlite.Bucket, args []string) error {
			return a.validateLines(ctx, b, text, append(args, "-")[0])
		})(cmd, args)
	}
	return c
}

// validateSchema checks a schema, and then lines against it in a store in memory.
func (a *app) validateSchema(ctx context.Context, f *bucketFlags, text *textFlags, args []string) (err error) {
	if len(args) > 1 {
		return usagef("--schema and BUCKET exclude each other, and there is at most one FILE")
	}
	if len(args) == 1 && args[0] == "-" && f.schema == "-" {
		return usagef("the schema and the lines cannot both come from standard input")
	}
	config, err := f.config(ctx, a, "schema")
	if err != nil {
		return err
	}
	if err := bucketlite.ValidateSchema(config.Schema, config.UniqueKey); err != nil {
		return err
	}
	if len(args) == 0 {
		return a.show(map[string]bool{"valid": true}, func(t *table) { t.row("the schema is valid") })
	}
	st, err := bucketlite.Open(ctx, ":memory:", nil)
	if err != nil {
		return err
	}
	defer func() { err = join(err, st.Close()) }()
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "validate"})
	if err != nil {
		return err
	}
	b, err := ns.CreateBucket(ctx, config)
	if err != nil {
		return err
	}
	return a.validateLines(ctx, b, text, args[0])
}

// judgement is what validate found.
type judgement struct {
	Lines   int64                `json:"lines"`
	Valid   int64                `json:"valid"`
	Refused int64                `json:"refused"`
	Errors  []bucketlite.Refusal `json:"errors"` // the first
}

func (a *app) validateLines(ctx context.Context, b *bucketlite.Bucket, f *textFlags, name string) error {
	in, err := a.openInput(ctx, name)
	if err != nil {
		return err
	}
	defer in.Close()
	source, err := f.source(name, in)
	if err != nil {
		return err
	}
	l := &load{app: a, bucket: b, source: sourceName(name), one: f.unit(name), opts: bucketlite.ImportOptions{ValidateOnly: true, MaxLineBytes: maxLine}}
	l.bar = a.progress("checking", fileSize(in), inBytes)
	r, err := l.run(ctx, source)
	if err != nil {
		return err
	}
	found := judgement{r.Records, r.Records - r.Refused, r.Refused, r.Refusals}
	err = a.show(found, func(t *table) {
		t.row(l.one+"s", found.Lines)
		t.row("valid", found.Valid)
		t.row("refused", found.Refused)
	})
	if err == nil && r.Refused > 0 {
		err = l.refused(r)
	}
	return err
}
