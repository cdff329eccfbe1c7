// Package pattern compiles and matches regular expressions at a bounded cost.
//
// The regexp package matches in time linear in the text, but the factor is the
// size of the compiled program, and a short expression can have a large program:
// `(?:.{100}){10}` has a thousand instructions. Parsing can be costly too:
// `(?i)[B-\x{1e943}]` folds 125,000 characters. So this package bounds
//
//   - the text of expressions, by what parsing it may cost, and the size of their
//     programs, together for all expressions of one [Budget];
//   - one match, by the size of the program times the bytes of the text ([MaxWork]).
//
// A long match spends its work in small steps on a [Meter], which can end it.
package pattern
