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
// alternately. There are several kinds of strings: one that needs no escapes in JSON text
// ([Append] writes most strings as this kind), one that does, and one in the escaped form
// of JSON text, which only SQLite writes, when it is given text.
//
// The forms that SQLite has for JSON5 are refused.
//
// # Values
//
// Values are plain, as package value defines it. A value that [Append] has written and
// [Parse] has read equals one that value.Append has written and value.ParseTrusted has
// read. [Copy] makes that value without writing it.
package jsonb
