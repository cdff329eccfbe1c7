package bucketlite_test

import (
	"os"
	"testing"

	"github.com/bucketlite/bucketlite/internal/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
