package aggregate_test

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite/internal/aggregate"
	"github.com/bucketlite/bucketlite/internal/value"
)

// summed returns the sum and the average of numbers.
func summed(t testing.TB, numbers []any) (sum, avg any) {
	t.Helper()
	spec := aggregate.Spec{
		GroupBy: []aggregate.Group{{Field: "none"}},
		Metrics: []aggregate.Metric{{Function: aggregate.Sum, Field: "n", Alias: "sum"}, {Function: aggregate.Avg, Field: "n", Alias: "avg"}},
	}
	results := aggregated(t, spec, nil, []map[string]any{{"n": numbers}})
	metrics := results[0].(map[string]any)["metrics"].(map[string]any)
	return metrics["sum"], metrics["avg"]
}

func TestSum(t *testing.T) {
	t.Parallel()
	tests := []struct{ numbers, sum, avg string }{
		{`[]`, `0`, `null`},
		{`[1,2,4]`, `7`, `2.3333333333333335`},
		{`[1.0,2e0,"x"]`, `3`, `1.5`},
		{`[0.1,0.2]`, `0.30000000000000004`, `0.15000000000000002`},
		{`[0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1]`, `1`, `0.1`},
		{`[1e16,1,-1e16]`, `1`, `0.3333333333333333`},
		{`[1e300,0.5,-1e300]`, `0.5`, `0.16666666666666666`},
		{`[9223372036854775807,1]`, `9223372036854775808`, `4611686018427388000`},
		{`[9223372036854775807,9223372036854775807,9223372036854775807,-9223372036854775808]`, `18446744073709551613`, `4611686018427388000`},
		{`[-9223372036854775808,-1]`, `-9223372036854775809`, `-4611686018427388000`},
		{`[9223372036854775807,1,-9223372036854775808]`, `0`, `0`},
		{`[9007199254740993,0.5]`, `9007199254740994`, `4503599627370497`},
		{`[9007199254740992,0.5]`, `9007199254740992`, `4503599627370496`},
		{`[18446744073709551616]`, `18446744073709552000`, `18446744073709552000`},
		{`[1.5,-1.5]`, `0`, `0`},
		{`[1e308,1e308]`, `null`, `1e+308`},
		{`[1e308,1e308,-1e308,0.5]`, `1e+308`, `2.5e+307`},
		{`[1e308,1e308,1e308,-1e308,-1e308,-1e308,0.25,7]`, `7.25`, `0.90625`},
		{`[-1e308,-1.5e308]`, `null`, `-1.25e+308`},
		{`[5e-324,5e-324]`, `1e-323`, `5e-324`},
		{`[5e-324,1e308,1e308,-1e308,-1e308]`, `5e-324`, `0`},
	}
	for _, tt := range tests {
		numbers := tree(t, tt.numbers).([]any)
		for range 3 {
			sum, avg := summed(t, numbers)
			if text(sum) != tt.sum || text(avg) != tt.avg {
				t.Errorf("%s: got %s and %s, want %s and %s", text(numbers), text(sum), text(avg), tt.sum, tt.avg)
			}
			slices.Reverse(numbers)
			rand.Shuffle(len(numbers), func(i, j int) { numbers[i], numbers[j] = numbers[j], numbers[i] })
		}
	}
}

// The sum of floats of all sizes is the one nearest to the exact sum.
func TestSumRandom(t *testing.T) {
	t.Parallel()
	r := random(t)
	for range 300 {
		exact := new(big.Rat)
		numbers := make([]any, 1+r.IntN(60))
		for i := range numbers {
			f := math.Ldexp(r.Float64()-0.5, r.IntN(2095)-1070)
			if r.IntN(3) == 0 {
				f = math.Trunc(f)
			}
			if i > 0 && r.IntN(3) == 0 {
				f, _ = numbers[r.IntN(i)].(json.Number).Float64()
				f = -f
			}
			numbers[i] = json.Number(value.AppendNumber(nil, f))
			exact.Add(exact, new(big.Rat).SetFloat64(f))
		}
		want, _ := exact.Float64()
		sum, _ := summed(t, numbers)
		if math.IsInf(want, 0) {
			if sum != nil {
				t.Fatalf("%s: got %v, want null", text(numbers), sum)
			}
			continue
		}
		got, err := sum.(json.Number).Float64()
		if err != nil || got != want {
			t.Fatalf("%s: got %v, %v, want %v", text(numbers), got, err, want)
		}
	}
}
