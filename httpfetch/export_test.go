package httpfetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
)

// Special exposes the judgement of addresses to the table of them.
func Special(addr netip.Addr) string { return special(addr) }

// SetResolver makes the fetcher ask another name server, reached by dial.
func SetResolver(f *Fetcher, dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	f.dialer.Resolver = &net.Resolver{PreferGo: true, Dial: dial}
	f.transport.DialContext = f.dialer.DialContext
}

// SetHost makes connections to host:port go to address instead, unjudged: a
// public server that a test can have.
func SetHost(f *Fetcher, hostPort, address string) {
	dial := f.transport.DialContext
	f.transport.DialContext = func(ctx context.Context, network, to string) (net.Conn, error) {
		if to == hostPort {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		return dial(ctx, network, to)
	}
}

// SetRoots makes the fetcher trust the certificates in roots.
func SetRoots(f *Fetcher, roots *x509.CertPool) {
	f.transport.TLSClientConfig = &tls.Config{RootCAs: roots}
}
