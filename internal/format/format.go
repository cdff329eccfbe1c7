package format

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// The keys are the closed list of formats; regex belongs to package pattern. Names that
// are not in JSON Schema 2020-12 were in earlier drafts, or in earlier releases.
var formats = map[string]func(string) bool{
	"date-time": isDateTime,
	"date":      isDate,
	"time":      isTime,
	"duration":  isDuration,
	"period":    isPeriod,

	"email":        isEmail,
	"idn-email":    isIDNEmail,
	"hostname":     isHostname,
	"idn-hostname": isIDNHostname,
	"ipv4":         isIPv4,
	"ip-address":   isIPv4,
	"ipv6":         isIPv6,

	"uri":           isURI,
	"uri-reference": isURIReference,
	"uriref":        isURIReference,
	"iri":           isIRI,
	"iri-reference": isIRIReference,
	"uri-template":  isURITemplate,

	"uuid":                  isUUID,
	"json-pointer":          isJSONPointer,
	"relative-json-pointer": isRelativeJSONPointer,
}

// Names returns the names of all formats, sorted. The slice belongs to the caller.
func Names() []string { return slices.Sorted(maps.Keys(formats)) }

// Lookup returns the function that reports whether a string is of the format, or nil if
// the format is unknown. The function may be called from any goroutine.
func Lookup(name string) func(string) bool { return formats[name] }

// isIPv4 follows RFC 2673, section 3.2: four decimal numbers without leading zeros.
func isIPv4(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Is4()
}

// isIPv6 follows RFC 4291, section 2.2. A zone is not part of an address.
func isIPv6(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Is6() && addr.Zone() == ""
}

// isUUID follows RFC 9562, section 4. It accepts every version and variant.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch i {
		case 8, 13, 18, 23:
			if s[i] != '-' {
				return false
			}
		default:
			if !isHex(s[i]) {
				return false
			}
		}
	}
	return true
}

// isJSONPointer follows RFC 6901.
func isJSONPointer(s string) bool {
	if s == "" {
		return true
	}
	for escape, rest, found := "", s, true; found; {
		if _, rest, found = strings.Cut(rest, "~"); found {
			if escape = rest[:min(1, len(rest))]; escape != "0" && escape != "1" {
				return false
			}
		}
	}
	return s[0] == '/'
}

// isRelativeJSONPointer follows draft-bhutton-relative-json-pointer-00.
func isRelativeJSONPointer(s string) bool {
	rest, ok := cutNumber(s)
	if !ok {
		return false
	}
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		if rest, ok = cutNumber(rest[1:]); !ok {
			return false
		}
	}
	return rest == "#" || isJSONPointer(rest)
}

// cutNumber cuts a whole number without leading zeros from the beginning of s.
func cutNumber(s string) (rest string, ok bool) {
	rest = strings.TrimLeft(s, "0123456789")
	digits := s[:len(s)-len(rest)]
	return rest, digits == "0" || digits != "" && digits[0] != '0'
}

func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
