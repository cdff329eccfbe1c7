package engine

import (
	"bytes"
	"context"
	"testing"
)

// init registers what TestFunction calls, as packages do.
func init() {
	RegisterFunction("engine_test_join", 2, func(args [][]byte) []byte {
		if args[0] == nil {
			return nil
		}
		return bytes.Join(args, []byte{0})
	})
}

func TestFunction(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newPath(t))
	cfg.Migrations = append(cfg.Migrations, "INSERT INTO item VALUES ('migrated', engine_test_join(x'01', x'02'))")
	db := openStore(t, cfg)
	for expression, want := range map[string][]byte{
		"(SELECT v FROM item)":                                    {1, 0, 2},
		"engine_test_join(x'00', x'ff')":                          {0, 0, 0xff},
		"engine_test_join(x'', x'')":                              {0},
		"engine_test_join(x'01', NULL)":                           {1, 0},
		"engine_test_join(x'01', 'no blob')":                      {1, 0},
		"engine_test_join(NULL, x'01')":                           nil,
		"engine_test_join(engine_test_join(x'01', x'02'), x'03')": {1, 0, 2, 0, 3},
	} {
		var got []byte
		err := db.Read(context.Background(), func(c *Conn) error {
			_, err := c.QueryRow("SELECT "+expression, nil, func(r Row) { got = r.Bytes(0) })
			return err
		})
		if err != nil || !bytes.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%s: got %v, %v, want %v", expression, got, err, want)
		}
	}
}

func TestFunctionTaken(t *testing.T) {
	t.Parallel()
	checkPanic(t, "second registration", func() {
		RegisterFunction("engine_test_join", 1, func([][]byte) []byte { return nil })
	})
}
