// Package infer finds a schema that samples of objects conform to.
//
// Its memory does not grow with the number of samples. Fields, their nesting and all
// that is remembered of their values have fixed bounds.
package infer
