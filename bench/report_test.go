package main

import (
	"strings"
	"testing"
	"time"
)

func TestFormat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		unit unit
		v    float64
		want string
	}{
		{perSecond, 0.5, "0.50"},
		{perSecond, 999.4, "999"},
		{perSecond, 999.6, "1.00 k"},
		{perSecond, 5432, "5.43 k"},
		{perSecond, 54_321, "54.3 k"},
		{perSecond, 543_210, "543 k"},
		{perSecond, 999_900, "1.00 M"},
		{megabytes, 320, "320 MB/s"},
		{megabytes, 4280, "4.28 GB/s"},
		{seconds, 0.0014567, "1.46ms"},
		{seconds, 0.000007123, "7.12µs"},
		{memoryBytes, 21 << 20, "21.0 MiB"},
		{bytesEach, 612.4, "612 B"},
	} {
		if got := c.unit.format(c.v); got != c.want {
			t.Errorf("unit %d, %v: got %q, want %q", c.unit, c.v, got, c.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	r := results{
		"put": {ours: {90, 85, 80}, floor: {100}},
		"p99": {ours: {0.02}}, "idle": {ours: {0.001}},
		"large": {ours: {40}},
	}
	for _, c := range []struct {
		name   string
		line   line
		target *target
		want   string
	}{
		{"none", line{name: "put"}, nil, ""},
		{"held", line{name: "put"}, atLeast(0.85, floor), "✓ 0.85 × raw (≥ 0.85)"},
		{"missed", line{name: "put"}, atLeast(0.9, floor), "✗ 0.85 × raw (≥ 0.9)"},
		{"no such peer", line{name: "put"}, atLeast(0.9, "NATS"), ""},
		{"of another line", line{name: "large"}, atLeastOf(0.4, "put"), "✓ 0.471 × put (≥ 0.4)"},
		{"good enough", line{name: "p99", unit: seconds}, &target{times: 10, line: "idle", orUpTo: 0.025}, "✓ 20 × idle (≤ 10 or 25ms)"},
		{"too long", line{name: "p99", unit: seconds}, &target{times: 10, line: "idle", orUpTo: 0.01}, "✗ 20 × idle (≤ 10 or 10ms)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.target.verdict(r, c.line); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	one := line{"put", perSecond, atLeast(0.85, floor)}
	r := &report{config: &config{name: "a name", rounds: 3}, took: time.Minute,
		works:   []*work{{section: writing, lines: []line{one}}, {section: writing, lines: []line{{name: "unmeasured"}}}},
		results: results{"put": {ours: {5000, 4000, 6000}, floor: {10_000}}}}
	got := r.markdown()
	for _, want := range []string{
		"# a name\n",
		"0 of 1 targets hold, after 1m0s and 3 rounds. Missed: put.",
		"| | bucketlite | raw | target |\n",
		"| put | 5.00 k (4.00 k–6.00 k) | 10.0 k | ✗ 0.5 × raw (≥ 0.85) |\n",
		"| bbolt | ", // its settings
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %q in it", got, want)
		}
	}
	if strings.Contains(got, "unmeasured") {
		t.Errorf("got\n%s\nwant no line without values", got)
	}
}
