// Package wire is generated when the test runs, from a document of the wire; nothing
// of that is kept.
package wire

import _ "github.com/oapi-codegen/runtime" // what is generated imports it
