package content

import (
	"context"
	"errors"
	"io"
)

// maxEmptyReads is how often in a row a reader may give nothing.
const maxEmptyReads = 100

var errBadCount = errors.New("the reader gave an impossible count of bytes")

// Inflow reads from a caller's reader, and holds it to the contract of [io.Reader]. It
// ends when the context does, though it cannot wake a reader that sleeps.
type Inflow struct {
	ctx   context.Context
	r     io.Reader
	empty int   // reads in a row that gave nothing
	ended error // what the reader ended with; io.EOF, or what is wrong with it
}

// NewInflow returns an Inflow from r that ends with ctx.
func NewInflow(ctx context.Context, r io.Reader) *Inflow { return &Inflow{ctx: ctx, r: r} }

func (f *Inflow) Read(p []byte) (n int, err error) {
	if err := f.ctx.Err(); err != nil {
		return 0, err
	}
	if f.ended != nil {
		return 0, f.ended // also if it came with bytes, and was passed over
	}
	n, err = f.r.Read(p)
	switch {
	case n < 0 || n > len(p):
		n, err = 0, errBadCount
	case n > 0:
		f.empty = 0
	case err == nil && len(p) > 0:
		if f.empty++; f.empty == maxEmptyReads {
			err = io.ErrNoProgress
		}
	}
	f.ended = err
	return n, err
}

// Broken returns what is wrong with the reader, nil if nothing is.
func (f *Inflow) Broken() error {
	if f.ended == io.EOF {
		return nil
	}
	return f.ended
}
