package value

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseDateTime(t *testing.T) {
	tests := []struct {
		in string
		ok bool
	}{
		{"2024-03-18T09:26:53Z", true},
		{"2024-03-18t09:26:53z", true},
		{"2024-03-18T09:26:53", true},
		{"2024-03-18T09:26:53.5", true},
		{"2024-03-18T09:26:53.589793238Z", true},
		{"2024-03-18T09:26:53.000000001+05:30", true},
		{"2024-03-18T09:26:53-23:59", true},
		{"2024-03-18T09:26:53+00:00", true},
		{"2024-03-18T09:26:53-00:00", true},
		{"0001-01-01T00:00:00Z", true},
		{"0001-01-01T00:00:00+23:59", true},
		{"9999-12-31T23:59:59.999999999Z", true},
		{"1969-12-31T23:59:59.25Z", true},
		{"2000-02-29T00:00:00Z", true},
		{"2024-02-29T00:00:00Z", true},
		{"2024-03-18T09:26", true},
		{"2024-03-18T09:26Z", true},
		{"2024-03-18t09:26z", true},
		{"2024-03-18T09:26+05:30", true},
		{"2024-03-18T09:26-0530", true},
		{"2024-03-18T09:26:53+0000", true},
		{"2024-03-18T09:26:53.5-2359", true},

		{"", false},
		{"2024-03-18", false},
		{"2024-03-18T", false},
		{"2024-03-18T09", false},
		{"2024-03-18T09Z", false},
		{"2024-03-18T0926", false},
		{"2024-03-18T09:26:", false},
		{"2024-03-18T09:26:5", false},
		{"2024-03-18T09:26:5Z", false},
		{"2024-03-18T09:26.5", false},
		{"2024-03-18T9:26", false},
		{"2024-03-18T09:60", false},
		{"2024-03-18T24:00", false},
		{"2024-03-18 09:26", false},
		{"2024-03-18 09:26:53Z", false},
		{"2024-03-18T09:26:53.Z", false},
		{"2024-03-18T09:26:53.", false},
		{"2024-03-18T09:26:53,5Z", false},
		{"2024-03-18T09:26:53.1234567890Z", false},
		{"2024-03-18T09:26:60Z", false},
		{"2016-12-31T23:59:60Z", false},
		{"2024-03-18T24:00:00Z", false},
		{"2024-03-18T09:60:00Z", false},
		{"2024-03-18T9:26:53Z", false},
		{"2024-03-18T-9:26:53Z", false},
		{"2024-03-18T+9:26:53Z", false},
		{"2024-03-18T09:26:53+24:00", false},
		{"2024-03-18T09:26:53+05:60", false},
		{"2024-03-18T09:26:53+2400", false},
		{"2024-03-18T09:26:53+0560", false},
		{"2024-03-18T09:26:53+053", false},
		{"2024-03-18T09:26:53+05300", false},
		{"2024-03-18T09:26:53 0530", false},
		{"2024-03-18T09:26:53+05.30", false},
		{"2024-03-18T09:26:53+05", false},
		{"2024-03-18T09:26:53+05:30Z", false},
		{"2024-03-18T09:26:53 05:30", false},
		{"2024-03-18T09:26:53ZZ", false},
		{"2024-03-18T09:26:53Z ", false},
		{" 2024-03-18T09:26:53Z", false},
		{"2024-02-30T00:00:00Z", false},
		{"2023-02-29T00:00:00Z", false},
		{"1900-02-29T00:00:00Z", false},
		{"2024-04-31T00:00:00Z", false},
		{"2024-13-01T00:00:00Z", false},
		{"2024-00-01T00:00:00Z", false},
		{"2024-01-00T00:00:00Z", false},
		{"2024-01-32T00:00:00Z", false},
		{"0000-01-01T00:00:00Z", false},
		{"+2024-01-01T00:00:00Z", false},
		{"20240-01-01T00:00:00Z", false},
		{"２024-01-01T00:00:00Z", false},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			sec, nanos, ok := ParseDateTime(tt.in)
			if ok != tt.ok {
				t.Fatalf("ParseDateTime(%q) ok = %t, want %t", tt.in, ok, tt.ok)
			}
			if !ok {
				if sec != 0 || nanos != 0 {
					t.Errorf("ParseDateTime(%q) = %d, %d, want 0, 0", tt.in, sec, nanos)
				}
				return
			}
			want := standardTime(t, tt.in)
			if sec != want.Unix() || int(nanos) != want.Nanosecond() {
				t.Errorf("ParseDateTime(%q) = %d, %d, want %d, %d",
					tt.in, sec, nanos, want.Unix(), want.Nanosecond())
			}
		})
	}
}

// standardTime parses s with package time, which knows no lower case letters and wants
// a layout for each form.
func standardTime(t *testing.T, s string) time.Time {
	t.Helper()
	s = strings.ToUpper(s)
	if clock := s[len("2006-01-02T"):]; !strings.ContainsAny(clock, "Z+-") {
		s += "Z"
	}
	var tm time.Time
	var err error
	for _, layout := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700"} {
		if tm, err = time.Parse(layout, s); err == nil {
			return tm
		}
	}
	t.Fatalf("time.Parse refused %q: %v", s, err)
	return tm
}

func TestParseDateTimeEveryDay(t *testing.T) {
	day := time.Date(1, 1, 1, 12, 30, 15, 0, time.UTC)
	for day.Year() <= 9999 {
		sec, _, ok := ParseDateTime(day.Format(time.RFC3339))
		if !ok || sec != day.Unix() {
			t.Fatalf("ParseDateTime(%s) = %d, %t, want %d, true", day, sec, ok, day.Unix())
		}
		day = day.AddDate(0, 0, 1)
	}
}

func TestParseDate(t *testing.T) {
	tests := []struct {
		in   string
		want bool
	}{
		{"2024-03-18", true},
		{"0001-01-01", true},
		{"9999-12-31", true},
		{"2024-02-29", true},
		{"2000-02-29", true},
		{"", false},
		{"0000-12-31", false},
		{"2023-02-29", false},
		{"2100-02-29", false},
		{"2024-06-31", false},
		{"2024-3-18", false},
		{"2024/03/18", false},
		{"20240318", false},
		{"2024-03-18T", false},
		{"2024-03-18T00:00:00Z", false},
		{"-024-03-18", false},
		{"2024-03-1x", false},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			if got := ParseDate(tt.in); got != tt.want {
				t.Errorf("ParseDate(%q) = %t, want %t", tt.in, got, tt.want)
			}
		})
	}
}

func TestParseDateMonths(t *testing.T) {
	for _, year := range []int{1, 4, 100, 400, 1900, 2000, 2023, 2024, 9999} {
		for month := range 14 {
			for day := range 33 {
				s := fmt.Sprintf("%04d-%02d-%02d", year, month, day)
				_, err := time.Parse(time.DateOnly, s)
				if got, want := ParseDate(s), err == nil; got != want {
					t.Errorf("ParseDate(%s) = %t, want %t", s, got, want)
				}
			}
		}
	}
}

func FuzzParseDateTime(f *testing.F) {
	f.Add("2024-03-18T09:26:53.589793Z")
	f.Add("2024-03-18t09:26:53-07:00")
	f.Add("2024-02-30T09:26:53")
	f.Fuzz(func(t *testing.T, s string) {
		sec, nanos, ok := ParseDateTime(s)
		if !ok {
			// Of what package time accepts only some is refused on purpose.
			tm, err := time.Parse(time.RFC3339Nano, s)
			if err == nil && tm.Format(time.RFC3339Nano) == s && len(s) >= 20 && s[:4] != "0000" {
				t.Errorf("ParseDateTime(%q) refused what package time writes", s)
			}
			return
		}
		if want := standardTime(t, s); sec != want.Unix() || int(nanos) != want.Nanosecond() {
			t.Errorf("ParseDateTime(%q) = %d, %d, want %d, %d", s, sec, nanos, want.Unix(), want.Nanosecond())
		}
	})
}

func TestParseDateTimeAllocs(t *testing.T) {
	n := testing.AllocsPerRun(100, func() {
		ParseDateTime("2024-03-18T09:26:53.589793+02:00")
	})
	if n != 0 {
		t.Errorf("ParseDateTime allocates %v times, want 0", n)
	}
}

func BenchmarkParseDateTime(b *testing.B) {
	for b.Loop() {
		ParseDateTime("2024-03-18T09:26:53.589793+02:00")
	}
}
