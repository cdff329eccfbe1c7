package aggregate

import (
	"time"

	"github.com/bucketlite/bucketlite/internal/query"
)

// instantOf returns the instant that a date, at its beginning, or a datetime is.
func instantOf(v any) (query.Instant, bool) {
	s, ok := v.(string)
	if !ok {
		return query.Instant{}, false
	}
	const day = "2006-01-02"
	if len(s) == len(day) {
		var text [len(day) + len("T00:00:00")]byte
		copy(text[:], s)
		copy(text[len(day):], "T00:00:00")
		return query.ParseInstant(string(text[:]))
	}
	return query.ParseInstant(s)
}

// truncate returns when the unit began that the instant lies in. Weeks begin on
// Mondays.
func truncate(at query.Instant, unit string) query.Instant {
	const day = 24 * 60 * 60
	sec := at.Sec
	switch unit {
	case Minute:
		sec = floor(sec, 60)
	case Hour:
		sec = floor(sec, 60*60)
	case Day:
		sec = floor(sec, day)
	case Week:
		const monday = 4 * day // 1970-01-05
		sec = floor(sec-monday, 7*day) + monday
	case Month:
		t := time.Unix(sec, 0).UTC()
		sec = time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).Unix()
	case Year:
		t := time.Unix(sec, 0).UTC()
		sec = time.Date(t.Year(), time.January, 1, 0, 0, 0, 0, time.UTC).Unix()
	}
	return query.Instant{Sec: sec}
}

// floor returns the greatest multiple of unit that is not above n.
func floor(n, unit int64) int64 {
	rest := n % unit
	if rest < 0 {
		rest += unit
	}
	return n - rest
}

// part returns the number that a unit has in the instant. Weeks are those of ISO
// 8601, and days of the week are counted from 1, which is Sunday.
func part(at query.Instant, unit string) int {
	t := time.Unix(at.Sec, 0).UTC()
	switch unit {
	case Year:
		return t.Year()
	case Month:
		return int(t.Month())
	case Week:
		_, week := t.ISOWeek()
		return week
	case Day:
		return t.Day()
	case DayOfWeek:
		return int(t.Weekday()) + 1
	case DayOfYear:
		return t.YearDay()
	case Hour:
		return t.Hour()
	case Minute:
		return t.Minute()
	}
	return t.Second()
}

// datetime returns the text of an instant of whole seconds.
func datetime(at query.Instant) string {
	return time.Unix(at.Sec, 0).UTC().Format(time.RFC3339)
}
