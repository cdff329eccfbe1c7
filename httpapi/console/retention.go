package console

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
)

// A retentionForm is a bucket's retention as a form has it: numbers with units.
type retentionForm struct {
	Age, AgeUnit     string
	Objects          string
	Bytes, BytesUnit string
}

// A unit is a unit of a number in a form.
type unit struct {
	Name, Text string
	size       int64
}

var ageUnits = []unit{
	{"d", "days", int64(24 * time.Hour / time.Second)}, {"h", "hours", 3600}, {"m", "minutes", 60}, {"s", "seconds", 1},
}

var byteUnits = []unit{{"gib", "GiB", 1 << 30}, {"mib", "MiB", 1 << 20}, {"kib", "KiB", 1 << 10}, {"b", "bytes", 1}}

// inUnit returns a number in the largest unit that leaves no rest.
func inUnit(n int64, units []unit) (text, name string) {
	if n == 0 {
		return "", units[0].Name
	}
	for _, u := range units {
		if n%u.size == 0 {
			return strconv.FormatInt(n/u.size, 10), u.Name
		}
	}
	return "", ""
}

func newRetentionForm(r bucketlite.Retention) retentionForm {
	var f retentionForm
	f.Age, f.AgeUnit = inUnit(int64(r.MaxAge/time.Second), ageUnits)
	if rest := r.MaxAge % time.Second; rest != 0 {
		f.Age, f.AgeUnit = strconv.FormatFloat(r.MaxAge.Seconds(), 'f', -1, 64), "s"
	}
	if r.MaxObjects != 0 {
		f.Objects = strconv.FormatInt(r.MaxObjects, 10)
	}
	f.Bytes, f.BytesUnit = inUnit(r.MaxBytes, byteUnits)
	return f
}

func givenRetention(form url.Values) retentionForm {
	return retentionForm{
		Age: form.Get("age"), AgeUnit: form.Get("age-unit"), Objects: form.Get("objects"), Bytes: form.Get("bytes"), BytesUnit: form.Get("bytes-unit"),
	}
}

// AgeUnits and BytesUnits are the options of the selects.
func (f retentionForm) AgeUnits() []choice { return unitChoices(ageUnits, f.AgeUnit) }

func (f retentionForm) BytesUnits() []choice { return unitChoices(byteUnits, f.BytesUnit) }

func unitChoices(units []unit, chosen string) []choice {
	var list []choice
	for _, u := range units {
		list = append(list, choice{u.Name, u.Text, u.Name == chosen})
	}
	return list
}

// parse returns the limits, and notes what is wrong with the controls.
func (f *retentionForm) parse(wrong wrongs) bucketlite.Retention {
	age := parseNumber(f.Age, f.AgeUnit, ageUnits, float64(math.MaxInt64/time.Second), "age", wrong)
	return bucketlite.Retention{
		MaxAge:     time.Duration(math.Round(age * float64(time.Second))),
		MaxObjects: int64(parseNumber(f.Objects, "", nil, 1<<53, "objects", wrong)),
		MaxBytes:   int64(parseNumber(f.Bytes, f.BytesUnit, byteUnits, 1<<53, "bytes", wrong)),
	}
}

// parseNumber returns a number in its unit; 0 for a blank text.
func parseNumber(text, unitName string, units []unit, most float64, name string, wrong wrongs) float64 {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
	if err != nil || math.IsNaN(n) || n < 0 {
		wrong[name] = fmt.Sprintf("A number expected, got %q.", text)
		return 0
	}
	for _, u := range units {
		if u.Name == unitName {
			n *= float64(u.size)
		}
	}
	if n >= most {
		wrong[name] = "The number is too large."
		return 0
	}
	if units == nil && n != math.Trunc(n) {
		wrong[name] = fmt.Sprintf("A whole number expected, got %q.", text)
	}
	return n
}
