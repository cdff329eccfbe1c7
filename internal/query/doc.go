// Package query holds the parts of list and aggregate requests that need no storage:
// filters, search terms, and the order of values.
//
// # Filters
//
// An [Expr] is a filter as it was written: [Parse] makes one of its JSON form,
// [Condition] and [Group] of Go values. [Compile] checks it against the types
// that are declared and prepares it for use. The result, a [Predicate], reports
// whether a [Doc] matches. It is a tree of [Node]s, each of which can be matched
// alone, so a database may decide some of them by itself and leave the rest.
//
// # Paths
//
// A path leads from the root of a document by the names of members, with dots
// between them. It goes through arrays: a condition on a path is tested for each
// element of an array on the way, or at its end, and holds if it holds for any of
// them. An empty array leads nowhere, like a member that is absent.
//
// # Text
//
// Text is compared in its folded form (see [Fold]) unless a filter is case-sensitive.
// This is the relation of strings.EqualFold of texts in normalisation form C: accents
// count, however they are encoded, and ß differs from ss.
//
// If case matters, a search and the operators Contains, StartsWith, EndsWith and Words
// compare texts in form C, and the others compare code points. A Regex always sees a text
// as it is stored.
//
// # Order
//
// [Compare] orders the values that documents are sorted by, and [AppendKey]
// writes them as bytes that have the same order. Text is not folded there.
package query
