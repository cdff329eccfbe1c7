// Package aggregate groups documents and computes metrics over the groups, one document
// after the other and independent of any storage.
//
// [Compile] checks a [Spec] and makes a [Plan] of it. [Run.Add] adds a document to a
// [Run] of the plan, and [Run.Results] returns the groups at the end. A run keeps only
// the parts of documents that its groups and metrics need, within [Limits].
//
// # Paths
//
// Paths are those of package query. Metrics take all values that a path leads to,
// through arrays, except nulls. A group is made by the one value at the path: an array
// there is taken as a whole, and if the path goes through an array, the value is the
// array of the results for each element. To unwind a path is to take a document once
// for each element.
//
// # Keys
//
// Each group has a key: the values it is grouped by, as bytes. Two values have the same
// key if they are equal, as numbers and instants are however they are written. Keys have
// the order of query.Compare, except that arrays and objects have an order of their own.
// Strings are not folded.
package aggregate
