// Package format checks strings by the formats that JSON Schema names, such as email or
// date-time. Each follows the grammar of the RFC that JSON Schema names for it.
package format
