// Package clock tells the time to code that deletes data because of its age.
//
// A wall clock can be wrong: a machine without a battery starts in 1970 or at the date of
// its firmware, and a mistake of an operator moves it by a year. Such a jump must not make
// data look old. [Wary] believes a jump only after it has stood for as long as it is wide,
// by a clock that only moves on.
package clock
