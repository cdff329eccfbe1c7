// Package assertion checks the parts of a bucket schema that come from JSON Schema: the
// shape of the schema document itself, and the assertion keywords of its fields, such as
// minLength or pattern.
//
//	faults := assertion.CheckDocument(doc)       // is this a schema at all?
//	doc = assertion.Prune(doc)                   // the same, without null members
//	a, err := assertion.Compile(map[string]any{  // once per field
//		"minLength": 3, "pattern": "^a+$",
//	}, assertion.LatestRules)
//	failures := a.Check(value)                   // once per value, from any goroutine
//
// Every value is a plain JSON tree: nil, bool, string, json.Number, a Go integer
// or float, []any, map[string]any. Numbers are compared exactly, whatever their
// size. Nothing here reads the network or the disk, and nothing writes into a
// caller's tree.
//
// Callers must bound depth, size and exponents first: the cost of checking one value
// grows with all three.
//
// Types, required, enum, items and default values are not checked here. They are rules of
// the bucket.
package assertion
