package bucketlite

import (
	"slices"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jobs"
)

const (
	draftSlice = 250                   // drafts in a batch, at most
	draftLeast = 25                    // of a bucket, if several have drafts
	draftDelay = 10 * time.Millisecond // in which drafts gather
	draftPaths = 50                    // buckets that get an index in one transaction
)

// statusIndex is the index by which drafts are found.
var statusIndex = Index{Kind: ValueIndex, Path: "status"}

// drafts is what a processor knows of the drafts that it makes batches of.
type drafts struct {
	wake    chan struct{} // holds a token when there may be new drafts; nil if the processor leaves drafts alone
	found   jobs.Drafts
	last    int64          // the bucket whose drafts were taken last
	refused map[int64]bool // buckets that have no room for the index
}

// look reads which buckets have drafts, and reports whether there are none.
func (d *drafts) look(c *engine.Conn) (idle bool, err error) {
	if d.wake == nil {
		return true, nil
	}
	d.found, err = jobs.FindDrafts(c, d.last)
	d.found.Unindexed = slices.DeleteFunc(d.found.Unindexed, func(num int64) bool { return d.refused[num] })
	return len(d.found.Buckets)+len(d.found.Unindexed) == 0 && !d.found.Building, err
}

// mustWrite reports whether there is anything to write for a processor that wants jobs.
func (d *drafts) mustWrite() bool { return len(d.found.Unindexed)+len(d.found.Buckets) > 0 }

// gathering is what one transaction does with drafts.
type gathering struct {
	store     *Store
	found     jobs.Drafts
	handovers []*handover // for the batches, one for each bucket

	refused []int64 // buckets that have no room for the index
	last    int64   // the last bucket with a new batch
	changed bool    // there is a new index or batch
}

// gathering prepares the next transaction of a processor that wants jobs. While others are
// due, it makes no batches.
func (p *processor) gathering(due bool) (*gathering, error) {
	g := &gathering{store: p.store, found: p.drafts.found}
	g.found.Unindexed = g.found.Unindexed[:min(len(g.found.Unindexed), draftPaths)]
	if due {
		g.found.Buckets = nil
	}
	for range g.found.Buckets {
		h, err := p.store.newHandover()
		if err != nil {
			return nil, err
		}
		h.metadata = jobs.DraftsMetadata
		g.handovers = append(g.handovers, h)
	}
	return g, nil
}

// run creates the missing indexes, and makes a batch of drafts of each bucket. Since the
// batch changes their statuses, no other processor finds the same drafts.
func (g *gathering) run(tx *commit.Tx) error {
	g.refused, g.last, g.changed = nil, 0, false
	for _, num := range g.found.Unindexed {
		if err := g.index(tx, num); err != nil {
			return err
		}
	}
	limit := max(draftLeast, draftSlice/max(1, len(g.found.Buckets)))
	for i, num := range g.found.Buckets {
		state, err := g.writable(tx, num)
		if err != nil {
			return err
		}
		if state == nil {
			continue
		}
		ids, err := jobs.SomeDrafts(tx, state, int64(limit))
		if err == nil && len(ids) > 0 {
			g.last, g.changed = num, true
			err = g.handovers[i].submit(tx, g.store.handle(target{num: num, id: state.Place.Bucket, name: state.Name}), ids)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writable returns the state of a bucket whose objects can be written, else nil.
func (g *gathering) writable(tx *commit.Tx, num int64) (*commit.Bucket, error) {
	state, err := tx.Bucket(num)
	if err != nil || state == nil || permitState(state, writeObjects) != nil {
		return nil, err
	}
	return state, nil
}

// index adds the index of the status to a bucket, if it has room for one.
func (g *gathering) index(tx *commit.Tx, num int64) error {
	state, err := g.writable(tx, num)
	if err != nil || state == nil {
		return err
	}
	missing, room, err := missingIndexes(tx, state, []Index{statusIndex})
	if err == nil && len(missing) > room {
		g.refused = append(g.refused, num)
		return nil
	}
	if err != nil {
		return err
	}
	g.changed = true
	return addIndexes(tx, state, missing)
}

// gathered notes the result of a transaction. If it has changed something, there may be
// more, so the processor looks again at once.
func (p *processor) gathered(g *gathering) {
	d := &p.drafts
	if len(g.found.Unindexed)+len(g.found.Buckets) == 0 {
		return
	}
	d.found = jobs.Drafts{}
	if g.changed {
		d.last, p.lookAt = g.last, time.Time{}
	}
	for _, num := range g.refused {
		d.refused[num] = true
		p.store.opts.Logger.Warn("bucketlite: the drafts of a bucket are not processed: it has no room for an index of status", "bucket", num)
	}
}
