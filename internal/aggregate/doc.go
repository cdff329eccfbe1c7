// Package aggregate groups documents and computes metrics over the groups, one
// document after the other and apart from any storage.
//
// [Compile] judges a [Spec] and makes a [Plan] of it. A [Run] of the plan is told
// of each document by [Run.Add], and in the end [Run.Results] returns the groups.
// It keeps of the documents what its groups and metrics need, within [Limits].
//
// # Paths
//
// A path leads where one of package query does. Metrics take all the values it
// leads to, through arrays, but nulls. A group is made by the one value that stands
// at the path: if that is an array it is taken as a whole, and if the path goes
// through an array, it is the array of what the rest of the path leads to from
// each element. To unwind a path is to take a document once for each element.
//
// # Keys
//
// Each group has a key: what it is grouped by, as bytes. Two values have the same
// key if they are equal, as numbers and instants are however they are written, and
// keys have an order: that of query.Compare, but with arrays and objects in an
// order of their own. Strings are not folded.
package aggregate
