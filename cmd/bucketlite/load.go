package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/bucketlite/bucketlite"
)

// load is an import from a source, with messages about it.
type load struct {
	app    *app
	bucket *bucketlite.Bucket
	opts   bucketlite.ImportOptions
	source string // where the records come from, for messages
	one    string // a record: "line", "row", "file"
	resume *resume
	bar    *progress
}

// plural returns a number of records.
func (l *load) plural(n int64) string {
	one := cmp.Or(l.one, "line")
	return plural(n, one, one+"s")
}

// run imports the source. The report is nil if the options or the source are no good.
func (l *load) run(ctx context.Context, source bucketlite.Source) (*bucketlite.ImportReport, error) {
	l.opts.Refused = func(r bucketlite.Refusal) {
		if r.File != "" {
			l.app.note("%s", refusalText(r))
			return
		}
		l.app.note("%s:%d: %s", l.source, r.Line, message(r.Err))
	}
	if l.bar != nil {
		l.opts.Progress = func(p bucketlite.ImportProgress) { l.bar.of(p.Bytes, p.Total) }
	}
	if l.resume != nil {
		l.opts.Mark, l.opts.Save = l.resume.mark, l.resume.save
	}
	report, err := l.bucket.Import(ctx, source, &l.opts)
	l.bar.end()
	if err != nil && (report == nil || report.Records == 0 || errors.Is(err, bucketlite.ErrBadRequest)) && !errors.Is(err, context.Canceled) {
		err = &located{l.source, err}
	}
	if report != nil {
		for i := range report.Refusals {
			report.Refusals[i].Message = message(report.Refusals[i].Err)
		}
	}
	return report, err
}

// print prints the result of an import, and returns err, or an error if some records were
// refused.
func (l *load) print(r *bucketlite.ImportReport, err error) error {
	if r == nil {
		return err
	}
	e := l.app.show(r, func(t *table) {
		if r.After > 0 {
			t.row("continued after "+cmp.Or(l.one, "line"), r.After)
		}
		t.row(cmp.Or(l.one, "line")+"s", r.Records)
		t.row("created", r.Created)
		t.row("replaced", r.Replaced)
		t.row("stored already", r.Unchanged)
		t.row("refused", r.Refused)
		if s := r.Skipped; s != nil {
			t.row("skipped links", s.Links)
			t.row("skipped devices", s.Special)
			t.row("hidden", s.Hidden)
			t.row("excluded", s.Excluded)
		}
	})
	switch {
	case errors.Is(err, context.Canceled) && l.resume != nil:
		err = &advised{err, "everything stored until then stays, and the same command continues from there"}
	case errors.Is(err, context.Canceled):
		err = &advised{err, "everything stored until then stays"}
	case err == nil && r.Refused > 0:
		err = l.refused(r)
	}
	return orElse(err, e)
}

// refused is the error of an import that has refused some records.
func (l *load) refused(r *bucketlite.ImportReport) error {
	return fmt.Errorf("%d of %s %w", r.Refused, l.plural(r.Records), errRefused)
}
