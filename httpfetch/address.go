package httpfetch

import "net/netip"

// nat64 is where a network without IPv4 shows the public IPv4 addresses, in the
// last 32 bits (RFC 6052). It is the only embedding that a name may honestly
// resolve to, so what is embedded is checked.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// global is all of IPv6 that has been given out for use in public.
var global = netip.MustParsePrefix("2000::/3")

// specials are the blocks that are not for hosts in public, of IPv4 and of the
// global part of IPv6, by IANA's registries of special-purpose addresses.
var specials = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "unspecified"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared behind a carrier's NAT"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("168.63.129.16/32"), "a cloud's own"}, // public in form, served by Azure's hosts
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "reserved for protocols"},
	{netip.MustParsePrefix("192.0.2.0/24"), "for documentation"},
	{netip.MustParsePrefix("192.31.196.0/24"), "reserved for protocols"},
	{netip.MustParsePrefix("192.52.193.0/24"), "reserved for protocols"},
	{netip.MustParsePrefix("192.88.99.0/24"), "a relay of 6to4"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("192.175.48.0/24"), "reserved for protocols"},
	{netip.MustParsePrefix("198.18.0.0/15"), "for benchmarks"},
	{netip.MustParsePrefix("198.51.100.0/24"), "for documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "for documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},

	{netip.MustParsePrefix("2001::/23"), "reserved for protocols"}, // among them Teredo, which embeds IPv4
	{netip.MustParsePrefix("2001:db8::/32"), "for documentation"},
	{netip.MustParsePrefix("2002::/16"), "an embedding of IPv4 (6to4)"},
	{netip.MustParsePrefix("2620:4f:8000::/48"), "reserved for protocols"},
	{netip.MustParsePrefix("3fff::/20"), "for documentation"},
}

// special returns the kind of a special address, and is empty if it is an
// ordinary public one.
func special(addr netip.Addr) string {
	if !addr.IsValid() {
		return "none"
	}
	if addr.Zone() != "" {
		return "within a zone"
	}
	addr = addr.Unmap() // ::ffff:127.0.0.1 connects to 127.0.0.1
	if nat64.Contains(addr) {
		b := addr.As16()
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	for _, s := range specials {
		if s.prefix.Contains(addr) {
			return s.what
		}
	}
	switch {
	case addr.Is4() || global.Contains(addr):
		return ""
	case addr.IsUnspecified():
		return "unspecified"
	case addr.IsLoopback():
		return "loopback"
	case addr.IsPrivate():
		return "private"
	case addr.IsLinkLocalUnicast():
		return "link-local"
	case addr.IsMulticast():
		return "multicast"
	}
	return "not public"
}
