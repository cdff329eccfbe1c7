package main

import (
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100 - i)
	}
	for _, c := range []struct {
		name  string
		times []time.Duration
		share float64
		want  time.Duration
	}{
		{"one", []time.Duration{7}, 0.99, 7},
		{"p99 of a hundred", hundred, 0.99, 99},
		{"p50 of a hundred", hundred, 0.5, 50},
		{"p99 of three", []time.Duration{3, 1, 2}, 0.99, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := quantile(append([]time.Duration{}, c.times...), c.share); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}
