package format_test

import (
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/format"
)

// A sample holds strings that are of a format, and strings that are not.
type sample struct{ right, wrong []string }

var (
	label63 = strings.Repeat("a", 63)
	name253 = strings.Repeat(label63+".", 3) + strings.Repeat("a", 61)
)

var samples = map[string]sample{
	"date-time": {
		right: []string{"1985-04-12T23:20:50.52Z", "1996-12-19T16:39:57-08:00", "1990-12-31T23:59:60Z", "1990-12-31T15:59:60-08:00",
			"1937-01-01T12:00:27.87+00:20", "1963-06-19t08:30:06.283185z", "0000-01-01T00:00:00Z", "2024-02-29T00:00:00.123456789012Z"},
		wrong: []string{"", "1998-12-31T23:59:61Z", "1998-12-31T23:58:60Z", "1998-12-31T22:59:60Z", "1990-02-31T15:59:59.123-08:00",
			"1990-12-31T15:59:59-24:00", "1963-06-19T08:30:06.28123+01:00Z", "06/19/1963 08:30:06 PST", "2013-350T01:01:01",
			"1963-6-19T08:30:06Z", "1963-06-1T00:00:00Z", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05", "2026-01-02T03:04Z",
			"2026-01-02T03:04:05,5Z", "2026-01-02T03:04:05.Z", "2026-01-02T24:00:00Z", "2026-01-02T+3:04:05Z", "+026-01-02T03:04:05Z",
			"11963-06-19T08:30:06Z", "1963-06-1৪T00:00:00Z", "1963-06-11T0৪:00:00Z", "2026-01-02T03:04:05+0100", " 2026-01-02T03:04:05Z",
			"2026-01-02T03:04:05Z\n"},
	},
	"date": {
		right: []string{"1963-06-19", "2020-02-29", "0001-01-01", "9999-12-31"},
		wrong: []string{"", "2021-02-29", "2020-13-01", "2020-00-10", "2020-06-31", "06/19/1963", "2013-350", "1998-1-20", "1998-01-1",
			"20230328", "2023-W01", "2023-W13-2", "1963-06-1৪", "+1963-06-19", "1963-06-19T", "1963-06-19\n", "-020-01-01"},
	},
	"time": {
		right: []string{"08:30:06Z", "08:30:06z", "23:59:60Z", "23:59:60+00:00", "01:29:60+01:30", "23:29:60+23:30", "15:59:60-08:00",
			"00:29:60-23:30", "23:20:50.52Z", "08:30:06.283185Z", "08:30:06+00:20", "08:30:06-08:00"},
		wrong: []string{"", "008:030:006Z", "8:3:6Z", "8:0030:6Z", "22:59:60Z", "23:58:60Z", "22:59:60+00:00", "23:59:60+01:00", "23:59:60+00:30",
			"23:59:60-01:00", "24:00:00Z", "00:60:00Z", "00:00:61Z", "01:02:03+24:00", "01:02:03+00:60", "01:02:03Z+00:30", "08:30:06 PST",
			"01:01:01,1111", "12:00:00", "12:00:00.52", "1২:00:00Z", "08:30:06#00:20", "ab:cd:ef", "+1:00:00Z", "01:+1:00Z", "01:00:00++1:00",
			"01:00:00+0100", "01:00:00+01", "01:00:00.Z", "01:00Z", "12:00:00Z "},
	},
	"duration": {
		right: []string{"P4DT12H30M5S", "P4Y", "PT0S", "P0D", "P1M", "PT1M", "PT36H", "P1DT12H", "P2W", "P1Y2M3D", "PT1H2M3S", "P3M4DT5M6S"},
		wrong: []string{"", "PT1D", "4DT12H30M5S", "P", "P1YT", "PT", "P2D1Y", "P1D2H", "P2S", "P1Y2W", "P1", "P২Y", "P1Y2D", "PT1H2S", "P1.5D",
			"-P1D", "p1d", "P1D ", "P-1D"},
	},
	"period": {
		right: []string{"1963-06-19T08:30:06Z/1963-06-20T08:30:06Z", "1963-06-19T08:30:06Z/P4D", "P4D/1963-06-19T08:30:06Z"},
		wrong: []string{"", "/", "P4D/P4D", "1963-06-19T08:30:06Z", "1963-06-19T08:30:06Z/", "1963-06-19/1963-06-20", "1963-06-19T+8:30:06Z/P4D"},
	},

	"email": {
		right: []string{"joe.bloggs@example.com", "te~st@example.com", "~test@example.com", "test~@example.com", "a+b=c/d@example.com",
			`"joe bloggs"@example.com`, `"joe..bloggs"@example.com`, `"joe@bloggs"@example.com`, `""@iana.org`, `"\""@iana.org`, `"\\"@iana.org`,
			"joe.bloggs@[127.0.0.1]", "joe.bloggs@[IPv6:::1]", "a@[ipv6:::1]", "te.s.t@example.com", "test@255.255.255.255", "test@io",
			"test@c--n.com", "A@EXAMPLE.COM", strings.Repeat("a", 64) + "@example.com"},
		wrong: []string{"", "2962", " a@iana.org", "a@iana.org ", "a@iana.org\n", "a @iana.org", "a@ iana.org", ".test@example.com", "test.@example.com",
			"te..st@example.com", "joe.bloggs@invalid=domain.com", "joe.bloggs@[127.0.0.300]", "a@[]", "a@[1.2.3]", "a@[IPv6:1.2.3.4]", "a@[1.2.3.4",
			"a@[::1]", "a@[+1.2.3.4]", "user1@oceania.org, user2@oceania.org", `"Winston Smith" <winston.smith@recdep.minitrue>`, "<a@example.com>",
			"Joe <a@example.com>", "a@example.com (Joe)", "a(comment)@example.com", "@example.com", "a@", "joe bloggs@example.com", "a@b@c.org",
			"aé@iana.org", "a@é.org", "a＠iana.org", "\"test\\©\"@iana.org", "a\tb@iana.org", "\x7f@iana.org", `test"@iana.org`, `"test"test@iana.org`,
			`"test@iana.org`, `"a\"@iana.org`, `"@iana.org`, `test\@test@iana.org`, "[1.2.3.4]@iana.org", "test@-iana.org", "test@iana-.com", "test@.iana.org",
			"test@iana.org.", "test@iana..com", "a,b@iana.org", "a;b@iana.org", "a:b@iana.org", "a@b_c.org",
			strings.Repeat("a", 65) + "@example.com", "a@" + name253},
	},
	"idn-email": {
		right: []string{"joe.bloggs@example.com", "실례@실례.테스트", "δοκιμή@παράδειγμα.δοκιμή", "我買@屋企.香港", `"é è"@example.com`, "é@[127.0.0.1]"},
		wrong: []string{"", "2962", " é@example.com", "é@example.com ", "é è@example.com", "é@〮실례.테스트", "é@-é.com", "é@a☃b.com", "\"\\é\"@example.com", "é@é@é.com"},
	},
	"hostname": {
		right: []string{"www.example.com", "xn--4gbwdl.xn--wgbh1c", "XN--4GBWDL", "hostname", "host-name", "h0stn4me", "1host", "hostnam3", "a", "127.0.0.1",
			"r3---sn-4g5e6nez.example.com", "ab--cd", label63 + ".com", name253},
		wrong: []string{"", ".", ".example", "example.", "a..b", "-host", "host-", "a.-b.c", "a.b-.c", "not_a_valid_host_name", "_host", "host_", "a b",
			"a.b c", "a/b", "host:80", "é.org", "a．b", "xn--X", "XN--aa---o47jg78q", "xn--", label63 + "a.com", name253 + "a", "host\n", " host"},
	},
	"idn-hostname": {
		right: []string{"실례.테스트", "xn--ihqwcrb4cv8a8dqg056pqjye", "hostname", "EXAMPLE.com", "r3---sn-4g5e6nez.example.com", "Bücher.example", "ßς་〇", "۽۾",
			"l·l", "α͵β", "א׳ב", "א״ב", "・ぁ", "・ァ", "・丈", "ب٠ب", "۰0", "क्\u200dष", "क्\u200cष", "بي\u200cبي", "a。b", "a．b", "a｡b"},
		wrong: []string{"", ".", "。", ".a", "a.", "。example", "example。", "〮실례.테스트", "실〮례.테스트", "실례" + strings.Repeat("가나다라마바사", 5) + "테스트.kr", "-> $1.00 <--", "xn--X",
			"XN--aa---o47jg78q", "-hello", "hello-", "-hello-", "ah--é", "\u0903hello", "\u0300hello", "\u0488hello", "ـߺ", "〱〲〳〴〵〮〯〻", "a·l", "·l", "l·a",
			"l·", "α͵S", "α͵", "A׳ב", "׳ב", "A״ב", "״ב", "def・abc", "・", "ب٠۰", "क\u200dष", "\u200dष", "a☃b", "i♥ny.example", "한\u1100", "é é", "é_è"},
	},
	"ipv4": {
		right: []string{"192.168.0.1", "0.0.0.0", "255.255.255.255", "10.0.1.9"},
		wrong: []string{"", "+1.2.3.4", "1.2.3.+4", "-1.2.3.4", "127.0.0.0.1", "256.256.256.256", "127.0", "0x7f000001", "2130706433", "087.10.0.1", "01.2.3.4",
			"1২7.0.0.1", "192.168.1.0/24", " 1.2.3.4", "1.2.3.4 ", "1.2.3.4\n", "1..2.3", "1.2.3.", "::1", "::ffff:1.2.3.4", "1.2.3.4%eth0"},
	},
	"ipv6": {
		right: []string{"::1", "::", "::abef", "::42:ff:1", "d6::", "1:d6::42", "1::d6:192.168.0.1", "1:2::192.168.0.1", "::ffff:192.168.0.1",
			"1:2:3:4:5:6:7:8", "2001:DB8::8:800:200C:417A", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7::"},
		wrong: []string{"", "12345::", "1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1", "::laptop", ":2:3:4:5:6:7:8", "1:2:3:4:5:6:7:", ":2:3:4::8", "1::d6::42",
			"1::2:192.168.256.1", "1::2:192.168.ff.1", "::ffff:192.168.0.01", "1:2:3:4:5:::8", "1:2:3:4:5:6:7", "1", "127.0.0.1", "1:2:3:4:1.2.3",
			"  ::1", "::1  ", "fe80::/64", "fe80::a%eth1", "1000:1000:1000:1000:1000:1000:255.255.255.255:1", "100:100:100:100:100:100:255.255.255.255.255",
			"1:2:3:4:5:6:7:৪", "1:2::192.16৪.0.1", "::+1", "[::1]"},
	},

	"uri": {
		right: []string{"http://foo.bar/?baz=qux#quux", "http://foo.com/blah_(wikipedia)_blah#cite-1", "http://foo.bar/?q=Test%20URL-encoded%20stuff",
			"http://xn--nw2a.xn--j6w193g/", "http://-.~_!$&'()*+,;=:%40:80%2f::::::@example.com", "http://223.255.255.254", "ftp://ftp.is.co.za/rfc/rfc1808.txt",
			"ldap://[2001:db8::7]/c=GB?objectClass?one", "mailto:John.Doe@example.com", "news:comp.infosystems.www.servers.unix", "tel:+1-816-555-1212",
			"telnet://192.0.2.16:80/", "urn:oasis:names:specification:docbook:dtd:xml:4.1.2", "file:///etc/fstab", "s3://bucket/a%20b", "HTTP://EXAMPLE.COM",
			"http://[v1.fe80::a+en1]/", "http://a:/", "x:", "http://ex%41mple.com/", "data:,a?b=c/d"},
		wrong: []string{"", "//foo.bar/?baz=qux#quux", "/abc", `\\WINDOWS\fileshare`, "abc", "http:// shouldfail.com", ":// should fail", "bar,baz:foo", "1http://a/",
			"http://a/b c", "http://a/?b c", "http://a/#b c", "http://a/<b>", "http://a/<b", `http://a/"`, "http://a/{b}", "http://a/b|c", "http://a/b^c", "http://a/b`c", `http://a/b\c`,
			"https://[@example.org/test.txt", "https://example.org/foobar®.txt", "http://é.org/", "http://2001:0db8::7334", "http://[::1", "http://[::g]/", "http://[1.2.3.4]/",
			"http://a:b/", "http://a:-1/", "http://a@b@c/", "http://a/%", "http://a/%4", "http://a/%zz", "http://a/?%", "http://a/#%", "http://a/##", "http://a/[", "http://a/\n", " http://a/",
			"http://a/ ", "http://a/\x7f"},
	},
	"uri-reference": {
		right: []string{"", "http://foo.bar/?baz=qux#quux", "//foo.bar/?baz=qux#quux", "/abc", "abc", "#fragment", "?a=b", "a/b:c", "./a:b", "../x", "%20", "a?b:c", "a#b:c"},
		wrong: []string{`\\WINDOWS\fileshare`, `#frag\ment`, "a:b\\c", "1a:b", "a b", "<a>", "a b:c", "%2", "/é", "//a:b/", "//[/", "a\"", " ", ":a", "#a#b"},
	},
	"iri": {
		right: []string{"http://ƒøø.ßår/?∂éœ=πîx#πîüx", "http://ƒøø.com/blah_(wîkïpédiå)_blah#ßité-1", "http://-.~_!$&'()*+,;=:%40:80%2f::::::@example.com",
			"http://[2001:0db8:85a3:0000:0000:8a2e:0370:7334]", "http://é:è@example.com/", "http://a/?\ue000", "http://a/𐀀"},
		wrong: []string{"", "http://2001:0db8:85a3:0000:0000:8a2e:0370:7334", "/abc", `\\WINDOWS\filëßåré`, "âππ", "é:x", "http://é/a b", "http://é/<>", "http://a/\ue000",
			"http://a/?#\ue000", "http://a/\ufffe", "http://a/\u0080", "http://[é]/"},
	},
	"iri-reference": {
		right: []string{"", "http://ƒøø.ßår/?∂éœ=πîx#πîüx", "//ƒøø.ßår/?∂éœ=πîx#πîüx", "/âππ", "âππ", "#ƒrägmênt"},
		wrong: []string{`\\WINDOWS\filëßåré`, `#ƒräg\mênt`, "é è", "é:è", "é<"},
	},
	"uri-template": {
		right: []string{"", "http://example.com/dictionary/{term:1}/{term}", "http://example.com/dictionary", "dictionary/{term:1}/{term}", "/items{?page,limit}", "{/var}", "{#frag}",
			"{/var:1,var}{?x,y}", "{;x,y}", "{.dom*}", "{&rest}", "{+path}/here", "{,reserved}", "{/list*}", "{a.b.c}", "{%41b}", "{_a1}", "é{x}", "(a')", "O'{x:9999}"},
		wrong: []string{"http://example.com/dictionary/{term:1}/{term", "{", "}", "{}", "{?}", "{{x}}", "{x}}", "{a b}", "{a,}", "{,}", "{a:0}", "{a:10000}", "{a:}", "{a*:1}", "{a:1*}",
			"{a..b}", "{.}", "{a.}", "{a-b}", "{é}", "a b", "<a>", "a%", "a%4", `"`, `\`, "^", "`", "a|b", "{$x}", "a\n"},
	},

	"uuid": {
		right: []string{"2EB8AA08-AA98-11EA-B4AA-73B441D16380", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
			"98d80576-482e-427f-8434-7f86890ab222", "018f6f64-1b1c-7c1a-9c3e-2f1a5e7d9b10"},
		wrong: []string{"", "2eb8aa08-aa98-11ea-b4aa-73b441d1638", "2eb8aa08-aa98-11ea-73b441d16380", "2eb8aa08-aa98-11ea-b4ga-73b441d16380", "2eb8aa08aa9811eab4aa73b441d16380",
			"2eb8aa08aa98-11ea-b4aa73b441d16380----", "2eb8-aa08-aa98-11ea-b4aa73b44-1d16380", "{2eb8aa08-aa98-11ea-b4aa-73b441d16380}", "urn:uuid:2eb8aa08-aa98-11ea-b4aa-73b441d16380"},
	},
	"json-pointer": {
		right: []string{"", "/", "/foo", "/foo/0", "/a~1b", "/c%d", "/e^f", `/i\j`, `/k"l`, "/ ", "/m~0n", "/foo//bar", "/foo/bar/", "/foo/-", "/foo/-/bar", "/~1~0~0~1~1", "/~01", "/é"},
		wrong: []string{"/foo/bar~", "/~2", "/~0~", "/~0/~", "/~-1", "/~~", "#", "#/", "#a", "a", "0", "a/a", " /", "/a~é"},
	},
	"relative-json-pointer": {
		right: []string{"0", "1", "0/foo/bar", "2/0/baz/1/zip", "0#", "120/foo/bar", "100", "0//", "0+1", "0+1/foo", "1-2/bar", "0-0", "0-1#"},
		wrong: []string{"", "/foo/bar", "-1/foo/bar", "+1/foo/bar", "0##", "01/a", "01#", "1foo", "0+", "0-01", "0++1", "0+1x", "١/foo", "0/~2", "0/foo/bar~", "1#/foo/bar", "1\n", "#"},
	},
}

func init() {
	for name, of := range map[string]string{"ip-address": "ipv4", "uriref": "uri-reference"} {
		samples[name] = samples[of]
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for _, name := range format.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fits, sample := format.Lookup(name), samples[name]
			if len(sample.right) == 0 || len(sample.wrong) == 0 {
				t.Fatal("the table has no values of the format")
			}
			for _, s := range sample.right {
				if !fits(s) {
					t.Errorf("%q: got refused, want accepted", s)
				}
			}
			for _, s := range sample.wrong {
				if fits(s) {
					t.Errorf("%q: got accepted, want refused", s)
				}
			}
		})
	}
}

func TestUnknownFormats(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "unknown", "phone", "Email", "color"} {
		if format.Lookup(name) != nil {
			t.Errorf("Lookup(%q): got a function, want nil", name)
		}
		if slices.Contains(format.Names(), name) {
			t.Errorf("Names contains %q", name)
		}
	}
}

// FuzzFormats compares the formats with each other and with looser parsers.
func FuzzFormats(f *testing.F) {
	for _, sample := range samples {
		for _, s := range slices.Concat(sample.right, sample.wrong) {
			f.Add(s)
		}
	}
	narrower := [][2]string{{"email", "idn-email"}, {"hostname", "idn-hostname"}, {"uri", "uri-reference"}, {"uri", "iri"}, {"uri-reference", "iri-reference"}, {"iri", "iri-reference"}}
	f.Fuzz(func(t *testing.T, s string) {
		is := make(map[string]bool)
		for _, name := range format.Names() {
			is[name] = format.Lookup(name)(s)
		}
		for _, pair := range narrower {
			if is[pair[0]] && !is[pair[1]] {
				t.Errorf("%q: got %s and not %s, want both", s, pair[0], pair[1])
			}
		}
		if addr, err := mail.ParseAddress(s); is["email"] && !strings.Contains(s, "@[") && !strings.HasPrefix(s, `""`) && (err != nil || addr.Name != "") {
			t.Errorf("%q: got accepted as email, want refused as by net/mail: %v", s, err)
		}
		if _, err := url.Parse(s); is["uri"] && err != nil && !strings.Contains(s, "%") && !strings.Contains(s, "[") {
			t.Errorf("%q: got accepted as uri, want refused as by net/url: %v", s, err)
		}
		if _, err := netip.ParseAddr(s); (is["ipv4"] || is["ipv6"]) && err != nil {
			t.Errorf("%q: got accepted as address, want refused as by net/netip: %v", s, err)
		}
		if _, err := time.Parse(time.RFC3339, strings.ToUpper(s)); is["date-time"] && err != nil && !strings.Contains(s, ":60") {
			t.Errorf("%q: got accepted as date-time, want refused as by time: %v", s, err)
		}
	})
}
