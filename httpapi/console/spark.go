package console

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/bucketlite/bucketlite"
)

// The size of a line in the units of its picture.
const (
	sparkWidth  = 120
	sparkHeight = 24
)

// A spark is a line without axes that shows how a number of objects has changed.
type spark struct {
	Line, Area string // points of an SVG
	Text       string // the same in words
}

// newSpark draws the numbers of objects. The lowest is at the bottom unless it is near
// the highest: a bucket that has hardly grown has a flat line.
func newSpark(units []bucketlite.Growth) spark {
	if len(units) == 0 {
		return spark{Text: "not known"}
	}
	low, high := units[0].Objects, units[0].Objects
	for _, u := range units {
		low, high = min(low, u.Objects), max(high, u.Objects)
	}
	low = min(low, high-high/50)
	points := make([]string, len(units))
	for i, u := range units {
		x := sparkWidth * float64(i) / float64(max(len(units)-1, 1))
		y := float64(sparkHeight - 2)
		if high > low {
			y = 2 + (sparkHeight-4)*float64(high-u.Objects)/float64(high-low)
		}
		points[i] = strconv.FormatFloat(x, 'f', 1, 64) + "," + strconv.FormatFloat(y, 'f', 1, 64)
	}
	line := strings.Join(points, " ")
	first, last := units[0].Objects, units[len(units)-1].Objects
	return spark{
		Line: line,
		Area: fmt.Sprintf("0,%d %s %d,%d", sparkHeight, line, sparkWidth, sparkHeight),
		Text: sparkText(first, last),
	}
}

func sparkText(first, last int64) string {
	if first == last {
		return fmt.Sprintf("%s for %d days", plural(last, "object"), sparkDays)
	}
	return fmt.Sprintf("from %s to %s in %d days", formatCount(first), plural(last, "object"), sparkDays)
}
