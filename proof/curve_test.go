package proof_test

import (
	"math"
	"testing"
	"time"
)

// sample is one measurement of what must not grow.
type sample struct {
	at     time.Duration // since the beginning
	values map[string]float64
}

// measures are what a sample holds, in the order in which they are shown.
var measures = []struct {
	name  string
	unit  float64 // one of those shown
	floor float64 // a slope a minute that is noise, however small the mean
}{
	{"file MiB", 1 << 20, 1 << 20},
	{"log MiB", 1 << 20, 1 << 20},
	{"heap MiB", 1 << 20, 512 << 10},
	{"resident MiB", 1 << 20, 1 << 20},
	{"descriptors", 1, 0.25},
	{"goroutines", 1, 0.5},
}

// slope returns by how much a value grows a minute, by least squares, and its mean.
func slope(samples []sample, name string) (perMinute, mean float64) {
	n := float64(len(samples))
	var sumX, sumY float64
	for _, s := range samples {
		sumX += s.at.Minutes()
		sumY += s.values[name]
	}
	var xx, xy float64
	for _, s := range samples {
		x := s.at.Minutes() - sumX/n
		xx += x * x
		xy += x * (s.values[name] - sumY/n)
	}
	return xy / xx, sumY / n
}

// growth is the slope a minute that is allowed, as a part of the mean.
const growth = 0.01

// grows reports whether a slope is more than noise and than what is allowed.
func grows(perMinute, mean, floor float64) bool {
	return perMinute > max(growth*mean, floor)
}

func TestSlope(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		at           func(minute float64) float64
		slope, floor float64
		grows        bool
	}{
		"flat":                         {func(float64) float64 { return 100 }, 0, 0, false},
		"a leak":                       {func(m float64) float64 { return 100 + 2*m }, 2, 0, true},
		"a leak below the floor":       {func(m float64) float64 { return 100 + 2*m }, 2, 2.5, false},
		"a slow leak":                  {func(m float64) float64 { return 100 + 0.5*m }, 0.5, 0, false},
		"shrinking":                    {func(m float64) float64 { return 100 - 2*m }, -2, 0, false},
		"up and down":                  {func(m float64) float64 { return 100 + 10*math.Cos(20*math.Pi*m) }, 0, 0, false},
		"a leak that goes up and down": {func(m float64) float64 { return 100 + 2*m + 10*math.Cos(20*math.Pi*m) }, 2, 0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var samples []sample
			for i := range 301 {
				at := time.Duration(i) * time.Second
				samples = append(samples, sample{at, map[string]float64{"x": test.at(at.Minutes())}})
			}
			got, mean := slope(samples, "x")
			if math.Abs(got-test.slope) > 0.05 {
				t.Errorf("slope: got %v a minute, want %v", got, test.slope)
			}
			if got := grows(got, mean, test.floor); got != test.grows {
				t.Errorf("grows: got %t, want %t", got, test.grows)
			}
		})
	}
}
