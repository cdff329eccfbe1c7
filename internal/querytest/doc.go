// Package querytest is what queries are tested with: a second implementation of
// their meaning, as simple as can be and without a thought for speed, and random
// documents and filters to compare the two on. It shares no code with the query
// package, and only tests import it.
package querytest
