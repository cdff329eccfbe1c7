// Package jsonb reads and writes SQLite's binary form of JSON, in which objects'
// fields are stored. SQLite finds a member in it without reading the members
// before, and so does this package.
//
// # Form
//
// An element is a header and a payload. The low four bits of the header's first
// byte are the kind. The high four bits are the payload's size if that is at most
// 11; if they are 12, 13, 14 or 15, the size is in the next 1, 2, 4 or 8 bytes,
// the most significant first. The payload of a number is its JSON text, that of an
// array the elements one after the other, and that of an object names and values
// in turn. A string is one of several kinds: one that stands in JSON text as it is
// ([Append] writes most like that), one that does not, and one that is in the
// escaped form it has in JSON text, which only SQLite writes, when it is given text.
//
// The forms that SQLite has for what is JSON5 but not JSON are refused.
//
// # Values
//
// Values are plain, as package value has it. [Parse] of what [Append] made of a
// value gives what value.ParseTrusted gives of what value.Append made of it.
package jsonb
