// Package jobs keeps the work that outlives a call: tasks, batches, and the queue of
// their jobs in the file.
//
// A batch is a group of objects that are processed together, and a job is one object of
// a batch. A sweep queues, retries, cancels or deletes the jobs of a batch in slices. A
// processor takes jobs under a lease, renews the lease while it works, and stores the
// results. A [Ledger] does that in one transaction and keeps the batches, their tasks and
// the objects consistent. A lease that runs out gives its job to another
// processor.
//
// The package knows statuses and error categories by their text only, reads no object,
// and keeps the details of failures as JSON text.
package jobs
