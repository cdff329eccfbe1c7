package storetest

import (
	"context"
	"fmt"

	"github.com/bucketlite/bucketlite"
)

// Verdict is the outcome of a call.
type Verdict int

// The outcomes of calls that change the state of a bucket, or need one.
const (
	TakesEffect     Verdict = iota // the call changes the state
	ChangesNothing                 // it succeeds and changes nothing
	RefusedInactive                // ErrNotActive, and nothing changes
	RefusedLocked                  // ErrLocked, and nothing changes
)

// Activate, Archive, Suspend and Delete, called on a bucket that is not locked: their
// outcomes by the status of the bucket, and in the same order the statuses that result,
// their names, and the calls.
var (
	Transitions = map[bucketlite.Status][4]Verdict{
		bucketlite.StatusActive:     {ChangesNothing, TakesEffect, TakesEffect, TakesEffect},
		bucketlite.StatusArchived:   {TakesEffect, ChangesNothing, RefusedInactive, TakesEffect},
		bucketlite.StatusSuspended:  {TakesEffect, TakesEffect, ChangesNothing, TakesEffect},
		bucketlite.StatusInProgress: {RefusedInactive, RefusedInactive, RefusedInactive, ChangesNothing},
	}
	TransitionStatuses = [4]bucketlite.Status{bucketlite.StatusActive, bucketlite.StatusArchived, bucketlite.StatusSuspended, bucketlite.StatusInProgress}
	TransitionNames    = [4]string{"Activate", "Archive", "Suspend", "Delete"}
	TransitionCalls    = [4]func(*bucketlite.Bucket, context.Context) error{
		(*bucketlite.Bucket).Activate, (*bucketlite.Bucket).Archive, (*bucketlite.Bucket).Suspend,
		func(b *bucketlite.Bucket, ctx context.Context) error { return ErrorOf(b.Delete(ctx)) },
	}
)

// stopper is a call that ends the writing of a bucket.
type stopper struct {
	Status bucketlite.Status
	Want   Verdict
	Do     func(*bucketlite.Bucket, context.Context) error
}

// Stoppers are the calls after which no object is written any more.
var Stoppers = map[string]stopper{
	"Lock":    {bucketlite.StatusActive, RefusedLocked, (*bucketlite.Bucket).Lock},
	"Archive": {bucketlite.StatusArchived, RefusedInactive, (*bucketlite.Bucket).Archive},
	"Suspend": {bucketlite.StatusSuspended, RefusedInactive, (*bucketlite.Bucket).Suspend},
	"Delete":  {bucketlite.StatusInProgress, RefusedInactive, TransitionCalls[3]},
}

// WriteUntilRefused puts, batches, patches and deletes until one call fails.
func WriteUntilRefused(b *bucketlite.Bucket, g int, put chan struct{}) error {
	ctx := context.Background()
	for i := 0; ; i++ {
		res, err := b.Put(ctx, Item(fmt.Sprintf("%d-%d", g, i), "v"), nil)
		if err != nil {
			return err
		}
		select {
		case put <- struct{}{}:
		default:
		}
		switch i % 4 {
		case 0:
			err = PutManyError(b.PutMany(ctx, []bucketlite.ObjectInput{Item(fmt.Sprintf("%d-%d-a", g, i), ""), Item(fmt.Sprintf("%d-%d-b", g, i), "")}, nil))
		case 1:
			_, err = b.Patch(ctx, res.Object.ID, bucketlite.ObjectInput{Fields: map[string]any{"v": "patched"}}, nil)
		case 2:
			err = b.DeleteObject(ctx, res.Object.ID, nil)
		}
		if err != nil {
			return err
		}
	}
}
