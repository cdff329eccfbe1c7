package content

import (
	"context"
	"errors"
	"io"
)

// maxEmptyReads is the number of consecutive reads without bytes that are allowed.
const maxEmptyReads = 100

var errBadCount = errors.New("reader returned an impossible count of bytes")

// Inflow reads from a caller's reader, and enforces the contract of [io.Reader]. It
// ends when the context does, but cannot interrupt a blocked read.
type Inflow struct {
	ctx   context.Context
	r     io.Reader
	empty int   // consecutive reads without bytes
	ended error // the error of the last read; io.EOF at the end
}

// NewInflow returns an Inflow from r that ends with ctx.
func NewInflow(ctx context.Context, r io.Reader) *Inflow { return &Inflow{ctx: ctx, r: r} }

func (f *Inflow) Read(p []byte) (n int, err error) {
	if err := f.ctx.Err(); err != nil {
		return 0, err
	}
	if f.ended != nil {
		return 0, f.ended // also if the error came with bytes, and was ignored
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

// Broken returns the error of the reader, or nil if it has none or has ended
// normally.
func (f *Inflow) Broken() error {
	if f.ended == io.EOF {
		return nil
	}
	return f.ended
}
