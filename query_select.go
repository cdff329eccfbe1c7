package bucketlite

import (
	"strconv"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// compileSelect validates the paths to select. It returns nil for none, which selects
// all.
func compileSelect(paths []string, faults *QueryError) value.Selection {
	at := value.Path{{Name: "select"}}
	if len(paths) > MaxSelect {
		faults.fault(at, ruleSize, "at most "+strconv.Itoa(MaxSelect)+" paths expected, got "+strconv.Itoa(len(paths)))
		return nil
	}
	var chosen value.Selection
	for i, p := range paths {
		path, err := query.ParsePath(p)
		if err != nil {
			faults.fault(at.Item(i), rulePath, err.Error())
			continue
		}
		if chosen == nil {
			chosen = make(value.Selection)
		}
		chosen.Add(path)
	}
	return chosen
}
