// Package index keeps the indexes of a bucket, and finds the objects that match a query.
//
// A value index holds an entry for each value that an object has at a path. A text index
// holds the trigrams of an object's texts. [Update] changes both in the transaction that
// changes the object. A new index is built, and a dropped one deleted, in slices, by
// [Continue].
//
// [Choose] makes a plan for a query from the indexes that are ready. The [Choice] then
// finds a page of the objects that match the query, or visits them all. Each object is
// matched while a statement runs, as a [Document].
package index
