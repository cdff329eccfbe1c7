package schema

import (
	"fmt"
	"strings"

	"github.com/bucketlite/bucketlite/internal/spell"
)

// synonyms are type names of other systems.
var synonyms = map[string]string{
	"json": Object, "dict": Object, "map": Object, "list": Array, "str": String, "int": Integer, "long": Integer,
	"double": Float, "decimal": Number, "bool": Boolean, "timestamp": DateTime, "time": DateTime, "uuid": String,
	"csv": Excel, "xlsx": Excel, "jpeg": Image, "png": Image, "gif": Image, "mp3": Audio, "mp4": Video,
	"doc": Document, "docx": Document, "epub": Document, "markdown": Text, "html": Text, "any": File, "binary": File, "blob": File, "bytes": File,
}

// suggest returns `, did you mean "…"?` with the type that is most similar to t, or
// "".
func suggest(t string) string {
	best, ok := synonyms[strings.ToLower(t)]
	if !ok {
		least := 3 // a type that is more than two edits away is unrelated
		for _, known := range fieldTypes {
			if d := spell.Distance(strings.ToLower(t), known); d < least {
				best, least = known, d
			}
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}
