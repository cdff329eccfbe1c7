package proof_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// roleVariable names the environment variable that turns the test binary into one
// of the children.
const roleVariable = "BUCKETLITE_PROOF_CHILD"

// childTime is how long a child may take.
const childTime = 2 * time.Minute

// children are the programs that tests run as other processes, by role. They get
// their arguments from the command line.
var children = map[string]func(args []string) error{
	"workload": childWorkload,
	"read":     childRead,
	"upsert":   childUpsert,
	"load":     childLoad,
	"put":      childPut,
	"delete":   childDelete,
	"stream":   childStream,
	"uploads":  childUploads,
	"watch":    childWatch,
	"process":  childProcess,
	"index":    childIndex,
	"change":   childChange,
	"retain":   childRetain,
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
	os.Exit(storetest.Main(m))
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
