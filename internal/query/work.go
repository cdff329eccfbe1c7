package query

import "context"

// A Work measures the work of matching, so that a match ends soon after its
// context does, however many conditions there are and however long the texts. The
// zero Work never ends a match by itself. It serves one goroutine at a time.
type Work struct {
	ctx   context.Context // nil for none
	units int             // since the context was last checked
	each  int             // of one condition
	err   error
}

// workStep is how many units of work pass between checks of the context, which takes a
// lock. They last about a millisecond.
const workStep = 1 << 16

// The cost in units, each of which takes 5 to 20 ns.
const (
	conditionCost = 8 // of a condition, whatever it is about
	bytesPerUnit  = 4 // of a text that is read once
)

// NewWork returns a Work that ends when ctx does.
func NewWork(ctx context.Context) *Work { return &Work{ctx: ctx, each: conditionCost} }

// Begin begins a document of size bytes. A condition may have to read it all.
func (w *Work) Begin(size int) { w.each = conditionCost + size/bytesPerUnit }

// Err returns what ended the match, nil if nothing did: the context's error, or
// one that says which condition costs too much. The result of the match is then void.
func (w *Work) Err() error { return w.err }

// Spend counts work before it is done, and returns the error that ends it.
func (w *Work) Spend(units int) error {
	w.units += units
	if w.units >= workStep && w.err == nil {
		w.units = 0
		if w.ctx != nil {
			w.err = w.ctx.Err()
		}
	}
	return w.err
}

// read counts the reading of a text and reports whether it may be done.
func (w *Work) read(bytes int) bool { return w.Spend(bytes/bytesPerUnit) == nil }
