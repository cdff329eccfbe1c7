// Package clienttest has a client generated from the wire's OpenAPI document and
// lets it work. It is a module of its own, so that the generator is no dependency of
// anyone else.
//
//	go test .                          # the document of package httpapi
//	go test . -args -document FILE     # another, such as the hosted service's
package clienttest
