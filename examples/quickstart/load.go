package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite"
)

const (
	batchObjects = 1000     // objects in one PutMany call
	batchBytes   = 4 << 20  // and bytes of their lines
	maxLine      = 64 << 20 // bytes of one line

	progressEvery = time.Second
)

// loader reads JSON lines and puts them into a bucket, many at a time.
type loader struct {
	bucket   *bucketlite.Bucket
	progress io.Writer // hears how far a long load has come
	refuse   func(line int, err error)

	sum      loaded
	batch    []bucketlite.ObjectInput
	lines    []int // the numbers of the batch's lines
	bytes    int   // of the batch's lines
	refusals []refusal
	noted    time.Time
}

// loaded counts lines by result. Blank lines are not counted.
type loaded struct {
	lines, created, replaced, refused int
}

// refusal is a line that was not stored.
type refusal struct {
	line int
	err  error
}

// load puts every line of r into the bucket. A line that is refused is reported
// and does not affect the others; any other error ends the load, and what was stored by then
// stays.
func (l *loader) load(ctx context.Context, r io.Reader) (loaded, error) {
	l.noted = time.Now()
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 64<<10), maxLine)
	number := 0
	for scanner.Scan() {
		number++
		line := bytes.TrimSpace(scanner.Bytes())
		if len(line) == 0 {
			continue
		}
		l.sum.lines++
		var in bucketlite.ObjectInput
		// Called directly, since json.Unmarshal would read the line twice and its
		// own syntax errors do not say where.
		if err := in.UnmarshalJSON(line); err != nil {
			l.refusals = append(l.refusals, refusal{number, err})
			continue
		}
		l.batch, l.lines, l.bytes = append(l.batch, in), append(l.lines, number), l.bytes+len(line)
		if len(l.batch) == batchObjects || l.bytes >= batchBytes {
			if err := l.flush(ctx); err != nil {
				return l.sum, err
			}
		}
	}
	err := l.flush(ctx)
	if err == nil && scanner.Err() != nil {
		err = fmt.Errorf("line %d: %w", number+1, scanner.Err())
	}
	return l.sum, err
}

// flush stores the batch and reports the lines refused up to here.
func (l *loader) flush(ctx context.Context) error {
	err := l.put(ctx)
	slices.SortFunc(l.refusals, func(a, b refusal) int { return cmp.Compare(a.line, b.line) })
	for _, r := range l.refusals {
		l.sum.refused++
		l.refuse(r.line, r.err)
	}
	l.batch, l.lines, l.bytes, l.refusals = l.batch[:0], l.lines[:0], 0, l.refusals[:0]
	if time.Since(l.noted) >= progressEvery {
		l.noted = time.Now()
		fmt.Fprintf(l.progress, "  … %s lines, %s stored\n", count(l.sum.lines), count(l.sum.created+l.sum.replaced))
	}
	return err
}

func (l *loader) put(ctx context.Context) error {
	if len(l.batch) == 0 {
		return nil
	}
	result, err := l.bucket.PutMany(ctx, l.batch, nil)
	if result != nil { // if ctx ended midway there are both
		for _, s := range result.Succeeded {
			if s.Created {
				l.sum.created++
			} else {
				l.sum.replaced++
			}
		}
	}
	if err != nil {
		return err
	}
	for _, f := range result.Failed {
		if !linesFault(f.Err) {
			return fmt.Errorf("line %d: %w", l.lines[f.Index], f.Err)
		}
		l.refusals = append(l.refusals, refusal{l.lines[f.Index], f.Err})
	}
	return nil
}

// linesFault tells what is wrong with one line from what would befall the others
// as well, such as a locked bucket or a full disk.
func linesFault(err error) bool {
	return errors.Is(err, bucketlite.ErrInvalid) || errors.Is(err, bucketlite.ErrTooLarge) || errors.Is(err, bucketlite.ErrConflict)
}
