package proof_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

var (
	long = flag.Bool("long", false, "run the long forms of the tests")
	seed = flag.Uint64("seed", 0, "seed of the random numbers, 0 for a new one")
)

// roleVariable names the environment variable that turns the test binary into one
// of the children.
const roleVariable = "BUCKETLITE_PROOF_CHILD"

// childTime is how long a child may take.
const childTime = time.Minute

// children are the programs that tests run as other processes, by role. They get
// their arguments from the command line.
var children = map[string]func(args []string) error{
	"workload": childWorkload,
	"read":     childRead,
}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		time.AfterFunc(childTime, func() { os.Exit(2) }) // should it hang, or the parent be gone
		if err := children[role](os.Args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "child %q: %v\n", role, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// newRand returns a source of random numbers and logs its seed. The seed does not fix the
// timing of other processes.
func newRand(t *testing.T) *rand.Rand {
	t.Helper()
	from := *seed
	if from == 0 {
		from = rand.Uint64()
	}
	t.Logf("random numbers of -seed %d", from)
	return rand.New(rand.NewPCG(from, 0))
}

// itemsConfig is a bucket of items: a key, a number, a string and a document.
func itemsConfig(name string) bucketlite.BucketConfig {
	return bucketlite.BucketConfig{
		Name: name,
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"k": {Type: bucketlite.String}, "n": {Type: bucketlite.Integer},
			"v": {Type: bucketlite.String}, "doc": {Type: bucketlite.Text},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert},
	}
}

// checked returns an error unless a check of the store finds nothing.
func checked(st *bucketlite.Store) error {
	report, err := st.Check(context.Background(), nil)
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if len(report.Problems) > 0 {
		return errors.Join(fmt.Errorf("check: got %d problems, want none", len(report.Problems)), report.Err())
	}
	return nil
}
