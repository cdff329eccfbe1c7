//go:build unix

package httpapi_test

import "syscall"

// connections returns how many connections between this process and itself its limit
// of open files allows, at most so many. The limit is raised as far as it may be.
func connections(most int) int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	raised := limit
	raised.Cur = raised.Max
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) == nil {
		limit = raised
	}
	const others = 200 // of the other tests
	// Its fields have different types on different systems.
	if files := uint64(limit.Cur); files < uint64(2*most+others) {
		return max(0, (int(files)-others)/2)
	}
	return most
}
