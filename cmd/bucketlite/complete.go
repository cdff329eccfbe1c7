package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

// A shell asks for completions while somebody waits. The store is opened to read, and
// only for so long; there are at most so many names; and errors are not shown.
const (
	completionTime  = 500 * time.Millisecond
	completionNames = 1000
)

// completer returns the completions of what has been typed of a word.
type completer func(ctx context.Context, st *bucketlite.Store, typed string) ([]string, error)

// completions returns those of a completer. A shell has no use for an error.
func (a *app) completions(cmd *cobra.Command, typed string, c completer) []string {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	st, err := a.open(ctx, toRead, &bucketlite.Options{BusyTimeout: completionTime})
	if err != nil {
		return nil
	}
	defer st.Close()
	list, _ := c(ctx, st, typed)
	return list
}

// complete has the shell complete the flags that name things in the store, in all
// commands. In those about a bucket it is the first argument.
func (a *app) complete(root *cobra.Command) {
	register := func(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
		if cmd.Flags().Lookup(flag) == nil && cmd.PersistentFlags().Lookup(flag) == nil {
			return
		}
		if _, ok := cmd.GetFlagCompletionFunc(flag); ok {
			return
		}
		if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
			panic(err) // neither can be
		}
	}
	register(root, "namespace", func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return a.completions(cmd, typed, a.namespaceNames), cobra.ShellCompDirectiveNoFileComp
	})
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		if _, args, _ := strings.Cut(cmd.Use, " "); strings.HasPrefix(strings.TrimLeft(args, "["), "BUCKET") {
			for _, flag := range []string{"sort", "select", "by", "remove"} {
				register(cmd, flag, a.completePaths(",", ""))
			}
			register(cmd, "unwind", a.completePaths("", ""))
			register(cmd, "blob", a.completePaths("", ""))
			register(cmd, "key", a.completePaths("", "="))
			register(cmd, "field", a.completePaths("", "="))
			register(cmd, "metric", a.completeMetric)
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(root)
}

// completeNamespace completes the only argument of a command.
func (a *app) completeNamespace() cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.completions(cmd, typed, a.namespaceNames), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeBucket completes the first argument of a command by the buckets there are,
// and leaves the others to directive.
func (a *app) completeBucket(directive cobra.ShellCompDirective) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, directive
		}
		return a.completions(cmd, typed, a.bucketNames), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeBucketAndPaths completes a bucket and then paths of its objects.
func (a *app) completeBucketAndPaths() cobra.CompletionFunc {
	bucket, paths := a.completeBucket(cobra.ShellCompDirectiveNoFileComp), a.completePaths("", "")
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return bucket(cmd, args, typed)
		}
		return paths(cmd, args, typed)
	}
}

// completePaths completes a path of the objects in the bucket that is the first argument:
// the last of a list if separator is not empty, and with suffix behind it.
func (a *app) completePaths(separator, suffix string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		directive := cobra.ShellCompDirectiveNoFileComp
		if suffix != "" {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		if len(args) == 0 || suffix != "" && strings.Contains(typed, suffix) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		before := ""
		if separator != "" {
			before = typed[:strings.LastIndex(typed, separator)+1]
		}
		var list []string
		for _, path := range a.completions(cmd, typed, a.pathsOf(args[0])) {
			list = append(list, before+path+suffix)
		}
		return list, directive
	}
}

// metricFunctions are the functions of metrics that are of a path, and count.
var metricFunctions = []string{"count", "count_distinct:", "sum:", "avg:", "min:", "max:", "first:", "last:", "push:", "add_to_set:"}

// completeMetric completes a metric: [name=]function[:path].
func (a *app) completeMetric(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	var list []string
	if i := strings.LastIndexByte(typed, ':'); i >= 0 {
		if len(args) > 0 {
			for _, path := range a.completions(cmd, typed, a.pathsOf(args[0])) {
				list = append(list, typed[:i+1]+path)
			}
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	}
	before := typed[:strings.LastIndexByte(typed, '=')+1]
	for _, name := range metricFunctions {
		list = append(list, before+name)
	}
	return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func (a *app) namespaceNames(ctx context.Context, st *bucketlite.Store, typed string) (names []string, err error) {
	q := bucketlite.Query{Filter: bucketlite.StartsWith("namespace_name", typed)}
	for ns, err := range first(completionNames, st.Namespaces(ctx, q)) {
		if err != nil {
			return names, err
		}
		names = append(names, ns.Name)
	}
	return names, nil
}

func (a *app) bucketNames(ctx context.Context, st *bucketlite.Store, typed string) (names []string, err error) {
	ns, err := a.theNamespace(ctx, st)
	if err != nil {
		return nil, err
	}
	q := bucketlite.Query{Filter: bucketlite.StartsWith("bucket_name", typed)}
	for b, err := range first(completionNames, ns.Buckets(ctx, q)) {
		if err != nil {
			return names, err
		}
		names = append(names, b.Name)
	}
	return names, nil
}

// systemPaths are those of every object that one may want to sort or select by.
var systemPaths = []string{"object_id", "status", "created_at", "updated_at"}

// pathsOf returns a completer by the fields of a bucket.
func (a *app) pathsOf(bucket string) completer {
	return func(ctx context.Context, st *bucketlite.Store, _ string) ([]string, error) {
		b, err := a.bucket(ctx, st, bucket)
		if err != nil {
			return nil, err
		}
		schema, err := schemaOf(ctx, b)
		if err != nil {
			return nil, err
		}
		paths := appendPaths(nil, "", schema.Properties)
		return append(paths, systemPaths...), nil
	}
}

// appendPaths appends the paths of fields, and of the fields in them.
func appendPaths(paths []string, before string, fields map[string]bucketlite.Field) []string {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if len(paths) >= completionNames {
			break
		}
		paths = append(paths, before+name)
		field := fields[name]
		for field.Items != nil {
			field = *field.Items
		}
		paths = appendPaths(paths, before+name+".", field.Properties)
	}
	return paths
}
