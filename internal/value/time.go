package value

// ParseDateTime reads a date-time as in RFC 3339: 2024-03-18T09:26:53.5Z. The
// letters may be lower case. The seconds may be left out, which means 0, and the
// zone, which means UTC; a zone may lack its colon, as in +0530. The year is 0001 to 9999, there are at most nine fraction digits, and there are
// no leap seconds. It returns the instant as Unix seconds and the nanoseconds
// past them.
func ParseDateTime(s string) (sec int64, nanos int32, ok bool) {
	const layout = "2006-01-02T15:04"
	if len(s) < len(layout) || s[10] != 'T' && s[10] != 't' || s[13] != ':' {
		return 0, 0, false
	}
	day, ok := parseDay(s[:10])
	if !ok {
		return 0, 0, false
	}
	hour, minute := digits(s[11:13]), digits(s[14:16])
	if !within(hour, 23) || !within(minute, 59) {
		return 0, 0, false
	}
	second, nanos, zone, ok := parseSeconds(s[len(layout):])
	if !ok {
		return 0, 0, false
	}
	offset, ok := parseZone(zone)
	if !ok {
		return 0, 0, false
	}
	sec = day*86400 + int64(hour)*3600 + int64(minute)*60 + int64(second)
	return sec - int64(offset), nanos, true
}

// parseSeconds reads the seconds and their fraction, if s begins with them, and returns
// the text after them.
func parseSeconds(s string) (second int, nanos int32, rest string, ok bool) {
	if s == "" || s[0] != ':' {
		return 0, 0, s, true
	}
	if len(s) < len(":05") {
		return 0, 0, "", false
	}
	if second = digits(s[1:3]); !within(second, 59) {
		return 0, 0, "", false
	}
	s = s[len(":05"):]
	if s == "" || s[0] != '.' {
		return second, 0, s, true
	}
	n := leadingDigits(s[1:])
	if n < 1 || n > 9 {
		return 0, 0, "", false
	}
	frac := digits(s[1 : 1+n])
	for range 9 - n {
		frac *= 10
	}
	return second, int32(frac), s[1+n:], true
}

// ParseDate reports whether s is a calendar day written YYYY-MM-DD, with a
// year from 0001 to 9999.
func ParseDate(s string) bool {
	_, ok := parseDay(s)
	return ok
}

// parseZone returns the seconds east of UTC that s stands for.
func parseZone(s string) (int, bool) {
	switch {
	case s == "", s == "Z", s == "z":
		return 0, true
	case s[0] != '+' && s[0] != '-':
		return 0, false
	case len(s) == len("+0700"):
	case len(s) != len("+07:00") || s[3] != ':':
		return 0, false
	}
	hour, minute := digits(s[1:3]), digits(s[len(s)-2:])
	if !within(hour, 23) || !within(minute, 59) {
		return 0, false
	}
	offset := hour*3600 + minute*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// parseDay returns the number of days from 1970-01-01 to the day s.
func parseDay(s string) (int64, bool) {
	if len(s) != len("2006-01-02") || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	year, month, day := digits(s[:4]), digits(s[5:7]), digits(s[8:10])
	if year < 1 || month < 1 || month > 12 || day < 1 || day > monthDays(year, month) {
		return 0, false
	}

	// Counting years from March puts the leap day last, so that the days
	// before a month no longer depend on the year.
	if month <= 2 {
		year--
		month += 12
	}
	days := year*365 + year/4 - year/100 + year/400
	days += (153*(month-3) + 2) / 5
	days += day - 1
	const epoch = 719468 // days from 0000-03-01 to 1970-01-01
	return int64(days - epoch), true
}

func monthDays(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

func within(n, limit int) bool { return 0 <= n && n <= limit }

// digits returns the value of s, or -1 if it is not all digits. The caller
// ensures that s is short enough for an int.
func digits(s string) int {
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}
