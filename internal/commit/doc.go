// Package commit holds the transaction in which all writes to a store run.
//
// The engine joins the writes of many callers in one commit. These operations share a
// Tx: the state of each bucket they touch, read once and written once as running
// totals; the events of the commit; and the signals to give once the commit has
// succeeded. A Committer begins each Tx with the state that the last one has left.
package commit
