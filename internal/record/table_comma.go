package record

import "bytes"

// commas are the delimiters that are detected, the most common first.
const commas = ",;\t|"

// sampleRows is how many rows decide about the delimiter.
const sampleRows = 50

// detectComma returns the delimiter that divides the rows at the beginning of a table
// most evenly. Without any, it is a comma: the table has one column.
func detectComma(sample []byte) byte {
	best, most := commas[0], 0
	for _, comma := range []byte(commas) {
		if score := evenness(sample, comma); score > most {
			best, most = comma, score
		}
	}
	return best
}

// evenness is how many rows have as many delimiters as the first one, and how many these
// are; 0 if the first row has none.
func evenness(sample []byte, comma byte) int {
	want, rows, same := 0, 0, 0
	for rows < sampleRows && len(sample) > 0 {
		count, size := countCommas(sample, comma)
		cut := size == len(sample) && sample[size-1] != '\n'
		if blank := len(bytes.TrimSpace(sample[:size])) == 0; blank || cut && rows > 0 {
			sample = sample[size:]
			continue
		}
		if sample = sample[size:]; rows == 0 {
			want = count
		}
		if rows++; count == want {
			same++
		}
	}
	if want == 0 {
		return 0
	}
	// Rows that agree count more than many columns.
	return same*1000/rows*maxColumns + min(want, maxColumns-1)
}

// countCommas returns the number of delimiters in the first row, outside quotes, and the
// length of the row.
func countCommas(sample []byte, comma byte) (count, size int) {
	quoted, start := false, true // start: at the beginning of a cell
	for i, c := range sample {
		switch {
		case quoted:
			quoted = c != '"' // a doubled quote opens again
			start = false
		case c == '"' && (start || i > 0 && sample[i-1] == '"'):
			quoted = true
		case c == '\n':
			return count, i + 1
		case c == comma:
			count++
			start = true
			continue
		}
		start = false
	}
	return count, len(sample)
}
