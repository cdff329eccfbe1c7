package storetest

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
)

var (
	// Long makes tests run their long forms.
	Long = flag.Bool("long", false, "run the long forms of the tests")

	// Seed is the seed of random tests, or 0.
	Seed = flag.Uint64("seed", 0, "seed of the random numbers, 0 for a new one")
)

// NewRand returns a source of random numbers and logs how to repeat them. The seed does
// not fix the timing of goroutines and processes.
func NewRand(t testing.TB) *rand.Rand {
	t.Helper()
	from := *Seed
	if from == 0 {
		from = rand.Uint64()
	}
	t.Logf("replay with -run '%s' -seed %d", t.Name(), from)
	return rand.New(rand.NewPCG(from, 0))
}

// Main runs the tests of a package and returns its exit code, which is 1 if the tests
// leave a goroutine behind.
func Main(m *testing.M) int {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		return m.Run() // the fuzzer leaves a goroutine of its own behind
	}
	waitTogether()
	before := runtime.NumGoroutine()
	code := m.Run()
	if code == 0 && !GoroutinesFallTo(before) {
		fmt.Fprintf(os.Stderr, "goroutines after all tests: got %d, want %d\n", runtime.NumGoroutine(), before)
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	return code
}

// waitTogether lets more tests run at once than there are processors, since many of them
// wait for disks, leases and other processes. The flag -parallel overrides it.
func waitTogether() {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		flag.Set("test.parallel", fmt.Sprint(3*runtime.GOMAXPROCS(0)))
	}
}

// GoroutinesFallTo reports whether no more than n goroutines are left. It gives those that
// are about to end the time to do so.
func GoroutinesFallTo(n int) bool {
	return Eventually(func() bool { return runtime.NumGoroutine() <= n })
}
