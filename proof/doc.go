// Package proof tests stores as a whole, through what the library exports: against
// processes that end at any moment, disks that fail, cuts of the power, and time.
// It holds tests and nothing else.
//
// Each test has a short form, which "go test ./..." runs. The flag -long runs the long
// form, and docs/guide/reliability.md says what that tries and what it found. Tests that
// need strace exist in the long form alone, and fail without it.
package proof
