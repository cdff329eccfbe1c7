package querytest

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
)

// Random makes documents and filters that have enough in common for filters to
// match some documents and not others.
type Random struct {
	*rand.Rand
}

// New returns a Random whose results follow from seed.
func New(seed uint64) Random {
	return Random{rand.New(rand.NewPCG(seed, 0))}
}

// kinds are the schema types of the declared paths.
var kinds = map[string]string{
	"s": "string", "n": "number", "i": "integer", "yes": "boolean", "day": "date", "at": "datetime",
	"stamps":    "datetime", // elements of an array
	"events":    "object",   // elements of an array
	"events.at": "datetime",
	"events.n":  "number",
}

// Kind returns the schema type a member of [Random.Document] is meant to be
// declared as, or its elements if it leads through arrays, which only the paths
// that begin with stamps or events do. It returns "" for all others.
func Kind(path string) string { return kinds[path] }

// Paths are the paths that filters are about.
var Paths = []string{
	"s", "n", "i", "yes", "day", "at", "stamps", "events", "events.at", "events.n", "events.more.x",
	"any", "any.x", "any.x.y", "list", "list.x", "list.y.z", "tags", "missing", "s.x", "n.x.y",
}

var (
	texts = []string{
		"", "a", "A", "b", "red", "Red", "RED SNEAKER", "red sneaker", "Sneaker, red", "blue", "straße", "STRASSE", "STRAẞE",
		"Σίσυφος", "σίσυφοσ", "ſ", "s", "K", "k", "\u212a", "İ", "i", "ı", "I", "naïve café", "NAÏVE CAFÉ", "5", "true", "2024-03-01", "😀", "a\U0001f600b", "ⱥ", "Ⱥ", "µ", "μ", "Μ",
		"nai\u0308ve cafe\u0301", "cafe", "A\u030a", "\u212b", "한글", "\u1112\u1161\u11ab\u1100\u1173\u11af", "\u0958", "q\u0307\u0323", "Q\u0323\u0307", "J\u030c", "\u01f0", "=\u0338",
	}
	numbers = []string{
		"0", "-0", "0.0", "5", "5.0", "5e0", "0.5e1", "-5", "3.25", "1e3", "1000", "0.1", "0.10", "9007199254740992", "9007199254740993", "9007199254740993.0",
		"9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e19", "1e308", "-1e308", "5e-324", "0.1000000000000000000001", "5.00000000000000000000001", "4.5",
	}
	integers = []string{"0", "5", "5.0", "-7", "12", "9007199254740993", "9223372036854775807", "-9223372036854775808", "1e3"}
	days     = []string{"2024-03-01", "2024-03-02", "1999-12-31", "0001-01-01"}
	times    = []string{
		"2024-03-01T12:00:00Z", "2024-03-01T12:00:00", "2024-03-01T13:00:00+01:00", "2024-03-01T12:00:00.000000001Z", "2024-03-01T12:00:00.5Z",
		"2024-03-01T12:00", "2024-03-01T13:00:00+0100", "2024-03-01T07:00-05:00",
		"2024-03-01T07:00:00.500-05:00", "1969-12-31T23:59:59.9Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
	}
	patterns = []string{"", "a", "^red", "sneaker$", "r.d", "[0-9]+", "straße|café", "(?-i:R)", `\bred\b`, "^$", "k", "ſ", "σ+"}
)

func pick[T any](r Random, list []T) T { return list[r.IntN(len(list))] }

func (r Random) oneIn(n int) bool { return r.IntN(n) == 0 }

// Document returns the fields of an object. Those that are declared conform to
// what [Kind] says of them.
func (r Random) Document() map[string]any {
	doc := make(map[string]any)
	put := func(name string, f func() any) {
		if !r.oneIn(4) {
			doc[name] = f()
		}
	}
	put("s", r.text)
	put("n", r.number)
	put("i", func() any { return json.Number(pick(r, integers)) })
	put("yes", func() any { return r.oneIn(2) })
	put("day", func() any { return pick(r, days) })
	put("at", r.time)
	put("stamps", func() any { return r.list(3, r.time) })
	put("events", func() any {
		return r.list(3, func() any {
			event := make(map[string]any)
			if !r.oneIn(3) {
				event["at"] = r.time()
			}
			if !r.oneIn(3) {
				event["n"] = r.number()
			}
			if r.oneIn(3) {
				event["more"] = r.value(2)
			}
			return event
		})
	})
	put("any", func() any { return r.value(3) })
	put("list", func() any { return r.list(3, func() any { return r.value(3) }) })
	put("tags", func() any { return r.list(4, r.scalar) })
	return doc
}

func (r Random) text() any   { return pick(r, texts) }
func (r Random) number() any { return json.Number(pick(r, numbers)) }
func (r Random) time() any   { return pick(r, times) }

func (r Random) list(most int, f func() any) any {
	list := make([]any, r.IntN(most+1))
	for i := range list {
		list[i] = f()
	}
	return list
}

func (r Random) scalar() any {
	switch r.IntN(8) {
	case 0:
		return nil
	case 1:
		return r.oneIn(2)
	case 2, 3, 4:
		return r.number()
	case 5:
		return r.time()
	}
	return r.text()
}

// value returns any value up to depth levels deep.
func (r Random) value(depth int) any {
	if depth == 0 || r.oneIn(2) {
		return r.scalar()
	}
	if r.oneIn(2) {
		return r.list(3, func() any { return r.value(depth - 1) })
	}
	object := make(map[string]any)
	for _, name := range []string{"x", "y", "z"} {
		if r.oneIn(2) {
			object[name] = r.value(depth - 1)
		}
	}
	return object
}

// Filter returns the JSON form of a filter without faults, up to depth groups
// deep.
func (r Random) Filter(depth int) any {
	if depth > 0 && r.oneIn(20) {
		return nil
	}
	if depth == 0 || r.oneIn(3) {
		return r.caseIn(r.condition())
	}
	group := make(map[string]any)
	args := func() any {
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = r.Filter(depth - 1)
		}
		return list
	}
	for range 1 + r.IntN(2) {
		switch r.IntN(5) {
		case 0:
			group["AND"] = args()
		case 1:
			group["OR"] = args()
		case 2:
			group["NOT"] = args()
		case 3:
			group["NOT"] = r.caseIn(r.condition())
		case 4:
			path := pick(r, Paths)
			group[path] = r.comparand(path)
		}
	}
	return r.caseIn(group)
}

func (r Random) caseIn(filter map[string]any) map[string]any {
	if r.oneIn(3) {
		filter["case_sensitive"] = pick(r, []any{true, false, nil})
	}
	return filter
}

func (r Random) condition() map[string]any {
	path := pick(r, Paths)
	c := map[string]any{"field": path}
	switch op := pick(r, []string{"", "eq", "ne", "gt", "lt", "gte", "lte", "in", "nin", "contains", "starts_with", "ends_with", "regex", "exists", "is_null", "text"}); op {
	case "":
		c["value"] = r.comparand(path)
	case "eq", "ne":
		c["operator"], c["value"] = op, r.comparand(path)
	case "gt", "lt", "gte", "lte":
		c["operator"], c["value"] = op, r.ordered(path)
	case "in", "nin":
		c["operator"], c["value"] = op, r.list(5, func() any { return r.comparand(path) })
	case "exists", "is_null":
		c["operator"] = op
		if !r.oneIn(3) {
			c["value"] = pick(r, []any{true, false, nil})
		}
	case "regex":
		c["operator"], c["value"] = op, pick(r, patterns)
	case "text":
		c["operator"], c["value"] = op, pick(r, texts)+" "+pick(r, texts)
	default:
		text := []rune(pick(r, texts))
		from := r.IntN(len(text) + 1)
		c["operator"], c["value"] = op, string(text[from:from+r.IntN(len(text)-from+1)])
	}
	return c
}

// comparand returns a value for path to be equal to.
func (r Random) comparand(path string) any {
	switch kind := Kind(path); {
	case r.oneIn(10):
		return nil
	case kind == "datetime" && strings.HasPrefix(path, "stamps") && r.oneIn(4):
		return r.list(3, r.time)
	case kind == "datetime":
		return r.time()
	case kind == "date":
		return pick(r, days)
	case kind == "" || r.oneIn(8):
		return r.value(2)
	}
	return r.ordered(path)
}

// ordered returns a value for path to be less or greater than.
func (r Random) ordered(path string) any {
	switch kind := Kind(path); {
	case kind == "datetime":
		return r.time()
	case kind == "date":
		return pick(r, days)
	case kind == "number", kind == "integer", r.oneIn(2):
		return r.number()
	}
	return r.text()
}
