package value

// ParseDateTime reads a date-time as in RFC 3339: 2024-03-18T09:26:53.5Z. The
// letters may be lower case. The zone may be left out, which means UTC. The
// year is 0001 to 9999, there are at most nine fraction digits, and there are
// no leap seconds. It returns the instant as Unix seconds and the nanoseconds
// past them.
func ParseDateTime(s string) (sec int64, nanos int32, ok bool) {
	const layout = "2006-01-02T15:04:05"
	if len(s) < len(layout) ||
		s[10] != 'T' && s[10] != 't' || s[13] != ':' || s[16] != ':' {
		return 0, 0, false
	}
	day, ok := parseDay(s[:10])
	if !ok {
		return 0, 0, false
	}
	hour, minute, second := digits(s[11:13]), digits(s[14:16]), digits(s[17:19])
	if !within(hour, 23) || !within(minute, 59) || !within(second, 59) {
		return 0, 0, false
	}
	s = s[len(layout):]

	if s != "" && s[0] == '.' {
		n := leadingDigits(s[1:])
		if n < 1 || n > 9 {
			return 0, 0, false
		}
		frac := digits(s[1 : 1+n])
		for range 9 - n {
			frac *= 10
		}
		nanos = int32(frac)
		s = s[1+n:]
	}

	offset, ok := parseZone(s)
	if !ok {
		return 0, 0, false
	}
	sec = day*86400 + int64(hour)*3600 + int64(minute)*60 + int64(second)
	return sec - int64(offset), nanos, true
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
	case len(s) != len("+07:00") || s[3] != ':' || s[0] != '+' && s[0] != '-':
		return 0, false
	}
	hour, minute := digits(s[1:3]), digits(s[4:6])
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
