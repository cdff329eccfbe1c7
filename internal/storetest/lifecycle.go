package storetest

import (
	"context"
	"fmt"

	"github.com/bucketlite/bucketlite"
)

// Verdict is the outcome of a call.
type Verdict int

const (
	TakesEffect     Verdict = iota // it takes effect
	ChangesNothing                 // it succeeds and changes nothing
	RefusedInactive                // ErrNotActive, and nothing changes
	RefusedLocked                  // ErrLocked, and nothing changes
)

// transitions is what activate, archive, suspend and delete do to a bucket that
// is not locked. The status that results is in the same column of toStatus.
var (
	Transitions = map[bucketlite.Status][4]Verdict{
		bucketlite.StatusActive:     {ChangesNothing, TakesEffect, TakesEffect, TakesEffect},
		bucketlite.StatusArchived:   {TakesEffect, ChangesNothing, RefusedInactive, TakesEffect},
		bucketlite.StatusSuspended:  {TakesEffect, TakesEffect, ChangesNothing, TakesEffect},
		bucketlite.StatusInProgress: {RefusedInactive, RefusedInactive, RefusedInactive, ChangesNothing},
	}
	ToStatus    = [4]bucketlite.Status{bucketlite.StatusActive, bucketlite.StatusArchived, bucketlite.StatusSuspended, bucketlite.StatusInProgress}
	TransitName = [4]string{"Activate", "Archive", "Suspend", "Delete"}
	Transition  = [4]func(*bucketlite.Bucket, context.Context) error{
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
	"Delete":  {bucketlite.StatusInProgress, RefusedInactive, Transition[3]},
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
