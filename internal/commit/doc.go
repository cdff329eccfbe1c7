// Package commit holds the transaction that everything written to a store runs in.
//
// The engine joins the writes of many callers in one commit. Tx is what these
// operations share: the state of each bucket they touch, read once and written once as
// running totals; the events the commit will have been; and the signals that are raised
// when it has succeeded. A Committer begins each Tx and carries over to it what the
// last one knew.
package commit
