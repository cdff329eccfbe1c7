package schema

import (
	"fmt"
	"strings"
)

// synonyms are type names of other systems.
var synonyms = map[string]string{
	"json": Object, "dict": Object, "map": Object, "list": Array, "str": String, "int": Integer, "long": Integer,
	"double": Float, "decimal": Number, "bool": Boolean, "timestamp": DateTime, "time": DateTime, "uuid": String,
	"document": PDF, "csv": Excel, "xlsx": Excel, "jpeg": Image, "png": Image, "gif": Image, "mp3": Audio, "mp4": Video,
}

// suggest returns `, did you mean "…"?` with the type that is most similar to t, or
// "".
func suggest(t string) string {
	best, ok := synonyms[strings.ToLower(t)]
	if !ok {
		least := 3 // a type that is more than two edits away is unrelated
		for _, known := range fieldTypes {
			if d := distance(strings.ToLower(t), known); d < least {
				best, least = known, d
			}
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// distance returns the number of letters to insert, delete, replace or swap with a
// neighbor to turn a into b. It is meant for short words.
func distance(a, b string) int {
	if len(a) > 2*len(b)+2 {
		return len(a)
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
			default:
				rows[i][j] = 1 + min(rows[i-1][j], rows[i][j-1], rows[i-1][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
