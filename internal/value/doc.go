// Package value holds the JSON values that objects are made of: reading them
// strictly, taking them from Go, comparing them and writing them canonically.
//
// # Plain values
//
// A plain value is nil, a bool, a string, a number, a []any of plain values
// or a map[string]any of plain values, nested without cycles. A number is a
// [encoding/json.Number] or any Go integer or float that is not of a named
// type. Strings and member names are valid UTF-8 without U+0000, and numbers
// satisfy [CheckNumber].
//
// [Parse] makes a plain value of JSON text and [Plain] makes one of any Go
// value, or returns every fault. Everything else in this package takes
// its argument to be plain already, accepts every plain kind as it is, and
// never writes to a map or slice it was given.
//
// # Numbers
//
// A number is its JSON text, digit by digit. A Go float stands for the shortest text
// that identifies it: float64(0.1) equals json.Number("0.1"), and no comparison loses
// precision by going through a float.
package value
