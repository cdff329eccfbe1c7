// Package query holds what lists and aggregates are asked for, apart from any
// storage: filters, search terms, and the order of values.
//
// # Filters
//
// An [Expr] is a filter as it was written: [Parse] makes one of its JSON form,
// [Condition] and [Group] of Go values. [Compile] checks it against the types
// that are declared and prepares it for use. The result, a [Predicate], tells
// of a [Doc] whether it matches. It is a tree of [Node], each of which can be
// matched alone, so that what a database can decide by itself may be left to
// it, and only the rest is matched here.
//
// # Paths
//
// A path leads from the root of a document by the names of members, with dots
// between them. It goes through arrays: what is asked of a path is asked of
// each element of an array on the way, or at its end, and holds if it holds for
// any of them. An empty array leads nowhere, like a member that is absent.
//
// # Text
//
// Unless it is told to mind the case, text is compared in its folded form (see
// [Fold]). That is the relation of strings.EqualFold, and no other likeness:
// accents count, and so does ß against ss.
//
// # Order
//
// [Compare] orders the values that documents are sorted by, and [AppendKey]
// writes them as bytes that have the same order. Text is not folded there.
package query
