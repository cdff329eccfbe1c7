// Package proof tests stores as a whole, through what the library exports: against models,
// by several processes, with processes that end at any moment, disks that fail, cuts of the
// power, and time. It also measures them beside a twin, which is SQLite without the library.
// It holds tests and benchmarks, and nothing else.
//
// Each test has a short form, which "go test ./..." runs. The flag -long runs the long
// form, and docs/guide/reliability.md says what that tries and what it found. Tests that
// need strace exist in the long form alone, and fail without it.
package proof
