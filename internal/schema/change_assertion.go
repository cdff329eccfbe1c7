package schema

import (
	"math/big"

	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/value"
)

// enum compares the allowed values of a field, and reports whether fewer may be allowed.
func (c *comparer) enum(at place, old, new map[string]any) (tightened bool) {
	before, was := old["enum"].([]any)
	after, is := new["enum"].([]any)
	switch {
	case !was && !is:
	case !is:
		c.note(at.new, Loosens, "%senum: any value", at.prefix())
	case !was:
		c.note(at.new, Tightens, "%senum: only %s", at.prefix(), allowed(after))
		tightened = true
	default:
		removed, added := missingValues(before, after), missingValues(after, before)
		if len(removed) > 0 {
			c.note(at.new, Tightens, "%senum: without %s", at.prefix(), allowed(removed))
			tightened = true
		}
		if len(added) > 0 {
			c.note(at.new, Loosens, "%senum: also %s", at.prefix(), allowed(added))
		}
	}
	if is && !sameMembers(old, new) {
		// An allowed object includes the defaults of its members.
		c.note(at.new, Tightens, "%senum: its values have other members", at.prefix())
		tightened = true
	}
	return tightened
}

// missingValues returns the values that are not among others.
func missingValues(values, others []any) (missing []any) {
	keys := make(map[string]bool, len(others))
	for _, v := range others {
		keys[string(value.AppendKey(nil, v))] = true
	}
	for _, v := range values {
		if !keys[string(value.AppendKey(nil, v))] {
			missing = append(missing, v)
		}
	}
	return missing
}

// sameMembers reports whether two fields declare equal members and items.
func sameMembers(old, new map[string]any) bool {
	for _, name := range []string{"items", "properties", "additionalProperties"} {
		if !value.Equal(old[name], new[name]) {
			return false
		}
	}
	return true
}

// assertions compares the keywords of a field that package assertion enforces, and reports
// whether they may allow fewer values.
func (c *comparer) assertions(at place, old, new map[string]any) (tightened bool) {
	note := func(effect Effect, format string, args ...any) {
		c.note(at.new, effect, at.prefix()+format, args...)
		tightened = tightened || effect > Loosens
	}
	for _, name := range assertion.Keywords() {
		before, was := old[name]
		after, is := new[name]
		switch {
		case !was && !is:
		case was && is && value.Equal(before, after):
			if name == "format" && c.opts.NewRules {
				note(Tightens, "format: checked by later rules")
			}
		case !is, name == "uniqueItems" && after == false:
			note(Loosens, "%s: no longer %s", name, value.Show(before))
		case !was:
			note(Tightens, "%s: %s", name, value.Show(after))
		default:
			effect := Tightens
			if loosens(name, before, after) {
				effect = Loosens
			}
			note(effect, "%s: %s to %s", name, value.Show(before), value.Show(after))
		}
	}
	return tightened
}

// loosens reports whether every value that satisfies the keyword with the value old
// satisfies it with the value new.
func loosens(keyword string, old, new any) bool {
	before, ok := rational(old)
	after, isNumber := rational(new)
	if !ok || !isNumber {
		return false
	}
	switch keyword {
	case "minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum":
		return after.Cmp(before) <= 0
	case "maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum":
		return after.Cmp(before) >= 0
	case "multipleOf":
		return after.Sign() > 0 && quotient(before, after).IsInt()
	}
	return false
}

// rational returns the exact value of a number.
func rational(v any) (*big.Rat, bool) {
	if !value.IsNumber(v) {
		return nil, false
	}
	return new(big.Rat).SetString(string(value.AppendNumber(nil, v)))
}

func quotient(a, b *big.Rat) *big.Rat { return new(big.Rat).Quo(a, b) }
