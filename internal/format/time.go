package format

import (
	"regexp"
	"strings"
	"time"
)

// isDateTime follows date-time in RFC 3339, section 5.6.
func isDateTime(s string) bool {
	const date = len("2006-01-02")
	return len(s) > date && (s[date] == 'T' || s[date] == 't') && isDate(s[:date]) && isTime(s[date+1:])
}

// isDate follows full-date in RFC 3339, section 5.6.
func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// isTime follows full-time in RFC 3339, section 5.6. A second 60 is possible only at
// the end of a day in UTC, as section 5.7 says.
func isTime(s string) bool {
	hour, s, ok := cutTwo(s, 23)
	if !ok || !strings.HasPrefix(s, ":") {
		return false
	}
	minute, s, ok := cutTwo(s[1:], 59)
	if !ok || !strings.HasPrefix(s, ":") {
		return false
	}
	second, s, ok := cutTwo(s[1:], 60)
	if !ok {
		return false
	}
	if fraction, found := strings.CutPrefix(s, "."); found {
		if s = strings.TrimLeft(fraction, "0123456789"); len(s) == len(fraction) {
			return false
		}
	}
	offset, ok := zone(s)
	const day = 24 * 60
	return ok && (second < 60 || (hour*60+minute-offset+day)%day == day-1)
}

// zone returns the minutes that the time of a zone is ahead of UTC.
func zone(s string) (offset int, ok bool) {
	switch s {
	case "":
		return 0, false
	case "Z", "z":
		return 0, true
	}
	sign := 1
	switch s[0] {
	case '+':
	case '-':
		sign = -1
	default:
		return 0, false
	}
	hour, s, ok := cutTwo(s[1:], 23)
	if !ok || !strings.HasPrefix(s, ":") {
		return 0, false
	}
	minute, s, ok := cutTwo(s[1:], 59)
	return sign * (hour*60 + minute), ok && s == ""
}

// cutTwo cuts a number of exactly two digits, at most most, from the beginning of s.
func cutTwo(s string, most int) (n int, rest string, ok bool) {
	if len(s) < 2 || !isDigit(s[0]) || !isDigit(s[1]) {
		return 0, s, false
	}
	n = int(s[0]-'0')*10 + int(s[1]-'0')
	return n, s[2:], n <= most
}

// isDuration follows duration in RFC 3339, appendix A: a unit between two others must
// not be left out.
var isDuration = regexp.MustCompile(
	`^P(?:\d+W|` + durationDate + `(?:` + durationTime + `)?|` + durationTime + `)$`).MatchString

const (
	durationDate = `(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)`
	durationTime = `T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S)`
)

// isPeriod follows period in RFC 3339, appendix A.
func isPeriod(s string) bool {
	from, to, found := strings.Cut(s, "/")
	switch {
	case !found:
		return false
	case isDateTime(from):
		return isDateTime(to) || isDuration(to)
	}
	return isDuration(from) && isDateTime(to)
}
