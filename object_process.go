package bucketlite

import (
	"slices"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/jobs"
)

// handover hands objects to [Store.Process] in the transaction that stores them, as a batch
// of their own.
type handover struct {
	batch, task string // ids
	metadata    any    // of the batch: JSON text, or nil
}

func (s *Store) newHandover() (*handover, error) {
	batch, err := s.newID(ident.BatchPrefix)
	if err != nil {
		return nil, err
	}
	task, err := s.newID(ident.TaskPrefix)
	return &handover{batch: batch, task: task}, err
}

// submit creates and submits the batch.
func (h *handover) submit(tx *commit.Tx, b *Bucket, ids []any) error {
	if err := jobs.CreateBatch(tx, b.num, h.batch, h.metadata, ids); err != nil {
		return err
	}
	k, err := jobs.FindBatch(tx, b.num, h.batch)
	if err == nil {
		err = b.newBatchTask(tx, k, h.task, k.Total)
	}
	if err != nil {
		return err
	}
	return k.Submit(tx, h.task)
}

// processStored hands over the objects that putters of one bucket have stored. Some may have
// stored the same object.
func (h *handover) processStored(tx *commit.Tx, stored ...*putter) error {
	if h == nil || len(stored) == 0 {
		return nil
	}
	seen := make(map[string]bool, len(stored))
	var ids []any
	for _, p := range stored {
		if id := p.stored.object.ID; !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	if err := h.submit(tx, stored[0].bucket, ids); err != nil {
		return err
	}
	for _, p := range stored {
		o := &p.stored.object
		p.batch = h.batch
		_, err := tx.QueryRow("SELECT status, error FROM object WHERE seq = ?", []any{o.seq}, func(r engine.Row) {
			o.Status, o.Error = Status(r.Text(0)), r.Text(1)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// newHandoverIf returns a handover if one is wanted, else nil.
func (s *Store) newHandoverIf(wanted bool) (*handover, error) {
	if !wanted {
		return nil, nil
	}
	return s.newHandover()
}

// storedOf returns the putters of a slice's items that have been stored.
func storedOf(slice []bulkItem) (stored []*putter) {
	for i := range slice {
		if slice[i].put != nil && slice[i].err == nil {
			stored = append(stored, slice[i].put)
		}
	}
	return slices.Clip(stored)
}
