package aggregate_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/aggregate"
)

// grouped returns what one document with x is grouped by.
func grouped(t *testing.T, x any, g aggregate.Group) any {
	t.Helper()
	g.Field, g.Alias = "x", "g"
	spec := aggregate.Spec{GroupBy: []aggregate.Group{g}, Metrics: []aggregate.Metric{{Function: aggregate.Count, Alias: "k"}}}
	results := aggregated(t, spec, nil, []map[string]any{{"x": x}})
	return results[0].(map[string]any)["group"].(map[string]any)["g"]
}

func TestDates(t *testing.T) {
	t.Parallel()
	truncs := []string{"year", "month", "week", "day", "hour", "minute", "second"}
	parts := []string{"year", "month", "week", "day", "dayOfWeek", "dayOfYear", "hour", "minute", "second"}
	tests := []struct {
		in     string
		truncs [7]string
		parts  [9]int
	}{
		{"2024-05-08T07:08:09.123456789Z", // a Wednesday
			[7]string{"2024-01-01T00:00:00Z", "2024-05-01T00:00:00Z", "2024-05-06T00:00:00Z", "2024-05-08T00:00:00Z", "2024-05-08T07:00:00Z", "2024-05-08T07:08:00Z", "2024-05-08T07:08:09Z"},
			[9]int{2024, 5, 19, 8, 4, 129, 7, 8, 9}},
		{"2024-12-31T23:59:59-02:00", // by then a Wednesday of the next year, and its first week
			[7]string{"2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "2024-12-30T00:00:00Z", "2025-01-01T00:00:00Z", "2025-01-01T01:00:00Z", "2025-01-01T01:59:00Z", "2025-01-01T01:59:59Z"},
			[9]int{2025, 1, 1, 1, 4, 1, 1, 59, 59}},
		{"2021-01-03", // a Sunday in the last week of the year before
			[7]string{"2021-01-01T00:00:00Z", "2021-01-01T00:00:00Z", "2020-12-28T00:00:00Z", "2021-01-03T00:00:00Z", "2021-01-03T00:00:00Z", "2021-01-03T00:00:00Z", "2021-01-03T00:00:00Z"},
			[9]int{2021, 1, 53, 3, 1, 3, 0, 0, 0}},
		{"1969-12-31T23:59:59.5Z",
			[7]string{"1969-01-01T00:00:00Z", "1969-12-01T00:00:00Z", "1969-12-29T00:00:00Z", "1969-12-31T00:00:00Z", "1969-12-31T23:00:00Z", "1969-12-31T23:59:00Z", "1969-12-31T23:59:59Z"},
			[9]int{1969, 12, 1, 31, 4, 365, 23, 59, 59}},
		{"0001-01-01T00:00:00Z",
			[7]string{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
			[9]int{1, 1, 1, 1, 2, 1, 0, 0, 0}},
		{"9999-12-31t23:59:59.999999999z",
			[7]string{"9999-01-01T00:00:00Z", "9999-12-01T00:00:00Z", "9999-12-27T00:00:00Z", "9999-12-31T00:00:00Z", "9999-12-31T23:00:00Z", "9999-12-31T23:59:00Z", "9999-12-31T23:59:59Z"},
			[9]int{9999, 12, 52, 31, 6, 365, 23, 59, 59}},
		{"2024-02-29",
			[7]string{"2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z", "2024-02-26T00:00:00Z", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
			[9]int{2024, 2, 9, 29, 5, 60, 0, 0, 0}},
	}
	for _, tt := range tests {
		for i, unit := range truncs {
			if got := grouped(t, tt.in, aggregate.Group{Trunc: unit}); got != tt.truncs[i] {
				t.Errorf("%s of %s: got %v, want %s", unit, tt.in, got, tt.truncs[i])
			}
		}
		for i, unit := range parts {
			if got := grouped(t, tt.in, aggregate.Group{Part: unit}); got != json.Number(fmt.Sprint(tt.parts[i])) {
				t.Errorf("%s in %s: got %v, want %d", unit, tt.in, got, tt.parts[i])
			}
		}
	}
	for _, in := range []any{nil, "", "2024", "2024-02-30", "2024-13-01", "2024-02-29x", "2024-02-29 10:00:00", "2024-02-29T25:00:00Z", "red", json.Number("20240229"), true, []any{"2024-02-29"}} {
		if got := grouped(t, in, aggregate.Group{Trunc: "day"}); got != nil {
			t.Errorf("day of %v: got %v, want null", in, got)
		}
		if got := grouped(t, in, aggregate.Group{Part: "day"}); got != nil {
			t.Errorf("day in %v: got %v, want null", in, got)
		}
	}
}

// Every day begins its unit where the time package has it begin.
func TestWeeks(t *testing.T) {
	t.Parallel()
	day := time.Date(1899, 12, 25, 0, 0, 0, 0, time.UTC)
	for range 800 {
		monday := day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
		if got := grouped(t, day.Format("2006-01-02"), aggregate.Group{Trunc: "week"}); got != monday.Format(time.RFC3339) {
			t.Fatalf("week of %v: got %v, want %v", day, got, monday)
		}
		day = day.AddDate(0, 0, 57)
	}
}
